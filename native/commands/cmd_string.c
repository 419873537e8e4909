/* Strings as wholes: GET, SET and their kin.  Several at once are in cmd_string_many.c, parts of
 * strings in cmd_substring.c, strings as numbers in cmd_counter.c, LCS in cmd_lcs.c. */
#include "base/num.h"
#include "commands/compare.h"
#include "commands/families.h"
#include "commands/lifetime.h"
#include "commands/lookup.h"

/* ---- SET ---------------------------------------------------------------------------- */

/* Logs SET key value, with PXAT when the key has an end. */
static void propagate_set(struct call *call, struct bytes key, struct bytes value,
                          enum keep_expiry keep, int64_t at_ms)
{
    char digits[NUM_INT_ROOM];
    struct bytes argv[5] = { LIT("SET"), key, value };
    uint32_t argc = 3;
    if (keep == EXPIRY_KEEP) {
        argv[argc++] = LIT("KEEPTTL");
    } else if (at_ms != KEYSPACE_NO_EXPIRY) {
        argv[argc++] = LIT("PXAT");
        argv[argc++] = (struct bytes){ digits, num_format_i64(digits, at_ms) };
    }
    call_propagate_as(call, argv, argc);
}

struct set_options {
    bool if_missing, if_present, get;
    struct string_condition condition;
    struct lifetime lifetime;
};

static MUST_CHECK enum err read_set_options(struct args *args, struct set_options *options)
{
    *options = (struct set_options){ .lifetime = { .kind = LIFETIME_NONE } };
    while (args->err == OK && args_left(args) > 0) {
        if (args_option(args, LIT("NX"))) {
            options->if_missing = true;
        } else if (args_option(args, LIT("XX"))) {
            options->if_present = true;
        } else if (args_option(args, LIT("GET"))) {
            options->get = true;
        } else if (!compare_read(args, &options->condition) &&
                   !lifetime_read_time(args, &options->lifetime) &&
                   !lifetime_read(args, LIFETIME_KEEP, LIT("KEEPTTL"), &options->lifetime)) {
            args_unknown(args);
        }
        bool compares = options->condition.comparison != COMPARE_NOTHING;
        if (options->if_missing + options->if_present + compares > 1) {
            args_unknown(args);
        }
    }
    return args_end(args);
}

/* Stores 'value' and tells what has happened; the reply is the caller's. */
static MUST_CHECK enum err store(struct call *call, struct bytes key, struct bytes value,
                                 enum keep_expiry keep, int64_t at_ms) REQUIRES(*call->keys)
{
    enum err err = keyspace_set_string(call->keyspace, call->keys, key, value, keep, at_ms);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "set");
    if (at_ms != KEYSPACE_NO_EXPIRY) {
        call_changed(call, key, "expire");
    }
    return OK;
}

/* Whether what is there, if anything, allows the options to replace it. */
static bool set_is_allowed(const struct set_options *options, const struct entry *entry)
{
    return (entry != NULL ? !options->if_missing : !options->if_present) &&
           compare_holds(&options->condition, entry);
}

static MUST_CHECK enum err set_with_options(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args), value = args_next(&call->args);
    struct set_options options;
    enum err err = read_set_options(&call->args, &options);
    if (err == OK && !compare_check(call, &options.condition)) {
        err = ERR_REPLIED;
    }
    if (err != OK) {
        return err;
    }
    bool compares = options.condition.comparison != COMPARE_NOTHING;
    int64_t at_ms = KEYSPACE_NO_EXPIRY;
    if (lifetime_has_time(&options.lifetime)) {
        err = lifetime_end(call, &options.lifetime, &at_ms);
        if (err != OK) {
            return err;
        }
    }
    struct entry *entry;
    struct reply_mark mark = reply_mark(call->reply);
    if (options.get) {
        err = lookup_string(call, key, &entry);
    } else {
        err = keyspace_find(call->keyspace, call->keys, key, compares ? VALUE_STRING : VALUE_ANY,
                            &entry);
    }
    if (err != OK) {
        return err;
    }
    bool allowed = set_is_allowed(&options, entry);
    if (options.get && entry != NULL) {
        lookup_reply(call, entry);
    } else if (options.get) {
        reply_null(call->reply);
    }
    if (!allowed) {
        if (!options.get) {
            reply_null(call->reply);
        }
        return OK;
    }
    enum keep_expiry keep = options.lifetime.kind == LIFETIME_KEEP ? EXPIRY_KEEP : EXPIRY_REPLACE;
    err = store(call, key, value, keep, at_ms);
    if (err != OK) {
        reply_rewind(call->reply, mark);
        return err;
    }
    if (options.get || compares || at_ms != KEYSPACE_NO_EXPIRY) {
        propagate_set(call, key, value, keep, at_ms);
    }
    if (!options.get) {
        reply_ok(call->reply);
    }
    return OK;
}

