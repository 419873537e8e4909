/* The base library of Lua 5.1, as far as Redis lets scripts have it, and coroutines; see
 * compat.h. */
#include <stdlib.h>

#include "script/compat.h"
#include "script/fault.h"
#include "script/lib_arg.h"
#include "script/load.h"
#include "script/machine.h"
#include "script/sandbox.h"

/* ---- Numbers -------------------------------------------------------------------------------- */

static const char *skip_spaces(const char *at)
{
    while (*at == ' ' || (*at >= '\t' && *at <= '\r')) {
        at++;
    }
    return at;
}

static int number_from_digits(lua_State *lua, int64_t base)
{
    const char *text = luaL_checkstring(lua, 1);
    char *end;
    luaL_argcheck(lua, base >= 2 && base <= 36, 2, "base out of range");
    unsigned long number = strtoul(text, &end, (int)base);
    if (end != text && *skip_spaces(end) == '\0') {
        lua_pushnumber(lua, (lua_Number)number);
    } else {
        lua_pushnil(lua);
    }
    return 1;
}

static int to_number(lua_State *lua)
{
    int64_t base = lib_arg_optional_integer(lua, 2, 10);
    if (base != 10) {
        return number_from_digits(lua, base);
    }
    luaL_checkany(lua, 1);
    if (lua_type(lua, 1) == LUA_TNUMBER) {
        lua_pushnumber(lua, lua_tonumber(lua, 1));
        return 1;
    }
    if (lua_type(lua, 1) == LUA_TSTRING) {
        const char *text = lua_tostring(lua, 1);
        char *end;
        lua_Number number = strtod(text, &end);
        if (end != text && *skip_spaces(end) == '\0') {
            lua_pushnumber(lua, number);
            return 1;
        }
    }
    lua_pushnil(lua);
    return 1;
}

/* ---- Tables --------------------------------------------------------------------------------- */

static int next(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    (void)sandbox_reveal(lua, 1);
    if (lua_next(lua, 1) == 0) {
        lua_pushnil(lua);
        return 1;
    }
    return 2;
}

static int pairs(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

static int next_index(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_Integer i = (lua_Integer)luaL_checknumber(lua, 2) + 1;
    lua_pushnumber(lua, (lua_Number)i);
    return lua_rawgeti(lua, 1, i) == LUA_TNIL ? 0 : 2;
}

static int ipairs(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_pushcfunction(lua, next_index);
    lua_pushvalue(lua, 1);
    lua_pushnumber(lua, 0);
    return 3;
}

static int unpack(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    int64_t first = lib_arg_optional_integer(lua, 2, 1);
    int64_t last = lua_isnoneornil(lua, 3) ? (int64_t)lua_rawlen(lua, 1) : lib_arg_integer(lua, 3);
    if (first > last) {
        return 0;
    }
    uint64_t count = (uint64_t)last - (uint64_t)first + 1;
    if (count == 0 || count > (uint64_t)(LIB_STACK_MAX - lua_gettop(lua)) ||
        !lua_checkstack(lua, (int)count)) {
        return luaL_error(lua, "too many results to unpack");
    }
    for (uint64_t i = 0; i < count; i++) {
        lua_rawgeti(lua, 1, first + (int64_t)i);
    }
    return (int)count;
}

static int raw_get(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checkany(lua, 2);
    lua_settop(lua, 2);
    (void)sandbox_reveal(lua, 1);
    lua_rawget(lua, 1);
    return 1;
}

static int raw_set(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checkany(lua, 2);
    luaL_checkany(lua, 3);
    lua_settop(lua, 3);
    if (sandbox_reveal(lua, 1)) {
        return sandbox_refuse(lua);
    }
    lua_rawset(lua, 1);
    return 1;
}

/* What stands in the place of a read-only table has the metatable of that. */
static int get_metatable(lua_State *lua)
{
    luaL_checkany(lua, 1);
    bool revealed = sandbox_reveal(lua, 1);
    if (lua_getmetatable(lua, 1) == 0) {
        lua_pushnil(lua);
    } else if (luaL_getmetafield(lua, 1, "__metatable") == LUA_TNIL &&
               (revealed || lua_type(lua, 1) != LUA_TTABLE)) {
        sandbox_protect(lua); /* It is everybody's. */
    }
    return 1;
}

/* A finalizer would run at any time, in any script: 5.1 has none for tables, and 5.3 does not see
 * the field while it is away. */
static int set_metatable(lua_State *lua)
{
    int kind = lua_type(lua, 2);
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_argcheck(lua, kind == LUA_TNIL || kind == LUA_TTABLE, 2, "nil or table expected");
    lua_settop(lua, 2);
    if (sandbox_reveal(lua, 1)) {
        return sandbox_refuse(lua);
    }
    if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL) {
        return luaL_error(lua, "cannot change a protected metatable");
    }
    (void)sandbox_reveal(lua, 2);
    if (kind == LUA_TTABLE) {
        lua_pushliteral(lua, "__gc");
        if (lua_rawget(lua, 2) != LUA_TNIL) {
            lua_pushliteral(lua, "__gc");
            lua_pushnil(lua);
            lua_rawset(lua, 2);
            lua_pushvalue(lua, 2);
            lua_setmetatable(lua, 1);
            lua_pushliteral(lua, "__gc");
            lua_insert(lua, 3);
            lua_rawset(lua, 2);
            lua_settop(lua, 1);
            return 1;
        }
        lua_settop(lua, 2);
    }
    lua_setmetatable(lua, 1);
    return 1;
}

