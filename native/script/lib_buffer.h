/* Bytes that a library's function gathers.  Short runs stay in the struct; longer ones move
 * to a userdata, which is put in a place on the Lua stack that its user sets aside.  So the
 * state's allocator counts them, and they go with the state's other garbage when an error
 * jumps out. */
#ifndef SCRIPT_LIB_BUFFER_H
#define SCRIPT_LIB_BUFFER_H

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include <lua.h>

#include "base/bytes.h"

enum { LIB_BUFFER_ROOM = 1024 };

struct lib_buffer {
    lua_State *lua;
    char *at;
    size_t len, cap;
    int slot; /* the index on the stack that is the buffer's own */
    alignas(max_align_t) char room[LIB_BUFFER_ROOM];
};

/* An empty buffer, which stays where it is.  It needs no release. */
void lib_buffer_init(struct lib_buffer *buffer, lua_State *lua, int slot);

/* Makes room for 'more' bytes after 'len', or raises an error of Lua.  Needs two free places
 * on the stack. */
void lib_buffer_grow(struct lib_buffer *buffer, size_t more);

/* Where 'more' bytes can be written; the caller adds to 'len' what it wrote. */
static inline char *lib_buffer_reserve(struct lib_buffer *buffer, size_t more)
{
    if (buffer->cap - buffer->len < more) {
        lib_buffer_grow(buffer, more);
    }
    return buffer->at + buffer->len;
}

static inline void lib_buffer_append(struct lib_buffer *buffer, struct bytes bytes)
{
    char *at = lib_buffer_reserve(buffer, bytes.len);
    if (bytes.len > 0) {
        memcpy(at, bytes.at, bytes.len);
    }
    buffer->len += bytes.len;
}

static inline void lib_buffer_append_char(struct lib_buffer *buffer, char c)
{
    *lib_buffer_reserve(buffer, 1) = c;
    buffer->len++;
}

/* Pushes the bytes as a string of Lua. */
void lib_buffer_push(const struct lib_buffer *buffer);

#endif
