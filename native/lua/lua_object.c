/* lobject.c, whose numbers are floats (see numbers.h), with the numerals of Lua 5.1: what
 * strtod() reads, so that hexadecimal ones do not wrap around and "inf" is one. */

/* The package's own, which nobody uses then. */
#define luaO_str2num package_str2num
#include "lua/numbers.h"

/* As "%.14g" writes it; a short whole number by hand. */
static int number_to_text(char *text, size_t room, lua_Number number)
{
    lua_Integer whole;
    if (!(number > -1e14 && number < 1e14) || !is_index(number, &whole) ||
        (whole == 0 && signbit(number))) {
        return snprintf(text, room, LUA_NUMBER_FMT, number);
    }
    char digits[16], *at = digits + sizeof digits;
    lua_Unsigned left = whole < 0 ? 0 - l_castS2U(whole) : l_castS2U(whole);
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left != 0);
    if (whole < 0) {
        *--at = '-';
    }
    size_t len = (size_t)(digits + sizeof digits - at);
    memcpy(text, at, len);
    return (int)len;
}

#undef lua_number2str
#define lua_number2str(text, room, number) number_to_text(text, room, number)

#include <lobject.c>
#undef luaO_str2num

LUAI_FUNC size_t luaO_str2num(const char *text, TValue *number);

/* Returns the length of the text with its zero, or 0 when it is no numeral. */
size_t luaO_str2num(const char *text, TValue *number)
{
    char *end;
    lua_Number value = strtod(text, &end);
    if (end == text) {
        return 0;
    }
    while (lisspace(cast_uchar(*end))) {
        end++;
    }
    if (*end != '\0') {
        return 0;
    }
    setfltvalue(number, value);
    return (size_t)(end - text) + 1;
}
