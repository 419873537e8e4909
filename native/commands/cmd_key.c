/* Keys whatever they hold: DEL, UNLINK, EXISTS, TOUCH, TYPE, RENAME, RENAMENX, COPY, MOVE.
 * Their lives are in cmd_expire.c, walks over them in cmd_scan.c, OBJECT in cmd_object.c. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/lookup.h"

/* ---- Each of several keys ----------------------------------------------------------- */

static enum err delete_all(struct call *call, bool lazily) REQUIRES(*call->keys)
{
    int64_t count = 0;
    for (uint32_t i = 1; i < call->args.argc; i++) {
        struct bytes key = call_argument(call, i);
        if (keyspace_delete(call->keyspace, call->keys, key, lazily)) {
            call_changed(call, key, "del");
            count++;
        }
    }
    reply_integer(call->reply, count);
    return OK;
}

static enum err del(struct call *call) REQUIRES(*call->keys)
{
    return delete_all(call, call->engine->settings.lazy_user_del);
}

static enum err unlink_keys(struct call *call) REQUIRES(*call->keys)
{
    return delete_all(call, true);
}

static enum err exists(struct call *call) REQUIRES(*call->keys)
{
    int64_t count = 0;
    for (uint32_t i = 1; i < call->args.argc; i++) {
        count += lookup_peek(call, call_argument(call, i)) != NULL;
    }
    reply_integer(call->reply, count);
    return OK;
}

static enum err touch(struct call *call) REQUIRES(*call->keys)
{
    int64_t count = 0;
    for (uint32_t i = 1; i < call->args.argc; i++) {
        struct entry *entry;
        enum err err =
            keyspace_find(call->keyspace, call->keys, call_argument(call, i), VALUE_ANY, &entry);
        if (err != OK) {
            return err;
        }
        lookup_count(call, entry != NULL);
        count += entry != NULL;
        if (entry != NULL) {
            keyspace_note_use(call->thread, entry);
        }
    }
    reply_integer(call->reply, count);
    return OK;
}

static enum err type(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry = lookup_peek(call, call_argument(call, 1));
    reply_simple(call->reply,
                 entry != NULL ? value_type_name((enum value_type)entry->type) : LIT("none"));
    return OK;
}

/* ---- From one key to another ----------------------------------------------------------- */

/* '*renamed' is false when only_new kept the key where it is. */
static MUST_CHECK enum err rename_key(struct call *call, bool only_new, bool *renamed)
    REQUIRES(*call->keys)
{
    struct bytes from = call_argument(call, 1), to = call_argument(call, 2);
    uint32_t db = call->session->db;
    struct entry *entry;
    *renamed = false;
    enum err err = keyspace_find(call->keyspace, call->keys, from, VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        return ERR_NO_KEY;
    }
    if (bytes_equal(from, to) ||
        (only_new && keyspace_peek(call->keyspace, call->keys, to) != NULL)) {
        return OK;
    }
    err = keyspace_move(call->keyspace, call->keys, db, from, db, to);
    if (err != OK) {
        return err;
    }
    call_changed(call, from, "rename_from");
    call_changed(call, to, "rename_to");
    *renamed = true;
    return OK;
}

