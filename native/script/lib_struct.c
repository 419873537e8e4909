/* The library struct: values as the bytes of C structs.  A format is a list of options:
 *
 *     <  >        little or big endian from here on (little is what comes first)
 *     ![n]        align to at most n, a power of two, from here on (1 at first; default 8)
 *     b B h H     signed and unsigned integers of 1 and 2 bytes
 *     l L T       of 8 bytes
 *     i[n] I[n]   of n bytes, at most 32 (default 4)
 *     f d         float and double
 *     s           a string and a zero
 *     c[n]        n bytes of a string (default 1); c0: all of it, or, in unpack, as many as
 *                 the number before it says
 *     x           a byte of padding
 *     (a space)   nothing */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "script/lib_arg.h"
#include "script/lib_buffer.h"
#include "script/libraries.h"

enum { INTEGER_SIZE_MAX = 32, DEFAULT_ALIGN = 8, INTEGER_SIZE = 4 };

/* A walk over a format. */
struct layout {
    lua_State *lua;
    const char *at; /* the next option; the format ends with a zero */
    bool big_endian;
    size_t align;
    size_t used; /* bytes of the struct so far */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void layout_init(struct layout *layout, lua_State *lua)
{
    layout->lua = lua;
    layout->at = lib_arg_string(lua, 1).at;
    layout->big_endian = false;
    layout->align = 1;
    layout->used = 0;
}

static size_t read_count(struct layout *layout, size_t otherwise)
{
    if (!is_digit(*layout->at)) {
        return otherwise;
    }
    int64_t count = 0;
    while (is_digit(*layout->at)) {
        count = count * 10 + (*layout->at - '0');
        layout->at++;
        if (count > INT_MAX) {
            luaL_error(layout->lua, "integral size overflow");
        }
    }
    return (size_t)count;
}

/* The bytes that the option takes, as far as the format alone tells. */
static size_t size_of_option(struct layout *layout, char option)
{
    switch (option) {
    case 'B':
    case 'b':
    case 'x':
        return 1;
    case 'H':
    case 'h':
        return 2;
    case 'f':
        return 4;
    case 'L':
    case 'l':
    case 'T':
    case 'd':
        return 8;
    case 'c':
        return read_count(layout, 1);
    case 'i':
    case 'I': {
        size_t size = read_count(layout, INTEGER_SIZE);
        if (size > INTEGER_SIZE_MAX) {
            luaL_error(layout->lua, "integral size %d is larger than limit of %d", (int)size,
                       INTEGER_SIZE_MAX);
        }
        return size;
    }
    default:
        return 0;
    }
}

/* The padding that must come before an option of 'size' bytes. */
static size_t padding_before(const struct layout *layout, char option, size_t size)
{
    if (size == 0 || option == 'c') {
        return 0;
    }
    size_t unit = size > layout->align ? layout->align : size;
    return (unit - (layout->used & (unit - 1))) & (unit - 1);
}

/* An option that says how to read on. */
static void follow_control(struct layout *layout, char option)
{
    switch (option) {
    case ' ':
        return;
    case '<':
        layout->big_endian = false;
        return;
    case '>':
        layout->big_endian = true;
        return;
    case '!': {
        size_t align = read_count(layout, DEFAULT_ALIGN);
        if (align == 0 || (align & (align - 1)) != 0) {
            luaL_error(layout->lua, "alignment %d is not a power of 2", (int)align);
        }
        layout->align = align;
        return;
    }
    default: {
        char name[2] = { option, '\0' };
        luaL_argerror(layout->lua, 1,
                      lua_pushfstring(layout->lua, "invalid format option '%s'", name));
    }
    }
}

/* ---- packing ----------------------------------------------------------------------- */

/* What a number has become in Redis when it was cast to an unsigned integer of 64 bits. */
static uint64_t unsigned_of(double number)
{
    if (number >= 0x1p63) {
        return number < 0x1p64 ? (uint64_t)number : 0;
    }
    return (uint64_t)lib_integer_of(number);
}

/* Bytes beyond the eighth are zero, whatever the sign. */
static void put_integer(struct lib_buffer *out, uint64_t value, size_t size, bool big_endian)
{
    char *at = lib_buffer_reserve(out, size);
    for (size_t i = 0; i < size; i++) {
        at[big_endian ? size - 1 - i : i] = (char)(value & 0xff);
        value >>= 8;
    }
    out->len += size;
}

static void put_float(struct lib_buffer *out, double number, bool big_endian)
{
    float single = (float)number;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    put_integer(out, bits, sizeof bits, big_endian);
}

static void put_double(struct lib_buffer *out, double number, bool big_endian)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_integer(out, bits, sizeof bits, big_endian);
}

