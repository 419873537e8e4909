/* maxmemory-clients: when all clients together take too much memory, the largest are closed. */
#ifndef SERVER_CLIENT_EVICTION_H
#define SERVER_CLIENT_EVICTION_H

#include "exec/executor.h"
#include "net/net.h"

/* Closes the largest clients, CLIENT NO-EVICT's excepted, until the others are below the limit,
 * some at most; true when there was one.  Not in a batch. */
bool client_eviction_run(struct executor *executor, struct net *net);

#endif
