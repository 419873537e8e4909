/* Sorted sets, member by member: ZADD, ZREM, ZSCORE and their kin.  Ranges are in
 * cmd_zset_range.c, popping and chance in cmd_zset_pop.c, unions and the like in
 * cmd_zset_algebra.c. */
#include <math.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/zset_commands.h"

/* ---- Keys ------------------------------------------------------------------------------------------ */

void zset_removed(struct call *call, struct bytes key, struct entry *entry, struct zset *zset,
                  const char *event)
{
    zset_store(entry, zset);
    call_changed(call, key, event);
    if (zset_count(zset) == 0) {
        keyspace_delete(call->keyspace, call->keys, key, false);
        call_changed(call, key, "del");
    }
}

enum err zset_store_result(struct call *call, struct bytes key, struct zset *zset,
                           const char *event)
{
    bool lazily = call->engine->settings.lazy_server_del;
    uint64_t count = zset_count(zset);
    if (count == 0) {
        zset_release(call->thread, zset);
        if (keyspace_delete(call->keyspace, call->keys, key, lazily)) {
            call_changed(call, key, "del");
        }
        reply_integer(call->reply, 0);
        return OK;
    }
    zset_compact(call->thread, zset);
    enum err err = keyspace_replace(call->keyspace, call->keys, key, VALUE_SORTED_SET,
                                    zset->encoding, zset->pointer, lazily);
    if (err != OK) {
        zset_release(call->thread, zset);
        return err;
    }
    call_changed(call, key, event);
    reply_integer(call->reply, (int64_t)count);
    return OK;
}

/* ---- ZADD ------------------------------------------------------------------------------------------ */

bool zset_read_add_option(struct args *args, struct zset_add_options *options)
{
    if (!args_word_is_next(args)) {
        return false; /* Mostly it is a score already. */
    }
    const struct {
        struct bytes word;
        bool *chosen;
    } known[] = {
        { LIT("NX"), &options->if_missing },    { LIT("XX"), &options->if_present },
        { LIT("GT"), &options->if_greater },    { LIT("LT"), &options->if_less },
        { LIT("CH"), &options->count_changed }, { LIT("INCR"), &options->increment },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (args_option(args, known[i].word)) {
            *known[i].chosen = true;
            return true;
        }
    }
    return false;
}

enum err zset_check_add_options(struct call *call, const struct zset_add_options *options,
                                uint32_t members)
{
    const char *text = NULL;
    if (options->if_missing && options->if_present) {
        text = "ERR XX and NX options at the same time are not compatible";
    } else if ((options->if_greater || options->if_less) &&
               (options->if_missing || (options->if_greater && options->if_less))) {
        text = "ERR GT, LT, and/or NX options at the same time are not compatible";
    } else if (options->increment && members > 1) {
        text = "ERR INCR option supports a single increment-element pair";
    }
    if (text != NULL) {
        reply_error(call->reply, bytes_of(text));
        return ERR_REPLIED;
    }
    return OK;
}

/* What has become of the members so far. */
struct added {
    uint32_t added, updated;
    bool settled; /* of INCR: it was done */
    double score; /* of INCR */
};

/* Adds or updates one member. */
static MUST_CHECK enum err add_one(struct call *call, struct zset *zset,
                                   const struct zset_add_options *options, struct bytes member,
                                   double score, struct added *added)
{
    struct zset_place place;
    zset_look(zset, member, &place);
    if (!place.found) {
        if (options->if_present) {
            return OK;
        }
        if (!zset_add(call->thread, zset, &place, member, score)) {
            return ERR_OUT_OF_MEMORY;
        }
        added->added++;
        added->settled = true;
        added->score = score;
        return OK;
    }
    if (options->if_missing) {
        return OK;
    }
    if (options->increment) {
        score += place.score;
        if (isnan(score)) {
            reply_error(call->reply, LIT("ERR resulting score is not a number (NaN)"));
            return ERR_REPLIED;
        }
    }
    if ((options->if_less && score >= place.score) ||
        (options->if_greater && score <= place.score)) {
        return OK;
    }
    added->settled = true;
    added->score = score;
    if (score != place.score) {
        if (!zset_change(call->thread, zset, &place, score)) {
            return ERR_OUT_OF_MEMORY;
        }
        added->updated++;
    }
    return OK;
}

