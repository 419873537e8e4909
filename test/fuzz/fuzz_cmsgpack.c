/* cmsgpack.  Three properties: what the input's dice make comes back from its bytes as it was;
 * what is unpacked from the input says the same after it is packed and unpacked, unless it is
 * deeper than packing goes or has a table for a key; and unpacking one by one gives what
 * unpacking all at once gives.  Memory is bounded by the input's size. */
#include "lua_values.h"

enum { NESTING_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether packing keeps the value at 'index': see above. */
static bool can_pack(lua_State *lua, int index, int depth)
{
    bool can = depth < NESTING_MAX;
    if (lua_type(lua, index) != LUA_TTABLE) {
        return true;
    }
    luaL_checkstack(lua, 8, "can_pack");
    lua_pushnil(lua);
    while (can && lua_next(lua, index) != 0) {
        int top = lua_gettop(lua);
        can = lua_type(lua, top - 1) != LUA_TTABLE && can_pack(lua, top, depth + 1);
        lua_settop(lua, can ? top - 1 : top - 2);
    }
    return can;
}

/* unpack(pack(x)) says the same as the value x on top. */
static void check_value(lua_State *lua)
{
    lua_pushvalue(lua, -1);
    MUST(call_library(lua, "cmsgpack", "pack", 1, 1));
    MUST(call_library(lua, "cmsgpack", "unpack", 1, 1));
    MUST(same_values(lua, lua_gettop(lua) - 1, lua_gettop(lua)));
    lua_pop(lua, 1);
}

/* The text is at index 1, and all that is in it above. */
static void check_one_by_one(lua_State *lua)
{
    int count = lua_gettop(lua) - 1;
    double offset = 0;
    luaL_checkstack(lua, 8, "check_one_by_one");
    for (int i = 0; i < count; i++) {
        lua_pushvalue(lua, 1);
        lua_pushnumber(lua, offset);
        MUST(call_library(lua, "cmsgpack", "unpack_one", 2, 2));
        offset = lua_tonumber(lua, -2);
        MUST((offset == -1) == (i == count - 1));
        if (can_pack(lua, lua_gettop(lua), 0)) {
            MUST(same_values(lua, i + 2, lua_gettop(lua)));
            check_value(lua);
        }
        lua_pop(lua, 2);
    }
}

static void check_text(const uint8_t *data, size_t size)
{
    struct lua_memory memory;
    lua_State *lua = bounded_state(&memory, size);
    lua_pushlstring(lua, (const char *)data, size);
    lua_pushvalue(lua, -1);
    if (call_library(lua, "cmsgpack", "unpack", 1, LUA_MULTRET)) {
        memory.limit = 0;
        check_one_by_one(lua);
    } else {
        MUST(lua_type(lua, -1) == LUA_TSTRING);
    }
    lua_close(lua);
    MUST(memory.used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lua_memory memory;
    struct dice dice = { data, size };
    check_text(data, size);
    lua_State *lua = bounded_state(&memory, size);
    push_value(lua, &dice, NUMBERS_ALL, 0);
    check_value(lua);
    lua_close(lua);
    return 0;
}
