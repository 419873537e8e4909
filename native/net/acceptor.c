/* accept() and hand over; see acceptor.h. */
#include "net/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/queue.h"
#include "net/job.h"
#include "net/worker.h"

enum {
    ACCEPT_AT_ONCE = 1000,   /* from one listener before the others get their turn */
    SHORT_OF_FILES_MS = 100, /* to stand back when descriptors or memory are short */
    FULL_QUEUE_MS = 50,      /* to wait for room before the stop flag is looked at again */
    COMPLAINT_MS = 1000,     /* between two log lines about the same trouble */
};

void acceptor_request_stop(struct acceptor *acceptor)
{
    atomic_store_explicit(&acceptor->stopping, true, memory_order_release);
    os_wake(&acceptor->waker);
}

static bool stopping(const struct acceptor *acceptor)
{
    return atomic_load_explicit(&acceptor->stopping, memory_order_acquire);
}

/* True when it is time for another line about a trouble that goes on. */
static bool may_complain(struct acceptor *acceptor)
{
    int64_t now_ms = clock_monotonic_us(acceptor->net->engine->clock) / 1000;
    if (acceptor->last_complaint_ms != 0 && now_ms - acceptor->last_complaint_ms < COMPLAINT_MS) {
        return false;
    }
    acceptor->last_complaint_ms = now_ms;
    return true;
}

/* Says no with an error line; a client that does not take it at once goes without. */
static void turn_away(struct acceptor *acceptor, int fd, struct bytes line)
{
    ssize_t ignored = send(fd, line.at, line.len,
                           MSG_DONTWAIT
#ifdef MSG_NOSIGNAL
                               | MSG_NOSIGNAL
#endif
    );
    (void)ignored;
    close(fd);
    atomic_fetch_add_explicit(&acceptor->net->rejected, 1, memory_order_relaxed);
}

