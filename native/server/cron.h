/* The thread for what is due without any client: keys that expire, memory given to the
 * background, samples for INFO.  It works in short batches with pauses between them, so
 * that a million keys that expire at once are not felt. */
#ifndef SERVER_CRON_H
#define SERVER_CRON_H

#include <pthread.h>

#include "base/os.h"
#include "exec/executor.h"

struct rln_server;

struct cron {
    struct rln_server *server;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    struct os_waker waker;
    struct executor executor;
    _Atomic bool clients_too_large; /* it was woken for that */
    int64_t sampled_us, told_us;    /* monotonic */
    int64_t evicted_nobody_us;      /* monotonic; the last look in vain for a client to close */
    uint64_t told_expired, told_evicted;
};

/* False when memory or descriptors are short, with errno set. */
MUST_CHECK bool cron_init(struct cron *cron, struct rln_server *server);
/* 0 or an errno value. */
MUST_CHECK int cron_start(struct cron *cron);
void cron_request_stop(struct cron *cron);
/* The clients have passed maxmemory-clients.  Any thread. */
void cron_wake_for_clients(struct cron *cron);
/* Joins the thread and frees everything. */
void cron_release(struct cron *cron);

#endif
