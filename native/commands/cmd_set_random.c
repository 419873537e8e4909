/* Members of a set by chance, and all of them: SPOP, SRANDMEMBER, SMEMBERS. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/sampling.h"
#include "commands/set_commands.h"

static void reply_members(struct call *call, const struct set *set)
{
    struct set_walk walk;
    struct listpack_value member;
    set_walk_begin(&walk, set);
    while (!call->reply->failed && set_walk_next(&walk, &member)) {
        set_reply(call, &member);
    }
}

static enum err smembers(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_set(call->reply, 0);
        return OK;
    }
    struct set set = set_of(entry);
    reply_set(call->reply, set_count(&set));
    reply_members(call, &set);
    return OK;
}

/* ---- SPOP ----------------------------------------------------------------------------------- */

static void propagate_delete(struct call *call, struct bytes key)
{
    struct bytes argv[2] = { call->engine->settings.lazy_server_del ? LIT("UNLINK") : LIT("DEL"),
                             key };
    call_propagate_as(call, argv, 2);
}

static enum err pop_one(struct call *call, struct bytes key, struct entry *entry)
    REQUIRES(*call->keys)
{
    struct set set = set_of(entry);
    struct set_place place;
    char room[SET_TEXT_ROOM];
    struct listpack_value member = set_random(call->thread, &set, &place);
    struct bytes argv[3] = { LIT("SREM"), key, set_text(&member, room) };
    set_reply(call, &member);
    call_propagate_as(call, argv, 3);
    set_remove_at(call->thread, &set, &place);
    set_keep(entry, &set);
    call_changed(call, key, "spop");
    set_removed_from(call, key, &set);
    return OK;
}

/* Members that were popped, to be logged as SREM a batch at a time. */
enum { BATCH = 128 };

struct popped {
    struct buf text;
    size_t ends[BATCH];
    uint32_t count;
};

static void log_popped(struct call *call, struct bytes key, struct popped *popped)
{
    struct bytes argv[2 + BATCH] = { LIT("SREM"), key };
    size_t begin = 0;
    for (uint32_t i = 0; i < popped->count; i++) {
        argv[2 + i] = (struct bytes){ popped->text.at + begin, popped->ends[i] - begin };
        begin = popped->ends[i];
    }
    if (popped->count > 0) {
        call_propagate_as(call, argv, 2 + popped->count);
    }
    popped->count = 0;
    popped->text.len = 0;
}

/* Pops 'count' members of more.  When memory is short it ends early. */
static enum err pop_some(struct call *call, struct bytes key, struct entry *entry, uint64_t count)
    REQUIRES(*call->keys)
{
    struct set set = set_of(entry);
    struct popped popped = { .count = 0 };
    struct reply_mark begin = reply_begin_deferred(call->reply);
    uint64_t done = 0;
    for (; done < count && !call->reply->failed; done++) {
        struct set_place place;
        char room[SET_TEXT_ROOM];
        struct listpack_value member = set_random(call->thread, &set, &place);
        struct bytes text = set_text(&member, room);
        if (!buf_reserve(&popped.text, text.len)) {
            break;
        }
        buf_append(&popped.text, text);
        popped.ends[popped.count++] = popped.text.len;
        set_reply(call, &member);
        set_remove_at(call->thread, &set, &place);
        if (popped.count == BATCH) {
            log_popped(call, key, &popped);
        }
    }
    log_popped(call, key, &popped);
    buf_release(&popped.text);
    set_keep(entry, &set);
    reply_end_set(call->reply, begin, done);
    if (done > 0) {
        call_changed(call, key, "spop");
    }
    return OK;
}

static enum err spop(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    bool one = call->args.argc == 2;
    int64_t count = 1;
    if (call->args.argc > 3) {
        return ERR_SYNTAX;
    }
    if (!one && (!num_parse_i64(call_argument(call, 2), &count) || count < 0)) {
        return ERR_NOT_POSITIVE;
    }
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_SET, &entry);
    if (err != OK) {
        return err;
    }
    if (one && entry != NULL) {
        return pop_one(call, key, entry);
    }
    if (one) {
        reply_null(call->reply);
        return OK;
    }
    if (entry == NULL || count == 0) {
        reply_set(call->reply, 0);
        return OK;
    }
    struct set set = set_of(entry);
    if ((uint64_t)count < set_count(&set)) {
        return pop_some(call, key, entry, (uint64_t)count);
    }
    reply_set(call->reply, set_count(&set));
    reply_members(call, &set);
    call_changed(call, key, "spop");
    keyspace_delete(call->keyspace, call->keys, key, call->engine->settings.lazy_server_del);
    call_changed(call, key, "del");
    propagate_delete(call, key);
    return OK;
}

