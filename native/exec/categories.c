/* The names of ACL categories; see categories.h. */
#include "exec/categories.h"

const struct bit_name category_names[CATEGORY_COUNT] = {
    { CATEGORY_KEYSPACE, "@keyspace" },
    { CATEGORY_READ, "@read" },
    { CATEGORY_WRITE, "@write" },
    { CATEGORY_SET, "@set" },
    { CATEGORY_SORTED_SET, "@sortedset" },
    { CATEGORY_LIST, "@list" },
    { CATEGORY_HASH, "@hash" },
    { CATEGORY_STRING, "@string" },
    { CATEGORY_BITMAP, "@bitmap" },
    { CATEGORY_HYPERLOGLOG, "@hyperloglog" },
    { CATEGORY_GEO, "@geo" },
    { CATEGORY_STREAM, "@stream" },
    { CATEGORY_PUBSUB, "@pubsub" },
    { CATEGORY_ADMIN, "@admin" },
    { CATEGORY_FAST, "@fast" },
    { CATEGORY_SLOW, "@slow" },
    { CATEGORY_BLOCKING, "@blocking" },
    { CATEGORY_DANGEROUS, "@dangerous" },
    { CATEGORY_CONNECTION, "@connection" },
    { CATEGORY_TRANSACTION, "@transaction" },
    { CATEGORY_SCRIPTING, "@scripting" },
};

uint32_t category_find(struct bytes name)
{
    for (size_t i = 0; i < CATEGORY_COUNT; i++) {
        if (bytes_equal_nocase(name, bytes_of(category_names[i].name + 1))) {
            return category_names[i].bit;
        }
    }
    return 0;
}
