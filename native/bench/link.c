/* Connections of the load generator: see link.h. */
#include "bench/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#ifdef MSG_NOSIGNAL
enum { SEND_FLAGS = MSG_NOSIGNAL };
#else
enum { SEND_FLAGS = 0 }; /* The socket option does it. */
#endif

/* Waits for 'what'; 0 or an errno value. */
static int wait_for(int fd, short what, int patience_ms)
{
    struct pollfd one = { .fd = fd, .events = what };
    int ready;
    do {
        ready = poll(&one, 1, patience_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : ready == 0 ? ETIMEDOUT : errno;
}

static int set_up_socket(int fd)
{
    int on = 1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return errno;
    }
#ifdef SO_NOSIGPIPE
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return 0;
}

static int connect_socket(int fd, const struct sockaddr *address, unsigned address_len,
                          int patience_ms)
{
    if (connect(fd, address, (socklen_t)address_len) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    int err = wait_for(fd, POLLOUT, patience_ms);
    socklen_t len = sizeof err;
    if (err == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0) {
        err = errno;
    }
    return err;
}

/* AUTH, and the wait for its reply. */
static int authenticate(struct link *link, const char *password, int patience_ms, char *text,
                        size_t room)
{
    char answer[256];
    uint64_t bytes = 0;
    buf_printf(&link->out, "*2\r\n$4\r\nAUTH\r\n$%zu\r\n%s\r\n", strlen(password), password);
    if (link_flush(link, &bytes) != LINK_OK) {
        return EPIPE;
    }
    for (;;) {
        int err = wait_for(link->fd, POLLIN, patience_ms);
        ssize_t count = err == 0 ? recv(link->fd, answer, sizeof answer, 0) : 0;
        if (err != 0 || count <= 0) {
            return err != 0 ? err : ECONNRESET;
        }
        struct bytes in = { answer, (size_t)count };
        enum replies_status status = replies_next(&link->replies, &in);
        if (status == REPLIES_ONE && link->replies.kind != '-') {
            return 0;
        }
        if (status != REPLIES_MORE) {
            snprintf(text, room, "%.*s", status == REPLIES_ONE ? (int)link->replies.number : 0,
                     link->replies.line);
            return -1;
        }
    }
}

int link_open(struct link *link, const struct sockaddr *address, unsigned address_len,
              const char *password, uint32_t ring_room, int patience_ms, char *text, size_t room)
{
    memset(link, 0, sizeof *link);
    link->ring_room = ring_room;
    link->fd = socket(address->sa_family, SOCK_STREAM, 0);
    if (link->fd < 0) {
        return errno;
    }
    int err = set_up_socket(link->fd);
    if (err == 0) {
        err = connect_socket(link->fd, address, address_len, patience_ms);
    }
    if (err == 0 && password != NULL) {
        err = authenticate(link, password, patience_ms, text, room);
    }
    if (err == 0 && ring_room > 0) {
        link->ring = mem_try_alloc(ring_room * sizeof *link->ring);
        err = link->ring == NULL ? ENOMEM : 0;
    }
    if (err != 0) {
        link_close(link);
    }
    return err;
}

void link_close(struct link *link)
{
    if (link->fd >= 0) {
        close(link->fd);
    }
    link->fd = -1;
    mem_free(link->ring);
    link->ring = NULL;
    link->waiting = 0;
    buf_release(&link->out);
}

void link_push(struct link *link, int64_t since_ns, uint32_t template)
{
    uint32_t at = link->first + link->waiting;
    link->ring[at < link->ring_room ? at : at - link->ring_room] =
        (struct sent){ since_ns, template };
    link->waiting++;
}

struct sent link_pop(struct link *link)
{
    struct sent sent = link->ring[link->first];
    link->first = link->first + 1 < link->ring_room ? link->first + 1 : 0;
    link->waiting--;
    return sent;
}

enum link_status link_flush(struct link *link, uint64_t *bytes)
{
    while (link->out_sent < link->out.len) {
        ssize_t count = send(link->fd, link->out.at + link->out_sent,
                             link->out.len - link->out_sent, SEND_FLAGS);
        if (count >= 0) {
            link->out_sent += (size_t)count;
            *bytes += (uint64_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return LINK_BLOCKED;
        } else if (errno != EINTR) {
            return LINK_LOST;
        }
    }
    link->out.len = link->out_sent = 0;
    return LINK_OK;
}
