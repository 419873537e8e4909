/* What tests of Lua begin with: a state with the script libraries, which leaves nothing behind. */
#ifndef TEST_LUA_FIXTURE_H
#define TEST_LUA_FIXTURE_H

#include "check.h"
#include "lua_state.h"

static lua_State *lua;
static struct lua_memory memory;

static inline void begin(void)
{
    memory = (struct lua_memory){ 0 };
    lua = lua_state_open(&memory, 1);
    CHECK(lua != NULL);
}

static inline void end(void)
{
    lua_close(lua);
    CHECK_INT(memory.used, 0);
}

#endif
