/* Who waits for which key, and how it is served; see blocking.h. */
#include "exec/blocking.h"

#include <math.h>

#include "base/mem.h"
#include "base/num.h"
#include "exec/perform.h"

enum { FIRST_BUCKETS = 64, MILLISECONDS = 1000 };

/* A session's place in the row of a key. */
struct awaited_place {
    struct blocked *blocked;
    struct awaited_key *key;
    struct awaited_place *next, *previous; /* in the order of arrival */
};

struct awaited_key {
    struct awaited_key *next; /* of the bucket */
    struct awaited_key *next_ready;
    struct awaited_place *first, *last;
    uint64_t hash;
    uint32_t db;         /* as the client numbers it */
    uint32_t on_missing; /* sessions that want another try when it is gone */
    bool is_ready;       /* in the list of the ready */
    bool in_service;     /* blocking_serve() walks its row: it stays, though it may be empty */
    size_t name_len;
    char name[];
};

/* ---- Life -------------------------------------------------------------------------------- */

bool blocking_init(struct blocking *blocking, const struct hash_key *key)
{
    mutex_init(&blocking->mutex, RANK_BLOCKED);
    blocking->hash_key = *key;
    blocking->buckets = mem_try_alloc(FIRST_BUCKETS * sizeof *blocking->buckets);
    if (blocking->buckets == NULL) {
        return false;
    }
    memset(blocking->buckets, 0, FIRST_BUCKETS * sizeof *blocking->buckets);
    blocking->bucket_count = FIRST_BUCKETS;
    return true;
}

void blocking_release(struct blocking *blocking)
{
    mem_free(blocking->buckets);
    blocking->buckets = NULL;
    mutex_release(&blocking->mutex);
}

/* ---- The table of awaited keys; under its lock --------------------------------------------- */

static uint64_t hash_of(const struct blocking *blocking, uint32_t db, struct bytes key)
{
    return hash_bytes(&blocking->hash_key, key, db);
}

static _Atomic uint32_t *filter_of(struct blocking *blocking, uint64_t hash)
{
    return &blocking->filter[hash % BLOCKING_FILTER];
}

static struct awaited_key **bucket_of(const struct blocking *blocking, uint64_t hash)
{
    return &blocking->buckets[(hash >> 32) & (blocking->bucket_count - 1)];
}

static struct awaited_key *find_key(const struct blocking *blocking, uint64_t hash, uint32_t db,
                                    struct bytes name)
{
    struct awaited_key *key = *bucket_of(blocking, hash);
    while (key != NULL && (key->hash != hash || key->db != db ||
                           !bytes_equal((struct bytes){ key->name, key->name_len }, name))) {
        key = key->next;
    }
    return key;
}

/* Twice as many buckets; the chains only grow longer when memory is short. */
static void grow(struct blocking *blocking)
{
    uint32_t old_count = blocking->bucket_count;
    struct awaited_key **old = blocking->buckets;
    struct awaited_key **buckets = mem_try_alloc(2 * old_count * sizeof *buckets);
    if (buckets == NULL) {
        return;
    }
    memset(buckets, 0, 2 * old_count * sizeof *buckets);
    blocking->buckets = buckets;
    blocking->bucket_count = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++) {
        struct awaited_key *next;
        for (struct awaited_key *key = old[i]; key != NULL; key = next) {
            next = key->next;
            key->next = *bucket_of(blocking, key->hash);
            *bucket_of(blocking, key->hash) = key;
        }
    }
    mem_free(old);
}

static struct awaited_key *find_or_add_key(struct blocking *blocking, uint32_t db,
                                           struct bytes name)
{
    uint64_t hash = hash_of(blocking, db, name);
    struct awaited_key *key = find_key(blocking, hash, db, name);
    if (key != NULL) {
        return key;
    }
    key = mem_try_alloc(sizeof *key + name.len);
    if (key == NULL) {
        return NULL;
    }
    if (blocking->key_count >= blocking->bucket_count) {
        grow(blocking);
    }
    *key = (struct awaited_key){ .hash = hash, .db = db, .name_len = name.len };
    if (name.len > 0) {
        memcpy(key->name, name.at, name.len);
    }
    key->next = *bucket_of(blocking, hash);
    *bucket_of(blocking, hash) = key;
    blocking->key_count++;
    atomic_fetch_add_explicit(filter_of(blocking, hash), 1, memory_order_relaxed);
    return key;
}

