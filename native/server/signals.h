/* SIGINT and SIGTERM, for a daemon that asked for it: the C handler raises the acceptor's
 * atomic flag and wakes it.  Signals belong to the process, so at most one server of a
 * process can have them at a time: the one place of the core with a variable of its own. */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct acceptor;

struct signals {
    bool installed;
    struct sigaction earlier[2]; /* of SIGINT and SIGTERM */
    _Atomic int received;        /* the signal that came, or 0 */
    struct acceptor *acceptor;
};

/* Installs the handlers, before the acceptor runs: a first signal stops it then, or as soon as it
 * runs; a second one ends the process at once.  False when another server of this process has the signals. */
MUST_CHECK bool signals_install(struct signals *signals, struct acceptor *acceptor);

/* Gives the earlier handlers back, where ours still stand.  Idempotent. */
void signals_uninstall(struct signals *signals);

#endif
