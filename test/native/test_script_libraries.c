/* The script libraries in a state of their own, without a server.  What they answer was asked of
 * redis-server 7.0.15; test/differential/corpus/scripting-libraries.txt asks it again. */
#include <pthread.h>

#include "lua_fixture.h"

/* Numbers whole, cjson.null as null, tables by their type. */
static void describe(int index, luaL_Buffer *out)
{
    char number[32];
    if (lua_type(lua, index) == LUA_TNUMBER) {
        snprintf(number, sizeof number, "%.17g", lua_tonumber(lua, index));
        luaL_addstring(out, number);
    } else if (lua_type(lua, index) == LUA_TSTRING) {
        lua_pushvalue(lua, index);
        luaL_addvalue(out);
    } else if (lua_islightuserdata(lua, index)) {
        luaL_addstring(out, "null");
    } else if (lua_isboolean(lua, index)) {
        luaL_addstring(out, lua_toboolean(lua, index) ? "true" : "false");
    } else {
        luaL_addstring(out, luaL_typename(lua, index));
    }
}

/* What a chunk returns, separated by spaces, or its error; borrowed until the next one. */
static struct bytes results_of(const char *chunk)
{
    luaL_Buffer out;
    struct bytes text;
    lua_settop(lua, 0);
    luaL_checkstack(lua, 9000, "results");
    bool failed = luaL_loadbuffer(lua, chunk, strlen(chunk), "@script") != LUA_OK ||
                  lua_pcall(lua, 0, LUA_MULTRET, 0) != LUA_OK;
    int count = lua_gettop(lua);
    luaL_buffinit(lua, &out);
    luaL_addstring(&out, failed ? "error " : "");
    for (int i = 1; i <= count; i++) {
        luaL_addstring(&out, i > 1 ? " " : "");
        describe(i, &out);
    }
    luaL_pushresult(&out);
    text.at = lua_tolstring(lua, -1, &text.len);
    return text;
}

#define CHECK_LUA(chunk, expected)                                                                 \
    check_bytes(__FILE__, __LINE__, chunk, results_of(chunk),                                      \
                (struct bytes){ "" expected, sizeof(expected) - 1 })

/* ---- cjson ------------------------------------------------------------------------- */

static void cjson_writes_numbers_as_redis_does(void)
{
    begin();
    CHECK_LUA("return cjson.encode({0, -0.0, 1, -1, 1.5, 1/3, 1e13, 1e14, 99999999999999, 1e300})",
              "[0,-0,1,-1,1.5,0.33333333333333,10000000000000,1e+14,99999999999999,1e+300]");
    CHECK_LUA("cjson.encode_number_precision(3) return cjson.encode({999, 1000, 1234.5, 0.12345})",
              "[999,1e+03,1.23e+03,0.123]");
    CHECK_LUA("return cjson.encode(0/0)",
              "error script:1: Cannot serialise number: must not be NaN or Inf");
    CHECK_LUA("cjson.encode_invalid_numbers('null') return cjson.encode({0/0, 1/0})",
              "[null,null]");
    CHECK_LUA("cjson.encode_invalid_numbers(true) return cjson.encode({0/0, 1/0, -1/0})",
              "[nan,inf,-inf]");
    end();
}

