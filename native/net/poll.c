/* Chooses among the pollers that this system has; see poll.h. */
#include "net/poll.h"

#include <string.h>

const struct poller_kind *poller_kind_find(const char *name)
{
    const struct poller_kind *kinds[] = { poller_kind_epoll(), poller_kind_kqueue(),
                                          poller_kind_poll() };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i] != NULL && (strcmp(name, "auto") == 0 || strcmp(name, kinds[i]->name) == 0)) {
            return kinds[i];
        }
    }
    return NULL;
}
