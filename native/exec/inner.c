/* Commands of scripts; see inner.h. */
#include "exec/inner.h"

#include "base/mem.h"
#include "exec/memory_limit.h"
#include "exec/perform.h"
#include "exec/registry_internal.h"

/* ---- Their client ------------------------------------------------------------------------ */

/* It is in no list, does not wait, and listens to nothing; the slow log tells its address. */
static const struct session_carrier script_carrier = {
    .addresses = session_fixed_addresses,
    .descriptor = session_no_descriptor,
    .buffers = session_no_buffers,
    .kill = session_stay,
    .address = "?:0",
    .monitored_as = "lua",
    .kind = 'N',
    .internal = true,
};

enum {
    OWN_FLAGS = SESSION_INTERNAL | SESSION_AUTHENTICATED | SESSION_EXECUTING,
    /* The caller's, who caches what its script has read. */
    CALLERS_FLAGS = SESSION_TRACKS | SESSION_TRACKS_PREFIXES | SESSION_OPT_IN | SESSION_OPT_OUT |
                    SESSION_CACHING | SESSION_NO_LOOP,
};

void inner_init(struct inner *inner, struct executor *executor)
{
    *inner = (struct inner){ .executor = executor };
    inner->client.carrier = &script_carrier;
    inner->client.flags = OWN_FLAGS;
}

void inner_begin(struct inner *inner, const struct session *caller)
{
    inner->caller = caller;
    inner->client.id = caller->id;
    inner->client.user = caller->user;
    atomic_store_explicit(&inner->client.checks, session_checks(caller) & SESSION_CHECK_USER,
                          memory_order_relaxed);
    inner->client.db = caller->db;
    inner->client.flags = OWN_FLAGS | (caller->flags & CALLERS_FLAGS);
    inner->client.tracking = caller->tracking;
    inner->client.protocol = 2;
    inner->client.dialect = DIALECT_RESP;
    inner->read_only = inner->allow_oom = inner->memory_short = false;
    atomic_store_explicit(&inner->state, INNER_CLEAN, memory_order_relaxed);
    inner->framed = changes_begin_frame(inner->executor);
}

void inner_end(struct inner *inner)
{
    if (inner->framed) {
        changes_end_frame(inner->executor, inner->client.db);
        inner->framed = false;
    }
}

/* ---- An end from outside ------------------------------------------------------------------ */

bool inner_doom(struct inner *inner)
{
    uint8_t state = INNER_CLEAN;
    return atomic_compare_exchange_strong_explicit(&inner->state, &state, INNER_DOOMED,
                                                   memory_order_relaxed, memory_order_relaxed) ||
           state == INNER_DOOMED;
}

/* Notes that the script writes; false when it was doomed before it has. */
static bool may_write(struct inner *inner)
{
    uint8_t state = atomic_load_explicit(&inner->state, memory_order_relaxed);
    return state == INNER_WROTE ||
           (state == INNER_CLEAN &&
            atomic_compare_exchange_strong_explicit(&inner->state, &state, INNER_WROTE,
                                                    memory_order_relaxed, memory_order_relaxed));
}

/* ---- One command ------------------------------------------------------------------------- */

static enum err find_permission(const struct inner *inner, const struct command *command,
                                const struct bytes *argv, uint32_t argc)
{
    switch (acl_refuses(inner->executor, inner->caller, command, argv, argc, ACL_IN_SCRIPT)) {
    case ACL_DENIED_COMMAND:
        return ERR_SCRIPT_NO_PERMISSION;
    case ACL_DENIED_KEY:
        return ERR_SCRIPT_NO_KEY;
    case ACL_DENIED_CHANNEL:
        return ERR_SCRIPT_NO_CHANNEL;
    case ACL_ALLOWED:
    case ACL_DENIED_AUTH:
        break;
    }
    return OK;
}

/* What stands in the way, in Redis's order; OK: nothing. */
static enum err find_obstacle(const struct inner *inner, const struct command *command,
                              const struct bytes *argv, uint32_t argc)
{
    uint32_t flags = command->flags;
    if (!command_arity_fits(command, argc)) {
        return ERR_SCRIPT_ARITY;
    }
    if ((flags & CMD_NOSCRIPT) != 0) {
        return ERR_SCRIPT_COMMAND;
    }
    enum err err = find_permission(inner, command, argv, argc);
    if (err != OK) {
        return err;
    }
    if (inner->read_only && (flags & (CMD_WRITE | CMD_MAY_REPLICATE)) != 0) {
        return ERR_SCRIPT_READ_ONLY;
    }
    /* Once something is written it would be too late. */
    if (inner->memory_short && !inner->allow_oom && (flags & CMD_DENYOOM) != 0 &&
        atomic_load_explicit(&inner->state, memory_order_relaxed) != INNER_WROTE) {
        return ERR_NO_MEMORY;
    }
    return OK;
}