/* The first of so many pairs. */
static void prefetch_some(const struct zset *zset, const double *scores, const struct bytes *pairs,
                          uint32_t count)
{
    struct member_ahead ahead[MEMBERS_AHEAD_MAX];
    count = count < MEMBERS_AHEAD_MAX ? count : MEMBERS_AHEAD_MAX;
    for (uint32_t i = 0; i < count; i++) {
        ahead[i] = (struct member_ahead){ pairs[2 * i + 1], true, scores[i] };
    }
    zset_prefetch(zset, ahead, count);
}

/* All members, one after the other; what was done before an error stays: '*done' of them. */
static MUST_CHECK enum err add_all(struct call *call, struct zset *zset,
                                   const struct zset_add_options *options, const double *scores,
                                   const struct bytes *pairs, uint32_t count, struct added *added,
                                   uint32_t *done)
{
    for (uint32_t i = 0; i < count; i++) {
        *done = i;
        if (i % MEMBERS_AHEAD_MAX == 0 && count > 1) {
            prefetch_some(zset, scores + i, pairs + (size_t)2 * i, count - i);
        }
        enum err err = add_one(call, zset, options, pairs[2 * i + 1], scores[i], added);
        if (err != OK) {
            return err;
        }
    }
    *done = count;
    return OK;
}

/* The set of 'key', or a new one that no key holds yet. */
static MUST_CHECK enum err open_set(struct call *call, struct bytes key, struct bytes first,
                                    struct entry **entry, struct zset *zset) REQUIRES(*call->keys)
{
    enum err err = find_zset(call, key, entry);
    if (err == OK && *entry != NULL) {
        *zset = zset_of(*entry);
    } else if (err == OK && !zset_create(call->thread, zset, 1, first.len)) {
        err = ERR_OUT_OF_MEMORY;
    }
    return err;
}

static void reply_added(struct call *call, const struct zset_add_options *options,
                        const struct added *added)
{
    if (!options->increment) {
        reply_integer(call->reply, added->added + (options->count_changed ? added->updated : 0));
    } else if (added->settled) {
        reply_double(call->reply, added->score);
    } else {
        reply_null(call->reply);
    }
}

enum err zset_add_members(struct call *call, struct bytes key,
                          const struct zset_add_options *options, const double *scores,
                          const struct bytes *pairs, uint32_t count, uint32_t *done)
{
    struct entry *entry;
    struct zset zset;
    struct added added = { 0 };
    *done = 0;
    enum err err = open_set(call, key, pairs[1], &entry, &zset);
    if (err != OK) {
        return err;
    }
    if (entry == NULL && options->if_present) {
        zset_release(call->thread, &zset);
        reply_added(call, options, &added);
        return OK;
    }
    err = add_all(call, &zset, options, scores, pairs, count, &added, done);
    if (entry != NULL) {
        zset_store(entry, &zset);
    } else if (zset_count(&zset) > 0) {
        enum err failed = keyspace_add(call->keyspace, call->keys, key, VALUE_SORTED_SET,
                                       zset.encoding, zset.pointer, &entry);
        if (failed != OK) {
            zset_release(call->thread, &zset);
            return failed;
        }
    } else {
        zset_release(call->thread, &zset);
    }
    if (added.added + added.updated > 0) {
        call_changed(call, key, options->increment ? "zincr" : "zadd");
    }
    if (err == OK) {
        reply_added(call, options, &added);
    }
    return err;
}

