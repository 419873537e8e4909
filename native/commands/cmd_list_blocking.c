/* Lists, with patience: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP.  Each does what its impatient
 * sister does, and when there is nothing waits (exec/blocking.h); it is run again from the
 * start when one of its keys has become a list. */
#include "commands/families.h"
#include "commands/list_commands.h"
#include "exec/blocking.h"

/* There is nothing: waits for 'keys', or replies so where waiting is not allowed. */
static MUST_CHECK enum err wait_for_lists(struct call *call, const struct bytes *keys,
                                          uint32_t key_count, int64_t deadline_ms)
    REQUIRES(*call->keys)
{
    if (!blocking_may_wait(call)) {
        reply_null_array(call->reply);
        return OK;
    }
    struct blocking_request request = {
        .keys = keys, .key_count = key_count, .type = VALUE_LIST, .deadline_ms = deadline_ms
    };
    return blocking_wait(call, &request);
}

static MUST_CHECK enum err pop(struct call *call, enum list_end end) REQUIRES(*call->keys)
{
    const struct bytes *keys = call->args.argv + 1;
    uint32_t key_count = call->args.argc - 2;
    int64_t deadline_ms;
    enum err err = blocking_read_timeout(call, keys[key_count], false, &deadline_ms);
    for (uint32_t i = 0; err == OK && i < key_count; i++) {
        struct entry *entry;
        err = keyspace_find(call->keyspace, call->keys, keys[i], VALUE_LIST, &entry);
        if (err == OK && entry != NULL) {
            struct bytes argv[] = { end == LIST_HEAD ? LIT("LPOP") : LIT("RPOP"), keys[i] };
            reply_array(call->reply, 2);
            reply_bytes(call->reply, keys[i]);
            list_take_one(call, keys[i], entry, end);
            call_propagate_as(call, argv, 2);
            return OK;
        }
    }
    return err != OK ? err : wait_for_lists(call, keys, key_count, deadline_ms);
}

static enum err blpop(struct call *call) REQUIRES(*call->keys)
{
    return pop(call, LIST_HEAD);
}

static enum err brpop(struct call *call) REQUIRES(*call->keys)
{
    return pop(call, LIST_TAIL);
}

/* 'effect' is the command without its time-out, for the log. */
static MUST_CHECK enum err move(struct call *call, enum list_end from, enum list_end to,
                                struct bytes timeout, const struct bytes *effect,
                                uint32_t effect_count) REQUIRES(*call->keys)
{
    const struct bytes *source = call->args.argv + 1;
    int64_t deadline_ms;
    struct entry *entry;
    enum err err = blocking_read_timeout(call, timeout, false, &deadline_ms);
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, *source, VALUE_LIST, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry != NULL) {
        err = list_move(call, *source, entry, from, source[1], to);
        if (err == OK) {
            call_propagate_as(call, effect, effect_count);
        }
        return err;
    }
    if (!blocking_may_wait(call)) {
        reply_null(call->reply); /* Not an array here. */
        return OK;
    }
    return wait_for_lists(call, source, 1, deadline_ms);
}

static enum err blmove(struct call *call) REQUIRES(*call->keys)
{
    const struct bytes *argv = call->args.argv;
    struct bytes effect[] = { LIT("LMOVE"), argv[1], argv[2], argv[3], argv[4] };
    enum list_end from, to;
    enum err err = list_read_end(argv[3], &from);
    if (err == OK) {
        err = list_read_end(argv[4], &to);
    }
    return err != OK ? err : move(call, from, to, argv[5], effect, 5);
}

static enum err brpoplpush(struct call *call) REQUIRES(*call->keys)
{
    const struct bytes *argv = call->args.argv;
    struct bytes effect[] = { LIT("RPOPLPUSH"), argv[1], argv[2] };
    return move(call, LIST_TAIL, LIST_HEAD, argv[3], effect, 3);
}

static enum err blmpop(struct call *call) REQUIRES(*call->keys)
{
    struct list_take_arguments arguments;
    bool found = false;
    int64_t deadline_ms = 0;
    struct bytes timeout = args_next(&call->args);
    enum err err = list_read_take_arguments(call, &arguments);
    if (err == OK) {
        err = blocking_read_timeout(call, timeout, false, &deadline_ms);
    }
    if (err == OK) {
        err = list_take_from_first(call, arguments.keys, arguments.key_count, arguments.end,
                                   arguments.count, &found);
    }
    if (err != OK || found) {
        return err;
    }
    return wait_for_lists(call, arguments.keys, arguments.key_count, deadline_ms);
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const struct command_history timeout_history[] = {
    { "6.0.0", "Takes a timeout with a fraction." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "blpop",
        .handler = blpop,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING,
        .keys = { KEYS_FROM(1, -2, 1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of keys.",
        .summary = "Returns and removes the first element of a list, waiting for one.",
        .syntax = "key:key ... timeout:double",
        .history = timeout_history,
    },
    {
        .name = "brpop",
        .handler = brpop,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_NOSCRIPT | CMD_BLOCKING,
        .keys = { KEYS_FROM(1, -2, 1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of keys.",
        .summary = "Returns and removes the last element of a list, waiting for one.",
        .syntax = "key:key ... timeout:double",
        .history = timeout_history,
    },
    {
        .name = "blmove",
        .handler = blmove,
        .arity = 6,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_NOSCRIPT | CMD_BLOCKING,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Moves an element from an end of a list to an end of another one and "
                   "returns it, waiting for one.",
        .syntax = "source:key destination:key wherefrom=<LEFT | RIGHT> "
                  "whereto=<LEFT | RIGHT> timeout:double",
    },
    {
        .name = "brpoplpush",
        .handler = brpoplpush,
        .arity = 4,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_NOSCRIPT | CMD_BLOCKING,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Moves the last element of a list before the first one of another and "
                   "returns it, waiting for one.",
        .syntax = "source:key destination:key timeout:double",
        .deprecated_since = "6.2.0",
        .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
        .history = timeout_history,
    },
    {
        .name = "blmpop",
        .handler = blmpop,
        .arity = -5,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_BLOCKING,
        .keys = { KEYS_COUNTED(2, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "7.0.0",
        .complexity = "O(N+M) where N is the number of keys and M the number of elements "
                      "returned.",
        .summary = "Returns and removes elements of the first list that exists, waiting for one.",
        .syntax = "timeout:double numkeys:int key:key ... where=<LEFT | RIGHT> "
                  "[COUNT count:int]",
    },
};

const struct command_family cmd_list_blocking_family = { rows, sizeof rows / sizeof rows[0] };
