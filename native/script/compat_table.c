/* The table library of Lua 5.1; see compat.h. */
#include "script/compat.h"

/* The least index at which something can be inserted: 5.1 moves everything down to any. */
#define INSERT_LEAST (-1000000)

/* The length of the table at 'index', which must be one. */
static lua_Integer length_of(lua_State *lua, int index)
{
    luaL_checktype(lua, index, LUA_TTABLE);
    return (lua_Integer)lua_rawlen(lua, index);
}

static int getn(lua_State *lua)
{
    lua_pushnumber(lua, (lua_Number)length_of(lua, 1));
    return 1;
}

static int setn(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    return luaL_error(lua, "'setn' is obsolete");
}

static int maxn(lua_State *lua)
{
    lua_Number max = 0;
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) == LUA_TNUMBER && lua_tonumber(lua, -1) > max) {
            max = lua_tonumber(lua, -1);
        }
    }
    lua_pushnumber(lua, max);
    return 1;
}

static int foreach (lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pushvalue(lua, 2);
        lua_pushvalue(lua, -3);
        lua_pushvalue(lua, -3);
        lua_call(lua, 2, 1);
        if (!lua_isnil(lua, -1)) {
            return 1;
        }
        lua_pop(lua, 2);
    }
    return 0;
}

static int foreachi(lua_State *lua)
{
    lua_Integer count = length_of(lua, 1);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_pushvalue(lua, 2);
        lua_pushnumber(lua, (lua_Number)i);
        lua_rawgeti(lua, 1, i);
        lua_call(lua, 2, 1);
        if (!lua_isnil(lua, -1)) {
            return 1;
        }
        lua_pop(lua, 1);
    }
    return 0;
}

/* Beyond the end the table simply grows. */
static int insert(lua_State *lua)
{
    lua_Integer end = length_of(lua, 1) + 1, at = end;
    switch (lua_gettop(lua)) {
    case 2:
        break;
    case 3:
        compat_cut_argument(lua, 2);
        at = luaL_checkinteger(lua, 2);
        luaL_argcheck(lua, at >= INSERT_LEAST, 2, "position out of bounds");
        if (at > end) {
            end = at;
        }
        for (lua_Integer i = end; i > at; i--) {
            lua_rawgeti(lua, 1, i - 1);
            lua_seti(lua, 1, i);
        }
        break;
    default:
        return luaL_error(lua, "wrong number of arguments to 'insert'");
    }
    lua_seti(lua, 1, at);
    return 0;
}

/* Outside of the array there is nothing to remove. */
static int remove_element(lua_State *lua)
{
    lua_Integer end = length_of(lua, 1);
    compat_cut_argument(lua, 2);
    lua_Integer at = luaL_optinteger(lua, 2, end);
    if (at < 1 || at > end) {
        return 0;
    }
    lua_rawgeti(lua, 1, at);
    for (; at < end; at++) {
        lua_rawgeti(lua, 1, at + 1);
        lua_seti(lua, 1, at);
    }
    lua_pushnil(lua);
    lua_seti(lua, 1, end);
    return 1;
}

static void add_field(lua_State *lua, luaL_Buffer *buffer, lua_Integer i)
{
    lua_rawgeti(lua, 1, i);
    if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "invalid value (%s) at index %I in table for 'concat'",
                   luaL_typename(lua, -1), (LUAI_UACINT)i);
    }
    luaL_addvalue(buffer);
}

static int concat(lua_State *lua)
{
    luaL_Buffer buffer;
    size_t separator_len;
    const char *separator = luaL_optlstring(lua, 2, "", &separator_len);
    luaL_checktype(lua, 1, LUA_TTABLE);
    compat_cut_argument(lua, 3);
    compat_cut_argument(lua, 4);
    lua_Integer i = luaL_optinteger(lua, 3, 1);
    lua_Integer last = lua_isnoneornil(lua, 4) ? length_of(lua, 1) : luaL_checkinteger(lua, 4);
    luaL_buffinit(lua, &buffer);
    for (; i < last; i++) {
        add_field(lua, &buffer, i);
        luaL_addlstring(&buffer, separator, separator_len);
    }
    if (i == last) {
        add_field(lua, &buffer, i);
    }
    luaL_pushresult(&buffer);
    return 1;
}

void compat_open_table(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "concat", concat }, { "foreach", foreach },       { "foreachi", foreachi },
        { "getn", getn },     { "insert", insert },         { "maxn", maxn },
        { "setn", setn },     { "remove", remove_element }, { NULL, NULL },
    };
    lua_pushcfunction(lua, luaopen_table);
    lua_call(lua, 0, 1);
    lua_newtable(lua);
    lua_getfield(lua, -2, "sort");
    lua_setfield(lua, -2, "sort");
    luaL_setfuncs(lua, functions, 0);
    lua_remove(lua, -2);
}
