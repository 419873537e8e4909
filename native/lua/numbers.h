/* Files of this folder stand for files of the package lua-src: each includes one of them, after
 * changing a few of its macros so that what comes out is a Lua 5.3 that behaves as the Lua 5.1 of
 * Redis where scripts can tell.  Nothing of the package is copied here; and nothing outside of
 * this folder knows its private headers.  scripts/sources.js compiles them in their stead.
 *
 * This header is for those that make values.  Lua 5.1 has one kind of number, and integers of
 * 5.3, which wrap around at 2^63, raise errors for "% 0" and print all their digits, must not
 * come to scripts.  So every number that is made, by whatever part of Lua, is a float.  Only
 * tables keep the integers that they make of keys for themselves; lua_table.c gives them out as
 * floats. */
#ifndef LUA_NUMBERS_H
#define LUA_NUMBERS_H

#define LUA_CORE

/* As 5.1 defines it; 5.3 differs for infinite 'b'.  Before the package's own, which gives way. */
#define luai_nummod(L, a, b, m) ((m) = (a) - l_floor((a) / (b)) * (b))

#include <lprefix.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lua.h>

#include <lapi.h>
#include <lobject.h>
#include <lvm.h>

/* Whether a number is a whole one, of those without doubt; then it is in '*index', too. */
static inline int is_index(lua_Number number, lua_Integer *index)
{
    if (!(number >= -0x1p53 && number <= 0x1p53)) {
        return 0;
    }
    *index = (lua_Integer)number;
    return cast_num(*index) == number;
}

#undef setivalue
#define setivalue(obj, x) setfltvalue(obj, cast_num(x))

#endif
