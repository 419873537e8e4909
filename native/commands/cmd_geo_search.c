/* Searches for places: GEOSEARCH and the older GEORADIUS commands.  Their arguments are read by
 * geo_query.c. */
#include <stdlib.h>

#include "base/mem.h"
#include "commands/families.h"
#include "commands/geo_query.h"

/* A place that was found. */
struct hit {
    struct bytes member; /* borrowed from the set; .at is NULL when it is in 'room' */
    double score, distance;
    struct geo_point point;
    size_t order;
    char room[LISTPACK_TEXT_ROOM];
};

struct hits {
    struct hit *at;
    size_t count, room;
};

/* ---- Searching ---------------------------------------------------------------------------------------- */

static MUST_CHECK bool hits_add(struct hits *hits, const struct hit *hit)
{
    if (hits->count == hits->room) {
        size_t room = hits->room == 0 ? 16 : hits->room * 2;
        struct hit *at = mem_try_realloc(hits->at, room * sizeof *at);
        if (at == NULL) {
            return false;
        }
        hits->at = at;
        hits->room = room;
    }
    hits->at[hits->count] = *hit;
    hits->at[hits->count].order = hits->count;
    hits->count++;
    return true;
}

/* The text of a hit: in the set, or in the hit itself for an integer of a listpack. */
static struct bytes hit_member(const struct hit *hit)
{
    return (struct bytes){ hit->member.at != NULL ? hit->member.at : hit->room, hit->member.len };
}

/* All places of one cell that are in the area, up to the limit. */
static MUST_CHECK bool search_cell(const struct geo_query *query, struct geo_cell cell,
                                   size_t limit, struct hits *hits)
{
    struct zset_cursor cursor;
    struct zset_element element;
    struct btree_bound min = { .kind = BOUND_SCORE, .score = (double)cell.min };
    struct btree_bound max = { .kind = BOUND_SCORE, .score = (double)cell.max };
    zset_seek(query->zset, zset_count_below(query->zset, &min), false, &cursor);
    while (hits->count < limit && zset_next(&cursor, &element) &&
           btree_is_below(&max, element.score, element.member)) {
        struct hit hit = { .member = element.member, .score = element.score };
        hit.point = geo_decode(element.score);
        if (!geo_in_area(&query->area, hit.point, &hit.distance)) {
            continue;
        }
        if (element.member.at == cursor.room) {
            memcpy(hit.room, cursor.room, sizeof hit.room);
            hit.member.at = NULL;
        }
        if (!hits_add(hits, &hit)) {
            return false;
        }
    }
    return true;
}

static int compare_hits(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->distance != y->distance) {
        return x->distance < y->distance ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

static int compare_hits_reverse(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->distance != y->distance) {
        return x->distance > y->distance ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

static MUST_CHECK bool search(const struct geo_query *query, struct hits *hits)
{
    struct geo_cell cells[GEO_CELLS];
    unsigned count = geo_cover(&query->area, cells);
    size_t limit = query->any ? (size_t)query->count : SIZE_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (!search_cell(query, cells[i], limit, hits)) {
            return false;
        }
    }
    enum geo_sort sort = query->sort;
    if (query->count != 0 && sort == GEO_SORT_NONE && !query->any) {
        sort = GEO_SORT_NEAREST;
    }
    if (sort != GEO_SORT_NONE && hits->count > 0) {
        qsort(hits->at, hits->count, sizeof *hits->at,
              sort == GEO_SORT_NEAREST ? compare_hits : compare_hits_reverse);
    }
    if (query->count != 0 && (size_t)query->count < hits->count) {
        hits->count = (size_t)query->count;
    }
    return true;
}

/* ---- Results ------------------------------------------------------------------------------------------ */

static void reply_hits(struct reply *reply, const struct geo_query *query, const struct hits *hits)
{
    size_t parts = 1u + query->with_distance + query->with_hash + query->with_point;
    reply_array(reply, hits->count);
    for (size_t i = 0; i < hits->count; i++) {
        const struct hit *hit = &hits->at[i];
        if (parts > 1) {
            reply_array(reply, parts);
        }
        reply_bytes(reply, hit_member(hit));
        if (query->with_distance) {
            geo_reply_distance(reply, hit->distance / query->unit);
        }
        if (query->with_hash) {
            reply_integer(reply, (int64_t)hit->score);
        }
        if (query->with_point) {
            geo_reply_point(reply, hit->point);
        }
    }
}

static MUST_CHECK enum err store_hits(struct call *call, const struct geo_query *query,
                                      const struct hits *hits) REQUIRES(*call->keys)
{
    struct zset result;
    if (!zset_create(call->thread, &result, hits->count, 0)) {
        return ERR_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < hits->count; i++) {
        const struct hit *hit = &hits->at[i];
        double score = query->store_distance ? hit->distance / query->unit : hit->score;
        if (!zset_put(call->thread, &result, hit_member(hit), score)) {
            zset_release(call->thread, &result);
            return ERR_OUT_OF_MEMORY;
        }
    }
    return zset_store_result(call, query->to_key, &result,
                             query->form.search ? "geosearchstore" : "georadiusstore");
}

static MUST_CHECK enum err run(struct call *call, struct geo_form form) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct geo_query query = { .form = form, .unit = 1, .stores = form.stores };
    if (form.stores) {
        query.to_key = args_next(args);
    }
    struct entry *entry;
    struct zset zset;
    enum err err = lookup_zset(call, args_next(args), &entry);
    if (err == OK && entry != NULL) {
        zset = zset_of(entry);
        query.zset = &zset;
    }
    if (err == OK) {
        err = geo_read_query(call, &query);
    }
    if (err != OK) {
        return err;
    }
    struct hits hits = { 0 };
    if (query.zset != NULL && !search(&query, &hits)) {
        err = ERR_OUT_OF_MEMORY;
    } else if (query.stores) {
        err = store_hits(call, &query, &hits);
    } else {
        reply_hits(call->reply, &query, &hits);
    }
    mem_free(hits.at);
    return err;
}

