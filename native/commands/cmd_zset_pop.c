/* Sorted sets: popping from either end, and members by chance. */
#include "base/num.h"
#include "base/random.h"
#include "commands/families.h"
#include "commands/zset_commands.h"

/* ---- Popping ------------------------------------------------------------------------------------- */

uint64_t zset_pop(struct call *call, struct bytes key, struct entry *entry, bool max,
                  uint64_t count, enum zset_pop_form form)
{
    struct zset zset = zset_of(entry);
    struct zset_cursor cursor;
    struct zset_element element;
    struct reply *reply = call->reply;
    uint64_t size = zset_count(&zset);
    bool nested = form == POP_NESTED || form == POP_KEY_NESTED;
    count = count < size ? count : size;
    if (form == POP_KEY_NESTED) {
        reply_array(reply, 2);
        reply_bytes(reply, key);
    }
    reply_array(reply, nested ? count : count * 2 + (form == POP_KEY_FLAT ? 1 : 0));
    if (form == POP_KEY_FLAT) {
        reply_bytes(reply, key);
    }
    zset_seek(&zset, max ? size - 1 : 0, max, &cursor);
    for (uint64_t left = count; left > 0 && zset_next(&cursor, &element); left--) {
        if (nested) {
            reply_array(reply, 2);
        }
        reply_bytes(reply, element.member);
        reply_double(reply, element.score);
    }
    zset_remove_ranks(call->thread, &zset, max ? size - count : 0, max ? size : count);
    zset_removed(call, key, entry, &zset, max ? "zpopmax" : "zpopmin");
    return count;
}

void zset_propagate_pop(struct call *call, struct bytes key, bool max, uint64_t count)
{
    char digits[NUM_INT_ROOM];
    struct bytes argv[3] = { max ? LIT("ZPOPMAX") : LIT("ZPOPMIN"), key };
    argv[2] = (struct bytes){ digits, num_format_u64(digits, count) };
    call_propagate_as(call, argv, 3);
}

/* key [count]. */
static MUST_CHECK enum err pop_one_key(struct call *call, bool max) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct bytes key = args_next(args);
    bool counted = args_left(args) > 0;
    if (args_left(args) > 1) {
        return ERR_SYNTAX;
    }
    int64_t count = counted ? args_int_in(args, 0, INT64_MAX, ERR_NOT_POSITIVE) : 1;
    enum err err = args_end(args);
    struct entry *entry;
    if (err == OK) {
        err = find_zset(call, key, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL || count == 0) {
        reply_array(call->reply, 0);
        return OK;
    }
    bool nested = counted && call->reply->protocol >= 3;
    zset_pop(call, key, entry, max, (uint64_t)count, nested ? POP_NESTED : POP_FLAT);
    return OK;
}

static enum err zpopmin(struct call *call) REQUIRES(*call->keys)
{
    return pop_one_key(call, false);
}

static enum err zpopmax(struct call *call) REQUIRES(*call->keys)
{
    return pop_one_key(call, true);
}

enum err zset_read_mpop(struct call *call, struct zset_mpop *mpop)
{
    struct args *args = &call->args;
    *mpop = (struct zset_mpop){ .count = 1 };
    int64_t number;
    if (!num_parse_i64(args_next(args), &number) || number < 1) {
        reply_error(call->reply, LIT("ERR numkeys should be greater than 0"));
        return ERR_REPLIED;
    }
    if ((uint64_t)number >= args_left(args)) {
        return ERR_SYNTAX;
    }
    mpop->keys = args->argv + args->next;
    mpop->key_count = (uint32_t)number;
    args->next += mpop->key_count;
    mpop->max = args_option(args, LIT("MAX"));
    if (!mpop->max && !args_option(args, LIT("MIN"))) {
        return ERR_SYNTAX;
    }
    if (args_option_with(args, LIT("COUNT"), 1)) {
        if (!num_parse_i64(args_next(args), &mpop->count) || mpop->count < 1) {
            reply_error(call->reply, LIT("ERR count should be greater than 0"));
            return ERR_REPLIED;
        }
    }
    return args_end(args);
}

enum err zset_pop_first(struct call *call, const struct zset_mpop *mpop, bool *popped)
{
    *popped = false;
    for (uint32_t i = 0; i < mpop->key_count && !*popped; i++) {
        struct entry *entry;
        enum err err = find_zset(call, mpop->keys[i], &entry);
        if (err != OK) {
            return err;
        }
        if (entry != NULL) {
            uint64_t count = zset_pop(call, mpop->keys[i], entry, mpop->max, (uint64_t)mpop->count,
                                      POP_KEY_NESTED);
            zset_propagate_pop(call, mpop->keys[i], mpop->max, count);
            *popped = true;
        }
    }
    return OK;
}

static enum err zmpop(struct call *call) REQUIRES(*call->keys)
{
    struct zset_mpop mpop;
    bool popped = false;
    enum err err = zset_read_mpop(call, &mpop);
    if (err == OK) {
        err = zset_pop_first(call, &mpop, &popped);
    }
    if (err == OK && !popped) {
        reply_null_array(call->reply);
    }
    return err;
}

/* ---- By chance ------------------------------------------------------------------------------------ */

static void reply_rank_element(struct call *call, const struct zset *zset, uint64_t rank,
                               bool with_scores)
{
    struct zset_cursor cursor;
    struct zset_element element;
    zset_seek(zset, rank, false, &cursor);
    if (zset_next(&cursor, &element)) {
        zset_reply_element(call->reply, &element, with_scores);
    }
}

