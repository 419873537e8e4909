/* lapi.c, whose numbers are floats; see numbers.h.  Where a function wants an integer it gets
 * one as in Lua 5.1, cut off from whatever number it was given. */
#include "lua/numbers.h"

/* The integer, or the least there is for what has none, as x86-64 converts. */
static int cut_to_integer(const TValue *value, lua_Integer *integer)
{
    lua_Number number;
    if (!tonumber(value, &number)) {
        return 0;
    }
    *integer = number >= -0x1p63 && number < 0x1p63 ? (lua_Integer)number : LUA_MININTEGER;
    return 1;
}

#undef tointeger
#define tointeger(value, integer) cut_to_integer(value, integer)

#include <lapi.c>
