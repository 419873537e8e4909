/* Publish and subscribe, and MONITOR; the work is in exec/pubsub.h and exec/monitor.h. */
#include "commands/families.h"
#include "exec/help.h"
#include "exec/call.h"

/* Confirmations count channels and patterns together, shard channels alone. */
static int64_t told_count(const struct call *call, enum topic_kind kind)
{
    const struct session *session = call->session;
    if (kind == TOPIC_SHARD) {
        return pubsub_count(session, TOPIC_SHARD);
    }
    return (int64_t)pubsub_count(session, TOPIC_CHANNEL) + pubsub_count(session, TOPIC_PATTERN);
}

static void confirm(struct call *call, struct bytes what, struct bytes name, int64_t count)
{
    reply_push(call->reply, 3);
    reply_bytes(call->reply, what);
    if (name.at != NULL) {
        reply_bytes(call->reply, name);
    } else {
        reply_null(call->reply);
    }
    reply_integer(call->reply, count);
}

static enum err begin(struct call *call, enum topic_kind kind, struct bytes what)
{
    if (call->executor->mailbox == NULL) {
        reply_errorf(call->reply, "ERR %s isn't allowed for a DENY BLOCKING client",
                     kind == TOPIC_CHANNEL   ? "SUBSCRIBE"
                     : kind == TOPIC_PATTERN ? "PSUBSCRIBE"
                                             : "SSUBSCRIBE");
        return ERR_REPLIED;
    }
    while (args_left(&call->args) > 0) {
        struct bytes name = args_next(&call->args);
        enum err err = pubsub_subscribe(&call->engine->pubsub, call->session,
                                        call->executor->mailbox, kind, name);
        if (err != OK) {
            return err;
        }
        confirm(call, what, name, told_count(call, kind));
    }
    return OK;
}

struct ending {
    struct call *call;
    struct bytes what;
    int64_t left;
};

static void confirm_ending(void *user, struct bytes name)
{
    struct ending *ending = user;
    confirm(ending->call, ending->what, name, --ending->left);
}

static enum err end(struct call *call, enum topic_kind kind, struct bytes what)
{
    struct pubsub *pubsub = &call->engine->pubsub;
    struct ending ending = { call, what, told_count(call, kind) };
    if (args_left(&call->args) > 0) {
        while (args_left(&call->args) > 0) {
            struct bytes name = args_next(&call->args);
            (void)pubsub_unsubscribe(pubsub, call->session, kind, name);
            confirm(call, what, name, told_count(call, kind));
        }
        return OK;
    }
    if (pubsub_count(call->session, kind) == 0) {
        confirm(call, what, (struct bytes){ NULL, 0 }, ending.left);
        return OK;
    }
    while (pubsub_unsubscribe_one(pubsub, call->session, kind, confirm_ending, &ending)) {}
    return OK;
}

static enum err subscribe(struct call *call)
{
    return begin(call, TOPIC_CHANNEL, LIT("subscribe"));
}

static enum err unsubscribe(struct call *call)
{
    return end(call, TOPIC_CHANNEL, LIT("unsubscribe"));
}

static enum err psubscribe(struct call *call)
{
    return begin(call, TOPIC_PATTERN, LIT("psubscribe"));
}

static enum err punsubscribe(struct call *call)
{
    return end(call, TOPIC_PATTERN, LIT("punsubscribe"));
}

static enum err ssubscribe(struct call *call)
{
    return begin(call, TOPIC_SHARD, LIT("ssubscribe"));
}

static enum err sunsubscribe(struct call *call)
{
    return end(call, TOPIC_SHARD, LIT("sunsubscribe"));
}

static enum err publish(struct call *call)
{
    reply_integer(call->reply, pubsub_publish(&call->engine->pubsub, TOPIC_CHANNEL,
                                              call_argument(call, 1), call_argument(call, 2)));
    return OK;
}

static enum err spublish(struct call *call)
{
    reply_integer(call->reply, pubsub_publish(&call->engine->pubsub, TOPIC_SHARD,
                                              call_argument(call, 1), call_argument(call, 2)));
    return OK;
}

