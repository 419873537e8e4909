/* EXEC: the queued commands of a transaction as one, while all their keys and all watched
 * keys are held. */
#include "exec/perform.h"
#include "exec/transaction_internal.h"

/* Instead of a number of keys. */
enum { NO_MEMORY = -1, NO_FORM = -2 };

/* Writes the keys of the queued and of the watched commands into the executor's scratch: their
 * number, NO_MEMORY, or NO_FORM when the arguments of a command don't tell its keys. */
static int64_t gather_keys(struct executor *executor, const struct session *session)
{
    const struct transaction *transaction = session->transaction;
    uint32_t count = 0;
    if (!executor_reserve_keys(executor, transaction->arguments + transaction->watch_count)) {
        return NO_MEMORY;
    }
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct queued *queued = transaction->queue[i];
        int found = command_keys(queued->command, queued->argv, queued->argc, executor->found);
        if (found <= 0 && queued->command->derived.plan == PLAN_KEYS) {
            return NO_FORM;
        }
        for (int j = 0; j < found; j++) {
            executor->keys[count].name = queued->argv[executor->found[j].at];
            executor->keys[count++].db = session->db;
        }
    }
    for (const struct watch *watch = transaction->watches; watch != NULL; watch = watch->next) {
        executor->keys[count].name = watch->watcher.key;
        executor->keys[count++].db = watch->db;
    }
    executor_hash_keys(executor, executor->keys, count);
    return count;
}

/* A watched key changed, or came to its end, which nobody may have noticed yet.  The watched
 * keys are held, so that no mark can be set now. */
static bool watches_broken(struct executor *executor, const struct session *session)
    REQUIRES(executor->lock)
{
    const struct transaction *transaction = session->transaction;
    struct keyspace *ks = executor->thread.keyspace;
    if (transaction_dirty(session)) {
        return true;
    }
    for (const struct watch *watch = transaction->watches; watch != NULL; watch = watch->next) {
        if (watch->existed &&
            keyspace_peek_in(ks, &executor->lock, watch->db, watch->watcher.key) == NULL) {
            return true;
        }
    }
    return false;
}

/* The user may do less than when the command was queued, or is another one since. */
static bool is_refused(const struct task *task)
{
    static const char *const reasons[] = {
        [ACL_DENIED_COMMAND] = "no permission to execute the command or subcommand",
        [ACL_DENIED_KEY] = "no permission to touch the specified keys",
        [ACL_DENIED_CHANNEL] = "no permission to access one of the channels used as arguments",
    };
    enum acl_denial denial = acl_refuses(task->executor, task->session, task->command, task->argv,
                                         task->argc, ACL_IN_MULTI);
    if (denial == ACL_ALLOWED) {
        return false;
    }
    reply_errorf(task->reply,
                 "NOPERM ACLs rules changed between the moment the transaction was accumulated "
                 "and the EXEC call. This command is no longer allowed for the following "
                 "reason: %s",
                 reasons[denial]);
    perform_note_error(task->executor, task->reply);
    return true;
}

/* The keys are held.  Replies the array of replies, or null when a watch is broken. */
static void run_queue(struct executor *executor, struct session *session, struct reply *reply)
    REQUIRES(executor->lock)
{
    struct transaction *transaction = session->transaction;
    if (watches_broken(executor, session)) {
        reply_null_array(reply);
        return;
    }
    session->flags |= SESSION_EXECUTING;
    bool framed = changes_begin_frame(executor);
    reply_array(reply, transaction->count);
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct queued *queued = transaction->queue[i];
        struct task task = {
            executor, session, queued->command, queued->argv, queued->argc, reply
        };
        executor->lock.db = session->db;
        session->last_command = queued->command;
        reply->protocol = session->protocol;
        if (is_refused(&task)) {
            continue;
        }
        uint64_t began = perform(&task);
        perform_account(&task, began);
    }
    session->flags &= ~(uint32_t)SESSION_EXECUTING;
    if (framed) {
        changes_end_frame(executor, session->db);
    }
}

/* Puts EXEC off when keys have begun to depart as it waited for the section. */
static void run_exclusively(struct executor *executor, struct session *session,
                            struct reply *reply) UNCHECKED_LOCKING
{
    if (!executor_begin_exclusive(executor)) {
        reply_errorf(reply, "EXECABORT Transaction discarded because of: %s",
                     err_text(busy_error(&executor->engine->busy)));
        return;
    }
    executor->lock.db = session->db;
    if (departing_any(&executor->engine->departing) && transaction_writes(session)) {
        session->flags |= SESSION_POSTPONED;
    } else {
        run_queue(executor, session, reply);
    }
    executor_end_exclusive(executor);
}

/* Whether clients may be waiting for a key of the scratch, which is held. */
static bool is_awaited(const struct executor *executor, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct locked_key *key = &executor->keys[i];
        if (blocking_expects(&executor->engine->blocking, key->db, key->name)) {
            return true;
        }
    }
    return false;
}

static void run_with_keys(struct executor *executor, struct session *session,
                          struct reply *reply) UNCHECKED_LOCKING
{
    int64_t count = gather_keys(executor, session);
    if (count == NO_MEMORY) {
        reply_err(reply, ERR_OUT_OF_MEMORY, "exec");
    } else if (count == NO_FORM) {
        run_exclusively(executor, session, reply); /* Its handler finds the fault and says so. */
    } else if (count == 0) {
        run_queue(executor, session, reply);
    } else {
        keylock_acquire(&executor->lock, session->db, executor->keys, (uint32_t)count,
                        session->transaction->writes ? KEYLOCK_WRITE : KEYLOCK_READ);
        if (blocking_any(&executor->engine->blocking) && is_awaited(executor, (uint32_t)count)) {
            keylock_release(&executor->lock);
            run_exclusively(executor, session, reply);
            return;
        }
        run_queue(executor, session, reply);
        keylock_release(&executor->lock);
        keyspace_reap(&executor->thread, &executor->lock);
    }
}

void transaction_execute(struct executor *executor, struct session *session, struct reply *reply)
{
    const struct command *exec = session->last_command;
    if (!transaction_open(session)) {
        reply_err(reply, ERR_EXEC_WITHOUT_MULTI, "exec");
        return;
    }
    if (session->transaction->failed) {
        reply_err(reply, ERR_EXEC_ABORTED, "exec");
    } else if (session->transaction->everything) {
        run_exclusively(executor, session, reply);
    } else {
        run_with_keys(executor, session, reply);
    }
    session->last_command = exec;
    if ((session->flags & SESSION_POSTPONED) == 0) {
        transaction_discard(session, executor);
    }
}
