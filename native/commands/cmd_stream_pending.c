/* What is pending in consumer groups: XPENDING. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/stream_call.h"

static void reply_summary(struct call *call, const struct stream_group *group)
{
    struct stream_place first, last;
    reply_array(call->reply, 4);
    reply_integer(call->reply, (int64_t)group->pending.count);
    if (!stream_map_first(&group->pending, &first) || !stream_map_last(&group->pending, &last)) {
        reply_null(call->reply);
        reply_null(call->reply);
        reply_null_array(call->reply);
        return;
    }
    stream_reply_id(call, stream_map_id(&group->pending, first));
    stream_reply_id(call, stream_map_id(&group->pending, last));
    struct reply_mark begin = reply_begin_deferred(call->reply);
    size_t told = 0;
    for (uint32_t i = 0; i < group->consumers.count; i++) {
        const struct stream_consumer *consumer = stream_consumer_at(group, i);
        if (consumer->pending.count > 0) {
            reply_array(call->reply, 2);
            reply_bytes(call->reply, stream_consumer_name(consumer));
            reply_number_as_bytes(call->reply, (int64_t)consumer->pending.count);
            told++;
        }
    }
    reply_end_array(call->reply, begin, told);
}

struct pending_options {
    struct stream_id from, to;
    int64_t min_idle_ms, count;
    struct bytes consumer;
    bool consumer_given;
};

static MUST_CHECK enum err read_pending_options(struct call *call, struct pending_options *options)
{
    uint32_t argc = call->args.argc, at = 3;
    *options = (struct pending_options){ 0 };
    if (argc < 6 || argc > 9) {
        return ERR_SYNTAX;
    }
    if (bytes_equal_nocase(call_argument(call, 3), LIT("IDLE"))) {
        if (!num_parse_i64(call_argument(call, 4), &options->min_idle_ms)) {
            return ERR_NOT_INT;
        }
        if (argc < 8) {
            return ERR_SYNTAX;
        }
        at += 2;
    }
    if (!num_parse_i64(call_argument(call, at + 2), &options->count)) {
        return ERR_NOT_INT;
    }
    enum err err = stream_read_start(call, call_argument(call, at), &options->from);
    err = err == OK ? stream_read_end(call, call_argument(call, at + 1), &options->to) : err;
    options->consumer_given = at + 3 < argc;
    if (options->consumer_given) {
        options->consumer = call_argument(call, at + 3);
    }
    return err;
}

static void reply_pending(struct call *call, const struct pending_options *options,
                          const struct stream_map *map)
{
    struct reply_mark begin = reply_begin_deferred(call->reply);
    struct stream_place place;
    int64_t told = 0;
    for (bool any = stream_map_seek(map, options->from, &place); any && told < options->count;
         any = stream_map_next(map, &place)) {
        struct stream_id id = stream_map_id(map, place);
        if (stream_id_compare(id, options->to) > 0) {
            break;
        }
        const struct stream_pending *pending = stream_map_value(map, place);
        int64_t idle = stream_since(call->now_ms, pending->delivered_ms);
        if (options->min_idle_ms != 0 && idle < options->min_idle_ms) {
            continue;
        }
        told++;
        reply_array(call->reply, 4);
        stream_reply_id(call, id);
        reply_bytes(call->reply, stream_consumer_name(pending->consumer));
        reply_integer(call->reply, idle > 0 ? idle : 0);
        reply_integer(call->reply, (int64_t)pending->deliveries);
    }
    reply_end_array(call->reply, begin, (size_t)told);
}

static enum err xpending(struct call *call) REQUIRES(*call->keys)
{
    bool summary = call->args.argc == 3;
    struct pending_options options;
    struct stream *stream;
    struct stream_group *group;
    enum err err = summary ? OK : read_pending_options(call, &options);
    err = err == OK ? stream_need_group(call, &stream, &group) : err;
    if (err != OK) {
        return err;
    }
    if (summary) {
        reply_summary(call, group);
        return OK;
    }
    const struct stream_map *map = &group->pending;
    if (options.consumer_given) {
        const struct stream_consumer *consumer = stream_consumer_find(group, options.consumer);
        if (consumer == NULL) {
            reply_array(call->reply, 0);
            return OK;
        }
        map = &consumer->pending;
    }
    reply_pending(call, &options, map);
    return OK;
}

/* ---- Row ---------------------------------------------------------------------------------------------- */

static const char *const varying[] = { "nondeterministic_output", NULL };

static const struct command_history xpending_history[] = {
    { "6.2.0", "IDLE, and ends that may be left out of the range, came to be." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "xpending",
        .handler = xpending,
        .arity = -3,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "5.0.0",
        .complexity = "O(N) where N is the number of entries returned, or with IDLE looked at; "
                      "the summary O(N) where N is the number of consumers.",
        .summary = "Tells which entries are pending in a consumer group, and for whom.",
        .syntax = "key:key group:string [filters=([IDLE min-idle-time:int@6.2.0] start:string "
                  "end:string count:int [consumer:string])]",
        .history = xpending_history,
        .tips = varying,
    },
};

const struct command_family cmd_stream_pending_family = { rows, sizeof rows / sizeof rows[0] };
