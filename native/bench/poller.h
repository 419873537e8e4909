/* Which of a thread's sockets are ready: epoll on Linux, poll(2) elsewhere.  One thread. */
#ifndef BENCH_POLLER_H
#define BENCH_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct poller;

struct poller_event {
    uint32_t index; /* of the socket */
    bool readable;  /* or at its end, or broken: recv() tells */
    bool writable;
};

/* Room for 'count' sockets, numbered from 0; NULL when there is not enough of something. */
struct poller *poller_create(uint32_t count);
/* NULL is fine. */
void poller_destroy(struct poller *poller);

/* Watches 'fd' for reading; false when the system refuses. */
MUST_CHECK bool poller_add(struct poller *poller, uint32_t index, int fd);
/* Whether to watch it for writing too. */
void poller_want_write(struct poller *poller, uint32_t index, int fd, bool wanted);
/* Before 'fd' is closed. */
void poller_remove(struct poller *poller, uint32_t index, int fd);

/* Up to 'room' events; waits for at most 'timeout_ms' for the first. */
size_t poller_wait(struct poller *poller, struct poller_event *events, size_t room, int timeout_ms);

#endif