static bool is_condition(struct bytes word)
{
    return bytes_equal_nocase(word, LIT("IFEQ")) || bytes_equal_nocase(word, LIT("IFNE")) ||
           bytes_equal_nocase(word, LIT("IFDEQ")) || bytes_equal_nocase(word, LIT("IFDNE"));
}

/* With GET or a condition the old value is used, without the key is only written. */
static int set_keys(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    uint32_t use = KEY_OW | KEY_UPDATE;
    for (uint32_t i = 3; i < argc; i++) {
        if (bytes_equal_nocase(argv[i], LIT("GET")) || is_condition(argv[i])) {
            use = KEY_RW | KEY_ACCESS | KEY_UPDATE;
        }
    }
    found[0] = (struct found_key){ 1, use };
    return argc > 1 ? 1 : -1;
}

static enum err set(struct call *call) REQUIRES(*call->keys)
{
    if (__builtin_expect(call->args.argc != 3, 0)) {
        return set_with_options(call);
    }
    struct bytes key = call_argument(call, 1);
    enum err err = keyspace_set_string(call->keyspace, call->keys, key, call_argument(call, 2),
                                       EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "set");
    reply_ok(call->reply);
    return OK;
}

static enum err setnx(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_ANY, &entry);
    if (err == OK && entry == NULL) {
        err = store(call, key, call_argument(call, 2), EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY);
    }
    if (err == OK) {
        reply_integer(call->reply, entry == NULL);
    }
    return err;
}

/* SETEX and PSETEX: key, time, value. */
static MUST_CHECK enum err set_with_time(struct call *call, enum lifetime_kind kind)
    REQUIRES(*call->keys)
{
    struct lifetime lifetime = { kind, call_argument(call, 2) };
    struct bytes key = call_argument(call, 1), value = call_argument(call, 3);
    int64_t at_ms;
    enum err err = lifetime_end(call, &lifetime, &at_ms);
    if (err == OK) {
        err = store(call, key, value, EXPIRY_REPLACE, at_ms);
    }
    if (err == OK) {
        propagate_set(call, key, value, EXPIRY_REPLACE, at_ms);
        reply_ok(call->reply);
    }
    return err;
}

static enum err setex(struct call *call) REQUIRES(*call->keys)
{
    return set_with_time(call, LIFETIME_EX);
}

static enum err psetex(struct call *call) REQUIRES(*call->keys)
{
    return set_with_time(call, LIFETIME_PX);
}

/* ---- GET ---------------------------------------------------------------------------- */

/* Looks a string up and replies it, or null.  '*entry' is NULL when there is none. */
static inline MUST_CHECK enum err reply_value(struct call *call, struct bytes key,
                                              struct entry **entry) REQUIRES(*call->keys)
{
    enum err err = lookup_string(call, key, entry);
    if (__builtin_expect(err != OK, 0)) {
        return err;
    }
    if (*entry != NULL) {
        lookup_reply(call, *entry);
    } else {
        reply_null(call->reply);
    }
    return OK;
}

static enum err get(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    return reply_value(call, call_argument(call, 1), &entry);
}

static enum err getset(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), value = call_argument(call, 2);
    struct reply_mark mark = reply_mark(call->reply);
    struct entry *entry;
    enum err err = reply_value(call, key, &entry);
    if (err == OK) {
        err = store(call, key, value, EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY);
        if (err != OK) {
            reply_rewind(call->reply, mark);
        } else {
            propagate_set(call, key, value, EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY);
        }
    }
    return err;
}

/* Removes a live key and logs that as DEL or UNLINK. */
static void remove_key(struct call *call, struct bytes key, bool lazily) REQUIRES(*call->keys)
{
    keyspace_delete(call->keyspace, call->keys, key, lazily);
    call_changed(call, key, "del");
    struct bytes argv[2] = { lazily ? LIT("UNLINK") : LIT("DEL"), key };
    call_propagate_as(call, argv, 2);
}

static enum err getdel(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = reply_value(call, key, &entry);
    if (err == OK && entry != NULL) {
        remove_key(call, key, false);
    }
    return err;
}

/* Gives the key of 'entry' an end (or none), logs that, and replies its value. */
static MUST_CHECK enum err reply_with_new_end(struct call *call, struct bytes key,
                                              struct entry *entry, int64_t at_ms)
    REQUIRES(*call->keys)
{
    enum err err = keyspace_expire_at(call->keyspace, call->keys, &entry, at_ms);
    if (err != OK) {
        return err;
    }
    char digits[NUM_INT_ROOM];
    bool ends = at_ms != KEYSPACE_NO_EXPIRY;
    call_changed(call, key, ends ? "expire" : "persist");
    struct bytes argv[3] = { ends ? LIT("PEXPIREAT") : LIT("PERSIST"), key };
    if (ends) {
        argv[2] = (struct bytes){ digits, num_format_i64(digits, at_ms) };
    }
    call_propagate_as(call, argv, ends ? 3 : 2);
    lookup_reply(call, entry);
    return OK;
}

