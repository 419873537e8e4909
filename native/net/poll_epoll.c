/* The poller of Linux: epoll, level-triggered, so that in the steady state no call but
 * epoll_wait() is made. */
#include "net/poll.h"

#ifdef __linux__

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

enum { EPOLL_ROOM = 256 };

struct poller {
    int fd;
    struct epoll_event events[EPOLL_ROOM];
};

static struct poller *epoll_open(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    struct poller *poller = mem_alloc(sizeof *poller);
    poller->fd = fd;
    return poller;
}

static void epoll_close(struct poller *poller)
{
    if (poller != NULL) {
        close(poller->fd);
        mem_free(poller);
    }
}

static int control(struct poller *poller, int operation, int fd, int interest, void *owner)
{
    uint32_t events = 0;
    if ((interest & POLL_READ) != 0) {
        events |= EPOLLIN;
    }
    if ((interest & POLL_WRITE) != 0) {
        events |= EPOLLOUT;
    }
    struct epoll_event event = { .events = events, .data = { .ptr = owner } };
    return epoll_ctl(poller->fd, operation, fd, &event) == 0 ? 0 : errno;
}

static int epoll_add(struct poller *poller, int fd, int interest, void *owner)
{
    return control(poller, EPOLL_CTL_ADD, fd, interest, owner);
}

static int epoll_change(struct poller *poller, int fd, int interest, void *owner)
{
    return control(poller, EPOLL_CTL_MOD, fd, interest, owner);
}

static void epoll_remove(struct poller *poller, int fd)
{
    (void)control(poller, EPOLL_CTL_DEL, fd, POLL_NOTHING, NULL);
}

static int epoll_wait_for(struct poller *poller, struct poll_event *events, int room,
                          int timeout_ms)
{
    int count =
        epoll_wait(poller->fd, poller->events, room < EPOLL_ROOM ? room : EPOLL_ROOM, timeout_ms);
    if (count < 0) {
        return errno == EINTR ? 0 : -1;
    }
    for (int i = 0; i < count; i++) {
        uint32_t ready = poller->events[i].events;
        events[i].owner = poller->events[i].data.ptr;
        events[i].ready =
            ((ready & EPOLLIN) != 0 ? POLL_READ : 0) | ((ready & EPOLLOUT) != 0 ? POLL_WRITE : 0);
        if ((ready & (EPOLLERR | EPOLLHUP)) != 0) {
            events[i].ready = POLL_READ | POLL_WRITE;
        }
    }
    return count;
}

const struct poller_kind *poller_kind_epoll(void)
{
    static const struct poller_kind kind = {
        .name = "epoll",
        .open = epoll_open,
        .close = epoll_close,
        .add = epoll_add,
        .change = epoll_change,
        .remove = epoll_remove,
        .wait = epoll_wait_for,
    };
    return &kind;
}

#else

const struct poller_kind *poller_kind_epoll(void)
{
    return NULL;
}

#endif