/* Away with a key that nobody awaits, unless a list still holds it. */
static void drop_if_unused(struct blocking *blocking, struct awaited_key *key)
{
    if (key->first != NULL || key->is_ready || key->in_service) {
        return;
    }
    struct awaited_key **link = bucket_of(blocking, key->hash);
    while (*link != key) {
        link = &(*link)->next;
    }
    *link = key->next;
    blocking->key_count--;
    atomic_fetch_sub_explicit(filter_of(blocking, key->hash), 1, memory_order_relaxed);
    mem_free(key);
}

static void append_place(struct awaited_key *key, struct awaited_place *place)
{
    place->key = key;
    place->next = NULL;
    place->previous = key->last;
    if (key->last != NULL) {
        key->last->next = place;
    } else {
        key->first = place;
    }
    key->last = place;
    key->on_missing += place->blocked->on_missing;
}

static void remove_place(struct blocking *blocking, struct awaited_place *place)
{
    struct awaited_key *key = place->key;
    if (place->previous != NULL) {
        place->previous->next = place->next;
    } else {
        key->first = place->next;
    }
    if (place->next != NULL) {
        place->next->previous = place->previous;
    } else {
        key->last = place->previous;
    }
    key->on_missing -= place->blocked->on_missing;
    drop_if_unused(blocking, key);
}

/* ---- Waiting ----------------------------------------------------------------------------- */

