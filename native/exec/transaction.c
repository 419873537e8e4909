/* The queue of MULTI and the marks of WATCH; see transaction.h.  exec.c runs the queue. */
#include "exec/transaction_internal.h"

#include "base/mem.h"

enum { QUEUE_FIRST_ROOM = 8 };

/* ---- What others ask ------------------------------------------------------------------ */

bool transaction_open(const struct session *session)
{
    return session->transaction != NULL && session->transaction->open;
}

int64_t transaction_length(const struct session *session)
{
    return transaction_open(session) ? (int64_t)session->transaction->count : -1;
}

uint32_t transaction_watched(const struct session *session)
{
    return session->transaction != NULL ? session->transaction->watch_count : 0;
}

size_t transaction_memory(const struct session *session)
{
    return session->transaction != NULL ? session->transaction->memory : 0;
}

bool transaction_dirty(const struct session *session)
{
    return session->transaction != NULL &&
           atomic_load_explicit(&session->transaction->dirty, memory_order_acquire);
}

bool transaction_writes(const struct session *session)
{
    return session->transaction != NULL &&
           (session->transaction->flags & (CMD_WRITE | CMD_MAY_REPLICATE)) != 0;
}

bool transaction_needs_memory(const struct session *session)
{
    return session->transaction != NULL && (session->transaction->flags & CMD_DENYOOM) != 0;
}

bool transaction_is_exec(const struct command *command)
{
    return strcmp(command->name, "exec") == 0;
}

/* ---- Life ------------------------------------------------------------------------------ */

static struct transaction *transaction_of(struct session *session)
{
    if (session->transaction == NULL) {
        session->transaction = mem_zalloc(sizeof *session->transaction);
    }
    return session->transaction;
}

static void drop_queue(struct transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->count; i++) {
        transaction->memory -= transaction->queue[i]->size;
        mem_free(transaction->queue[i]);
    }
    transaction->memory -= transaction->room * sizeof transaction->queue[0];
    mem_free(transaction->queue);
    transaction->queue = NULL;
    transaction->count = transaction->room = transaction->arguments = transaction->flags = 0;
    transaction->open = transaction->failed = false;
    transaction->everything = transaction->writes = false;
}

/* An empty transaction costs every command a look at it: away with it. */
static void drop_if_idle(struct session *session)
{
    struct transaction *transaction = session->transaction;
    if (!transaction->open && transaction->watches == NULL) {
        mem_free(transaction);
        session->transaction = NULL;
    }
}

enum err transaction_begin(struct session *session)
{
    if (transaction_open(session)) {
        return ERR_NESTED_MULTI;
    }
    transaction_of(session)->open = true;
    return OK;
}

void transaction_fail(struct session *session)
{
    if (transaction_open(session)) {
        session->transaction->failed = true;
    }
}

void transaction_discard(struct session *session, struct executor *executor)
{
    if (session->transaction != NULL) {
        drop_queue(session->transaction);
        transaction_unwatch(session, executor);
    }
}

/* ---- The queue ------------------------------------------------------------------------- */

static bool reserve_place(struct transaction *transaction)
{
    if (transaction->count < transaction->room) {
        return true;
    }
    uint32_t room = transaction->room > 0 ? transaction->room * 2 : QUEUE_FIRST_ROOM;
    struct queued **queue = mem_try_realloc(transaction->queue, room * sizeof *queue);
    if (queue == NULL) {
        return false;
    }
    transaction->memory += (room - transaction->room) * sizeof *queue;
    transaction->queue = queue;
    transaction->room = room;
    return true;
}

/* A copy of the request with everything it refers to; NULL when memory is short. */
static struct queued *copy_request(const struct request *request)
{
    size_t size = sizeof(struct queued) + request->argc * sizeof(struct bytes);
    for (uint32_t i = 0; i < request->argc; i++) {
        size += request->argv[i].len;
    }
    struct queued *queued = mem_try_alloc(size);
    if (queued == NULL) {
        return NULL;
    }
    char *at = (char *)&queued->argv[request->argc];
    queued->command = request->command;
    queued->size = size;
    queued->argc = request->argc;
    for (uint32_t i = 0; i < request->argc; i++) {
        struct bytes argument = request->argv[i];
        if (argument.len > 0) {
            memcpy(at, argument.at, argument.len);
        }
        queued->argv[i] = (struct bytes){ at, argument.len };
        at += argument.len;
    }
    return queued;
}

