/* What the stream commands share; see stream_call.h. */
#include "commands/stream_call.h"

#include "base/mem.h"
#include "base/num.h"
#include "commands/lookup.h"

enum { ID_TEXT_MAX = 127 };

/* ---- Ids as text ------------------------------------------------------------------------------ */

size_t stream_format_id(char out[STREAM_ID_ROOM], struct stream_id id)
{
    size_t len = num_format_u64(out, id.ms);
    out[len++] = '-';
    return len + num_format_u64(out + len, id.seq);
}

void stream_reply_id(struct call *call, struct stream_id id)
{
    char text[STREAM_ID_ROOM];
    reply_bytes(call->reply, (struct bytes){ text, stream_format_id(text, id) });
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A number as Redis takes it here: besides the strict form, what strtoull() reads. */
static bool parse_part(struct bytes text, uint64_t *value)
{
    int64_t plain;
    if (num_parse_i64(text, &plain)) {
        *value = (uint64_t)plain;
        return plain >= 0;
    }
    size_t at = 0;
    while (at < text.len && is_space(text.at[at])) {
        at++;
    }
    bool negative = at < text.len && text.at[at] == '-';
    at += at < text.len && (text.at[at] == '-' || text.at[at] == '+') ? 1u : 0;
    if (at == text.len) {
        return false;
    }
    uint64_t sum = 0;
    for (; at < text.len; at++) {
        unsigned digit = (unsigned)(text.at[at] - '0');
        if (digit > 9 || __builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)digit, &sum)) {
            return false;
        }
    }
    *value = negative ? -sum : sum;
    return true;
}

bool stream_parse_id(struct bytes text, uint64_t missing, bool strict, struct stream_id *id,
                     bool *any_seq)
{
    if (text.len > ID_TEXT_MAX) {
        return false;
    }
    const char *nul = text.len > 0 ? memchr(text.at, '\0', text.len) : NULL;
    if (nul != NULL) {
        text.len = (size_t)(nul - text.at);
    }
    if (text.len == 1 && (text.at[0] == '-' || text.at[0] == '+')) {
        *id = text.at[0] == '-' ? STREAM_ID_MIN : STREAM_ID_MAX;
        return !strict;
    }
    const char *dash = text.len > 0 ? memchr(text.at, '-', text.len) : NULL;
    struct bytes ms = { text.at, dash != NULL ? (size_t)(dash - text.at) : text.len };
    if (!parse_part(ms, &id->ms)) {
        return false;
    }
    id->seq = missing;
    if (dash == NULL) {
        return true;
    }
    struct bytes seq = { dash + 1, text.len - ms.len - 1 };
    if (any_seq != NULL && seq.len == 1 && seq.at[0] == '*') {
        *any_seq = true;
        id->seq = 0;
        return true;
    }
    return parse_part(seq, &id->seq);
}

enum err stream_refuse_id(struct call *call)
{
    reply_error(call->reply, LIT("ERR Invalid stream ID specified as stream command argument"));
    return ERR_REPLIED;
}

enum err stream_read_id(struct call *call, struct bytes text, struct stream_id *id)
{
    return stream_parse_id(text, 0, true, id, NULL) ? OK : stream_refuse_id(call);
}

/* '*open' says whether the id itself is left out. */
static bool parse_bound(struct bytes text, uint64_t missing, struct stream_id *id, bool *open)
{
    *open = text.len > 1 && text.at[0] == '(';
    if (*open) {
        text.at++;
        text.len--;
    }
    return stream_parse_id(text, missing, *open, id, NULL);
}

enum err stream_read_start(struct call *call, struct bytes text, struct stream_id *id)
{
    bool open;
    if (!parse_bound(text, 0, id, &open)) {
        return stream_refuse_id(call);
    }
    if (open && !stream_id_increment(id)) {
        reply_error(call->reply, LIT("ERR invalid start ID for the interval"));
        return ERR_REPLIED;
    }
    return OK;
}

enum err stream_read_end(struct call *call, struct bytes text, struct stream_id *id)
{
    bool open;
    if (!parse_bound(text, UINT64_MAX, id, &open)) {
        return stream_refuse_id(call);
    }
    if (open && !stream_id_decrement(id)) {
        reply_error(call->reply, LIT("ERR invalid end ID for the interval"));
        return ERR_REPLIED;
    }
    return OK;
}