/* 'count' different members, each choice as probable as any other, in their order: one walk
 * over the ranks decides about each whether it is among those still wanted. */
static void reply_sample(struct call *call, const struct zset *zset, uint64_t count,
                         bool with_scores)
{
    struct zset_cursor cursor;
    struct zset_element element;
    uint64_t left = zset_count(zset), wanted = count;
    zset_reply_begin(call->reply, count, with_scores);
    zset_seek(zset, 0, false, &cursor);
    for (; wanted > 0 && zset_next(&cursor, &element); left--) {
        if (random_below(&call->thread->dice, left) < wanted) {
            zset_reply_element(call->reply, &element, with_scores);
            wanted--;
        }
    }
}

/* A few different members of many: ranks are drawn until there are enough different ones. */
static void reply_few(struct call *call, const struct zset *zset, uint64_t count, bool with_scores)
{
    enum { FEW = 64 };
    uint64_t ranks[FEW], size = zset_count(zset);
    zset_reply_begin(call->reply, count, with_scores);
    for (uint64_t found = 0; found < count;) {
        uint64_t rank = random_below(&call->thread->dice, size);
        uint64_t same = 0;
        while (same < found && ranks[same] != rank) {
            same++;
        }
        if (same == found) {
            ranks[found++] = rank;
            reply_rank_element(call, zset, rank, with_scores);
        }
    }
}

static void reply_random(struct call *call, const struct zset *zset, int64_t count,
                         bool with_scores)
{
    uint64_t size = zset_count(zset);
    if (count < 0) {
        uint64_t wanted = (uint64_t)-count;
        zset_reply_begin(call->reply, wanted, with_scores);
        for (; wanted > 0 && !call->reply->failed; wanted--) {
            reply_rank_element(call, zset, random_below(&call->thread->dice, size), with_scores);
        }
    } else if ((uint64_t)count >= size) {
        zset_reply_interval(call->reply, zset, 0, size, false, with_scores);
    } else if (count <= 64 && (uint64_t)count <= size / 4) {
        reply_few(call, zset, (uint64_t)count, with_scores);
    } else {
        reply_sample(call, zset, (uint64_t)count, with_scores);
    }
}

/* [count [WITHSCORES]]. */
static MUST_CHECK enum err read_random(struct call *call, int64_t *count, bool *with_scores)
{
    struct args *args = &call->args;
    *count = args_int(args);
    if (args->err == OK && *count == INT64_MIN) {
        reply_errorf(call->reply, "ERR value is out of range, value must between %lld and %lld",
                     -(long long)INT64_MAX, (long long)INT64_MAX);
        return ERR_REPLIED;
    }
    *with_scores = args_option(args, LIT("WITHSCORES"));
    enum err err = args_end(args);
    if (err == OK && *with_scores && (*count < -(INT64_MAX / 2) || *count > INT64_MAX / 2)) {
        err = ERR_OUT_OF_RANGE;
    }
    return err;
}

static enum err zrandmember(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    bool counted = args_left(&call->args) > 0, with_scores = false;
    int64_t count = 1;
    struct entry *entry;
    enum err err = counted ? read_random(call, &count, &with_scores) : OK;
    if (err == OK) {
        err = lookup_zset(call, key, &entry);
    }
    if (err != OK) {
        return err;
    }
    struct zset zset = { 0 };
    if (entry != NULL) {
        zset = zset_of(entry);
    }
    if (!counted && entry == NULL) {
        reply_null(call->reply);
    } else if (!counted) {
        uint64_t rank = random_below(&call->thread->dice, zset_count(&zset));
        reply_rank_element(call, &zset, rank, false);
    } else if (entry == NULL || count == 0) {
        reply_array(call->reply, 0);
    } else {
        reply_random(call, &zset, count, with_scores);
    }
    return OK;
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

static const char *const random_tips[] = { "nondeterministic_output", NULL };

static const struct command rows[] = {
    {
        .name = "zpopmin",
        .handler = zpopmin,
        .arity = -2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(log(N)*M) where N is the number of members and M of those popped.",
        .summary = "Removes and returns the members with the lowest scores of a sorted set.",
        .syntax = "key:key [count:int]",
    },
    {
        .name = "zpopmax",
        .handler = zpopmax,
        .arity = -2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(log(N)*M) where N is the number of members and M of those popped.",
        .summary = "Removes and returns the members with the highest scores of a sorted set.",
        .syntax = "key:key [count:int]",
    },
    {
        .name = "zmpop",
        .handler = zmpop,
        .arity = -4,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE,
        .keys = { KEYS_COUNTED(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "7.0.0",
        .complexity = "O(K) + O(M*log(N)) where K is the number of keys, N of members and M of "
                      "those popped.",
        .summary = "Removes and returns the members with the lowest or highest scores of the "
                   "first sorted set that has some.",
        .syntax = "numkeys:int key:key... where=<MIN | MAX> [COUNT count:int]",
    },
    {
        .name = "zrandmember",
        .handler = zrandmember,
        .arity = -2,
        .group = GROUP_SORTED_SET,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0",
        .complexity = "O(N) where N is the number of members returned.",
        .summary = "Returns members of a sorted set by chance.",
        .syntax = "key:key [options=(count:int [WITHSCORES])]",
        .tips = random_tips,
    },
};

const struct command_family cmd_zset_pop_family = { rows, sizeof rows / sizeof rows[0] };
