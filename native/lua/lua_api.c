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

#include "lua/stack.h"

size_t lua_strings(lua_State *lua, int index, struct bytes *texts, size_t count)
{
    const TValue *at = lua->ci->func + index;
    size_t i = 0;
    for (; i < count && ttisstring(&at[i]); i++) {
        texts[i] = (struct bytes){ svalue(&at[i]), vslen(&at[i]) };
    }
    return i;
}

bool lua_is_array(lua_State *lua, int index)
{
    const TValue *value = lua->ci->func + index;
    return isdummy(hvalue(value));
}

static int is_string(const TValue *value, struct bytes text)
{
    return ttisstring(value) && vslen(value) == text.len &&
           memcmp(svalue(value), text.at, text.len) == 0;
}

void lua_push_strings(lua_State *lua, int known, const struct bytes *texts, size_t count)
{
    lua_createtable(lua, (int)count, 0);
    Table *from = hvalue(lua->ci->func + known), *to = hvalue(lua->top - 1);
    for (size_t i = 0; i < count; i++) {
        struct bytes text = texts[i].len > 0 ? texts[i] : (struct bytes){ "", 0 };
        if (i < from->sizearray && is_string(&from->array[i], text)) {
            setobj2t(lua, &to->array[i], &from->array[i]);
            luaC_barrierback(lua, to, &to->array[i]);
            continue;
        }
        lua_pushlstring(lua, text.at, text.len);
        if (text.len <= LUAI_MAXSHORTLEN) {
            lua_pushvalue(lua, -1);
            lua_rawseti(lua, known, (lua_Integer)i + 1);
        }
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
}
