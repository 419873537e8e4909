/* The reading half of cmsgpack.  Containers are not read by recursion: those that are open
 * are a stack of levels, and their tables are on the stack of Lua, so that no input can
 * exhaust the stack of C.  How deep an input may be is what Lua 5.1's stack could hold, for
 * which it is counted what Redis's library would have on it. */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "script/lib_arg.h"
#include "script/lib_buffer.h"
#include "script/lib_cmsgpack.h"

/* What stays at the bottom of the stack: the text, and the place of the levels. */
enum { TEXT_SLOT = 1, LEVELS_SLOT, FIRST_RESULT };

/* Room on the stack is asked for so many values at once. */
enum { STACK_STEP = 16 };

enum outcome { READ_OK, READ_SHORT, READ_BAD };

/* An open container, whose table is on the stack; of a map, its newest key is, too, when
 * 'has_key'. */
struct level {
    uint32_t left; /* elements of an array, pairs of a map */
    uint32_t next; /* of an array, the index of the next element */
    bool is_map, has_key;
};

struct unpacker {
    lua_State *lua;
    struct bytes rest;
    struct lib_buffer levels;
    size_t depth;
    int open_arrays;
    int stack; /* there is room for values of Redis's library below this */
};

static struct level *top_level(struct unpacker *unpacker)
{
    return (struct level *)(void *)(unpacker->levels.at + unpacker->levels.len) - 1;
}

/* Redis's library would now have another value on its stack: beside the tables and keys that
 * we have too, it keeps an index for each open array. */
static void require_stack(struct unpacker *unpacker, const char *where)
{
    int used = lua_gettop(unpacker->lua) - (FIRST_RESULT - 2) + unpacker->open_arrays;
    if (used + 1 > LIB_STACK_MAX) {
        luaL_error(unpacker->lua, "stack overflow (%s)", where);
    }
    if (used >= unpacker->stack) {
        luaL_checkstack(unpacker->lua, STACK_STEP + 4, where);
        unpacker->stack = used + STACK_STEP;
    }
}

/* Unsigned, most significant byte first; the bytes must be there. */
static uint64_t read_integer(const char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | (unsigned char)at[i];
    }
    return value;
}

static double number_of(enum msgpack tag, uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float single;
    double number;
    switch (tag) {
    case MSGPACK_FLOAT:
        memcpy(&single, &half, sizeof single);
        return single;
    case MSGPACK_DOUBLE:
        memcpy(&number, &bits, sizeof number);
        return number;
    case MSGPACK_INT8:
        return (int8_t)bits;
    case MSGPACK_INT16:
        return (int16_t)bits;
    case MSGPACK_INT32:
        return (int32_t)bits;
    default: /* Redis takes the largest of MSGPACK_UINT64 for negative. */
        return (double)(int64_t)bits;
    }
}

/* Pushes the number after a tag of one byte. */
static enum outcome read_number(struct unpacker *unpacker, enum msgpack tag, size_t size)
{
    if (unpacker->rest.len < size + 1) {
        return READ_SHORT;
    }
    lua_pushnumber(unpacker->lua, number_of(tag, read_integer(unpacker->rest.at + 1, size)));
    unpacker->rest.at += size + 1;
    unpacker->rest.len -= size + 1;
    return READ_OK;
}

/* Reads the tag and a count or length of 'size' bytes after it. */
static enum outcome read_head(struct unpacker *unpacker, size_t size, uint32_t *count)
{
    if (unpacker->rest.len < size + 1) {
        return READ_SHORT;
    }
    if (size > 0) {
        *count = (uint32_t)read_integer(unpacker->rest.at + 1, size);
    }
    unpacker->rest.at += size + 1;
    unpacker->rest.len -= size + 1;
    return READ_OK;
}

static enum outcome read_string(struct unpacker *unpacker, size_t size, uint32_t len)
{
    enum outcome outcome = read_head(unpacker, size, &len);
    if (outcome != READ_OK || unpacker->rest.len < len) {
        return READ_SHORT;
    }
    lua_pushlstring(unpacker->lua, unpacker->rest.at, len);
    unpacker->rest.at += len;
    unpacker->rest.len -= len;
    return READ_OK;
}

/* Pushes the table of a container and opens a level for what is in it. */
static enum outcome read_container(struct unpacker *unpacker, size_t size, uint32_t count,
                                   bool is_map)
{
    enum outcome outcome = read_head(unpacker, size, &count);
    if (outcome != READ_OK) {
        return outcome;
    }
    lua_newtable(unpacker->lua);
    if (!is_map) {
        require_stack(unpacker, "in function mp_decode_to_lua_array");
        unpacker->open_arrays++;
    }
    lib_buffer_reserve(&unpacker->levels, sizeof(struct level));
    unpacker->levels.len += sizeof(struct level);
    unpacker->depth++;
    *top_level(unpacker) = (struct level){ .left = count, .next = 1, .is_map = is_map };
    return READ_OK;
}

static enum outcome read_fixed(struct unpacker *unpacker, unsigned char tag)
{
    if (tag < MSGPACK_FIXMAP || tag >= MSGPACK_NEGATIVE) {
        lua_pushnumber(unpacker->lua, (int8_t)tag);
    } else if (tag == MSGPACK_NIL) {
        lua_pushnil(unpacker->lua);
    } else if (tag == MSGPACK_TRUE || tag == MSGPACK_FALSE) {
        lua_pushboolean(unpacker->lua, tag == MSGPACK_TRUE);
    } else {
        return READ_BAD;
    }
    unpacker->rest.at++;
    unpacker->rest.len--;
    return READ_OK;
}

