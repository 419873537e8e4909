/* Searches for places: GEOSEARCH and the older GEORADIUS commands. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/geo_commands.h"

enum sort { SORT_NONE, SORT_NEAREST, SORT_FARTHEST };

/* Which of the commands it is. */
struct form {
    bool search;      /* GEOSEARCH, else GEORADIUS */
    bool from_member; /* GEORADIUSBYMEMBER */
    bool may_store;   /* STORE and STOREDIST; not of the _RO forms */
    bool stores;      /* GEOSEARCHSTORE */
};

struct query {
    struct form form;
    const struct zset *zset; /* NULL: there is no such key */
    struct geo_area area;
    double unit; /* metres */
    bool has_center, center_is_member, has_radius, has_box;
    bool with_distance, with_hash, with_point;
    bool any;
    int64_t count; /* 0: all */
    enum sort sort;
    bool stores, store_distance;
    struct bytes to_key;
};

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

/* ---- Arguments ---------------------------------------------------------------------------------------- */

static MUST_CHECK enum err refuse(struct call *call, const char *text)
{
    reply_error(call->reply, bytes_of(text));
    return ERR_REPLIED;
}

/* A length that is a number; 'text' tells what it is not. */
static MUST_CHECK enum err read_length(struct call *call, const char *text, double *length)
{
    return num_parse_double(args_next(&call->args), length) ? OK : refuse(call, text);
}

/* radius unit */
static MUST_CHECK enum err read_radius(struct call *call, struct query *query)
{
    enum err err = read_length(call, "ERR need numeric radius", &query->area.radius);
    if (err == OK && query->area.radius < 0) {
        err = refuse(call, "ERR radius cannot be negative");
    }
    if (err == OK) {
        err = geo_read_unit(call, args_next(&call->args), &query->unit);
    }
    query->area.radius *= query->unit;
    query->area.box = false;
    return err;
}

/* width height unit */
static MUST_CHECK enum err read_box(struct call *call, struct query *query)
{
    struct geo_area *area = &query->area;
    enum err err = read_length(call, "ERR need numeric width", &area->width);
    if (err == OK) {
        err = read_length(call, "ERR need numeric height", &area->height);
    }
    if (err == OK && (area->width < 0 || area->height < 0)) {
        err = refuse(call, "ERR height or width cannot be negative");
    }
    if (err == OK) {
        err = geo_read_unit(call, args_next(&call->args), &query->unit);
    }
    area->width *= query->unit;
    area->height *= query->unit;
    area->box = true;
    return err;
}

static MUST_CHECK enum err read_member(struct call *call, struct query *query)
{
    struct bytes member = args_next(&call->args);
    query->center_is_member = query->has_center = true;
    if (query->zset != NULL && !geo_find_member(query->zset, member, &query->area.center)) {
        return refuse(call, "ERR could not decode requested zset member");
    }
    return OK;
}

/* FROMMEMBER, FROMLONLAT, BYRADIUS, BYBOX.  '*known' is false for anything else. */
static MUST_CHECK enum err read_shape(struct call *call, struct query *query, bool *known)
{
    struct args *args = &call->args;
    bool from_point = query->has_center && !query->center_is_member;
    *known = true;
    if (!from_point && args_option_with(args, LIT("FROMMEMBER"), 1)) {
        return read_member(call, query);
    }
    if (!query->center_is_member && args_option_with(args, LIT("FROMLONLAT"), 2)) {
        query->has_center = true;
        return geo_read_point(call, &query->area.center);
    }
    if (!query->has_box && args_option_with(args, LIT("BYRADIUS"), 2)) {
        query->has_radius = true;
        return read_radius(call, query);
    }
    if (!query->has_radius && args_option_with(args, LIT("BYBOX"), 3)) {
        query->has_box = true;
        return read_box(call, query);
    }
    if (query->form.stores && args_option(args, LIT("STOREDIST"))) {
        query->store_distance = true;
        return OK;
    }
    *known = false;
    return OK;
}

/* STORE and STOREDIST of GEORADIUS. */
static bool read_store(struct args *args, struct query *query)
{
    if (args_option_with(args, LIT("STORE"), 1)) {
        query->store_distance = false;
    } else if (args_option_with(args, LIT("STOREDIST"), 1)) {
        query->store_distance = true;
    } else {
        return false;
    }
    query->stores = true;
    query->to_key = args_next(args);
    return true;
}

static MUST_CHECK enum err read_count(struct call *call, struct query *query)
{
    query->count = args_int(&call->args);
    if (call->args.err == OK && query->count <= 0) {
        return refuse(call, "ERR COUNT must be > 0");
    }
    return call->args.err;
}

