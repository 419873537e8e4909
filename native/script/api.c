/* The table "redis" of scripts but for its calls; see api.h. */
#include "script/api.h"

#include <stdio.h>

#include "base/log.h"
#include "base/sha1.h"
#include "exec/engine.h"
#include "script/fault.h"
#include "script/lib_arg.h"
#include "script/machine.h"

/* What set_repl() takes: effects go to the append-only file, to replicas, or both. */
enum { TO_NOBODY = 0, TO_FILE = 1, TO_REPLICAS = 2, TO_ALL = 3 };

static int sha1_of(lua_State *lua)
{
    char digest[SHA1_HEX_LEN];
    if (lua_gettop(lua) != 1) {
        return fault_raise(lua, "wrong number of arguments");
    }
    struct bytes text = lua_isstring(lua, 1) ? vm_bytes(lua, 1) : LIT("");
    sha1_hex(text, digest);
    lua_pushlstring(lua, digest, sizeof digest);
    return 1;
}

static bool is_one_string(lua_State *lua)
{
    if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) {
        return true;
    }
    fault_push(lua, LIT("wrong number or type of arguments"));
    return false;
}

static int error_reply(lua_State *lua)
{
    if (is_one_string(lua)) {
        if (*lua_tostring(lua, 1) != '-') {
            lua_pushliteral(lua, "-");
            lua_insert(lua, 1);
            lua_concat(lua, 2);
        }
        fault_push(lua, bytes_of(lua_tostring(lua, 1)));
    }
    return 1;
}

static int status_reply(lua_State *lua)
{
    if (is_one_string(lua)) {
        lua_createtable(lua, 0, 1);
        lua_pushvalue(lua, 1);
        lua_setfield(lua, -2, "ok");
    }
    return 1;
}

static int write_log(lua_State *lua)
{
    int count = lua_gettop(lua);
    if (count < 2) {
        return fault_raise(lua, "redis.log() requires two arguments or more.");
    }
    if (!lua_isnumber(lua, 1)) {
        return fault_raise(lua, "First argument must be a number (log level).");
    }
    int64_t level = lib_integer_of(lua_tonumber(lua, 1));
    if (level < LOG_DEBUG || level > LOG_WARNING) {
        return fault_raise(lua, "Invalid debug level.");
    }
    luaL_Buffer line;
    luaL_buffinit(lua, &line);
    for (int i = 2; i <= count; i++) {
        if (lua_isstring(lua, i)) {
            if (i > 2) {
                luaL_addchar(&line, ' ');
            }
            lua_pushvalue(lua, i);
            luaL_addvalue(&line);
        }
    }
    luaL_pushresult(&line);
    struct bytes text = vm_bytes(lua, -1);
    enum { TOLD = 1024 };
    log_line(machine_of(lua)->executor->engine->log, (enum log_level)level, "%.*s",
             (int)(text.len < TOLD ? text.len : TOLD), text.at);
    return 0;
}

static int set_protocol(lua_State *lua)
{
    if (lua_gettop(lua) != 1) {
        return fault_raise(lua, "redis.setresp() requires one argument.");
    }
    int64_t protocol = lib_integer_of(lua_tonumber(lua, 1));
    if (protocol != 2 && protocol != 3) {
        return fault_raise(lua, "RESP version must be 2 or 3.");
    }
    machine_of(lua)->inner.client.protocol = (uint8_t)protocol;
    return 0;
}

/* Effects always go everywhere: one dataset that differs from another is no service. */
static int set_repl(lua_State *lua)
{
    if (lua_gettop(lua) != 1) {
        return fault_raise(lua, "redis.set_repl() requires two arguments.");
    }
    int64_t where = lib_integer_of(lua_tonumber(lua, 1));
    if ((where & ~(int64_t)TO_ALL) != 0) {
        return fault_raise(lua, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL "
                                "or REPL_NONE.");
    }
    return 0;
}

static int replicate_commands(lua_State *lua)
{
    lua_pushboolean(lua, 1); /* There is no other way. */
    return 1;
}

static int may_run(lua_State *lua)
{
    struct machine *machine = machine_of(lua);
    uint32_t count = (uint32_t)lua_gettop(lua);
    if (machine->run == NULL) {
        return fault_raise(lua, "redis.acl_check_cmd can only be called inside a script "
                                "invocation");
    }
    luaL_checkstack(lua, 8, "arguments of a command");
    if (!api_take_arguments(lua, machine, count)) {
        return lua_error(lua);
    }
    const struct command *container;
    const struct command *found =
        registry_find(machine->executor->engine->registry, machine->argv, count, &container);
    if (found == NULL) {
        return fault_raise(lua, "Invalid command passed to redis.acl_check_cmd()");
    }
    const struct session *caller = machine->inner.caller;
    bool may = (session_checks(caller) & SESSION_CHECK_USER) == 0 ||
               acl_check(caller->user, found, machine->argv, count).denial == ACL_ALLOWED;
    lua_pushboolean(lua, may);
    return 1;
}

/* Without a debugger there is nothing to stop for. */
static int breakpoint(lua_State *lua)
{
    lua_pushboolean(lua, 0);
    return 1;
}

static int debug(lua_State *lua)
{
    (void)lua;
    return 0;
}

static void add_version(lua_State *lua)
{
    int major = 0, minor = 0, patch = 0;
    (void)sscanf(REDIS_COMPAT_VERSION, "%d.%d.%d", &major, &minor, &patch);
    lua_pushliteral(lua, REDIS_COMPAT_VERSION);
    lua_setfield(lua, -2, "REDIS_VERSION");
    lua_pushnumber(lua, major << 16 | minor << 8 | patch);
    lua_setfield(lua, -2, "REDIS_VERSION_NUM");
}

void api_open(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "acl_check_cmd", may_run },
        { "breakpoint", breakpoint },
        { "call", api_call },
        { "debug", debug },
        { "error_reply", error_reply },
        { "log", write_log },
        { "pcall", api_pcall },
        { "replicate_commands", replicate_commands },
        { "set_repl", set_repl },
        { "setresp", set_protocol },
        { "sha1hex", sha1_of },
        { "status_reply", status_reply },
        { NULL, NULL },
    };
    static const struct {
        const char *name;
        int value;
    } constants[] = {
        { "LOG_DEBUG", LOG_DEBUG },    { "LOG_VERBOSE", LOG_VERBOSE },
        { "LOG_NOTICE", LOG_NOTICE },  { "LOG_WARNING", LOG_WARNING },
        { "REPL_NONE", TO_NOBODY },    { "REPL_AOF", TO_FILE },
        { "REPL_SLAVE", TO_REPLICAS }, { "REPL_REPLICA", TO_REPLICAS },
        { "REPL_ALL", TO_ALL },
    };
    lua_newtable(lua);
    luaL_setfuncs(lua, functions, 0);
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        lua_pushnumber(lua, constants[i].value);
        lua_setfield(lua, -2, constants[i].name);
    }
    add_version(lua);
}
