/* The math library of Lua 5.1, with Redis's dice; see compat.h. */
#include <math.h>

#include "script/compat.h"
#include "script/machine.h"

static int floor_of(lua_State *lua)
{
    lua_pushnumber(lua, floor(luaL_checknumber(lua, 1)));
    return 1;
}

static int ceil_of(lua_State *lua)
{
    lua_pushnumber(lua, ceil(luaL_checknumber(lua, 1)));
    return 1;
}

static int abs_of(lua_State *lua)
{
    lua_pushnumber(lua, fabs(luaL_checknumber(lua, 1)));
    return 1;
}

static int fmod_of(lua_State *lua)
{
    lua_pushnumber(lua, fmod(luaL_checknumber(lua, 1), luaL_checknumber(lua, 2)));
    return 1;
}

static int modf_of(lua_State *lua)
{
    double whole;
    double fraction = modf(luaL_checknumber(lua, 1), &whole);
    lua_pushnumber(lua, whole);
    lua_pushnumber(lua, fraction);
    return 2;
}

static int log_of(lua_State *lua)
{
    lua_pushnumber(lua, log(luaL_checknumber(lua, 1)));
    return 1;
}

static int atan_of(lua_State *lua)
{
    lua_pushnumber(lua, atan(luaL_checknumber(lua, 1)));
    return 1;
}

static int atan2_of(lua_State *lua)
{
    lua_pushnumber(lua, atan2(luaL_checknumber(lua, 1), luaL_checknumber(lua, 2)));
    return 1;
}

static int ldexp_of(lua_State *lua)
{
    compat_cut_argument(lua, 2);
    lua_pushnumber(lua, ldexp(luaL_checknumber(lua, 1), (int)luaL_checkinteger(lua, 2)));
    return 1;
}

static int frexp_of(lua_State *lua)
{
    int exponent;
    lua_pushnumber(lua, frexp(luaL_checknumber(lua, 1), &exponent));
    lua_pushnumber(lua, exponent);
    return 2;
}

static int extreme(lua_State *lua, bool greatest)
{
    int count = lua_gettop(lua);
    lua_Number best = luaL_checknumber(lua, 1);
    for (int i = 2; i <= count; i++) {
        lua_Number other = luaL_checknumber(lua, i);
        if (greatest ? other > best : other < best) {
            best = other;
        }
    }
    lua_pushnumber(lua, best);
    return 1;
}

static int min_of(lua_State *lua)
{
    return extreme(lua, false);
}

static int max_of(lua_State *lua)
{
    return extreme(lua, true);
}

/* A draw from 0 to below 1, by the generator of 48 bits that lrand48() has. */
static lua_Number draw(struct machine *machine)
{
    const uint64_t mask = (UINT64_C(1) << 48) - 1;
    machine->dice = (machine->dice * UINT64_C(0x5deece66d) + 0xb) & mask;
    int64_t number = (int64_t)(machine->dice >> 17);
    return (lua_Number)(number % INT32_MAX) / (lua_Number)INT32_MAX;
}

static int integer_argument(lua_State *lua, int index)
{
    compat_cut_argument(lua, index);
    return (int)luaL_checkinteger(lua, index);
}

static int random_of(lua_State *lua)
{
    lua_Number drawn = draw(machine_of(lua));
    int low = 1, high;
    switch (lua_gettop(lua)) {
    case 0:
        lua_pushnumber(lua, drawn);
        return 1;
    case 1:
        high = integer_argument(lua, 1);
        luaL_argcheck(lua, low <= high, 1, "interval is empty");
        lua_pushnumber(lua, floor(drawn * high) + 1);
        return 1;
    case 2:
        low = integer_argument(lua, 1);
        high = integer_argument(lua, 2);
        luaL_argcheck(lua, low <= high, 2, "interval is empty");
        lua_pushnumber(lua, floor(drawn * ((lua_Number)high - low + 1)) + low);
        return 1;
    default:
        return luaL_error(lua, "wrong number of arguments");
    }
}

static int seed_dice(lua_State *lua)
{
    machine_seed_dice(machine_of(lua), (uint32_t)integer_argument(lua, 1));
    return 0;
}

void compat_open_math(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "abs", abs_of },     { "atan", atan_of },     { "atan2", atan2_of },
        { "ceil", ceil_of },   { "floor", floor_of },   { "fmod", fmod_of },
        { "frexp", frexp_of }, { "ldexp", ldexp_of },   { "log", log_of },
        { "max", max_of },     { "min", min_of },       { "mod", fmod_of },
        { "modf", modf_of },   { "random", random_of }, { "randomseed", seed_dice },
        { NULL, NULL },
    };
    static const char *const unknown[] = { "tointeger", "ult", "maxinteger", "mininteger", "type" };
    lua_pushcfunction(lua, luaopen_math);
    lua_call(lua, 0, 1);
    luaL_setfuncs(lua, functions, 0);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, unknown[i]);
    }
}