/* Pushes one value; a container is pushed empty, and its level is open. */
static enum outcome read_value(struct unpacker *unpacker)
{
    if (unpacker->rest.len == 0) {
        return READ_SHORT;
    }
    require_stack(unpacker,
                  "too many return values at once; use unpack_one or unpack_limit instead.");
    unsigned char tag = (unsigned char)unpacker->rest.at[0];
    switch (tag) {
    case MSGPACK_UINT8:
    case MSGPACK_INT8:
        return read_number(unpacker, tag, 1);
    case MSGPACK_UINT16:
    case MSGPACK_INT16:
        return read_number(unpacker, tag, 2);
    case MSGPACK_UINT32:
    case MSGPACK_INT32:
    case MSGPACK_FLOAT:
        return read_number(unpacker, tag, 4);
    case MSGPACK_UINT64:
    case MSGPACK_INT64:
    case MSGPACK_DOUBLE:
        return read_number(unpacker, tag, 8);
    case MSGPACK_STR8:
    case MSGPACK_STR16:
    case MSGPACK_STR32:
        return read_string(unpacker, (size_t)1 << (tag - MSGPACK_STR8), 0);
    case MSGPACK_ARRAY16:
    case MSGPACK_ARRAY32:
        return read_container(unpacker, (size_t)2 << (tag - MSGPACK_ARRAY16), 0, false);
    case MSGPACK_MAP16:
    case MSGPACK_MAP32:
        return read_container(unpacker, (size_t)2 << (tag - MSGPACK_MAP16), 0, true);
    default:
        if ((tag & 0xe0) == MSGPACK_FIXSTR) {
            return read_string(unpacker, 0, tag & 31);
        }
        if ((tag & 0xe0) == MSGPACK_FIXMAP) {
            return read_container(unpacker, 0, tag & 15, (tag & 0xf0) == MSGPACK_FIXMAP);
        }
        return read_fixed(unpacker, tag);
    }
}

/* Puts the complete value on top into the innermost open container. */
static void store(struct unpacker *unpacker)
{
    struct level *level = top_level(unpacker);
    if (!level->is_map) {
        lua_rawseti(unpacker->lua, -2, level->next++);
        level->left--;
    } else if (!level->has_key) {
        level->has_key = true;
    } else {
        lua_rawset(unpacker->lua, -3);
        level->has_key = false;
        level->left--;
    }
}

/* Pushes one value with all that is in it. */
static enum outcome unpack_value(struct unpacker *unpacker)
{
    size_t depth = unpacker->depth;
    enum outcome outcome = read_value(unpacker);
    bool complete = unpacker->depth == depth;
    while (outcome == READ_OK && unpacker->depth > 0) {
        struct level *level = top_level(unpacker);
        if (complete) {
            store(unpacker);
            complete = false;
        } else if (level->left == 0) {
            unpacker->open_arrays -= level->is_map ? 0 : 1;
            unpacker->levels.len -= sizeof *level;
            unpacker->depth--;
            complete = true;
        } else {
            depth = unpacker->depth;
            outcome = read_value(unpacker);
            complete = unpacker->depth == depth;
        }
    }
    return outcome;
}

/* Unpacks at most 'limit' values of the text at index 1, which is the only argument left on
 * the stack, from 'offset' on.  With neither, all of them, and then the results do not begin
 * with where to go on. */
static int unpack(lua_State *lua, int64_t limit, int64_t offset)
{
    bool all = limit == 0 && offset == 0;
    struct bytes text = lib_arg_string(lua, TEXT_SLOT);
    struct unpacker unpacker = { .lua = lua };
    if (offset < 0 || limit < 0) {
        return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                          (int)offset, (int)text.len);
    }
    if ((uint64_t)offset > text.len) {
        return luaL_error(lua, "Start offset %d greater than input length %d.", (int)offset,
                          (int)text.len);
    }
    unpacker.rest = (struct bytes){ text.at + offset, text.len - (size_t)offset };
    lua_settop(lua, LEVELS_SLOT);
    lib_buffer_init(&unpacker.levels, lua, LEVELS_SLOT);
    int count = 0;
    for (; unpacker.rest.len > 0 && (all ? count < INT_MAX : count < limit); count++) {
        switch (unpack_value(&unpacker)) {
        case READ_OK:
            break;
        case READ_SHORT:
            return luaL_error(lua, "Missing bytes in input.");
        case READ_BAD:
            return luaL_error(lua, "Bad data format in input.");
        }
    }
    if (!all) {
        require_stack(&unpacker, "in function mp_unpack_full");
        lua_pushnumber(lua, unpacker.rest.len == 0 ? -1 : (double)(text.len - unpacker.rest.len));
        lua_insert(lua, FIRST_RESULT);
        count++;
    }
    return count;
}

int lib_cmsgpack_unpack(lua_State *lua)
{
    return unpack(lua, 0, 0);
}

int lib_cmsgpack_unpack_one(lua_State *lua)
{
    return unpack(lua, 1, lib_arg_optional_integer(lua, 2, 0));
}

int lib_cmsgpack_unpack_limit(lua_State *lua)
{
    int64_t limit = lib_arg_integer(lua, 2);
    return unpack(lua, limit, lib_arg_optional_integer(lua, 3, 0));
}
