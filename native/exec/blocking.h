/* Clients that wait for keys: BLPOP and its kind, XREAD and XREADGROUP with BLOCK.
 *
 * A handler that finds nothing calls blocking_wait() and ends without a reply: the session
 * hangs on its keys, in the order of arrival, and no thread waits.  A command that may give
 * one of them something runs in the exclusive section (executor.c asks blocking_expects()),
 * and at its end, in the same section, blocking_serve() runs the waiting commands again, the
 * oldest first: whoever finds something is answered, the others keep their places.  So
 * nobody overtakes.
 *
 * Only the owner of a session in a batch, or a thread in the exclusive section, touches
 * session->blocked; the table of keys has a lock of its own. */
#ifndef EXEC_BLOCKING_H
#define EXEC_BLOCKING_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/thread.h"
#include "proto/reply.h"
#include "store/entry.h"

struct awaited_key;
struct awaited_place;
struct call;
struct command;
struct executor;
struct session;

enum { BLOCKING_FILTER = 1024 };

/* Who waits for what in one server; in the engine. */
struct blocking {
    _Atomic uint32_t sessions; /* waiting now; INFO's blocked_clients, and the fast way out */
    _Atomic bool pending;      /* 'ready' is not empty */
    _Atomic uint32_t filter[BLOCKING_FILTER]; /* awaited keys by hash, to ask without the lock */
    struct hash_key hash_key;
    struct mutex mutex; /* RANK_BLOCKED; guards what follows */
    struct awaited_key **buckets;
    uint32_t bucket_count, key_count;
    struct awaited_key *ready, *last_ready; /* changed keys whose clients are to be served */
    struct blocked *ticketed;               /* those who wait for no key but for their answer */
};

/* A session's waiting, and then its answer. */
struct blocked {
    struct session *session;
    const struct command *command;
    struct awaited_place *places; /* one a key */
    uint32_t place_count;
    enum value_type type;
    bool on_missing;
    bool silent;         /* CLIENT REPLY OFF: the answer is dropped */
    uint8_t zeros;       /* as requested */
    bool answered;       /* 'answer' is there, for the owner to take; it waits no more */
    int64_t deadline_ms; /* Unix time; 0: none */
    uint64_t ticket;     /* as requested */
    struct blocked *next_ticketed;
    struct reply answer;
    uint32_t argc;
    struct bytes argv[];
};

/* Nobody waits.  False when memory is short.  Released when all sessions are gone. */
MUST_CHECK bool blocking_init(struct blocking *blocking, const struct hash_key *key);
void blocking_release(struct blocking *blocking);

/* ---- For handlers ----------------------------------------------------------------------- */

/* Reads a time-out: seconds with a fraction, or whole milliseconds.  '*deadline_ms' is Unix
 * time, 0 for none.  Writes the error itself: OK or ERR_REPLIED. */
MUST_CHECK enum err blocking_read_timeout(struct call *call, struct bytes text, bool milliseconds,
                                          int64_t *deadline_ms);

/* False where a command must not wait: inside EXEC, and for clients without a connection. */
bool blocking_may_wait(const struct call *call);

struct blocking_request {
    const struct bytes *keys; /* borrowed; the command's, all locked */
    uint32_t key_count;
    enum value_type type;     /* what a key must hold for another try */
    bool on_missing;          /* another try, too, when a key is deleted or of another type */
    int64_t deadline_ms;      /* 0: none */
    uint64_t ticket;          /* not 0: it waits for blocking_answer() and for nothing else */
    uint8_t zeros;            /* the answer when the time is over: 0 a null array, 1 a zero, 2 an
                                 array of two zeros */
    const struct bytes *argv; /* what to run later, as many as the command's; NULL: the same */
};

/* Lets the session wait; there is no reply yet.  blocking_may_wait() was true.
 * ERR_OUT_OF_MEMORY: it does not wait. */
MUST_CHECK enum err blocking_wait(struct call *call, const struct blocking_request *request);

/* ---- For the executor -------------------------------------------------------------------- */

/* Whether any client waits for a key.  Any thread. */
static inline bool blocking_any(const struct blocking *blocking)
{
    return __builtin_expect(atomic_load_explicit(&blocking->sessions, memory_order_relaxed) != 0,
                            0);
}

/* Whether a client may be waiting for a key, which the caller holds; may say yes wrongly. */
bool blocking_expects(const struct blocking *blocking, uint32_t db, struct bytes key);

/* A key has changed, or is gone: its clients are to be served.  The key is held. */
void blocking_note(struct blocking *blocking, uint32_t db, struct bytes key);
/* The same for every awaited key of a database (UINT32_MAX: of all). */
void blocking_note_all(struct blocking *blocking, uint32_t db);

/* Serves the clients of all changed keys; in the exclusive section. */
void blocking_serve(struct executor *executor);
static inline bool blocking_pending(const struct blocking *blocking)
{
    return __builtin_expect(atomic_load_explicit(&blocking->pending, memory_order_relaxed), 0);
}

/* ---- For the carrier and for CLIENT ----------------------------------------------------------- */

/* True while the session waits, and until its answer was taken. */
bool blocking_holds(const struct session *session);
/* The Unix time at which a waiting session's time is over; 0: never. */
int64_t blocking_deadline(const struct session *session);

/* Ends the waiting by its time: the answer is ready.  The owner in a batch, or anybody in the
 * exclusive section, who then wakes the owner. */
void blocking_time_out(struct blocking *blocking, struct session *session);
/* The same with an error line (CLIENT UNBLOCK ... ERROR). */
void blocking_fail(struct blocking *blocking, struct session *session, struct bytes error);

/* Moves the answer to the end of 'reply'; the session is free again.  The owner. */
void blocking_take_answer(struct session *session, struct reply *reply);

/* Answers whoever waits with a ticket: with an error line, or with a status when that is empty.  It
 * may have left.  In the exclusive section. */
void blocking_answer(struct executor *executor, uint64_t ticket, struct bytes error,
                     struct bytes status);

/* Forgets a session that leaves, with an answer not yet taken. */
void blocking_forget(struct blocking *blocking, struct session *session);

#endif