static void cjson_tells_arrays_from_objects(void)
{
    begin();
    CHECK_LUA("return cjson.encode({}), cjson.encode({1, nil, 3}), cjson.encode({[10] = 1})",
              "{} [1,null,3] [null,null,null,null,null,null,null,null,null,1]");
    CHECK_LUA("return cjson.encode({[0] = 1}), cjson.encode({[1.5] = 1}), cjson.encode({a = 1})",
              "{\"0\":1} {\"1.5\":1} {\"a\":1}");
    CHECK_LUA("return cjson.encode({[2^31] = 1}), cjson.encode({[1e20] = 1})",
              "{\"2147483648\":1} {\"1e+20\":1}");
    CHECK_LUA("return cjson.encode({[11] = 1})",
              "error script:1: Cannot serialise table: excessively sparse array");
    CHECK_LUA("cjson.encode_sparse_array(true) return cjson.encode({[11] = 1})", "{\"11\":1}");
    CHECK_LUA("cjson.encode_sparse_array(false, 0) return #cjson.encode({[11] = 1})", "53");
    CHECK_LUA("return cjson.encode({[true] = 1})",
              "error script:1: Cannot serialise boolean: table key must be a number or string");
    CHECK_LUA("return cjson.encode({tostring})",
              "error script:1: Cannot serialise function: type not supported");
    end();
}

static void cjson_escapes_and_reads_escapes(void)
{
    begin();
    CHECK_LUA("return cjson.encode('a/\"\\\\\\n\\t\\0\\31\\127\\200')",
              "\"a\\/\\\"\\\\\\n\\t\\u0000\\u001f\\u007f\xc8\"");
    CHECK_LUA("return cjson.decode('\"\\\\u0041\\\\u00DF\\\\u6771\\\\uD834\\\\uDD1E\\\\/\\\\b\"')",
              "A\xc3\x9f\xe6\x9d\xb1\xf0\x9d\x84\x9e/\b");
    CHECK_LUA("return cjson.decode('\"\\\\u0000\"')", "\0");
    CHECK_LUA(
        "return cjson.decode('\"ab\\\\uD834\"')",
        "error script:1: Expected value but found invalid unicode escape code at character 4");
    CHECK_LUA(
        "return cjson.decode('\"\\\\uDD1E\\\\uD834\"')",
        "error script:1: Expected value but found invalid unicode escape code at character 2");
    CHECK_LUA("return cjson.decode('\"\\\\x\"')",
              "error script:1: Expected value but found invalid escape code at character 2");
    CHECK_LUA("return cjson.decode('\"abc')",
              "error script:1: Expected value but found unexpected end of string at character 5");
    end();
}

static void cjson_reads_what_strtod_reads(void)
{
    begin();
    CHECK_LUA("return cjson.decode('0x10'), cjson.decode('010'), cjson.decode('+1.5e1')",
              "16 10 15");
    CHECK_LUA("return cjson.decode('-0'), cjson.decode('-INFinity'), cjson.decode('1e999')",
              "-0 -inf inf");
    CHECK_LUA("return cjson.decode('123456789012345'), cjson.decode('1234567890123456789')",
              "123456789012345 1.2345678901234568e+18");
    CHECK_LUA("return cjson.decode('[1e]')",
              "error script:1: Expected comma or array end but found invalid token at character 3");
    CHECK_LUA("return cjson.decode('-')",
              "error script:1: Expected value but found invalid number at character 1");
    CHECK_LUA("cjson.decode_invalid_numbers(false) return cjson.decode('0x10')",
              "error script:1: Expected value but found invalid number at character 1");
    CHECK_LUA("return cjson.decode('[nan]')",
              "error script:1: Expected value but found invalid token at character 2");
    end();
}

static void cjson_names_what_it_did_not_expect(void)
{
    begin();
    CHECK_LUA("return cjson.decode('')",
              "error script:1: Expected value but found T_END at character 1");
    CHECK_LUA("return cjson.decode('{\"a\" 1}')",
              "error script:1: Expected colon but found T_NUMBER at character 6");
    CHECK_LUA("return cjson.decode('{\"a\":1]')",
              "error script:1: Expected comma or object end but found T_ARR_END at character 7");
    CHECK_LUA("return cjson.decode('{1:1}')",
              "error script:1: Expected object key string but found T_NUMBER at character 2");
    CHECK_LUA("return cjson.decode('[1] true')",
              "error script:1: Expected the end but found T_BOOLEAN at character 5");
    CHECK_LUA("return cjson.decode('1\\0')",
              "error script:1: JSON parser does not support UTF-16 or UTF-32");
    CHECK_LUA("return cjson.encode()",
              "error script:1: bad argument #1 to 'encode' (expected 1 argument)");
    CHECK_LUA("return cjson.decode(cjson.null)",
              "error script:1: bad argument #1 to 'decode' (string expected, got userdata)");
    CHECK_LUA("return cjson.decode('null'), cjson.decode('[[],{}]')", "null table");
    end();
}

