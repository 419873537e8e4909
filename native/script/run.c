/* Runs what a machine has compiled; see machine.h.
 *
 * Whatever may raise an error stands within one protected call: making the tables of keys and
 * arguments, the script itself, and its value's conversion. */
#include "script/run.h"

#include "base/log.h"
#include "lua/stack.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/functions.h"
#include "script/slow.h"

static void push_array(lua_State *lua, const struct bytes *elements, uint32_t count)
{
    lua_createtable(lua, count < INT32_MAX ? (int)count : 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        vm_push_bytes(lua, elements[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
}

/* Pushes the keys of a script.  It is mostly called with those of the last time: that one's texts
 * are in the registry at the place's negative (another script that gets the place may have them). */
static void push_keys(lua_State *lua, lua_Integer place, const struct run *run)
{
    if (lua_rawgeti(lua, LUA_REGISTRYINDEX, -place) != LUA_TTABLE) {
        lua_pop(lua, 1);
        lua_createtable(lua, (int)run->key_count, 0);
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, LUA_REGISTRYINDEX, -place);
    }
    lua_push_strings(lua, lua_gettop(lua), run->keys, run->key_count);
    lua_remove(lua, -2);
}

/* Given the globals and the place of a function. */
static int run_protected(lua_State *lua)
{
    struct machine *machine = machine_of(lua);
    struct run *run = machine->run;
    if (run->is_function) {
        functions_push(lua, run->name);
        push_array(lua, run->keys, run->key_count);
        push_array(lua, run->args, run->arg_count);
        lua_call(lua, 2, 1);
    } else {
        lua_Integer place = lua_tointeger(lua, 2);
        lua_rawgeti(lua, LUA_REGISTRYINDEX, place);
        push_keys(lua, place, run);
        lua_setfield(lua, 1, "KEYS");
        push_array(lua, run->args, run->arg_count);
        lua_setfield(lua, 1, "ARGV");
        lua_call(lua, 0, 1);
    }
    run->err = convert_to_reply(machine, machine->inner.client.protocol, run->reply);
    return 0;
}

/* A field of the error table as text; NULL when there is none. */
static const char *text_of(lua_State *lua, const char *name)
{
    lua_pushstring(lua, name);
    lua_rawget(lua, 1);
    return lua_isstring(lua, -1) ? lua_tostring(lua, -1) : NULL;
}

/* Given the error; writes it as the reply. */
static int tell_fault(lua_State *lua)
{
    struct machine *machine = machine_of(lua);
    const struct run *run = machine->run;
    if (!lua_istable(lua, 1)) {
        reply_errorf(run->reply, "ERR Error running script %s, %.100s", run->name,
                     lua_isstring(lua, 1) ? lua_tostring(lua, 1) : "execution failure");
        return 0;
    }
    const char *message = text_of(lua, "err");
    const char *source = text_of(lua, "source");
    const char *line = text_of(lua, "line");
    if (message == NULL) {
        message = "ERR execution failure";
    }
    if (source != NULL && line != NULL) {
        reply_errorf(run->reply, "%s script: %s, on %s:%s.", message, run->name, source, line);
    } else {
        reply_errorf(run->reply, "%s", message);
    }
    lua_pushliteral(lua, "ignore_error_stats_update");
    if (lua_rawget(lua, 1) == LUA_TBOOLEAN && lua_toboolean(lua, -1)) {
        struct executor *executor = machine->executor;
        executor->noted_errors = run->reply->errors;
        stat_add(&executor->commands[run->call->command->derived.index].failed, 1);
    }
    return 0;
}

/* ---- The watch ------------------------------------------------------------------------------ */

enum {
    WATCH_EVERY = 2000,   /* jumps and calls of Lua, or steps of its pattern matcher */
    LOAD_MS = 500,        /* for the text of a library */
    LOAD_AGAIN_MS = 5000, /* for the same in other threads: it has shown that it ends */
};

static void look(lua_State *lua, lua_Debug *place);

/* From now on every instruction ends what runs, whatever the script catches. */
static void end_by_force(lua_State *lua, const char *why)
{
    struct machine *machine = machine_of(lua);
    machine->killed = true;
    machine->end = why;
    lua_sethook(lua, look, LUA_MASKCOUNT, 1);
    (void)fault_raise(lua, why);
}

static void end_if_asked(lua_State *lua)
{
    struct machine *machine = machine_of(lua);
    if (machine->killed) {
        end_by_force(lua, machine->end);
    }
    if (atomic_load_explicit(&machine->executor->engine->stopping, memory_order_relaxed)) {
        end_by_force(lua, "The server is stopping.");
    }
    if (machine->run != NULL && inner_is_doomed(&machine->inner)) {
        log_notice(machine->executor->engine->log, "The script %s was killed.", machine->run->name);
        end_by_force(lua, err_text(ERR_SCRIPT_KILLED) + strlen("ERR "));
    }
}

void run_look_again(lua_State *lua)
{
    struct machine *machine = machine_of(lua);
    const struct engine *engine = machine->executor->engine;
    uint64_t now = ticks_now();
    int64_t passed_ms = ticks_to_us(&engine->ticks, now - machine->began) / 1000;
    machine->look_at = now + machine->look_ticks;
    end_if_asked(lua);
    if (machine->run == NULL && passed_ms >= (machine->loading != NULL ? LOAD_MS : LOAD_AGAIN_MS)) {
        end_by_force(lua, "FUNCTION LOAD timeout");
    }
    if (machine->run != NULL && slow_serve_others(machine, passed_ms)) {
        end_if_asked(lua);
    }
}

/* A script that holds its keys alone can take that long in the matcher only, where turns of
 * Lua are not counted: then nobody else could end it. */
static void end_long_match(lua_State *lua, lua_Debug *place)
{
    const struct machine *machine = machine_of(lua);
    const struct engine *engine = machine->executor->engine;
    int64_t passed_ms = ticks_to_us(&engine->ticks, ticks_now() - machine->began) / 1000;
    if (machine->run == NULL || machine->executor->lock.exclusive ||
        passed_ms <
            atomic_load_explicit(&engine->settings.busy_reply_threshold, memory_order_relaxed)) {
        return;
    }
    (void)lua_getinfo(lua, "S", place);
    if (strcmp(place->what, "C") == 0) {
        end_by_force(lua, "Matching a pattern has taken too long.");
    }
}

/* The hook. */
static void look(lua_State *lua, lua_Debug *place)
{
    end_if_asked(lua);
    if (ticks_now() >= machine_of(lua)->look_at) {
        run_look_again(lua);
        end_long_match(lua, place);
    }
}

void run_begin_watch(struct machine *machine, uint64_t began)
{
    machine->killed = false;
    machine->began = began;
    machine->look_at = began + machine->look_ticks;
    lua_sethook(machine->lua, look, LUA_MASKCOUNT, WATCH_EVERY);
}

void run_end_watch(struct machine *machine)
{
    lua_sethook(machine->lua, NULL, 0, 0);
    if (machine->slow) {
        slow_end(machine);
    }
}

/* ---- Running -------------------------------------------------------------------------------- */

void machine_run(struct machine *machine, int place, struct run *run)
{
    lua_State *lua = machine->lua;
    struct reply_mark mark = reply_mark(run->reply);
    machine->run = run;
    run->err = OK;
    lua_pushcfunction(lua, run_protected);
    lua_pushvalue(lua, MACHINE_GLOBALS);
    lua_pushinteger(lua, place);
    run_begin_watch(machine, machine->executor->tick);
    int status = lua_pcall(lua, 2, 0, MACHINE_HANDLER);
    run_end_watch(machine);
    if (status != LUA_OK) {
        reply_rewind(run->reply, mark);
        lua_pushcfunction(lua, tell_fault);
        lua_insert(lua, -2);
        if (lua_pcall(lua, 1, 0, 0) != LUA_OK) {
            reply_rewind(run->reply, mark);
            reply_errorf(run->reply, "ERR Error running script %s, not enough memory", run->name);
        }
    }
    lua_settop(lua, MACHINE_AT_REST);
    machine->run = NULL;
    machine_publish_memory(machine);
}
