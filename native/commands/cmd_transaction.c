/* MULTI, EXEC, DISCARD, WATCH, UNWATCH.  The work is in exec/transaction.h. */
#include "commands/families.h"
#include "exec/call.h"
#include "exec/transaction.h"

static enum err multi(struct call *call)
{
    enum err err = transaction_begin(call->session);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

static enum err exec(struct call *call)
{
    transaction_execute(call->executor, call->session, call->reply);
    return OK;
}

static enum err discard(struct call *call)
{
    if (!transaction_open(call->session)) {
        return ERR_DISCARD_WITHOUT_MULTI;
    }
    transaction_discard(call->session, call->executor);
    reply_ok(call->reply);
    return OK;
}

static enum err watch(struct call *call) REQUIRES(*call->keys)
{
    enum err err = transaction_watch(call);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

static enum err unwatch(struct call *call)
{
    transaction_unwatch(call->session, call->executor);
    reply_ok(call->reply);
    return OK;
}

enum { ALWAYS_ALLOWED = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_ALLOW_BUSY };

static const struct command rows[] = {
    {
        .name = "discard",
        .handler = discard,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = ALWAYS_ALLOWED | CMD_IMMEDIATE_IN_MULTI,
        .since = "2.0.0",
        .complexity = "O(N), when N is the number of queued commands",
        .summary = "Discards a transaction.",
    },
    {
        .name = "exec",
        .handler = exec,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_SKIP_SLOWLOG | CMD_IMMEDIATE_IN_MULTI,
        .since = "1.2.0",
        .complexity = "Depends on commands in the transaction",
        .summary = "Runs all commands of a transaction.",
    },
    {
        .name = "multi",
        .handler = multi,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = ALWAYS_ALLOWED | CMD_IMMEDIATE_IN_MULTI,
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Starts a transaction.",
    },
    {
        .name = "unwatch",
        .handler = unwatch,
        .arity = 1,
        .group = GROUP_TRANSACTIONS,
        .flags = ALWAYS_ALLOWED,
        .since = "2.2.0",
        .complexity = "O(1)",
        .summary = "Forgets all watched keys.",
    },
    {
        .name = "watch",
        .handler = watch,
        .arity = -2,
        .group = GROUP_TRANSACTIONS,
        .flags = ALWAYS_ALLOWED | CMD_IMMEDIATE_IN_MULTI | CMD_LOCKS_TO_WRITE,
        .keys = { KEYS_FROM(1, -1, 1, KEY_RO) },
        .since = "2.2.0",
        .complexity = "O(1) for every key.",
        .summary = "Watches keys: the next transaction runs only if none of them changed.",
        .syntax = "key:key ...",
    },
};

const struct command_family cmd_transaction_family = { rows, sizeof rows / sizeof rows[0] };