static void cjson_keeps_settings_per_instance(void)
{
    begin();
    CHECK_LUA("local a = cjson.new() a.encode_max_depth(2) a.decode_max_depth(7) "
              "return cjson.encode_max_depth(), a.encode_max_depth(), a.decode_max_depth(), "
              "a.new().encode_max_depth()",
              "1000 2 7 1000");
    CHECK_LUA("return cjson.encode_sparse_array(), cjson.encode_keep_buffer('off')", "false false");
    CHECK_LUA("return cjson.encode_sparse_array()", "false 2 10");
    CHECK_LUA("return cjson.encode_number_precision(15)",
              "error script:1: bad argument #1 to 'encode_number_precision' "
              "(expected integer between 1 and 14)");
    CHECK_LUA(
        "return cjson.encode_invalid_numbers('maybe')",
        "error script:1: bad argument #1 to 'encode_invalid_numbers' (invalid option 'maybe')");
    CHECK_LUA("return cjson.encode_max_depth(1, 2)",
              "error script:1: bad argument #2 to 'encode_max_depth' (found too many arguments)");
    end();
}

static void cjson_limits_depth(void)
{
    begin();
    CHECK_LUA("return cjson.decode(('['):rep(1001))",
              "error script:1: Found too many nested data structures (1001) at character 1001");
    CHECK_LUA("local t = {} t[1] = t return cjson.encode(t)",
              "error script:1: Cannot serialise, excessive nesting (1001)");
    CHECK_LUA("cjson.encode_max_depth(2^31 - 1) local t = {} t[1] = t return cjson.encode(t)",
              "error script:1: Cannot serialise, excessive nesting (7998)");
    CHECK_LUA("local t = {} t.t = t return cjson.encode(t)",
              "error script:1: Cannot serialise, excessive nesting (4000)");
    CHECK_LUA("cjson.decode_max_depth(2^31 - 1) return cjson.decode(('['):rep(9000))",
              "error script:1: Found too many nested data structures (7999) at character 7999");
    CHECK_LUA("return cjson.decode(('{\"a\":'):rep(9000))",
              "error script:1: Found too many nested data structures (4000) at character 19996");
    end();
}

/* ---- cmsgpack ---------------------------------------------------------------------- */

static void cmsgpack_takes_the_shortest_form(void)
{
    begin();
    CHECK_LUA("return cmsgpack.pack(0, 127, 128, 256, 65536, 2^32, -1, -33, -129, -32769)",
              "\x00\x7f\xcc\x80\xcd\x01\x00\xce\x00\x01\x00\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00"
              "\xff\xd0\xdf\xd1\xff\x7f\xd2\xff\xff\x7f\xff");
    CHECK_LUA("return cmsgpack.pack(1.5, 0.1, 2^63, 1.0)",
              "\xca\x3f\xc0\x00\x00\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a\xca\x5f\x00\x00\x00\x01");
    CHECK_LUA("return cmsgpack.pack(nil, true, false, 'ab', tostring)", "\xc0\xc3\xc2\xa2"
                                                                        "ab\xc0");
    CHECK_LUA("return cmsgpack.pack({}, {1, 2}, {a = 1}, {[2] = 1}, {1, nil, 3})",
              "\x90\x92\x01\x02\x81\xa1\x61\x01\x81\x02\x01\x82\x01\x01\x03\x03");
    CHECK_LUA("return cmsgpack.pack(('x'):rep(32)):sub(1, 2), #cmsgpack.pack(('x'):rep(65536))",
              "\xd9\x20 65541");
    CHECK_LUA("local t = {} t[1] = t return cmsgpack.pack(t)",
              "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0");
    CHECK_LUA("return cmsgpack.pack()",
              "error script:1: bad argument #0 to 'pack' (MessagePack pack needs input.)");
    end();
}

