/* The commands on whole hashes: all fields, some by chance, scans. */
#include "base/num.h"
#include "commands/collection_scan.h"
#include "commands/families.h"
#include "commands/hash_commands.h"
#include "commands/sampling.h"

/* ---- All fields --------------------------------------------------------------------------- */

enum { NAMES = 1, VALUES = 2 };

/* Fields of the hash that have not ended. */
static uint64_t count_live(struct call *call, const struct hash *hash)
{
    if (hash->encoding == ENCODING_LISTPACK || !members_may_end(hash->pointer)) {
        return hash_count(hash);
    }
    struct hash_walk walk;
    struct hash_field field;
    uint64_t count = 0;
    hash_walk_begin(&walk, call->thread, hash);
    while (hash_walk_next(&walk, &field)) {
        count++;
    }
    return count;
}

static void reply_fields(struct call *call, const struct hash *hash, unsigned parts)
{
    struct hash_walk walk;
    struct hash_field field;
    hash_walk_begin(&walk, call->thread, hash);
    while (!call->reply->failed && hash_walk_next(&walk, &field)) {
        if ((parts & NAMES) != 0) {
            hash_reply(call, &field.name);
        }
        if ((parts & VALUES) != 0) {
            hash_reply(call, &field.value);
        }
    }
}

static enum err reply_all(struct call *call, unsigned parts) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_HASH, &entry);
    if (err != OK) {
        return err;
    }
    struct hash hash = { NULL, ENCODING_LISTPACK };
    uint64_t count = 0;
    if (entry != NULL) {
        hash = hash_of(entry);
        count = count_live(call, &hash);
    }
    if (parts == (NAMES | VALUES)) {
        reply_map(call->reply, count);
    } else {
        reply_array(call->reply, count);
    }
    if (entry != NULL) {
        reply_fields(call, &hash, parts);
    }
    return OK;
}

static enum err hgetall(struct call *call) REQUIRES(*call->keys)
{
    return reply_all(call, NAMES | VALUES);
}

static enum err hkeys(struct call *call) REQUIRES(*call->keys)
{
    return reply_all(call, NAMES);
}

static enum err hvals(struct call *call) REQUIRES(*call->keys)
{
    return reply_all(call, VALUES);
}

/* ---- Some fields by chance ---------------------------------------------------------------- */

static void reply_field(struct call *call, const struct hash_field *field, bool with_value)
{
    if (with_value && call->reply->protocol >= 3) {
        reply_array(call->reply, 2);
    }
    hash_reply(call, &field->name);
    if (with_value) {
        hash_reply(call, &field->value);
    }
}

static void begin_fields(struct call *call, uint64_t count, bool with_values)
{
    reply_array(call->reply, with_values && call->reply->protocol < 3 ? count * 2 : count);
}

/* Any fields, the same ones again perhaps. */
static void reply_any(struct call *call, const struct hash *hash, uint64_t count, bool with_values)
{
    struct hash_field field;
    if (count_live(call, hash) == 0) {
        count = 0;
    }
    begin_fields(call, count, with_values);
    for (; count > 0 && !call->reply->failed; count--) {
        (void)hash_random(call->thread, hash, &field);
        reply_field(call, &field, with_values);
    }
}

/* Different fields, 'count' of 'live', passing by all of them. */
static void reply_passing(struct call *call, const struct hash *hash, uint64_t count, uint64_t live,
                          bool with_values)
{
    struct sampling sampling = { live, count };
    struct hash_walk walk;
    struct hash_field field;
    hash_walk_begin(&walk, call->thread, hash);
    while (sampling.wanted > 0 && hash_walk_next(&walk, &field)) {
        if (sampling_takes(&sampling, &call->thread->dice)) {
            reply_field(call, &field, with_values);
        }
    }
}

static MUST_CHECK enum err reply_different(struct call *call, const struct hash *hash,
                                           uint64_t count, bool with_values)
{
    uint64_t live = count_live(call, hash);
    count = count < live ? count : live;
    if (count == live) {
        begin_fields(call, count, with_values);
        reply_passing(call, hash, count, live, with_values);
        return OK;
    }
    if (hash->encoding == ENCODING_LISTPACK || !sampling_draws(count, live)) {
        begin_fields(call, count, with_values);
        reply_passing(call, hash, count, live, with_values);
        return OK;
    }
    struct drawn drawn;
    if (!drawn_init(&drawn, count)) {
        return ERR_OUT_OF_MEMORY;
    }
    begin_fields(call, count, with_values);
    for (uint64_t done = 0; done < count;) {
        struct hash_field field;
        (void)hash_random(call->thread, hash, &field);
        if (drawn_add(&drawn, field.name.string.at)) {
            reply_field(call, &field, with_values);
            done++;
        }
    }
    drawn_release(&drawn);
    return OK;
}

