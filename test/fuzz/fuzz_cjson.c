/* cjson.  Two properties: what the input's dice make comes back from its JSON as it was; and
 * what is read from the input as JSON says the same after it is written and read once more.
 * (Once, since the first reading may have more digits than are written.)  Memory is bounded by
 * the input's size. */
#include "lua_values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* decode(encode(x)) of the value on top takes its place, which must be possible. */
static void write_and_read(lua_State *lua)
{
    MUST(call_library(lua, "cjson", "encode", 1, 1));
    MUST(call_library(lua, "cjson", "decode", 1, 1));
}

static void check_text(const uint8_t *data, size_t size)
{
    struct lua_memory memory;
    lua_State *lua = bounded_state(&memory, size);
    lua_pushlstring(lua, (const char *)data, size);
    if (call_library(lua, "cjson", "decode", 1, 1)) {
        memory.limit = 0;
        lua_pushboolean(lua, 1);
        MUST(call_library(lua, "cjson", "encode_invalid_numbers", 1, 0));
        write_and_read(lua);
        lua_pushvalue(lua, -1);
        write_and_read(lua);
        MUST(same_values(lua, lua_gettop(lua) - 1, lua_gettop(lua)));
    } else {
        MUST(lua_type(lua, -1) == LUA_TSTRING);
    }
    lua_close(lua);
    MUST(memory.used == 0);
}

static void check_value(const uint8_t *data, size_t size)
{
    struct lua_memory memory;
    struct dice dice = { data, size };
    lua_State *lua = bounded_state(&memory, size);
    push_value(lua, &dice, NUMBERS_SHORT, 0);
    lua_pushvalue(lua, -1);
    write_and_read(lua);
    MUST(same_values(lua, lua_gettop(lua) - 1, lua_gettop(lua)));
    lua_close(lua);
    MUST(memory.used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(data, size);
    check_value(data, size);
    return 0;
}
