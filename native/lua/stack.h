/* What is on the stack or comes there, quicker than by the C interface. */
#ifndef LUA_STACK_H
#define LUA_STACK_H

#include <stdbool.h>

#include <lua.h>

#include "base/bytes.h"

/* The strings of the 'count' values from 'index' on, up to the first one that is none; returns how
 * many they are.  Borrowed while they are on the stack. */
size_t lua_strings(lua_State *lua, int index, struct bytes *texts, size_t count);

/* The table at 'index' has had nothing but an array: no field has a name. */
bool lua_is_array(lua_State *lua, int index);

/* Pushes an array of strings.  Those that are in the array at 'known', too, at the same place, are
 * taken from there; the others are put there, but for long ones. */
void lua_push_strings(lua_State *lua, int known, const struct bytes *texts, size_t count);

#endif
