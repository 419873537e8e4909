/* The library bit: operations on 32-bit integers that wrap around. */
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

#include "script/lib_arg.h"
#include "script/libraries.h"

/* The number's low 32 bits, rounded to an integer first.  Adding 1.5 * 2^52 leaves just
 * these in the low half of the sum; and numbers too large for that come out as in Redis. */
static uint32_t bits_of(lua_State *lua, int arg)
{
    double sum = lib_arg_number(lua, arg) + 0x1.8p52;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return (uint32_t)bits;
}

static int give(lua_State *lua, uint32_t bits)
{
    lua_pushnumber(lua, (int32_t)bits);
    return 1;
}

static int bit_tobit(lua_State *lua)
{
    return give(lua, bits_of(lua, 1));
}

static int bit_bnot(lua_State *lua)
{
    return give(lua, ~bits_of(lua, 1));
}

/* The last arguments are read first: they are refused first. */
static int bit_band(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1);
    for (int arg = lua_gettop(lua); arg > 1; arg--) {
        bits &= bits_of(lua, arg);
    }
    return give(lua, bits);
}

static int bit_bor(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1);
    for (int arg = lua_gettop(lua); arg > 1; arg--) {
        bits |= bits_of(lua, arg);
    }
    return give(lua, bits);
}

static int bit_bxor(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1);
    for (int arg = lua_gettop(lua); arg > 1; arg--) {
        bits ^= bits_of(lua, arg);
    }
    return give(lua, bits);
}

static int bit_lshift(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1);
    return give(lua, bits << (bits_of(lua, 2) & 31));
}

static int bit_rshift(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1);
    return give(lua, bits >> (bits_of(lua, 2) & 31));
}

static int bit_arshift(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1), by = bits_of(lua, 2) & 31;
    uint32_t sign = bits >> 31 != 0 ? ~(UINT32_MAX >> by) : 0;
    return give(lua, bits >> by | sign);
}

static int bit_rol(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1), by = bits_of(lua, 2) & 31;
    return give(lua, bits << by | bits >> ((32 - by) & 31));
}

static int bit_ror(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1), by = bits_of(lua, 2) & 31;
    return give(lua, bits >> by | bits << ((32 - by) & 31));
}

static int bit_bswap(lua_State *lua)
{
    return give(lua, __builtin_bswap32(bits_of(lua, 1)));
}

/* tohex(bits [, digits]): the lowest digits; in capitals when their count is negative. */
static int bit_tohex(lua_State *lua)
{
    uint32_t bits = bits_of(lua, 1);
    int32_t count = lua_isnone(lua, 2) ? 8 : (int32_t)bits_of(lua, 2);
    const char *digits = count < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
    uint32_t len = count < 0 ? 0 - (uint32_t)count : (uint32_t)count;
    char text[8];
    len = len > sizeof text ? sizeof text : len;
    for (uint32_t i = len; i > 0; i--) {
        text[i - 1] = digits[bits & 15];
        bits >>= 4;
    }
    lua_pushlstring(lua, text, len);
    return 1;
}

int script_open_bit(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        { "tobit", bit_tobit },   { "bnot", bit_bnot },       { "band", bit_band },
        { "bor", bit_bor },       { "bxor", bit_bxor },       { "lshift", bit_lshift },
        { "rshift", bit_rshift }, { "arshift", bit_arshift }, { "rol", bit_rol },
        { "ror", bit_ror },       { "bswap", bit_bswap },     { "tohex", bit_tohex },
        { NULL, NULL },
    };
    luaL_newlib(lua, functions);
    return 1;
}
