/* The rarer parts of running a command; see perform.h for the others. */
#include "exec/perform.h"

#include "exec/slowlog.h"

enum { REFRESH_US = 1000 };

void perform_note_long(const struct task *task, uint64_t ticks)
{
    struct executor *executor = task->executor;
    struct engine *engine = executor->engine;
    int64_t us = ticks_to_us(&engine->ticks, ticks);
    if (executor->slow_us >= 0 && us >= executor->slow_us &&
        (task->command->flags & CMD_SKIP_SLOWLOG) == 0) {
        slowlog_add(engine->slowlog, engine, task->session, task->argv, task->argc, us);
        if (engine->services.slow_command != NULL) {
            engine->services.slow_command(engine->services.server, task->session,
                                          bytes_of(task->command->name), us);
        }
    }
    latency_note(&engine->latency,
                 (task->command->flags & CMD_FAST) != 0 ? LATENCY_FAST_COMMAND : LATENCY_COMMAND,
                 engine->clock, us);
    if (us >= REFRESH_US && (task->session->flags & SESSION_EXECUTING) == 0) {
        executor->thread.now_ms = clock_wall_ms(engine->clock);
    }
}

void perform_set_notable(struct executor *executor)
{
    struct engine *engine = executor->engine;
    int64_t us =
        atomic_load_explicit(&engine->settings.slowlog_log_slower_than, memory_order_relaxed);
    executor->slow_us = us;
    executor->notable_ticks =
        ticks_from_us(&engine->ticks, us >= 0 && us < REFRESH_US ? us : REFRESH_US);
}

/* The first word of the newest error line. */
static struct bytes error_word(const struct reply *reply)
{
    size_t at = reply->last_error;
    if (at >= reply->out.len) {
        return LIT("ERR");
    }
    if (reply->out.at[at] == '-') {
        at++;
    }
    size_t end = at;
    while (end < reply->out.len && reply->out.at[end] > ' ') {
        end++;
    }
    size_t len = end - at;
    return len > 0 && len < ERROR_KIND_LEN ? (struct bytes){ reply->out.at + at, len } : LIT("ERR");
}

void perform_note_error(struct executor *executor, const struct reply *reply)
{
    executor->noted_errors = reply->errors;
    perform_count_error(executor, error_word(reply));
}

void perform_count_error(struct executor *executor, struct bytes word)
{
    struct error_stats *errors = &executor->errors;
    uint32_t used = atomic_load_explicit(&errors->used, memory_order_relaxed);
    uint32_t at = 0;
    stat_add(&executor->stats.error_replies, 1);
    while (at < used && !bytes_equal(bytes_of(errors->kinds[at].word), word)) {
        at++;
    }
    if (at == used && used == ERROR_KINDS) {
        at = 0; /* The first kind is "ERR" (see executor_init). */
    }
    if (at == used) {
        memcpy(errors->kinds[at].word, word.at, word.len);
        errors->kinds[at].word[word.len] = '\0';
        /* Readers look at a word only below 'used'. */
        atomic_store_explicit(&errors->used, used + 1, memory_order_release);
    }
    stat_add(&errors->kinds[at].count, 1);
}
