/* The commands on fields of hashes; those on whole hashes are in cmd_hash_walk.c. */
#include <math.h>

#include "base/num.h"
#include "commands/families.h"
#include "commands/hash_commands.h"

/* ---- Writing ---------------------------------------------------------------------------- */

enum err hash_open(struct call *call, struct bytes key, struct entry **entry)
{
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, entry);
    if (err != OK || *entry != NULL) {
        return err;
    }
    struct hash hash;
    err = hash_create(call->thread, &hash);
    if (err == OK) {
        err = keyspace_add(call->keyspace, call->keys, key, VALUE_HASH, hash.encoding, hash.pointer,
                           entry);
        if (err != OK) {
            hash_destroy(call->thread, hash.encoding, hash.pointer);
        }
    }
    return err;
}

void hash_discard_empty(struct call *call, struct bytes key, const struct entry *entry)
{
    struct hash hash = hash_of(entry);
    if (hash_count(&hash) == 0) {
        keyspace_delete(call->keyspace, call->keys, key, false);
    }
}

void hash_removed_from(struct call *call, struct bytes key, const struct entry *entry)
{
    struct hash hash = hash_of(entry);
    if (hash_count(&hash) == 0) {
        keyspace_delete(call->keyspace, call->keys, key, false);
        call_changed(call, key, "del");
    }
}

/* Sets all pairs.  When memory ends in between, those before are set and logged. */
static MUST_CHECK enum err set_pairs(struct call *call, int64_t *created) REQUIRES(*call->keys)
{
    const struct bytes *argv = call->args.argv;
    uint32_t argc = call->args.argc, at = 2;
    struct entry *entry;
    if (argc % 2 != 0) {
        return ERR_ARITY;
    }
    enum err err = hash_open(call, argv[1], &entry);
    if (err != OK) {
        return err;
    }
    struct hash hash = hash_of(entry);
    err = hash_prepare(call->thread, &hash, argv + 2, argc - 2);
    *created = 0;
    for (; at < argc && err == OK; at += 2) {
        bool is_new;
        err = hash_set(call->thread, &hash, argv[at], argv[at + 1], HASH_FIELD_STAYS, &is_new);
        *created += err == OK && is_new;
    }
    hash_keep(entry, &hash);
    if (err != OK && at <= 4) {
        hash_discard_empty(call, argv[1], entry);
        return err;
    }
    call_changed(call, argv[1], "hset");
    if (err != OK) {
        call_propagate_as(call, argv, at - 2);
    }
    return err;
}

static enum err hset(struct call *call) REQUIRES(*call->keys)
{
    int64_t created;
    enum err err = set_pairs(call, &created);
    if (err == OK) {
        reply_integer(call->reply, created);
    }
    return err;
}

static enum err hmset(struct call *call) REQUIRES(*call->keys)
{
    int64_t created;
    enum err err = set_pairs(call, &created);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

/* Sets one field of a hash that hash_open() gave. */
static MUST_CHECK enum err set_field(struct call *call, struct bytes key, struct entry *entry,
                                     struct bytes name, struct bytes value, const char *event)
    REQUIRES(*call->keys)
{
    struct hash hash = hash_of(entry);
    bool created;
    enum err err = hash_set(call->thread, &hash, name, value, HASH_FIELD_SAME, &created);
    hash_keep(entry, &hash);
    if (err != OK) {
        hash_discard_empty(call, key, entry);
        return err;
    }
    call_changed(call, key, event);
    return OK;
}

static enum err hsetnx(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), name = call_argument(call, 2);
    struct entry *entry;
    struct hash_field found;
    enum err err = hash_open(call, key, &entry);
    if (err != OK) {
        return err;
    }
    struct hash hash = hash_of(entry);
    if (hash_find(call->thread, &hash, name, &found)) {
        reply_integer(call->reply, 0);
        return OK;
    }
    err = set_field(call, key, entry, name, call_argument(call, 3), "hset");
    if (err == OK) {
        reply_integer(call->reply, 1);
    }
    return err;
}

static enum err fail(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

/* Finds the text of a field for a sum; '*present' tells whether there is one. */
static MUST_CHECK enum err find_number(struct call *call, struct bytes key,
                                       struct hash_field *field, bool *present)
    REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    *present = false;
    if (err == OK && entry != NULL) {
        struct hash hash = hash_of(entry);
        *present = hash_find(call->thread, &hash, call_argument(call, 2), field);
    }
    return err;
}

