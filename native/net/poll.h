/* Waiting for many descriptors at once.  One small interface; epoll, kqueue and poll stand
 * behind it, each in a file of its own. */
#ifndef NET_POLL_H
#define NET_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct poller;

enum poll_interest { POLL_NOTHING = 0, POLL_READ = 1, POLL_WRITE = 2 };

/* 'ready' is a set of enum poll_interest; an error or a hang-up counts as both, so that the
 * read or write that follows meets it. */
struct poll_event {
    void *owner;
    int ready;
};

struct poller_kind {
    const char *name;
    struct poller *(*open)(void); /* NULL and errno */
    void (*close)(struct poller *poller);
    /* 0 or an errno value.  Level-triggered: readiness is told until it is used up. */
    int (*add)(struct poller *poller, int fd, int interest, void *owner);
    int (*change)(struct poller *poller, int fd, int interest, void *owner);
    void (*remove)(struct poller *poller, int fd);
    /* Fills at most 'room' events; their count, 0 after 'timeout_ms' (negative: none) or a
     * signal, -1 and errno. */
    int (*wait)(struct poller *poller, struct poll_event *events, int room, int timeout_ms);
};

/* By name: "auto", "epoll", "kqueue", "poll"; NULL when this system has no such poller. */
const struct poller_kind *poller_kind_find(const char *name);

/* One per file; NULL where the system lacks it. */
const struct poller_kind *poller_kind_epoll(void);
const struct poller_kind *poller_kind_kqueue(void);
const struct poller_kind *poller_kind_poll(void);

#endif
