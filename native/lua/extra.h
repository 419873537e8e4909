/* What a Lua state has besides what the package gives it.  Whoever makes a state by lua_newstate()
 * passes a pointer to this, all zero but for what is said, as the user's value. */
#ifndef LUA_EXTRA_H
#define LUA_EXTRA_H

#include <stddef.h>

/* The sanitizers are to see each block. */
#ifdef SLAB_PASSTHROUGH
#define LUA_BLOCKS_KEEP 0
#else
#define LUA_BLOCKS_KEEP (1024 * 1024)
#endif

enum { LUA_BLOCK_MAX = 256, LUA_BLOCK_STEP = 8, LUA_UPVALUES = 32 };

/* Small blocks that are free, a list for each size: most of what a script makes is as large as
 * something that the last one has left.  The state's own function is asked for other blocks. */
struct lua_blocks {
    size_t used, limit; /* bytes that Lua has, and that it may have */
    size_t kept, keep;  /* bytes in the lists, and how many may be there: 0, or LUA_BLOCKS_KEEP */
    void *free[LUA_BLOCK_MAX / LUA_BLOCK_STEP]; /* each points to the next one */
};

struct lua_extra {
    struct lua_blocks blocks;
    struct UpVal *upvalues[LUA_UPVALUES]; /* open ones, by the address of the variable; or NULL */
};

#endif