static enum err out_of_range(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

static MUST_CHECK enum err read_count(struct call *call, int64_t *count, bool *with_values)
{
    uint32_t argc = call->args.argc;
    if (!num_parse_i64(call_argument(call, 2), count)) {
        return ERR_NOT_INT;
    }
    if (*count == INT64_MIN) {
        return out_of_range(call, LIT("ERR value is out of range, value must between "
                                      "-9223372036854775807 and 9223372036854775807"));
    }
    *with_values = argc == 4;
    if (argc > 4 || (argc == 4 && !bytes_equal_nocase(call_argument(call, 3), LIT("WITHVALUES")))) {
        return ERR_SYNTAX;
    }
    if (*with_values && (*count < -INT64_MAX / 2 || *count > INT64_MAX / 2)) {
        return out_of_range(call, LIT("ERR value is out of range"));
    }
    return OK;
}

static enum err hrandfield(struct call *call) REQUIRES(*call->keys)
{
    int64_t count = 1;
    bool with_values = false, one = call->args.argc == 2;
    enum err err = one ? OK : read_count(call, &count, &with_values);
    struct entry *entry;
    if (err == OK) {
        err = lookup_value(call, call_argument(call, 1), VALUE_HASH, &entry);
    }
    if (err != OK) {
        return err;
    }
    struct hash hash = entry != NULL ? hash_of(entry) : (struct hash){ NULL, ENCODING_LISTPACK };
    if (one) {
        struct hash_field field;
        if (entry != NULL && hash_random(call->thread, &hash, &field)) {
            hash_reply(call, &field.name);
        } else {
            reply_null(call->reply);
        }
    } else if (entry == NULL || count == 0) {
        reply_array(call->reply, 0);
    } else if (count < 0) {
        reply_any(call, &hash, (uint64_t)-count, with_values);
    } else {
        return reply_different(call, &hash, (uint64_t)count, with_values);
    }
    return OK;
}

/* ---- HSCAN ---------------------------------------------------------------------------------- */

struct hash_scan {
    struct collection_scan scan;
    const struct members *members;
    int64_t now_ms;
};

static void put_field(struct collection_scan *scan, struct bytes name, struct bytes value)
{
    if (collection_scan_wants(scan, name)) {
        collection_scan_put(scan, name);
        if (!scan->no_values) {
            collection_scan_put(scan, value);
        }
    }
}

static void put_member(void *user, const struct member *member)
{
    struct hash_scan *scan = user;
    struct member_parts parts;
    member_read(scan->members, member, &parts);
    if (parts.expires_at_ms == MEMBER_NO_EXPIRY || parts.expires_at_ms > scan->now_ms) {
        put_field(&scan->scan, parts.name, parts.value);
    }
}

static enum err hscan(struct call *call) REQUIRES(*call->keys)
{
    struct hash_scan scan = { .now_ms = call->now_ms };
    struct entry *entry;
    enum err err = collection_scan_begin(call, VALUE_HASH, &scan.scan, &entry);
    if (err != OK || entry == NULL) {
        return err;
    }
    struct hash hash = hash_of(entry);
    uint64_t next = 0;
    if (hash.encoding == ENCODING_HASHTABLE) {
        scan.members = hash.pointer;
        next = members_scan(call->thread, scan.members, scan.scan.cursor, scan.scan.count,
                            put_member, &scan);
    } else {
        struct hash_walk walk;
        struct hash_field field;
        hash_walk_begin(&walk, call->thread, &hash);
        while (hash_walk_next(&walk, &field)) {
            char name[HASH_TEXT_ROOM], value[HASH_TEXT_ROOM];
            put_field(&scan.scan, hash_text(&field.name, name), hash_text(&field.value, value));
        }
    }
    return collection_scan_end(call, &scan.scan, next);
}

/* ---- Rows ----------------------------------------------------------------------------------- */

static const char *const any_order[] = { "nondeterministic_output_order", NULL };
static const char *const any_output[] = { "nondeterministic_output", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "hgetall", .handler = hgetall, .arity = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields of the hash.",
        .summary = "Returns all fields of a hash and their values.",
        .syntax = "key:key", .tips = any_order,
    },
    {
        .name = "hkeys", .handler = hkeys, .arity = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields of the hash.",
        .summary = "Returns all fields of a hash.",
        .syntax = "key:key", .tips = any_order,
    },
    {
        .name = "hvals", .handler = hvals, .arity = 2, .group = GROUP_HASH,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.0.0", .complexity = "O(N) where N is the number of fields of the hash.",
        .summary = "Returns the values of all fields of a hash.",
        .syntax = "key:key", .tips = any_order,
    },
    {
        .name = "hrandfield", .handler = hrandfield, .arity = -2, .group = GROUP_HASH,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.2.0", .complexity = "O(N) where N is the number of fields returned.",
        .summary = "Returns fields of a hash by chance.",
        .syntax = "key:key [options=(count:int [WITHVALUES])]", .tips = any_output,
    },
    {
        .name = "hscan", .handler = hscan, .arity = -3, .group = GROUP_HASH,
        .flags = CMD_READONLY, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.0",
        .complexity = "O(1) a call, O(N) for all calls until the cursor is 0 again, where N is "
                      "the number of fields.",
        .summary = "Goes on with a walk over the fields of a hash.",
        .syntax = "key:key cursor:int [MATCH pattern:pattern] [COUNT count:int] [NOVALUES]",
        .tips = any_output,
    },
};
/* clang-format on */

const struct command_family cmd_hash_walk_family = { rows, sizeof rows / sizeof rows[0] };
