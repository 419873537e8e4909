/* The composition root: one server, made of all the layers below.  rln_server of the public
 * interface is this struct.
 *
 *   server.c     create, start, stop
 *   services.c   what commands and the network layer ask of it
 *   client.c     in-process clients
 *   cron.c       what is due by time
 *   events.c     news for the owner            signals.c   SIGINT and SIGTERM
 *   warnings.c   what the start finds wanting
 *   config*.c    directives                    info*.c     INFO */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/clock.h"
#include "base/log.h"
#include "net/acceptor.h"
#include "net/net.h"
#include "net/worker.h"
#include "rln.h"
#include "server/config.h"
#include "server/cron.h"
#include "server/events.h"
#include "server/info.h"
#include "server/signals.h"

enum server_state {
    SERVER_IDLE,
    SERVER_RUNNING,
    SERVER_ENDED, /* every thread but the acceptor's has been joined; STOPPED was told */
};

struct rln_server {
    struct rln_options options;
    struct clock clock;
    struct log log;
    struct events events;
    struct config config;
    struct engine engine;
    bool engine_open;
    struct net net;
    struct queue shared_jobs; /* io-model blocking */
    struct acceptor acceptor;
    pthread_t acceptor_thread;
    bool acceptor_started;
    struct cron cron;
    bool cron_made;
    struct signals signals;
    struct info_meter meter;
    _Atomic int state; /* enum server_state */
    int port;
    size_t startup_memory;
    _Atomic int64_t limit_told_us; /* monotonic, of the last RLN_EVENT_LIMIT_REACHED */
};

/* Adds an event with the time of now. */
void server_tell(struct rln_server *server, struct rln_event event);

/* Makes keyspace, command table and executors' shared state, at the start or for the first
 * in-process client; from then on rln_server_configure() refuses.  False: no memory. */
MUST_CHECK bool server_open_engine(struct rln_server *server);

/* Fills the engine's services and the network layer's hooks; services.c. */
void services_fill(struct rln_server *server);
/* The facts of this moment for INFO. */
void server_facts(void *server, struct info_facts *facts);

#endif
