/* Places: GEOADD, GEODIST, GEOHASH, GEOPOS.  A place is a member of a sorted set, whose score
 * is its position (geo_math.h).  Searches are in cmd_geo_search.c. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/geo_commands.h"

/* ---- Arguments and replies -------------------------------------------------------------------------- */

enum err geo_read_point(struct call *call, struct geo_point *point)
{
    point->longitude = args_double(&call->args);
    point->latitude = args_double(&call->args);
    if (call->args.err != OK) {
        return call->args.err;
    }
    if (point->longitude < -GEO_LONGITUDE_MAX || point->longitude > GEO_LONGITUDE_MAX ||
        point->latitude < -GEO_LATITUDE_MAX || point->latitude > GEO_LATITUDE_MAX) {
        reply_errorf(call->reply, "ERR invalid longitude,latitude pair %f,%f", point->longitude,
                     point->latitude);
        return ERR_REPLIED;
    }
    return OK;
}

enum err geo_read_unit(struct call *call, struct bytes unit, double *metres)
{
    static const struct {
        struct bytes name;
        double metres;
    } units[] = {
        { { "m", 1 }, 1 },
        { { "km", 2 }, 1000 },
        { { "ft", 2 }, 0.3048 },
        { { "mi", 2 }, 1609.34 },
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (bytes_equal_nocase(unit, units[i].name)) {
            *metres = units[i].metres;
            return OK;
        }
    }
    reply_error(call->reply, LIT("ERR unsupported unit provided. please use M, KM, FT, MI"));
    return ERR_REPLIED;
}

bool geo_find_member(const struct zset *zset, struct bytes member, struct geo_point *point)
{
    double score;
    if (!zset_score(zset, member, &score)) {
        return false;
    }
    *point = geo_decode(score);
    return true;
}

void geo_reply_distance(struct reply *reply, double distance)
{
    char text[NUM_FLOAT_ROOM];
    int len = snprintf(text, sizeof text, "%.4f", distance);
    reply_bytes(reply, (struct bytes){ text, len > 0 ? (size_t)len : 0 });
}

void geo_reply_point(struct reply *reply, struct geo_point point)
{
    char text[NUM_FLOAT_ROOM];
    reply_array(reply, 2);
    size_t len = num_format_long_double(text, sizeof text, (long double)point.longitude);
    reply_double_text(reply, (struct bytes){ text, len });
    len = num_format_long_double(text, sizeof text, (long double)point.latitude);
    reply_double_text(reply, (struct bytes){ text, len });
}

/* ---- GEOADD ------------------------------------------------------------------------------------------- */

/* Logs what GEOADD is: ZADD with the positions as scores.  Without the memory for that it is
 * logged as it came; its places stand from argument 'first' on. */
static void propagate_add(struct call *call, struct bytes key,
                          const struct zset_add_options *options, const struct bytes *pairs,
                          uint32_t count, uint32_t first)
{
    struct bytes *argv = mem_try_alloc((5 + 2 * (size_t)count) * sizeof *argv);
    if (argv == NULL) {
        call_propagate_as(call, call->args.argv, first + 3 * count);
        return;
    }
    uint32_t argc = 0;
    argv[argc++] = LIT("ZADD");
    argv[argc++] = key;
    if (options->if_missing || options->if_present) {
        argv[argc++] = options->if_missing ? LIT("NX") : LIT("XX");
    }
    if (options->count_changed) {
        argv[argc++] = LIT("CH");
    }
    memcpy(argv + argc, pairs, 2 * (size_t)count * sizeof *argv);
    call_propagate_as(call, argv, argc + 2 * count);
    mem_free(argv);
}

/* Memory for the places of one command: their scores, as numbers and as text, and the pairs
 * that ZADD takes. */
struct places {
    double *scores;
    struct bytes *pairs;
    char (*digits)[NUM_INT_ROOM];
};

static bool places_init(struct places *places, uint32_t count)
{
    places->scores = mem_try_alloc((count + 1) * sizeof *places->scores);
    places->pairs = mem_try_alloc((2 * (size_t)count + 1) * sizeof *places->pairs);
    places->digits = mem_try_alloc((count + 1) * sizeof *places->digits);
    return places->scores != NULL && places->pairs != NULL && places->digits != NULL;
}

static void places_release(struct places *places)
{
    mem_free(places->scores);
    mem_free(places->pairs);
    mem_free(places->digits);
}

/* longitude latitude member [longitude latitude member ...] */
static MUST_CHECK enum err read_places(struct call *call, struct places *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct geo_point point;
        enum err err = geo_read_point(call, &point);
        if (err != OK) {
            return err;
        }
        uint64_t score = geo_encode(point);
        places->scores[i] = (double)score;
        places->pairs[2 * i] =
            (struct bytes){ places->digits[i], num_format_u64(places->digits[i], score) };
        places->pairs[2 * i + 1] = args_next(&call->args);
    }
    return OK;
}

