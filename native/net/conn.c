/* A connection's life, and what its session asks of it; see conn.h. */
#include "net/conn.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/os.h"
#include "base/slab.h"
#include "net/poll.h"
#include "net/send.h"
#include "net/worker.h"

size_t conn_peer_text(const struct conn *conn, char *out, size_t room)
{
    return peer_text(&conn->peer, out, room);
}

static const struct conn *conn_of(const struct session *session)
{
    return (const struct conn *)session;
}

static void addresses(const struct session *session, struct buf *peer, struct buf *ours)
{
    const struct conn *conn = conn_of(session);
    char text[128];
    size_t len = conn_peer_text(conn, text, sizeof text);
    buf_append(peer, (struct bytes){ text, len });
    struct sockaddr_storage name;
    socklen_t room = sizeof name;
    if (getsockname(conn->fd, (struct sockaddr *)&name, &room) == 0) {
        struct peer local = peer_of((const struct sockaddr *)&name);
        len = peer_text(&local, text, sizeof text);
        buf_append(ours, (struct bytes){ text, len });
    }
}

static int descriptor(const struct session *session)
{
    return conn_of(session)->fd;
}

static void buffers(const struct session *session, size_t *query, size_t *query_free,
                    size_t *output, size_t *output_pieces, size_t *total)
{
    const struct conn *conn = conn_of(session);
    *query = conn->input.len;
    *query_free = conn->input.cap - conn->input.len;
    *output = outbox_memory(conn->outbox);
    *output_pieces = conn->outbox == NULL ? 0 : 1 + conn->outbox->kept.part_count;
    *total =
        sizeof *conn + conn->input.cap + reader_memory(conn->reader) + outbox_held(conn->outbox);
}

void conn_count_memory(struct conn *conn)
{
    size_t now = session_memory(&conn->session);
    stat_add(&conn->worker->client_memory, now - conn->counted);
    conn->counted = now;
}

static void kill_session(struct session *session)
{
    if (session->close_reason == RLN_CLOSE_BY_CLIENT) {
        session->close_reason = RLN_CLOSE_KILLED; /* Nobody has said otherwise. */
    }
    session_set_check(session, SESSION_KILLED, true);
    worker_wake_for_killed(conn_of(session)->worker);
}

/* In the exclusive section, where the worker's list may be touched by whoever is in it. */
static void note_answer(struct session *session)
{
    struct conn *conn = (struct conn *)session;
    struct worker *worker = conn->worker;
    if (!conn->answered) {
        conn->answered = true;
        conn->next_answered = worker->answered;
        worker->answered = conn;
        worker_wake(worker);
    }
}

static void push_message(struct session *session, struct bytes bytes)
{
    struct conn *conn = (struct conn *)session;
    send_push(conn->worker, conn, bytes);
}

static void overrun(struct session *session)
{
    struct conn *conn = (struct conn *)session;
    send_overrun(conn->worker, conn);
}

static struct mailbox *mailbox_of(const struct session *session)
{
    return &conn_of(session)->worker->mailbox;
}

static const struct session_carrier tcp_carrier = {
    .addresses = addresses,
    .descriptor = descriptor,
    .buffers = buffers,
    .kill = kill_session,
    .answered = note_answer,
    .push = push_message,
    .overrun = overrun,
    .mailbox = mailbox_of,
    .kind = 'N',
};
static const struct session_carrier unix_carrier = {
    .addresses = addresses,
    .descriptor = descriptor,
    .buffers = buffers,
    .kill = kill_session,
    .answered = note_answer,
    .push = push_message,
    .overrun = overrun,
    .mailbox = mailbox_of,
    .kind = 'U',
};

struct conn *conn_create(struct worker *worker, int fd, const struct peer *peer)
{
    struct conn *conn = slab_alloc(worker->executor.thread.heap, sizeof *conn);
    if (conn == NULL) {
        return NULL;
    }
    memset(conn, 0, sizeof *conn);
    conn->worker = worker;
    conn->fd = fd;
    conn->peer = *peer;
    conn->interest = POLL_READ;
    session_init(&conn->session, worker->net->engine,
                 peer->family == AF_UNIX ? &unix_carrier : &tcp_carrier,
                 worker->executor.thread.now_ms);
    conn_count_memory(conn);
    conn->next = worker->conns;
    if (conn->next != NULL) {
        conn->next->previous = conn;
    }
    worker->conns = conn;
    worker->conn_count++;
    return conn;
}

static void leave_answered(struct worker *worker, struct conn *conn)
{
    struct conn **link = &worker->answered;
    while (*link != conn) {
        link = &(*link)->next_answered;
    }
    *link = conn->next_answered;
}

static void leave_pushed(struct worker *worker, struct conn *conn)
{
    struct conn **link = &worker->pushed;
    while (*link != conn) {
        link = &(*link)->next_pushed;
    }
    *link = conn->next_pushed;
}

void conn_destroy(struct conn *conn)
{
    struct worker *worker = conn->worker;
    deadlines_remove(&worker->deadlines, conn);
    if (conn->answered) {
        leave_answered(worker, conn);
    }
    if (conn->pushed) {
        leave_pushed(worker, conn);
    }
    if (conn->previous != NULL) {
        conn->previous->next = conn->next;
    } else {
        worker->conns = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->previous = conn->previous;
    }
    worker->conn_count--;
    stat_add(&worker->client_memory, 0 - conn->counted);
    worker->waiting_count -= conn->waiting;
    session_release(&conn->session, worker->net->engine, &worker->executor);
    worker->kind->remove(worker->poller, conn->fd);
    close(conn->fd);
    buf_release(&conn->input);
    reader_destroy(conn->reader);
    outbox_destroy(conn->outbox);
    slab_free(worker->executor.thread.heap, conn, sizeof *conn);
    atomic_fetch_sub_explicit(&worker->net->clients, 1, memory_order_relaxed);
}

void conn_set_interest(struct conn *conn, int interest)
{
    if (conn->interest != interest) {
        conn->interest = (uint8_t)interest;
        int err = conn->worker->kind->change(conn->worker->poller, conn->fd, interest, conn);
        if (err != 0) {
            log_warning(conn->worker->net->log, "can't watch a client's socket: %s",
                        os_error(err).text);
            conn->session.flags |= SESSION_CLOSE_NOW;
        }
    }
}
