/* See lib_arg.h. */
#include "script/lib_arg.h"

#include <lauxlib.h>

/* Lua 5.3 has a name of its own for light userdata, such as cjson.null. */
static void refuse_light_userdata(lua_State *lua, int arg, const char *wanted)
{
    if (lua_type(lua, arg) == LUA_TLIGHTUSERDATA) {
        luaL_argerror(lua, arg, lua_pushfstring(lua, "%s expected, got userdata", wanted));
    }
}

struct bytes lib_arg_string(lua_State *lua, int arg)
{
    struct bytes text;
    refuse_light_userdata(lua, arg, "string");
    text.at = luaL_checklstring(lua, arg, &text.len);
    return text;
}

double lib_arg_number(lua_State *lua, int arg)
{
    refuse_light_userdata(lua, arg, "number");
    return luaL_checknumber(lua, arg);
}

int64_t lib_integer_of(double number)
{
    return number >= -0x1p63 && number < 0x1p63 ? (int64_t)number : INT64_MIN;
}

int64_t lib_arg_integer(lua_State *lua, int arg)
{
    return lib_integer_of(lib_arg_number(lua, arg));
}

int64_t lib_arg_optional_integer(lua_State *lua, int arg, int64_t otherwise)
{
    return lua_isnoneornil(lua, arg) ? otherwise : lib_arg_integer(lua, arg);
}
