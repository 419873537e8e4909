/* Reading and writing fields together with their lives: HGETDEL, HGETEX, HSETEX. */
#include "commands/families.h"
#include "commands/hash_fields.h"

static const char not_positive[] = "ERR Number of fields must be a positive integer";

static void reply_values(struct call *call, struct entry *entry, const struct hash_fields *fields)
{
    reply_array(call->reply, fields->count);
    for (uint32_t i = 0; i < fields->count; i++) {
        struct hash_field field;
        if (entry != NULL) {
            struct hash hash = hash_of(entry);
            if (hash_find(call->thread, &hash, call_argument(call, fields->first + i), &field)) {
                hash_reply(call, &field.value);
                continue;
            }
        }
        reply_null(call->reply);
    }
}

/* Tells of fields that were removed, if any, and deletes the key of a hash without one. */
static void tell_removed(struct call *call, struct bytes key, struct entry *entry,
                         struct hash_effect *effect) REQUIRES(*call->keys)
{
    if (effect->count > 0) {
        call_changed(call, key, "hdel");
        hash_effect_delete(call, key, effect);
        hash_removed_from(call, key, entry);
    }
}

/* Removes the fields that are there and logs that. */
static void remove_fields(struct call *call, struct bytes key, struct entry *entry,
                          const struct hash_fields *fields, struct hash_effect *effect)
    REQUIRES(*call->keys)
{
    struct hash hash = hash_of(entry);
    for (uint32_t i = 0; i < fields->count; i++) {
        struct bytes name = call_argument(call, fields->first + i);
        if (hash_remove(call->thread, &hash, name)) {
            hash_effect_add(effect, name);
        }
    }
    hash_keep(entry, &hash);
    tell_removed(call, key, entry, effect);
}

/* ---- HGETDEL ---------------------------------------------------------------------------- */

static enum err hgetdel(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct hash_fields fields;
    struct hash_effect effect;
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    if (err == OK) {
        err = hash_fields_read(call, 1, bytes_of(not_positive), &fields);
    }
    if (err != OK) {
        return err;
    }
    if (!hash_effect_init(&effect, HASH_EFFECT_DELETE, fields.count)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (entry == NULL) {
        reply_values(call, entry, &fields);
    } else {
        /* One at a time, for a field that comes twice is gone the second time. */
        struct hash hash = hash_of(entry);
        reply_array(call->reply, fields.count);
        for (uint32_t i = 0; i < fields.count; i++) {
            struct bytes name = call_argument(call, fields.first + i);
            struct hash_field field;
            if (hash_find(call->thread, &hash, name, &field)) {
                hash_reply(call, &field.value);
                (void)hash_remove(call->thread, &hash, name);
                hash_effect_add(&effect, name);
            } else {
                reply_null(call->reply);
            }
        }
        hash_keep(entry, &hash);
        tell_removed(call, key, entry, &effect);
    }
    hash_effect_release(&effect);
    return OK;
}

/* ---- HGETEX ------------------------------------------------------------------------------- */

/* Gives the fields that are there an end, or none, and logs that. */
static MUST_CHECK enum err set_ends(struct call *call, struct bytes key, struct entry *entry,
                                    const struct hash_fields *fields, int64_t at_ms,
                                    struct hash_effect *effect) REQUIRES(*call->keys)
{
    struct hash hash = hash_of(entry);
    enum err err = OK;
    for (uint32_t i = 0; i < fields->count && err == OK; i++) {
        struct bytes name = call_argument(call, fields->first + i);
        struct hash_field field;
        if (!hash_find(call->thread, &hash, name, &field) ||
            (at_ms == HASH_FIELD_STAYS && field.expires_at_ms == HASH_FIELD_STAYS)) {
            continue;
        }
        err = hash_expire_at(call->thread, &hash, name, at_ms);
        if (err == OK) {
            hash_effect_add(effect, name);
        }
    }
    hash_keep(entry, &hash);
    if (effect->count > 0 && at_ms == HASH_FIELD_STAYS) {
        call_changed(call, key, "hpersist");
        hash_effect_persist(call, key, effect);
    } else if (effect->count > 0) {
        keyspace_note_field_ends(call->keyspace, call->keys, key, entry);
        call_changed(call, key, "hexpire");
        hash_effect_expire(call, key, at_ms, effect);
    }
    return err;
}

static enum err hgetex(struct call *call) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct bytes key = args_next(args);
    struct lifetime lifetime = { .kind = LIFETIME_NONE };
    struct hash_fields fields;
    struct entry *entry;
    int64_t at_ms = HASH_FIELD_STAYS;
    while (args->err == OK && (lifetime_read_time(args, &lifetime) ||
                               lifetime_read(args, LIFETIME_PERSIST, LIT("PERSIST"), &lifetime))) {}
    enum err err = args->err;
    if (err == OK) {
        err = hash_fields_read(call, 1, bytes_of(not_positive), &fields);
    }
    if (err == OK && lifetime_has_time(&lifetime)) {
        err = hash_read_lifetime(call, &lifetime, &at_ms);
    }
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    }
    if (err != OK) {
        return err;
    }
    struct reply_mark mark = reply_mark(call->reply);
    reply_values(call, entry, &fields);
    if (entry == NULL || lifetime.kind == LIFETIME_NONE) {
        return OK;
    }
    bool passed = lifetime_has_time(&lifetime) && at_ms <= call->now_ms;
    struct hash_effect effect;
    uint32_t head = passed                      ? HASH_EFFECT_DELETE
                    : at_ms == HASH_FIELD_STAYS ? HASH_EFFECT_PERSIST
                                                : HASH_EFFECT_EXPIRE;
    err = hash_effect_init(&effect, head, fields.count) ? OK : ERR_OUT_OF_MEMORY;
    if (err == OK && passed) {
        remove_fields(call, key, entry, &fields, &effect);
    } else if (err == OK) {
        err = set_ends(call, key, entry, &fields, at_ms, &effect);
    }
    if (err != OK) {
        reply_rewind(call->reply, mark);
    }
    hash_effect_release(&effect);
    return err;
}

