/* The poller of macOS and the BSDs: kqueue, level-triggered. */
#include "net/poll.h"

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)

#include <errno.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"

enum { KQUEUE_ROOM = 256 };

struct poller {
    int fd;
    struct kevent events[KQUEUE_ROOM];
};

static struct poller *kqueue_open(void)
{
    int fd = kqueue();
    if (fd < 0) {
        return NULL;
    }
    struct poller *poller = mem_alloc(sizeof *poller);
    poller->fd = fd;
    return poller;
}

static void kqueue_close(struct poller *poller)
{
    if (poller != NULL) {
        close(poller->fd);
        mem_free(poller);
    }
}

/* Switches one filter on or off; a filter that is not there can't be deleted: no matter. */
static int set_filter(struct poller *poller, int fd, int16_t filter, bool on, void *owner)
{
    struct kevent change;
    EV_SET(&change, (uintptr_t)fd, filter, on ? EV_ADD : EV_DELETE, 0, 0, owner);
    if (kevent(poller->fd, &change, 1, NULL, 0, NULL) < 0 && (on || errno != ENOENT)) {
        return errno;
    }
    return 0;
}

static int kqueue_change(struct poller *poller, int fd, int interest, void *owner)
{
    int err = set_filter(poller, fd, EVFILT_READ, (interest & POLL_READ) != 0, owner);
    if (err == 0) {
        err = set_filter(poller, fd, EVFILT_WRITE, (interest & POLL_WRITE) != 0, owner);
    }
    return err;
}

static void kqueue_remove(struct poller *poller, int fd)
{
    (void)kqueue_change(poller, fd, POLL_NOTHING, NULL);
}

static int kqueue_wait(struct poller *poller, struct poll_event *events, int room, int timeout_ms)
{
    struct timespec timeout = { timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000 };
    int count = kevent(poller->fd, NULL, 0, poller->events, room < KQUEUE_ROOM ? room : KQUEUE_ROOM,
                       timeout_ms < 0 ? NULL : &timeout);
    if (count < 0) {
        return errno == EINTR ? 0 : -1;
    }
    int filled = 0;
    for (int i = 0; i < count; i++) {
        const struct kevent *event = &poller->events[i];
        int ready = event->filter == EVFILT_WRITE ? POLL_WRITE : POLL_READ;
        if ((event->flags & (EV_EOF | EV_ERROR)) != 0) {
            ready = POLL_READ | POLL_WRITE;
        }
        /* Both filters of a descriptor may fire: they are told as one event, since the first
         * may end the owner. */
        int at = 0;
        while (at < filled && events[at].owner != event->udata) {
            at++;
        }
        if (at == filled) {
            events[filled++] = (struct poll_event){ .owner = event->udata };
        }
        events[at].ready |= ready;
    }
    return filled;
}

const struct poller_kind *poller_kind_kqueue(void)
{
    static const struct poller_kind kind = {
        .name = "kqueue",
        .open = kqueue_open,
        .close = kqueue_close,
        .add = kqueue_change,
        .change = kqueue_change,
        .remove = kqueue_remove,
        .wait = kqueue_wait,
    };
    return &kind;
}

#else

const struct poller_kind *poller_kind_kqueue(void)
{
    return NULL;
}

#endif
