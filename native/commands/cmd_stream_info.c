/* What can be known of streams: XINFO with its subcommands. */
#include "base/num.h"
#include "commands/families.h"
#include "exec/help.h"
#include "commands/stream_call.h"

static void reply_name(struct call *call, const char *name)
{
    reply_bytes(call->reply, bytes_of(name));
}

static void reply_count(struct call *call, const char *name, uint64_t value)
{
    reply_name(call, name);
    reply_integer(call->reply, (int64_t)value);
}

static void reply_named_id(struct call *call, const char *name, struct stream_id id)
{
    reply_name(call, name);
    stream_reply_id(call, id);
}

/* The stream of the subcommand's key; without one an error. */
static MUST_CHECK enum err find_stream(struct call *call, struct stream **stream)
    REQUIRES(*call->keys)
{
    enum err err = stream_look_up(call, call_argument(call, 2), stream);
    return err == OK && *stream == NULL ? ERR_NO_KEY : err;
}

/* ---- XINFO STREAM ------------------------------------------------------------------------------------ */

static void reply_numbers(struct call *call, const struct stream *stream)
{
    reply_count(call, "length", stream->length);
    reply_count(call, "radix-tree-keys", stream->blocks.count);
    reply_count(call, "radix-tree-nodes", stream_tree_nodes(stream));
    reply_named_id(call, "last-generated-id", stream->last_id);
    reply_named_id(call, "max-deleted-entry-id", stream->max_deleted_id);
    reply_count(call, "entries-added", stream->entries_added);
    reply_named_id(call, "recorded-first-entry-id", stream->first_id);
}

static void reply_edge(struct call *call, const struct stream *stream, bool last)
{
    struct stream_walk walk;
    struct stream_entry entry;
    stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, last);
    if (stream_walk_next(&walk, &entry)) {
        stream_reply_entry(call, entry);
    } else {
        reply_null(call->reply);
    }
}

static void reply_short(struct call *call, const struct stream *stream)
{
    enum { PAIRS = 10 };
    reply_map(call->reply, PAIRS);
    reply_numbers(call, stream);
    reply_count(call, "groups", stream->groups.count);
    reply_name(call, "first-entry");
    reply_edge(call, stream, false);
    reply_name(call, "last-entry");
    reply_edge(call, stream, true);
}

static void reply_reads(struct call *call, const struct stream *stream,
                        const struct stream_group *group)
{
    int64_t lag;
    reply_name(call, "entries-read");
    if (group->entries_read != STREAM_READ_UNKNOWN) {
        reply_integer(call->reply, group->entries_read);
    } else {
        reply_null(call->reply);
    }
    reply_name(call, "lag");
    if (stream_group_lag(stream, group, &lag)) {
        reply_integer(call->reply, lag);
    } else {
        reply_null(call->reply);
    }
}

/* Pending entries, 'count' of them at most (0: all); with the consumer's name or without. */
static void reply_pending(struct call *call, const struct stream_map *pending, int64_t count,
                          bool with_consumer)
{
    struct reply_mark begin = reply_begin_deferred(call->reply);
    struct stream_place place;
    int64_t told = 0;
    for (bool any = stream_map_first(pending, &place); any && (count == 0 || told < count);
         any = stream_map_next(pending, &place)) {
        const struct stream_pending *delivery = stream_map_value(pending, place);
        reply_array(call->reply, with_consumer ? 4 : 3);
        stream_reply_id(call, stream_map_id(pending, place));
        if (with_consumer) {
            reply_bytes(call->reply, stream_consumer_name(delivery->consumer));
        }
        reply_integer(call->reply, delivery->delivered_ms);
        reply_integer(call->reply, (int64_t)delivery->deliveries);
        told++;
    }
    reply_end_array(call->reply, begin, (size_t)told);
}