/* ---- HSETEX ---------------------------------------------------------------------------------- */

enum set_condition { ALWAYS, IF_NONE_EXISTS, IF_ALL_EXIST };

struct setting {
    enum set_condition condition;
    struct lifetime lifetime;
    struct hash_fields fields; /* with their values */
    int64_t at_ms;             /* HASH_FIELD_STAYS, HASH_FIELD_SAME or an end */
};

static bool condition_option(struct args *args, enum set_condition condition, struct bytes word,
                             enum set_condition *found)
{
    if (!args_option(args, word)) {
        return false;
    }
    if (*found != ALWAYS) {
        args_unknown(args);
    }
    *found = condition;
    return true;
}

static MUST_CHECK enum err read_setting(struct call *call, struct setting *setting)
{
    struct args *args = &call->args;
    *setting = (struct setting){ .lifetime = { .kind = LIFETIME_NONE }, .at_ms = HASH_FIELD_STAYS };
    while (args->err == OK &&
           (condition_option(args, IF_NONE_EXISTS, LIT("FNX"), &setting->condition) ||
            condition_option(args, IF_ALL_EXIST, LIT("FXX"), &setting->condition) ||
            lifetime_read_time(args, &setting->lifetime) ||
            lifetime_read(args, LIFETIME_KEEP, LIT("KEEPTTL"), &setting->lifetime))) {}
    enum err err = args->err;
    if (err == OK) {
        err = hash_fields_read(call, 2, bytes_of(not_positive), &setting->fields);
    }
    if (err == OK && lifetime_has_time(&setting->lifetime)) {
        err = hash_read_lifetime(call, &setting->lifetime, &setting->at_ms);
    } else if (err == OK && setting->lifetime.kind == LIFETIME_KEEP) {
        setting->at_ms = HASH_FIELD_SAME;
    }
    return err;
}

static bool condition_holds(struct call *call, const struct setting *setting,
                            const struct entry *entry)
{
    if (setting->condition == ALWAYS) {
        return true;
    }
    for (uint32_t i = 0; i < setting->fields.count; i++) {
        struct hash_field field;
        bool present = false;
        if (entry != NULL) {
            struct hash hash = hash_of(entry);
            present = hash_find(call->thread, &hash,
                                call_argument(call, setting->fields.first + 2 * i), &field);
        }
        if (present != (setting->condition == IF_ALL_EXIST)) {
            return false;
        }
    }
    return true;
}

/* Logs what was set: as it stands, or with the end that it came to. */
static void tell_set(struct call *call, struct bytes key, struct entry *entry,
                     const struct setting *setting, uint32_t done, struct hash_effect *effect)
    REQUIRES(*call->keys)
{
    call_changed(call, key, "hset");
    struct bytes *argv = effect->argv;
    argv[0] = LIT("HSET");
    argv[1] = key;
    bool keeps = setting->at_ms == HASH_FIELD_SAME;
    if (!keeps) {
        for (uint32_t i = 0; i < 2 * done; i++) {
            argv[2 + i] = call_argument(call, setting->fields.first + i);
        }
        call_propagate_as(call, argv, 2 + 2 * done);
    }
    if (setting->at_ms >= 0) {
        keyspace_note_field_ends(call->keyspace, call->keys, key, entry);
        call_changed(call, key, "hexpire");
        effect->head = HASH_EFFECT_EXPIRE;
        effect->count = 0;
        for (uint32_t i = 0; i < done; i++) {
            hash_effect_add(effect, call_argument(call, setting->fields.first + 2 * i));
        }
        hash_effect_expire(call, key, setting->at_ms, effect);
    }
}

