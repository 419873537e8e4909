/* What the parts of the library cjson share: its settings, and the two functions that obey
 * them.  Each table that cjson.new() gives has settings of its own, which are the first upvalue
 * of its functions. */
#ifndef SCRIPT_LIB_CJSON_H
#define SCRIPT_LIB_CJSON_H

#include <stdbool.h>

#include <lua.h>

/* What becomes of nan and inf. */
enum cjson_invalid {
    CJSON_INVALID_REFUSED,
    CJSON_INVALID_ALLOWED,
    CJSON_INVALID_NULL, /* encoding only */
};

struct cjson_settings {
    int encode_sparse_convert; /* a sparse array becomes an object, else an error */
    int encode_sparse_ratio;   /* sparse: the largest index is beyond this many times the count */
    int encode_sparse_safe;    /* and beyond this; a ratio of 0 allows all */
    int encode_max_depth, decode_max_depth;
    int encode_number_precision;
    int encode_keep_buffer; /* accepted; there is no buffer to keep */
    int encode_invalid_numbers, decode_invalid_numbers;
};

/* The settings that the running function has as its first upvalue. */
static inline struct cjson_settings *cjson_settings(lua_State *lua)
{
    return lua_touserdata(lua, lua_upvalueindex(1));
}

/* encode(value): its JSON. */
int lib_cjson_encode(lua_State *lua);

/* decode(text): the value that the JSON says; its nulls are cjson.null. */
int lib_cjson_decode(lua_State *lua);

#endif
