/* A Lua state with the script libraries and nothing else, for tests and fuzzers: its memory is
 * counted and can be short. */
#ifndef TEST_LUA_STATE_H
#define TEST_LUA_STATE_H

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "lua/extra.h"
#include "script/libraries.h"

struct lua_memory {
    struct lua_extra extra;   /* first; no free blocks are kept */
    size_t used, most, limit; /* bytes; 0 is no limit */
};

static inline void *lua_memory_change(void *user, void *at, size_t old_size, size_t size)
{
    struct lua_memory *memory = user;
    old_size = at != NULL ? old_size : 0;
    if (size == 0) {
        memory->used -= old_size;
        free(at);
        return NULL;
    }
    if (memory->limit != 0 && size > old_size && memory->used + (size - old_size) > memory->limit) {
        return NULL;
    }
    void *moved = realloc(at, size);
    if (moved != NULL) {
        memory->used += size - old_size;
        memory->most = memory->used > memory->most ? memory->used : memory->most;
    }
    return moved;
}

static inline void lua_state_add(lua_State *lua, const char *name, lua_CFunction open)
{
    lua_pushcfunction(lua, open);
    lua_pushstring(lua, name);
    lua_call(lua, 1, 1);
    lua_setglobal(lua, name);
}

/* With Lua's own basic functions, strings and tables if 'language' says so.  NULL when memory is
 * short.  Closed by lua_close(). */
static inline lua_State *lua_state_open(struct lua_memory *memory, int language)
{
    lua_State *lua = lua_newstate(lua_memory_change, memory);
    if (lua == NULL) {
        return NULL;
    }
    if (language) {
        lua_state_add(lua, "_G", luaopen_base);
        lua_state_add(lua, "string", luaopen_string);
        lua_state_add(lua, "table", luaopen_table);
    }
    lua_state_add(lua, "cjson", script_open_cjson);
    lua_state_add(lua, "cmsgpack", script_open_cmsgpack);
    lua_state_add(lua, "struct", script_open_struct);
    lua_state_add(lua, "bit", script_open_bit);
    return lua;
}

#endif
