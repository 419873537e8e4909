/* Sorted sets, with patience: BZPOPMIN, BZPOPMAX, BZMPOP.  Each does what its impatient sister
 * does, and when there is nothing waits (exec/blocking.h); it is run again from the start when
 * one of its keys has become a sorted set. */
#include "commands/families.h"
#include "commands/zset_commands.h"
#include "exec/blocking.h"

/* There is nothing: waits for 'keys', or replies so where waiting is not allowed. */
static MUST_CHECK enum err wait_for_zsets(struct call *call, const struct bytes *keys,
                                          uint32_t key_count, int64_t deadline_ms)
    REQUIRES(*call->keys)
{
    if (!blocking_may_wait(call)) {
        reply_null_array(call->reply);
        return OK;
    }
    struct blocking_request request = {
        .keys = keys, .key_count = key_count, .type = VALUE_SORTED_SET, .deadline_ms = deadline_ms
    };
    return blocking_wait(call, &request);
}

static MUST_CHECK enum err pop(struct call *call, bool max) REQUIRES(*call->keys)
{
    const struct bytes *keys = call->args.argv + 1;
    uint32_t key_count = call->args.argc - 2;
    int64_t deadline_ms;
    enum err err = blocking_read_timeout(call, keys[key_count], false, &deadline_ms);
    for (uint32_t i = 0; err == OK && i < key_count; i++) {
        struct entry *entry;
        err = find_zset(call, keys[i], &entry);
        if (err == OK && entry != NULL) {
            struct bytes argv[] = { max ? LIT("ZPOPMAX") : LIT("ZPOPMIN"), keys[i] };
            zset_pop(call, keys[i], entry, max, 1, POP_KEY_FLAT);
            call_propagate_as(call, argv, 2);
            return OK;
        }
    }
    return err != OK ? err : wait_for_zsets(call, keys, key_count, deadline_ms);
}

static enum err bzpopmin(struct call *call) REQUIRES(*call->keys)
{
    return pop(call, false);
}

static enum err bzpopmax(struct call *call) REQUIRES(*call->keys)
{
    return pop(call, true);
}

static enum err bzmpop(struct call *call) REQUIRES(*call->keys)
{
    struct zset_mpop mpop;
    bool popped = false;
    int64_t deadline_ms = 0;
    struct bytes timeout = args_next(&call->args);
    enum err err = zset_read_mpop(call, &mpop);
    if (err == OK) {
        err = blocking_read_timeout(call, timeout, false, &deadline_ms);
    }
    if (err == OK) {
        err = zset_pop_first(call, &mpop, &popped);
    }
    if (err != OK || popped) {
        return err;
    }
    return wait_for_zsets(call, mpop.keys, mpop.key_count, deadline_ms);
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const struct command_history timeout_history[] = {
    { "6.0.0", "Takes a timeout with a fraction." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "bzpopmin",
        .handler = bzpopmin,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING | CMD_FAST,
        .keys = { KEYS_FROM(1, -2, 1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(log(N)) where N is the number of members.",
        .summary = "Removes and returns the member with the lowest score of the first sorted "
                   "set that has some, waiting for one.",
        .syntax = "key:key ... timeout:double",
        .history = timeout_history,
    },
    {
        .name = "bzpopmax",
        .handler = bzpopmax,
        .arity = -3,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING | CMD_FAST,
        .keys = { KEYS_FROM(1, -2, 1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(log(N)) where N is the number of members.",
        .summary = "Removes and returns the member with the highest score of the first sorted "
                   "set that has some, waiting for one.",
        .syntax = "key:key ... timeout:double",
        .history = timeout_history,
    },
    {
        .name = "bzmpop",
        .handler = bzmpop,
        .arity = -5,
        .group = GROUP_SORTED_SET,
        .flags = CMD_WRITE | CMD_BLOCKING,
        .keys = { KEYS_COUNTED(2, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "7.0.0",
        .complexity = "O(K) + O(M*log(N)) where K is the number of keys, N of members and M of "
                      "those popped.",
        .summary = "Removes and returns the members with the lowest or highest scores of the "
                   "first sorted set that has some, waiting for one.",
        .syntax = "timeout:double numkeys:int key:key ... where=<MIN | MAX> [COUNT count:int]",
    },
};

const struct command_family cmd_zset_blocking_family = { rows, sizeof rows / sizeof rows[0] };
