/* What the two halves of the library cmsgpack share: the first bytes of MessagePack's
 * values, and the functions that scripts see. */
#ifndef SCRIPT_LIB_CMSGPACK_H
#define SCRIPT_LIB_CMSGPACK_H

#include <lua.h>

enum msgpack {
    MSGPACK_FIXMAP = 0x80,   /* to 0x8f, the low bits are the count */
    MSGPACK_FIXARRAY = 0x90, /* to 0x9f */
    MSGPACK_FIXSTR = 0xa0,   /* to 0xbf, the low bits are the length */
    MSGPACK_NIL = 0xc0,
    MSGPACK_FALSE = 0xc2,
    MSGPACK_TRUE = 0xc3,
    MSGPACK_FLOAT = 0xca,
    MSGPACK_DOUBLE = 0xcb,
    MSGPACK_UINT8 = 0xcc,
    MSGPACK_UINT16 = 0xcd,
    MSGPACK_UINT32 = 0xce,
    MSGPACK_UINT64 = 0xcf,
    MSGPACK_INT8 = 0xd0,
    MSGPACK_INT16 = 0xd1,
    MSGPACK_INT32 = 0xd2,
    MSGPACK_INT64 = 0xd3,
    MSGPACK_STR8 = 0xd9,
    MSGPACK_STR16 = 0xda,
    MSGPACK_STR32 = 0xdb,
    MSGPACK_ARRAY16 = 0xdc,
    MSGPACK_ARRAY32 = 0xdd,
    MSGPACK_MAP16 = 0xde,
    MSGPACK_MAP32 = 0xdf,
    MSGPACK_NEGATIVE = 0xe0, /* to 0xff: -32 to -1 */
};

/* pack(...): the values one after the other, as a string. */
int lib_cmsgpack_pack(lua_State *lua);

/* unpack(text): all the values in it. */
int lib_cmsgpack_unpack(lua_State *lua);

/* unpack_one(text [, offset]), unpack_limit(text, limit [, offset]): where to go on, or -1 at
 * the end, and one value or at most 'limit'.  The first offset is 0. */
int lib_cmsgpack_unpack_one(lua_State *lua);
int lib_cmsgpack_unpack_limit(lua_State *lua);

#endif
