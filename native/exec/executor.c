/* Runs commands: see executor.h.  prepare.c is what comes before, refusal.c what may stand
 * in the way, perform.c the handler and the accounts, exec.c a transaction's commands. */
#include "exec/executor.h"

#include "base/mem.h"
#include "exec/engine.h"
#include "exec/perform.h"
#include "exec/transaction.h"

/* Off the common path, and so not to weigh on it. */
#define ASIDE __attribute__((noinline))

/* Scratch beyond this many keys is given back after the batch. */
enum { KEYS_KEPT = 4096, ACCESS_CLOCK_MASK = 0xffffff };

bool executor_init(struct executor *executor, struct engine *engine)
{
    *executor = (struct executor){ .engine = engine };
    executor->commands =
        mem_try_own_lines((registry_count(engine->registry) + 1) * sizeof(struct command_stats));
    executor->prepared = mem_try_own_lines(EXECUTOR_PREPARED_KEYS * sizeof *executor->prepared);
    executor->ahead = mem_try_own_lines(sizeof *executor->ahead);
    executor->latency = engine_latency_create(engine);
    if (executor->commands == NULL || executor->prepared == NULL || executor->ahead == NULL ||
        executor->latency == NULL || !keyspace_join(engine->keyspace, &executor->thread)) {
        mem_free(executor->ahead);
        mem_free(executor->prepared);
        mem_free(executor->commands);
        engine_latency_destroy(engine, executor->latency);
        executor->latency = NULL;
        executor->commands = NULL;
        executor->prepared = NULL;
        executor->ahead = NULL;
        return false;
    }
    executor_begin_round(executor);
    keylock_init(&executor->lock, &executor->thread);
    /* The kind that takes in those for which there is no room. */
    memcpy(executor->errors.kinds[0].word, "ERR", 4);
    executor->errors.used = 1;
    executor->tick = ticks_now();
    perform_set_notable(executor);
    mutex_lock(&engine->sessions_lock);
    random_init(&executor->thread.dice, engine->seed + engine->executors_made++);
    executor->next = engine->executors;
    engine->executors = executor;
    mutex_unlock(&engine->sessions_lock);
    return true;
}

void executor_release(struct executor *executor)
{
    if (executor->machine != NULL) {
        executor->machine->destroy(executor->machine);
        executor->machine = NULL;
    }
    engine_retire_executor(executor->engine, executor);
    keylock_release_memory(&executor->lock);
    keyspace_quit(executor->engine->keyspace, &executor->thread);
    mem_free(executor->commands);
    engine_latency_destroy(executor->engine, executor->latency);
    mem_free(executor->ahead);
    mem_free(executor->prepared);
    mem_free(executor->keys);
    mem_free(executor->found);
    tracking_notes_release(&executor->notes);
    executor->commands = NULL;
    executor->prepared = NULL;
    executor->ahead = NULL;
    executor->keys = NULL;
    executor->found = NULL;
    executor->latency = NULL;
}

static inline void note_uses(struct executor *executor)
{
    executor->thread.access_now = (uint32_t)(executor->thread.now_ms / 1000) & ACCESS_CLOCK_MASK;
}

static void take_time(struct executor *executor)
{
    int64_t stopped_ms = busy_now_ms(&executor->engine->busy);
    executor->thread.now_ms = stopped_ms != 0 ? stopped_ms : clock_wall_ms(executor->engine->clock);
    note_uses(executor);
    executor->tick = ticks_now();
}

/* Whether hashes that were made before are right still. */
static void follow_mapping(struct executor *executor)
{
    uint32_t mapping = keyspace_mapping(executor->thread.keyspace);
    executor->era += mapping != executor->mapping;
    executor->mapping = mapping;
}

void executor_enter(struct executor *executor)
{
    keyspace_enter(&executor->thread);
    executor->era++;
    executor->mapping = keyspace_mapping(executor->thread.keyspace);
    take_time(executor);
}

/* Outside of the exclusive section only keys that have expired, or that a command took away,
 * are noted for waiting clients: they are served at the end of the batch. */
static ASIDE void executor_serve_blocked(struct executor *executor) UNCHECKED_LOCKING
{
    if (executor_begin_exclusive(executor)) {
        executor_end_exclusive(executor);
    }
}

void executor_leave(struct executor *executor)
{
    if (blocking_pending(&executor->engine->blocking)) {
        executor_serve_blocked(executor);
    }
    if (__builtin_expect(executor->notes.count != 0, 0)) {
        tracking_broadcast(executor);
    }
    keyspace_leave(&executor->thread);
    if (__builtin_expect(executor->key_room > KEYS_KEPT, 0)) {
        mem_free(executor->keys);
        mem_free(executor->found);
        executor->keys = NULL;
        executor->found = NULL;
        executor->key_room = 0;
    }
}

