/* Interpreters: their life and memory, and what they have compiled; run.c runs scripts.  See
 * machine.h. */
#include "script/machine.h"

#include "base/mem.h"
#include "base/random.h"
#include "script/api.h"
#include "script/declared.h"
#include "script/functions.h"
#include "script/fault.h"
#include "script/load.h"
#include "script/run.h"
#include "script/sandbox.h"

enum { FIRST_ROOM = 64 };

/* ---- Memory --------------------------------------------------------------------------------- */

/* Small blocks are Lua's daily bread: they come from slabs of the machine's own, unless there are
 * free ones (lua/extra.h).  Larger ones come from where everything else does. */
static void *take(struct machine *machine, size_t size)
{
    return size <= SLAB_MAX ? slab_alloc(machine->heap, size) : mem_try_alloc(size);
}

static void give_back(struct machine *machine, void *at, size_t size)
{
    if (size <= SLAB_MAX) {
        slab_free(machine->heap, at, size);
    } else {
        mem_free(at);
    }
}

static void *resize(struct machine *machine, void *at, size_t old, size_t size)
{
    if (old > SLAB_MAX && size > SLAB_MAX) {
        return mem_try_realloc(at, size);
    }
    if (old <= SLAB_MAX && size <= SLAB_MAX && slab_class_size(old) == slab_class_size(size)) {
        return at;
    }
    void *moved = take(machine, size);
    if (moved != NULL) {
        memcpy(moved, at, old < size ? old : size);
        give_back(machine, at, old);
    }
    return moved;
}

static void *allocate(void *user, void *at, size_t old_size, size_t size)
{
    struct machine *machine = (struct machine *)((char *)user - offsetof(struct machine, extra));
    struct lua_blocks *blocks = &machine->extra.blocks;
    size_t old = at != NULL ? old_size : 0;
    if (size == 0) {
        if (old > 0) {
            give_back(machine, at, old);
            blocks->used -= old;
        }
        return NULL;
    }
    if (size > old && blocks->used + (size - old) > blocks->limit) {
        return NULL;
    }
    void *moved = old == 0 ? take(machine, size) : resize(machine, at, old, size);
    if (moved != NULL) {
        blocks->used += size - old;
    }
    return moved;
}

void machine_publish_memory(struct machine *machine)
{
    size_t change =
        machine->extra.blocks.used - machine->published; /* modulo its size: may be less */
    if (change != 0) {
        atomic_fetch_add_explicit(&machine->scripting->lua_memory, change, memory_order_relaxed);
        machine->published = machine->extra.blocks.used;
    }
}

/* ---- Life ----------------------------------------------------------------------------------- */

/* Leaves the message handler and the scripts' globals, the true table. */
static int set_up(lua_State *lua)
{
    lua_pushcfunction(lua, fault_handler);
    sandbox_push_globals(lua);
    sandbox_open_libraries(lua);
    api_open(lua);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "redis");
    lua_setfield(lua, -2, "server");
    lua_pushvalue(lua, -1);
    sandbox_protect(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -3, "_G");
    lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    functions_open(lua, MACHINE_GLOBALS);
    return MACHINE_AT_REST;
}

static void close_state(struct machine *machine)
{
    for (uint32_t i = 0; i < machine->compiled_room; i++) {
        script_unref(machine->compiled[i].script);
    }
    mem_free(machine->compiled);
    machine->compiled = NULL;
    machine->ahead.text = NULL;
    machine->compiled_room = machine->compiled_count = 0;
    machine->functions_era = 0;
    if (machine->lua != NULL) {
        lua_close(machine->lua);
        machine->lua = NULL;
    }
    slab_pool_destroy(machine->pool);
    machine->pool = NULL;
    machine->heap = NULL;
    machine->extra = (struct lua_extra){ .blocks.limit = machine->extra.blocks.limit };
    machine_publish_memory(machine);
}

static bool open_state(struct machine *machine)
{
    machine->pool = slab_pool_create();
    machine->heap = machine->pool != NULL ? slab_heap_take(machine->pool) : NULL;
    machine->extra.blocks.keep = LUA_BLOCKS_KEEP;
    machine->lua = machine->heap != NULL ? lua_newstate(allocate, &machine->extra) : NULL;
    if (machine->lua == NULL) {
        close_state(machine);
        return false;
    }
    *(struct machine **)lua_getextraspace(machine->lua) = machine;
    lua_pushcfunction(machine->lua, set_up);
    if (lua_pcall(machine->lua, 0, MACHINE_AT_REST, 0) != LUA_OK) {
        close_state(machine);
        return false;
    }
    return true;
}

static void destroy(struct attachment *attachment)
{
    struct machine *machine = (struct machine *)attachment;
    close_state(machine);
    reply_release(&machine->reply);
    mem_free(machine->argv);
    mem_free(machine->nests);
    mem_free(machine);
}

