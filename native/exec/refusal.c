/* What can stand in the way of a command, looked at in Redis's order: the slow side of
 * executor_run(), for commands or moments that are not plain. */
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/memory_limit.h"
#include "exec/pause.h"
#include "exec/perform.h"
#include "exec/transaction.h"

/* Redis tells at most so much of names and arguments. */
enum { TOLD_NAME = 128, TOLD_ARGUMENTS = 128 };

/* Text that came from a client ends at a NUL where Redis prints it as a C string. */
static struct bytes printed(struct bytes text, size_t limit)
{
    size_t len = text.len < limit ? text.len : limit;
    const char *end = len > 0 ? memchr(text.at, '\0', len) : NULL;
    return (struct bytes){ text.at, end != NULL ? (size_t)(end - text.at) : len };
}

/* The name in upper case, as a terminated string. */
static void upper(struct bytes name, char *out, size_t room)
{
    size_t len = name.len < room - 1 ? name.len : room - 1;
    for (size_t i = 0; i < len; i++) {
        char c = name.at[i];
        out[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    out[len] = '\0';
}

static void reply_unknown(const struct request *request, struct reply *reply)
{
    struct buf arguments = { 0 };
    for (uint32_t i = 1; i < request->argc && arguments.len < TOLD_ARGUMENTS; i++) {
        struct bytes told = printed(request->argv[i], TOLD_ARGUMENTS - arguments.len);
        buf_append_char(&arguments, '\'');
        buf_append(&arguments, told);
        buf_append(&arguments, LIT("' "));
    }
    struct bytes name = printed(request->argv[0], TOLD_NAME);
    reply_errorf(reply, "ERR unknown command '%.*s', with args beginning with: %.*s", (int)name.len,
                 name.at, (int)arguments.len, arguments.len > 0 ? arguments.at : "");
    buf_release(&arguments);
}

/* No such command, or a container without this subcommand. */
static void refuse_unknown(struct executor *executor, const struct request *request,
                           struct reply *reply)
{
    const struct command *container;
    const struct command *command =
        registry_find(executor->engine->registry, request->argv, request->argc, &container);
    if (command != NULL || container == NULL) {
        reply_unknown(request, reply);
    } else if (request->argc < 2) {
        reply_err(reply, ERR_ARITY, container->name);
    } else {
        char name[TOLD_NAME];
        struct bytes told = printed(request->argv[1], TOLD_NAME);
        upper(request->argv[0], name, sizeof name);
        reply_errorf(reply, "ERR unknown subcommand '%.*s'. Try %s HELP.", (int)told.len, told.at,
                     name);
    }
}

/* After the error was written: what a refusal means for statistics and for MULTI. */
static void finish_refusal(struct executor *executor, struct session *session,
                           const struct request *request, struct reply *reply)
{
    if (request->command != NULL) {
        stat_add(&executor->commands[request->command->derived.index].rejected, 1);
    }
    perform_note_error(executor, reply);
    transaction_fail(session);
}

/* While a script is busy, and during a pause, which only in-process clients are outside of.  Nor
 * is anybody refused for want of memory then: a command that needs some has to wait. */
static bool nothing_is_evicted(struct executor *executor, const struct session *session)
{
    struct engine *engine = executor->engine;
    return busy_any(&engine->busy) || ((session->flags & SESSION_INTERNAL) == 0 &&
                                       pause_lasts(engine, executor->thread.now_ms));
}

static bool memory_is_short(struct executor *executor, const struct session *session,
                            const struct command *command)
{
    const struct engine *engine = executor->engine;
    if (atomic_load_explicit(&engine->settings.maxmemory, memory_order_relaxed) == 0 ||
        (atomic_load_explicit(&engine->holdups, memory_order_relaxed) != 0 &&
         nothing_is_evicted(executor, session))) {
        return false;
    }
    /* A queue takes memory too, whatever is put into it. */
    bool queued = transaction_open(session) && (command->flags & CMD_IMMEDIATE_IN_MULTI) == 0;
    bool denied = (command->flags & CMD_DENYOOM) != 0 || queued ||
                  ((command->flags & CMD_IMMEDIATE_IN_MULTI) != 0 &&
                   transaction_needs_memory(session) && transaction_is_exec(command));
    return denied && !memory_limit_keep(executor);
}

/* RESP2 can't tell a message from a reply: a client that listens may do little else. */
static bool listens_only(const struct session *session, const struct command *command)
{
    static const char *const allowed[] = { "ping",         "quit",        "reset",
                                           "subscribe",    "unsubscribe", "psubscribe",
                                           "punsubscribe", "ssubscribe",  "sunsubscribe" };
    if ((session->flags & SESSION_SUBSCRIBED) == 0 || session->protocol >= 3) {
        return false;
    }
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        if (strcmp(command->name, allowed[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* The error that stands in the way of a known command, or OK. */
static enum err find_obstacle(struct executor *executor, const struct session *session,
                              const struct request *request)
{
    const struct engine *engine = executor->engine;
    const struct command *command = request->command;
    if (!command_arity_fits(command, request->argc)) {
        return ERR_ARITY;
    }
    if (atomic_load_explicit(&engine->settings.password_needed, memory_order_relaxed) &&
        (session->flags & SESSION_AUTHENTICATED) == 0 && (command->flags & CMD_NO_AUTH) == 0) {
        return ERR_NOT_AUTHENTICATED;
    }
    if (transaction_open(session) && (command->flags & CMD_NO_MULTI) != 0) {
        return ERR_NOT_IN_MULTI;
    }
    enum err denied =
        acl_error(acl_refuses(executor, session, command, request->argv, request->argc,
                              transaction_open(session) ? ACL_IN_MULTI : ACL_TOP_LEVEL));
    if (denied != OK) {
        return denied;
    }
    return memory_is_short(executor, session, command) ? ERR_NO_MEMORY : OK;
}

/* An EXEC that is refused ends the transaction. */
static void abort_exec(struct executor *executor, struct session *session, enum err obstacle,
                       struct reply *reply)
{
    const char *reason = obstacle == ERR_ARITY ? "wrong number of arguments for 'exec' command"
                         : obstacle == ERR_NO_PERMISSION
                             ? "NOPERM this user has no permissions to run the 'exec' command"
                             : err_text(obstacle);
    reply_errorf(reply, "EXECABORT Transaction discarded because of: %s", reason);
    transaction_discard(session, executor);
}

/* Writes why a known command does not run. */
static void refuse(struct executor *executor, struct session *session,
                   const struct request *request, enum err obstacle, struct reply *reply)
{
    if (transaction_is_exec(request->command)) {
        abort_exec(executor, session, obstacle, reply);
    } else {
        reply_err(reply, obstacle, request->command->name);
    }
    finish_refusal(executor, session, request, reply);
}

enum verdict executor_examine(struct executor *executor, struct session *session,
                              const struct request *request, struct reply *reply)
{
    const struct command *command = request->command;
    if ((session_checks(session) & SESSION_KILLED) != 0) {
        session->flags |= SESSION_CLOSE_NOW;
        return VERDICT_DONE;
    }
    if (command == NULL) {
        refuse_unknown(executor, request, reply);
        finish_refusal(executor, session, request, reply);
        return VERDICT_DONE;
    }
    enum err obstacle = find_obstacle(executor, session, request);
    if (obstacle != OK) {
        refuse(executor, session, request, obstacle, reply);
        return VERDICT_DONE;
    }
    if (listens_only(session, command)) {
        bool ends = transaction_is_exec(command) && transaction_open(session);
        reply_errorf(reply,
                     "%s Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                     "QUIT / RESET are allowed in this context",
                     ends ? "EXECABORT Transaction discarded because of:" : "ERR", command->name);
        if (ends) {
            transaction_discard(session, executor);
        }
        finish_refusal(executor, session, request, reply);
        return VERDICT_DONE;
    }
    if (busy_any(&executor->engine->busy) && (command->flags & CMD_ALLOW_BUSY) == 0) {
        if (busy_ends(&executor->engine->busy)) {
            session->flags |= SESSION_POSTPONED;
        } else {
            refuse(executor, session, request, busy_error(&executor->engine->busy), reply);
        }
        return VERDICT_DONE;
    }
    if (pause_holds(executor, session, command) ||
        departing_holds(executor, session, command, request->argv, request->argc)) {
        session->flags |= SESSION_POSTPONED;
        return VERDICT_DONE;
    }
    return transaction_open(session) && (command->flags & CMD_IMMEDIATE_IN_MULTI) == 0
               ? VERDICT_QUEUE
               : VERDICT_RUN;
}
