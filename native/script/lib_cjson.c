/* The library cjson: its table and the functions that read and change settings.
 * lib_cjson_encode.c writes JSON, lib_cjson_decode.c reads it. */
#include "script/lib_cjson.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "script/lib_arg.h"
#include "script/libraries.h"

static const struct cjson_settings DEFAULTS = {
    .encode_sparse_convert = 0,
    .encode_sparse_ratio = 2,
    .encode_sparse_safe = 10,
    .encode_max_depth = 1000,
    .decode_max_depth = 1000,
    .encode_number_precision = 14,
    .encode_keep_buffer = 1,
    .encode_invalid_numbers = CJSON_INVALID_REFUSED,
    .decode_invalid_numbers = CJSON_INVALID_ALLOWED,
};

/* The settings, with the arguments made up to 'count'; more are refused. */
static struct cjson_settings *settings_for(lua_State *lua, int count)
{
    luaL_argcheck(lua, lua_gettop(lua) <= count, count + 1, "found too many arguments");
    lua_settop(lua, count);
    return cjson_settings(lua);
}

/* Sets '*setting' if the argument is not nil, and pushes it.  Refusals name the first argument,
 * as in Redis. */
static void integer_setting(lua_State *lua, int arg, int *setting, int least, int most)
{
    if (!lua_isnil(lua, arg)) {
        int value = (int)lib_arg_integer(lua, arg);
        if (value < least || value > most) {
            luaL_argerror(lua, 1,
                          lua_pushfstring(lua, "expected integer between %d and %d", least, most));
        }
        *setting = value;
    }
    lua_pushnumber(lua, *setting);
}

/* The same of a setting that is a boolean, or one of 'names', of which the first two are the
 * booleans. */
static void choice_setting(lua_State *lua, int arg, int *setting, const char *const *names)
{
    if (lua_isboolean(lua, arg)) {
        *setting = lua_toboolean(lua, arg);
    } else if (!lua_isnil(lua, arg)) {
        const char *name = lib_arg_string(lua, arg).at;
        int choice = 0;
        while (names[choice] != NULL && strcmp(names[choice], name) != 0) {
            choice++;
        }
        if (names[choice] == NULL) {
            luaL_argerror(lua, arg, lua_pushfstring(lua, "invalid option '%s'", name));
        }
        *setting = choice;
    }
    if (*setting <= 1) {
        lua_pushboolean(lua, *setting);
    } else {
        lua_pushstring(lua, names[*setting]);
    }
}

static const char *const SWITCH[] = { "off", "on", NULL };
static const char *const INVALID[] = { "off", "on", "null", NULL };

/* encode_sparse_array([convert [, ratio [, safe]]]) */
static int encode_sparse_array(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 3);
    choice_setting(lua, 1, &settings->encode_sparse_convert, SWITCH);
    integer_setting(lua, 2, &settings->encode_sparse_ratio, 0, INT_MAX);
    integer_setting(lua, 3, &settings->encode_sparse_safe, 0, INT_MAX);
    return 3;
}

static int encode_max_depth(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 1);
    integer_setting(lua, 1, &settings->encode_max_depth, 1, INT_MAX);
    return 1;
}

static int decode_max_depth(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 1);
    integer_setting(lua, 1, &settings->decode_max_depth, 1, INT_MAX);
    return 1;
}

static int encode_number_precision(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 1);
    integer_setting(lua, 1, &settings->encode_number_precision, 1, 14);
    return 1;
}

static int encode_keep_buffer(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 1);
    choice_setting(lua, 1, &settings->encode_keep_buffer, SWITCH);
    return 1;
}

static int encode_invalid_numbers(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 1);
    choice_setting(lua, 1, &settings->encode_invalid_numbers, INVALID);
    return 1;
}

static int decode_invalid_numbers(lua_State *lua)
{
    struct cjson_settings *settings = settings_for(lua, 1);
    choice_setting(lua, 1, &settings->decode_invalid_numbers, SWITCH);
    return 1;
}

/* new(): the library once more, with the settings of the beginning. */
int script_open_cjson(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "encode", lib_cjson_encode },
        { "decode", lib_cjson_decode },
        { "encode_sparse_array", encode_sparse_array },
        { "encode_max_depth", encode_max_depth },
        { "decode_max_depth", decode_max_depth },
        { "encode_number_precision", encode_number_precision },
        { "encode_keep_buffer", encode_keep_buffer },
        { "encode_invalid_numbers", encode_invalid_numbers },
        { "decode_invalid_numbers", decode_invalid_numbers },
        { "new", script_open_cjson },
        { NULL, NULL },
    };
    luaL_newlibtable(lua, functions);
    struct cjson_settings *settings = lua_newuserdata(lua, sizeof *settings);
    *settings = DEFAULTS;
    luaL_setfuncs(lua, functions, 1);
    lua_pushlightuserdata(lua, NULL);
    lua_setfield(lua, -2, "null");
    lua_pushliteral(lua, "cjson");
    lua_setfield(lua, -2, "_NAME");
    lua_pushliteral(lua, "2.1.0");
    lua_setfield(lua, -2, "_VERSION");
    return 1;
}
