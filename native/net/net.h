/* What the threads of the network layer share: limits, counters, and the way news goes up.
 * The server fills it; acceptor and workers read it. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/log.h"
#include "exec/engine.h"
#include "rln.h"

struct conn;
struct peer;
struct poller_kind;
struct queue;
struct worker;

enum io_model {
    IO_EVENTS,   /* a worker serves all its clients through a poller */
    IO_BLOCKING, /* a worker serves one client until it leaves */
};

/* Each is a directive; the server's configuration writes them at any time. */
struct net_settings {
    _Atomic uint64_t maxclients;
    _Atomic int64_t timeout;             /* seconds a client may be idle; 0: for ever */
    _Atomic int64_t tcp_keepalive;       /* seconds; 0: off */
    _Atomic uint64_t max_bulk_len;       /* proto-max-bulk-len */
    _Atomic uint64_t max_arguments;      /* proto-max-multibulk-len */
    _Atomic uint64_t max_inline;         /* proto-inline-max-size */
    _Atomic uint64_t query_buffer_limit; /* client-query-buffer-limit */
    _Atomic uint64_t output_hard_limit;  /* client-output-buffer-limit normal; 0: none */
    _Atomic uint64_t output_soft_limit;
    _Atomic int64_t output_soft_seconds;
    _Atomic uint64_t pubsub_hard_limit; /* client-output-buffer-limit pubsub */
    _Atomic uint64_t pubsub_soft_limit;
    _Atomic int64_t pubsub_soft_seconds;
    _Atomic uint64_t client_memory_limit; /* maxmemory-clients, in bytes; 0: none */
    _Atomic uint64_t reply_pause;         /* client-reply-pause: unsent bytes at which a client's
                                           further commands wait; 0: never */
};

/* News for the server above, and one question; 'user' is the first argument of each.  Any network thread. */
struct net_hooks {
    void (*connected)(void *user, const struct conn *conn);
    void (*disconnected)(void *user, const struct conn *conn, enum rln_close_reason reason);
    void (*client_error)(void *user, const struct conn *conn, struct bytes text);
    void (*limit_reached)(void *user, const char *directive, int64_t limit, int64_t refused);
    /* All clients together have passed client_memory_limit; told again as long as they do. */
    void (*clients_too_large)(void *user);
    /* The error line (with '-' and CRLF) for a client that must not come in, or nothing. */
    struct bytes (*refusal)(void *user, const struct peer *peer);
    void *user;
};

struct net {
    struct engine *engine;
    struct log *log;
    struct net_settings settings;
    struct net_hooks hooks;
    enum io_model model;
    const struct poller_kind *poller;
    struct queue *shared_jobs; /* IO_BLOCKING: the one queue that all workers serve */
    struct worker *workers;
    unsigned worker_count;
    uint32_t job_queue_length; /* of each job queue */
    _Atomic int64_t clients;   /* connected, counted by the acceptor */
    _Atomic uint64_t accepted, rejected, accept_errors, accept_pauses, client_errors;
};

/* Memory of all clients now.  Any thread, while there are workers. */
uint64_t net_client_memory(const struct net *net);
/* It has passed its limit. */
bool net_clients_too_large(const struct net *net);

#endif
