/* MIGRATE: keys go to another server, in one piece: they are at one of the two at any time.
 *
 * The client waits as for a blocking command, and the mover does the work (mover.h).  Where a
 * command can't wait, within EXEC, in scripts and for clients of the same process, it is done here
 * and now, while the command's keys are held. */
#include "base/mem.h"
#include "base/num.h"
#include "exec/call.h"
#include "repl/families.h"
#include "repl/mover.h"

enum { DEFAULT_TIMEOUT_MS = 1000, OPTIONS_AT = 6, FIRST_KEY = 3 };

/* ---- Arguments ------------------------------------------------------------------------------- */

/* How many arguments belong to the option at 'at': 0 is none of those that have any. */
static uint32_t option_values(struct bytes option)
{
    return bytes_equal_nocase(option, LIT("AUTH"))    ? 1
           : bytes_equal_nocase(option, LIT("AUTH2")) ? 2
                                                      : 0;
}

/* Where the keys begin; 0: KEYS is there together with a key, which is an error. */
static uint32_t find_first_key(const struct bytes *argv, uint32_t argc)
{
    for (uint32_t at = OPTIONS_AT; at < argc; at += 1 + option_values(argv[at])) {
        if (bytes_equal_nocase(argv[at], LIT("KEYS"))) {
            return argv[FIRST_KEY].len == 0 ? at + 1 : 0;
        }
    }
    return FIRST_KEY;
}

/* KEYS without any counts as not there, as it does in Redis. */
static int migrate_keys(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    uint32_t first = find_first_key(argv, argc), count = 0;
    if (first == 0 || argc <= FIRST_KEY) {
        return -1;
    }
    first = first == argc ? FIRST_KEY : first;
    uint32_t end = first == FIRST_KEY ? FIRST_KEY + 1 : argc;
    for (uint32_t at = first; at < end; at++) {
        found[count++] = (struct found_key){ at, KEY_RW | KEY_ACCESS | KEY_DELETE };
    }
    return (int)count;
}

static void read_login(struct args *args, struct migration *migration, bool with_user)
{
    migration->authenticates = true;
    migration->has_user = with_user;
    migration->user = with_user ? args_next(args) : (struct bytes){ 0 };
    migration->password = args_next(args);
}

