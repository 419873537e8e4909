/* SCRIPT and its subcommands: the scripts that EVALSHA finds. */
#include "exec/call.h"
#include "exec/help.h"
#include "script/families.h"
#include "script/machine.h"
#include "script/scripts.h"
#include "script/slow.h"

static enum err load(struct call *call)
{
    struct buf error = { 0 };
    struct bytes body = args_next(&call->args);
    struct machine *machine = machine_open(call->executor);
    if (machine == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    struct script *script = scripts_create(body, &error);
    if (script != NULL && (machine_find(machine, script->digest) != NULL ||
                           machine_compile(machine, script, &error) != NULL)) {
        scripts_add(machine->scripting, script, true);
        reply_bytes(call->reply, (struct bytes){ script->digest, SHA1_HEX_LEN });
    } else {
        reply_errorf(call->reply, "ERR %.*s", (int)error.len, error.at);
    }
    script_unref(script);
    buf_release(&error);
    return OK;
}

/* Folds the digest that was given; false when it is none. */
static bool fold(struct bytes given, char *digest)
{
    if (given.len == SHA1_HEX_LEN) {
        script_fold_digest(given.at, digest);
    }
    return given.len == SHA1_HEX_LEN;
}

static enum err exists(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    reply_array(call->reply, args_left(&call->args));
    while (args_left(&call->args) > 0) {
        char digest[SHA1_HEX_LEN];
        struct script *script = NULL;
        if (fold(args_next(&call->args), digest)) {
            script = scripts_find(scripting, digest);
        }
        reply_integer(call->reply, script != NULL);
        script_unref(script);
    }
    return OK;
}

static enum err show(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    char digest[SHA1_HEX_LEN];
    struct script *script = NULL;
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    if (fold(args_next(&call->args), digest)) {
        script = scripts_find(scripting, digest);
    }
    if (script == NULL) {
        return ERR_NO_SCRIPT;
    }
    reply_bytes(call->reply, script->body);
    script_unref(script);
    return OK;
}

static enum err flush(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    bool lazily; /* What nobody uses any more goes at once, or with the last who does. */
    if (args_end_lazily(&call->args, &lazily) != OK) {
        reply_error(call->reply, LIT("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
        return ERR_REPLIED;
    }
    scripts_flush(scripting);
    reply_ok(call->reply);
    return OK;
}

/* There is no debugger; to say so to a client that does not want one would be an error. */
static enum err debug(struct call *call)
{
    struct args *args = &call->args;
    if (args_option(args, LIT("no"))) {
        reply_ok(call->reply);
        return OK;
    }
    if (args_option(args, LIT("yes")) || args_option(args, LIT("sync"))) {
        reply_error(call->reply, LIT("ERR this server has no debugger of scripts"));
    } else {
        reply_error(call->reply, LIT("ERR Use SCRIPT DEBUG YES/SYNC/NO"));
    }
    return ERR_REPLIED;
}

static enum err kill(struct call *call)
{
    return slow_kill(call, false);
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "DEBUG (YES|SYNC|NO)",
        "    Switches the debugger of scripts, which this server does not have.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Tells for each digest whether its script is known.",
        "FLUSH [ASYNC|SYNC]",
        "    Forgets all scripts.",
        "KILL",
        "    Ends the script that is running, unless it has written.",
        "LOAD <script>",
        "    Makes a script known without running it.",
        "SHOW <sha1>",
        "    Returns the text of a script.",
        NULL,
    };
    help_reply(call, "SCRIPT", lines);
    return OK;
}

static const struct command_history flush_history[] = {
    { "6.2.0", "The words ASYNC and SYNC." },
    { NULL, NULL },
};

static const char *const all_nodes_tips[] = { "request_policy:all_nodes",
                                              "response_policy:all_succeeded", NULL };
static const char *const exists_tips[] = { "request_policy:all_shards",
                                           "response_policy:agg_logical_and", NULL };
static const char *const kill_tips[] = { "request_policy:all_shards",
                                         "response_policy:one_succeeded", NULL };

static const struct command rows[] = {
    {
        .name = "script",
        .arity = -2,
        .group = GROUP_SCRIPTING,
        .since = "2.6.0",
        .complexity = "Depends on subcommand.",
        .summary = "The scripts that the server knows.",
    },
    {
        .name = "script|load",
        .handler = load,
        .arity = 3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_STALE,
        .since = "2.6.0",
        .complexity = "O(N) with N being the length in bytes of the script body.",
        .summary = "Makes a script known to EVALSHA.",
        .syntax = "script:string",
        .tips = all_nodes_tips,
    },
    {
        .name = "script|exists",
        .handler = exists,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT,
        .since = "2.6.0",
        .complexity = "O(N) with N being the number of scripts to check (so checking a single "
                      "script is an O(1) operation).",
        .summary = "Tells which scripts are known.",
        .syntax = "sha1:string ...",
        .tips = exists_tips,
    },
    {
        .name = "script|show",
        .handler = show,
        .arity = 3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT,
        .since = "8.0.0",
        .complexity = "O(1)",
        .summary = "Returns the text of a script.",
        .syntax = "sha1:string",
    },
    {
        .name = "script|flush",
        .handler = flush,
        .arity = -2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT,
        .since = "2.6.0",
        .complexity = "O(N) with N being the number of scripts in cache",
        .summary = "Forgets all scripts.",
        .syntax = "[async=<ASYNC | SYNC>@6.2.0]",
        .history = flush_history,
        .tips = all_nodes_tips,
    },
    {
        .name = "script|kill",
        .handler = kill,
        .arity = 2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_ALLOW_BUSY,
        .since = "2.6.0",
        .complexity = "O(1)",
        .summary = "Ends the running script.",
        .tips = kill_tips,
    },
    {
        .name = "script|debug",
        .handler = debug,
        .arity = 3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT,
        .since = "3.2.0",
        .complexity = "O(1)",
        .summary = "Switches the debugger of scripts.",
        .syntax = "mode=<YES | SYNC | NO>",
    },
    {
        .name = "script|help",
        .handler = help,
        .arity = 2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
};

const struct command_family cmd_script_family = { rows, sizeof rows / sizeof rows[0] };