/* As in Redis, the error names the argument after the one that is too short. */
static void put_string(struct lib_buffer *out, struct layout *layout, int arg, char option,
                       size_t size)
{
    struct bytes text = lib_arg_string(layout->lua, arg);
    if (size != 0) {
        luaL_argcheck(layout->lua, text.len >= size, arg + 1, "string too short");
        text.len = size;
    }
    lib_buffer_append(out, text);
    if (option == 's') {
        lib_buffer_append_char(out, '\0');
    }
}

/* Packs one option; 'arg' is the argument that it takes if it takes one.  Returns whether it
 * did. */
static bool pack_option(struct layout *layout, struct lib_buffer *out, char option, size_t size,
                        int arg)
{
    switch (option) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'l':
    case 'L':
    case 'T':
    case 'i':
    case 'I':
        put_integer(out, unsigned_of(lib_arg_number(layout->lua, arg)), size, layout->big_endian);
        return true;
    case 'f':
        put_float(out, lib_arg_number(layout->lua, arg), layout->big_endian);
        return true;
    case 'd':
        put_double(out, lib_arg_number(layout->lua, arg), layout->big_endian);
        return true;
    case 'c':
    case 's':
        put_string(out, layout, arg, option, size);
        return true;
    case 'x':
        lib_buffer_append_char(out, '\0');
        return false;
    default:
        follow_control(layout, option);
        return false;
    }
}

/* pack(format, ...) */
static int struct_pack(lua_State *lua)
{
    struct layout layout;
    struct lib_buffer out;
    layout_init(&layout, lua);
    lua_pushnil(lua); /* For arguments that are not there, too. */
    lua_pushnil(lua);
    lib_buffer_init(&out, lua, lua_gettop(lua));
    for (int arg = 2; *layout.at != '\0';) {
        char option = *layout.at++;
        size_t size = size_of_option(&layout, option);
        for (size_t pad = padding_before(&layout, option, size); pad > 0; pad--) {
            lib_buffer_append_char(&out, '\0');
        }
        arg += pack_option(&layout, &out, option, size, arg) ? 1 : 0;
        layout.used = out.len;
    }
    lib_buffer_push(&out);
    return 1;
}

/* ---- unpacking --------------------------------------------------------------------- */

static uint64_t get_integer(const char *at, size_t size, bool big_endian)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | (unsigned char)at[big_endian ? i : size - 1 - i];
    }
    return value;
}

/* Of sizes that the standard leaves open, none and more than 8 bytes, what x86-64 makes. */
static double signed_of(uint64_t value, size_t size)
{
    uint64_t mask = UINT64_MAX << ((size * 8 - 1) & 63);
    if ((value & mask) != 0) {
        value |= mask;
    }
    return (double)(int64_t)value;
}

