/* See busy.h. */
#include "exec/busy.h"

#include "exec/changes.h"
#include "exec/engine.h"
#include "exec/executor.h"

enum err busy_error(const struct busy *busy)
{
    uint32_t functions = atomic_load_explicit(&busy->functions, memory_order_relaxed);
    return functions > 0 && functions == busy_count(busy) ? ERR_BUSY_FUNCTION : ERR_BUSY_SCRIPT;
}

void busy_begin(struct executor *executor, bool is_function)
{
    struct engine *engine = executor->engine;
    struct busy *busy = &engine->busy;
    int64_t goes_on = 0;
    atomic_fetch_add_explicit(&busy->functions, is_function, memory_order_relaxed);
    (void)atomic_compare_exchange_strong_explicit(&busy->now_ms, &goes_on, executor->thread.now_ms,
                                                  memory_order_relaxed, memory_order_relaxed);
    keyspace_hold_expiry(engine->keyspace, true);
    atomic_fetch_add_explicit(&busy->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&engine->holdups, 1, memory_order_relaxed);
}

void busy_doom(struct busy *busy)
{
    atomic_fetch_add_explicit(&busy->doomed, 1, memory_order_relaxed);
}

void busy_end(struct executor *executor, bool is_function, bool doomed)
{
    struct engine *engine = executor->engine;
    struct busy *busy = &engine->busy;
    atomic_fetch_sub_explicit(&engine->holdups, 1, memory_order_relaxed);
    if (atomic_fetch_sub_explicit(&busy->count, 1, memory_order_relaxed) == 1) {
        atomic_store_explicit(&busy->now_ms, 0, memory_order_relaxed);
    }
    keyspace_hold_expiry(engine->keyspace, false);
    atomic_fetch_sub_explicit(&busy->functions, is_function, memory_order_relaxed);
    atomic_fetch_sub_explicit(&busy->doomed, doomed, memory_order_relaxed);
}

/* What commands of other clients on this thread change in its executor. */
struct state {
    uint64_t tick;
    int64_t now_ms;
    uint32_t db, exclusive, noted_errors;
    uint8_t frame;
};

static struct state put_aside(struct executor *executor)
{
    struct state state = {
        .tick = executor->tick,
        .now_ms = executor->thread.now_ms,
        .db = executor->lock.db,
        .exclusive = executor->exclusive,
        .noted_errors = executor->noted_errors,
        .frame = executor->frame,
    };
    executor->exclusive = 0;
    executor->frame = FRAME_NONE;
    return state;
}

static void take_back(struct executor *executor, const struct state *state)
{
    executor->tick = state->tick;
    executor->thread.now_ms = state->now_ms;
    executor->lock.db = state->db;
    executor->exclusive = state->exclusive;
    executor->noted_errors = state->noted_errors;
    executor->frame = state->frame;
    /* Of the commands behind the script in its round nothing is prepared any more. */
    executor->era++;
    executor_begin_round(executor);
}

void busy_lend(struct executor *executor, struct session *running) UNCHECKED_LOCKING
{
    struct state state = put_aside(executor);
    keyspace_end_exclusive(&executor->thread, &executor->lock);
    keyspace_enter(&executor->thread);
    executor->era++;
    if (executor->serve_others != NULL) {
        executor->serve_others(executor->serve_user, running);
    }
    keyspace_give_way(&executor->thread);
    keyspace_leave(&executor->thread);
    keyspace_begin_exclusive(&executor->thread, &executor->lock);
    take_back(executor, &state);
}
