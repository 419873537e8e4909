/* The string library of Lua 5.1; see compat.h.  compat_format.c has string.format,
 * compat_match.c gsub and gmatch. */
#include "script/compat.h"
#include "script/lib_arg.h"

void compat_cut_argument(lua_State *lua, int index)
{
    if (lua_isinteger(lua, index) || !lua_isnumber(lua, index)) {
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

/* Calls the function of the first upvalue, whose arguments from the second upvalue's place to
 * the third's are integers. */
static int call_with_integers(lua_State *lua)
{
    int first = (int)lua_tointeger(lua, lua_upvalueindex(2));
    int last = (int)lua_tointeger(lua, lua_upvalueindex(3));
    int count = lua_gettop(lua);
    for (int i = first; i <= last && i <= count; i++) {
        if (lua_type(lua, i) == LUA_TNUMBER || lua_type(lua, i) == LUA_TSTRING) {
            compat_cut_argument(lua, i);
        }
    }
    return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

static int gfind(lua_State *lua)
{
    return luaL_error(lua, "'string.gfind' was renamed to 'string.gmatch'");
}

void compat_open_string(lua_State *lua)
{
    static const struct {
        const char *name;
        int first, last; /* the arguments that are integers */
    } cut[] = {
        { "byte", 2, 3 }, { "char", 1, LUAI_MAXSTACK },
        { "find", 3, 3 }, { "match", 3, 3 },
        { "rep", 2, 2 },  { "sub", 2, 3 },
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
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        lua_getfield(lua, -1, cut[i].name);
        lua_pushinteger(lua, cut[i].first);
        lua_pushinteger(lua, cut[i].last);
        lua_pushcclosure(lua, call_with_integers, 3);
        lua_setfield(lua, -2, cut[i].name);
    }
    lua_pushcfunction(lua, compat_format);
    lua_setfield(lua, -2, "format");
    lua_pushcfunction(lua, gfind);
    lua_setfield(lua, -2, "gfind");
}
