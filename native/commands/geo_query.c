/* The arguments of GEOSEARCH and of the GEORADIUS commands; see geo_query.h. */
#include "commands/geo_query.h"

#include "base/num.h"

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
static MUST_CHECK enum err read_radius(struct call *call, struct geo_query *query)
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
static MUST_CHECK enum err read_box(struct call *call, struct geo_query *query)
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

static MUST_CHECK enum err read_member(struct call *call, struct geo_query *query)
{
    struct bytes member = args_next(&call->args);
    query->center_is_member = query->has_center = true;
    if (query->zset != NULL && !geo_find_member(query->zset, member, &query->area.center)) {
        return refuse(call, "ERR could not decode requested zset member");
    }
    return OK;
}

/* FROMMEMBER, FROMLONLAT, BYRADIUS, BYBOX.  '*known' is false for anything else. */
static MUST_CHECK enum err read_shape(struct call *call, struct geo_query *query, bool *known)
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
static bool read_store(struct args *args, struct geo_query *query)
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

static MUST_CHECK enum err read_count(struct call *call, struct geo_query *query)
{
    query->count = args_int(&call->args);
    if (call->args.err == OK && query->count <= 0) {
        return refuse(call, "ERR COUNT must be > 0");
    }
    return call->args.err;
}

static MUST_CHECK enum err read_options(struct call *call, struct geo_query *query)
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
            query->sort = GEO_SORT_NEAREST;
        } else if (args_option(args, LIT("DESC"))) {
            query->sort = GEO_SORT_FARTHEST;
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
static MUST_CHECK enum err check_options(struct call *call, const struct geo_query *query)
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
static MUST_CHECK enum err read_circle(struct call *call, struct geo_query *query)
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

enum err geo_read_query(struct call *call, struct geo_query *query)
{
    enum err err = query->form.search ? OK : read_circle(call, query);
    if (err == OK) {
        err = read_options(call, query);
    }
    return err != OK ? err : check_options(call, query);
}
