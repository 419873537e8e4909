/* Reading on in streams: XREAD, and XREADGROUP for consumers of a group.  Both can wait for
 * entries (exec/blocking.h). */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/stream_call.h"
#include "exec/blocking.h"

struct read_options {
    int64_t count; /* 0: no limit */
    int64_t deadline_ms;
    bool waits, no_ack;
    struct bytes group, consumer;
    bool group_given;
    uint32_t streams_at; /* argument of the first key */
    uint32_t stream_count;
};

/* What one stream is asked for: entries behind 'after', or what is new to the group. */
struct wanted {
    struct stream *stream;
    struct stream_group *group;
    struct stream_id after;
    bool is_new;
};

static enum err refuse(struct call *call, const char *text)
{
    reply_errorf(call->reply, "ERR %s", text);
    return ERR_REPLIED;
}

/* ---- Options -------------------------------------------------------------------------------------- */

static MUST_CHECK enum err read_streams(struct call *call, struct read_options *options,
                                        bool by_group)
{
    options->streams_at = call->args.next;
    uint32_t left = args_left(&call->args);
    if (left % 2 != 0) {
        reply_errorf(call->reply,
                     "ERR Unbalanced '%s' list of streams: for each stream key an ID or '%c' must "
                     "be specified.",
                     call->command->name, by_group ? '>' : '$');
        return ERR_REPLIED;
    }
    options->stream_count = left / 2;
    call->args.next = call->args.argc;
    return OK;
}

static MUST_CHECK enum err read_option(struct call *call, struct read_options *options,
                                       bool by_group)
{
    struct args *args = &call->args;
    if (args_option_with(args, LIT("BLOCK"), 1)) {
        options->waits = true;
        return blocking_read_timeout(call, args_next(args), true, &options->deadline_ms);
    }
    if (args_option_with(args, LIT("COUNT"), 1)) {
        int64_t count = args_int(args);
        options->count = count < 0 ? 0 : count;
        return args->err;
    }
    if (args_option_with(args, LIT("STREAMS"), 1)) {
        return read_streams(call, options, by_group);
    }
    if (args_option_with(args, LIT("GROUP"), 2)) {
        if (!by_group) {
            return refuse(call, "The GROUP option is only supported by XREADGROUP. You called "
                                "XREAD instead.");
        }
        options->group_given = true;
        options->group = args_next(args);
        options->consumer = args_next(args);
        return OK;
    }
    if (args_option(args, LIT("NOACK"))) {
        options->no_ack = true;
        return by_group ? OK
                        : refuse(call, "The NOACK option is only supported by XREADGROUP. You "
                                       "called XREAD instead.");
    }
    return ERR_SYNTAX;
}

static MUST_CHECK enum err read_options(struct call *call, struct read_options *options,
                                        bool by_group)
{
    *options = (struct read_options){ 0 };
    while (args_left(&call->args) > 0) {
        enum err err = read_option(call, options, by_group);
        if (err != OK) {
            return err;
        }
    }
    if (options->streams_at == 0) {
        return ERR_SYNTAX;
    }
    if (by_group && !options->group_given) {
        return refuse(call, "Missing GROUP option for XREADGROUP");
    }
    return OK;
}

static struct bytes key_at(const struct call *call, const struct read_options *options, uint32_t i)
{
    return call_argument(call, options->streams_at + i);
}

/* From where on the stream with number 'i' is read. */
static MUST_CHECK enum err read_position(struct call *call, const struct read_options *options,
                                         uint32_t i, struct wanted *wanted)
{
    struct bytes text = call_argument(call, options->streams_at + options->stream_count + i);
    if (bytes_equal(text, LIT("$"))) {
        if (options->group_given) {
            return refuse(call, "The $ ID is meaningless in the context of XREADGROUP: you want "
                                "to read the history of this consumer by specifying a proper ID, "
                                "or use the > ID to get new messages. The $ ID would just return "
                                "an empty result set.");
        }
        wanted->after = wanted->stream != NULL ? wanted->stream->last_id : STREAM_ID_MIN;
        return OK;
    }
    if (bytes_equal(text, LIT(">"))) {
        if (!options->group_given) {
            return refuse(call, "The > ID can be specified only when calling XREADGROUP using the "
                                "GROUP <group> <consumer> option.");
        }
        wanted->is_new = true;
        return OK;
    }
    enum err err = stream_read_id(call, text, &wanted->after);
    /* The greatest id is how Redis notes ">". */
    wanted->is_new = options->group_given && stream_id_compare(wanted->after, STREAM_ID_MAX) == 0;
    return err;
}