enum err stream_read_ids(struct call *call, uint32_t from, struct stream_id **ids)
{
    uint32_t argc = call->args.argc;
    *ids = mem_try_alloc((argc - from + 1) * sizeof **ids);
    if (*ids == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (uint32_t i = from; i < argc; i++) {
        enum err err = stream_read_id(call, call_argument(call, i), &(*ids)[i - from]);
        if (err != OK) {
            mem_free(*ids);
            *ids = NULL;
            return err;
        }
    }
    return OK;
}

/* ---- Entries ------------------------------------------------------------------------------------ */

void stream_reply_entry(struct call *call, struct stream_entry entry)
{
    reply_array(call->reply, 2);
    stream_reply_id(call, entry.id);
    reply_array(call->reply, (size_t)entry.field_count * 2);
    for (uint32_t i = 0; i < entry.field_count; i++) {
        char field_room[LISTPACK_TEXT_ROOM], value_room[LISTPACK_TEXT_ROOM];
        struct bytes field, value;
        stream_entry_pair(&entry, &field, field_room, &value, value_room);
        reply_bytes(call->reply, field);
        reply_bytes(call->reply, value);
    }
}

/* ---- Keys and groups ----------------------------------------------------------------------------- */

enum err stream_look_up(struct call *call, struct bytes key, struct stream **stream)
{
    enum err err = stream_find_key(call, key, stream);
    lookup_count(call, err != OK || *stream != NULL);
    return err;
}

enum err stream_add_key(struct call *call, struct bytes key, struct stream **stream)
{
    struct entry *entry;
    *stream = stream_create(call->thread);
    if (*stream == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    enum err err = keyspace_add(call->keyspace, call->keys, key, VALUE_STREAM, ENCODING_STREAM,
                                *stream, &entry);
    if (err != OK) {
        stream_free(call->thread, *stream);
        *stream = NULL;
    }
    return err;
}

enum err stream_need_group(struct call *call, struct stream **stream, struct stream_group **group)
{
    struct bytes key = call_argument(call, 1), name = call_argument(call, 2);
    enum err err = stream_look_up(call, key, stream);
    if (err != OK) {
        return err;
    }
    *group = *stream != NULL ? stream_group_find(*stream, name) : NULL;
    if (*group == NULL) {
        reply_errorf(call->reply, "NOGROUP No such key '%.*s' or consumer group '%.*s'",
                     (int)key.len, key.at, (int)name.len, name.at);
        return ERR_REPLIED;
    }
    return OK;
}

void stream_group_changed(struct call *call, struct bytes key, const char *event)
{
    const struct change_sink *sink = &call->engine->changes;
    call->effects.changed++;
    if (event != NULL && sink->event != NULL) {
        sink->event(sink->user, call->session->db, key, bytes_of(event));
    }
}

enum err stream_need_consumer(struct call *call, struct bytes key, struct stream_group *group,
                              struct bytes name, struct stream_consumer **consumer, bool *created)
{
    *consumer = stream_consumer_find(group, name);
    *created = *consumer == NULL;
    if (*created) {
        *consumer = stream_consumer_create(call->thread, group, name, call->now_ms);
        if (*consumer == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
        stream_group_changed(call, key, "xgroup-createconsumer");
    }
    return OK;
}

/* ---- Effects -------------------------------------------------------------------------------------- */

static struct bytes number(char room[NUM_INT_ROOM], int64_t value)
{
    return (struct bytes){ room, num_format_i64(room, value) };
}

void stream_tell_pending(struct call *call, struct bytes key, const struct stream_group *group,
                         struct stream_id id, const struct stream_pending *pending)
{
    char entry[STREAM_ID_ROOM], last[STREAM_ID_ROOM];
    char delivered[NUM_INT_ROOM], deliveries[NUM_INT_ROOM];
    struct bytes argv[] = {
        LIT("XCLAIM"),
        key,
        stream_group_name(group),
        stream_consumer_name(pending->consumer),
        LIT("0"),
        { entry, stream_format_id(entry, id) },
        LIT("TIME"),
        number(delivered, pending->delivered_ms),
        LIT("RETRYCOUNT"),
        number(deliveries, (int64_t)pending->deliveries),
        LIT("FORCE"),
        LIT("JUSTID"),
        LIT("LASTID"),
        { last, stream_format_id(last, group->last_id) },
    };
    call_propagate_as(call, argv, sizeof argv / sizeof argv[0]);
}

void stream_tell_position(struct call *call, struct bytes key, const struct stream_group *group)
{
    char last[STREAM_ID_ROOM], read[NUM_INT_ROOM];
    struct bytes argv[] = {
        LIT("XGROUP"),
        LIT("SETID"),
        key,
        stream_group_name(group),
        { last, stream_format_id(last, group->last_id) },
        LIT("ENTRIESREAD"),
        number(read, group->entries_read),
    };
    call_propagate_as(call, argv, sizeof argv / sizeof argv[0]);
}

void stream_tell_consumer(struct call *call, struct bytes key, const struct stream_group *group,
                          const struct stream_consumer *consumer)
{
    struct bytes argv[] = { LIT("XGROUP"), LIT("CREATECONSUMER"), key, stream_group_name(group),
                            stream_consumer_name(consumer) };
    call_propagate_as(call, argv, sizeof argv / sizeof argv[0]);
}
