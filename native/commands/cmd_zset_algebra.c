/* Unions, intersections and differences of sorted sets, and of sets, whose members count as
 * having the score 1. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/zset_commands.h"
#include "store/set.h"

enum operation { UNION, INTERSECTION, DIFFERENCE, COUNT };
enum aggregate { AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX };

/* One of the keys. */
struct source {
    const struct entry *entry; /* NULL: there is none */
    double weight;
    uint64_t count;
    uint32_t order; /* among the arguments */
};

struct algebra {
    enum operation operation;
    enum aggregate aggregate;
    bool stores, cardinality, with_scores;
    int64_t limit; /* of the cardinality; 0: none */
    struct source *sources;
    uint32_t count;
    struct source few[8];
};

/* ---- Sources ------------------------------------------------------------------------------------- */

static bool is_set(const struct source *source)
{
    return source->entry->type == VALUE_SET;
}

/* Whether a member is there, and its score. */
static bool source_score(struct call *call, const struct source *source, struct bytes member,
                         double *score)
{
    if (source->entry == NULL) {
        return false;
    }
    if (is_set(source)) {
        struct set set = set_of(source->entry);
        *score = 1;
        return set_contains(call->thread, &set, member);
    }
    struct zset zset = zset_of(source->entry);
    return zset_score(&zset, member, score);
}

/* A walk over the elements of a source. */
struct source_walk {
    bool set;
    struct set members;
    struct set_walk walk;
    char room[SET_TEXT_ROOM];
    struct zset zset;
    struct zset_cursor cursor;
};

static void walk_begin(const struct source *source, struct source_walk *walk)
{
    walk->set = is_set(source);
    if (walk->set) {
        walk->members = set_of(source->entry);
        set_walk_begin(&walk->walk, &walk->members);
    } else {
        walk->zset = zset_of(source->entry);
        zset_seek(&walk->zset, 0, false, &walk->cursor);
    }
}

static bool walk_next(struct source_walk *walk, struct zset_element *element)
{
    if (!walk->set) {
        return zset_next(&walk->cursor, element);
    }
    struct listpack_value member;
    if (!set_walk_next(&walk->walk, &member)) {
        return false;
    }
    *element = (struct zset_element){ set_text(&member, walk->room), 1 };
    return true;
}

/* ---- The operations ------------------------------------------------------------------------------ */

/* What is not a number counts as 0, as when infinities of both signs meet. */
static double number_or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

static double aggregate(enum aggregate how, double so_far, double value)
{
    switch (how) {
    case AGGREGATE_SUM:
        return number_or_zero(so_far + value);
    case AGGREGATE_MIN:
        return value < so_far ? value : so_far;
    case AGGREGATE_MAX:
        break;
    }
    return value > so_far ? value : so_far;
}

static MUST_CHECK enum err unite(struct call *call, const struct algebra *algebra,
                                 struct zset *result)
{
    for (uint32_t i = 0; i < algebra->count; i++) {
        const struct source *source = &algebra->sources[i];
        struct source_walk walk;
        struct zset_element element;
        if (source->entry == NULL) {
            continue;
        }
        walk_begin(source, &walk);
        while (walk_next(&walk, &element)) {
            struct zset_place place;
            double score = number_or_zero(source->weight * element.score);
            bool good = true;
            zset_look(result, element.member, &place);
            if (!place.found) {
                good = zset_add(call->thread, result, &place, element.member, score);
            } else {
                score = aggregate(algebra->aggregate, place.score, score);
                if (score != place.score || signbit(score) != signbit(place.score)) {
                    good = zset_change(call->thread, result, &place, score);
                }
            }
            if (!good) {
                return ERR_OUT_OF_MEMORY;
            }
        }
    }
    return OK;
}