/* The section is taken and given back in two functions, which the analysis can't follow. */
bool executor_begin_exclusive(struct executor *executor) UNCHECKED_LOCKING
{
    bool taken = true;
    if (executor->exclusive == 0) {
        keyspace_leave(&executor->thread);
        taken = keyspace_try_exclusive(&executor->thread, &executor->lock,
                                       &executor->engine->busy.count);
        if (!taken) {
            keyspace_enter(&executor->thread);
        }
        follow_mapping(executor);
        bool unnoted = executor->thread.access_now == ACCESS_UNNOTED;
        take_time(executor); /* Others may have had it for long. */
        if (unnoted) {
            executor->thread.access_now = ACCESS_UNNOTED;
        }
    }
    executor->exclusive += taken;
    return taken;
}

void executor_end_exclusive(struct executor *executor) UNCHECKED_LOCKING
{
    if (executor->exclusive == 1 && blocking_pending(&executor->engine->blocking)) {
        blocking_serve(executor);
    }
    if (--executor->exclusive == 0) {
        keyspace_end_exclusive(&executor->thread, &executor->lock);
        keyspace_enter(&executor->thread);
        follow_mapping(executor);
    }
}

static void refuse_busy(const struct task *task)
{
    reply_err(task->reply, busy_error(&task->executor->engine->busy), task->command->name);
    perform_note_error(task->executor, task->reply);
}

/* Takes the exclusive section for a command.  False when it is not to run: it was refused, or put
 * off, since its keys have begun to depart as it waited for the section. */
static bool begin_exclusive_for(const struct task *task)
{
    struct executor *executor = task->executor;
    if (!executor_begin_exclusive(executor)) {
        refuse_busy(task);
        return false;
    }
    if (departing_holds(executor, task->session, task->command, task->argv, task->argc)) {
        task->session->flags |= SESSION_POSTPONED;
        executor_end_exclusive(executor);
        return false;
    }
    executor->lock.db = task->session->db;
    return true;
}

static ASIDE void run_exclusively(const struct task *task)
{
    if (!begin_exclusive_for(task)) {
        return;
    }
    uint64_t began = perform(task);
    perform_account(task, began);
    executor_end_exclusive(task->executor);
}

/* Whether a client may be waiting for one of the keys that the task's command, holding them,
 * is about to feed: then it is to run in the exclusive section, where the client is served. */
static ASIDE bool is_awaited(const struct task *task, const struct locked_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (blocking_expects(&task->executor->engine->blocking, keys[i].db, keys[i].name)) {
            return true;
        }
    }
    return false;
}

static inline bool may_feed_waiting(const struct task *task)
{
    return blocking_any(&task->executor->engine->blocking) && task->command->derived.feeds;
}

/* Reuses the hash that executor_prepare() computed when it is still the key's. */
static inline void run_with_one_key(const struct task *task, const struct request *request)
{
    struct executor *executor = task->executor;
    struct locked_key own;
    const struct locked_key *key = &request->key;
    uint32_t db = task->session->db;
    if (__builtin_expect(!request->has_key || key->db != db || request->era != executor->era, 0)) {
        own.name = task->argv[task->command->derived.key_at];
        own.db = db;
        own.hash = keyspace_hash(executor->thread.keyspace, db, own.name);
        key = &own;
    }
    keylock_acquire(&executor->lock, db, key, 1,
                    task->command->derived.writes ? KEYLOCK_WRITE : KEYLOCK_READ);
    if (may_feed_waiting(task) && is_awaited(task, key, 1)) {
        keylock_release(&executor->lock);
        run_exclusively(task);
        return;
    }
    uint64_t began = perform(task);
    keylock_release(&executor->lock);
    keyspace_reap(&executor->thread, &executor->lock);
    perform_account(task, began);
}

static ASIDE void run_without_keys(const struct task *task)
{
    uint64_t began = perform(task);
    perform_account(task, began);
}

/* Finds and hashes the keys of a command that was not prepared, or in another time; returns
 * their count, 0 when the arguments have none. */
static ASIDE uint32_t find_keys(const struct task *task)
{
    struct executor *executor = task->executor;
    int count = command_keys(task->command, task->argv, task->argc, executor->found);
    for (int i = 0; i < count; i++) {
        executor->keys[i].name = task->argv[executor->found[i].at];
        executor->keys[i].db = task->session->db;
    }
    if (count <= 0) {
        return 0;
    }
    executor_hash_keys(executor, executor->keys, (uint32_t)count);
    return (uint32_t)count;
}