static MUST_CHECK enum err set_fields(struct call *call, struct bytes key,
                                      const struct setting *setting, struct hash_effect *effect)
    REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = hash_open(call, key, &entry);
    if (err != OK) {
        return err;
    }
    struct hash hash = hash_of(entry);
    uint32_t done = 0;
    for (; done < setting->fields.count; done++) {
        uint32_t at = setting->fields.first + 2 * done;
        bool created;
        err = hash_set(call->thread, &hash, call_argument(call, at), call_argument(call, at + 1),
                       setting->at_ms, &created);
        if (err != OK) {
            break;
        }
    }
    hash_keep(entry, &hash);
    if (done > 0) {
        tell_set(call, key, entry, setting, done, effect);
    } else {
        hash_discard_empty(call, key, entry);
    }
    return err;
}

/* Sets fields whose end has passed already: that removes them. */
static void drop_fields(struct call *call, struct bytes key, struct entry *entry,
                        const struct setting *setting, struct hash_effect *effect)
    REQUIRES(*call->keys)
{
    if (entry == NULL) {
        return;
    }
    struct hash hash = hash_of(entry);
    effect->head = HASH_EFFECT_DELETE;
    for (uint32_t i = 0; i < setting->fields.count; i++) {
        struct bytes name = call_argument(call, setting->fields.first + 2 * i);
        if (hash_remove(call->thread, &hash, name)) {
            hash_effect_add(effect, name);
        }
    }
    hash_keep(entry, &hash);
    tell_removed(call, key, entry, effect);
}

static enum err hsetex(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct setting setting;
    struct hash_effect effect;
    struct entry *entry;
    enum err err = read_setting(call, &setting);
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, key, VALUE_HASH, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (!condition_holds(call, &setting, entry)) {
        reply_integer(call->reply, 0);
        return OK;
    }
    if (!hash_effect_init(&effect, HASH_EFFECT_EXPIRE, 2 * setting.fields.count)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (setting.at_ms >= 0 && setting.at_ms <= call->now_ms) {
        drop_fields(call, key, entry, &setting, &effect);
    } else {
        err = set_fields(call, key, &setting, &effect);
    }
    hash_effect_release(&effect);
    if (err == OK) {
        reply_integer(call->reply, 1);
    }
    return err;
}

/* ---- Rows --------------------------------------------------------------------------------------- */

static const char by_fields[] = "O(N) where N is the number of fields given.";

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "hgetdel", .handler = hgetdel, .arity = -5, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "8.0.0", .complexity = by_fields,
        .summary = "Returns the values of fields of a hash and removes the fields.",
        .syntax = "key:key fields=(FIELDS numfields:int field:string ...)",
    },
    {
        .name = "hgetex", .handler = hgetex, .arity = -5, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { { .begin = KEYS_BEGIN_INDEX, .find = KEYS_FIND_RANGE, .index = 1, .step = 1,
                    .flags = KEY_RW | KEY_ACCESS | KEY_UPDATE,
                    .notes = "RW and UPDATE because it changes the TTL" } },
        .since = "8.0.0", .complexity = by_fields,
        .summary = "Returns the values of fields of a hash and sets or ends their lifetime.",
        .syntax = "key:key [expiration=<EX seconds:int | PX milliseconds:int | "
                  "EXAT unix-time-seconds:time | PXAT unix-time-milliseconds:time | PERSIST>] "
                  "fields=(FIELDS numfields:int field:string ...)",
    },
    {
        .name = "hsetex", .handler = hsetex, .arity = -6, .group = GROUP_HASH,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "8.0.0", .complexity = by_fields,
        .summary = "Sets fields of a hash together with their lifetime.",
        .syntax = "key:key [condition=<FNX | FXX>] [expiration=<EX seconds:int | "
                  "PX milliseconds:int | EXAT unix-time-seconds:time | "
                  "PXAT unix-time-milliseconds:time | KEEPTTL>] "
                  "fields=(FIELDS numfields:int data=(field:string value:string) ...)",
    },
};
/* clang-format on */

const struct command_family cmd_hash_get_set_family = { rows, sizeof rows / sizeof rows[0] };
