/* CONFIG: the server's configuration, reached through engine->services. */
#include "commands/families.h"
#include "exec/help.h"

/* Pairs that CONFIG GET has written so far. */
struct listing {
    struct reply *reply;
    size_t count;
};

static void list_directive(void *user, struct bytes name, struct bytes value)
{
    struct listing *listing = user;
    reply_bytes(listing->reply, name);
    reply_bytes(listing->reply, value);
    listing->count++;
}

static enum err get(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct listing listing = { call->reply, 0 };
    struct reply_mark begin = reply_begin_deferred(call->reply);
    if (services->config_get != NULL) {
        services->config_get(services->server, call->args.argv + call->args.next,
                             args_left(&call->args), list_directive, &listing);
    }
    reply_end_map(call->reply, begin, listing.count);
    return OK;
}

/* Writes OK, or the error line, which it frees. */
static enum err finish(struct call *call, bool done, struct buf *error)
{
    if (done) {
        reply_ok(call->reply);
    } else {
        reply_error(call->reply, buf_bytes(error));
    }
    buf_release(error);
    return done ? OK : ERR_REPLIED;
}

static enum err unavailable(struct call *call)
{
    reply_error(call->reply, LIT("ERR this store has no configuration of its own"));
    return ERR_REPLIED;
}

static enum err set(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct buf error = { 0 };
    if (args_left(&call->args) % 2 != 0) {
        return ERR_SYNTAX;
    }
    if (services->config_set == NULL) {
        return unavailable(call);
    }
    bool done = services->config_set(services->server, call->args.argv + call->args.next,
                                     args_left(&call->args), &error);
    return finish(call, done, &error);
}

static enum err rewrite(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct buf error = { 0 };
    if (services->config_rewrite == NULL) {
        return unavailable(call);
    }
    bool done = services->config_rewrite(services->server, &error);
    return finish(call, done, &error);
}

static enum err resetstat(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    engine_reset_stats(call->engine);
    if (services->config_reset_stat != NULL) {
        services->config_reset_stat(services->server);
    }
    reply_ok(call->reply);
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "GET <pattern> [<pattern> ...]",
        "    Directives whose name matches a glob-style <pattern>, with their values.",
        "SET <directive> <value> [<directive> <value> ...]",
        "    Changes directives, all of them or none.",
        "RESETSTAT",
        "    Sets the counters of INFO to zero.",
        "REWRITE",
        "    Brings the configuration file up to date.",
        NULL,
    };
    help_reply(call, "CONFIG", lines);
    return OK;
}

enum { ADMIN = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE };

static const struct command_history get_history[] = {
    { "7.0.0", "Takes several patterns." },
    { NULL, NULL },
};
static const struct command_history set_history[] = {
    { "7.0.0", "Takes several directives." },
    { NULL, NULL },
};
static const char *const set_tips[] = { "request_policy:all_nodes", "response_policy:all_succeeded",
                                        NULL };

static const struct command rows[] = {
    {
        .name = "config",
        .arity = -2,
        .group = GROUP_SERVER,
        .since = "2.0.0",
        .complexity = "Depends on subcommand.",
        .summary = "The server's configuration.",
    },
    {
        .name = "config|get",
        .handler = get,
        .arity = -3,
        .group = GROUP_SERVER,
        .flags = ADMIN,
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of directives",
        .summary = "Returns the values of directives.",
        .syntax = "parameter=(parameter:string)...",
        .history = get_history,
    },
    {
        .name = "config|set",
        .handler = set,
        .arity = -4,
        .group = GROUP_SERVER,
        .flags = ADMIN,
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of directives",
        .summary = "Changes directives while the server runs.",
        .syntax = "parameter_value=(parameter:string value:string)...",
        .history = set_history,
        .tips = set_tips,
    },
    {
        .name = "config|resetstat",
        .handler = resetstat,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN | CMD_KEYS_ALL, /* Each thread's counters must stand still. */
        .since = "2.0.0",
        .complexity = "O(1)",
        .summary = "Sets the counters of INFO to zero.",
    },
    {
        .name = "config|rewrite",
        .handler = rewrite,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = ADMIN,
        .since = "2.8.0",
        .complexity = "O(1)",
        .summary = "Brings the configuration file up to date.",
    },
    {
        .name = "config|help",
        .handler = help,
        .arity = 2,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
};

const struct command_family cmd_config_family = { rows, sizeof rows / sizeof rows[0] };