/* Finds streams and groups, before anything is replied or changed. */
static MUST_CHECK enum err find_wanted(struct call *call, const struct read_options *options,
                                       struct wanted *wanted) REQUIRES(*call->keys)
{
    for (uint32_t i = 0; i < options->stream_count; i++) {
        struct bytes key = key_at(call, options, i);
        wanted[i] = (struct wanted){ 0 };
        enum err err = stream_look_up(call, key, &wanted[i].stream);
        if (err != OK) {
            return err;
        }
        if (options->group_given) {
            struct bytes name = options->group;
            wanted[i].group =
                wanted[i].stream != NULL ? stream_group_find(wanted[i].stream, name) : NULL;
            if (wanted[i].group == NULL) {
                reply_errorf(call->reply,
                             "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP "
                             "with GROUP option",
                             (int)key.len, key.at, (int)name.len, name.at);
                return ERR_REPLIED;
            }
        }
        err = read_position(call, options, i, &wanted[i]);
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

/* ---- Nothing there -------------------------------------------------------------------------------- */

/* Waits, or replies so.  What comes after "$" is settled now, lest it moves while waiting. */
static MUST_CHECK enum err wait_for_entries(struct call *call, const struct read_options *options,
                                            const struct wanted *wanted) REQUIRES(*call->keys)
{
    if (!options->waits || !blocking_may_wait(call)) {
        reply_null_array(call->reply);
        return OK;
    }
    uint32_t argc = call->args.argc, count = options->stream_count;
    struct bytes *argv = mem_try_alloc(argc * (sizeof *argv + STREAM_ID_ROOM));
    if (argv == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    char *room = (char *)(argv + argc);
    memcpy(argv, call->args.argv, argc * sizeof *argv);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes *id = &argv[options->streams_at + count + i];
        if (bytes_equal(*id, LIT("$"))) {
            *id = (struct bytes){ room, stream_format_id(room, wanted[i].after) };
            room += STREAM_ID_ROOM;
        }
    }
    struct blocking_request request = {
        .keys = call->args.argv + options->streams_at,
        .key_count = count,
        .type = VALUE_STREAM,
        .on_missing = options->group_given,
        .deadline_ms = options->deadline_ms,
        .argv = argv,
    };
    enum err err = blocking_wait(call, &request);
    mem_free(argv);
    return err;
}

/* Where the entries of a served stream are put; begun by the first. */
struct answer {
    struct reply_mark begin, entries;
    size_t streams;
};

static void begin_stream(struct call *call, struct answer *answer, struct bytes key)
{
    if (answer->streams++ == 0) {
        answer->begin = reply_begin_deferred(call->reply);
    }
    if (call->reply->protocol < 3) {
        reply_array(call->reply, 2);
    }
    reply_bytes(call->reply, key);
    answer->entries = reply_begin_deferred(call->reply);
}

static void end_answer(struct call *call, const struct answer *answer)
{
    if (call->reply->protocol < 3) {
        reply_end_array(call->reply, answer->begin, answer->streams);
    } else {
        reply_end_map(call->reply, answer->begin, answer->streams);
    }
}

/* ---- XREAD ------------------------------------------------------------------------------------------ */

static void read_stream(struct call *call, const struct read_options *options,
                        const struct wanted *wanted, struct bytes key, struct answer *answer)
{
    struct stream_id last, from = wanted->after;
    if (!stream_last_entry_id(wanted->stream, &last) || stream_id_compare(last, from) <= 0) {
        return;
    }
    struct stream_walk walk;
    struct stream_entry entry;
    int64_t told = 0;
    begin_stream(call, answer, key);
    (void)stream_id_increment(&from);
    stream_walk_begin(&walk, wanted->stream, from, STREAM_ID_MAX, false);
    while ((options->count == 0 || told < options->count) && stream_walk_next(&walk, &entry)) {
        stream_reply_entry(call, entry);
        told++;
    }
    reply_end_array(call->reply, answer->entries, (size_t)told);
}

/* ---- XREADGROUP --------------------------------------------------------------------------------------- */

struct reading {
    struct call *call;
    const struct read_options *options;
    struct bytes key;
    struct stream *stream;
    struct stream_group *group;
    struct stream_consumer *consumer;
    int64_t told;
    bool effects; /* something was told of the consumer */
};

/* Notes that the entry was delivered.  False when memory is short. */
static bool note_delivery(struct reading *reading, struct stream_id id)
{
    struct call *call = reading->call;
    struct stream_pending *pending = stream_pending_find(reading->group, id);
    if (pending == NULL) {
        pending = stream_pending_create(call->thread, reading->group, reading->consumer, id,
                                        call->now_ms);
        if (pending == NULL) {
            return false;
        }
    } else {
        if (!stream_pending_assign(call->thread, pending, id, reading->consumer)) {
            return false;
        }
        pending->delivered_ms = call->now_ms;
        pending->deliveries = 1;
    }
    reading->consumer->active_ms = call->now_ms;
    return true;
}

/* Entries that nobody of the group has been given yet. */
static MUST_CHECK enum err deliver(struct reading *reading)
{
    struct call *call = reading->call;
    struct stream_id from = reading->group->last_id;
    struct stream_walk walk;
    struct stream_entry entry;
    bool moved = false;
    (void)stream_id_increment(&from);
    stream_walk_begin(&walk, reading->stream, from, STREAM_ID_MAX, false);
    while ((reading->options->count == 0 || reading->told < reading->options->count) &&
           stream_walk_next(&walk, &entry)) {
        bool kept = reading->options->no_ack || note_delivery(reading, entry.id);
        if (!kept && reading->told == 0) {
            return ERR_OUT_OF_MEMORY;
        }
        if (!kept) {
            break; /* What has been delivered so far is all there is. */
        }
        stream_group_advance(reading->stream, reading->group, entry.id);
        moved = true;
        stream_reply_entry(call, entry);
        reading->told++;
        if (!reading->options->no_ack) {
            stream_tell_pending(call, reading->key, reading->group, entry.id,
                                stream_pending_find(reading->group, entry.id));
            reading->effects = true;
        }
    }
    if (moved) {
        stream_tell_position(call, reading->key, reading->group);
        stream_group_changed(call, reading->key, NULL);
    }
    return OK;
}

/* Entries that the consumer was given before and has not acknowledged. */
static void repeat(struct reading *reading, struct stream_id after)
{
    struct call *call = reading->call;
    const struct stream_map *pending = &reading->consumer->pending;
    struct stream_place place;
    bool any = stream_id_increment(&after) && stream_map_seek(pending, after, &place);
    for (; any && (reading->options->count == 0 || reading->told < reading->options->count);
         any = stream_map_next(pending, &place)) {
        struct stream_id id = stream_map_id(pending, place);
        struct stream_entry entry;
        reading->told++;
        if (!stream_find(reading->stream, id, &entry)) {
            reply_array(call->reply, 2);
            stream_reply_id(call, id);
            reply_null_array(call->reply);
            continue;
        }
        struct stream_pending *delivery = stream_map_value(pending, place);
        delivery->delivered_ms = call->now_ms;
        delivery->deliveries++;
        stream_reply_entry(call, entry);
        stream_tell_pending(call, reading->key, reading->group, id, delivery);
        stream_group_changed(call, reading->key, NULL);
        reading->effects = true;
    }
}

static MUST_CHECK enum err read_for_group(struct call *call, const struct read_options *options,
                                          const struct wanted *wanted, struct bytes key,
                                          struct answer *answer)
{
    struct reading reading = { .call = call,
                               .options = options,
                               .key = key,
                               .stream = wanted->stream,
                               .group = wanted->group };
    bool created;
    struct stream_id last;
    enum err err = stream_need_consumer(call, key, wanted->group, options->consumer,
                                        &reading.consumer, &created);
    if (err != OK) {
        return err;
    }
    if (created && options->no_ack) {
        stream_tell_consumer(call, key, wanted->group, reading.consumer);
        reading.effects = true;
    }
    reading.consumer->seen_ms = call->now_ms;
    bool any_new = wanted->is_new && stream_last_entry_id(wanted->stream, &last) &&
                   stream_id_compare(last, wanted->group->last_id) > 0;
    if (any_new || !wanted->is_new) {
        begin_stream(call, answer, key);
        if (wanted->is_new) {
            err = deliver(&reading);
        } else {
            repeat(&reading, wanted->after);
        }
        reply_end_array(call->reply, answer->entries, (size_t)reading.told);
    }
    if (created && !reading.effects) {
        stream_tell_consumer(call, key, wanted->group, reading.consumer);
    }
    return err;
}

/* ---- Both --------------------------------------------------------------------------------------------- */

static MUST_CHECK enum err serve(struct call *call, const struct read_options *options,
                                 struct wanted *wanted) REQUIRES(*call->keys)
{
    struct answer answer = { .streams = 0 };
    struct reply_mark mark = reply_mark(call->reply);
    enum err err = find_wanted(call, options, wanted);
    for (uint32_t i = 0; err == OK && i < options->stream_count; i++) {
        struct bytes key = key_at(call, options, i);
        if (options->group_given) {
            err = read_for_group(call, options, &wanted[i], key, &answer);
        } else if (wanted[i].stream != NULL) {
            read_stream(call, options, &wanted[i], key, &answer);
        }
    }
    if (err != OK) {
        if (err != ERR_REPLIED) {
            reply_rewind(call->reply, mark);
        }
        return err;
    }
    if (answer.streams > 0) {
        end_answer(call, &answer);
        return OK;
    }
    return wait_for_entries(call, options, wanted);
}

static MUST_CHECK enum err read_on(struct call *call, bool by_group) REQUIRES(*call->keys)
{
    enum { FEW = 8 };
    struct wanted few[FEW], *wanted = few;
    struct read_options options;
    enum err err = read_options(call, &options, by_group);
    if (err != OK) {
        return err;
    }
    if (options.stream_count > FEW) {
        wanted = mem_try_alloc(options.stream_count * sizeof *wanted);
        if (wanted == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
    }
    call_propagate_nothing(call); /* Each change tells its own effects. */
    err = serve(call, &options, wanted);
    if (wanted != few) {
        mem_free(wanted);
    }
    return err;
}

static enum err xread(struct call *call) REQUIRES(*call->keys)
{
    return read_on(call, false);
}

static enum err xreadgroup(struct call *call) REQUIRES(*call->keys)
{
    return read_on(call, true);
}

#define STREAMS "STREAMS streams=(key:key ... id:string ...)"
#define STREAMS_FROM(from)                                                                         \
    { .begin = KEYS_BEGIN_KEYWORD,                                                                 \
      .find = KEYS_FIND_RANGE,                                                                     \
      .flags = KEY_RO | KEY_ACCESS,                                                                \
      .index = (from),                                                                             \
      .last = -1,                                                                                  \
      .step = 1,                                                                                   \
      .limit = 2,                                                                                  \
      .keyword = "STREAMS" }

static const struct command rows[] = {
    {
        .name = "xread",
        .handler = xread,
        .arity = -4,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY | CMD_BLOCKING,
        .keys = { STREAMS_FROM(1) },
        .since = "5.0.0",
        .complexity = "For each stream O(N) where N is the number of entries returned.",
        .summary = "Returns entries of several streams behind given ids, waiting for some if "
                   "there are none.",
        .syntax = "[COUNT count:int] [BLOCK milliseconds:int] " STREAMS,
    },
    {
        .name = "xreadgroup",
        .handler = xreadgroup,
        .arity = -7,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_BLOCKING,
        .keys = { STREAMS_FROM(4) },
        .since = "5.0.0",
        .complexity = "For each stream O(N) where N is the number of entries returned.",
        .summary = "Delivers entries of streams to a consumer of a group, or repeats those that "
                   "it has not acknowledged.",
        .syntax = "GROUP group-consumer=(group:string consumer:string) [COUNT count:int] "
                  "[BLOCK milliseconds:int] [NOACK] " STREAMS,
    },
};

const struct command_family cmd_stream_read_family = { rows, sizeof rows / sizeof rows[0] };