static MUST_CHECK enum err read_options(struct call *call, struct migration *migration)
{
    struct args *args = &call->args;
    while (args->err == OK && args_left(args) > 0) {
        if (args_option(args, LIT("COPY"))) {
            migration->copy = true;
        } else if (args_option(args, LIT("REPLACE"))) {
            migration->replace = true;
        } else if (args_option_with(args, LIT("AUTH"), 1)) {
            read_login(args, migration, false);
        } else if (args_option_with(args, LIT("AUTH2"), 2)) {
            read_login(args, migration, true);
        } else if (args_option(args, LIT("KEYS"))) {
            if (call_argument(call, FIRST_KEY).len != 0) {
                reply_error(call->reply, LIT("ERR When using MIGRATE KEYS option, the key argument "
                                             "must be set to the empty string"));
                return ERR_REPLIED;
            }
            args->next = args->argc;
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

/* All but the keys. */
static MUST_CHECK enum err read_arguments(struct call *call, struct migration *migration)
{
    struct args *args = &call->args;
    migration->host = args_next(args);
    migration->port = args_next(args);
    migration->source_db = call->session->db;
    args->next = OPTIONS_AT;
    enum err err = read_options(call, migration);
    if (err != OK) {
        return err;
    }
    if (!num_parse_i64(call_argument(call, 5), &migration->timeout_ms) ||
        !num_parse_i64(call_argument(call, 4), &migration->db)) {
        return ERR_NOT_INT;
    }
    if (migration->timeout_ms <= 0) {
        migration->timeout_ms = DEFAULT_TIMEOUT_MS;
    }
    return OK;
}

/* Those that are there; the caller frees the memory. */
static MUST_CHECK enum err find_keys(struct call *call, struct migration *migration)
    REQUIRES(*call->keys)
{
    const struct bytes *argv = call->args.argv;
    uint32_t first = find_first_key(argv, call->args.argc);
    uint32_t end = first == FIRST_KEY ? FIRST_KEY + 1 : call->args.argc;
    migration->keys = mem_try_alloc((end - first + 1) * sizeof migration->keys[0]);
    if (migration->keys == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (uint32_t at = first; at < end; at++) {
        bool there = keyspace_peek(call->keyspace, call->keys, argv[at]) != NULL;
        struct stats *stats = &call->executor->stats;
        stat_add(there ? &stats->keyspace_hits : &stats->keyspace_misses, 1);
        if (there) {
            migration->keys[migration->key_count++] = (struct migrating_key){ .name = argv[at] };
        } else if (notify_any(call->engine)) {
            notify_event(call->engine, call->session->db, argv[at], LIT("keymiss"));
        }
    }
    return OK;
}

/* ---- Here and now ---------------------------------------------------------------------------- */

/* What is logged is the deletion. */
static MUST_CHECK enum err delete_moved(struct call *call, const struct migration *migration)
    REQUIRES(*call->keys)
{
    struct bytes *argv = mem_try_alloc((migration->key_count + 1) * sizeof *argv);
    uint32_t argc = 1;
    if (argv == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    argv[0] = LIT("UNLINK");
    for (uint32_t i = 0; i < migration->key_count; i++) {
        struct bytes name = migration->keys[i].name;
        if (migration->keys[i].moved && keyspace_delete(call->keyspace, call->keys, name, true)) {
            argv[argc++] = name;
        }
    }
    if (argc > 1) {
        call_propagate_as(call, argv, argc);
    }
    for (uint32_t i = 1; i < argc; i++) {
        call_changed(call, argv[i], "del");
    }
    mem_free(argv);
    return OK;
}

static MUST_CHECK enum err pack(struct call *call, struct migration *migration)
    REQUIRES(*call->keys)
{
    bool compress = call->engine->settings.compress_strings, fine = true;
    for (uint32_t i = 0; i < migration->key_count && fine; i++) {
        const struct entry *entry =
            keyspace_peek(call->keyspace, call->keys, migration->keys[i].name);
        fine = migration_pack(migration, i, call->thread, entry, compress);
    }
    return fine ? OK : ERR_OUT_OF_MEMORY;
}

static MUST_CHECK enum err move_now(struct call *call, struct migration *migration)
    REQUIRES(*call->keys)
{
    const struct target_wait wait = { call->engine->clock, &call->engine->stopping,
                                      migration->timeout_ms };
    struct target target;
    target_init(&target);
    enum err err = pack(call, migration);
    if (err == OK && migration_has_keys(migration) && migration_open(migration, &target, &wait)) {
        migration_send(migration, &target, &wait);
        err = migration->copy ? OK : delete_moved(call, migration);
    }
    if (err == OK && migration->error.len > 0) {
        reply_error(call->reply, buf_bytes(&migration->error));
    } else if (err == OK) {
        reply_simple(call->reply, migration_has_keys(migration) ? LIT("OK") : LIT("NOKEY"));
    }
    target_close(&target);
    migration_release(migration);
    return err;
}

/* ---- Later ----------------------------------------------------------------------------------- */

static MUST_CHECK enum err move_later(struct call *call, const struct migration *asked)
    REQUIRES(*call->keys)
{
    struct mover *mover = mover_of(call->engine);
    struct migration *migration = mover != NULL ? migration_copy(asked) : NULL;
    if (migration == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    migration->ticket = mover_ticket(mover);
    struct blocking_request request = { .type = VALUE_ANY, .ticket = migration->ticket };
    enum err err = blocking_wait(call, &request);
    if (err != OK) {
        mem_free(migration);
        return err;
    }
    mover_adopt(mover, migration);
    return OK;
}

static enum err migrate(struct call *call) REQUIRES(*call->keys)
{
    struct migration migration = { 0 };
    enum err err = read_arguments(call, &migration);
    if (err == OK) {
        err = find_keys(call, &migration);
    }
    if (err == OK && migration.key_count == 0) {
        reply_simple(call->reply, LIT("NOKEY"));
    } else if (err == OK) {
        err = blocking_may_wait(call) ? move_later(call, &migration) : move_now(call, &migration);
    }
    mem_free(migration.keys);
    return err;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static const struct command_history history[] = {
    { "3.0.0", "COPY and REPLACE were added." },
    { "3.0.6", "KEYS was added." },
    { "4.0.7", "AUTH was added." },
    { "6.0.0", "AUTH2 was added." },
    { NULL, NULL },
};

static const char *const tips[] = { "nondeterministic_output", NULL };

/* clang-format off */
static const struct command rows[] = {
    {
        .name = "migrate", .handler = migrate, .arity = -6, .group = GROUP_GENERIC,
        .flags = CMD_WRITE, .categories = CATEGORY_DANGEROUS,
        .keys = {
            KEY_AT(3, KEY_RW | KEY_ACCESS | KEY_DELETE),
            {
                .begin = KEYS_BEGIN_KEYWORD, .find = KEYS_FIND_RANGE,
                .flags = KEY_RW | KEY_ACCESS | KEY_DELETE | KEY_INCOMPLETE,
                .index = -2, .last = -1, .step = 1, .keyword = "KEYS",
            },
        },
        .find_keys = migrate_keys,
        .since = "2.6.0",
        .complexity = "O(N) where N is the number of bytes of the values, and their way to the "
                      "other server.",
        .summary = "Moves keys to another server.",
        .syntax = "host:string port:int key_or_empty_string=<key:key | empty_string=\"\"> "
                  "destination-db:int timeout:int [COPY@3.0.0] [REPLACE@3.0.0] "
                  "[authentication=<[AUTH password:string@4.0.7] | "
                  "[AUTH2 username_password=(username:string password:string)@6.0.0]>] "
                  "[KEYS key:key@3.0.6...]",
        .history = history, .tips = tips,
    },
};
/* clang-format on */

const struct command_family cmd_migrate_family = { rows, sizeof rows / sizeof rows[0] };
