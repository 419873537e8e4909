/* Pending entries of consumer groups get other owners: XCLAIM, XAUTOCLAIM. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/stream_call.h"

static enum err refuse(struct call *call, const char *text)
{
    reply_errorf(call->reply, "ERR %s", text);
    return ERR_REPLIED;
}

/* ---- Claiming ---------------------------------------------------------------------------------------- */

/* One command that gives entries to a consumer. */
struct claim {
    struct call *call;
    struct bytes key;
    struct stream *stream;
    struct stream_group *group;
    struct stream_consumer *consumer;
    int64_t min_idle_ms, delivered_ms;
    int64_t retry_count; /* -1: not given */
    bool force, only_ids;
    bool created; /* the consumer is new */
    bool effects; /* something was told of what it did */
    size_t told;
};

static MUST_CHECK enum err need_consumer(struct claim *claim)
{
    struct call *call = claim->call;
    enum err err = stream_need_consumer(call, claim->key, claim->group, call_argument(call, 3),
                                        &claim->consumer, &claim->created);
    if (err == OK) {
        claim->consumer->seen_ms = call->now_ms;
    }
    return err;
}

/* An entry that is no more is pending no more; what was pending is told first. */
static void drop(struct claim *claim, struct stream_id id, const struct stream_pending *pending)
{
    struct call *call = claim->call;
    stream_tell_pending(call, claim->key, claim->group, id, pending);
    stream_group_changed(call, claim->key, NULL);
    (void)stream_pending_destroy(call->thread, claim->group, id);
}

static void reply_claimed(const struct claim *claim, const struct stream_entry *entry)
{
    if (claim->only_ids) {
        stream_reply_id(claim->call, entry->id);
    } else {
        stream_reply_entry(claim->call, *entry);
    }
}

/* Gives a pending entry to the consumer. */
static MUST_CHECK enum err take(struct claim *claim, struct stream_id id,
                                struct stream_pending *pending)
{
    struct call *call = claim->call;
    if (!stream_pending_assign(call->thread, pending, id, claim->consumer)) {
        return ERR_OUT_OF_MEMORY;
    }
    pending->delivered_ms = claim->delivered_ms;
    if (claim->retry_count >= 0) {
        pending->deliveries = (uint64_t)claim->retry_count;
    } else if (!claim->only_ids) {
        pending->deliveries++;
    }
    claim->told++;
    claim->effects = true;
    claim->consumer->active_ms = call->now_ms;
    stream_tell_pending(call, claim->key, claim->group, id, pending);
    stream_group_changed(call, claim->key, NULL);
    return OK;
}

static bool is_idle_enough(const struct claim *claim, const struct stream_pending *pending)
{
    return claim->min_idle_ms == 0 ||
           stream_since(claim->call->now_ms, pending->delivered_ms) >= claim->min_idle_ms;
}

/* A consumer that came to be and got nothing is told by itself. */
static void end_claim(const struct claim *claim)
{
    if (claim->created && !claim->effects) {
        stream_tell_consumer(claim->call, claim->key, claim->group, claim->consumer);
    }
}

/* ---- XCLAIM -------------------------------------------------------------------------------------------- */

enum { CLAIM_IDS = 5 }; /* the argument of the first id */

/* Reads the number behind an option. */
static MUST_CHECK enum err read_number(struct call *call, const char *option, int64_t *value)
{
    if (!num_parse_i64(args_next(&call->args), value)) {
        reply_errorf(call->reply, "ERR Invalid %s argument for XCLAIM", option);
        return ERR_REPLIED;
    }
    return OK;
}

static MUST_CHECK enum err read_claim_option(struct claim *claim, bool *timed,
                                             struct stream_id *last_id)
{
    struct call *call = claim->call;
    struct args *args = &call->args;
    enum err err;
    if (args_option(args, LIT("FORCE"))) {
        claim->force = true;
        return OK;
    }
    if (args_option(args, LIT("JUSTID"))) {
        claim->only_ids = true;
        return OK;
    }
    if (args_option_with(args, LIT("IDLE"), 1)) {
        int64_t idle = 0;
        err = read_number(call, "IDLE option", &idle);
        claim->delivered_ms = stream_since(call->now_ms, idle);
        *timed = claim->delivered_ms != -1;
        return err;
    }
    if (args_option_with(args, LIT("TIME"), 1)) {
        err = read_number(call, "TIME option", &claim->delivered_ms);
        *timed = claim->delivered_ms != -1;
        return err;
    }
    if (args_option_with(args, LIT("RETRYCOUNT"), 1)) {
        return read_number(call, "RETRYCOUNT option", &claim->retry_count);
    }
    if (args_option_with(args, LIT("LASTID"), 1)) {
        return stream_read_id(call, args_next(args), last_id);
    }
    struct bytes word = args_next(args);
    reply_errorf(call->reply, "ERR Unrecognized XCLAIM option '%.*s'", (int)word.len, word.at);
    return ERR_REPLIED;
}

/* The ids, as many as can be read as such, and then options.  '*moved' is true when LASTID
 * moved the group on. */
