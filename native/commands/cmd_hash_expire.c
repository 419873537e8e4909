/* The lives of fields of hashes: HEXPIRE and its forms, HTTL and its forms, HPERSIST. */
#include "commands/families.h"
#include "commands/hash_fields.h"

/* What became of a field. */
enum { NO_FIELD = -2, NO_END = -1, NOT_DONE = 0, DONE = 1, DELETED = 2 };

static void reply_none(struct call *call, uint32_t count)
{
    reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++) {
        reply_integer(call->reply, NO_FIELD);
    }
}

/* ---- HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT ---------------------------------------------- */

enum expire_condition { ALWAYS, IF_NONE, IF_ANY, IF_LATER, IF_EARLIER };

static enum expire_condition read_condition(struct args *args)
{
    static const struct {
        const char *word;
        enum expire_condition condition;
    } words[] = { { "NX", IF_NONE }, { "XX", IF_ANY }, { "GT", IF_LATER }, { "LT", IF_EARLIER } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (args_option(args, bytes_of(words[i].word))) {
            return words[i].condition;
        }
    }
    return ALWAYS;
}

/* A field that never ends counts as ending after every time. */
static bool condition_holds(enum expire_condition condition, int64_t now_ends, int64_t at_ms)
{
    bool ends = now_ends != HASH_FIELD_STAYS;
    switch (condition) {
    case IF_NONE:
        return !ends;
    case IF_ANY:
        return ends;
    case IF_LATER:
        return ends && at_ms > now_ends;
    case IF_EARLIER:
        return !ends || at_ms < now_ends;
    default:
        return true;
    }
}

/* One command's way through its fields. */
struct expiring {
    struct hash hash;
    int64_t at_ms;
    enum expire_condition condition;
    struct hash_effect expired, deleted; /* given an end; removed, for it has passed */
};

static MUST_CHECK enum err expire_field(struct call *call, struct expiring *expiring,
                                        struct bytes name, int *what)
{
    struct hash_field field;
    if (!hash_find(call->thread, &expiring->hash, name, &field)) {
        *what = NO_FIELD;
        return OK;
    }
    if (!condition_holds(expiring->condition, field.expires_at_ms, expiring->at_ms)) {
        *what = NOT_DONE;
        return OK;
    }
    if (expiring->at_ms <= call->now_ms) {
        (void)hash_remove(call->thread, &expiring->hash, name);
        hash_effect_add(&expiring->deleted, name);
        *what = DELETED;
        return OK;
    }
    enum err err = hash_expire_at(call->thread, &expiring->hash, name, expiring->at_ms);
    if (err == OK) {
        hash_effect_add(&expiring->expired, name);
        *what = DONE;
    }
    return err;
}

/* Tells what was done, and deletes the key of a hash that has no field left. */
static void tell(struct call *call, struct expiring *expiring, struct bytes key,
                 struct entry *entry) REQUIRES(*call->keys)
{
    if (expiring->expired.count > 0) {
        keyspace_note_field_ends(call->keyspace, call->keys, key, entry);
        call_changed(call, key, "hexpire");
        hash_effect_expire(call, key, expiring->at_ms, &expiring->expired);
    }
    if (expiring->deleted.count > 0) {
        call_changed(call, key, "hdel");
        hash_effect_delete(call, key, &expiring->deleted);
        hash_removed_from(call, key, entry);
    }
}

static MUST_CHECK enum err expire_fields(struct call *call, struct expiring *expiring,
                                         struct bytes key, struct entry *entry,
                                         const struct hash_fields *fields) REQUIRES(*call->keys)
{
    struct reply_mark mark = reply_mark(call->reply);
    enum err err = OK;
    expiring->hash = hash_of(entry);
    reply_array(call->reply, fields->count);
    for (uint32_t i = 0; i < fields->count && err == OK; i++) {
        int what = NOT_DONE;
        err = expire_field(call, expiring, call_argument(call, fields->first + i), &what);
        reply_integer(call->reply, what);
    }
    hash_keep(entry, &expiring->hash);
    tell(call, expiring, key, entry);
    if (err != OK) {
        reply_rewind(call->reply, mark);
    }
    return err;
}