static MUST_CHECK enum err read_options(struct call *call, struct query *query)
{
    struct args *args = &call->args;
    while (args_left(args) > 0) {
        enum err err = OK;
        bool known = true;
        if (args_option(args, LIT("WITHDIST"))) {
            query->with_distance = true;
        } else if (args_option(args, LIT("WITHHASH"))) {
            query->with_hash = true;
        } else if (args_option(args, LIT("WITHCOORD"))) {
            query->with_point = true;
        } else if (args_option(args, LIT("ANY"))) {
            query->any = true;
        } else if (args_option(args, LIT("ASC"))) {
            query->sort = SORT_NEAREST;
        } else if (args_option(args, LIT("DESC"))) {
            query->sort = SORT_FARTHEST;
        } else if (args_option_with(args, LIT("COUNT"), 1)) {
            err = read_count(call, query);
        } else if (query->form.search) {
            err = read_shape(call, query, &known);
        } else {
            known = query->form.may_store && read_store(args, query);
        }
        if (err != OK || !known) {
            return err != OK ? err : ERR_SYNTAX;
        }
    }
    return OK;
}

/* What the options must not be together. */
static MUST_CHECK enum err check_options(struct call *call, const struct query *query)
{
    if (query->stores && (query->with_distance || query->with_hash || query->with_point)) {
        reply_errorf(call->reply,
                     "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                     query->form.search ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
        return ERR_REPLIED;
    }
    struct bytes name = call_argument(call, 0);
    if (query->form.search && !query->has_center) {
        reply_errorf(call->reply,
                     "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
                     (int)name.len, name.at);
        return ERR_REPLIED;
    }
    if (query->form.search && !query->has_radius && !query->has_box) {
        reply_errorf(call->reply, "ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
                     (int)name.len, name.at);
        return ERR_REPLIED;
    }
    if (query->any && query->count == 0) {
        return refuse(call, "ERR the ANY argument requires COUNT argument");
    }
    return OK;
}

/* What stands before the options of GEORADIUS and GEORADIUSBYMEMBER. */
static MUST_CHECK enum err read_circle(struct call *call, struct query *query)
{
    enum err err;
    if (query->form.from_member && query->zset == NULL) {
        call->args.next += 3; /* Whatever it is, nothing will be found. */
        return OK;
    }
    err = query->form.from_member ? read_member(call, query)
                                  : geo_read_point(call, &query->area.center);
    return err != OK ? err : read_radius(call, query);
}

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
static MUST_CHECK bool search_cell(const struct query *query, struct geo_cell cell, size_t limit,
                                   struct hits *hits)
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

static MUST_CHECK bool search(const struct query *query, struct hits *hits)
{
    struct geo_cell cells[GEO_CELLS];
    unsigned count = geo_cover(&query->area, cells);
    size_t limit = query->any ? (size_t)query->count : SIZE_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (!search_cell(query, cells[i], limit, hits)) {
            return false;
        }
    }
    enum sort sort = query->sort;
    if (query->count != 0 && sort == SORT_NONE && !query->any) {
        sort = SORT_NEAREST;
    }
    if (sort != SORT_NONE && hits->count > 0) {
        qsort(hits->at, hits->count, sizeof *hits->at,
              sort == SORT_NEAREST ? compare_hits : compare_hits_reverse);
    }
    if (query->count != 0 && (size_t)query->count < hits->count) {
        hits->count = (size_t)query->count;
    }
    return true;
}

/* ---- Results ------------------------------------------------------------------------------------------ */

static void reply_hits(struct reply *reply, const struct query *query, const struct hits *hits)
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

static MUST_CHECK enum err store_hits(struct call *call, const struct query *query,
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

static MUST_CHECK enum err run(struct call *call, struct form form) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct query query = { .form = form, .unit = 1, .stores = form.stores };
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
    if (err == OK && !form.search) {
        err = read_circle(call, &query);
    }
    if (err == OK) {
        err = read_options(call, &query);
    }
    if (err == OK) {
        err = check_options(call, &query);
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
    return run(call, (struct form){ .search = true });
}

static enum err geosearchstore(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct form){ .search = true, .stores = true });
}

static enum err georadius(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct form){ .may_store = true });
}

static enum err georadius_ro(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct form){ 0 });
}

static enum err georadiusbymember(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct form){ .from_member = true, .may_store = true });
}

static enum err georadiusbymember_ro(struct call *call) REQUIRES(*call->keys)
{
    return run(call, (struct form){ .from_member = true });
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
