/* See pause.h. */
#include "exec/pause.h"

#include "exec/executor.h"
#include "exec/transaction.h"

/* The pause counts as one reason of engine->holdups for as long as its end is not 0, and meanwhile
 * holds expiry. */
static void count(struct engine *engine, bool begins)
{
    atomic_fetch_add_explicit(&engine->holdups, begins ? 1 : UINT32_MAX, memory_order_relaxed);
    keyspace_hold_expiry(engine->keyspace, begins);
}

static void set_end(struct engine *engine, int64_t until_ms)
{
    int64_t before =
        atomic_exchange_explicit(&engine->pause_until_ms, until_ms, memory_order_relaxed);
    if ((before == 0) != (until_ms == 0)) {
        count(engine, before == 0);
    }
}

void pause_begin(struct engine *engine, int64_t until_ms, bool writes_only)
{
    int64_t now_ms = clock_wall_ms(engine->clock);
    if (pause_lasts(engine, now_ms)) {
        int64_t before = atomic_load_explicit(&engine->pause_until_ms, memory_order_relaxed);
        until_ms = before > until_ms ? before : until_ms;
        writes_only =
            writes_only && atomic_load_explicit(&engine->pause_writes_only, memory_order_relaxed);
    }
    atomic_store_explicit(&engine->pause_writes_only, writes_only, memory_order_relaxed);
    set_end(engine, until_ms > now_ms ? until_ms : 0);
}

void pause_end(struct engine *engine)
{
    set_end(engine, 0);
}

bool pause_lasts(struct engine *engine, int64_t now_ms)
{
    int64_t until = atomic_load_explicit(&engine->pause_until_ms, memory_order_relaxed);
    if (until == 0 || until > now_ms) {
        return until != 0;
    }
    if (atomic_compare_exchange_strong_explicit(&engine->pause_until_ms, &until, 0,
                                                memory_order_relaxed, memory_order_relaxed)) {
        count(engine, false);
    }
    return false;
}

/* Whether the command may change something, or tell somebody something. */
static bool may_tell(const struct session *session, const struct command *command)
{
    return (command->flags & (CMD_WRITE | CMD_MAY_REPLICATE)) != 0 ||
           (transaction_is_exec(command) && transaction_writes(session));
}

bool pause_holds(struct executor *executor, const struct session *session,
                 const struct command *command)
{
    struct engine *engine = executor->engine;
    if ((session->flags & SESSION_INTERNAL) != 0 ||
        atomic_load_explicit(&engine->holdups, memory_order_relaxed) == 0) {
        return false;
    }
    bool paused = pause_lasts(engine, executor->thread.now_ms);
    /* A busy script that begins or ends between the two looks is none of these for one command. */
    uint32_t others =
        busy_count(&engine->busy) + (uint32_t)paused + (uint32_t)departing_any(&engine->departing);
    bool mail_is_full = atomic_load_explicit(&engine->holdups, memory_order_relaxed) > others;
    bool everything =
        (paused && !atomic_load_explicit(&engine->pause_writes_only, memory_order_relaxed)) ||
        (mail_is_full && monitors_any(&engine->monitors));
    return everything || ((paused || mail_is_full) && may_tell(session, command));
}