static enum err expire(struct call *call, int64_t base_ms, bool seconds) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct expiring expiring = { .condition = ALWAYS };
    struct hash_fields fields;
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    if (err == OK) {
        err = hash_read_end(call, args_next(&call->args), base_ms, seconds, &expiring.at_ms);
    }
    if (err == OK) {
        expiring.condition = read_condition(&call->args);
        err = hash_fields_read(call, 1, LIT("ERR Parameter `numFields` should be greater than 0"),
                               &fields);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_none(call, fields.count);
        return OK;
    }
    err = ERR_OUT_OF_MEMORY;
    if (hash_effect_init(&expiring.expired, HASH_EFFECT_EXPIRE, fields.count) &&
        hash_effect_init(&expiring.deleted, HASH_EFFECT_DELETE, fields.count)) {
        err = expire_fields(call, &expiring, key, entry, &fields);
    }
    hash_effect_release(&expiring.expired);
    hash_effect_release(&expiring.deleted);
    return err;
}

static enum err hexpire(struct call *call) REQUIRES(*call->keys)
{
    return expire(call, call->now_ms, true);
}

static enum err hpexpire(struct call *call) REQUIRES(*call->keys)
{
    return expire(call, call->now_ms, false);
}

static enum err hexpireat(struct call *call) REQUIRES(*call->keys)
{
    return expire(call, 0, true);
}

static enum err hpexpireat(struct call *call) REQUIRES(*call->keys)
{
    return expire(call, 0, false);
}

/* ---- HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME -------------------------------------------------- */

static const char not_positive[] = "ERR Number of fields must be a positive integer";

static enum err tell_ends(struct call *call, int64_t base_ms, bool seconds) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct hash_fields fields;
    struct entry *entry;
    enum err err = lookup_value(call, key, VALUE_HASH, &entry);
    if (err == OK) {
        err = hash_fields_read(call, 1, bytes_of(not_positive), &fields);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_none(call, fields.count);
        return OK;
    }
    struct hash hash = hash_of(entry);
    reply_array(call->reply, fields.count);
    for (uint32_t i = 0; i < fields.count; i++) {
        struct hash_field field;
        if (!hash_find(call->thread, &hash, call_argument(call, fields.first + i), &field)) {
            reply_integer(call->reply, NO_FIELD);
        } else if (field.expires_at_ms == HASH_FIELD_STAYS) {
            reply_integer(call->reply, NO_END);
        } else {
            int64_t time = field.expires_at_ms - base_ms;
            reply_integer(call->reply, seconds ? (time + 999) / 1000 : time);
        }
    }
    return OK;
}

static enum err httl(struct call *call) REQUIRES(*call->keys)
{
    return tell_ends(call, call->now_ms, true);
}

static enum err hpttl(struct call *call) REQUIRES(*call->keys)
{
    return tell_ends(call, call->now_ms, false);
}

static enum err hexpiretime(struct call *call) REQUIRES(*call->keys)
{
    return tell_ends(call, 0, true);
}

static enum err hpexpiretime(struct call *call) REQUIRES(*call->keys)
{
    return tell_ends(call, 0, false);
}

/* ---- HPERSIST ----------------------------------------------------------------------------------- */

static MUST_CHECK enum err persist_fields(struct call *call, struct entry *entry,
                                          const struct hash_fields *fields,
                                          struct hash_effect *effect)
{
    struct hash hash = hash_of(entry);
    for (uint32_t i = 0; i < fields->count; i++) {
        struct bytes name = call_argument(call, fields->first + i);
        struct hash_field field;
        int what = NO_FIELD;
        if (hash_find(call->thread, &hash, name, &field)) {
            what = field.expires_at_ms == HASH_FIELD_STAYS ? NO_END : DONE;
        }
        if (what == DONE) {
            enum err err = hash_expire_at(call->thread, &hash, name, HASH_FIELD_STAYS);
            if (err != OK) {
                return err;
            }
            hash_effect_add(effect, name);
        }
        reply_integer(call->reply, what);
    }
    return OK;
}

