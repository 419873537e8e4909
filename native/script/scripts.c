/* The table of scripts; see scripts.h. */
#include "script/scripts.h"

#include "base/mem.h"
#include "script/functions.h"
#include "script/source.h"

enum {
    FIRST_ROOM = 64,
    EVICTABLE_MAX = 500, /* scripts that came by EVAL */
};

static void destroy(struct attachment *attachment)
{
    struct scripting *scripting = (struct scripting *)attachment;
    scripts_flush(scripting);
    functions_flush(scripting);
    mem_free(scripting->slots);
    mutex_release(&scripting->mutex);
    mem_free(scripting);
}

static void read_usage(struct attachment *attachment, struct script_usage *usage)
{
    struct scripting *scripting = (struct scripting *)attachment;
    mutex_lock(&scripting->mutex);
    *usage = (struct script_usage){
        .machines = atomic_load_explicit(&scripting->lua_memory, memory_order_relaxed),
        .scripts = atomic_load_explicit(&scripting->memory, memory_order_relaxed) +
                   scripting->room * sizeof scripting->slots[0],
        .libraries = functions_memory(scripting),
        .script_count = scripting->count,
        .library_count = scripting->libraries.libraries,
        .function_count = scripting->libraries.functions,
    };
    mutex_unlock(&scripting->mutex);
}

