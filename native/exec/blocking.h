/* Clients that wait for keys: BLPOP and its kind, XREAD and XREADGROUP with BLOCK.
 *
 * A handler that finds nothing calls blocking_wait() and ends without a reply: the session
 * hangs on its keys, in the order of arrival, and no thread waits.  A command that may give
 * one of them something runs in the exclusive section (executor.c asks blocking_expects()), and
 * at its end, in the same section, blocking_serve() runs the waiting commands again, the
 * oldest first: whoever finds something is answered, the others keep their places.  So
 * nobody overtakes.
 *
 * Only the owner of a session, in a batch, or a thread in the exclusive section touches
 * session->blocked; the table of keys has a lock of its own. */
#ifndef EXEC_BLOCKING_H
#define EXEC_BLOCKING_H

#include "exec/call.h"

struct awaited_key;

enum { BLOCKING_FILTER = 1024 };

/* Who waits for what in one server; in the engine. */
struct blocking {
    _Atomic uint32_t sessions;  /* waiting now; INFO's blocked_clients, and the fast way out */
    _Atomic bool pending;       /* 'ready' is not empty */
    _Atomic uint32_t filter[BLOCKING_FILTER]; /* awaited keys by hash, to ask without the lock */
    struct mutex mutex;         /* RANK_BLOCKED; guards what follows */
    struct awaited_key **buckets;
    uint32_t bucket_count, key_count;
    struct awaited_key *ready, *last_ready; /* changed keys whose clients are to be served */
};

MUST_CHECK bool blocking_init(struct blocking *blocking);
void blocking_release(struct blocking *blocking);

/* ---- For handlers ----------------------------------------------------------------------- */

/* Reads a time-out: seconds with a fraction, or whole milliseconds.  '*deadline_ms' is Unix
 * time, 0 for none.  Writes the error itself: OK or ERR_REPLIED. */
MUST_CHECK enum err blocking_read_timeout(struct call *call, struct bytes text, bool milliseconds,
                                          int64_t *deadline_ms);

/* False where a command must not wait: inside EXEC, and for clients without a connection. */
static inline bool blocking_may_wait(const struct call *call)
{
    return (call->session->flags & (SESSION_EXECUTING | SESSION_INTERNAL)) == 0;
}

struct blocking_request {
    const struct bytes *keys;  /* borrowed; the command's, all locked */
    uint32_t key_count;
    enum value_type type;      /* what a key must hold for another try */
    bool on_missing;           /* another try, too, when a key is deleted or holds another type */
    int64_t deadline_ms;       /* 0: none */
    const struct bytes *argv;  /* what to run later, as long as the command; NULL: the same */
};

/* Lets the session wait; there is no reply yet.  blocking_may_wait() was true.
 * ERR_OUT_OF_MEMORY: it does not wait. */
MUST_CHECK enum err blocking_wait(struct call *call, const struct blocking_request *request)
    REQUIRES(*call->keys);

/* ---- For the executor ------------------------------------------------------------------ */

static inline bool blocking_any(const struct engine_blocking_view *view);

#endif