static void reply_consumer(struct call *call, const struct stream_consumer *consumer, int64_t count)
{
    enum { PAIRS = 5 };
    reply_map(call->reply, PAIRS);
    reply_name(call, "name");
    reply_bytes(call->reply, stream_consumer_name(consumer));
    reply_name(call, "seen-time");
    reply_integer(call->reply, consumer->seen_ms);
    reply_name(call, "active-time");
    reply_integer(call->reply, consumer->active_ms);
    reply_count(call, "pel-count", consumer->pending.count);
    reply_name(call, "pending");
    reply_pending(call, &consumer->pending, count, false);
}

static void reply_group(struct call *call, const struct stream *stream,
                        const struct stream_group *group, int64_t count)
{
    enum { PAIRS = 7 };
    reply_map(call->reply, PAIRS);
    reply_name(call, "name");
    reply_bytes(call->reply, stream_group_name(group));
    reply_named_id(call, "last-delivered-id", group->last_id);
    reply_reads(call, stream, group);
    reply_count(call, "pel-count", group->pending.count);
    reply_name(call, "pending");
    reply_pending(call, &group->pending, count, true);
    reply_name(call, "consumers");
    reply_array(call->reply, group->consumers.count);
    for (uint32_t i = 0; i < group->consumers.count; i++) {
        reply_consumer(call, stream_consumer_at(group, i), count);
    }
}

static void reply_full(struct call *call, const struct stream *stream, int64_t count)
{
    enum { PAIRS = 9 };
    struct stream_walk walk;
    struct stream_entry entry;
    int64_t told = 0;
    reply_map(call->reply, PAIRS);
    reply_numbers(call, stream);
    reply_name(call, "entries");
    struct reply_mark begin = reply_begin_deferred(call->reply);
    stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    while ((count == 0 || told < count) && stream_walk_next(&walk, &entry)) {
        stream_reply_entry(call, entry);
        told++;
    }
    reply_end_array(call->reply, begin, (size_t)told);
    reply_name(call, "groups");
    reply_array(call->reply, stream->groups.count);
    for (uint32_t i = 0; i < stream->groups.count; i++) {
        reply_group(call, stream, stream_group_at(stream, i), count);
    }
}

static enum err xinfo_stream(struct call *call) REQUIRES(*call->keys)
{
    enum { COUNT_DEFAULT = 10, PLAIN = 3, FULL = 4, FULL_COUNT = 6 };
    uint32_t argc = call->args.argc;
    int64_t count = COUNT_DEFAULT;
    struct stream *stream;
    enum err err = find_stream(call, &stream);
    if (err != OK) {
        return err;
    }
    if (argc == PLAIN) {
        reply_short(call, stream);
        return OK;
    }
    if ((argc != FULL && argc != FULL_COUNT) ||
        !bytes_equal_nocase(call_argument(call, 3), LIT("FULL")) ||
        (argc == FULL_COUNT && !bytes_equal_nocase(call_argument(call, 4), LIT("COUNT")))) {
        return help_refuse(call, "XINFO");
    }
    if (argc == FULL_COUNT && !num_parse_i64(call_argument(call, 5), &count)) {
        return ERR_NOT_INT;
    }
    reply_full(call, stream, count < 0 ? COUNT_DEFAULT : count);
    return OK;
}

/* ---- XINFO GROUPS and CONSUMERS ------------------------------------------------------------------------ */

static enum err xinfo_groups(struct call *call) REQUIRES(*call->keys)
{
    enum { PAIRS = 6 };
    struct stream *stream;
    enum err err = find_stream(call, &stream);
    if (err != OK) {
        return err;
    }
    reply_array(call->reply, stream->groups.count);
    for (uint32_t i = 0; i < stream->groups.count; i++) {
        const struct stream_group *group = stream_group_at(stream, i);
        reply_map(call->reply, PAIRS);
        reply_name(call, "name");
        reply_bytes(call->reply, stream_group_name(group));
        reply_count(call, "consumers", group->consumers.count);
        reply_count(call, "pending", group->pending.count);
        reply_named_id(call, "last-delivered-id", group->last_id);
        reply_reads(call, stream, group);
    }
    return OK;
}

