/* poller.h on epoll. */
#include "bench/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

enum { EVENTS = 256 };

struct poller {
    int fd;
    struct epoll_event events[EVENTS];
};

struct poller *poller_create(uint32_t count)
{
    (void)count;
    struct poller *poller = mem_zalloc(sizeof *poller);
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    if (poller->fd < 0) {
        mem_free(poller);
        return NULL;
    }
    return poller;
}

void poller_destroy(struct poller *poller)
{
    if (poller != NULL) {
        close(poller->fd);
        mem_free(poller);
    }
}

bool poller_add(struct poller *poller, uint32_t index, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = index };
    return epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void poller_want_write(struct poller *poller, uint32_t index, int fd, bool wanted)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = index };
    if (wanted) {
        event.events |= EPOLLOUT;
    }
    (void)epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event);
}

void poller_remove(struct poller *poller, uint32_t index, int fd)
{
    (void)index;
    (void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
}

size_t poller_wait(struct poller *poller, struct poller_event *events, size_t room, int timeout_ms)
{
    int most = room < EVENTS ? (int)room : EVENTS;
    int count = epoll_wait(poller->fd, poller->events, most, timeout_ms);
    for (int i = 0; i < count; i++) {
        uint32_t ready = poller->events[i].events;
        events[i] = (struct poller_event){
            .index = poller->events[i].data.u32,
            .readable = (ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
            .writable = (ready & EPOLLOUT) != 0,
        };
    }
    return count < 0 ? 0 : (size_t)count; /* A signal is as good as nothing. */
}
