/* Names for the numbers in RDB files and DUMP's payloads; what each type's bytes are stands
 * where they are written and read (string.c, list.c ...).
 *
 * A hash of which fields end by themselves is written as Redis 7.4 does it (HASH_ENDS), which
 * only 7.4 and later load; every other value can be written so that 7.0 loads it. */
#ifndef RDB_FORMAT_H
#define RDB_FORMAT_H

enum rdb_version {
    RDB_VERSION_7_0 = 10,
    RDB_VERSION_7_2 = 11, /* adds SET_LISTPACK, STREAM_3 */
    RDB_VERSION_7_4 = 12, /* adds HASH_ENDS, HASH_LISTPACK_ENDS */
    RDB_VERSION_NEWEST = RDB_VERSION_7_4,
};

enum rdb_type {
    RDB_STRING = 0,
    RDB_LIST = 1, /* element by element: Redis 3.0 and older */
    RDB_SET = 2,
    RDB_ZSET_TEXT = 3, /* scores as text: Redis 3.2 and older */
    RDB_HASH = 4,
    RDB_ZSET = 5,
    RDB_HASH_ZIPMAP = 9, /* Redis 2.4 and older */
    RDB_LIST_ZIPLIST = 10,
    RDB_SET_INTSET = 11,
    RDB_ZSET_ZIPLIST = 12,
    RDB_HASH_ZIPLIST = 13,
    RDB_LIST_QUICKLIST = 14, /* of ziplists; ziplists are in files of Redis 6.2 and older */
    RDB_STREAM = 15,         /* Redis 6.2 and older */
    RDB_HASH_LISTPACK = 16,
    RDB_ZSET_LISTPACK = 17,
    RDB_LIST_QUICKLIST_2 = 18, /* of listpacks */
    RDB_STREAM_2 = 19,
    RDB_SET_LISTPACK = 20,
    RDB_STREAM_3 = 21,
    RDB_HASH_ENDS = 24,
    RDB_HASH_LISTPACK_ENDS = 25,
};

/* What else stands where a type is expected. */
enum rdb_mark {
    RDB_FUNCTIONS_EARLY = 246, /* of release candidates of Redis 7.0 */
    RDB_FUNCTIONS = 245,       /* a library of functions: its code */
};

/* The first two bits of a length say what it is. */
enum rdb_length {
    RDB_LENGTH_6 = 0,
    RDB_LENGTH_14 = 1,
    RDB_LENGTH_WORD = 2,    /* by the other six bits: of four or eight bytes, big endian */
    RDB_LENGTH_ENCODED = 3, /* none, but a string in another form, by the other six bits */
    RDB_LENGTH_32 = 0x80,
    RDB_LENGTH_64 = 0x81,
};

enum rdb_string_encoding {
    RDB_STRING_INT8 = 0,
    RDB_STRING_INT16 = 1,
    RDB_STRING_INT32 = 2,
    RDB_STRING_LZF = 3,
};

/* A piece of a QUICKLIST_2. */
enum rdb_container { RDB_PLAIN = 1, RDB_PACKED = 2 };

#endif
