/* DUMP and RESTORE: values as bytes that go from server to server. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/lookup.h"
#include "rdb/payload.h"

static enum err dump(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL || !rdb_value_is_there(call->thread, entry)) {
        reply_null(call->reply);
        return OK;
    }
    struct rdb_writer writer = {
        .version = RDB_VERSION_7_0,
        .compress = call->engine->settings.compress_strings,
    };
    rdb_payload_write(&writer, call->thread, entry);
    if (writer.err == OK) {
        reply_bytes(call->reply, buf_bytes(&writer.out));
    }
    buf_release(&writer.out);
    return writer.err;
}

/* ---- RESTORE --------------------------------------------------------------------------------- */

struct restore_options {
    bool replace, absolute;
    int64_t idle_seconds, frequency; /* -1: not given */
};

static void read_idle(struct call *call, struct restore_options *options)
{
    options->idle_seconds = args_int(&call->args);
    if (call->args.err == OK && options->idle_seconds < 0) {
        reply_error(call->reply, LIT("ERR Invalid IDLETIME value, must be >= 0"));
        args_fail(&call->args, ERR_REPLIED);
    }
}

static void read_frequency(struct call *call, struct restore_options *options)
{
    options->frequency = args_int(&call->args);
    if (call->args.err == OK && (options->frequency < 0 || options->frequency > UINT8_MAX)) {
        reply_error(call->reply, LIT("ERR Invalid FREQ value, must be >= 0 and <= 255"));
        args_fail(&call->args, ERR_REPLIED);
    }
}

