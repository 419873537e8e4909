/* lvm.c, whose numbers are floats (see numbers.h), and which is as quick with a float as index
 * of an array as it was with an integer.  Some metamethods are those of Lua 5.1. */
#include "lua/numbers.h"

#include <ldebug.h>
#include <ldo.h>
#include <lopcodes.h>
#include <lstate.h>
#include <ltable.h>
#include <ltm.h>

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

/* Tables have no "__len" in 5.1. */
#undef fasttm
#define fasttm(lua, metatable, event) ((event) == TM_LEN ? NULL : gfasttm(G(lua), metatable, event))

/* And values of different types have no order, whatever their metatables say. */
#define luaT_callorderTM(lua, left, right, event)                                                  \
    (ttnov(left) != ttnov(right) ? -1 : (luaT_callorderTM)(lua, left, right, event))

/* Scripts are watched by counting their turns, jumps and calls, without which nothing runs for
 * long, and not each instruction: the mask is there only while the count has come to its end. */
static inline void count_turn(lua_State *lua)
{
    if (lua->hookcount > 1) {
        lua->hookcount--;
    } else if (lua->hook != NULL) {
        lua->hookmask = LUA_MASKCOUNT;
    }
}

#undef GETARG_sBx
#define GETARG_sBx(i)                        (count_turn(L), GETARG_Bx(i) - MAXARG_sBx)
#define luaD_precall(lua, function, results) (count_turn(lua), luaD_precall(lua, function, results))

#define luaG_traceexec(lua)                                                                        \
    ((lua)->hookcount > 1 ? (void)((lua)->hookmask = 0) : (luaG_traceexec)(lua))

#include <lvm.c>
