/* The library cmsgpack: its table, and packing.  lib_cmsgpack_unpack.c reads. */
#include "script/lib_cmsgpack.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "script/lib_arg.h"
#include "script/lib_buffer.h"
#include "script/libraries.h"

/* Tables deeper than this become nil, so circles end. */
enum { NESTING_MAX = 16 };

/* Writes 'tag' and the low 'size' bytes of 'value', most significant first. */
static void put_tagged(struct lib_buffer *out, enum msgpack tag, uint64_t value, size_t size)
{
    char *at = lib_buffer_reserve(out, size + 1);
    at[0] = (char)tag;
    for (size_t i = size; i > 0; i--) {
        at[i] = (char)(value & 0xff);
        value >>= 8;
    }
    out->len += size + 1;
}

static void put_integer(struct lib_buffer *out, int64_t value)
{
    if (value >= -32 && value <= 127) {
        lib_buffer_append_char(out, (char)value);
    } else if (value >= 0) {
        value <= UINT8_MAX    ? put_tagged(out, MSGPACK_UINT8, (uint64_t)value, 1)
        : value <= UINT16_MAX ? put_tagged(out, MSGPACK_UINT16, (uint64_t)value, 2)
        : value <= UINT32_MAX ? put_tagged(out, MSGPACK_UINT32, (uint64_t)value, 4)
                              : put_tagged(out, MSGPACK_UINT64, (uint64_t)value, 8);
    } else {
        value >= INT8_MIN    ? put_tagged(out, MSGPACK_INT8, (uint64_t)value, 1)
        : value >= INT16_MIN ? put_tagged(out, MSGPACK_INT16, (uint64_t)value, 2)
        : value >= INT32_MIN ? put_tagged(out, MSGPACK_INT32, (uint64_t)value, 4)
                             : put_tagged(out, MSGPACK_INT64, (uint64_t)value, 8);
    }
}

/* An integer when its value is one, else a float when it says the same, else a double. */
static void put_number(struct lib_buffer *out, double number)
{
    float single = (float)number;
    if (number >= -0x1p63 && number < 0x1p63 && (double)(int64_t)number == number) {
        put_integer(out, (int64_t)number);
    } else if ((double)single == number) {
        uint32_t bits;
        memcpy(&bits, &single, sizeof bits);
        put_tagged(out, MSGPACK_FLOAT, bits, sizeof bits);
    } else {
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        put_tagged(out, MSGPACK_DOUBLE, bits, sizeof bits);
    }
}

static void put_string(struct lib_buffer *out, struct bytes text)
{
    if (text.len < 32) {
        lib_buffer_append_char(out, (char)(MSGPACK_FIXSTR | text.len));
    } else if (text.len <= UINT8_MAX) {
        put_tagged(out, MSGPACK_STR8, text.len, 1);
    } else if (text.len <= UINT16_MAX) {
        put_tagged(out, MSGPACK_STR16, text.len, 2);
    } else {
        put_tagged(out, MSGPACK_STR32, text.len, 4);
    }
    lib_buffer_append(out, text);
}

/* The head of an array or map of 'count'. */
static void put_count(struct lib_buffer *out, size_t count, enum msgpack fix, enum msgpack tag16,
                      enum msgpack tag32)
{
    if (count < 16) {
        lib_buffer_append_char(out, (char)((size_t)fix | count));
    } else if (count <= UINT16_MAX) {
        put_tagged(out, tag16, count, 2);
    } else {
        put_tagged(out, tag32, count, 4);
    }
}

/* Counts the pairs of the table on top.  True when their keys are just 1 to '*count'. */
static bool is_array(lua_State *lua, size_t *count)
{
    bool positive = true;
    size_t pairs = 0;
    double largest = 0;
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        lua_pop(lua, 1);
        pairs++;
        double key = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : 0;
        positive = positive && key > 0 && key <= INT_MAX && key == (double)(int)key;
        largest = key > largest ? key : largest;
    }
    *count = pairs;
    return positive && largest == (double)pairs;
}

static void put_value(lua_State *lua, struct lib_buffer *out, int level);

static void put_table(lua_State *lua, struct lib_buffer *out, int level)
{
    size_t count;
    luaL_checkstack(lua, 5, "in function put_table"); /* two are the buffer's */
    if (is_array(lua, &count)) {
        put_count(out, count, MSGPACK_FIXARRAY, MSGPACK_ARRAY16, MSGPACK_ARRAY32);
        for (size_t i = 1; i <= count; i++) {
            lua_rawgeti(lua, -1, (lua_Integer)i);
            put_value(lua, out, level + 1);
        }
    } else {
        put_count(out, count, MSGPACK_FIXMAP, MSGPACK_MAP16, MSGPACK_MAP32);
        lua_pushnil(lua);
        while (lua_next(lua, -2) != 0) {
            lua_pushvalue(lua, -2);
            put_value(lua, out, level + 1);
            put_value(lua, out, level + 1);
        }
    }
}

/* Packs the value on top and pops it. */
static void put_value(lua_State *lua, struct lib_buffer *out, int level)
{
    switch (lua_type(lua, -1)) {
    case LUA_TSTRING: {
        struct bytes text;
        text.at = lua_tolstring(lua, -1, &text.len);
        put_string(out, text);
        break;
    }
    case LUA_TBOOLEAN:
        lib_buffer_append_char(out, (char)(lua_toboolean(lua, -1) ? MSGPACK_TRUE : MSGPACK_FALSE));
        break;
    case LUA_TNUMBER:
        put_number(out, lua_tonumber(lua, -1));
        break;
    case LUA_TTABLE:
        if (level < NESTING_MAX) {
            put_table(lua, out, level);
            break;
        }
        /* fall through */
    default:
        lib_buffer_append_char(out, (char)MSGPACK_NIL);
        break;
    }
    lua_pop(lua, 1);
}

int lib_cmsgpack_pack(lua_State *lua)
{
    int count = lua_gettop(lua);
    struct lib_buffer out;
    if (count == 0) {
        return luaL_argerror(lua, 0, "MessagePack pack needs input.");
    }
    if (2 * count > LIB_STACK_MAX) {
        return luaL_argerror(lua, 0, "Too many arguments for MessagePack pack.");
    }
    luaL_checkstack(lua, 4, "in function pack");
    lua_pushnil(lua);
    lib_buffer_init(&out, lua, count + 1);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(lua, i);
        put_value(lua, &out, 0);
    }
    lib_buffer_push(&out);
    return 1;
}

int script_open_cmsgpack(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "pack", lib_cmsgpack_pack },
        { "unpack", lib_cmsgpack_unpack },
        { "unpack_one", lib_cmsgpack_unpack_one },
        { "unpack_limit", lib_cmsgpack_unpack_limit },
        { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    lua_pushliteral(lua, "cmsgpack");
    lua_setfield(lua, -2, "_NAME");
    lua_pushliteral(lua, "lua-cmsgpack 0.4.0");
    lua_setfield(lua, -2, "_VERSION");
    lua_pushliteral(lua, "MessagePack C implementation for Lua");
    lua_setfield(lua, -2, "_DESCRIPTION");
    return 1;
}