/* Whether a member of the first source is in all others; aggregates the scores. */
static bool in_all(struct call *call, const struct algebra *algebra, struct zset_element *element)
{
    const struct source *first = &algebra->sources[0];
    double own = element->score;
    element->score = number_or_zero(first->weight * own);
    for (uint32_t i = 1; i < algebra->count; i++) {
        const struct source *source = &algebra->sources[i];
        double score = own;
        if (source->entry != first->entry && !source_score(call, source, element->member, &score)) {
            return false;
        }
        element->score = aggregate(algebra->aggregate, element->score, score * source->weight);
    }
    return true;
}

/* The members of all sources go to 'result', or are only counted when it is NULL. */
static MUST_CHECK enum err intersect(struct call *call, const struct algebra *algebra,
                                     struct zset *result, int64_t *count)
{
    struct source_walk walk;
    struct zset_element element;
    *count = 0;
    if (algebra->sources[0].count == 0) {
        return OK;
    }
    walk_begin(&algebra->sources[0], &walk);
    while (walk_next(&walk, &element)) {
        if (!in_all(call, algebra, &element)) {
            continue;
        }
        if (result != NULL && !zset_put(call->thread, result, element.member, element.score)) {
            return ERR_OUT_OF_MEMORY;
        }
        if (++*count == algebra->limit) {
            break;
        }
    }
    return OK;
}

static MUST_CHECK enum err subtract(struct call *call, const struct algebra *algebra,
                                    struct zset *result)
{
    struct source_walk walk;
    struct zset_element element;
    if (algebra->sources[0].entry == NULL) {
        return OK;
    }
    walk_begin(&algebra->sources[0], &walk);
    while (walk_next(&walk, &element)) {
        bool stays = true;
        double score;
        for (uint32_t i = 1; i < algebra->count && stays; i++) {
            stays = !source_score(call, &algebra->sources[i], element.member, &score);
        }
        if (stays && !zset_put(call->thread, result, element.member, element.score)) {
            return ERR_OUT_OF_MEMORY;
        }
    }
    return OK;
}

/* ---- Arguments ----------------------------------------------------------------------------------- */

