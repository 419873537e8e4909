/* See lib_buffer.h. */
#include "script/lib_buffer.h"

#include <stdint.h>

#include <lauxlib.h>

void lib_buffer_init(struct lib_buffer *buffer, lua_State *lua, int slot)
{
    buffer->lua = lua;
    buffer->at = buffer->room;
    buffer->len = 0;
    buffer->cap = LIB_BUFFER_ROOM;
    buffer->slot = slot;
}

void lib_buffer_grow(struct lib_buffer *buffer, size_t more)
{
    size_t least = buffer->len + more;
    if (more > SIZE_MAX / 4 || buffer->cap > SIZE_MAX / 4) {
        luaL_error(buffer->lua, "not enough memory");
    }
    size_t cap = buffer->cap * 2 > least ? buffer->cap * 2 : least;
    char *at = lua_newuserdata(buffer->lua, cap);
    memcpy(at, buffer->at, buffer->len);
    lua_replace(buffer->lua, buffer->slot);
    buffer->at = at;
    buffer->cap = cap;
}

void lib_buffer_push(const struct lib_buffer *buffer)
{
    lua_pushlstring(buffer->lua, buffer->at, buffer->len);
}