static enum err hincrby(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    int64_t value = 0, step;
    struct hash_field field;
    bool present;
    if (!num_parse_i64(call_argument(call, 3), &step)) {
        return ERR_NOT_INT;
    }
    enum err err = find_number(call, key, &field, &present);
    if (err != OK) {
        return err;
    }
    if (present) {
        char room[HASH_TEXT_ROOM];
        if (!num_parse_i64(hash_text(&field.value, room), &value)) {
            return fail(call, LIT("ERR hash value is not an integer"));
        }
    }
    if (__builtin_add_overflow(value, step, &value)) {
        return ERR_OVERFLOW;
    }
    struct entry *entry;
    err = hash_open(call, key, &entry);
    if (err == OK) {
        char digits[NUM_INT_ROOM];
        err = set_field(call, key, entry, call_argument(call, 2),
                        (struct bytes){ digits, num_format_i64(digits, value) }, "hincrby");
    }
    if (err == OK) {
        reply_integer(call->reply, value);
    }
    return err;
}

/* Replicas and files get the sum: their floating point might add differently.  The field keeps
 * its end, if it 'ends'. */
static void propagate_value(struct call *call, struct bytes key, struct bytes value, bool ends)
{
    struct bytes field = call_argument(call, 2);
    struct bytes plain[] = { LIT("HSET"), key, field, value };
    struct bytes keeping[] = { LIT("HSETEX"), key,   LIT("KEEPTTL"), LIT("FIELDS"),
                               LIT("1"),      field, value };
    if (ends) {
        call_propagate_as(call, keeping, sizeof keeping / sizeof keeping[0]);
    } else {
        call_propagate_as(call, plain, sizeof plain / sizeof plain[0]);
    }
}

static enum err hincrbyfloat(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    long double value = 0, step;
    struct hash_field field;
    bool present;
    if (!num_parse_long_double(call_argument(call, 3), &step)) {
        return ERR_NOT_FLOAT;
    }
    if (isnan(step) || isinf(step)) {
        return fail(call, LIT("ERR value is NaN or Infinity"));
    }
    enum err err = find_number(call, key, &field, &present);
    if (err != OK) {
        return err;
    }
    if (present) {
        char room[HASH_TEXT_ROOM];
        if (!num_parse_long_double(hash_text(&field.value, room), &value)) {
            return fail(call, LIT("ERR hash value is not a float"));
        }
    }
    value += step;
    if (isnan(value) || isinf(value)) {
        return ERR_NAN_OR_INFINITY;
    }
    char digits[NUM_FLOAT_ROOM];
    struct bytes text = { digits, num_format_long_double(digits, sizeof digits, value) };
    struct entry *entry;
    err = hash_open(call, key, &entry);
    if (err == OK) {
        err = set_field(call, key, entry, call_argument(call, 2), text, "hincrbyfloat");
    }
    if (err != OK) {
        return err;
    }
    propagate_value(call, key, text, present && field.expires_at_ms != HASH_FIELD_STAYS);
    reply_bytes(call->reply, text);
    return OK;
}

static enum err hdel(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    if (err != OK) {
        return err;
    }
    int64_t removed = 0;
    if (entry != NULL) {
        struct hash hash = hash_of(entry);
        for (uint32_t i = 2; i < call->args.argc; i++) {
            removed += hash_remove(call->thread, &hash, call_argument(call, i));
        }
        hash_keep(entry, &hash);
        if (removed > 0) {
            call_changed(call, key, "hdel");
        }
        hash_removed_from(call, key, entry);
    }
    reply_integer(call->reply, removed);
    return OK;
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* Finds the field that a reading command names. */
static MUST_CHECK enum err find_field(struct call *call, struct hash_field *field, bool *present)
    REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_HASH, &entry);
    *present = false;
    if (err == OK && entry != NULL) {
        struct hash hash = hash_of(entry);
        *present = hash_find(call->thread, &hash, call_argument(call, 2), field);
    }
    return err;
}

static enum err hget(struct call *call) REQUIRES(*call->keys)
{
    struct hash_field field;
    bool present;
    enum err err = find_field(call, &field, &present);
    if (err != OK) {
        return err;
    }
    if (present) {
        hash_reply(call, &field.value);
    } else {
        reply_null(call->reply);
    }
    return OK;
}

static enum err hexists(struct call *call) REQUIRES(*call->keys)
{
    struct hash_field field;
    bool present;
    enum err err = find_field(call, &field, &present);
    if (err == OK) {
        reply_integer(call->reply, present);
    }
    return err;
}