static enum err geosearch(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct geo_form){ .search = true });
}

static enum err geosearchstore(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct geo_form){ .search = true, .stores = true });
}

static enum err georadius(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct geo_form){ .may_store = true });
}

static enum err georadius_ro(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct geo_form){ 0 });
}

static enum err georadiusbymember(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct geo_form){ .from_member = true, .may_store = true });
}

static enum err georadiusbymember_ro(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct geo_form){ .from_member = true });
}

/* The source, and the last key behind STORE or STOREDIST. */
static int find_keys(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    if (argc < 2) {
        return -1;
    }
    found[0] = (struct found_key){ 1, KEY_RO | KEY_ACCESS };
    int count = 1;
    for (uint32_t i = 5; i + 1 < argc; i++) {
        if (bytes_equal_nocase(argv[i], LIT("STORE")) ||
            bytes_equal_nocase(argv[i], LIT("STOREDIST"))) {
            found[1] = (struct found_key){ ++i, KEY_OW | KEY_UPDATE };
            count = 2;
        }
    }
    return count;
}

/* ---- Rows --------------------------------------------------------------------------------------------- */

#define SEARCH_COMPLEXITY                                                                          \
    "O(N+log(M)) where N is the number of places in the box around the area, and M of those in "   \
    "the area."
#define UNIT  "unit=<M | KM | FT | MI>"
#define ORDER "order=<ASC | DESC>"
#define COUNT "count-block=(COUNT count:int [ANY])"
#define SHAPE                                                                                      \
    "from=<FROMMEMBER member:string | FROMLONLAT fromlonlat=(longitude:double latitude:double)> "  \
    "by=<circle=(BYRADIUS radius:double " UNIT ") | "                                              \
    "box=(BYBOX width:double height:double " UNIT ")> [" ORDER "] [" COUNT "]"
#define WITH   "[WITHCOORD] [WITHDIST] [WITHHASH]"
#define STORED " [store=<STORE storekey:key | STOREDIST storedistkey:key>]"

static const struct command_history search_history[] = {
    { "7.0.0", "Units can be given in upper case." },
    { NULL, NULL },
};

static const struct command_history radius_history[] = {
    { "6.2.0", "`ANY` can be given behind `COUNT`." },
    { "7.0.0", "Units can be given in upper case." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "geosearch",
        .handler = geosearch,
        .arity = -7,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = SEARCH_COMPLEXITY,
        .summary = "Returns the places in a circle or a box.",
        .syntax = "key:key " SHAPE " " WITH,
        .history = search_history,
    },
    {
        .name = "geosearchstore",
        .handler = geosearchstore,
        .arity = -8,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_AT(2, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = SEARCH_COMPLEXITY,
        .summary = "Stores the places in a circle or a box in another key.",
        .syntax = "destination:key source:key " SHAPE " [STOREDIST]",
        .history = search_history,
    },
    {
        .name = "georadius",
        .handler = georadius,
        .arity = -6,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS), KEYS_AFTER("STORE", 6, KEY_OW | KEY_UPDATE),
                  KEYS_AFTER("STOREDIST", 6, KEY_OW | KEY_UPDATE) },
        .find_keys = find_keys,
        .since = "3.2.0",
        .complexity = SEARCH_COMPLEXITY,
        .summary = "Returns or stores the places within a distance of a point.",
        .syntax = "key:key longitude:double latitude:double radius:double " UNIT " " WITH " [" COUNT
                  "] [" ORDER "]" STORED,
        .deprecated_since = "6.2.0",
        .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`",
        .history = radius_history,
    },
    {
        .name = "georadius_ro",
        .handler = georadius_ro,
        .arity = -6,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "3.2.10",
        .complexity = SEARCH_COMPLEXITY,
        .summary = "Returns the places within a distance of a point.",
        .syntax = "key:key longitude:double latitude:double radius:double " UNIT " " WITH " [" COUNT
                  "] [" ORDER "]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`GEOSEARCH` with `BYRADIUS`",
        .history = radius_history,
    },
    {
        .name = "georadiusbymember",
        .handler = georadiusbymember,
        .arity = -5,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS), KEYS_AFTER("STORE", 5, KEY_OW | KEY_UPDATE),
                  KEYS_AFTER("STOREDIST", 5, KEY_OW | KEY_UPDATE) },
        .find_keys = find_keys,
        .since = "3.2.0",
        .complexity = SEARCH_COMPLEXITY,
        .summary = "Returns or stores the places within a distance of a member.",
        .syntax =
            "key:key member:string radius:double " UNIT " " WITH " [" COUNT "] [" ORDER "]" STORED,
        .deprecated_since = "6.2.0",
        .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`",
        .history = radius_history,
    },
    {
        .name = "georadiusbymember_ro",
        .handler = georadiusbymember_ro,
        .arity = -5,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "3.2.10",
        .complexity = SEARCH_COMPLEXITY,
        .summary = "Returns the places within a distance of a member.",
        .syntax = "key:key member:string radius:double " UNIT " " WITH " [" COUNT "] [" ORDER "]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`",
        .history = radius_history,
    },
};

const struct command_family cmd_geo_search_family = { rows, sizeof rows / sizeof rows[0] };
