/* What scripts can reach: their globals, which they can't change, and the libraries in them.
 *
 * Redis's Lua can make a table read-only; ours can't, so scripts get an empty table in its place,
 * whose metatable leads readers to the true one and turns writers away.  The functions of the
 * base library that look past metatables know of that. */
#ifndef SCRIPT_SANDBOX_H
#define SCRIPT_SANDBOX_H

#include "script/vm.h"

/* Replaces the table on the top by a read-only one in its place. */
void sandbox_protect(lua_State *lua);

/* Replaces the value at 'index' by the true table when it stands in the place of one. */
bool sandbox_reveal(lua_State *lua, int index);

/* Raises the error that a writer gets. */
int sandbox_refuse(lua_State *lua);

/* The same as an assignment raises it, with the position; a lua_CFunction. */
int sandbox_refuse_assignment(lua_State *lua);

/* Pushes new, empty globals: reading one that is not there raises an error. */
void sandbox_push_globals(lua_State *lua);

/* Puts everything that scripts and functions alike find into the globals on the top. */
void sandbox_open_libraries(lua_State *lua);

#endif
