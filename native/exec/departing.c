/* See departing.h. */
#include "exec/departing.h"

#include "base/mem.h"
#include "exec/perform.h"
#include "exec/transaction.h"

static int compare(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

void departing_begin(struct executor *executor, uint64_t *hashes, uint32_t count)
{
    struct engine *engine = executor->engine;
    qsort(hashes, count, sizeof *hashes, compare);
    engine->departing = (struct departing){ hashes, count };
    atomic_fetch_add_explicit(&engine->holdups, count != 0, memory_order_relaxed);
}

void departing_end(struct executor *executor)
{
    struct engine *engine = executor->engine;
    atomic_fetch_sub_explicit(&engine->holdups, engine->departing.count != 0, memory_order_relaxed);
    engine->departing = (struct departing){ 0 };
    if (blocking_any(&engine->blocking)) {
        blocking_note_all(&engine->blocking, UINT32_MAX);
    }
}

static bool is_departing(const struct executor *executor, uint32_t db, struct bytes key)
{
    const struct departing *departing = &executor->engine->departing;
    uint64_t hash = keyspace_hash(executor->thread.keyspace, db, key);
    return bsearch(&hash, departing->hashes, departing->count, sizeof hash, compare) != NULL;
}

/* Of a command with several keys.  When memory is short nobody knows, and it waits. */
static bool any_is_departing(struct executor *executor, uint32_t db, const struct command *command,
                             const struct bytes *argv, uint32_t argc)
{
    if (!executor_reserve_keys(executor, argc)) {
        return true;
    }
    int count = command_keys(command, argv, argc, executor->found);
    for (int i = 0; i < count; i++) {
        if (is_departing(executor, db, argv[executor->found[i].at])) {
            return true;
        }
    }
    return false;
}

/* Of a script. */
static bool script_is_held(struct executor *executor, uint32_t db, const struct command *command,
                           const struct bytes *argv, uint32_t argc)
{
    switch (command->needs(executor, argv, argc)) {
    case NEEDS_KEYS_TO_READ:
        return false;
    case NEEDS_KEYS_TO_WRITE:
        return any_is_departing(executor, db, command, argv, argc);
    case NEEDS_EVERYTHING:
        break;
    }
    return (command->flags & CMD_READONLY) == 0;
}

bool departing_holds(struct executor *executor, const struct session *session,
                     const struct command *command, const struct bytes *argv, uint32_t argc)
{
    if (!departing_any(&executor->engine->departing)) {
        return false;
    }
    if (transaction_open(session)) {
        return transaction_is_exec(command) && transaction_writes(session);
    }
    switch ((enum command_plan)command->derived.plan) {
    case PLAN_ONE_KEY:
        return command->derived.writes &&
               is_departing(executor, session->db, argv[command->derived.key_at]);
    case PLAN_KEYS:
        return command->derived.writes &&
               ((command->needs_everything != NULL && command->needs_everything(argv, argc)) ||
                any_is_departing(executor, session->db, command, argv, argc));
    case PLAN_DECLARED:
        return script_is_held(executor, session->db, command, argv, argc);
    case PLAN_EVERYTHING:
        return (command->flags & CMD_WRITE) != 0;
    case PLAN_NO_KEYS:
    case PLAN_UNKNOWN:
        break;
    }
    return false;
}