static enum err rename_over(struct call *call) REQUIRES(*call->keys)
{
    bool renamed;
    enum err err = rename_key(call, false, &renamed);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

static enum err renamenx(struct call *call) REQUIRES(*call->keys)
{
    bool renamed;
    enum err err = rename_key(call, true, &renamed);
    if (err == OK) {
        reply_integer(call->reply, renamed);
    }
    return err;
}

/* The number of a database that exists. */
static MUST_CHECK enum err read_database(struct call *call, struct bytes text, uint32_t *db)
{
    int64_t number;
    if (!num_parse_i64(text, &number)) {
        return ERR_NOT_INT;
    }
    if (number < INT32_MIN || number > INT32_MAX) {
        reply_errorf(call->reply, "ERR value is out of range, value must between %d and %d",
                     INT32_MIN, INT32_MAX);
        return ERR_REPLIED;
    }
    if (number < 0 || number >= keyspace_databases(call->keyspace)) {
        return ERR_DB_INDEX;
    }
    *db = (uint32_t)number;
    return OK;
}

static MUST_CHECK enum err read_copy_options(struct call *call, bool *replace, uint32_t *db)
{
    struct args *args = &call->args;
    *replace = false;
    *db = call->session->db;
    while (args->err == OK && args_left(args) > 0) {
        if (args_option(args, LIT("REPLACE"))) {
            *replace = true;
        } else if (args_option_with(args, LIT("DB"), 1)) {
            enum err err = read_database(call, args_next(args), db);
            if (err != OK) {
                return err;
            }
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

static enum err copy(struct call *call) REQUIRES(*call->keys)
{
    struct bytes from = args_next(&call->args), to = args_next(&call->args);
    uint32_t from_db = call->session->db, to_db;
    bool replace;
    enum err err = read_copy_options(call, &replace, &to_db);
    if (err != OK) {
        return err;
    }
    if (from_db == to_db && bytes_equal(from, to)) {
        return ERR_SAME_OBJECT;
    }
    struct entry *entry;
    err = keyspace_find(call->keyspace, call->keys, from, VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    lookup_count(call, entry != NULL);
    if (entry == NULL ||
        (keyspace_peek_in(call->keyspace, call->keys, to_db, to) != NULL && !replace)) {
        reply_integer(call->reply, 0);
        return OK;
    }
    err = keyspace_copy(call->keyspace, call->keys, from_db, from, to_db, to);
    if (err != OK) {
        return err;
    }
    call_changed_in(call, to_db, to, "copy_to");
    reply_integer(call->reply, 1);
    return OK;
}

static enum err move(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    uint32_t from_db = call->session->db, to_db;
    enum err err = read_database(call, call_argument(call, 2), &to_db);
    if (err != OK) {
        return err;
    }
    if (from_db == to_db) {
        return ERR_SAME_OBJECT;
    }
    struct entry *entry;
    err = keyspace_find(call->keyspace, call->keys, key, VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL || keyspace_peek_in(call->keyspace, call->keys, to_db, key) != NULL) {
        reply_integer(call->reply, 0);
        return OK;
    }
    err = keyspace_move(call->keyspace, call->keys, from_db, key, to_db, key);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "move_from");
    call_changed_in(call, to_db, key, "move_to");
    reply_integer(call->reply, 1);
    return OK;
}

/* COPY with DB and every MOVE touch a second database, whose keys the row can't declare. */
static bool copy_names_database(const struct bytes *argv, uint32_t argc)
{
    for (uint32_t i = 3; i < argc; i++) {
        if (bytes_equal_nocase(argv[i], LIT("DB"))) {
            return true;
        }
    }
    return false;
}

static bool always(const struct bytes *argv, uint32_t argc)
{
    (void)argv;
    (void)argc;
    return true;
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const struct command_history exists_history[] = {
    { "3.0.3", "Several keys can be given." },
    { NULL, NULL },
};

static const struct command_history renamenx_history[] = {
    { "3.2.0", "The same key twice is no error any more." },
    { NULL, NULL },
};

static const char *const summed[] = { "request_policy:multi_shard", "response_policy:agg_sum",
                                      NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "del", .handler = del, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_WRITE,
        .keys = { KEYS_FROM(1, -1, 1, KEY_RM | KEY_DELETE) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of keys, and for a list, set, sorted set or "
                      "hash of the elements in it.",
        .summary = "Removes keys.",
        .syntax = "key:key ...", .tips = summed,
    },
    {
        .name = "unlink", .handler = unlink_keys, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEYS_FROM(1, -1, 1, KEY_RM | KEY_DELETE) },
        .since = "4.0.0",
        .complexity = "O(1) for each key; the memory of large values is freed in the background.",
        .summary = "Removes keys and frees their values in the background.",
        .syntax = "key:key ...", .tips = summed,
    },
    {
        .name = "exists", .handler = exists, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEYS_FROM(1, -1, 1, KEY_RO) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of keys.",
        .summary = "Counts which of the keys exist.",
        .syntax = "key:key ...", .history = exists_history, .tips = summed,
    },
    {
        .name = "touch", .handler = touch, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEYS_FROM(1, -1, 1, KEY_RO) },
        .since = "3.2.1", .complexity = "O(N) where N is the number of keys.",
        .summary = "Notes an access to keys and counts which of them exist.",
        .syntax = "key:key ...", .tips = summed,
    },
    {
        .name = "type", .handler = type, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Returns the type of what a key holds.",
        .syntax = "key:key",
    },
    {
        .name = "rename", .handler = rename_over, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_OW | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Gives a key another name, over a key that has it.",
        .syntax = "key:key newkey:key",
    },
    {
        .name = "renamenx", .handler = renamenx, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_OW | KEY_INSERT) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Gives a key another name, provided that no key has it.",
        .syntax = "key:key newkey:key", .history = renamenx_history,
    },
    {
        .name = "copy", .handler = copy, .arity = -3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS), KEY_AT(2, KEY_OW | KEY_UPDATE) },
        .needs_everything = copy_names_database,
        .since = "6.2.0",
        .complexity = "O(N) where N is the number of elements of the value; O(1) for strings.",
        .summary = "Copies what a key holds to another key.",
        .syntax = "source:key destination:key [DB destination-db:int] [REPLACE]",
    },
    {
        .name = "move", .handler = move, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .needs_everything = always,
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Moves a key to another database.",
        .syntax = "key:key db:int",
    },
};
/* clang-format on */

const struct command_family cmd_key_family = { rows, sizeof rows / sizeof rows[0] };
