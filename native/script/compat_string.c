/* The string library of Lua 5.1; see compat.h.  compat_format.c has string.format,
 * compat_match.c gsub and gmatch. */
#include "script/compat.h"

#include <limits.h>

#include "script/lib_arg.h"

void compat_cut_argument(lua_State *lua, int index)
{
    if (!lua_isnumber(lua, index)) {
        return;
    }
    lua_pushinteger(lua, lib_integer_of(lua_tonumber(lua, index)));
    lua_replace(lua, index);
}

lua_CFunction compat_original(lua_State *lua, const char *name)
{
    lua_getfield(lua, -1, name);
    lua_CFunction function = lua_tocfunction(lua, -1);
    lua_pop(lua, 1);
    return function;
}

/* rep(text, count): 5.1 has no separator. */
static int repeat(lua_State *lua)
{
    if (lua_gettop(lua) > 2) {
        lua_settop(lua, 2);
    }
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/* find and match: a start behind the text is its end. */
static void clip_start(lua_State *lua)
{
    if (lua_isstring(lua, 1) && lua_isnumber(lua, 3)) {
        lua_Number end = (lua_Number)vm_bytes(lua, 1).len + 1;
        if (lua_tonumber(lua, 3) > end) {
            lua_pushnumber(lua, end);
            lua_replace(lua, 3);
        }
    }
}

static int match(lua_State *lua)
{
    clip_start(lua);
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static bool has_specials(struct bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.at[i] != '\0' && strchr("^$*+?.([%-", pattern.at[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* find: a plain text is looked for in a time that grows with the texts' lengths, not with their
 * product. */
static int find(lua_State *lua)
{
    clip_start(lua);
    if (!lua_isstring(lua, 1) || !lua_isstring(lua, 2) ||
        (!lua_toboolean(lua, 4) && has_specials(vm_bytes(lua, 2)))) {
        return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
    }
    struct bytes text = vm_bytes(lua, 1), wanted = vm_bytes(lua, 2);
    lua_Integer start = luaL_optinteger(lua, 3, 1);
    if (start < 0) {
        start = start < -(lua_Integer)text.len ? 1 : (lua_Integer)text.len + start + 1;
    }
    size_t from = start > 0 ? (size_t)start - 1 : 0;
    const char *found = memmem(text.at + from, text.len - from, wanted.at, wanted.len);
    if (found == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushinteger(lua, found - text.at + 1);
    lua_pushinteger(lua, found - text.at + (lua_Integer)wanted.len);
    return 2;
}

static int from_codes(lua_State *lua)
{
    int count = lua_gettop(lua);
    for (int i = 1; i <= count; i++) {
        int64_t code = lib_arg_integer(lua, i);
        luaL_argcheck(lua, code >= 0 && code <= UCHAR_MAX, i, "invalid value");
    }
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/* Puts functions around those that the table on the top has, which are their upvalues. */
static void put_around(lua_State *lua, const luaL_Reg *functions)
{
    for (; functions->name != NULL; functions++) {
        lua_getfield(lua, -1, functions->name);
        lua_pushcclosure(lua, functions->func, 1);
        lua_setfield(lua, -2, functions->name);
    }
}

void compat_open_string(lua_State *lua)
{
    static const luaL_Reg around[] = {
        { "char", from_codes }, { "find", find }, { "match", match },
        { "rep", repeat },      { NULL, NULL },
    };
    static const char *const unknown[] = { "pack", "packsize", "unpack" };
    lua_pushcfunction(lua, luaopen_string);
    lua_call(lua, 0, 1);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, unknown[i]);
    }
    /* gsub and gmatch use these two as they are. */
    lua_getfield(lua, -1, "find");
    lua_getfield(lua, -2, "gsub");
    lua_pushcclosure(lua, compat_gsub, 2);
    lua_getfield(lua, -2, "find");
    lua_getfield(lua, -3, "gmatch");
    lua_pushcclosure(lua, compat_gmatch, 2);
    lua_setfield(lua, -3, "gmatch");
    lua_setfield(lua, -2, "gsub");
    put_around(lua, around);
    lua_pushcfunction(lua, compat_format);
    lua_setfield(lua, -2, "format");
    lua_getfield(lua, -1, "gmatch");
    lua_setfield(lua, -2, "gfind");
}
