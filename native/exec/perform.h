/* The inner part of running a command, which executor.c (one command) and exec.c (those of
 * a transaction) share: the handler while its keys are held, and the accounts afterwards. */
#ifndef EXEC_PERFORM_H
#define EXEC_PERFORM_H

#include "exec/call.h"

/* A command in someone's hands: all that running it needs. */
struct task {
    struct executor *executor;
    struct session *session;
    const struct command *command;
    const struct bytes *argv;
    uint32_t argc;
    struct reply *reply;
};

/* A command that took long: the slow log and its event, when it was longer than the
 * threshold; and the time that later commands of the batch see is no longer true. */
void perform_note_long(const struct task *task, uint64_t ticks);

/* Counts the newest error reply by its first word. */
void perform_note_error(struct executor *executor, const struct reply *reply);

/* Counts an error by its first word. */
void perform_count_error(struct executor *executor, struct bytes word);

/* The moments from which 'notable_ticks' is made: the slow log's threshold, as it is now. */
void perform_set_notable(struct executor *executor);

/* Room for a command's keys in the executor's scratch; false when memory is short. */
MUST_CHECK bool executor_reserve_keys(struct executor *executor, uint32_t count);

/* Hashes 'count' keys of the scratch in place and starts their memory on its way. */
void executor_hash_keys(struct executor *executor, struct locked_key *keys, uint32_t count);

/* What executor_run() is to do with a command that is not plainly to be run. */
enum verdict { VERDICT_RUN, VERDICT_QUEUE, VERDICT_DONE };

/* Looks at everything that can stand in a command's way, in Redis's order, and refuses it
 * with the error, or postpones it (VERDICT_DONE both). */
enum verdict executor_examine(struct executor *executor, struct session *session,
                              const struct request *request, struct reply *reply);

/* Tells an effect in database 'db' to the sink, and before the first of a frame MULTI. */
void changes_tell(struct executor *executor, uint32_t db, const struct bytes *argv, uint32_t argc);

/* The effects from here to changes_end_frame() belong together.  False inside such a frame
 * already (a script within EXEC): then whoever began it ends it. */
MUST_CHECK bool changes_begin_frame(struct executor *executor);
void changes_end_frame(struct executor *executor, uint32_t db);

/* Runs the handler, writes its error and tells its effect.  The keys are held.  Returns the
 * tick at which it began. */
static inline uint64_t perform(const struct task *task)
{
    struct executor *executor = task->executor;
    uint64_t began = executor->tick;
    struct call call = {
        .keyspace = executor->thread.keyspace,
        .keys = &executor->lock,
        .thread = &executor->thread,
        .engine = executor->engine,
        .executor = executor,
        .session = task->session,
        .command = task->command,
        .reply = task->reply,
        .args = { task->argv, task->argc, task->command->derived.parent != 0 ? 2 : 1, OK },
        .now_ms = executor->thread.now_ms,
    };
    enum err err = task->command->handler(&call);
    if (__builtin_expect(err != OK && err != ERR_REPLIED, 0)) {
        reply_err(task->reply, err, task->command->name);
    }
    if (__builtin_expect((task->session->flags & SESSION_TRACKS) != 0, 0)) {
        tracking_remember(task);
    }
    if (call.effects.changed != 0) {
        stat_add(&executor->stats.dirty, call.effects.changed);
        if (__builtin_expect(call.engine->changes.effect != NULL, 0) && !call.effects.replaced &&
            !call.effects.suppressed) {
            changes_tell(executor, task->session->db, task->argv, task->argc);
        }
    }
    return began;
}

/* Statistics, error counts, slow log; the keys may be given back before. */
static inline void perform_account(const struct task *task, uint64_t began)
{
    struct executor *executor = task->executor;
    const struct engine_settings *settings = &executor->engine->settings;
    struct command_stats *stats = &executor->commands[task->command->derived.index];
    if (monitors_any(&executor->engine->monitors)) {
        monitor_tell(task);
    }
    uint64_t now = ticks_now();
    uint64_t ticks = now - began;
    executor->tick = now;
    stat_add(&executor->latency[task->command->derived.index].buckets[latency_bucket(ticks)], 1);
    stat_add(&stats->ticks, ticks);
    stat_add(&executor->stats.commands, 1);
    if (__builtin_expect(task->reply->errors != executor->noted_errors, 0)) {
        perform_note_error(executor, task->reply);
        stat_add(&stats->failed, 1);
    }
    if (__builtin_expect(
            executor->slow_us !=
                atomic_load_explicit(&settings->slowlog_log_slower_than, memory_order_relaxed),
            0)) {
        perform_set_notable(executor);
    }
    if (__builtin_expect(ticks >= executor->notable_ticks, 0)) {
        perform_note_long(task, ticks);
    }
}

#endif