static ASIDE void run_with_keys(const struct task *task, const struct request *request)
{
    struct executor *executor = task->executor;
    const struct command *command = task->command;
    if (command->needs_everything != NULL && command->needs_everything(task->argv, task->argc)) {
        run_exclusively(task);
        return;
    }
    uint32_t db = task->session->db;
    uint32_t count = request->key_count;
    const struct locked_key *keys = executor->prepared + request->first_key;
    if (count == 0 || request->era != executor->era || keys[0].db != db) {
        if (!executor_reserve_keys(executor, task->argc)) {
            reply_err(task->reply, ERR_OUT_OF_MEMORY, command->name);
            perform_note_error(executor, task->reply);
            return;
        }
        count = find_keys(task);
        keys = executor->keys;
    }
    if (count == 0) {
        run_exclusively(task); /* The handler finds the same fault and says so. */
        return;
    }
    keylock_acquire(&executor->lock, db, keys, count,
                    command->derived.writes ? KEYLOCK_WRITE : KEYLOCK_READ);
    if (may_feed_waiting(task) && is_awaited(task, keys, count)) {
        keylock_release(&executor->lock);
        run_exclusively(task);
        return;
    }
    uint64_t began = perform(task);
    keylock_release(&executor->lock);
    keyspace_reap(&executor->thread, &executor->lock);
    perform_account(task, began);
}

/* The prepared keys of a request, when their hashes are still right; else none. */
static uint32_t prepared_keys(const struct task *task, const struct request *request,
                              const struct locked_key **keys)
{
    const struct executor *executor = task->executor;
    *keys = executor->prepared + request->first_key;
    return request->key_count > 0 && request->era == executor->era &&
                   (*keys)->db == task->session->db
               ? request->key_count
               : 0;
}

/* A script that may touch anything.  What the keys are that it was called with is known. */
static ASIDE void run_knowing_keys(const struct task *task, const struct request *request)
{
    struct executor *executor = task->executor;
    if (!begin_exclusive_for(task)) {
        return;
    }
    executor->lock.key_count = prepared_keys(task, request, &executor->lock.keys);
    uint64_t began = perform(task);
    perform_account(task, began);
    executor->lock.key_count = 0;
    executor_end_exclusive(executor);
}

/* A script: with its keys when it is known to touch no others. */
static ASIDE void run_as_needed(const struct task *task, const struct request *request)
{
    struct executor *executor = task->executor;
    enum key_needs needs = task->command->needs(executor, task->argv, task->argc);
    if (needs == NEEDS_EVERYTHING) {
        run_knowing_keys(task, request);
        return;
    }
    const struct locked_key *keys;
    uint32_t count = prepared_keys(task, request, &keys);
    if (count == 0) {
        if (!executor_reserve_keys(executor, task->argc)) {
            reply_err(task->reply, ERR_OUT_OF_MEMORY, task->command->name);
            perform_note_error(executor, task->reply);
            return;
        }
        count = find_keys(task); /* May be none: then there is none to touch. */
        keys = executor->keys;
    }
    bool writes = needs == NEEDS_KEYS_TO_WRITE;
    keylock_acquire(&executor->lock, task->session->db, keys, count,
                    writes ? KEYLOCK_WRITE : KEYLOCK_READ);
    if (writes && may_feed_waiting(task) && is_awaited(task, keys, count)) {
        keylock_release(&executor->lock);
        run_knowing_keys(task, request);
        return;
    }
    uint64_t began = perform(task);
    keylock_release(&executor->lock);
    keyspace_reap(&executor->thread, &executor->lock);
    perform_account(task, began);
}

static inline void run(const struct task *task, const struct request *request)
{
    enum command_plan plan = (enum command_plan)task->command->derived.plan;
    if (__builtin_expect(plan == PLAN_ONE_KEY, 1)) {
        run_with_one_key(task, request);
    } else if (plan == PLAN_KEYS) {
        run_with_keys(task, request);
    } else if (plan == PLAN_DECLARED) {
        run_as_needed(task, request);
    } else if (plan == PLAN_EVERYTHING) {
        run_exclusively(task);
    } else {
        run_without_keys(task);
    }
}

/* False for the plain case, in which nothing can stand in the way of a known command with
 * the right number of arguments. */
static inline bool has_obstacles(const struct engine *engine, const struct session *session,
                                 const struct request *request)
{
    const struct command *command = request->command;
    const struct engine_settings *settings = &engine->settings;
    return command == NULL || !command_arity_fits(command, request->argc) ||
           session->transaction != NULL || (session->flags & SESSION_SUBSCRIBED) != 0 ||
           atomic_load_explicit(&settings->maxmemory, memory_order_relaxed) != 0 ||
           atomic_load_explicit(&engine->holdups, memory_order_relaxed) != 0 ||
           atomic_load_explicit(&session->checks, memory_order_relaxed) != 0;
}