static enum err getex(struct call *call) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    struct bytes key = args_next(args);
    struct lifetime lifetime = { .kind = LIFETIME_NONE };
    while (args->err == OK && args_left(args) > 0) {
        if (!lifetime_read_time(args, &lifetime) &&
            !lifetime_read(args, LIFETIME_PERSIST, LIT("PERSIST"), &lifetime)) {
            args_unknown(args);
        }
    }
    enum err err = args_end(args);
    if (err != OK) {
        return err;
    }
    struct entry *entry;
    err = lookup_string(call, key, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_null(call->reply);
        return OK;
    }
    if (lifetime_has_time(&lifetime)) {
        int64_t at_ms;
        err = lifetime_end(call, &lifetime, &at_ms);
        if (err != OK) {
            return err;
        }
        if (at_ms > call->now_ms) {
            return reply_with_new_end(call, key, entry, at_ms);
        }
        lookup_reply(call, entry);
        remove_key(call, key, call->engine->settings.lazy_expire);
        return OK;
    }
    if (lifetime.kind == LIFETIME_PERSIST && entry_expires_at(entry) != KEYSPACE_NO_EXPIRY) {
        return reply_with_new_end(call, key, entry, KEYSPACE_NO_EXPIRY);
    }
    lookup_reply(call, entry);
    return OK;
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const struct command_history set_history[] = {
    { "2.6.12", "`EX`, `PX`, `NX` and `XX` can be given." },
    { "6.0.0", "`KEEPTTL` can be given." },
    { "6.2.0", "`GET`, `EXAT` and `PXAT` can be given." },
    { "7.0.0", "`NX` and `GET` can be given together." },
    { "8.1.0", "`IFEQ` can be given (of Valkey)." },
    { "8.4.0", "`IFNE`, `IFDEQ` and `IFDNE` can be given." },
    { NULL, NULL },
};

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "get", .handler = get, .arity = 2, .group = GROUP_STRING,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Returns the string that a key holds.",
        .syntax = "key:key",
    },
    {
        .name = "set", .handler = set, .arity = -3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { { .begin = KEYS_BEGIN_INDEX,
                    .find = KEYS_FIND_RANGE,
                    .index = 1,
                    .step = 1,
                    .flags = KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS,
                    .notes = "RW and ACCESS due to the optional `GET` argument" } },
        .find_keys = set_keys,
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Makes a key hold a string, whatever it held, and sets its lifetime.",
        .syntax = "key:key value:string [condition=<NX | XX | IFEQ ifeq-value:string | "
                  "IFNE ifne-value:string | IFDEQ ifdeq-digest:string | "
                  "IFDNE ifdne-digest:string>@2.6.12] [GET@6.2.0] "
                  "[expiration=<EX seconds:int@2.6.12 | PX milliseconds:int@2.6.12 | "
                  "EXAT unix-time-seconds:time@6.2.0 | PXAT unix-time-milliseconds:time@6.2.0 | "
                  "KEEPTTL@6.0.0>]",
        .history = set_history,
    },
    {
        .name = "setnx", .handler = setnx, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_OW | KEY_INSERT) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Stores a string under a key that does not exist yet.",
        .syntax = "key:key value:string",
    },
    {
        .name = "setex", .handler = setex, .arity = 4, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE) },
        .since = "2.0.0", .complexity = "O(1)",
        .summary = "Stores a string that lives for a number of seconds.",
        .syntax = "key:key seconds:int value:string",
    },
    {
        .name = "psetex", .handler = psetex, .arity = 4, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE) },
        .since = "2.6.0", .complexity = "O(1)",
        .summary = "Stores a string that lives for a number of milliseconds.",
        .syntax = "key:key milliseconds:int value:string",
    },
    {
        .name = "getset", .handler = getset, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Stores a string and returns the one that was there.",
        .syntax = "key:key value:string",
        .deprecated_since = "6.2.0", .replaced_by = "`SET` with the `!GET` argument",
    },
    {
        .name = "getdel", .handler = getdel, .arity = 2, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "6.2.0", .complexity = "O(1)",
        .summary = "Returns the string of a key and removes the key.",
        .syntax = "key:key",
    },
    {
        .name = "getex", .handler = getex, .arity = -2, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { { .begin = KEYS_BEGIN_INDEX,
                    .find = KEYS_FIND_RANGE,
                    .index = 1,
                    .step = 1,
                    .flags = KEY_RW | KEY_ACCESS | KEY_UPDATE,
                    .notes = "RW and UPDATE because it changes the TTL" } },
        .since = "6.2.0", .complexity = "O(1)",
        .summary = "Returns the string of a key and sets or ends its lifetime.",
        .syntax = "key:key [expiration=<EX seconds:int | PX milliseconds:int | "
                  "EXAT unix-time-seconds:time | PXAT unix-time-milliseconds:time | PERSIST>]",
    },
};
/* clang-format on */

const struct command_family cmd_string_family = { rows, sizeof rows / sizeof rows[0] };
