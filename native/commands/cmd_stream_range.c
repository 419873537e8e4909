/* Ranges of streams: XRANGE, XREVRANGE. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/stream_call.h"

enum { NO_COUNT = -1 };

/* COUNT and its number, perhaps again; negative ones count as nothing. */
static MUST_CHECK enum err read_count(struct args *args, int64_t *count)
{
    *count = NO_COUNT;
    while (args->err == OK && args_left(args) > 0) {
        if (args_option_with(args, LIT("COUNT"), 1)) {
            int64_t value = args_int(args);
            *count = value < 0 ? 0 : value;
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

static MUST_CHECK enum err range(struct call *call, bool backwards) REQUIRES(*call->keys)
{
    struct bytes start = call_argument(call, backwards ? 3 : 2);
    struct bytes end = call_argument(call, backwards ? 2 : 3);
    struct stream_id from, to;
    struct stream *stream;
    int64_t count, told = 0;
    enum err err = stream_read_start(call, start, &from);
    err = err == OK ? stream_read_end(call, end, &to) : err;
    call->args.next = 4;
    err = err == OK ? read_count(&call->args, &count) : err;
    err = err == OK ? stream_look_up(call, call_argument(call, 1), &stream) : err;
    if (err != OK) {
        return err;
    }
    if (stream == NULL) {
        reply_array(call->reply, 0);
        return OK;
    }
    if (count == 0) {
        reply_null_array(call->reply);
        return OK;
    }
    struct stream_walk walk;
    struct stream_entry entry;
    struct reply_mark begin = reply_begin_deferred(call->reply);
    stream_walk_begin(&walk, stream, from, to, backwards);
    while (told != count && stream_walk_next(&walk, &entry)) {
        stream_reply_entry(call, entry);
        told++;
    }
    reply_end_array(call->reply, begin, (size_t)told);
    return OK;
}

static enum err xrange(struct call *call) REQUIRES(*call->keys)
{
    return range(call, false);
}

static enum err xrevrange(struct call *call) REQUIRES(*call->keys)
{
    return range(call, true);
}

static const struct command_history history[] = {
    { "6.2.0", "An end of the range may be left out of it." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "xrange",
        .handler = xrange,
        .arity = -4,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "5.0.0",
        .complexity = "O(N) where N is the number of entries returned.",
        .summary = "Returns the entries of a stream within a range of ids.",
        .syntax = "key:key start:string end:string [COUNT count:int]",
        .history = history,
    },
    {
        .name = "xrevrange",
        .handler = xrevrange,
        .arity = -4,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "5.0.0",
        .complexity = "O(N) where N is the number of entries returned.",
        .summary = "Returns the entries of a stream within a range of ids, the newest first.",
        .syntax = "key:key end:string start:string [COUNT count:int]",
        .history = history,
    },
};

const struct command_family cmd_stream_range_family = { rows, sizeof rows / sizeof rows[0] };
