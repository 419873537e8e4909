/* poller.h on poll(2), which every system has. */
#include "bench/poller.h"

#include <poll.h>

#include "base/mem.h"

struct poller {
    uint32_t count;
    struct pollfd fds[]; /* by index; -1 is passed over */
};

struct poller *poller_create(uint32_t count)
{
    struct poller *poller = mem_try_alloc(sizeof *poller + count * sizeof poller->fds[0]);
    if (poller != NULL) {
        poller->count = count;
        for (uint32_t i = 0; i < count; i++) {
            poller->fds[i] = (struct pollfd){ .fd = -1 };
        }
    }
    return poller;
}

void poller_destroy(struct poller *poller)
{
    mem_free(poller);
}

bool poller_add(struct poller *poller, uint32_t index, int fd)
{
    poller->fds[index] = (struct pollfd){ .fd = fd, .events = POLLIN };
    return true;
}

void poller_want_write(struct poller *poller, uint32_t index, int fd, bool wanted)
{
    (void)fd;
    poller->fds[index].events = wanted ? POLLIN | POLLOUT : POLLIN;
}

void poller_remove(struct poller *poller, uint32_t index, int fd)
{
    (void)fd;
    poller->fds[index].fd = -1;
}

size_t poller_wait(struct poller *poller, struct poller_event *events, size_t room, int timeout_ms)
{
    size_t count = 0;
    int ready = poll(poller->fds, (nfds_t)poller->count, timeout_ms);
    for (uint32_t i = 0; ready > 0 && i < poller->count && count < room; i++) {
        short seen = poller->fds[i].revents;
        if (poller->fds[i].fd >= 0 && seen != 0) {
            events[count++] = (struct poller_event){
                .index = i,
                .readable = (seen & (POLLIN | POLLHUP | POLLERR)) != 0,
                .writable = (seen & POLLOUT) != 0,
            };
        }
    }
    return count;
}