static enum err hstrlen(struct call *call) REQUIRES(*call->keys)
{
    struct hash_field field;
    bool present;
    enum err err = find_field(call, &field, &present);
    if (err == OK) {
        char room[HASH_TEXT_ROOM];
        reply_integer(call->reply, present ? (int64_t)hash_text(&field.value, room).len : 0);
    }
    return err;
}

static enum err hmget(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_HASH, &entry);
    if (err != OK) {
        return err;
    }
    reply_array(call->reply, call->args.argc - 2);
    for (uint32_t i = 2; i < call->args.argc; i++) {
        struct hash_field field;
        if (entry != NULL) {
            struct hash hash = hash_of(entry);
            if (hash_find(call->thread, &hash, call_argument(call, i), &field)) {
                hash_reply(call, &field.value);
                continue;
            }
        }
        reply_null(call->reply);
    }
    return OK;
}

static enum err hlen(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_HASH, &entry);
    if (err != OK) {
        return err;
    }
    int64_t count = 0;
    if (entry != NULL) {
        struct hash hash = hash_of(entry);
        count = (int64_t)hash_count(&hash);
    }
    reply_integer(call->reply, count);
    return OK;
}

/* ---- Rows ----------------------------------------------------------------------------------- */

static const struct command_history many_fields[] = {
    { "2.4.0", "Several `field` arguments can be given." },
    { NULL, NULL },
};

static const struct command_history many_pairs[] = {
    { "4.0.0", "Several `field` and `value` arguments can be given." },
    { NULL, NULL },
};

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "hset", .handler = hset, .arity = -4, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields given.",
        .summary = "Sets fields of a hash, and creates the hash when there is none.",
        .syntax = "key:key field_value=(field:string value:string) ...",
        .history = many_pairs,
    },
    {
        .name = "hmset", .handler = hmset, .arity = -4, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields given.",
        .summary = "Sets fields of a hash.",
        .syntax = "key:key field_value=(field:string value:string) ...",
        .deprecated_since = "4.0.0", .replaced_by = "`HSET` with multiple field-value pairs",
    },
    {
        .name = "hsetnx", .handler = hsetnx, .arity = 4, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "2.0.0", .complexity = "O(1)",
        .summary = "Sets a field of a hash, provided that it does not exist.",
        .syntax = "key:key field:string value:string",
    },
    {
        .name = "hget", .handler = hget, .arity = 3, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0", .complexity = "O(1)",
        .summary = "Returns the value of a field of a hash.",
        .syntax = "key:key field:string",
    },
    {
        .name = "hmget", .handler = hmget, .arity = -3, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields given.",
        .summary = "Returns the values of several fields of a hash.",
        .syntax = "key:key field:string ...",
    },
    {
        .name = "hdel", .handler = hdel, .arity = -3, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields given.",
        .summary = "Removes fields of a hash, and the hash itself when none is left.",
        .syntax = "key:key field:string ...",
        .history = many_fields,
    },
    {
        .name = "hexists", .handler = hexists, .arity = 3, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO) },
        .since = "2.0.0", .complexity = "O(1)",
        .summary = "Tells whether a hash has a field.",
        .syntax = "key:key field:string",
    },
    {
        .name = "hlen", .handler = hlen, .arity = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO) },
        .since = "2.0.0", .complexity = "O(1)",
        .summary = "Returns the number of fields of a hash.",
        .syntax = "key:key",
    },
    {
        .name = "hstrlen", .handler = hstrlen, .arity = 3, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO) },
        .since = "3.2.0", .complexity = "O(1)",
        .summary = "Returns the length of the value of a field.",
        .syntax = "key:key field:string",
    },
    {
        .name = "hincrby", .handler = hincrby, .arity = 4, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "2.0.0", .complexity = "O(1)",
        .summary = "Adds a number to the integer of a field; a missing field counts as 0.",
        .syntax = "key:key field:string increment:int",
    },
    {
        .name = "hincrbyfloat", .handler = hincrbyfloat, .arity = 4, .member_at = 2, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "2.6.0", .complexity = "O(1)",
        .summary = "Adds a floating-point number to the number of a field.",
        .syntax = "key:key field:string increment:double",
    },
};
/* clang-format on */

const struct command_family cmd_hash_family = { rows, sizeof rows / sizeof rows[0] };
