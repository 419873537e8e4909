/* Globals of scripts; see sandbox.h. */
#include "script/sandbox.h"

#include "script/compat.h"
#include "script/fault.h"
#include "script/libraries.h"

/* Its address is the key of the true table in the metatable of one that stands in its place. */
static const char true_table;

static const char refusal[] = "Attempt to modify a readonly table";

int sandbox_refuse(lua_State *lua)
{
    lua_pushstring(lua, refusal);
    return lua_error(lua);
}

int sandbox_refuse_assignment(lua_State *lua)
{
    return luaL_error(lua, refusal);
}

void sandbox_protect(lua_State *lua)
{
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, sandbox_refuse_assignment);
    lua_setfield(lua, -2, "__newindex");
    lua_pushvalue(lua, -3);
    lua_rawsetp(lua, -2, &true_table);
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

bool sandbox_reveal(lua_State *lua, int index)
{
    if (lua_type(lua, index) != LUA_TTABLE || lua_getmetatable(lua, index) == 0) {
        return false;
    }
    bool found = lua_rawgetp(lua, -1, &true_table) == LUA_TTABLE;
    if (found) {
        lua_replace(lua, index);
        lua_pop(lua, 1);
    } else {
        lua_pop(lua, 2);
    }
    return found;
}

static int refuse_missing(lua_State *lua)
{
    if (!lua_isstring(lua, 2)) {
        return luaL_error(lua, "Second argument to luaProtectedTableError must be a string or "
                               "number");
    }
    return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                      lua_tostring(lua, 2));
}

void sandbox_push_globals(lua_State *lua)
{
    lua_newtable(lua);
    lua_createtable(lua, 0, 1);
    lua_pushcfunction(lua, refuse_missing);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
}

/* Of the library that 'open' leaves, in place of it a read-only table as a global. */
static void add_library(lua_State *lua, const char *name, void (*open)(lua_State *lua))
{
    open(lua);
    sandbox_protect(lua);
    lua_setfield(lua, -2, name);
}

static void add_c_library(lua_State *lua, const char *name, lua_CFunction open)
{
    lua_pushcfunction(lua, open);
    lua_pushstring(lua, name);
    lua_call(lua, 1, 1);
    sandbox_protect(lua);
    lua_setfield(lua, -2, name);
}

void sandbox_open_libraries(lua_State *lua)
{
    compat_open_base(lua);
    add_library(lua, "string", compat_open_string);
    /* Methods of strings are found in what can't be changed, too. */
    lua_pushliteral(lua, "");
    (void)lua_getmetatable(lua, -1);
    lua_getfield(lua, -3, "string");
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 2);
    add_library(lua, "table", compat_open_table);
    add_library(lua, "math", compat_open_math);
    add_library(lua, "coroutine", compat_open_coroutine);
    add_c_library(lua, "cjson", script_open_cjson);
    add_c_library(lua, "cmsgpack", script_open_cmsgpack);
    add_c_library(lua, "struct", script_open_struct);
    add_c_library(lua, "bit", script_open_bit);
    lua_pushcfunction(lua, fault_handler);
    lua_setfield(lua, -2, "__redis__err__handler");
}