struct scripting *scripting_of(struct engine *engine)
{
    struct attachment *there = atomic_load_explicit(&engine->scripting, memory_order_acquire);
    if (there != NULL) {
        return (struct scripting *)there;
    }
    struct scripting *made = mem_try_alloc(sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    memset(made, 0, sizeof *made);
    made->attachment.destroy = destroy;
    made->attachment.usage = read_usage;
    made->slots = mem_try_alloc(FIRST_ROOM * sizeof made->slots[0]);
    if (made->slots == NULL) {
        mem_free(made);
        return NULL;
    }
    memset(made->slots, 0, FIRST_ROOM * sizeof made->slots[0]);
    made->room = FIRST_ROOM;
    mutex_init(&made->mutex, RANK_SCRIPTS);
    if (!atomic_compare_exchange_strong_explicit(&engine->scripting, &there, &made->attachment,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        destroy(&made->attachment); /* Another thread was first. */
        return (struct scripting *)there;
    }
    return made;
}

/* ---- One script ----------------------------------------------------------------------------- */

void script_unref(struct script *script)
{
    if (script != NULL &&
        atomic_fetch_sub_explicit(&script->references, 1, memory_order_acq_rel) == 1) {
        mem_free(script);
    }
}

void script_fold_digest(const char *given, char digest[SHA1_HEX_LEN])
{
    for (int i = 0; i < SHA1_HEX_LEN; i++) {
        char c = given[i];
        digest[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
}

struct script *scripts_create(struct bytes body, struct buf *error)
{
    struct buf text = { 0 };
    size_t skipped;
    uint32_t flags;
    struct script *script = NULL;
    if (!script_read_header(body, &flags, &skipped, error)) {
        return NULL;
    }
    struct bytes rest = { body.at + skipped, body.len - skipped };
    switch (source_rewrite(rest, LIT("user_script"), &text)) {
    case SOURCE_FINE:
        break;
    case SOURCE_BROKEN:
        buf_append(error, LIT("Error compiling script (new function): "));
        buf_append(error, buf_bytes(&text));
        goto out;
    case SOURCE_NO_MEMORY:
        buf_append(error, LIT("out of memory"));
        goto out;
    }
    size_t size = sizeof *script + body.len + text.len;
    script = mem_try_alloc(size);
    if (script == NULL) {
        buf_append(error, LIT("out of memory"));
        goto out;
    }
    char *at = (char *)(script + 1);
    *script = (struct script){ .flags = flags, .size = size };
    atomic_init(&script->references, 1);
    script->body = (struct bytes){ at, body.len };
    script->text = (struct bytes){ at + body.len, text.len };
    if (body.len > 0) {
        memcpy(at, body.at, body.len);
    }
    if (text.len > 0) {
        memcpy(at + body.len, text.at, text.len);
    }
    sha1_hex(body, script->digest);
    script->digest[SHA1_HEX_LEN] = '\0';

out:
    buf_release(&text);
    return script;
}

/* ---- The table; under its lock --------------------------------------------------------------- */

static uint32_t place_of(const struct scripting *scripting, const char *digest)
{
    uint64_t word;
    memcpy(&word, digest, sizeof word);
    return (uint32_t)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (scripting->room - 1);
}

static struct script **find_slot(const struct scripting *scripting, const char *digest)
{
    uint32_t place = place_of(scripting, digest);
    while (scripting->slots[place] != NULL &&
           memcmp(scripting->slots[place]->digest, digest, SHA1_HEX_LEN) != 0) {
        place = (place + 1) & (scripting->room - 1);
    }
    return &scripting->slots[place];
}

/* Twice as much room; false when memory is short. */
static bool grow(struct scripting *scripting)
{
    uint32_t room = scripting->room * 2;
    struct script **old = scripting->slots;
    struct script **slots = mem_try_alloc(room * sizeof slots[0]);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0, room * sizeof slots[0]);
    scripting->slots = slots;
    scripting->room = room;
    for (uint32_t i = 0; i < room / 2; i++) {
        if (old[i] != NULL) {
            *find_slot(scripting, old[i]->digest) = old[i];
        }
    }
    mem_free(old);
    return true;
}

/* Forgets the script of a slot, and moves up those that it kept from their places. */
static void forget(struct scripting *scripting, struct script **slot)
{
    uint32_t mask = scripting->room - 1, hole = (uint32_t)(slot - scripting->slots);
    struct script *script = *slot;
    atomic_store_explicit(&script->gone, true, memory_order_release);
    atomic_fetch_sub_explicit(&scripting->memory, script->size, memory_order_relaxed);
    scripting->count--;
    scripting->evictable -= !script->loaded;
    *slot = NULL;
    for (uint32_t at = (hole + 1) & mask; scripting->slots[at] != NULL; at = (at + 1) & mask) {
        uint32_t home = place_of(scripting, scripting->slots[at]->digest);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            scripting->slots[hole] = scripting->slots[at];
            scripting->slots[at] = NULL;
            hole = at;
        }
    }
    script_unref(script);
}

static void evict(struct scripting *scripting)
{
    struct script **oldest = NULL;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < scripting->room; i++) {
        struct script *script = scripting->slots[i];
        if (script == NULL || script->loaded) {
            continue;
        }
        uint64_t used = atomic_load_explicit(&script->used, memory_order_relaxed);
        if (used < least) {
            least = used;
            oldest = &scripting->slots[i];
        }
    }
    if (oldest != NULL) {
        forget(scripting, oldest);
        atomic_fetch_add_explicit(&scripting->evicted, 1, memory_order_relaxed);
    }
}

struct script *scripts_find(struct scripting *scripting, const char *digest)
{
    mutex_lock(&scripting->mutex);
    struct script *script = *find_slot(scripting, digest);
    if (script != NULL) {
        script_ref(script);
    }
    mutex_unlock(&scripting->mutex);
    return script;
}

void scripts_add(struct scripting *scripting, struct script *script, bool loaded)
{
    mutex_lock(&scripting->mutex);
    struct script **slot = find_slot(scripting, script->digest);
    if (*slot != NULL) {
        scripting->evictable -= loaded && !(*slot)->loaded;
        (*slot)->loaded = (*slot)->loaded || loaded;
        goto out;
    }
    while (!loaded && scripting->evictable >= EVICTABLE_MAX) {
        evict(scripting);
    }
    if (scripting->count >= scripting->room / 2 && !grow(scripting) &&
        scripting->count + 1 >= scripting->room) {
        goto out; /* It runs, this once. */
    }
    slot = find_slot(scripting, script->digest);
    script->loaded = loaded;
    atomic_store_explicit(&script->used,
                          atomic_fetch_add_explicit(&scripting->clock, 1, memory_order_relaxed),
                          memory_order_relaxed);
    *slot = script_ref(script);
    scripting->count++;
    scripting->evictable += !loaded;
    atomic_fetch_add_explicit(&scripting->memory, script->size, memory_order_relaxed);

out:
    mutex_unlock(&scripting->mutex);
}

void scripts_flush(struct scripting *scripting)
{
    mutex_lock(&scripting->mutex);
    for (uint32_t i = 0; i < scripting->room; i++) {
        struct script *script = scripting->slots[i];
        if (script != NULL) {
            atomic_store_explicit(&script->gone, true, memory_order_release);
            script_unref(script);
            scripting->slots[i] = NULL;
        }
    }
    scripting->count = scripting->evictable = 0;
    atomic_store_explicit(&scripting->memory, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&scripting->era, 1, memory_order_release);
    mutex_unlock(&scripting->mutex);
}
