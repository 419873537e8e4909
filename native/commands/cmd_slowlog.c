/* SLOWLOG: what exec/slowlog.c has noted. */
#include "base/num.h"
#include "commands/families.h"
#include "exec/help.h"
#include "exec/slowlog.h"

enum { DEFAULT_COUNT = 10 };

static enum err get(struct call *call)
{
    int64_t count = DEFAULT_COUNT;
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "SLOWLOG");
    }
    if (args_left(&call->args) == 1 &&
        (!num_parse_i64(args_next(&call->args), &count) || count < -1)) {
        reply_error(call->reply, LIT("ERR count should be greater than or equal to -1"));
        return ERR_REPLIED;
    }
    slowlog_reply(call->engine->slowlog, count, call->reply);
    return OK;
}

static enum err len(struct call *call)
{
    reply_integer(call->reply, (int64_t)slowlog_length(call->engine->slowlog));
    return OK;
}

static enum err reset(struct call *call)
{
    slowlog_clear(call->engine->slowlog);
    reply_ok(call->reply);
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "GET [<count>]",
        "    The newest <count> slow commands (10 without it, all for -1), each with its",
        "    number, Unix time, microseconds, arguments, and the client's address and name.",
        "LEN",
        "    How many slow commands are remembered.",
        "RESET",
        "    Forgets all of them.",
        NULL,
    };
    help_reply(call, "SLOWLOG", lines);
    return OK;
}

static const struct command_history get_history[] = {
    { "4.0.0", "The reply tells the client's address, port and name." },
    { NULL, NULL },
};
static const char *const get_tips[] = { "request_policy:all_nodes", "nondeterministic_output",
                                        NULL };
static const char *const len_tips[] = { "request_policy:all_nodes", "response_policy:agg_sum",
                                        "nondeterministic_output", NULL };
static const char *const reset_tips[] = { "request_policy:all_nodes",
                                          "response_policy:all_succeeded", NULL };

static const struct command rows[] = {
    {
        .name = "slowlog",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "2.2.12",
        .complexity = "Depends on subcommand.",
        .summary = "The commands that took long.",
    },
    {
        .name = "slowlog|get",
        .handler = get,
        .arity = -2,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE,
        .since = "2.2.12",
        .complexity = "O(N) where N is the number of commands returned",
        .summary = "Returns the newest slow commands.",
        .syntax = "[count:integer]",
        .history = get_history,
        .tips = get_tips,
    },
    {
        .name = "slowlog|len",
        .handler = len,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE,
        .since = "2.2.12",
        .complexity = "O(1)",
        .summary = "Returns how many slow commands are remembered.",
        .tips = len_tips,
    },
    {
        .name = "slowlog|reset",
        .handler = reset,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_LOADING | CMD_STALE,
        .since = "2.2.12",
        .complexity = "O(N) where N is the number of slow commands",
        .summary = "Forgets the slow commands.",
        .tips = reset_tips,
    },
    {
        .name = "slowlog|help",
        .handler = help,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
};

const struct command_family cmd_slowlog_family = { rows, sizeof rows / sizeof rows[0] };