static enum err xinfo_consumers(struct call *call) REQUIRES(*call->keys)
{
    enum { PAIRS = 4 };
    struct bytes key = call_argument(call, 2), name = call_argument(call, 3);
    struct stream *stream;
    enum err err = find_stream(call, &stream);
    if (err != OK) {
        return err;
    }
    const struct stream_group *group = stream_group_find(stream, name);
    if (group == NULL) {
        reply_errorf(call->reply, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                     (int)name.len, name.at, (int)key.len, key.at);
        return ERR_REPLIED;
    }
    reply_array(call->reply, group->consumers.count);
    for (uint32_t i = 0; i < group->consumers.count; i++) {
        const struct stream_consumer *consumer = stream_consumer_at(group, i);
        int64_t idle = call->now_ms - consumer->seen_ms;
        reply_map(call->reply, PAIRS);
        reply_name(call, "name");
        reply_bytes(call->reply, stream_consumer_name(consumer));
        reply_count(call, "pending", consumer->pending.count);
        reply_name(call, "idle");
        reply_integer(call->reply, idle > 0 ? idle : 0);
        reply_name(call, "inactive");
        reply_integer(call->reply,
                      consumer->active_ms != -1 ? call->now_ms - consumer->active_ms : -1);
    }
    return OK;
}

static enum err xinfo_help(struct call *call)
{
    static const char *const lines[] = {
        "CONSUMERS <key> <groupname>",
        "    Tells of the consumers of a group.",
        "GROUPS <key>",
        "    Tells of the groups of a stream.",
        "STREAM <key> [FULL [COUNT <count>]]",
        "    Tells of a stream.",
        NULL,
    };
    help_reply(call, "XINFO", lines);
    return OK;
}

/* ---- Rows -------------------------------------------------------------------------------------------- */

static const char *const varying[] = { "nondeterministic_output", NULL };

static const struct command_history stream_history[] = {
    { "6.0.0", "FULL came to be." },
    { "7.0.0", "More is told: max-deleted-entry-id, entries-added, recorded-first-entry-id, "
               "entries-read and lag." },
    { "7.2.0", "A consumer's active-time is told." },
    { NULL, NULL },
};

static const struct command_history groups_history[] = {
    { "7.0.0", "entries-read and lag are told." },
    { NULL, NULL },
};

static const struct command_history consumers_history[] = {
    { "7.2.0", "inactive is told." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "xinfo",
        .arity = -2,
        .group = GROUP_STREAM,
        .since = "5.0.0",
        .complexity = "As the subcommand says.",
        .summary = "The commands that tell of streams.",
    },
    {
        .name = "xinfo|stream",
        .handler = xinfo_stream,
        .arity = -3,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO | KEY_ACCESS) },
        .since = "5.0.0",
        .complexity = "O(1) but for the number of blocks.",
        .summary = "Tells of a stream.",
        .syntax = "key:key [FULL full-block=([COUNT count:int])]",
        .history = stream_history,
    },
    {
        .name = "xinfo|groups",
        .handler = xinfo_groups,
        .arity = 3,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO | KEY_ACCESS) },
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Tells of the consumer groups of a stream.",
        .syntax = "key:key",
        .history = groups_history,
    },
    {
        .name = "xinfo|consumers",
        .handler = xinfo_consumers,
        .arity = 4,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO | KEY_ACCESS) },
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Tells of the consumers of a group.",
        .syntax = "key:key groupname:string",
        .history = consumers_history,
        .tips = varying,
    },
    {
        .name = "xinfo|help",
        .handler = xinfo_help,
        .arity = 2,
        .group = GROUP_STREAM,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Tells what the subcommands do.",
    },
};

const struct command_family cmd_stream_info_family = { rows, sizeof rows / sizeof rows[0] };
