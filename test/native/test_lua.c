/* What native/lua changes of the package's Lua: the words of Redis's Lua 5.1 come back.  Without
 * script/, whose libraries do the rest. */
#include "lua_fixture.h"

/* Leaves what a chunk returns, or its error, on the stack. */
static void run(const char *chunk)
{
    lua_settop(lua, 0);
    (void)(luaL_loadbuffer(lua, chunk, strlen(chunk), "@script") != LUA_OK ||
           lua_pcall(lua, 0, 1, 0) != LUA_OK);
}

static const char *result_of(const char *chunk)
{
    run(chunk);
    return lua_tostring(lua, -1);
}

static void no_number_is_an_integer(void)
{
    static const char *const numbers[] = {
        "1",
        "0xff",
        "#'abc'",
        "#{1}",
        "1 + 1",
        "7 % 2",
        "-(3)",
        "('abc'):len()",
        "5 // 2",
        "5 & 3",
        "~5",
        "1 << 2",
        "('b'):byte()",
        "('b'):find('b')",
        "'10' + 1",
        "next({1})",
        "next({[100] = 1})",
        "select('#')",
        "tonumber('7')",
        "tonumber('f', 16)",
    };
    begin();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char chunk[64];
        snprintf(chunk, sizeof chunk, "return (%s)", numbers[i]);
        run(chunk);
        if (lua_type(lua, -1) != LUA_TNUMBER || lua_isinteger(lua, -1)) {
            check_fail(__FILE__, __LINE__, numbers[i]);
        }
    }
    CHECK_TEXT(result_of("for i, v in ipairs({1}) do return i .. v end"), "11");
    CHECK_TEXT(result_of("for k in pairs({10, 20, [9] = 1, [-1] = 1}) do s = (s or '') .. k end "
                         "return s"),
               "129-1");
    end();
}

static void numbers_neither_wrap_nor_raise(void)
{
    begin();
    CHECK_TEXT(result_of("return 9223372036854775807 + 1 .. ''"), "9.2233720368548e+18");
    CHECK_TEXT(result_of("return 0x1ffffffffffffffff .. ''"), "3.6893488147419e+19");
    CHECK_TEXT(result_of("return 123456789012345 .. ' ' .. 12345678901234 .. ' ' .. -0.5"),
               "1.2345678901234e+14 12345678901234 -0.5");
    CHECK_TEXT(result_of("return 1e14 .. ' ' .. 99999999999999 .. ' ' .. -99999999999999"),
               "1e+14 99999999999999 -99999999999999");
    CHECK_TEXT(result_of("local z = 0 return tostring(5 % z == 5 % z) .. -z"), "false-0");
    CHECK_TEXT(result_of("return tostring(5 % (1 / 0) == 5 % (1 / 0))"), "false");
    CHECK_TEXT(result_of("return -7 % 3 .. ' ' .. 7 % -3 .. ' ' .. 5.5 % 2"), "2 -2 1.5");
    CHECK_TEXT(result_of("return ('x'):rep(2.9) .. ('abc'):sub(-2.5, 2.7)"), "xxb");
    CHECK_TEXT(result_of("return tonumber('inf') .. tonumber('0x1p4') .. tonumber(' 0x10 ')"),
               "inf1616");
    end();
}

static void tables_are_walked_in_the_order_of_redis(void)
{
    begin();
    CHECK_TEXT(result_of("return cjson.encode({a = 1, b = 2, c = 3, id = 4, name = 5})"),
               "{\"a\":1,\"c\":3,\"b\":2,\"id\":4,\"name\":5}");
    CHECK_TEXT(result_of("local t = {} for i = 1, 12 do t['key:' .. i] = i end "
                         "local s = '' for k, v in pairs(t) do s = s .. v .. ' ' end return s"),
               "6 5 1 7 2 12 4 11 10 3 9 8 ");
    CHECK_TEXT(result_of("local t = {} for i = 1, 12 do t[i * 37] = i end "
                         "local s = '' for k, v in pairs(t) do s = s .. v .. ' ' end return s"),
               "3 6 5 4 8 12 1 10 11 9 7 2 ");
    CHECK_TEXT(result_of("local t = {} for i = 1, 6 do t[i / 4] = i t[('x'):rep(30 + i)] = -i end "
                         "local s = '' for k, v in pairs(t) do s = s .. v .. ' ' end return s"),
               "4 -1 1 2 -4 5 3 -3 -6 6 -5 -2 ");
    end();
}

static void walking_skips_what_is_removed(void)
{
    begin();
    CHECK_TEXT(result_of("local t = {} for i = 1, 9 do t[i] = i t[i * 1000] = i end "
                         "local n = 0 for k, v in pairs(t) do t[k] = nil n = n + v end "
                         "return n .. ' ' .. tostring(next(t))"),
               "90 nil");
    CHECK_TEXT(result_of("return (select(2, pcall(next, {}, 1)))"), "invalid key to 'next'");
    end();
}

static void goto_is_a_name(void)
{
    begin();
    CHECK_TEXT(result_of("local goto = {goto = 'a'} goto.goto = goto.goto .. 'b' "
                         "for i = 1, 3 do if i == 2 then break end end return goto.goto"),
               "ab");
    end();
}

int main(void)
{
    RUN_TEST(no_number_is_an_integer);
    RUN_TEST(numbers_neither_wrap_nor_raise);
    RUN_TEST(tables_are_walked_in_the_order_of_redis);
    RUN_TEST(walking_skips_what_is_removed);
    RUN_TEST(goto_is_a_name);
    return check_done();
}
