/* What the fuzzers of the script libraries share: calls into a Lua state whose memory is
 * bounded by the size of the input, values made by the input's dice, and whether two values
 * say the same. */
#ifndef FUZZ_LUA_VALUES_H
#define FUZZ_LUA_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua_state.h"

/* A claim that must hold for every input. */
#define MUST(condition) ((condition) ? (void)0 : abort())

enum { NUMBERS_SHORT, NUMBERS_ALL, DEPTH_MAX = 6 };

/* The fuzzer's input as dice: one byte after the other, then zeroes. */
struct dice {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t roll(struct dice *dice)
{
    if (dice->left == 0) {
        return 0;
    }
    dice->left--;
    return *dice->at++;
}

static inline uint64_t roll_bits(struct dice *dice, int bytes)
{
    uint64_t bits = 0;
    for (int i = 0; i < bytes; i++) {
        bits = bits << 8 | roll(dice);
    }
    return bits;
}

/* A state in which what the libraries make of 'size' bytes may take a few hundred times as
 * much, and no more. */
static inline lua_State *bounded_state(struct lua_memory *memory, size_t size)
{
    *memory = (struct lua_memory){ 0 };
    lua_State *lua = lua_state_open(memory, 0);
    MUST(lua != NULL);
    memory->limit = memory->used + 256 * 1024 + 512 * size;
    return lua;
}

/* Calls a library's function with the 'count' values on top; false when it raises an error,
 * which is then on top, and is not that memory was short. */
static inline bool call_library(lua_State *lua, const char *library, const char *name, int count,
                                int results)
{
    lua_getglobal(lua, library);
    lua_getfield(lua, -1, name);
    lua_remove(lua, -2);
    lua_insert(lua, -1 - count);
    int outcome = lua_pcall(lua, count, results, 0);
    MUST(outcome == LUA_OK || outcome == LUA_ERRRUN);
    return outcome == LUA_OK;
}

static inline bool same_values(lua_State *lua, int a, int b);

/* Each pair of the table at 'a' is in the one at 'b'; a key that is a table has no equal. */
static inline bool contains_pairs(lua_State *lua, int a, int b)
{
    bool same = true;
    lua_pushnil(lua);
    while (same && lua_next(lua, a) != 0) {
        lua_pushvalue(lua, -2);
        lua_rawget(lua, b);
        int top = lua_gettop(lua);
        same = same_values(lua, top - 1, top);
        lua_settop(lua, same ? top - 2 : top - 3);
    }
    return same;
}

/* Both are nan, or equal, or tables with the same pairs.  The indices are absolute. */
static inline bool same_values(lua_State *lua, int a, int b)
{
    luaL_checkstack(lua, 8, "same_values");
    if (lua_type(lua, a) != lua_type(lua, b)) {
        return false;
    }
    if (lua_type(lua, a) == LUA_TTABLE) {
        return contains_pairs(lua, a, b) && contains_pairs(lua, b, a);
    }
    if (lua_type(lua, a) == LUA_TNUMBER && lua_tonumber(lua, a) != lua_tonumber(lua, a)) {
        return lua_tonumber(lua, b) != lua_tonumber(lua, b);
    }
    return lua_rawequal(lua, a, b);
}

/* A number of any bits; or, if it has to be short, of at most 14 decimal digits. */
static inline void push_number(lua_State *lua, struct dice *dice, int numbers)
{
    double number;
    if (numbers == NUMBERS_SHORT || roll(dice) % 2 == 0) {
        number = (double)(int64_t)(roll_bits(dice, 6) % 100000000000000);
        number = roll(dice) % 2 == 0 ? number : -number;
    } else {
        uint64_t bits = roll_bits(dice, 8);
        memcpy(&number, &bits, sizeof number);
    }
    lua_pushnumber(lua, number);
}

static inline void push_string(lua_State *lua, struct dice *dice)
{
    char text[300];
    size_t len = roll(dice);
    len = len < 250 ? len % 8 : len;
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)roll(dice);
    }
    lua_pushlstring(lua, text, len);
}

/* Pushes any value but nil that a library can say; tables have either keys from 1 on or
 * strings. */
static inline void push_value(lua_State *lua, struct dice *dice, int numbers, int depth)
{
    uint8_t kind = roll(dice) % 8;
    luaL_checkstack(lua, 8, "push_value");
    if (kind >= 6 && depth < DEPTH_MAX) {
        int count = roll(dice) % 20;
        lua_newtable(lua);
        for (int i = 1; i <= count; i++) {
            kind == 6 ? lua_pushnumber(lua, i) : push_string(lua, dice);
            push_value(lua, dice, numbers, depth + 1);
            lua_rawset(lua, -3);
        }
    } else if (kind >= 3) {
        push_number(lua, dice, numbers);
    } else if (kind >= 1) {
        push_string(lua, dice);
    } else {
        lua_pushboolean(lua, roll(dice) % 2);
    }
}

#endif