static MUST_CHECK enum err read_claim(struct claim *claim, struct stream_id *ids, uint32_t *count,
                                      bool *moved)
{
    struct call *call = claim->call;
    struct stream_id last_id = STREAM_ID_MIN;
    bool timed = false;
    uint32_t at = CLAIM_IDS;
    while (at < call->args.argc &&
           stream_parse_id(call_argument(call, at), 0, true, &ids[at - CLAIM_IDS], NULL)) {
        at++;
    }
    *count = at - CLAIM_IDS;
    call->args.next = at;
    while (args_left(&call->args) > 0) {
        enum err err = read_claim_option(claim, &timed, &last_id);
        if (err != OK) {
            return err;
        }
    }
    *moved = stream_id_compare(last_id, claim->group->last_id) > 0;
    if (*moved) {
        claim->group->last_id = last_id;
    }
    if (!timed || claim->delivered_ms < 0 || claim->delivered_ms > call->now_ms) {
        claim->delivered_ms = call->now_ms; /* A bogus time is now. */
    }
    return OK;
}

static MUST_CHECK enum err claim_one(struct claim *claim, struct stream_id id)
{
    struct call *call = claim->call;
    struct stream_pending *pending = stream_pending_find(claim->group, id);
    struct stream_entry entry;
    if (!stream_find(claim->stream, id, &entry)) {
        if (pending != NULL) {
            drop(claim, id, pending);
        }
        return OK;
    }
    if (pending == NULL) {
        if (!claim->force) {
            return OK;
        }
        pending =
            stream_pending_create(call->thread, claim->group, claim->consumer, id, call->now_ms);
        if (pending == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
    } else if (!is_idle_enough(claim, pending)) {
        return OK;
    }
    enum err err = take(claim, id, pending);
    if (err == OK) {
        reply_claimed(claim, &entry);
    }
    return err;
}

/* Claims the ids as long as there is memory; what has been claimed is replied. */
static MUST_CHECK enum err claim_all(struct claim *claim, const struct stream_id *ids,
                                     uint32_t count, bool moved)
{
    struct call *call = claim->call;
    enum err err = need_consumer(claim);
    if (err != OK) {
        return err;
    }
    uint32_t told_before = call->effects.changed;
    struct reply_mark mark = reply_mark(call->reply);
    struct reply_mark begin = reply_begin_deferred(call->reply);
    for (uint32_t i = 0; err == OK && i < count; i++) {
        err = claim_one(claim, ids[i]);
    }
    if (moved && call->effects.changed == told_before) {
        stream_tell_position(call, claim->key, claim->group);
        stream_group_changed(call, claim->key, NULL);
    }
    end_claim(claim);
    if (err != OK && claim->told == 0) {
        reply_rewind(call->reply, mark);
        return err;
    }
    reply_end_array(call->reply, begin, claim->told);
    return OK;
}

static enum err xclaim(struct call *call) REQUIRES(*call->keys)
{
    struct claim claim = { .call = call, .key = call_argument(call, 1), .retry_count = -1 };
    enum err err = stream_need_group(call, &claim.stream, &claim.group);
    if (err != OK) {
        return err;
    }
    if (!num_parse_i64(call_argument(call, 4), &claim.min_idle_ms)) {
        return refuse(call, "Invalid min-idle-time argument for XCLAIM");
    }
    if (claim.min_idle_ms < 0) {
        claim.min_idle_ms = 0;
    }
    struct stream_id *ids = mem_try_alloc(call->args.argc * sizeof *ids);
    if (ids == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    uint32_t count;
    bool moved;
    err = read_claim(&claim, ids, &count, &moved);
    if (err == OK) {
        call_propagate_nothing(call); /* Each change tells its own effects. */
        err = claim_all(&claim, ids, count, moved);
    }
    mem_free(ids);
    return err;
}

/* ---- XAUTOCLAIM ------------------------------------------------------------------------------------------ */

enum { ATTEMPTS_FACTOR = 10, COUNT_DEFAULT = 100 };

static MUST_CHECK enum err read_autoclaim(struct claim *claim, struct stream_id *from,
                                          int64_t *count)
{
    struct call *call = claim->call;
    struct args *args = &call->args;
    const int64_t most = INT64_MAX / (int64_t)sizeof(struct stream_id); /* as many as Redis takes */
    if (!num_parse_i64(call_argument(call, 4), &claim->min_idle_ms)) {
        return refuse(call, "Invalid min-idle-time argument for XAUTOCLAIM");
    }
    if (claim->min_idle_ms < 0) {
        claim->min_idle_ms = 0;
    }
    enum err err = stream_read_start(call, call_argument(call, 5), from);
    *count = COUNT_DEFAULT;
    args->next = 6;
    while (err == OK && args_left(args) > 0) {
        if (args_option_with(args, LIT("COUNT"), 1)) {
            if (!num_parse_i64(args_next(args), count) || *count < 1 || *count > most) {
                return refuse(call, "COUNT must be > 0");
            }
        } else if (args_option(args, LIT("JUSTID"))) {
            claim->only_ids = true;
        } else {
            return ERR_SYNTAX;
        }
    }
    return err;
}

/* Where a pass over the pending entries has come to, and what it met; the bufs hold ids. */
struct pass {
    struct stream_id next; /* the cursor to be told; zero at the end */
    struct buf claimed, dropped;
};

static MUST_CHECK bool note_id(struct buf *ids, struct stream_id id)
{
    if (!buf_reserve(ids, sizeof id)) {
        return false;
    }
    buf_append(ids, (struct bytes){ (const char *)&id, sizeof id });
    return true;
}

static struct stream_id noted_id(const struct buf *ids, size_t index)
{
    struct stream_id id = { 0 };
    if ((index + 1) * sizeof id <= ids->len) {
        memcpy(&id, ids->at + index * sizeof id, sizeof id);
    }
    return id;
}

/* Claims up to 'count' entries from 'from' on, as long as there is memory; those that are no
 * more count too. */
static void claim_from(struct claim *claim, struct stream_id from, int64_t count, struct pass *pass)
{
    const struct stream_map *map = &claim->group->pending;
    int64_t attempts = count * ATTEMPTS_FACTOR;
    struct stream_place place;
    bool any = stream_map_seek(map, from, &place);
    while (any && attempts-- > 0 && count > 0) {
        struct stream_id id = stream_map_id(map, place);
        struct stream_pending *pending = stream_map_value(map, place);
        struct stream_entry entry;
        if (!stream_find(claim->stream, id, &entry)) {
            if (!note_id(&pass->dropped, id)) {
                break;
            }
            drop(claim, id, pending);
            count--;
            any = stream_map_seek(map, id, &place);
            continue;
        }
        if (is_idle_enough(claim, pending)) {
            if (!note_id(&pass->claimed, id) || take(claim, id, pending) != OK) {
                break;
            }
            count--;
        }
        any = stream_map_next(map, &place);
    }
    pass->next = any ? stream_map_id(map, place) : STREAM_ID_MIN;
}

static void reply_pass(const struct claim *claim, const struct pass *pass)
{
    struct call *call = claim->call;
    reply_array(call->reply, 3);
    stream_reply_id(call, pass->next);
    reply_array(call->reply, claim->told);
    for (size_t i = 0; i < claim->told; i++) {
        struct stream_entry entry;
        if (stream_find(claim->stream, noted_id(&pass->claimed, i), &entry)) {
            reply_claimed(claim, &entry);
        }
    }
    size_t dropped = pass->dropped.len / sizeof(struct stream_id);
    reply_array(call->reply, dropped);
    for (size_t i = 0; i < dropped; i++) {
        stream_reply_id(call, noted_id(&pass->dropped, i));
    }
}

static enum err xautoclaim(struct call *call) REQUIRES(*call->keys)
{
    enum { ADDRESS_BITS = 47 }; /* beyond this the list of ids could not be had in Redis */
    struct claim claim = {
        .call = call, .key = call_argument(call, 1), .retry_count = -1, .delivered_ms = call->now_ms
    };
    struct pass pass = { .next = STREAM_ID_MIN };
    struct stream_id from;
    int64_t count;
    enum err err = read_autoclaim(&claim, &from, &count);
    err = err == OK ? stream_need_group(call, &claim.stream, &claim.group) : err;
    if (err != OK) {
        return err;
    }
    if (count >= (INT64_C(1) << ADDRESS_BITS) / (int64_t)sizeof(struct stream_id)) {
        return refuse(call, "Insufficient memory, failed allocating transient memory, COUNT too "
                            "high.");
    }
    call_propagate_nothing(call); /* Each change tells its own effects. */
    err = need_consumer(&claim);
    if (err != OK) {
        return err;
    }
    claim_from(&claim, from, count, &pass);
    end_claim(&claim);
    reply_pass(&claim, &pass);
    buf_release(&pass.claimed);
    buf_release(&pass.dropped);
    return OK;
}

/* ---- Rows -------------------------------------------------------------------------------------------- */

static const char *const varying[] = { "nondeterministic_output", NULL };

static const struct command_history xautoclaim_history[] = {
    { "7.0.0", "The reply tells the ids of entries that are no more." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "xclaim",
        .handler = xclaim,
        .arity = -6,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "5.0.0",
        .complexity = "O(log N) where N is the number of entries pending in the group.",
        .summary = "Makes a consumer the owner of entries that are pending for others.",
        .syntax = "key:key group:string consumer:string min-idle-time:string id:string ... "
                  "[IDLE ms:int] [TIME unix-time-milliseconds:time] [RETRYCOUNT count:int] "
                  "[FORCE] [JUSTID] [LASTID lastid:string]",
        .tips = varying,
    },
    {
        .name = "xautoclaim",
        .handler = xautoclaim,
        .arity = -6,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "6.2.0",
        .complexity = "O(1) if COUNT is small.",
        .summary = "Makes a consumer the owner of entries that have been pending for long.",
        .syntax = "key:key group:string consumer:string min-idle-time:string start:string "
                  "[COUNT count:int] [JUSTID]",
        .history = xautoclaim_history,
        .tips = varying,
    },
};

const struct command_family cmd_stream_claim_family = { rows, sizeof rows / sizeof rows[0] };