/* ---- SRANDMEMBER ----------------------------------------------------------------------------- */

/* Any members, the same ones again perhaps. */
static void reply_any(struct call *call, const struct set *set, uint64_t count)
{
    reply_array(call->reply, count);
    for (; count > 0 && !call->reply->failed; count--) {
        struct set_place place;
        struct listpack_value member = set_random(call->thread, set, &place);
        set_reply(call, &member);
    }
}

/* Different members, 'count' of them, passing by all. */
static void reply_passing(struct call *call, const struct set *set, uint64_t count)
{
    struct sampling sampling = { set_count(set), count };
    struct set_walk walk;
    struct listpack_value member;
    reply_array(call->reply, count);
    set_walk_begin(&walk, set);
    while (sampling.wanted > 0 && set_walk_next(&walk, &member)) {
        if (sampling_takes(&sampling, &call->thread->dice)) {
            set_reply(call, &member);
        }
    }
}

/* The same, drawing one by one. */
static MUST_CHECK enum err reply_drawn(struct call *call, const struct set *set, uint64_t count)
{
    struct drawn drawn;
    if (!drawn_init(&drawn, count)) {
        return ERR_OUT_OF_MEMORY;
    }
    reply_array(call->reply, count);
    while (count > 0) {
        struct set_place place;
        struct listpack_value member = set_random(call->thread, set, &place);
        if (drawn_add(&drawn, member.string.at)) {
            set_reply(call, &member);
            count--;
        }
    }
    drawn_release(&drawn);
    return OK;
}

static MUST_CHECK enum err read_count(struct call *call, int64_t *count)
{
    if (!num_parse_i64(call_argument(call, 2), count)) {
        return ERR_NOT_INT;
    }
    if (*count == INT64_MIN) {
        reply_error(call->reply, LIT("ERR value is out of range, value must between "
                                     "-9223372036854775807 and 9223372036854775807"));
        return ERR_REPLIED;
    }
    return OK;
}

static MUST_CHECK enum err reply_different(struct call *call, const struct set *set, uint64_t count)
{
    if (count >= set_count(set)) {
        reply_array(call->reply, set_count(set));
        reply_members(call, set);
        return OK;
    }
    if (set->encoding == ENCODING_HASHTABLE && sampling_draws(count, set_count(set))) {
        return reply_drawn(call, set, count);
    }
    reply_passing(call, set, count);
    return OK;
}

static enum err srandmember(struct call *call) REQUIRES(*call->keys)
{
    bool one = call->args.argc == 2;
    int64_t count = 1;
    enum err err = OK;
    if (call->args.argc > 3) {
        return ERR_SYNTAX;
    }
    if (!one) {
        err = read_count(call, &count);
    }
    struct entry *entry;
    if (err == OK) {
        err = lookup_value(call, call_argument(call, 1), VALUE_SET, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL || count == 0) {
        if (one) {
            reply_null(call->reply);
        } else {
            reply_array(call->reply, 0);
        }
        return OK;
    }
    struct set set = set_of(entry);
    if (one) {
        struct set_place place;
        struct listpack_value member = set_random(call->thread, &set, &place);
        set_reply(call, &member);
        return OK;
    }
    if (count < 0) {
        reply_any(call, &set, (uint64_t)-count);
        return OK;
    }
    return reply_different(call, &set, (uint64_t)count);
}

/* ---- Rows ------------------------------------------------------------------------------------- */

static const struct command_history pop_history[] = {
    { "3.2.0", "`count` can be given." },
    { NULL, NULL },
};

static const struct command_history random_history[] = {
    { "2.6.0", "`count` can be given." },
    { NULL, NULL },
};

static const char *const any_order[] = { "nondeterministic_output_order", NULL };
static const char *const any_output[] = { "nondeterministic_output", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "smembers", .handler = smembers, .arity = 2, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of members.",
        .summary = "Returns all members of a set.",
        .syntax = "key:key", .tips = any_order,
    },
    {
        .name = "spop", .handler = spop, .arity = -2, .group = GROUP_SET,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of members returned.",
        .summary = "Removes members of a set by chance and returns them.",
        .syntax = "key:key [count:int@3.2.0]",
        .history = pop_history, .tips = any_output,
    },
    {
        .name = "srandmember", .handler = srandmember, .arity = -2, .group = GROUP_SET,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of members returned.",
        .summary = "Returns members of a set by chance.",
        .syntax = "key:key [count:int@2.6.0]",
        .history = random_history, .tips = any_output,
    },
};
/* clang-format on */

const struct command_family cmd_set_random_family = { rows, sizeof rows / sizeof rows[0] };