void transaction_queue(struct session *session, const struct request *request, struct reply *reply)
{
    enum { EVERYTHING = CMD_KEYS_ALL | CMD_WALKS | CMD_SELECTS };
    struct transaction *transaction = session->transaction;
    const struct command *command = request->command;
    if (transaction->failed || transaction_dirty(session)) {
        reply_simple(reply, LIT("QUEUED")); /* EXEC will not run it. */
        return;
    }
    struct queued *queued = copy_request(request);
    if (queued == NULL || !reserve_place(transaction)) {
        mem_free(queued);
        transaction->failed = true;
        reply_err(reply, ERR_OUT_OF_MEMORY, command->name);
        return;
    }
    transaction->queue[transaction->count++] = queued;
    transaction->memory += queued->size;
    transaction->arguments += request->argc;
    transaction->flags |= command->flags;
    transaction->writes = transaction->writes || command->derived.writes;
    transaction->everything = transaction->everything || (command->flags & EVERYTHING) != 0 ||
                              (command->needs_everything != NULL &&
                               command->needs_everything(request->argv, request->argc));
    reply_simple(reply, LIT("QUEUED"));
}

/* ---- WATCH ----------------------------------------------------------------------------- */

/* On any thread, while the key's stripe is held for writing: only marks. */
static void note_touched(struct watcher *watcher)
{
    struct watch *watch = (struct watch *)watcher;
    atomic_store_explicit(&watch->transaction->dirty, true, memory_order_release);
}

static bool is_watched(const struct transaction *transaction, uint32_t db, struct bytes key)
{
    for (const struct watch *watch = transaction->watches; watch != NULL; watch = watch->next) {
        if (watch->db == db && bytes_equal(watch->watcher.key, key)) {
            return true;
        }
    }
    return false;
}

enum err transaction_watch(struct call *call)
{
    struct session *session = call->session;
    if (transaction_open(session)) {
        return ERR_WATCH_IN_MULTI;
    }
    struct transaction *transaction = transaction_of(session);
    while (args_left(&call->args) > 0) {
        struct bytes key = args_next(&call->args);
        if (is_watched(transaction, session->db, key)) {
            continue;
        }
        struct watch *watch = mem_try_alloc(sizeof *watch + key.len);
        if (watch == NULL) {
            drop_if_idle(session);
            return ERR_OUT_OF_MEMORY;
        }
        *watch = (struct watch){
            .watcher = { .touched = note_touched },
            .transaction = transaction,
            .next = transaction->watches,
            .db = session->db,
        };
        if (key.len > 0) {
            memcpy(watch->key, key.at, key.len);
        }
        watch->watcher.key = (struct bytes){ watch->key, key.len };
        /* The key is locked for writing, so that one past its time goes now, unseen. */
        watch->existed = keyspace_peek(call->keyspace, call->keys, key) != NULL;
        keyspace_watch(call->keyspace, call->keys, watch->watcher.key, &watch->watcher);
        transaction->watches = watch;
        transaction->watch_count++;
        transaction->memory += sizeof *watch + key.len;
    }
    return OK;
}

void transaction_unwatch(struct session *session, struct executor *executor)
{
    struct transaction *transaction = session->transaction;
    if (transaction == NULL || (session->flags & SESSION_EXECUTING) != 0) {
        return; /* EXEC holds keys, and drops the marks itself at its end. */
    }
    while (transaction->watches != NULL) {
        struct watch *watch = transaction->watches;
        transaction->watches = watch->next;
        transaction->memory -= sizeof *watch + watch->watcher.key.len;
        keyspace_unwatch(&executor->thread, &watch->watcher);
        mem_free(watch);
    }
    transaction->watch_count = 0;
    atomic_store_explicit(&transaction->dirty, false, memory_order_relaxed);
    drop_if_idle(session);
}