/* ---- Errors --------------------------------------------------------------------------------- */

static int assert_true(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (!lua_toboolean(lua, 1)) {
        return luaL_error(lua, "%s", luaL_optstring(lua, 2, "assertion failed!"));
    }
    return lua_gettop(lua);
}

/* After a call that failed, with the error on the top: nobody may stop the end of a script that
 * is being killed. */
static void pass_on_killing(lua_State *lua)
{
    if (machine_of(lua)->killed) {
        lua_error(lua);
    }
}

/* error(message [, level]): numbers have a position put before them, too. */
static int raise(lua_State *lua)
{
    int level = (int)lib_arg_optional_integer(lua, 2, 1);
    lua_settop(lua, 1);
    if (level > 0 && lua_isstring(lua, 1)) {
        luaL_where(lua, level);
        lua_pushvalue(lua, 1);
        lua_concat(lua, 2);
    }
    return lua_error(lua);
}

/* The error becomes text: that of an error table, or 5.1's words.  As in Redis, a table without
 * text is followed by what its field has. */
static int protected_call(lua_State *lua)
{
    lua_pushboolean(lua, 1);
    lua_insert(lua, 1);
    if (lua_gettop(lua) == 1) {
        lua_pushboolean(lua, 0);
        lua_pushliteral(lua, "attempt to call a boolean value"); /* As Redis's own pcall says. */
        return 2;
    }
    if (lua_pcall(lua, lua_gettop(lua) - 2, LUA_MULTRET, 0) == LUA_OK) {
        return lua_gettop(lua);
    }
    pass_on_killing(lua);
    if (lua_istable(lua, -1)) {
        lua_pushliteral(lua, "err");
        lua_rawget(lua, -2);
        if (lua_isstring(lua, -1)) {
            lua_replace(lua, -2);
        }
    } else {
        fault_reword(lua);
    }
    lua_pushboolean(lua, 0);
    lua_replace(lua, 1);
    return lua_gettop(lua);
}

/* The message handler of xpcall: the script's own is the upvalue. */
static int handle_reworded(lua_State *lua)
{
    lua_settop(lua, 1);
    if (machine_of(lua)->killed) {
        return 1;
    }
    fault_reword(lua);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, 1, 1);
    return 1;
}

static int call_with_handler(lua_State *lua)
{
    luaL_checkany(lua, 2);
    lua_settop(lua, 2);
    lua_pushcclosure(lua, handle_reworded, 1);
    lua_insert(lua, 1);
    int status = lua_pcall(lua, 0, LUA_MULTRET, 1);
    if (status != LUA_OK) {
        pass_on_killing(lua);
    }
    lua_pushboolean(lua, status == LUA_OK);
    lua_replace(lua, 1);
    return lua_gettop(lua);
}

/* ---- Loading -------------------------------------------------------------------------------- */

static int results_of_load(lua_State *lua, bool loaded)
{
    if (loaded) {
        return 1;
    }
    lua_pushnil(lua);
    lua_insert(lua, -2);
    return 2;
}

static int load_string(lua_State *lua)
{
    struct bytes text;
    text.at = luaL_checklstring(lua, 1, &text.len);
    return results_of_load(lua, load_source(lua, text, luaL_optstring(lua, 2, text.at)));
}