static void cmsgpack_unpacks_every_form(void)
{
    begin();
    CHECK_LUA("return cmsgpack.unpack('\\192\\194\\195\\127\\224\\255')",
              "nil false true 127 -32 -1");
    CHECK_LUA("return cmsgpack.unpack('\\208\\128\\209\\128\\0\\210\\128\\0\\0\\0\\205\\255\\254')",
              "-128 -32768 -2147483648 65534");
    CHECK_LUA("return cmsgpack.unpack('\\207\\255\\255\\255\\255\\255\\255\\255\\255')", "-1");
    CHECK_LUA("return cmsgpack.unpack('\\217\\1a\\218\\0\\1b\\219\\0\\0\\0\\1c')", "a b c");
    CHECK_LUA(
        "return cjson.encode({cmsgpack.unpack('\\220\\0\\1\\129\\1\\2\\222\\0\\1\\161a\\144')})",
        "[[[2]],{\"a\":{}}]");
    end();
}

static void cmsgpack_refuses_what_is_cut_or_unknown(void)
{
    begin();
    CHECK_LUA("return cmsgpack.unpack('\\147\\1\\2')", "error script:1: Missing bytes in input.");
    CHECK_LUA("return cmsgpack.unpack('\\221\\255\\255\\255\\255\\1')",
              "error script:1: Missing bytes in input.");
    CHECK_LUA("return cmsgpack.unpack('\\1\\193')", "error script:1: Bad data format in input.");
    CHECK_LUA("return cmsgpack.unpack('\\129\\192\\1')", "error table index is nil");
    CHECK_LUA("return cmsgpack.unpack(('\\145'):rep(9000))",
              "error script:1: stack overflow (in function mp_decode_to_lua_array)");
    CHECK_LUA("return select('#', cmsgpack.unpack(('\\1'):rep(7999))) - 7999", "0");
    end();
}

static void cmsgpack_unpacks_piece_by_piece(void)
{
    begin();
    CHECK_LUA("return cmsgpack.unpack_one('\\1\\2\\3')", "1 1");
    CHECK_LUA("return cmsgpack.unpack_one('\\1\\2\\3', 2)", "-1 3");
    CHECK_LUA("return cmsgpack.unpack_one('')", "-1");
    CHECK_LUA("return cmsgpack.unpack_limit('\\1\\2\\3', 2)", "2 1 2");
    CHECK_LUA("return cmsgpack.unpack_limit('\\1\\2\\3', 5, 1)", "-1 2 3");
    CHECK_LUA("return cmsgpack.unpack_limit('\\1\\2\\3', 0, 0)", "1 2 3");
    CHECK_LUA("return cmsgpack.unpack_one('\\1', 2)",
              "error script:1: Start offset 2 greater than input length 1.");
    CHECK_LUA("return cmsgpack.unpack_one('\\1', -1)",
              "error script:1: Invalid request to unpack with offset of -1 and limit of 1.");
    end();
}

/* ---- struct and bit ---------------------------------------------------------------- */

