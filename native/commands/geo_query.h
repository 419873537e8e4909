/* What a search for places asks for: an area, which places of it, and where they go. */
#ifndef COMMANDS_GEO_QUERY_H
#define COMMANDS_GEO_QUERY_H

#include "commands/geo_commands.h"

enum geo_sort { GEO_SORT_NONE, GEO_SORT_NEAREST, GEO_SORT_FARTHEST };

/* Which of the commands it is. */
struct geo_form {
    bool search;      /* GEOSEARCH, else GEORADIUS */
    bool from_member; /* GEORADIUSBYMEMBER */
    bool may_store;   /* STORE and STOREDIST; not of the _RO forms */
    bool stores;      /* GEOSEARCHSTORE */
};

struct geo_query {
    struct geo_form form;
    const struct zset *zset; /* NULL: there is no such key */
    struct geo_area area;
    double unit; /* metres */
    bool has_center, center_is_member, has_radius, has_box;
    bool with_distance, with_hash, with_point;
    bool any;
    int64_t count; /* 0: all */
    enum geo_sort sort;
    bool stores, store_distance;
    struct bytes to_key;
};

/* Reads all arguments behind the key.  Before: the form, 'stores' with the key to store to, 'zset',
 * a unit of 1.  ERR_REPLIED, or a syntax error. */
MUST_CHECK enum err geo_read_query(struct call *call, struct geo_query *query);

#endif
