/* The names of what an entry can hold; its layout is in entry.h. */
#include "store/entry.h"

struct bytes value_type_name(enum value_type type)
{
    static const struct bytes names[VALUE_TYPES] = {
        [VALUE_STRING] = { "string", 6 }, [VALUE_LIST] = { "list", 4 },
        [VALUE_SET] = { "set", 3 },       [VALUE_SORTED_SET] = { "zset", 4 },
        [VALUE_HASH] = { "hash", 4 },     [VALUE_STREAM] = { "stream", 6 },
    };
    return (unsigned)type < VALUE_TYPES ? names[type] : LIT("unknown");
}

struct bytes encoding_name(enum encoding encoding)
{
    static const struct bytes names[] = {
        [ENCODING_RAW] = { "raw", 3 },
        [ENCODING_EMBSTR] = { "embstr", 6 },
        [ENCODING_INT] = { "int", 3 },
        [ENCODING_LISTPACK] = { "listpack", 8 },
        [ENCODING_QUICKLIST] = { "quicklist", 9 },
        [ENCODING_INTSET] = { "intset", 6 },
        [ENCODING_HASHTABLE] = { "hashtable", 9 },
        [ENCODING_SKIPLIST] = { "skiplist", 8 },
        [ENCODING_STREAM] = { "stream", 6 },
    };
    return (unsigned)encoding < sizeof names / sizeof names[0] ? names[encoding] : LIT("unknown");
}
