/* The table "redis" (and "server") of scripts. */
#ifndef SCRIPT_API_H
#define SCRIPT_API_H

#include "script/vm.h"

/* Leaves a table with everything that scripts and functions have in common. */
void api_open(lua_State *lua);

/* Points the machine's arguments to the strings on the stack, which stay there during the call.
 * False with an error table pushed. */
struct machine;
bool api_take_arguments(lua_State *lua, struct machine *machine, uint32_t count);

/* redis.call and redis.pcall. */
int api_call(lua_State *lua);
int api_pcall(lua_State *lua);

#endif