static MUST_CHECK enum err read_options(struct call *call, struct restore_options *options)
{
    struct args *args = &call->args;
    *options = (struct restore_options){ .idle_seconds = -1, .frequency = -1 };
    while (args->err == OK && args_left(args) > 0) {
        if (args_option(args, LIT("REPLACE"))) {
            options->replace = true;
        } else if (args_option(args, LIT("ABSTTL"))) {
            options->absolute = true;
        } else if (options->frequency < 0 && args_option_with(args, LIT("IDLETIME"), 1)) {
            read_idle(call, options);
        } else if (options->idle_seconds < 0 && args_option_with(args, LIT("FREQ"), 1)) {
            read_frequency(call, options);
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

/* When the key ends, from its time to live (0: never).  One beyond all time is over at once,
 * as it is in Redis. */
static MUST_CHECK enum err read_end(struct call *call, const struct restore_options *options,
                                    int64_t *at_ms)
{
    int64_t ttl;
    if (!num_parse_i64(call_argument(call, 2), &ttl)) {
        return ERR_NOT_INT;
    }
    if (ttl < 0) {
        reply_error(call->reply, LIT("ERR Invalid TTL value, must be >= 0"));
        return ERR_REPLIED;
    }
    if (ttl == 0) {
        *at_ms = KEYSPACE_NO_EXPIRY;
    } else if (options->absolute) {
        *at_ms = ttl;
    } else {
        *at_ms = ttl > INT64_MAX - call->now_ms ? 0 : ttl + call->now_ms;
    }
    return OK;
}

/* A value that is over already takes what is there away. */
static void restore_nothing(struct call *call, struct bytes key) REQUIRES(*call->keys)
{
    bool lazily = call->engine->settings.lazy_server_del;
    if (keyspace_delete(call->keyspace, call->keys, key, lazily)) {
        struct bytes argv[2] = { lazily ? LIT("UNLINK") : LIT("DEL"), key };
        call_propagate_as(call, argv, 2);
        call_changed(call, key, "del");
    }
}

/* The command as it is logged: with the moment at which the key ends. */
struct effect {
    struct bytes *argv; /* NULL: as it was given */
    uint32_t argc;
    char digits[NUM_INT_ROOM];
};

static MUST_CHECK enum err prepare_effect(const struct call *call,
                                          const struct restore_options *options, int64_t at_ms,
                                          struct effect *effect)
{
    const struct args *args = &call->args;
    effect->argv = NULL;
    if (options->absolute || at_ms == KEYSPACE_NO_EXPIRY) {
        return OK;
    }
    effect->argc = args->argc + 1;
    effect->argv = mem_try_alloc(effect->argc * sizeof *effect->argv);
    if (effect->argv == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    memcpy(effect->argv, args->argv, args->argc * sizeof *args->argv);
    effect->argv[2] = (struct bytes){ effect->digits, num_format_i64(effect->digits, at_ms) };
    effect->argv[args->argc] = LIT("ABSTTL");
    return OK;
}

static void note_use(struct call *call, struct bytes key, const struct restore_options *options)
    REQUIRES(*call->keys)
{
    struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    if (entry == NULL) {
        return;
    }
    keyspace_set_new(call->thread, entry); /* Whatever was there before is forgotten. */
    if (options->idle_seconds >= 0) {
        keyspace_set_idle(call->thread, entry, options->idle_seconds);
    }
    if (options->frequency >= 0) {
        keyspace_set_frequency(call->thread, entry, (unsigned)options->frequency);
    }
}

static MUST_CHECK enum err store(struct call *call, struct bytes key, struct rdb_value *value,
                                 const struct restore_options *options, int64_t at_ms)
    REQUIRES(*call->keys)
{
    struct effect effect;
    enum err err = prepare_effect(call, options, at_ms, &effect);
    if (err == OK) {
        err = rdb_value_store(call->keyspace, call->keys, key, value, at_ms,
                              call->engine->settings.lazy_server_del);
    }
    if (err == OK) {
        note_use(call, key, options);
        if (effect.argv != NULL) {
            call_propagate_as(call, effect.argv, effect.argc);
        }
        call_changed(call, key, "restore");
    }
    mem_free(effect.argv);
    return err;
}

static enum err restore(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    (void)args_next(&call->args); /* The time to live is looked at later. */
    struct bytes payload = args_next(&call->args);
    struct restore_options options;
    int64_t at_ms;
    enum err err = read_options(call, &options);
    if (err != OK) {
        return err;
    }
    if (!options.replace && keyspace_peek(call->keyspace, call->keys, key) != NULL) {
        return ERR_BUSY_KEY;
    }
    err = read_end(call, &options, &at_ms);
    if (err != OK) {
        return err;
    }
    bool skip_checksum =
        atomic_load_explicit(&call->engine->settings.checksums_skipped, memory_order_relaxed);
    if (!rdb_payload_check(payload, skip_checksum)) {
        return ERR_BAD_PAYLOAD;
    }
    struct rdb_value value;
    err = rdb_payload_read(payload, call->thread, &value);
    if (err != OK) {
        return err;
    }
    if (at_ms != KEYSPACE_NO_EXPIRY && at_ms <= call->now_ms) {
        restore_nothing(call, key);
    } else {
        err = store(call, key, &value, &options, at_ms);
    }
    rdb_value_release(call->thread, &value);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

/* ---- Rows -------------------------------------------------------------------------------------- */

static const struct command_history restore_history[] = {
    { "3.0.0", "REPLACE was added." },
    { "5.0.0", "ABSTTL was added." },
    { "5.0.0", "IDLETIME and FREQ were added." },
    { NULL, NULL },
};

static const char *const dump_tips[] = { "nondeterministic_output", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "dump", .handler = dump, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.6.0", .complexity = "O(N) where N is the number of bytes of the value.",
        .summary = "Returns a value as bytes that RESTORE takes, here or at another server.",
        .syntax = "key:key", .tips = dump_tips,
    },
    {
        .name = "restore", .handler = restore, .arity = -4, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_DENYOOM, .categories = CATEGORY_DANGEROUS,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE) },
        .since = "2.6.0",
        .complexity = "O(N) where N is the number of bytes of the value; O(N*log(N)) for the "
                      "members of a sorted set.",
        .summary = "Gives a key the value that DUMP returned.",
        .syntax = "key:key ttl:int serialized-value:string [REPLACE@3.0.0] [ABSTTL@5.0.0] "
                  "[IDLETIME seconds:int@5.0.0] [FREQ frequency:int@5.0.0]",
        .history = restore_history,
    },
    {
        .name = "restore-asking", .handler = restore, .arity = -4, .group = GROUP_SERVER,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_ASKING | CMD_SYSTEM,
        .categories = CATEGORY_KEYSPACE | CATEGORY_DANGEROUS,
        .keys = { KEY_AT(1, KEY_OW | KEY_UPDATE) },
        .since = "3.0.0",
        .complexity = "O(N) where N is the number of bytes of the value; O(N*log(N)) for the "
                      "members of a sorted set.",
        .summary = "RESTORE for the migration of keys within a cluster.",
        .syntax = "key:key ttl:int serialized-value:string [REPLACE@3.0.0] [ABSTTL@5.0.0] "
                  "[IDLETIME seconds:int@5.0.0] [FREQ frequency:int@5.0.0]",
        .history = restore_history,
    },
};
/* clang-format on */

const struct command_family cmd_dump_family = { rows, sizeof rows / sizeof rows[0] };