/* ---- PUBSUB -------------------------------------------------------------------------------- */

struct listing {
    struct reply *reply;
    size_t count;
};

static void list_topic(void *user, struct bytes name)
{
    struct listing *listing = user;
    reply_bytes(listing->reply, name);
    listing->count++;
}

static enum err list_topics(struct call *call, enum topic_kind kind)
{
    struct listing listing = { call->reply, 0 };
    struct bytes pattern = { NULL, 0 };
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "PUBSUB");
    }
    if (args_left(&call->args) == 1) {
        pattern = args_next(&call->args);
    }
    struct reply_mark mark = reply_begin_deferred(call->reply);
    pubsub_each_topic(&call->engine->pubsub, kind, pattern, list_topic, &listing);
    reply_end_array(call->reply, mark, listing.count);
    return OK;
}

static enum err count_subscribers(struct call *call, enum topic_kind kind)
{
    reply_array(call->reply, 2 * (size_t)args_left(&call->args));
    while (args_left(&call->args) > 0) {
        struct bytes name = args_next(&call->args);
        reply_bytes(call->reply, name);
        reply_integer(call->reply, pubsub_subscribers(&call->engine->pubsub, kind, name));
    }
    return OK;
}

static enum err channels(struct call *call)
{
    return list_topics(call, TOPIC_CHANNEL);
}

static enum err shardchannels(struct call *call)
{
    return list_topics(call, TOPIC_SHARD);
}

static enum err numsub(struct call *call)
{
    return count_subscribers(call, TOPIC_CHANNEL);
}

static enum err shardnumsub(struct call *call)
{
    return count_subscribers(call, TOPIC_SHARD);
}

static enum err numpat(struct call *call)
{
    reply_integer(call->reply, pubsub_topics(&call->engine->pubsub, TOPIC_PATTERN));
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "CHANNELS [<pattern>]",
        "    The channels that somebody listens to, of those that match the pattern.",
        "NUMPAT",
        "    How many different patterns are subscribed to.",
        "NUMSUB [<channel> ...]",
        "    How many subscribers the channels have, without those by patterns.",
        "SHARDCHANNELS [<pattern>]",
        "    The shard channels that somebody listens to, of those that match the pattern.",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    How many subscribers the shard channels have.",
        NULL,
    };
    help_reply(call, "PUBSUB", lines);
    return OK;
}

/* ---- MONITOR ------------------------------------------------------------------------------- */

static enum err monitor(struct call *call)
{
    if (call->executor->mailbox == NULL) {
        reply_error(call->reply, LIT("ERR MONITOR isn't allowed for DENY BLOCKING client"));
        return ERR_REPLIED;
    }
    monitor_begin(call->executor, call->session);
    reply_ok(call->reply);
    return OK;
}

/* ---- Rows ---------------------------------------------------------------------------------- */

enum {
    TALK = CMD_PUBSUB | CMD_LOADING | CMD_STALE,
    LISTEN = TALK | CMD_NOSCRIPT,
};

