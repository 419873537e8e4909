/* Sorted sets by rank, score and text: the ZRANGE commands, counting, and the removal of
 * ranges. */
#include "commands/families.h"
#include "commands/zset_commands.h"

/* ---- ZRANGE and its kin ------------------------------------------------------------------------- */

/* What the form of a command leaves open to its options. */
struct range_form {
    enum zset_range_by by;
    bool reverse;
    bool any;   /* BYSCORE, BYLEX and REV may be given */
    bool store; /* to another key: no WITHSCORES */
};

struct range_options {
    struct zset_range range;
    bool with_scores, by_given, reverse_given;
};

/* BYSCORE, BYLEX, REV: each once. */
static bool read_kind(struct args *args, struct range_options *options)
{
    if (!options->reverse_given && args_option(args, LIT("REV"))) {
        options->reverse_given = options->range.reverse = true;
    } else if (!options->by_given && args_option(args, LIT("BYLEX"))) {
        options->by_given = true;
        options->range.by = RANGE_BY_TEXT;
    } else if (!options->by_given && args_option(args, LIT("BYSCORE"))) {
        options->by_given = true;
        options->range.by = RANGE_BY_SCORE;
    } else {
        return false;
    }
    return true;
}

static MUST_CHECK enum err read_range_options(struct call *call, const struct range_form *form,
                                              struct range_options *options)
{
    struct args *args = &call->args;
    *options = (struct range_options){ .by_given = !form->any, .reverse_given = !form->any };
    struct zset_range *range = &options->range;
    range->by = form->by;
    range->reverse = form->reverse;
    range->limit = -1;
    while (args->err == OK && args_left(args) > 0) {
        if (!form->store && args_option(args, LIT("WITHSCORES"))) {
            options->with_scores = true;
        } else if (args_option_with(args, LIT("LIMIT"), 2)) {
            range->offset = args_int(args);
            range->limit = args_int(args);
        } else if (!read_kind(args, options)) {
            args_unknown(args);
        }
    }
    enum err err = args_end(args);
    if (err != OK) {
        return err;
    }
    const char *text = NULL;
    if (range->limit != -1 && range->by == RANGE_BY_RANK) {
        text = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
               "BYLEX";
    } else if (options->with_scores && range->by == RANGE_BY_TEXT) {
        text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
    }
    if (text != NULL) {
        reply_error(call->reply, bytes_of(text));
        return ERR_REPLIED;
    }
    return OK;
}

/* Copies an interval to another key, in its direction, and replies its size. */
static MUST_CHECK enum err store_interval(struct call *call, struct bytes to_key,
                                          const struct zset *zset, const struct zset_range *range,
                                          uint64_t from, uint64_t to) REQUIRES(*call->keys)
{
    struct zset copy;
    if (!zset_create(call->thread, &copy, range->by == RANGE_BY_RANK ? to - from : 0, 0)) {
        return ERR_OUT_OF_MEMORY;
    }
    struct zset_cursor cursor;
    struct zset_element element;
    if (from < to) {
        zset_seek(zset, range->reverse ? to - 1 : from, range->reverse, &cursor);
    }
    for (uint64_t left = to - from; left > 0 && zset_next(&cursor, &element); left--) {
        if (!zset_put(call->thread, &copy, element.member, element.score)) {
            zset_release(call->thread, &copy);
            return ERR_OUT_OF_MEMORY;
        }
    }
    return zset_store_result(call, to_key, &copy, "zrangestore");
}

/* [destination] key first second [options]. */
static MUST_CHECK enum err run_range(struct call *call, struct range_form form)
    REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct bytes to_key = form.store ? args_next(args) : LIT("");
    struct bytes key = args_next(args), first = args_next(args), second = args_next(args);
    struct range_options options;
    enum err err = read_range_options(call, &form, &options);
    if (err != OK) {
        return err;
    }
    struct zset_range *range = &options.range;
    if (range->reverse && range->by != RANGE_BY_RANK) {
        struct bytes max = first;
        first = second;
        second = max;
    }
    err = zset_read_range(call, first, second, range->by, range);
    if (err != OK) {
        return err;
    }
    struct entry *entry;
    err = lookup_zset(call, key, &entry);
    if (err != OK) {
        return err;
    }
    struct zset zset = { 0 };
    uint64_t from = 0, to = 0;
    if (entry != NULL) {
        zset = zset_of(entry);
        zset_find_range(&zset, range, &from, &to);
    }
    if (form.store) {
        return store_interval(call, to_key, &zset, range, from, to);
    }
    zset_reply_interval(call->reply, &zset, from, to, range->reverse, options.with_scores);
    return OK;
}

