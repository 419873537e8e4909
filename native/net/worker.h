/* A worker: a thread that owns its connections and serves them in steps (step.h).  The
 * same worker serves many through a poller, or one at a time (io-model blocking). */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include <pthread.h>

#include "base/os.h"
#include "base/queue.h"
#include "exec/executor.h"
#include "exec/mail.h"
#include "net/conn.h"
#include "net/deadlines.h"
#include "net/net.h"
#include "net/poll.h"
#include "net/step.h"

struct worker {
    struct net *net;
    unsigned number;
    pthread_t thread;
    bool started;
    struct executor executor;
    const struct poller_kind *kind;
    struct poller *poller;
    struct os_waker waker;
    struct queue own_jobs; /* IO_EVENTS */
    struct queue *jobs;    /* own_jobs, or the one all workers share */
    struct conn *conns;
    uint32_t conn_count;
    uint32_t waiting_count; /* of these, with commands that wait */
    struct conn *answered;  /* blocked clients with an answer to take; written in the
                                         exclusive section, too, by others */
    struct conn *pushed;    /* clients with messages to send */
    struct mailbox mailbox;
    struct deadlines deadlines;     /* of blocked clients */
    _Atomic uint64_t client_memory; /* of its clients; others read it */
    _Atomic uint32_t load;          /* connections and jobs to adopt; the acceptor reads it */
    _Atomic bool stopping;          /* finish what is in hand, then end */
    _Atomic bool killed_waiting;    /* some session of ours was killed */
    int64_t next_round_ms;          /* monotonic; when idle clients are looked for again */
    struct step step;
    struct step *outer; /* the step whose command takes long, while others are served in another */
    struct conn *held;  /* and the client of that command */
};

/* Makes a worker that does not run yet.  False when memory or descriptors are short, with
 * errno set; then nothing is left. */
MUST_CHECK bool worker_init(struct worker *worker, struct net *net, unsigned number);
/* Starts its thread; 0 or an errno value. */
MUST_CHECK int worker_start(struct worker *worker);
/* Asks it to end: requests already in hand are answered.  Any thread. */
void worker_request_stop(struct worker *worker);
/* Waits for the end of its thread, if it has one. */
void worker_join(struct worker *worker);
/* Frees everything but the struct; its thread was joined, or never started. */
void worker_release(struct worker *worker);

/* Somebody marked one of its sessions as killed.  Any thread. */
void worker_wake_for_killed(struct worker *worker);

/* Wakes it for jobs in its queue.  Any thread. */
static inline void worker_wake(struct worker *worker)
{
    os_wake(&worker->waker);
}

/* Ends a client: tells the hooks, counts, destroys.  The worker's own thread, in a batch. */
void worker_close(struct worker *worker, struct conn *conn, enum rln_close_reason reason);

#endif
