/* The poller that every POSIX system has: poll().  Its cost grows with the number of
 * descriptors; it is for systems without a better one, and for the blocking model, where a
 * worker watches one client. */
#include "net/poll.h"

#include <errno.h>
#include <poll.h>

#include "base/mem.h"

struct poller {
    struct pollfd *fds;
    void **owners;
    int count, room;
    int next; /* where the next round begins to hand out events, so that all get their turn */
};

static struct poller *poll_open(void)
{
    return mem_zalloc(sizeof(struct poller));
}

static void poll_close(struct poller *poller)
{
    if (poller != NULL) {
        mem_free(poller->fds);
        mem_free(poller->owners);
        mem_free(poller);
    }
}

static short events_of(int interest)
{
    return (short)(((interest & POLL_READ) != 0 ? POLLIN : 0) |
                   ((interest & POLL_WRITE) != 0 ? POLLOUT : 0));
}

static int find(const struct poller *poller, int fd)
{
    for (int i = 0; i < poller->count; i++) {
        if (poller->fds[i].fd == fd) {
            return i;
        }
    }
    return -1;
}

static int poll_add(struct poller *poller, int fd, int interest, void *owner)
{
    if (poller->count == poller->room) {
        int room = poller->room == 0 ? 8 : poller->room * 2;
        struct pollfd *fds = mem_try_realloc(poller->fds, (size_t)room * sizeof *fds);
        if (fds == NULL) {
            return ENOMEM;
        }
        poller->fds = fds;
        void **owners = mem_try_realloc(poller->owners, (size_t)room * sizeof *owners);
        if (owners == NULL) {
            return ENOMEM;
        }
        poller->owners = owners;
        poller->room = room;
    }
    poller->fds[poller->count] = (struct pollfd){ .fd = fd, .events = events_of(interest) };
    poller->owners[poller->count++] = owner;
    return 0;
}

static int poll_change(struct poller *poller, int fd, int interest, void *owner)
{
    int at = find(poller, fd);
    if (at < 0) {
        return ENOENT;
    }
    poller->fds[at].events = events_of(interest);
    poller->owners[at] = owner;
    return 0;
}

static void poll_remove(struct poller *poller, int fd)
{
    int at = find(poller, fd);
    if (at >= 0) {
        poller->count--;
        poller->fds[at] = poller->fds[poller->count];
        poller->owners[at] = poller->owners[poller->count];
    }
}

static int poll_wait(struct poller *poller, struct poll_event *events, int room, int timeout_ms)
{
    int ready = poll(poller->fds, (nfds_t)poller->count, timeout_ms);
    if (ready < 0) {
        return errno == EINTR ? 0 : -1;
    }
    int filled = 0;
    int first = poller->next;
    for (int i = 0; i < poller->count && filled < ready && filled < room; i++) {
        int at = (first + i) % poller->count;
        short got = poller->fds[at].revents;
        if (got == 0) {
            continue;
        }
        bool both = (got & (POLLERR | POLLHUP | POLLNVAL)) != 0;
        events[filled].owner = poller->owners[at];
        events[filled].ready = (both || (got & POLLIN) != 0 ? POLL_READ : 0) |
                               (both || (got & POLLOUT) != 0 ? POLL_WRITE : 0);
        filled++;
        poller->next = at + 1;
    }
    return filled;
}

const struct poller_kind *poller_kind_poll(void)
{
    static const struct poller_kind kind = {
        .name = "poll",
        .open = poll_open,
        .close = poll_close,
        .add = poll_add,
        .change = poll_change,
        .remove = poll_remove,
        .wait = poll_wait,
    };
    return &kind;
}