static inline void run_visibly(struct executor *executor, struct session *session,
                               const struct request *request, struct reply *reply)
{
    enum verdict verdict = VERDICT_RUN;
    session->last_command = request->command;
    session->active_ms = executor->thread.now_ms;
    session->dialect = request->dialect;
    reply->dialect = request->dialect;
    reply->protocol = session->protocol;
    executor->noted_errors = reply->errors;
    if (__builtin_expect(has_obstacles(executor->engine, session, request), 0)) {
        verdict = executor_examine(executor, session, request, reply);
    }
    if (__builtin_expect(verdict == VERDICT_RUN, 1)) {
        struct task task = { executor,      session,       request->command,
                             request->argv, request->argc, reply };
        run(&task, request);
    } else if (verdict == VERDICT_QUEUE) {
        transaction_queue(session, request, reply);
    }
}

/* CLIENT REPLY OFF and SKIP: takes the reply back, unless the command was one that switched
 * replies on.  CLIENT NO-TOUCH: that it uses keys is not noted. */
static ASIDE void run_discreetly(struct executor *executor, struct session *session,
                                 const struct request *request, struct reply *reply)
{
    struct reply_mark mark = reply_mark(reply);
    if ((session->flags & SESSION_NO_TOUCH) != 0) {
        executor->thread.access_now = ACCESS_UNNOTED;
    }
    run_visibly(executor, session, request, reply);
    note_uses(executor);
    if ((session->flags & SESSION_POSTPONED) == 0) {
        if ((session->flags & (SESSION_REPLY_OFF | SESSION_REPLY_SKIP)) != 0) {
            reply_rewind(reply, mark);
        }
        session->flags &= ~(uint32_t)SESSION_REPLY_SKIP;
    }
}

/* CLIENT CACHING is for one command, or one transaction; those of CLIENT are not it. */
static bool uses_caching_up(const struct session *session, const struct command *command)
{
    return (session->flags & (SESSION_CACHING | SESSION_POSTPONED)) == SESSION_CACHING &&
           !transaction_open(session) &&
           (command == NULL || strncmp(command->name, "client|", 7) != 0);
}

/* What comes behind a command and its reply. */
enum { AFTERWARDS = SESSION_REPLY_SKIP_NEXT | SESSION_CACHING | SESSION_PUSHES };
static ASIDE void finish(struct executor *executor, struct session *session,
                         const struct request *request, struct reply *reply)
{
    if ((session->flags & SESSION_REPLY_SKIP_NEXT) != 0) {
        session->flags &= ~(uint32_t)SESSION_REPLY_SKIP_NEXT;
        session->flags |= SESSION_REPLY_SKIP;
    }
    if (uses_caching_up(session, request->command)) {
        session->flags &= ~(uint32_t)SESSION_CACHING;
    }
    if ((session->flags & SESSION_PUSHES) != 0) {
        tracking_settle(executor, session, reply);
    }
}

void executor_run(struct executor *executor, struct session *session, const struct request *request,
                  struct reply *reply)
{
    enum { DISCREET = SESSION_REPLY_OFF | SESSION_REPLY_SKIP | SESSION_NO_TOUCH };
    if (__builtin_expect((session->flags & DISCREET) != 0, 0)) {
        run_discreetly(executor, session, request, reply);
    } else {
        run_visibly(executor, session, request, reply);
    }
    if (__builtin_expect((session->flags & AFTERWARDS) != 0, 0)) {
        finish(executor, session, request, reply);
    }
}

/* The command of an in-process client waits for nothing but the end of a script that was killed,
 * and of a departure of its keys. */
static bool is_put_off(const struct session *session)
{
    return (session->flags & SESSION_POSTPONED) != 0 && (session->flags & SESSION_INTERNAL) != 0;
}

void executor_call(struct executor *executor, struct session *session, const struct bytes *argv,
                   uint32_t argc, struct reply *reply)
{
    struct request request;
    executor_enter(executor);
    executor_begin_round(executor);
    executor_prepare(executor, session, argv, argc, DIALECT_RESP, &request);
    executor_run(executor, session, &request, reply);
    for (unsigned turn = 0; is_put_off(session); turn++) {
        session->flags &= ~(uint32_t)SESSION_POSTPONED;
        executor_leave(executor);
        thread_pause(turn);
        executor_enter(executor);
        executor_run(executor, session, &request, reply);
    }
    executor_leave(executor);
}
