/* lvm.c, whose numbers are floats (see numbers.h), and which is as quick with a float as index
 * of an array as it was with an integer. */
#include "lua/numbers.h"

#include <ltable.h>

static inline const TValue *get(Table *table, const TValue *key)
{
    lua_Integer index;
    if (ttisshrstring(key)) {
        return luaH_getshortstr(table, tsvalue(key));
    }
    if (!ttisfloat(key) || !is_index(fltvalue(key), &index)) {
        return luaH_get(table, key);
    }
    return l_castS2U(index) - 1 < table->sizearray ? &table->array[index - 1]
                                                   : luaH_getint(table, index);
}

#define luaH_get(table, key) get(table, key)

#include <lvm.c>