static enum err zadd(struct call *call) REQUIRES(*call->keys)
{
    enum { FEW = 16 };
    struct args *args = &call->args;
    struct bytes key = args_next(args);
    struct zset_add_options options = { 0 };
    while (zset_read_add_option(args, &options)) {}
    uint32_t left = args_left(args), count = left / 2;
    if (left == 0 || left % 2 != 0) {
        return ERR_SYNTAX;
    }
    enum err err = zset_check_add_options(call, &options, count);
    if (err != OK) {
        return err;
    }
    const struct bytes *pairs = args->argv + args->next;
    double few[FEW];
    double *scores = count <= FEW ? few : mem_try_alloc(count * sizeof *scores);
    if (scores == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count && err == OK; i++) {
        err = num_parse_double(pairs[2 * i], &scores[i]) ? OK : ERR_NOT_FLOAT;
    }
    if (err == OK) {
        uint32_t done;
        err = zset_add_members(call, key, &options, scores, pairs, count, &done);
        if (err != OK && call->effects.changed > 0) {
            call_propagate_as(call, args->argv, args->next + 2 * done);
        }
    }
    if (scores != few) {
        mem_free(scores);
    }
    return err;
}

static enum err zincrby(struct call *call) REQUIRES(*call->keys)
{
    struct zset_add_options options = { .increment = true };
    double increment;
    (void)args_next(&call->args);
    if (zset_read_add_option(&call->args, &options)) {
        return ERR_SYNTAX; /* An option of ZADD is one to Redis, and then a pair is not whole. */
    }
    if (!num_parse_double(call_argument(call, 2), &increment)) {
        return ERR_NOT_FLOAT;
    }
    uint32_t done;
    return zset_add_members(call, call_argument(call, 1), &options, &increment, call->args.argv + 2,
                            1, &done);
}

/* ---- ZREM ------------------------------------------------------------------------------------------ */

static enum err zrem(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = find_zset(call, key, &entry);
    if (err != OK) {
        return err;
    }
    int64_t removed = 0;
    if (entry != NULL) {
        struct zset zset = zset_of(entry);
        for (uint32_t i = 2; i < call->args.argc && zset_count(&zset) > 0; i++) {
            struct zset_place place;
            zset_look(&zset, call_argument(call, i), &place);
            if (place.found) {
                zset_remove(call->thread, &zset, &place);
                removed++;
            }
        }
        if (removed > 0) {
            zset_removed(call, key, entry, &zset, "zrem");
        }
    }
    reply_integer(call->reply, removed);
    return OK;
}

/* ---- Looking --------------------------------------------------------------------------------------- */

static enum err zcard(struct call *call) REQUIRES(*call->keys)
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
    reply_integer(call->reply, entry != NULL ? (int64_t)zset_count(&zset) : 0);
    return OK;
}

/* Replies the score of a member of the set of 'entry', or null. */
static void reply_score(struct call *call, const struct entry *entry, struct bytes member)
{
    double score;
    struct zset zset = { 0 };
    if (entry != NULL) {
        zset = zset_of(entry);
    }
    if (entry != NULL && zset_score(&zset, member, &score)) {
        reply_double(call->reply, score);
    } else {
        reply_null(call->reply);
    }
}

static enum err zscore(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_zset(call, call_argument(call, 1), &entry);
    if (err == OK) {
        reply_score(call, entry, call_argument(call, 2));
    }
    return err;
}

static enum err zmscore(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_zset(call, call_argument(call, 1), &entry);
    if (err != OK) {
        return err;
    }
    reply_array(call->reply, call->args.argc - 2);
    for (uint32_t i = 2; i < call->args.argc; i++) {
        reply_score(call, entry, call_argument(call, i));
    }
    return OK;
}

/* ZRANK and ZREVRANK key member [WITHSCORE]. */
static MUST_CHECK enum err reply_rank(struct call *call, bool reverse) REQUIRES(*call->keys)
{
    uint32_t argc = call->args.argc;
    if (argc > 4) {
        return ERR_ARITY;
    }
    bool with_score = argc == 4;
    if (with_score && !bytes_equal_nocase(call_argument(call, 3), LIT("WITHSCORE"))) {
        return ERR_SYNTAX;
    }
    struct bytes member = call_argument(call, 2);
    struct zset_place place = { .found = false };
    struct zset zset = { 0 };
    struct entry *entry;
    enum err err = lookup_zset(call, call_argument(call, 1), &entry);
    if (err != OK) {
        return err;
    }
    if (entry != NULL) {
        zset = zset_of(entry);
        zset_look(&zset, member, &place);
    }
    if (!place.found) {
        (with_score ? reply_null_array : reply_null_slow)(call->reply);
        return OK;
    }
    uint64_t rank = zset_rank(&zset, &place, member);
    if (with_score) {
        reply_array(call->reply, 2);
    }
    reply_integer(call->reply, (int64_t)(reverse ? zset_count(&zset) - 1 - rank : rank));
    if (with_score) {
        reply_double(call->reply, place.score);
    }
    return OK;
}

