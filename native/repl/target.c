/* A connection to another server; see target.h. */
#include "repl/target.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

#ifdef MSG_NOSIGNAL
enum { SEND_FLAGS = MSG_NOSIGNAL };
#else
enum { SEND_FLAGS = 0 }; /* The socket option does it. */
#endif

enum {
    SLICE_MS = 50, /* between two looks whether the server stops */
    PART = 64 * 1024,
    LINE_MAX_LEN = 64 * 1024,
    NAME_ROOM = 256,
};

void target_init(struct target *target)
{
    *target = (struct target){ .fd = -1 };
}

void target_close(struct target *target)
{
    if (target->fd >= 0) {
        close(target->fd);
    }
    buf_release(&target->in);
    target_init(target);
}

static int64_t now_ms(const struct target_wait *wait)
{
    return clock_monotonic_us(wait->clock) / 1000;
}

/* Until the descriptor is ready; false when it is not in time.  'began' is when the patience
 * did. */
static bool wait_until_ready(int fd, short events, int64_t began, const struct target_wait *wait)
{
    for (int64_t waited = 0;;) {
        int64_t passed = now_ms(wait) - began;
        /* A clock that stands still does not stop this. */
        int64_t left = wait->patience_ms - (passed > waited ? passed : waited);
        if (left <= 0 || atomic_load_explicit(wait->stopping, memory_order_relaxed)) {
            return false;
        }
        struct pollfd poll_fd = { .fd = fd, .events = events };
        int slice = left < SLICE_MS ? (int)left : SLICE_MS;
        int ready = poll(&poll_fd, 1, slice);
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
        waited += slice;
    }
}

/* ---- Connect --------------------------------------------------------------------------------- */

static bool set_up(int fd)
{
    int on = 1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return false;
    }
#ifdef SO_NOSIGPIPE
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}

/* What the system says of a connection that it was making; an errno value. */
static int result_of(int fd)
{
    int err = 0;
    socklen_t len = sizeof err;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

/* 0 with the socket in '*fd', or an errno value. */
static int connect_to(const struct addrinfo *address, int64_t began, const struct target_wait *wait,
                      int *fd)
{
    *fd = socket(address->ai_family, SOCK_STREAM, 0);
    if (*fd < 0) {
        return errno;
    }
    int err = set_up(*fd) && connect(*fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (err == EINPROGRESS) {
        err = wait_until_ready(*fd, POLLOUT, began, wait) ? result_of(*fd) : ETIMEDOUT;
    }
    if (err != 0) {
        close(*fd);
        *fd = -1;
    }
    return err;
}

/* As a terminated string; false when it can't be one. */
static bool copy_name(struct bytes name, char *out)
{
    if (name.len == 0 || name.len >= NAME_ROOM || memchr(name.at, '\0', name.len) != NULL) {
        return false;
    }
    memcpy(out, name.at, name.len);
    out[name.len] = '\0';
    return true;
}

enum target_outcome target_connect(struct target *target, struct bytes host, struct bytes port,
                                   const struct target_wait *wait)
{
    char name[NAME_ROOM], service[NUM_INT_ROOM + 1];
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses = NULL;
    int64_t number;
    if (!num_parse_i64(port, &number) || number < 1 || number > UINT16_MAX) {
        return TARGET_REFUSED;
    }
    snprintf(service, sizeof service, "%d", (int)number);
    if (!copy_name(host, name) || getaddrinfo(name, service, &hints, &addresses) != 0) {
        return TARGET_NOT_REACHED;
    }
    int64_t began = now_ms(wait);
    enum target_outcome outcome = TARGET_NOT_REACHED;
    for (const struct addrinfo *at = addresses; at != NULL && target->fd < 0; at = at->ai_next) {
        int err = connect_to(at, began, wait, &target->fd);
        outcome = err == 0 ? TARGET_CONNECTED : err == ECONNREFUSED ? TARGET_REFUSED : outcome;
    }
    freeaddrinfo(addresses);
    return outcome;
}

bool target_is_idle(const struct target *target)
{
    char byte;
    return target->fd >= 0 && target->in.len == target->consumed &&
           recv(target->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* ---- Talk ------------------------------------------------------------------------------------ */

static bool send_part(int fd, struct bytes part, const struct target_wait *wait)
{
    int64_t began = now_ms(wait);
    while (part.len > 0) {
        ssize_t count = send(fd, part.at, part.len, SEND_FLAGS);
        if (count >= 0) {
            part.at += count;
            part.len -= (size_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_until_ready(fd, POLLOUT, began, wait)) {
                return false;
            }
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool target_send(struct target *target, struct bytes bytes, const struct target_wait *wait)
{
    while (bytes.len > 0) {
        struct bytes part = { bytes.at, bytes.len < PART ? bytes.len : PART };
        if (!send_part(target->fd, part, wait)) {
            return false;
        }
        bytes.at += part.len;
        bytes.len -= part.len;
    }
    return true;
}

/* Reads what there is; false at the end. */
static bool read_more(struct target *target, int64_t began, const struct target_wait *wait)
{
    enum { READ = 4096 };
    for (;;) {
        if (!buf_reserve(&target->in, READ)) {
            return false;
        }
        ssize_t count = recv(target->fd, target->in.at + target->in.len, READ, 0);
        if (count > 0) {
            target->in.len += (size_t)count;
            return true;
        }
        if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ||
            !wait_until_ready(target->fd, POLLIN, began, wait)) {
            return false;
        }
    }
}

bool target_read_line(struct target *target, struct bytes *line, const struct target_wait *wait)
{
    int64_t began = now_ms(wait);
    buf_consume(&target->in, target->consumed);
    target->consumed = 0;
    for (;;) {
        const char *end = target->in.len > 0 ? memchr(target->in.at, '\n', target->in.len) : NULL;
        if (end != NULL) {
            size_t len = (size_t)(end - target->in.at);
            target->consumed = len + 1;
            *line = (struct bytes){ target->in.at, len > 0 && end[-1] == '\r' ? len - 1 : len };
            return true;
        }
        if (target->in.len > LINE_MAX_LEN || !read_more(target, began, wait)) {
            return false;
        }
    }
}
