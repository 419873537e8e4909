/* lstate.c, with two changes.
 *
 * Strings are hashed without a seed, as in Redis: then pairs() and cjson.encode() walk tables in
 * the order in which Redis walks them, always.  (The length of what is hashed is bounded by
 * LUAI_HASHLIMIT, which the build sets so that it is all of a string, as in Redis 7.0.)
 *
 * And "goto" is a name like any other. */
#define LUA_CORE

#include <lprefix.h>

#include <lua.h>

#include <llex.h>
#include <lstring.h>

/* The only call makes the seed. */
#define luaS_hash(text, len, seed) 0u

static void release_goto(lua_State *lua)
{
    luaS_newliteral(lua, "goto")->extra = 0;
}

#define luaX_init(lua) ((luaX_init)(lua), release_goto(lua))

#include <lstate.c>
