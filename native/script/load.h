/* Compiles texts of Lua 5.1. */
#ifndef SCRIPT_LOAD_H
#define SCRIPT_LOAD_H

#include "script/vm.h"

/* Pushes the function of 'source', which is rewritten before, with the globals of the registry;
 * or, and then it is false, the message in the words of 5.1.  'name' is as lua_load() takes it:
 * "@user_script".  Compiled code is refused.  May raise when memory is short. */
bool load_source(lua_State *lua, struct bytes source, const char *name);

/* The same for a text that source_rewrite() has been through. */
bool load_rewritten(lua_State *lua, struct bytes text, const char *name);

/* Pushes 'name' as it stands in messages. */
void load_push_name(lua_State *lua, const char *name);

#endif