static double get_float(const char *at, bool big_endian)
{
    uint32_t bits = (uint32_t)get_integer(at, sizeof bits, big_endian);
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static double get_double(const char *at, bool big_endian)
{
    uint64_t bits = get_integer(at, sizeof bits, big_endian);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* 'size' bytes are there from 'used' on. */
static void require_data(const struct layout *layout, struct bytes data, size_t size)
{
    luaL_argcheck(layout->lua, size <= data.len && layout->used <= data.len - size, 2,
                  "data string too short");
}

/* Pushes the bytes of "c<size>"; c0 takes the number before it away.  Returns how many values
 * have come to the stack. */
static int unpack_bytes(struct layout *layout, struct bytes data, size_t size, int count)
{
    int taken = 0;
    if (size == 0) {
        if (count == 0 || !lua_isnumber(layout->lua, -1)) {
            luaL_error(layout->lua, "format 'c0' needs a previous size");
        }
        size = (size_t)unsigned_of(lua_tonumber(layout->lua, -1));
        lua_pop(layout->lua, 1);
        taken = 1;
        require_data(layout, data, size);
    }
    lua_pushlstring(layout->lua, data.at + layout->used, size);
    layout->used += size;
    return 1 - taken;
}

static void unpack_string(struct layout *layout, struct bytes data)
{
    const char *at = data.at + layout->used;
    const char *end = memchr(at, '\0', data.len - layout->used);
    if (end == NULL) {
        luaL_error(layout->lua, "unfinished string in data");
        return;
    }
    lua_pushlstring(layout->lua, at, (size_t)(end - at));
    layout->used += (size_t)(end - at) + 1;
}

/* Pushes what one option says; 'count' values are there from before.  Returns how many have
 * come to them. */
static int unpack_option(struct layout *layout, struct bytes data, char option, size_t size,
                         int count)
{
    const char *at = data.at + layout->used;
    switch (option) {
    case 'b':
    case 'h':
    case 'l':
    case 'i':
        lua_pushnumber(layout->lua, signed_of(get_integer(at, size, layout->big_endian), size));
        break;
    case 'B':
    case 'H':
    case 'L':
    case 'T':
    case 'I':
        lua_pushnumber(layout->lua, (double)get_integer(at, size, layout->big_endian));
        break;
    case 'f':
        lua_pushnumber(layout->lua, get_float(at, layout->big_endian));
        break;
    case 'd':
        lua_pushnumber(layout->lua, get_double(at, layout->big_endian));
        break;
    case 'c':
        return unpack_bytes(layout, data, size, count);
    case 's':
        unpack_string(layout, data);
        return 1;
    case 'x':
        layout->used += size;
        return 0;
    default:
        follow_control(layout, option);
        return 0;
    }
    layout->used += size;
    return 1;
}

/* unpack(format, data [, start]): the values and where to go on. */
static int struct_unpack(lua_State *lua)
{
    struct layout layout;
    layout_init(&layout, lua);
    struct bytes data = lib_arg_string(lua, 2);
    int64_t start = lib_arg_optional_integer(lua, 3, 1);
    luaL_argcheck(lua, start != 0, 3, "offset must be 1 or greater");
    layout.used = (size_t)start - 1;
    int count = 0;
    while (*layout.at != '\0') {
        char option = *layout.at++;
        size_t size = size_of_option(&layout, option);
        layout.used += padding_before(&layout, option, size);
        require_data(&layout, data, size);
        if (lua_gettop(lua) + 2 > LIB_STACK_MAX) {
            luaL_error(lua, "stack overflow (too many results)");
        }
        luaL_checkstack(lua, 2, "too many results");
        count += unpack_option(&layout, data, option, size, count);
    }
    lua_pushnumber(lua, (double)(int64_t)(layout.used + 1));
    return count + 1;
}

/* ---- size -------------------------------------------------------------------------- */

static bool is_letter_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* size(format): of what has a fixed one.  Unknown letters count as nothing. */
static int struct_size(lua_State *lua)
{
    struct layout layout;
    layout_init(&layout, lua);
    while (*layout.at != '\0') {
        char option = *layout.at++;
        size_t size = size_of_option(&layout, option);
        layout.used += padding_before(&layout, option, size);
        luaL_argcheck(lua, option != 's', 1, "option 's' has no fixed size");
        luaL_argcheck(lua, option != 'c' || size != 0, 1, "option 'c0' has no fixed size");
        if (!is_letter_or_digit(option)) {
            follow_control(&layout, option);
        }
        layout.used += size;
    }
    lua_pushnumber(lua, (double)layout.used);
    return 1;
}

int script_open_struct(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "pack", struct_pack },
        { "unpack", struct_unpack },
        { "size", struct_size },
        { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    return 1;
}
