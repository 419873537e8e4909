/* The Lua C interface, for the files of this folder alone: whatever engine runs scripts, nobody
 * outside of script/ knows. */
#ifndef SCRIPT_VM_H
#define SCRIPT_VM_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/bytes.h"

/* Pushes a copy of 'text'.  May raise, when memory is short. */
static inline void vm_push_bytes(lua_State *lua, struct bytes text)
{
    (void)lua_pushlstring(lua, text.len > 0 ? text.at : "", text.len);
}

/* The string at 'index' (a number there becomes one), borrowed while it is on the stack. */
static inline struct bytes vm_bytes(lua_State *lua, int index)
{
    struct bytes text;
    text.at = lua_tolstring(lua, index, &text.len);
    return text;
}

#endif
