/* ROLE, REPLICAOF, SLAVEOF, FAILOVER: what a primary without replicas says, which this server
 * is. */
#include "base/num.h"
#include "commands/families.h"
#include "exec/call.h"

static enum err role(struct call *call)
{
    reply_array(call->reply, 3);
    reply_bytes(call->reply, LIT("master"));
    reply_integer(call->reply, 0);
    reply_array(call->reply, 0);
    return OK;
}

static enum err replicaof(struct call *call)
{
    struct bytes host = args_next(&call->args);
    struct bytes port = args_next(&call->args);
    int64_t number;
    if (bytes_equal_nocase(host, LIT("no")) && bytes_equal_nocase(port, LIT("one"))) {
        reply_ok(call->reply); /* It is a primary already. */
        return OK;
    }
    if (!num_parse_i64(port, &number) || number < 0 || number > UINT16_MAX) {
        reply_error(call->reply, LIT("ERR Invalid master port"));
    } else {
        reply_error(call->reply, LIT("ERR this server can't be a replica of another one"));
    }
    return ERR_REPLIED;
}

/* ---- FAILOVER ---------------------------------------------------------------------------- */

struct failover_options {
    bool to, abort, timeout, force;
};

static enum err read_timeout(struct call *call)
{
    int64_t ms = args_int(&call->args);
    if (call->args.err == OK && ms <= 0) {
        reply_error(call->reply, LIT("ERR FAILOVER timeout must be greater than 0"));
        return ERR_REPLIED;
    }
    return call->args.err;
}

static enum err read_failover(struct call *call, struct failover_options *options)
{
    enum err err = OK;
    while (err == OK && args_left(&call->args) > 0) {
        if (!options->timeout && args_option_with(&call->args, LIT("timeout"), 1)) {
            options->timeout = true;
            err = read_timeout(call);
        } else if (!options->abort && args_option(&call->args, LIT("abort"))) {
            options->abort = true;
        } else if (!options->to && args_option_with(&call->args, LIT("to"), 2)) {
            options->to = true;
            (void)args_next(&call->args);
            (void)args_int(&call->args);
            err = call->args.err;
        } else if (!options->force && args_option(&call->args, LIT("force"))) {
            options->force = true;
        } else {
            err = ERR_SYNTAX;
        }
    }
    bool others = options->to || options->timeout || options->force;
    return err == OK && options->abort && others ? ERR_SYNTAX : err;
}

static enum err failover(struct call *call)
{
    struct failover_options options = { .to = false };
    enum err err = read_failover(call, &options);
    if (err != OK) {
        return err;
    }
    reply_error(call->reply, options.abort ? LIT("ERR No failover in progress.")
                                           : LIT("ERR FAILOVER requires connected replicas."));
    return ERR_REPLIED;
}

enum { FOLLOWS = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE | CMD_NO_ASYNC_LOADING };

static const char replicaof_syntax[] =
    "args=<host-port=(host:string port:integer) | no-one=(NO ONE)>";

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "role", .handler = role, .arity = 1, .group = GROUP_SERVER,
        .flags = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST,
        .categories = CATEGORY_ADMIN | CATEGORY_DANGEROUS,
        .since = "2.8.12", .complexity = "O(1)",
        .summary = "Returns whether the server is a primary or a replica, and of whom.",
    },
    {
        .name = "replicaof", .handler = replicaof, .arity = 3, .group = GROUP_SERVER,
        .flags = FOLLOWS,
        .since = "5.0.0", .complexity = "O(1)",
        .summary = "Makes the server a replica of another one, or a primary.",
        .syntax = replicaof_syntax,
    },
    {
        .name = "slaveof", .handler = replicaof, .arity = 3, .group = GROUP_SERVER,
        .flags = FOLLOWS,
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Makes the server a replica of another one, or a primary.",
        .syntax = replicaof_syntax,
        .deprecated_since = "5.0.0", .replaced_by = "`REPLICAOF`",
    },
    {
        .name = "failover", .handler = failover, .arity = -1, .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_STALE,
        .since = "6.2.0", .complexity = "O(1)",
        .summary = "Makes a replica take the place of this server.",
        .syntax = "[TO target=(host:string port:integer [FORCE])] [ABORT] "
                  "[TIMEOUT milliseconds:integer]",
    },
};
/* clang-format on */

const struct command_family cmd_replication_family = { rows, sizeof rows / sizeof rows[0] };