static enum err refuse_timeout(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

enum err blocking_read_timeout(struct call *call, struct bytes text, bool milliseconds,
                               int64_t *deadline_ms)
{
    int64_t timeout;
    if (milliseconds) {
        if (!num_parse_i64(text, &timeout)) {
            return refuse_timeout(call, LIT("ERR timeout is not an integer or out of range"));
        }
    } else {
        long double seconds;
        if (!num_parse_long_double(text, &seconds)) {
            return refuse_timeout(call, LIT("ERR timeout is not a float or out of range"));
        }
        long double exact = ceill(seconds * (long double)MILLISECONDS);
        if (exact >= (long double)INT64_MAX || exact <= (long double)INT64_MIN) {
            return refuse_timeout(call, LIT("ERR timeout is out of range"));
        }
        timeout = (int64_t)exact;
    }
    if (timeout < 0) {
        return refuse_timeout(call, LIT("ERR timeout is negative"));
    }
    if (timeout > INT64_MAX - call->now_ms) {
        return refuse_timeout(call, LIT("ERR timeout is out of range"));
    }
    *deadline_ms = timeout > 0 ? call->now_ms + timeout : 0;
    return OK;
}

bool blocking_may_wait(const struct call *call)
{
    return (call->session->flags & (SESSION_EXECUTING | SESSION_INTERNAL)) == 0;
}

/* The command with its arguments and places in one allocation; NULL when memory is short. */
static struct blocked *copy_command(const struct call *call, const struct blocking_request *request)
{
    const struct bytes *argv = request->argv != NULL ? request->argv : call->args.argv;
    uint32_t argc = call->args.argc;
    size_t places = request->key_count * sizeof(struct awaited_place);
    size_t size = sizeof(struct blocked) + argc * sizeof(struct bytes) + places;
    for (uint32_t i = 0; i < argc; i++) {
        size += argv[i].len;
    }
    struct blocked *blocked = mem_try_alloc(size);
    if (blocked == NULL) {
        return NULL;
    }
    *blocked = (struct blocked){
        .session = call->session,
        .command = call->command,
        .places = (struct awaited_place *)&blocked->argv[argc],
        .type = request->type,
        .on_missing = request->on_missing,
        .silent = (call->session->flags & (SESSION_REPLY_OFF | SESSION_REPLY_SKIP)) != 0,
        .zeros = request->zeros,
        .deadline_ms = request->deadline_ms,
        .ticket = request->ticket,
        .argc = argc,
    };
    char *at = (char *)blocked->places + places;
    for (uint32_t i = 0; i < argc; i++) {
        blocked->argv[i] = (struct bytes){ at, argv[i].len };
        if (argv[i].len > 0) {
            memcpy(at, argv[i].at, argv[i].len);
        }
        at += argv[i].len;
    }
    return blocked;
}

static bool stands_in_row(const struct blocked *blocked, const struct awaited_key *key)
{
    for (uint32_t i = 0; i < blocked->place_count; i++) {
        if (blocked->places[i].key == key) {
            return true;
        }
    }
    return false;
}

/* Under the lock. */
static void give_ticket_back(struct blocking *blocking, const struct blocked *blocked)
{
    struct blocked **link = &blocking->ticketed;
    while (*link != blocked) {
        link = &(*link)->next_ticketed;
    }
    *link = blocked->next_ticketed;
}

/* Under the lock: out of all rows. */
static void leave_rows(struct blocking *blocking, struct blocked *blocked)
{
    while (blocked->place_count > 0) {
        remove_place(blocking, &blocked->places[--blocked->place_count]);
    }
}

/* Under the lock: to the end of the row of each key, once. */
static bool join_rows(struct blocking *blocking, struct blocked *blocked, uint32_t db,
                      const struct blocking_request *request)
{
    for (uint32_t i = 0; i < request->key_count; i++) {
        struct awaited_key *key = find_or_add_key(blocking, db, request->keys[i]);
        if (key == NULL) {
            leave_rows(blocking, blocked);
            return false;
        }
        if (!stands_in_row(blocked, key)) {
            struct awaited_place *place = &blocked->places[blocked->place_count++];
            place->blocked = blocked;
            append_place(key, place);
        }
    }
    return true;
}

enum err blocking_wait(struct call *call, const struct blocking_request *request)
{
    struct blocking *blocking = &call->engine->blocking;
    struct session *session = call->session;
    if ((session->flags & SESSION_TRYING_AGAIN) != 0) {
        session->flags |= SESSION_BLOCKED; /* Its places are as they were. */
        return OK;
    }
    struct blocked *blocked = copy_command(call, request);
    if (blocked == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    /* Counted before the keys are given back, so that whoever locks them next knows. */
    atomic_fetch_add_explicit(&blocking->sessions, 1, memory_order_relaxed);
    mutex_lock(&blocking->mutex);
    bool joined = join_rows(blocking, blocked, session->db, request);
    if (joined && request->ticket != 0) {
        blocked->next_ticketed = blocking->ticketed;
        blocking->ticketed = blocked;
    }
    mutex_unlock(&blocking->mutex);
    if (!joined) {
        atomic_fetch_sub_explicit(&blocking->sessions, 1, memory_order_relaxed);
        mem_free(blocked);
        return ERR_OUT_OF_MEMORY;
    }
    blocked->answer.protocol = session->protocol;
    blocked->answer.dialect = session->dialect;
    session->blocked = blocked;
    session->flags |= SESSION_BLOCKED;
    return OK;
}

/* ---- The end of it ----------------------------------------------------------------------- */

bool blocking_holds(const struct session *session)
{
    return session->blocked != NULL;
}

int64_t blocking_deadline(const struct session *session)
{
    const struct blocked *blocked = session->blocked;
    return blocked != NULL && !blocked->answered ? blocked->deadline_ms : 0;
}

/* What is answered is an error: statistics want to know. */
static void note_error(struct executor *executor, const struct blocked *blocked)
{
    uint32_t noted = executor->noted_errors;
    perform_note_error(executor, &blocked->answer);
    executor->noted_errors = noted;
}

/* The session waits no more; its answer is written. */
static void end_waiting(struct blocking *blocking, struct blocked *blocked)
{
    mutex_lock(&blocking->mutex);
    leave_rows(blocking, blocked);
    if (blocked->ticket != 0) {
        give_ticket_back(blocking, blocked);
    }
    mutex_unlock(&blocking->mutex);
    atomic_fetch_sub_explicit(&blocking->sessions, 1, memory_order_relaxed);
    blocked->answered = true;
    blocked->session->flags &= ~(uint32_t)SESSION_BLOCKED;
}

void blocking_time_out(struct blocking *blocking, struct session *session)
{
    struct reply *answer = &session->blocked->answer;
    uint8_t zeros = session->blocked->zeros;
    if (zeros == 0) {
        reply_null_array(answer);
    } else if (zeros > 1) {
        reply_array(answer, zeros);
    }
    for (uint8_t i = 0; i < zeros; i++) {
        reply_integer(answer, 0);
    }
    end_waiting(blocking, session->blocked);
}

void blocking_fail(struct blocking *blocking, struct session *session, struct bytes error)
{
    reply_error(&session->blocked->answer, error);
    end_waiting(blocking, session->blocked);
}

void blocking_answer(struct executor *executor, uint64_t ticket, struct bytes error,
                     struct bytes status)
{
    struct blocking *blocking = &executor->engine->blocking;
    mutex_lock(&blocking->mutex);
    struct blocked *blocked = blocking->ticketed;
    while (blocked != NULL && blocked->ticket != ticket) {
        blocked = blocked->next_ticketed;
    }
    mutex_unlock(&blocking->mutex); /* It stays: nobody else may answer it meanwhile. */
    if (blocked == NULL) {
        return;
    }
    if (error.len > 0) {
        reply_error(&blocked->answer, error);
        note_error(executor, blocked);
    } else {
        reply_simple(&blocked->answer, status);
    }
    end_waiting(blocking, blocked);
    blocked->session->carrier->answered(blocked->session);
}

void blocking_take_answer(struct session *session, struct reply *reply)
{
    struct blocked *blocked = session->blocked;
    session->blocked = NULL;
    if (blocked->silent) {
        reply_release(&blocked->answer);
    } else {
        reply_take(reply, &blocked->answer);
    }
    mem_free(blocked);
}

void blocking_forget(struct blocking *blocking, struct session *session)
{
    struct blocked *blocked = session->blocked;
    if (blocked == NULL) {
        return;
    }
    if (!blocked->answered) {
        end_waiting(blocking, blocked);
    }
    session->blocked = NULL;
    reply_release(&blocked->answer);
    mem_free(blocked);
}

/* ---- Changed keys -------------------------------------------------------------------------- */

bool blocking_expects(const struct blocking *blocking, uint32_t db, struct bytes key)
{
    uint64_t hash = hash_of(blocking, db, key);
    return atomic_load_explicit(&blocking->filter[hash % BLOCKING_FILTER], memory_order_relaxed) !=
           0;
}

/* Under the lock: to the end of the list of the ready, once. */
static void make_ready(struct blocking *blocking, struct awaited_key *key)
{
    if (key->is_ready) {
        return;
    }
    key->is_ready = true;
    key->next_ready = NULL;
    if (blocking->ready == NULL) {
        blocking->ready = key;
    } else {
        blocking->last_ready->next_ready = key;
    }
    blocking->last_ready = key;
    atomic_store_explicit(&blocking->pending, true, memory_order_relaxed);
}

void blocking_note(struct blocking *blocking, uint32_t db, struct bytes name)
{
    if (!blocking_expects(blocking, db, name)) {
        return;
    }
    mutex_lock(&blocking->mutex);
    struct awaited_key *key = find_key(blocking, hash_of(blocking, db, name), db, name);
    if (key != NULL) {
        make_ready(blocking, key);
    }
    mutex_unlock(&blocking->mutex);
}

void blocking_note_all(struct blocking *blocking, uint32_t db)
{
    mutex_lock(&blocking->mutex);
    for (uint32_t i = 0; i < blocking->bucket_count; i++) {
        for (struct awaited_key *key = blocking->buckets[i]; key != NULL; key = key->next) {
            if (db == UINT32_MAX || key->db == db) {
                make_ready(blocking, key);
            }
        }
    }
    mutex_unlock(&blocking->mutex);
}

/* ---- Serving; in the exclusive section ------------------------------------------------------- */

/* Gives its answer to the owner. */
static void hand_over(struct executor *executor, struct blocked *blocked)
{
    end_waiting(&executor->engine->blocking, blocked);
    blocked->session->carrier->answered(blocked->session);
}

/* The user may do less than when the client began to wait: then that is its answer. */
static bool is_refused(const struct task *task)
{
    struct executor *executor = task->executor;
    enum err err = acl_error(
        acl_refuses(executor, task->session, task->command, task->argv, task->argc, ACL_TOP_LEVEL));
    if (err == OK) {
        return false;
    }
    reply_err(task->reply, err, task->command->name);
    stat_add(&executor->commands[task->command->derived.index].rejected, 1);
    note_error(executor, task->session->blocked);
    hand_over(executor, task->session->blocked);
    return true;
}

/* Runs a waiting command again; true when it has its answer. */
static bool try_again(struct executor *executor, struct blocked *blocked) REQUIRES(executor->lock)
{
    struct session *session = blocked->session;
    struct task task = { executor,      session,       blocked->command,
                         blocked->argv, blocked->argc, &blocked->answer };
    if (departing_holds(executor, session, task.command, task.argv, task.argc)) {
        return false; /* departing_end() comes back to it. */
    }
    if (is_refused(&task)) {
        return true;
    }
    session->flags &= ~(uint32_t)SESSION_BLOCKED;
    session->flags |= SESSION_TRYING_AGAIN;
    executor->lock.db = session->db;
    (void)perform(&task);
    session->flags &= ~(uint32_t)SESSION_TRYING_AGAIN;
    if ((session->flags & SESSION_BLOCKED) != 0) {
        return false;
    }
    if (blocked->answer.errors != 0) {
        note_error(executor, blocked);
    }
    hand_over(executor, blocked);
    return true;
}

/* Whether another try is worth it: the key holds what the command wants, or is gone and the
 * command wants to know. */
static bool worth_trying(struct executor *executor, const struct awaited_key *key,
                         const struct blocked *blocked) REQUIRES(executor->lock)
{
    struct bytes name = { key->name, key->name_len };
    const struct entry *entry =
        keyspace_peek_in(executor->thread.keyspace, &executor->lock, key->db, name);
    return blocked->on_missing || (entry != NULL && entry->type == blocked->type);
}

/* The sessions of one key, the oldest first.  Each leaves only places of its own, so that the
 * next one stays where it is. */
static void serve_key(struct executor *executor, struct awaited_key *key) REQUIRES(executor->lock)
{
    struct bytes name = { key->name, key->name_len };
    struct awaited_place *next;
    for (struct awaited_place *place = key->first; place != NULL; place = next) {
        next = place->next;
        if (worth_trying(executor, key, place->blocked)) {
            (void)try_again(executor, place->blocked);
        } else if (key->on_missing == 0 &&
                   keyspace_peek_in(executor->thread.keyspace, &executor->lock, key->db, name) ==
                       NULL) {
            return; /* Nothing is left for anybody. */
        }
    }
}

void blocking_serve(struct executor *executor) UNCHECKED_LOCKING
{
    struct blocking *blocking = &executor->engine->blocking;
    uint32_t db = executor->lock.db;
    mutex_lock(&blocking->mutex);
    while (blocking->ready != NULL) {
        struct awaited_key *key = blocking->ready;
        blocking->ready = key->next_ready;
        key->is_ready = false;
        key->in_service = true;
        mutex_unlock(&blocking->mutex);
        serve_key(executor, key);
        mutex_lock(&blocking->mutex);
        key->in_service = false;
        drop_if_unused(blocking, key);
    }
    atomic_store_explicit(&blocking->pending, false, memory_order_relaxed);
    mutex_unlock(&blocking->mutex);
    executor->lock.db = db;
}