static const struct command rows[] = {
    {
        .name = "monitor",
        .handler = monitor,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
        .since = "1.0.0",
        .summary = "Shows every command that the server runs.",
    },
    {
        .name = "publish",
        .handler = publish,
        .channels = CHANNELS_FIRST,
        .arity = 3,
        .group = GROUP_PUBSUB,
        .flags = TALK | CMD_FAST | CMD_MAY_REPLICATE,
        .since = "2.0.0",
        .complexity = "O(N+M) where N is the number of the channel's subscribers and M the number "
                      "of patterns subscribed to.",
        .summary = "Sends a message to the subscribers of a channel.",
        .syntax = "channel:string message:string",
    },
    {
        .name = "pubsub",
        .arity = -2,
        .group = GROUP_PUBSUB,
        .since = "2.8.0",
        .complexity = "Depends on subcommand.",
        .summary = "What is subscribed to.",
    },
    {
        .name = "pubsub|channels",
        .handler = channels,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = TALK,
        .since = "2.8.0",
        .complexity = "O(N) where N is the number of channels.",
        .summary = "Returns the channels that have subscribers.",
        .syntax = "[pattern:pattern]",
    },
    {
        .name = "pubsub|help",
        .handler = help,
        .arity = 2,
        .group = GROUP_PUBSUB,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        .name = "pubsub|numpat",
        .handler = numpat,
        .arity = 2,
        .group = GROUP_PUBSUB,
        .flags = TALK,
        .since = "2.8.0",
        .complexity = "O(1)",
        .summary = "Returns the number of different patterns subscribed to.",
    },
    {
        .name = "pubsub|numsub",
        .handler = numsub,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = TALK,
        .since = "2.8.0",
        .complexity = "O(N) where N is the number of channels asked for.",
        .summary = "Returns the numbers of subscribers of channels.",
        .syntax = "[channel:string ...]",
    },
    {
        .name = "pubsub|shardchannels",
        .handler = shardchannels,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = TALK,
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of shard channels.",
        .summary = "Returns the shard channels that have subscribers.",
        .syntax = "[pattern:pattern]",
    },
    {
        .name = "pubsub|shardnumsub",
        .handler = shardnumsub,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = TALK,
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of shard channels asked for.",
        .summary = "Returns the numbers of subscribers of shard channels.",
        .syntax = "[shardchannel:string ...]",
    },
    {
        .name = "psubscribe",
        .handler = psubscribe,
        .channels = CHANNELS_PATTERNS,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = LISTEN,
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of patterns.",
        .summary = "Listens to the channels that match patterns.",
        .syntax = "pattern=(pattern:pattern) ...",
    },
    {
        .name = "punsubscribe",
        .handler = punsubscribe,
        .arity = -1,
        .group = GROUP_PUBSUB,
        .flags = LISTEN,
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of patterns.",
        .summary = "Stops listening to patterns, or to all of them.",
        .syntax = "[pattern:pattern ...]",
    },
    {
        .name = "spublish",
        .handler = spublish,
        .channels = CHANNELS_FIRST,
        .arity = 3,
        .group = GROUP_PUBSUB,
        .flags = TALK | CMD_FAST | CMD_MAY_REPLICATE,
        .keys = { KEY_AT(1, KEY_NOT_KEY) },
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of the shard channel's subscribers.",
        .summary = "Sends a message to the subscribers of a shard channel.",
        .syntax = "shardchannel:string message:string",
    },
    {
        .name = "ssubscribe",
        .handler = ssubscribe,
        .channels = CHANNELS_ALL,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = LISTEN,
        .keys = { KEYS_FROM(1, -1, 1, KEY_NOT_KEY) },
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of shard channels.",
        .summary = "Listens to shard channels.",
        .syntax = "shardchannel:string ...",
    },
    {
        .name = "subscribe",
        .handler = subscribe,
        .channels = CHANNELS_ALL,
        .arity = -2,
        .group = GROUP_PUBSUB,
        .flags = LISTEN,
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of channels.",
        .summary = "Listens to channels.",
        .syntax = "channel:string ...",
    },
    {
        .name = "sunsubscribe",
        .handler = sunsubscribe,
        .arity = -1,
        .group = GROUP_PUBSUB,
        .flags = LISTEN,
        .keys = { KEYS_FROM(1, -1, 1, KEY_NOT_KEY) },
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of shard channels.",
        .summary = "Stops listening to shard channels, or to all of them.",
        .syntax = "[shardchannel:string ...]",
    },
    {
        .name = "unsubscribe",
        .handler = unsubscribe,
        .arity = -1,
        .group = GROUP_PUBSUB,
        .flags = LISTEN,
        .since = "2.0.0",
        .complexity = "O(N) where N is the number of channels.",
        .summary = "Stops listening to channels, or to all of them.",
        .syntax = "[channel:string ...]",
    },
};

const struct command_family cmd_pubsub_family = { rows, sizeof rows / sizeof rows[0] };