/* Counts a refusal, for which the script's own error does not count then. */
static enum err reject(struct executor *executor, const struct command *command, enum err err)
{
    const char *text = err_text(err);
    perform_count_error(executor, (struct bytes){ text, strcspn(text, " ") });
    if (command != NULL) {
        stat_add(&executor->commands[command->derived.index].rejected, 1);
    }
    return err;
}

/* ---- Its keys ---------------------------------------------------------------------------- */

bool inner_may_hold_keys(const struct command *command)
{
    static const char *const harmless[] = { "echo", "ping", "publish", "spublish", "time" };
    enum { NEVER = CMD_NOSCRIPT | CMD_KEYS_ALL | CMD_WALKS | CMD_SELECTS };
    if ((command->flags & NEVER) != 0) {
        return false;
    }
    if (command->derived.plan == PLAN_ONE_KEY) {
        return true;
    }
    if (command->derived.plan == PLAN_KEYS) {
        return command->find_keys == NULL && command->needs_everything == NULL;
    }
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (strcmp(command->name, harmless[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The keys of a command that has several, or none. */
static __attribute__((noinline)) bool covers_keys(struct keylock *lock, uint32_t db,
                                                  const struct command *command, struct bytes *argv,
                                                  uint32_t argc)
{
    enum { FEW = 64 };
    struct found_key few[FEW], *found = few;
    if (!lock->exclusive && !inner_may_hold_keys(command)) {
        return false;
    }
    if (command->derived.plan != PLAN_KEYS) {
        if (lock->exclusive) {
            lock->key_count = 0; /* Databases may change places: the hashes are of now. */
        }
        return true;
    }
    if (argc > FEW) {
        if (lock->exclusive) {
            return true;
        }
        found = mem_try_alloc(argc * sizeof *found);
    }
    bool covered = found != NULL;
    int count = covered ? command_keys(command, argv, argc, found) : 0;
    for (int i = 0; i < count && covered; i++) {
        covered = keylock_covers(lock, db, &argv[found[i].at]);
    }
    if (found != few) {
        mem_free(found);
    }
    return covered;
}

/* What a script's keys are declared for: no command comes by one that is not held. */
static inline bool is_covered(struct keylock *lock, uint32_t db, const struct command *command,
                              struct bytes *argv, uint32_t argc)
{
    if (!lock->exclusive && lock->mode == KEYLOCK_READ && command->derived.writes) {
        return false;
    }
    return command->derived.plan == PLAN_ONE_KEY
               ? keylock_covers(lock, db, &argv[command->derived.key_at])
               : covers_keys(lock, db, command, argv, argc);
}

enum err inner_run(struct inner *inner, struct bytes *argv, uint32_t argc, struct reply *reply)
{
    struct executor *executor = inner->executor;
    const struct command *command = registry_find_fast(executor->engine->registry, argv, argc);
    if (command == NULL) {
        const struct command *container;
        (void)registry_find(executor->engine->registry, argv, argc, &container);
        return reject(executor, NULL,
                      container != NULL && argc < 2 ? ERR_SCRIPT_ARITY : ERR_SCRIPT_UNKNOWN);
    }
    enum err err = find_obstacle(inner, command, argv, argc);
    if (err != OK) {
        return reject(executor, command, err);
    }
    if (!is_covered(&executor->lock, inner->client.db, command, argv, argc)) {
        return ERR_SCRIPT_UNDECLARED;
    }
    if ((command->flags & CMD_WRITE) != 0 && !may_write(inner)) {
        return reject(executor, command, ERR_SCRIPT_KILLED);
    }
    struct task task = { executor, &inner->client, command, argv, argc, reply };
    uint32_t noted = executor->noted_errors, db = executor->lock.db;
    reply->protocol = inner->client.protocol;
    reply->dialect = DIALECT_RESP;
    executor->noted_errors = reply->errors;
    executor->lock.db = inner->client.db;
    inner->client.last_command = command;
    uint64_t began = perform(&task);
    perform_account(&task, began);
    executor->lock.db = db;
    executor->noted_errors = noted;
    return OK;
}