static enum err zrange(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_RANK, .any = true });
}

static enum err zrangestore(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_RANK, .any = true, .store = true });
}

static enum err zrevrange(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_RANK, .reverse = true });
}

static enum err zrangebyscore(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_SCORE });
}

static enum err zrevrangebyscore(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_SCORE, .reverse = true });
}

static enum err zrangebylex(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_TEXT });
}

static enum err zrevrangebylex(struct call *call) REQUIRES(*call->keys)
{
    return run_range(call, (struct range_form){ .by = RANGE_BY_TEXT, .reverse = true });
}

/* ---- Counting and removing ---------------------------------------------------------------------- */

/* key min max: what is between them, all of it. */
static MUST_CHECK enum err read_whole_range(struct call *call, enum zset_range_by by,
                                            struct zset_range *range)
{
    *range = (struct zset_range){ .limit = -1 };
    return zset_read_range(call, call_argument(call, 2), call_argument(call, 3), by, range);
}

static MUST_CHECK enum err count_range(struct call *call, enum zset_range_by by)
    REQUIRES(*call->keys)
{
    struct zset_range range;
    struct entry *entry;
    uint64_t from = 0, to = 0;
    enum err err = read_whole_range(call, by, &range);
    if (err == OK) {
        err = lookup_zset(call, call_argument(call, 1), &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry != NULL) {
        struct zset zset = zset_of(entry);
        zset_find_range(&zset, &range, &from, &to);
    }
    reply_integer(call->reply, (int64_t)(to - from));
    return OK;
}

static enum err zcount(struct call *call) REQUIRES(*call->keys)
{
    return count_range(call, RANGE_BY_SCORE);
}

static enum err zlexcount(struct call *call) REQUIRES(*call->keys)
{
    return count_range(call, RANGE_BY_TEXT);
}

static MUST_CHECK enum err remove_range(struct call *call, enum zset_range_by by, const char *event)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct zset_range range;
    struct entry *entry;
    uint64_t from = 0, to = 0;
    enum err err = read_whole_range(call, by, &range);
    if (err == OK) {
        err = find_zset(call, key, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry != NULL) {
        struct zset zset = zset_of(entry);
        zset_find_range(&zset, &range, &from, &to);
        if (from < to) {
            zset_remove_ranks(call->thread, &zset, from, to);
            zset_removed(call, key, entry, &zset, event);
        }
    }
    reply_integer(call->reply, (int64_t)(to - from));
    return OK;
}

static enum err zremrangebyrank(struct call *call) REQUIRES(*call->keys)
{
    return remove_range(call, RANGE_BY_RANK, "zremrangebyrank");
}

static enum err zremrangebyscore(struct call *call) REQUIRES(*call->keys)
{
    return remove_range(call, RANGE_BY_SCORE, "zremrangebyscore");
}

static enum err zremrangebylex(struct call *call) REQUIRES(*call->keys)
{
    return remove_range(call, RANGE_BY_TEXT, "zremrangebylex");
}

/* ---- Rows --------------------------------------------------------------------------------------- */

#define RANGE_COMPLEXITY                                                                           \
    "O(log(N)+M) where N is the number of members and M of those that are returned."
#define REMOVE_COMPLEXITY                                                                          \
    "O(log(N)+M) where N is the number of members and M of those that are removed."

static const struct command_history zrange_history[] = {
    { "6.2.0", "`REV`, `BYSCORE`, `BYLEX` and `LIMIT` can be given." },
    { NULL, NULL },
};

static const struct command_history zrangebyscore_history[] = {
    { "2.0.0", "`WITHSCORES` can be given." },
    { NULL, NULL },
};

static const struct command_history zrevrangebyscore_history[] = {
    { "2.1.6", "Both ends can be excluded." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "zrange",
        .handler = zrange,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.2.0",
        .complexity = RANGE_COMPLEXITY,
        .summary = "Returns the members of a sorted set within a range.",
        .syntax = "key:key start:string stop:string [sortby=<BYSCORE | BYLEX>@6.2.0] [REV@6.2.0] "
                  "[LIMIT limit=(offset:int count:int)@6.2.0] [WITHSCORES]",
        .history = zrange_history,
    },
    {
        .name = "zrangestore",
        .handler = zrangestore,
        .arity = -5,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE), KEY_AT(2, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = "O(log(N)+M) where N is the number of members and M of those stored.",
        .summary = "Stores the members of a sorted set within a range in another key.",
        .syntax = "dst:key src:key min:string max:string [sortby=<BYSCORE | BYLEX>] [REV] "
                  "[LIMIT limit=(offset:int count:int)]",
    },
    {
        .name = "zrevrange",
        .handler = zrevrange,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.2.0",
        .complexity = RANGE_COMPLEXITY,
        .summary = "Returns the members of a sorted set within a range of ranks, the highest "
                   "score first.",
        .syntax = "key:key start:int stop:int [WITHSCORES]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`ZRANGE` with `REV`",
    },
    {
        .name = "zrangebyscore",
        .handler = zrangebyscore,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.5",
        .complexity = RANGE_COMPLEXITY,
        .summary = "Returns the members of a sorted set within a range of scores.",
        .syntax = "key:key min:double max:double [WITHSCORES@2.0.0] "
                  "[LIMIT limit=(offset:int count:int)]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`ZRANGE` with `BYSCORE`",
        .history = zrangebyscore_history,
    },
    {
        .name = "zrevrangebyscore",
        .handler = zrevrangebyscore,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.2.0",
        .complexity = RANGE_COMPLEXITY,
        .summary = "Returns the members of a sorted set within a range of scores, the highest "
                   "score first.",
        .syntax = "key:key max:double min:double [WITHSCORES] "
                  "[LIMIT limit=(offset:int count:int)]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`ZRANGE` with `REV` and `BYSCORE`",
        .history = zrevrangebyscore_history,
    },
    {
        .name = "zrangebylex",
        .handler = zrangebylex,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.9",
        .complexity = RANGE_COMPLEXITY,
        .summary = "Returns the members of a sorted set within a range of texts.",
        .syntax = "key:key min:string max:string [LIMIT limit=(offset:int count:int)]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`ZRANGE` with `BYLEX`",
    },
    {
        .name = "zrevrangebylex",
        .handler = zrevrangebylex,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.9",
        .complexity = RANGE_COMPLEXITY,
        .summary = "Returns the members of a sorted set within a range of texts, the last one "
                   "first.",
        .syntax = "key:key max:string min:string [LIMIT limit=(offset:int count:int)]",
        .deprecated_since = "6.2.0",
        .replaced_by = "`ZRANGE` with `REV` and `BYLEX`",
    },
    {
        .name = "zcount",
        .handler = zcount,
        .arity = 4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0",
        .complexity = "O(log(N)) where N is the number of members.",
        .summary = "Returns the number of members within a range of scores.",
        .syntax = "key:key min:double max:double",
    },
    {
        .name = "zlexcount",
        .handler = zlexcount,
        .arity = 4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.9",
        .complexity = "O(log(N)) where N is the number of members.",
        .summary = "Returns the number of members within a range of texts.",
        .syntax = "key:key min:string max:string",
    },
    {
        .name = "zremrangebyrank",
        .handler = zremrangebyrank,
        .arity = 4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "2.0.0",
        .complexity = REMOVE_COMPLEXITY,
        .summary = "Removes the members of a sorted set within a range of ranks.",
        .syntax = "key:key start:int stop:int",
    },
    {
        .name = "zremrangebyscore",
        .handler = zremrangebyscore,
        .arity = 4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "1.2.0",
        .complexity = REMOVE_COMPLEXITY,
        .summary = "Removes the members of a sorted set within a range of scores.",
        .syntax = "key:key min:double max:double",
    },
    {
        .name = "zremrangebylex",
        .handler = zremrangebylex,
        .arity = 4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "2.8.9",
        .complexity = REMOVE_COMPLEXITY,
        .summary = "Removes the members of a sorted set within a range of texts.",
        .syntax = "key:key min:string max:string",
    },
};

const struct command_family cmd_zset_range_family = { rows, sizeof rows / sizeof rows[0] };