static void struct_packs_integers_in_both_orders(void)
{
    begin();
    CHECK_LUA("return struct.pack('>h<hBi3', 258, 258, -1, -2)",
              "\x01\x02\x02\x01\xff\xfe\xff\xff");
    CHECK_LUA("return struct.pack('L', 2^63), struct.pack('L', 2^64), struct.pack('l', -2^64)",
              "\0\0\0\0\0\0\0\x80 \0\0\0\0\0\0\0\0 \0\0\0\0\0\0\0\x80");
    CHECK_LUA("return struct.unpack('>i3I3', '\\255\\255\\254\\255\\255\\254')", "-2 16777214 7");
    CHECK_LUA("return struct.unpack('L', '\\255\\255\\255\\255\\255\\255\\255\\255')",
              "1.8446744073709552e+19 9");
    CHECK_LUA("return struct.pack('i33', 1)",
              "error script:1: integral size 33 is larger than limit of 32");
    CHECK_LUA("return struct.pack('i2147483648', 1)", "error script:1: integral size overflow");
    CHECK_LUA("return struct.pack('z', 1)",
              "error script:1: bad argument #1 to 'pack' (invalid format option 'z')");
    end();
}

static void struct_aligns(void)
{
    begin();
    CHECK_LUA("return struct.pack('!bi', 1, 2), struct.pack('!2bi', 1, 2)",
              "\1\0\0\0\2\0\0\0 \1\0\2\0\0\0");
    CHECK_LUA("return struct.size('!bhild'), struct.size('bhild'), struct.size('!4bi3')",
              "24 23 6");
    CHECK_LUA("return struct.unpack('!4i', '\\1\\0\\0\\0\\5\\0\\0\\0', 2)", "5 9");
    CHECK_LUA("return struct.pack('!3b', 1)", "error script:1: alignment 3 is not a power of 2");
    end();
}

static void struct_packs_strings(void)
{
    begin();
    CHECK_LUA("return struct.pack('sc0c2', 'ab', 'cd', 'efg')", "ab\0cdef");
    CHECK_LUA("return struct.unpack('sBc0xc', 'ab\\0\\2cd_e')", "ab cd e 9");
    CHECK_LUA("return struct.pack('c4', 'abc')",
              "error script:1: bad argument #3 to 'pack' (string too short)");
    CHECK_LUA("return struct.unpack('Bc0', '\\5abc')",
              "error script:1: bad argument #2 to 'unpack' (data string too short)");
    CHECK_LUA("return struct.unpack('s', 'abc')", "error script:1: unfinished string in data");
    CHECK_LUA("return struct.unpack('b', 'abc', 0)",
              "error script:1: bad argument #3 to 'unpack' (offset must be 1 or greater)");
    CHECK_LUA("return struct.size('s')",
              "error script:1: bad argument #1 to 'size' (option 's' has no fixed size)");
    end();
}

static void bit_wraps_around(void)
{
    begin();
    CHECK_LUA("return bit.tobit(2^31), bit.tobit(2^32 + 5), bit.tobit(1.5), bit.tobit(2.5)",
              "-2147483648 5 2 2");
    CHECK_LUA("return bit.bnot(0), bit.band(255, 15), bit.bor(1, 2, 4), bit.bxor(5, 3, 1)",
              "-1 15 7 7");
    CHECK_LUA("return bit.lshift(1, 33), bit.rshift(-1, 31), bit.arshift(-256, 8), "
              "bit.arshift(-1, 32)",
              "2 1 -1 -1");
    CHECK_LUA("return bit.rol(1, 31), bit.ror(1, 1), bit.rol(5, 32), bit.bswap(0x12345678)",
              "-2147483648 -2147483648 5 2018915346");
    CHECK_LUA("return bit.tohex(255, 4), bit.tohex(255, -4), bit.tohex(-1), bit.tohex(1, 99)",
              "00ff 00FF ffffffff 00000001");
    CHECK_LUA("return bit.band(1, nil)",
              "error script:1: bad argument #2 to 'band' (number expected, got nil)");
    end();
}

