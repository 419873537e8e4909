/* ltable.c, whose keys that are numbers have the places in the hash part that they have in
 * Lua 5.1, so that tables are walked in the same order; and which come out as floats (see
 * numbers.h). */
#include "lua/numbers.h"

#include <limits.h>

#include <lstate.h>
#include <ltable.h>

/* Here alone integers are made. */
#undef setivalue
#define setivalue(obj, x) set_integer(obj, x)

static inline void set_integer(TValue *value, lua_Integer integer)
{
    val_(value).i = integer;
    settt_(value, LUA_TNUMINT);
}

/* The two halves of the number's bits together; 0 and -0 are the same key. */
static unsigned int hash_of_number(lua_Number number)
{
    unsigned int halves[2];
    if (number == 0) {
        return 0;
    }
    memcpy(halves, &number, sizeof halves);
    return halves[0] + halves[1];
}

static int place_of_number(lua_Number number, int size)
{
    return cast_int(hash_of_number(number) % (unsigned int)((size - 1) | 1));
}

#define l_hashfloat(number) hash_of_number(number)

/* Integers alone are hashed as such: strings and booleans have other types. */
#undef lmod
#define lmod(hash, size)                                                                           \
    _Generic((hash),                                                                               \
        lua_Integer: place_of_number(cast_num(hash), size),                                        \
        default: cast_int((hash) & ((size) - 1)))

#define luaH_next package_next
#include <ltable.c>
#undef luaH_next

LUAI_FUNC int luaH_next(lua_State *lua, Table *table, StkId key);

/* The array is walked here, quicker than by way of integers; the rest is the package's. */
int luaH_next(lua_State *lua, Table *table, StkId key)
{
    lua_Integer index = 0;
    if (ttisnil(key) || (ttisfloat(key) && is_index(fltvalue(key), &index) &&
                         l_castS2U(index) - 1 < table->sizearray)) {
        for (unsigned int i = (unsigned int)index; i < table->sizearray; i++) {
            if (!ttisnil(&table->array[i])) {
                setfltvalue(key, cast_num(i + 1));
                setobj2s(lua, key + 1, &table->array[i]);
                return 1;
            }
        }
        if (table->sizearray > 0) {
            set_integer(key, table->sizearray);
        }
    } else if (ttisfloat(key) && luaV_tointeger(key, &index, 0)) {
        set_integer(key, index);
    }
    int more = package_next(lua, table, key);
    if (more && ttisinteger(key)) {
        setfltvalue(key, cast_num(ivalue(key)));
    }
    return more;
}
