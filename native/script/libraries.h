/* The libraries that Redis gives its scripts besides Lua's own: cjson, cmsgpack, struct and
 * bit.  Each function below is a lua_CFunction that leaves the library's table on the stack;
 * who calls it decides under which name scripts see it.
 *
 * All of them behave as those of redis-server 7.0, to the texts of their errors.  They know
 * numbers as Lua 5.1 did: what they push is always a float, and what they are given counts
 * by its value.  Nothing is kept outside of the Lua state: settings are the upvalues of the
 * functions that use them, and memory is asked of the state, so that an error, which leaves
 * by longjmp(), leaks nothing. */
#ifndef SCRIPT_LIBRARIES_H
#define SCRIPT_LIBRARIES_H

#include <lua.h>

/* Each leaves its library as a table on the stack, as Lua's own luaopen_ functions do. */
int script_open_cjson(lua_State *lua);
int script_open_cmsgpack(lua_State *lua);
int script_open_struct(lua_State *lua);
int script_open_bit(lua_State *lua);

#endif