static int compare_sources(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    if (x->count != y->count) {
        return x->count < y->count ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

/* numkeys key [key ...] */
static MUST_CHECK enum err read_sources(struct call *call, struct algebra *algebra)
    REQUIRES(*call->keys)
{
    enum { FEW = sizeof algebra->few / sizeof algebra->few[0] };
    struct args *args = &call->args;
    int64_t count = args_int(args);
    if (args->err != OK) {
        return args->err;
    }
    if (count < 1) {
        reply_errorf(call->reply, "ERR at least 1 input key is needed for '%s' command",
                     call->command->name);
        return ERR_REPLIED;
    }
    if (count > args_left(args)) {
        return ERR_SYNTAX;
    }
    if (count > FEW) {
        algebra->sources = mem_try_alloc((size_t)count * sizeof *algebra->sources);
        if (algebra->sources == NULL) {
            algebra->sources = algebra->few;
            return ERR_OUT_OF_MEMORY;
        }
    }
    algebra->count = (uint32_t)count;
    for (uint32_t i = 0; i < algebra->count; i++) {
        struct entry *entry;
        enum err err =
            keyspace_find(call->keyspace, call->keys, args_next(args), VALUE_ANY, &entry);
        lookup_count(call, err == OK && entry != NULL);
        if (err != OK) {
            return err;
        }
        if (entry != NULL && entry->type != VALUE_SORTED_SET && entry->type != VALUE_SET) {
            return ERR_WRONG_TYPE;
        }
        algebra->sources[i] = (struct source){ .entry = entry, .weight = 1, .order = i };
        algebra->sources[i].count = entry != NULL ? value_elements(entry) : 0;
    }
    return OK;
}

static MUST_CHECK enum err read_weights(struct call *call, struct algebra *algebra)
{
    for (uint32_t i = 0; i < algebra->count; i++) {
        if (!num_parse_double(args_next(&call->args), &algebra->sources[i].weight)) {
            reply_error(call->reply, LIT("ERR weight value is not a float"));
            return ERR_REPLIED;
        }
    }
    return OK;
}

static void read_aggregate(struct args *args, struct algebra *algebra)
{
    if (args_option(args, LIT("SUM"))) {
        algebra->aggregate = AGGREGATE_SUM;
    } else if (args_option(args, LIT("MIN"))) {
        algebra->aggregate = AGGREGATE_MIN;
    } else if (args_option(args, LIT("MAX"))) {
        algebra->aggregate = AGGREGATE_MAX;
    } else {
        args_unknown(args);
    }
}

static MUST_CHECK enum err read_options(struct call *call, struct algebra *algebra)
{
    struct args *args = &call->args;
    bool weighs = algebra->operation != DIFFERENCE && !algebra->cardinality;
    enum err err = OK;
    while (err == OK && args->err == OK && args_left(args) > 0) {
        if (weighs && args_option_with(args, LIT("WEIGHTS"), algebra->count)) {
            err = read_weights(call, algebra);
        } else if (weighs && args_option_with(args, LIT("AGGREGATE"), 1)) {
            read_aggregate(args, algebra);
        } else if (!algebra->stores && !algebra->cardinality &&
                   args_option(args, LIT("WITHSCORES"))) {
            algebra->with_scores = true;
        } else if (algebra->cardinality && args_option_with(args, LIT("LIMIT"), 1)) {
            if (!num_parse_i64(args_next(args), &algebra->limit) || algebra->limit < 0) {
                reply_error(call->reply, LIT("ERR LIMIT can't be negative"));
                err = ERR_REPLIED;
            }
        } else {
            args_unknown(args);
        }
    }
    return err != OK ? err : args_end(args);
}

/* ---- The commands -------------------------------------------------------------------------------- */

/* With the sources read, in the order in which they are worked on. */
static MUST_CHECK enum err perform(struct call *call, const struct algebra *algebra,
                                   struct bytes to_key, const char *event) REQUIRES(*call->keys)
{
    struct zset result = { 0 };
    int64_t count = 0;
    enum err err;
    if (algebra->cardinality) {
        err = intersect(call, algebra, NULL, &count);
        if (err == OK) {
            reply_integer(call->reply, count);
        }
        return err;
    }
    /* Large whatever comes: compact sets do not tell -0 from 0. */
    if (!zset_create(call->thread, &result, SIZE_MAX, 0)) {
        return ERR_OUT_OF_MEMORY;
    }
    switch (algebra->operation) {
    case UNION:
        err = unite(call, algebra, &result);
        break;
    case INTERSECTION:
        err = intersect(call, algebra, &result, &count);
        break;
    default:
        err = subtract(call, algebra, &result);
        break;
    }
    if (err == OK && algebra->stores) {
        return zset_store_result(call, to_key, &result, event);
    }
    if (err == OK) {
        zset_reply_interval(call->reply, &result, 0, zset_count(&result), false,
                            algebra->with_scores);
    }
    zset_release(call->thread, &result);
    return err;
}

/* [destination] numkeys key [key ...] [options] */
static MUST_CHECK enum err run(struct call *call, enum operation operation, const char *event)
    REQUIRES(*call->keys)
{
    struct algebra algebra = { .operation = operation == COUNT ? INTERSECTION : operation };
    algebra.stores = event != NULL;
    algebra.cardinality = operation == COUNT;
    algebra.sources = algebra.few;
    struct bytes to_key = algebra.stores ? args_next(&call->args) : LIT("");
    enum err err = read_sources(call, &algebra);
    if (err == OK) {
        err = read_options(call, &algebra);
    }
    if (err == OK) {
        if (operation != DIFFERENCE) {
            qsort(algebra.sources, algebra.count, sizeof *algebra.sources, compare_sources);
        }
        err = perform(call, &algebra, to_key, event);
    }
    if (algebra.sources != algebra.few) {
        mem_free(algebra.sources);
    }
    return err;
}

static enum err zunion(struct call *call) REQUIRES(*call->keys)
{
    return run(call, UNION, NULL);
}

static enum err zunionstore(struct call *call) REQUIRES(*call->keys)
{
    return run(call, UNION, "zunionstore");
}

static enum err zinter(struct call *call) REQUIRES(*call->keys)
{
    return run(call, INTERSECTION, NULL);
}

static enum err zinterstore(struct call *call) REQUIRES(*call->keys)
{
    return run(call, INTERSECTION, "zinterstore");
}

static enum err zintercard(struct call *call) REQUIRES(*call->keys)
{
    return run(call, COUNT, NULL);
}

static enum err zdiff(struct call *call) REQUIRES(*call->keys)
{
    return run(call, DIFFERENCE, NULL);
}

static enum err zdiffstore(struct call *call) REQUIRES(*call->keys)
{
    return run(call, DIFFERENCE, "zdiffstore");
}

/* ---- Rows ---------------------------------------------------------------------------------------- */

#define UNION_COMPLEXITY                                                                           \
    "O(N)+O(M*log(M)) where N is the number of all members and M of those of the result."
#define INTER_COMPLEXITY                                                                           \
    "O(N*K)+O(M*log(M)) where N is the number of members of the smallest set, K of sets and M "    \
    "of members of the result."
#define DIFF_COMPLEXITY                                                                            \
    "O(N*K)+O(M*log(M)) where N is the number of members of the first set, K of sets and M of "    \
    "members of the result."
#define WEIGHTS " [WEIGHTS weight:int...] [AGGREGATE aggregate=<SUM | MIN | MAX>]"

static const struct command rows[] = {
    {
        .name = "zunion",
        .handler = zunion,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEYS_COUNTED(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = UNION_COMPLEXITY,
        .summary = "Returns the members that are in any of several sorted sets.",
        .syntax = "numkeys:int key:key..." WEIGHTS " [WITHSCORES]",
    },
    {
        .name = "zunionstore",
        .handler = zunionstore,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEYS_COUNTED(2, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0",
        .complexity = UNION_COMPLEXITY,
        .summary = "Stores the members that are in any of several sorted sets.",
        .syntax = "destination:key numkeys:int key:key..." WEIGHTS,
    },
    {
        .name = "zinter",
        .handler = zinter,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEYS_COUNTED(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = INTER_COMPLEXITY,
        .summary = "Returns the members that are in all of several sorted sets.",
        .syntax = "numkeys:int key:key..." WEIGHTS " [WITHSCORES]",
    },
    {
        .name = "zinterstore",
        .handler = zinterstore,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEYS_COUNTED(2, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0",
        .complexity = INTER_COMPLEXITY,
        .summary = "Stores the members that are in all of several sorted sets.",
        .syntax = "destination:key numkeys:int key:key..." WEIGHTS,
    },
    {
        .name = "zintercard",
        .handler = zintercard,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEYS_COUNTED(1, KEY_RO | KEY_ACCESS) },
        .since = "7.0.0",
        .complexity = "O(N*K) where N is the number of members of the smallest set and K of sets.",
        .summary = "Returns how many members are in all of several sorted sets.",
        .syntax = "numkeys:int key:key... [LIMIT limit:int]",
    },
    {
        .name = "zdiff",
        .handler = zdiff,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEYS_COUNTED(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = DIFF_COMPLEXITY,
        .summary = "Returns the members of the first sorted set that are in none of the others.",
        .syntax = "numkeys:int key:key... [WITHSCORES]",
    },
    {
        .name = "zdiffstore",
        .handler = zdiffstore,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEYS_COUNTED(2, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = DIFF_COMPLEXITY,
        .summary = "Stores the members of the first sorted set that are in none of the others.",
        .syntax = "destination:key numkeys:int key:key...",
    },
};

const struct command_family cmd_zset_algebra_family = { rows, sizeof rows / sizeof rows[0] };