static enum err hpersist(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct hash_fields fields;
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    if (err == OK) {
        err = hash_fields_read(call, 1, bytes_of(not_positive), &fields);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_none(call, fields.count);
        return OK;
    }
    struct hash_effect effect;
    if (!hash_effect_init(&effect, HASH_EFFECT_PERSIST, fields.count)) {
        return ERR_OUT_OF_MEMORY;
    }
    struct reply_mark mark = reply_mark(call->reply);
    reply_array(call->reply, fields.count);
    err = persist_fields(call, entry, &fields, &effect);
    if (effect.count > 0) {
        call_changed(call, key, "hpersist");
        hash_effect_persist(call, key, &effect);
    }
    if (err != OK) {
        reply_rewind(call->reply, mark);
    }
    hash_effect_release(&effect);
    return err;
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

static const char by_fields[] = "O(N) where N is the number of fields given.";

/* A row is a paragraph. */
/* clang-format off */
#define EXPIRE_ROW(command, function, time, text)                                                \
    {                                                                                            \
        .name = command, .handler = function, .arity = -6, .group = GROUP_HASH,                  \
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,                                             \
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },                                              \
        .since = "7.4.0", .complexity = by_fields, .summary = text,                              \
        .syntax = "key:key " time " [condition=<NX | XX | GT | LT>] "                            \
                  "fields=(FIELDS numfields:int field:string ...)",                              \
    }
#define TTL_ROW(command, function, tip_list, text)                                               \
    {                                                                                            \
        .name = command, .handler = function, .arity = -5, .group = GROUP_HASH,                  \
        .flags = CMD_READONLY | CMD_FAST, .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },            \
        .since = "7.4.0", .complexity = by_fields, .summary = text, .tips = tip_list,            \
        .syntax = "key:key fields=(FIELDS numfields:int field:string ...)",                      \
    }

static const char *const varying[] = { "nondeterministic_output", NULL };

static const struct command rows[] = {
    EXPIRE_ROW("hexpire", hexpire, "seconds:int",
               "Gives fields of a hash an end after a number of seconds."),
    EXPIRE_ROW("hpexpire", hpexpire, "milliseconds:int",
               "Gives fields of a hash an end after a number of milliseconds."),
    EXPIRE_ROW("hexpireat", hexpireat, "unix-time-seconds:time",
               "Gives fields of a hash an end at a Unix time in seconds."),
    EXPIRE_ROW("hpexpireat", hpexpireat, "unix-time-milliseconds:time",
               "Gives fields of a hash an end at a Unix time in milliseconds."),
    TTL_ROW("httl", httl, varying, "Returns the seconds that fields of a hash have yet to live."),
    TTL_ROW("hpttl", hpttl, varying,
            "Returns the milliseconds that fields of a hash have yet to live."),
    TTL_ROW("hexpiretime", hexpiretime, NULL,
            "Returns the Unix times in seconds at which fields of a hash end."),
    TTL_ROW("hpexpiretime", hpexpiretime, NULL,
            "Returns the Unix times in milliseconds at which fields of a hash end."),
    {
        .name = "hpersist", .handler = hpersist, .arity = -5, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_FAST, .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "7.4.0", .complexity = by_fields,
        .summary = "Takes the ends of fields of a hash away.",
        .syntax = "key:key fields=(FIELDS numfields:int field:string ...)",
    },
};
/* clang-format on */

const struct command_family cmd_hash_expire_family = { rows, sizeof rows / sizeof rows[0] };
