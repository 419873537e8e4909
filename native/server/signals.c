/* Signal handlers of the daemon; see signals.h. */
#include "server/signals.h"

#include <errno.h>
#include <string.h>

#include "net/acceptor.h"

static const int handled[] = { SIGINT, SIGTERM };

/* A handler gets no argument of ours: whose signals they are must stand here. */
static _Atomic(struct signals *) owner;

static void on_signal(int number)
{
    int kept = errno;
    struct signals *signals = atomic_load(&owner);
    if (signals != NULL) {
        if (atomic_exchange(&signals->received, number) != 0) {
            signal(number, SIG_DFL);
            raise(number); /* Delivered when this handler returns. */
        }
        acceptor_request_stop(signals->acceptor);
    }
    errno = kept;
}

bool signals_install(struct signals *signals, struct acceptor *acceptor)
{
    struct signals *none = NULL;
    atomic_store(&signals->received, 0);
    signals->acceptor = acceptor;
    if (!atomic_compare_exchange_strong(&owner, &none, signals)) {
        return false;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
        sigaction(handled[i], &action, &signals->earlier[i]);
    }
    signals->installed = true;
    return true;
}

void signals_uninstall(struct signals *signals)
{
    if (!signals->installed) {
        return;
    }
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) {
        struct sigaction current;
        sigaction(handled[i], NULL, &current);
        if (current.sa_handler == on_signal) {
            sigaction(handled[i], &signals->earlier[i], NULL);
        }
    }
    signals->installed = false;
    atomic_store(&owner, NULL);
}