static struct machine *create(struct executor *executor)
{
    struct scripting *scripting = scripting_of(executor->engine);
    struct machine *machine = scripting != NULL ? mem_try_alloc(sizeof *machine) : NULL;
    if (machine == NULL) {
        return NULL;
    }
    *machine = (struct machine){ .attachment.destroy = destroy,
                                 .executor = executor,
                                 .scripting = scripting,
                                 .era = atomic_load(&scripting->era),
                                 .look_ticks = ticks_from_us(&executor->engine->ticks, LOOK_US) };
    inner_init(&machine->inner, executor);
    machine_seed_dice(machine, (uint32_t)random_next(&executor->thread.dice));
    executor->machine = &machine->attachment;
    return machine;
}

struct machine *machine_open(struct executor *executor)
{
    struct machine *machine = (struct machine *)executor->machine;
    if (machine == NULL && (machine = create(executor)) == NULL) {
        return NULL;
    }
    const struct engine_settings *settings = &executor->engine->settings;
    uint64_t era = atomic_load_explicit(&machine->scripting->era, memory_order_acquire);
    machine->extra.blocks.limit =
        atomic_load_explicit(&settings->lua_memory_limit, memory_order_relaxed);
    machine->reply_limit = atomic_load_explicit(&settings->lua_reply_limit, memory_order_relaxed);
    if (era != machine->era) {
        close_state(machine);
        machine->era = era;
    }
    return machine->lua != NULL || open_state(machine) ? machine : NULL;
}

/* ---- Compiled scripts ------------------------------------------------------------------------ */

static struct compiled *find_slot(const struct machine *machine, const char *digest)
{
    uint64_t word;
    uint32_t mask = machine->compiled_room - 1;
    memcpy(&word, digest, sizeof word);
    uint32_t at = (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
    while (machine->compiled[at].script != NULL &&
           memcmp(machine->compiled[at].script->digest, digest, SHA1_HEX_LEN) != 0) {
        at = (at + 1) & mask;
    }
    return &machine->compiled[at];
}

/* Room for one more: a new table, without those that are gone. */
static bool make_room(struct machine *machine)
{
    if (machine->compiled_room > 0 && machine->compiled_count < machine->compiled_room / 2) {
        return true;
    }
    struct compiled *old = machine->compiled;
    uint32_t old_room = machine->compiled_room, kept = 0;
    for (uint32_t i = 0; i < old_room; i++) {
        kept += old[i].script != NULL &&
                !atomic_load_explicit(&old[i].script->gone, memory_order_acquire);
    }
    uint32_t room = FIRST_ROOM;
    while (room / 4 < kept) {
        room *= 2;
    }
    struct compiled *slots = mem_try_alloc(room * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0, room * sizeof *slots);
    machine->compiled = slots;
    machine->compiled_room = room;
    machine->compiled_count = 0;
    for (uint32_t i = 0; i < old_room; i++) {
        if (old[i].script == NULL) {
            continue;
        }
        if (atomic_load_explicit(&old[i].script->gone, memory_order_acquire)) {
            luaL_unref(machine->lua, LUA_REGISTRYINDEX, old[i].place);
            script_unref(old[i].script);
        } else {
            *find_slot(machine, old[i].script->digest) = old[i];
            machine->compiled_count++;
        }
    }
    mem_free(old);
    return true;
}

const struct compiled *machine_find(struct machine *machine, const char *digest)
{
    if (machine->compiled_count == 0) {
        return NULL;
    }
    const struct compiled *found = find_slot(machine, digest);
    if (found->script == NULL || atomic_load_explicit(&found->script->gone, memory_order_acquire)) {
        return NULL;
    }
    return found;
}

/* Given the script as a pointer: leaves the place of its function, or the message. */
static int compile(lua_State *lua)
{
    const struct script *script = lua_touserdata(lua, 1);
    if (load_rewritten(lua, script->text, "@user_script")) {
        lua_pushinteger(lua, luaL_ref(lua, LUA_REGISTRYINDEX));
    }
    return 1;
}

const struct compiled *machine_compile(struct machine *machine, struct script *script,
                                       struct buf *error)
{
    lua_State *lua = machine->lua;
    struct compiled *slot = NULL;
    if (!make_room(machine)) {
        buf_append(error, LIT("out of memory"));
        return NULL;
    }
    lua_pushcfunction(lua, compile);
    lua_pushlightuserdata(lua, script);
    bool fine = lua_pcall(lua, 1, 1, 0) == LUA_OK && lua_type(lua, -1) == LUA_TNUMBER;
    if (fine) {
        slot = find_slot(machine, script->digest);
        if (slot->script != NULL) { /* One that is gone, and has come again. */
            luaL_unref(lua, LUA_REGISTRYINDEX, slot->place);
            script_unref(slot->script);
        } else {
            machine->compiled_count++;
        }
        *slot = (struct compiled){
            .script = script_ref(script),
            .place = (int)lua_tointeger(lua, -1),
            .needs = declared_needs(machine->executor->engine->registry, script->text),
        };
    } else {
        buf_append(error, LIT("Error compiling script (new function): "));
        buf_append(error, lua_isstring(lua, -1) ? vm_bytes(lua, -1) : LIT("?"));
    }
    lua_pop(lua, 1);
    machine_publish_memory(machine);
    return slot;
}

void machine_seed_dice(struct machine *machine, uint32_t seed)
{
    machine->dice = (uint64_t)seed << 16 | 0x330e;
}
