/* The writing half of cjson.  Tables are not walked by recursion: those that are being written
 * are a stack of levels, and they and their keys are on the stack of Lua, so that depth cannot
 * exhaust the stack of C, whatever a script sets encode_max_depth to. */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>

#include "base/num.h"
#include "script/lib_arg.h"
#include "script/lib_buffer.h"
#include "script/lib_cjson.h"

/* What is on the stack below the value that is being written. */
enum { ARGUMENT_SLOT = 1, OUT_SLOT, LEVELS_SLOT };

enum { NUMBER_ROOM = 32, OBJECT = -1 };

/* A table that is being written; of an object, the newest key is on the stack above it. */
struct level {
    int length; /* of an array, or OBJECT */
    int done;   /* elements or pairs written */
};

struct encoder {
    lua_State *lua;
    const struct cjson_settings *settings;
    struct lib_buffer out, levels;
    int depth;
};

static void fail_at(lua_State *lua, int index, const char *why)
{
    luaL_error(lua, "Cannot serialise %s: %s", lua_typename(lua, lua_type(lua, index)), why);
}

/* ---- scalars ----------------------------------------------------------------------- */

/* What stands for a byte that may not stand for itself, after a backslash: a letter, or 'u'
 * for four hexadecimal digits; 0 for all others. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return (char)c;
    case '\b':
        return 'b';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\f':
        return 'f';
    case '\r':
        return 'r';
    default:
        return c < ' ' || c == 127 ? 'u' : 0;
    }
}

/* The length of the beginning that can be copied as it is. */
static size_t plain_prefix(struct bytes text)
{
    size_t len = 0;
    while (len < text.len && escape_of((unsigned char)text.at[len]) == 0) {
        len++;
    }
    return len;
}

static void put_escape(struct lib_buffer *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char escape = escape_of(c);
    lib_buffer_append_char(out, '\\');
    lib_buffer_append_char(out, escape);
    if (escape == 'u') {
        char code[4] = { '0', '0', digits[c >> 4], digits[c & 15] };
        lib_buffer_append(out, (struct bytes){ code, sizeof code });
    }
}

static void put_string(struct encoder *encoder, int index)
{
    struct bytes text;
    text.at = lua_tolstring(encoder->lua, index, &text.len);
    lib_buffer_append_char(&encoder->out, '"');
    for (;;) {
        size_t plain = plain_prefix(text);
        lib_buffer_append(&encoder->out, (struct bytes){ text.at, plain });
        if (plain == text.len) {
            break;
        }
        put_escape(&encoder->out, (unsigned char)text.at[plain]);
        text.at += plain + 1;
        text.len -= plain + 1;
    }
    lib_buffer_append_char(&encoder->out, '"');
}

/* Writes a number as "%.<precision>g" does; whole ones that need no exponent by hand. */
static void put_finite(struct encoder *encoder, double number)
{
    static const int64_t POWERS[] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        INT64_C(10000000000),
        INT64_C(100000000000),
        INT64_C(1000000000000),
        INT64_C(10000000000000),
        INT64_C(100000000000000),
    };
    int precision = encoder->settings->encode_number_precision;
    char *at = lib_buffer_reserve(&encoder->out, NUMBER_ROOM);
    int64_t whole = fabs(number) < 1e15 ? (int64_t)number : 0;
    bool short_enough = whole < POWERS[precision] && whole > -POWERS[precision];
    if (short_enough && (double)whole == number && (whole != 0 || !signbit(number))) {
        encoder->out.len += num_format_i64(at, whole);
    } else {
        encoder->out.len += (size_t)snprintf(at, NUMBER_ROOM, "%.*g", precision, number);
    }
}

static void put_number(struct encoder *encoder, int index)
{
    double number = lua_tonumber(encoder->lua, index);
    int invalid = encoder->settings->encode_invalid_numbers;
    if (isfinite(number)) {
        put_finite(encoder, number);
    } else if (invalid == CJSON_INVALID_REFUSED) {
        fail_at(encoder->lua, index, "must not be NaN or Inf");
    } else if (invalid == CJSON_INVALID_NULL) {
        lib_buffer_append(&encoder->out, LIT("null"));
    } else {
        lib_buffer_append(&encoder->out, isnan(number) ? LIT("nan")
                                         : number > 0  ? LIT("inf")
                                                       : LIT("-inf"));
    }
}

/* ---- tables ------------------------------------------------------------------------ */

/* The length of the table on top as an array: its largest index, if all of its keys are whole
 * numbers from 1 on and it is not too sparse; else OBJECT.  An empty table has length 0. */
