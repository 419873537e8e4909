/* lfunc.c, whose lists of open upvalues are not walked for those that were just used: a script that
 * makes its functions anew each time it runs looks for the same few variables again and again. */
#define LUA_CORE

#include <lprefix.h>

#include <string.h>

#include <lua.h>

#define luaF_findupval package_findupval
#define luaF_close     package_close
#include <lfunc.c>
#undef luaF_findupval
#undef luaF_close

#include "lua/extra.h"

LUAI_FUNC UpVal *luaF_findupval(lua_State *lua, StkId level);
LUAI_FUNC void luaF_close(lua_State *lua, StkId level);

UpVal *luaF_findupval(lua_State *lua, StkId level)
{
    struct lua_extra *extra = G(lua)->ud;
    struct UpVal **place = &extra->upvalues[(size_t)level / sizeof(TValue) % LUA_UPVALUES];
    if (*place == NULL || (*place)->v != level) {
        *place = package_findupval(lua, level);
    }
    return *place;
}

void luaF_close(lua_State *lua, StkId level)
{
    if (lua->openupval != NULL && lua->openupval->v >= level) {
        struct lua_extra *extra = G(lua)->ud;
        memset(extra->upvalues, 0, sizeof extra->upvalues);
        package_close(lua, level);
    }
}