static enum err zrank(struct call *call) REQUIRES(*call->keys)
{
    return reply_rank(call, false);
}

static enum err zrevrank(struct call *call) REQUIRES(*call->keys)
{
    return reply_rank(call, true);
}

/* ---- Rows ------------------------------------------------------------------------------------------ */

static const struct command_history zadd_history[] = {
    { "2.4.0", "Several members can be given." },
    { "3.0.2", "`XX`, `NX`, `CH` and `INCR` can be given." },
    { "6.2.0", "`GT` and `LT` can be given." },
    { NULL, NULL },
};

static const struct command_history zrem_history[] = {
    { "2.4.0", "Several members can be given." },
    { NULL, NULL },
};

static const struct command_history zrank_history[] = {
    { "7.2.0", "`WITHSCORE` can be given." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "zadd",
        .handler = zadd,
        .arity = -4,
        .member_at = -1,
        .score_at = -2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "1.2.0",
        .complexity = "O(log(N)) for each member, where N is their number.",
        .summary = "Adds members to a sorted set or gives them other scores.",
        .syntax = "key:key [condition=<NX | XX>@3.0.2] [comparison=<GT | LT>@6.2.0] [CH@3.0.2] "
                  "[INCR@3.0.2] data=(score:double member:string)...",
        .history = zadd_history,
    },
    {
        .name = "zincrby",
        .handler = zincrby,
        .arity = 4,
        .member_at = 3,
        .score_at = 3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "1.2.0",
        .complexity = "O(log(N)) where N is the number of members.",
        .summary = "Adds to the score of a member of a sorted set.",
        .syntax = "key:key increment:int member:string",
    },
    {
        .name = "zrem",
        .handler = zrem,
        .arity = -3,
        .member_at = 2,
        .score_at = 2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "1.2.0",
        .complexity = "O(M*log(N)) where N is the number of members and M of those removed.",
        .summary = "Removes members from a sorted set.",
        .syntax = "key:key member:string...",
        .history = zrem_history,
    },
    {
        .name = "zcard",
        .handler = zcard,
        .arity = 2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO) },
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Returns the number of members of a sorted set.",
        .syntax = "key:key",
    },
    {
        .name = "zscore",
        .handler = zscore,
        .arity = 3,
        .member_at = 2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Returns the score of a member of a sorted set.",
        .syntax = "key:key member:string",
    },
    {
        .name = "zmscore",
        .handler = zmscore,
        .arity = -3,
        .member_at = 2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = "O(N) where N is the number of members asked for.",
        .summary = "Returns the scores of several members of a sorted set.",
        .syntax = "key:key member:string...",
    },
    {
        .name = "zrank",
        .handler = zrank,
        .arity = -3,
        .member_at = 2,
        .score_at = 2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0",
        .complexity = "O(log(N))",
        .summary = "Returns the rank of a member of a sorted set, the lowest score first.",
        .syntax = "key:key member:string [WITHSCORE]",
        .history = zrank_history,
    },
    {
        .name = "zrevrank",
        .handler = zrevrank,
        .arity = -3,
        .member_at = 2,
        .score_at = 2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0",
        .complexity = "O(log(N))",
        .summary = "Returns the rank of a member of a sorted set, the highest score first.",
        .syntax = "key:key member:string [WITHSCORE]",
        .history = zrank_history,
    },
};

const struct command_family cmd_zset_family = { rows, sizeof rows / sizeof rows[0] };