static int array_length(struct encoder *encoder)
{
    lua_State *lua = encoder->lua;
    const struct cjson_settings *settings = encoder->settings;
    double largest = 0;
    int64_t count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        double key = lua_type(lua, -2) == LUA_TNUMBER ? lua_tonumber(lua, -2) : 0;
        if (!(key >= 1 && key <= INT_MAX && floor(key) == key)) {
            lua_pop(lua, 2);
            return OBJECT;
        }
        largest = key > largest ? key : largest;
        count++;
        lua_pop(lua, 1);
    }
    int length = (int)largest;
    if (settings->encode_sparse_ratio > 0 && length > count * settings->encode_sparse_ratio &&
        length > settings->encode_sparse_safe) {
        if (!settings->encode_sparse_convert) {
            fail_at(lua, -1, "excessively sparse array");
        }
        return OBJECT;
    }
    return length;
}

static struct level *top_level(struct encoder *encoder)
{
    return (struct level *)(void *)(encoder->levels.at + encoder->levels.len) - 1;
}

/* Begins the table on top. */
static void open_table(struct encoder *encoder)
{
    lua_State *lua = encoder->lua;
    int used = lua_gettop(lua) - LEVELS_SLOT; /* by Redis's library */
    encoder->depth++;
    if (encoder->depth > encoder->settings->encode_max_depth || used + 3 > LIB_STACK_MAX) {
        luaL_error(lua, "Cannot serialise, excessive nesting (%d)", encoder->depth);
    }
    luaL_checkstack(lua, 5, "in function open_table");
    int length = array_length(encoder);
    lib_buffer_reserve(&encoder->levels, sizeof(struct level));
    encoder->levels.len += sizeof(struct level);
    *top_level(encoder) = (struct level){ .length = length > 0 ? length : OBJECT };
    lib_buffer_append_char(&encoder->out, length > 0 ? '[' : '{');
    if (length <= 0) {
        lua_pushnil(lua);
    }
}

static void put_key(struct encoder *encoder)
{
    int type = lua_type(encoder->lua, -2);
    if (type == LUA_TSTRING) {
        put_string(encoder, -2);
    } else if (type == LUA_TNUMBER) {
        lib_buffer_append_char(&encoder->out, '"');
        put_number(encoder, -2);
        lib_buffer_append_char(&encoder->out, '"');
    } else {
        fail_at(encoder->lua, -2, "table key must be a number or string");
    }
    lib_buffer_append_char(&encoder->out, ':');
}

/* Pushes the next value of the innermost table, after what comes before it in the text; or
 * ends the table, pops it and returns false. */
static bool next_value(struct encoder *encoder)
{
    lua_State *lua = encoder->lua;
    struct level *level = top_level(encoder);
    bool is_object = level->length == OBJECT;
    if (is_object ? lua_next(lua, -2) == 0 : level->done == level->length) {
        lib_buffer_append_char(&encoder->out, is_object ? '}' : ']');
        lua_pop(lua, 1);
        encoder->levels.len -= sizeof *level;
        encoder->depth--;
        return false;
    }
    if (level->done > 0) {
        lib_buffer_append_char(&encoder->out, ',');
    }
    level->done++;
    if (is_object) {
        put_key(encoder);
    } else {
        lua_rawgeti(lua, -1, level->done);
    }
    return true;
}

/* Writes the value on top: whole, and then pops it, unless it is a table, which is begun. */
static void put_value(struct encoder *encoder)
{
    lua_State *lua = encoder->lua;
    switch (lua_type(lua, -1)) {
    case LUA_TTABLE:
        open_table(encoder);
        return;
    case LUA_TSTRING:
        put_string(encoder, -1);
        break;
    case LUA_TNUMBER:
        put_number(encoder, -1);
        break;
    case LUA_TBOOLEAN:
        lib_buffer_append(&encoder->out, lua_toboolean(lua, -1) ? LIT("true") : LIT("false"));
        break;
    default:
        if (lua_isnil(lua, -1) ||
            (lua_islightuserdata(lua, -1) && lua_touserdata(lua, -1) == NULL)) {
            lib_buffer_append(&encoder->out, LIT("null"));
        } else {
            fail_at(lua, -1, "type not supported");
        }
        break;
    }
    lua_pop(lua, 1);
}

int lib_cjson_encode(lua_State *lua)
{
    luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
    struct encoder encoder = { .lua = lua, .settings = cjson_settings(lua) };
    lua_settop(lua, LEVELS_SLOT);
    lib_buffer_init(&encoder.out, lua, OUT_SLOT);
    lib_buffer_init(&encoder.levels, lua, LEVELS_SLOT);
    lua_pushvalue(lua, ARGUMENT_SLOT);
    put_value(&encoder);
    while (encoder.depth > 0) {
        if (next_value(&encoder)) {
            put_value(&encoder);
        }
    }
    lib_buffer_push(&encoder.out);
    return 1;
}