static enum err geoadd(struct call *call) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct bytes key = args_next(args);
    struct zset_add_options options = { 0 };
    for (;;) {
        if (args_option(args, LIT("NX"))) {
            options.if_missing = true;
        } else if (args_option(args, LIT("XX"))) {
            options.if_present = true;
        } else if (args_option(args, LIT("CH"))) {
            options.count_changed = true;
        } else {
            break;
        }
    }
    uint32_t left = args_left(args), count = left / 3;
    if (left == 0 || left % 3 != 0 || (options.if_missing && options.if_present)) {
        return ERR_SYNTAX;
    }
    struct places places;
    enum err err =
        places_init(&places, count) ? read_places(call, &places, count) : ERR_OUT_OF_MEMORY;
    if (err == OK) {
        uint32_t done;
        err = zset_add_members(call, key, &options, places.scores, places.pairs, count, &done);
        if (call->effects.changed > 0) {
            propagate_add(call, key, &options, places.pairs, done, args->argc - left);
        }
    }
    places_release(&places);
    return err;
}

/* ---- Looking ------------------------------------------------------------------------------------------ */

static enum err geodist(struct call *call) REQUIRES(*call->keys)
{
    double metres = 1;
    enum err err = OK;
    if (call->args.argc > 5) {
        return ERR_SYNTAX;
    }
    if (call->args.argc == 5) {
        err = geo_read_unit(call, call_argument(call, 4), &metres);
    }
    struct entry *entry;
    if (err == OK) {
        err = lookup_zset(call, call_argument(call, 1), &entry);
    }
    if (err != OK) {
        return err;
    }
    struct geo_point a, b;
    struct zset zset = { 0 };
    if (entry != NULL) {
        zset = zset_of(entry);
    }
    if (entry == NULL || !geo_find_member(&zset, call_argument(call, 2), &a) ||
        !geo_find_member(&zset, call_argument(call, 3), &b)) {
        reply_null(call->reply);
    } else {
        geo_reply_distance(call->reply, geo_distance(a, b) / metres);
    }
    return OK;
}

/* Eleven letters, of which the last stands for the two bits that are left over: as they are
 * too few for a letter, it is always a 0. */
static void reply_geohash(struct reply *reply, struct geo_point point)
{
    static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    enum { LETTERS = 11, BITS = 5 };
    char text[LETTERS];
    uint64_t bits = geo_encode_standard(point);
    for (int i = 0; i < LETTERS - 1; i++) {
        text[i] = letters[bits >> (52 - (i + 1) * BITS) & 0x1f];
    }
    text[LETTERS - 1] = '0';
    reply_bytes(reply, (struct bytes){ text, LETTERS });
}

/* key [member ...], of which 'put' replies the positions and 'missing' what is not there. */
static MUST_CHECK enum err reply_members(struct call *call,
                                         void (*put)(struct reply *reply, struct geo_point point),
                                         void (*missing)(struct reply *reply)) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_zset(call, call_argument(call, 1), &entry);
    if (err != OK) {
        return err;
    }
    struct zset zset = { 0 };
    if (entry != NULL) {
        zset = zset_of(entry);
    }
    reply_array(call->reply, call->args.argc - 2);
    for (uint32_t i = 2; i < call->args.argc; i++) {
        struct geo_point point;
        if (entry != NULL && geo_find_member(&zset, call_argument(call, i), &point)) {
            put(call->reply, point);
        } else {
            missing(call->reply);
        }
    }
    return OK;
}

static enum err geohash(struct call *call) REQUIRES(*call->keys)
{
    return reply_members(call, reply_geohash, reply_null_slow);
}

static enum err geopos(struct call *call) REQUIRES(*call->keys)
{
    return reply_members(call, geo_reply_point, reply_null_array);
}

/* ---- Rows --------------------------------------------------------------------------------------------- */

static const struct command_history geoadd_history[] = {
    { "6.2.0", "`CH`, `NX` and `XX` can be given." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "geoadd",
        .handler = geoadd,
        .arity = -5,
        .group = GROUP_GEO,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "3.2.0",
        .complexity = "O(log(N)) for each place, where N is their number.",
        .summary = "Adds places to a geospatial index.",
        .syntax = "key:key [condition=<NX | XX>@6.2.0] [CH@6.2.0] "
                  "data=(longitude:double latitude:double member:string)...",
        .history = geoadd_history,
    },
    {
        .name = "geodist",
        .handler = geodist,
        .arity = -4,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "3.2.0",
        .complexity = "O(1)",
        .summary = "Returns the distance between two places.",
        .syntax = "key:key member1:string member2:string [unit=<M | KM | FT | MI>]",
    },
    {
        .name = "geohash",
        .handler = geohash,
        .arity = -2,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "3.2.0",
        .complexity = "O(N) where N is the number of places asked for.",
        .summary = "Returns places as geohash strings.",
        .syntax = "key:key [member:string...]",
    },
    {
        .name = "geopos",
        .handler = geopos,
        .arity = -2,
        .group = GROUP_GEO,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "3.2.0",
        .complexity = "O(N) where N is the number of places asked for.",
        .summary = "Returns the longitudes and latitudes of places.",
        .syntax = "key:key [member:string...]",
    },
};

const struct command_family cmd_geo_family = { rows, sizeof rows / sizeof rows[0] };