static void set_options(struct net *net, int fd, const struct peer *peer)
{
    int on = 1;
#ifdef SO_NOSIGPIPE
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    if (peer->family == AF_UNIX) {
        return;
    }
    /* A socket whose client is gone already refuses options: the first read will tell. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int64_t keepalive = atomic_load_explicit(&net->settings.tcp_keepalive, memory_order_relaxed);
    if (keepalive > 0) {
        (void)os_set_keepalive(fd, (int)keepalive);
    }
}

/* The worker with the least to do; among equals, the next in turn. */
static struct worker *choose_worker(struct acceptor *acceptor)
{
    struct net *net = acceptor->net;
    unsigned count = net->worker_count;
    struct worker *best = &net->workers[0];
    uint32_t least = UINT32_MAX;
    for (unsigned i = 0; i < count; i++) {
        struct worker *worker = &net->workers[(acceptor->next_worker + i) % count];
        uint32_t load = atomic_load_explicit(&worker->load, memory_order_relaxed);
        if (load < least) {
            least = load;
            best = worker;
        }
    }
    acceptor->next_worker = acceptor->next_worker + 1 < count ? acceptor->next_worker + 1 : 0;
    return best;
}

/* Puts the job into a queue, waiting for room as long as the server runs. */
static void hand_over(struct acceptor *acceptor, struct job *job)
{
    struct net *net = acceptor->net;
    for (;;) {
        struct worker *worker = net->model == IO_EVENTS ? choose_worker(acceptor) : NULL;
        if (worker != NULL) {
            atomic_fetch_add_explicit(&worker->load, 1, memory_order_relaxed);
        }
        struct queue *jobs = worker != NULL ? worker->jobs : net->shared_jobs;
        enum queue_result result = queue_push(jobs, job, FULL_QUEUE_MS * 1000);
        if (result == QUEUE_WAS_EMPTY && worker != NULL) {
            worker_wake(worker);
        }
        if (result == QUEUE_OK || result == QUEUE_WAS_EMPTY) {
            return;
        }
        if (worker != NULL) {
            atomic_fetch_sub_explicit(&worker->load, 1, memory_order_relaxed);
        }
        if (result == QUEUE_CLOSED || stopping(acceptor)) {
            close(job->fd);
            mem_free(job);
            atomic_fetch_sub_explicit(&net->clients, 1, memory_order_relaxed);
            return;
        }
    }
}

static void welcome(struct acceptor *acceptor, int fd, const struct peer *peer)
{
    struct net *net = acceptor->net;
    atomic_fetch_add_explicit(&net->accepted, 1, memory_order_relaxed);
    struct bytes refusal = net->hooks.refusal(net->hooks.user, peer);
    if (refusal.len > 0) {
        turn_away(acceptor, fd, refusal);
        return;
    }
    uint64_t limit = atomic_load_explicit(&net->settings.maxclients, memory_order_relaxed);
    if ((uint64_t)atomic_load_explicit(&net->clients, memory_order_relaxed) >= limit) {
        turn_away(acceptor, fd, LIT("-ERR max number of clients reached\r\n"));
        uint64_t refused = atomic_load_explicit(&net->rejected, memory_order_relaxed);
        net->hooks.limit_reached(net->hooks.user, "maxclients", (int64_t)limit, (int64_t)refused);
        return;
    }
    struct job *job = mem_try_alloc(sizeof *job);
    if (job == NULL) {
        close(fd);
        return;
    }
    *job = (struct job){ .kind = JOB_ADOPT, .fd = fd, .peer = *peer };
    atomic_fetch_add_explicit(&net->clients, 1, memory_order_relaxed);
    set_options(net, fd, peer);
    hand_over(acceptor, job);
}

/* After a failure that may go on: waits for the waker alone, since the listeners stay
 * ready and would make the loop spin. */
static void stand_back(struct acceptor *acceptor, int number)
{
    atomic_fetch_add_explicit(&acceptor->net->accept_pauses, 1, memory_order_relaxed);
    if (may_complain(acceptor)) {
        log_warning(acceptor->net->log, "Accepting client connection: accept: %s",
                    os_error(number).text);
        if (number == EMFILE || number == ENFILE) {
            acceptor->net->hooks.limit_reached(acceptor->net->hooks.user, "open-files", 0, 0);
        }
    }
    struct pollfd fd = { .fd = acceptor->waker.read_fd, .events = POLLIN };
    (void)poll(&fd, 1, SHORT_OF_FILES_MS);
}

static void accept_from(struct acceptor *acceptor, const struct listener *listener)
{
    for (int i = 0; i < ACCEPT_AT_ONCE && !stopping(acceptor); i++) {
        struct sockaddr_storage address = { .ss_family = AF_UNIX };
        unsigned len = sizeof address;
        int fd = os_accept(listener->fd, (struct sockaddr *)&address, &len);
        if (fd >= 0) {
            struct peer peer = peer_of((const struct sockaddr *)&address);
            if (listener->is_unix) {
                peer = (struct peer){ .family = AF_UNIX };
            }
            welcome(acceptor, fd, &peer);
            continue;
        }
        switch (errno) {
        case EAGAIN:
#if EAGAIN != EWOULDBLOCK
        case EWOULDBLOCK:
#endif
            return;
        case EINTR:
        case ECONNABORTED: /* It left before we came. */
            continue;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            stand_back(acceptor, errno);
            return;
        default:
            atomic_fetch_add_explicit(&acceptor->net->accept_errors, 1, memory_order_relaxed);
            stand_back(acceptor, errno);
            return;
        }
    }
}

void acceptor_run(struct acceptor *acceptor)
{
    struct pollfd fds[LISTENERS_MAX + 1];
    unsigned count = acceptor->listeners.count;
    for (unsigned i = 0; i < count; i++) {
        fds[i] = (struct pollfd){ .fd = acceptor->listeners.at[i].fd, .events = POLLIN };
    }
    fds[count] = (struct pollfd){ .fd = acceptor->waker.read_fd, .events = POLLIN };
    while (!stopping(acceptor)) {
        if (poll(fds, count + 1, -1) < 0) {
            continue; /* EINTR; anything else leaves nothing to be done but to try again. */
        }
        for (unsigned i = 0; i < count; i++) {
            if (fds[i].revents != 0) {
                accept_from(acceptor, &acceptor->listeners.at[i]);
            }
        }
    }
    listeners_close(&acceptor->listeners);
}