/* Joins the pieces that a function gives until one is empty. */
static int load_pieces(lua_State *lua)
{
    const char *name = luaL_optstring(lua, 2, "=(load)");
    luaL_Buffer buffer;
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    lua_settop(lua, 3);
    luaL_buffinit(lua, &buffer);
    for (;;) {
        lua_pushvalue(lua, 1);
        if (lua_pcall(lua, 0, 1, 0) != LUA_OK) {
            pass_on_killing(lua);
            fault_reword(lua);
            return results_of_load(lua, false);
        }
        if (lua_isnil(lua, -1) || (lua_isstring(lua, -1) && vm_bytes(lua, -1).len == 0)) {
            lua_pop(lua, 1);
            break;
        }
        if (!lua_isstring(lua, -1)) {
            lua_pushnil(lua);
            lua_pushliteral(lua, "reader function must return a string");
            return 2;
        }
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    return results_of_load(lua, load_source(lua, vm_bytes(lua, -1), name));
}

/* ---- Memory --------------------------------------------------------------------------------- */

/* Collects as asked; how it is done otherwise, and whether, is not for one script to say. */
static int collect_garbage(lua_State *lua)
{
    static const char *const options[] = { "stop", "restart",  "collect",    "count",
                                           "step", "setpause", "setstepmul", NULL };
    enum { COLLECT = 2, COUNT, STEP, PAUSE, STEP_MULTIPLIER, USUAL = 200 };
    int option = luaL_checkoption(lua, 1, "collect", options);
    int64_t step = lib_arg_optional_integer(lua, 2, 0);
    switch (option) {
    case COUNT:
        lua_pushnumber(lua, lua_gc(lua, LUA_GCCOUNT, 0) + lua_gc(lua, LUA_GCCOUNTB, 0) / 1024.0);
        return 1;
    case STEP:
        lua_pushboolean(lua, lua_gc(lua, LUA_GCSTEP, step > 0 && step < INT16_MAX ? (int)step : 0));
        return 1;
    case COLLECT:
        lua_gc(lua, LUA_GCCOLLECT, 0);
        break;
    default:
        break;
    }
    lua_pushnumber(lua, option == PAUSE || option == STEP_MULTIPLIER ? USUAL : 0);
    return 1;
}

static int memory_in_use(lua_State *lua)
{
    lua_pushnumber(lua, lua_gc(lua, LUA_GCCOUNT, 0));
    return 1;
}

/* ---- Opening -------------------------------------------------------------------------------- */

void compat_open_base(lua_State *lua)
{
    static const char *const kept[] = { "rawequal", "select", "tostring", "type" };
    static const luaL_Reg functions[] = {
        { "assert", assert_true },
        { "error", raise },
        { "collectgarbage", collect_garbage },
        { "gcinfo", memory_in_use },
        { "getmetatable", get_metatable },
        { "ipairs", ipairs },
        { "load", load_pieces },
        { "loadstring", load_string },
        { "next", next },
        { "pcall", protected_call },
        { "rawget", raw_get },
        { "rawset", raw_set },
        { "setmetatable", set_metatable },
        { "tonumber", to_number },
        { "unpack", unpack },
        { "xpcall", call_with_handler },
        { NULL, NULL },
    };
    lua_pushcfunction(lua, luaopen_base);
    lua_call(lua, 0, 1);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        lua_getfield(lua, -1, kept[i]);
        lua_setfield(lua, -3, kept[i]);
    }
    lua_pop(lua, 1);
    luaL_setfuncs(lua, functions, 0);
    lua_getfield(lua, -1, "next");
    lua_pushcclosure(lua, pairs, 1);
    lua_setfield(lua, -2, "pairs");
    lua_pushliteral(lua, "Lua 5.1");
    lua_setfield(lua, -2, "_VERSION");
}

/* ---- Coroutines ----------------------------------------------------------------------------- */

/* Calls the function of the first upvalue, 5.3's own, with a function that is not C's. */
static int make_coroutine(lua_State *lua)
{
    luaL_argcheck(lua, lua_isfunction(lua, 1) && !lua_iscfunction(lua, 1), 1,
                  "Lua function expected");
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static int status_of_coroutine(lua_State *lua)
{
    luaL_argcheck(lua, lua_isthread(lua, 1), 1, "coroutine expected");
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/* The same; a message that it gives is reworded. */
static int resume(lua_State *lua)
{
    luaL_argcheck(lua, lua_isthread(lua, 1), 1, "coroutine expected");
    if (lua_tothread(lua, 1) == lua) {
        lua_pushboolean(lua, 0);
        lua_pushliteral(lua, "cannot resume running coroutine");
        return 2;
    }
    int count = lua_tocfunction(lua, lua_upvalueindex(1))(lua);
    if (count == 2 && lua_isboolean(lua, -2) && !lua_toboolean(lua, -2)) {
        pass_on_killing(lua);
        fault_reword(lua);
    }
    return count;
}

/* The main one has no name in 5.1. */
static int running(lua_State *lua)
{
    if (lua_pushthread(lua) != 0) {
        lua_pushnil(lua);
    }
    return 1;
}

void compat_open_coroutine(lua_State *lua)
{
    lua_pushcfunction(lua, luaopen_coroutine);
    lua_call(lua, 0, 1);
    static const luaL_Reg around[] = {
        { "create", make_coroutine },
        { "wrap", make_coroutine },
        { "status", status_of_coroutine },
        { "resume", resume },
    };
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        lua_getfield(lua, -1, around[i].name);
        lua_pushcclosure(lua, around[i].func, 1);
        lua_setfield(lua, -2, around[i].name);
    }
    lua_pushcfunction(lua, running);
    lua_setfield(lua, -2, "running");
    lua_pushnil(lua);
    lua_setfield(lua, -2, "isyieldable");
}
