/* The standard libraries as scripts of Lua 5.1 find them, on the Lua 5.3 that we have.
 *
 * What differs, and is closed here:
 *
 *   base     tonumber and string-to-number as C reads them, load and loadstring (texts only, and
 *            rewritten by source.h), unpack with Redis's limit, next/pairs/ipairs whose keys are
 *            floats, assert with a position, pcall that gives the text of an error table
 *   string   arguments cut to integers ("3.7" is 3), format's %d of a float, gsub and gmatch that
 *            find an empty match behind a match, "%x" in a replacement, gfind
 *   table    getn, maxn, foreach, foreachi, setn; insert and remove outside of the array
 *   math     floor and ceil give floats, atan2, mod, log of one argument; random and
 *            randomseed by the generator that Redis has
 *   all      messages in the words of 5.1 (fault.h)
 *
 * What differs and stays: finalizers are never run; empty statements, a "break" or a call in
 * brackets on a new line are understood where 5.1 refuses them; a yield from a metamethod works; two
 * different "__eq" compare; some messages of the compiler about limits, brackets and "break" and the
 * cut of long chunk names are 5.3's; string.dump gives 5.3's code; zero and minus zero are two
 * constants (5.1 takes the first of a function for both). */
#ifndef SCRIPT_COMPAT_H
#define SCRIPT_COMPAT_H

#include "script/vm.h"

/* Each leaves its table on the stack, or for the base library changes the one on the top. */
void compat_open_base(lua_State *lua);
void compat_open_string(lua_State *lua);
void compat_open_table(lua_State *lua);
void compat_open_math(lua_State *lua);
void compat_open_coroutine(lua_State *lua);

/* string.gsub, gmatch and format, for compat_open_string(). */
int compat_gsub(lua_State *lua);
int compat_gmatch(lua_State *lua);
int compat_format(lua_State *lua);

/* Makes an integer of the number (or numeric string) at 'index', if there is one, as 5.1's
 * functions did of their arguments. */
void compat_cut_argument(lua_State *lua, int index);

/* The C function 'name' of the table on the top, as it is. */
lua_CFunction compat_original(lua_State *lua, const char *name);

#endif
