/* The acceptor: a thread that does nothing but accept and hand over.  Out of descriptors,
 * it stands back for a moment; while every job queue is full it leaves newcomers in the
 * kernel's backlog; past maxclients a client gets Redis's error. */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <pthread.h>

#include "base/os.h"
#include "net/listener.h"
#include "net/net.h"

struct acceptor {
    struct net *net;
    struct listeners listeners; /* the acceptor closes them when it ends */
    struct os_waker waker;      /* wakes it for the stop; signal handlers use it too */
    _Atomic bool stopping;
    unsigned next_worker;
    int64_t last_complaint_ms;
};

/* The accept loop, on the calling thread, until acceptor_request_stop(); closes the
 * listeners before it returns. */
void acceptor_run(struct acceptor *acceptor);

/* Any thread, and signal handlers: sets the flag and wakes the loop. */
void acceptor_request_stop(struct acceptor *acceptor);

#endif