/* Lua 5.1 has no other numbers: what comes out must not overflow as integers do. */
static void all_numbers_are_floats(void)
{
    begin();
    static const char chunk[] =
        "local a = cjson.decode('[1,2.5]') "
        "return a[1], cjson.encode_max_depth(), cmsgpack.unpack_one('\\1\\2'), "
        "cmsgpack.unpack('\\204\\1\\255'), struct.size('i'), struct.unpack('bB', '\\1\\2'), "
        "bit.bor(1, 2), select(2, cjson.encode_sparse_array())";
    CHECK_INT(luaL_loadbuffer(lua, chunk, strlen(chunk), "@script"), LUA_OK);
    CHECK_INT(lua_pcall(lua, 0, LUA_MULTRET, 0), LUA_OK);
    CHECK_INT(lua_gettop(lua), 9);
    for (int i = 1; i <= lua_gettop(lua); i++) {
        CHECK(lua_type(lua, i) == LUA_TNUMBER && !lua_isinteger(lua, i));
    }
    lua_settop(lua, 0);
    end();
}

/* ---- memory and stack -------------------------------------------------------------- */

/* Whatever the library was doing when memory ran out, nothing is lost and it works again. */
static void memory_that_is_short_is_an_error(void)
{
    begin();
    CHECK_LUA("big = {} for i = 1, 500 do big[i] = ('\\1'):rep(i) end "
              "text = cjson.encode(big) packed = cmsgpack.pack(big)",
              "");
    size_t used = memory.used;
    for (size_t extra = 1; extra < 4000000; extra += extra / 3 + 1000) {
        memory.limit = used + extra;
        results_of("return #cjson.encode(big)");
        results_of("return #cjson.decode(text)");
        results_of("return #cmsgpack.unpack(packed)");
        results_of("return #cmsgpack.pack(big)");
        results_of("return #struct.pack(('c0'):rep(30), ('x'):rep(100000))");
    }
    lua_gc(lua, LUA_GCCOLLECT, 0);
    memory.limit = memory.used + 100000;
    CHECK_LUA("return cjson.encode(big)", "error not enough memory");
    memory.limit = 0;
    CHECK_LUA("return #cjson.encode(big), #cmsgpack.pack(big), #cjson.decode(text)",
              "753001 126467 500");
    end();
}

/* With what musl gives a thread. */
static void *go_deep(void *user)
{
    (void)user;
    CHECK_LUA("cjson.encode_max_depth(9999) cjson.decode_max_depth(9999) "
              "local t = cjson.decode(('['):rep(7997) .. (']'):rep(7997)) "
              "return #cjson.encode(t)",
              "15994");
    CHECK_LUA("return (#cmsgpack.unpack(('\\145'):rep(3998) .. '\\1'))", "1");
    return NULL;
}

static void depth_takes_no_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    begin();
    CHECK_INT(pthread_attr_init(&attributes), 0);
    CHECK_INT(pthread_attr_setstacksize(&attributes, (size_t)128 * 1024), 0);
    CHECK_INT(pthread_create(&thread, &attributes, go_deep, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    end();
}

int main(void)
{
    RUN_TEST(cjson_writes_numbers_as_redis_does);
    RUN_TEST(cjson_tells_arrays_from_objects);
    RUN_TEST(cjson_escapes_and_reads_escapes);
    RUN_TEST(cjson_reads_what_strtod_reads);
    RUN_TEST(cjson_names_what_it_did_not_expect);
    RUN_TEST(cjson_keeps_settings_per_instance);
    RUN_TEST(cjson_limits_depth);
    RUN_TEST(cmsgpack_takes_the_shortest_form);
    RUN_TEST(cmsgpack_unpacks_every_form);
    RUN_TEST(cmsgpack_refuses_what_is_cut_or_unknown);
    RUN_TEST(cmsgpack_unpacks_piece_by_piece);
    RUN_TEST(struct_packs_integers_in_both_orders);
    RUN_TEST(struct_aligns);
    RUN_TEST(struct_packs_strings);
    RUN_TEST(bit_wraps_around);
    RUN_TEST(all_numbers_are_floats);
    RUN_TEST(memory_that_is_short_is_an_error);
    RUN_TEST(depth_takes_no_stack);
    return check_done();
}
