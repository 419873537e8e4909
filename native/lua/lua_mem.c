/* lmem.c, with a short way for small blocks; see extra.h. */
#define LUA_CORE

#include <lprefix.h>

#include <lua.h>

#define luaM_realloc_ __attribute__((noinline)) package_realloc
#include <lmem.h>
#undef luaM_realloc_
#define luaM_realloc_ package_realloc
#include <lmem.c>
#undef luaM_realloc_

#include "lua/extra.h"

LUAI_FUNC void *luaM_realloc_(lua_State *lua, void *block, size_t old_size, size_t size);

static inline void **list_of(struct lua_blocks *blocks, size_t size)
{
    return &blocks->free[(size - 1) / LUA_BLOCK_STEP];
}

/* The size of the largest block of a list. */
static inline size_t rounded(size_t size)
{
    return (size + LUA_BLOCK_STEP - 1) / LUA_BLOCK_STEP * LUA_BLOCK_STEP;
}

void *luaM_realloc_(lua_State *lua, void *block, size_t old_size, size_t size)
{
    global_State *global = G(lua);
    struct lua_blocks *blocks = &((struct lua_extra *)global->ud)->blocks;
    if (block == NULL && size - 1 < LUA_BLOCK_MAX) {
        void **list = list_of(blocks, size);
        void **found = *list;
        if (found != NULL && blocks->used + size <= blocks->limit) {
            *list = *found;
            blocks->kept -= rounded(size);
            blocks->used += size;
            global->GCdebt += (l_mem)size;
            return found;
        }
    } else if (size == 0 && block != NULL && old_size - 1 < LUA_BLOCK_MAX &&
               blocks->kept < blocks->keep) {
        void **list = list_of(blocks, old_size);
        *(void **)block = *list;
        *list = block;
        blocks->kept += rounded(old_size);
        blocks->used -= old_size;
        global->GCdebt -= (l_mem)old_size;
        return NULL;
    }
    return package_realloc(lua, block, old_size, size);
}
