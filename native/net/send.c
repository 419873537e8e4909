/* Unsent bytes; see send.h. */
#include "net/send.h"

#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/worker.h"

void send_failed(struct worker *worker, struct conn *conn, const char *why)
{
    char text[128];
    int len = snprintf(text, sizeof text, "Writing to client: %s", why);
    worker->net->hooks.client_error(worker->net->hooks.user, conn,
                                    (struct bytes){ text, (size_t)len });
    conn->session.flags |= SESSION_CLOSE_NOW;
    conn->session.close_reason = RLN_CLOSE_SOCKET_ERROR;
}

void send_outbox(struct worker *worker, struct conn *conn)
{
    struct outbox *outbox = conn->outbox;
    uint64_t sent = 0;
    enum output_result result = outbox_send(conn->fd, outbox, &sent);
    stat_add(&worker->executor.stats.net_out, sent);
    stat_add(&worker->executor.stats.writes, 1);
    if (result == OUTPUT_FAILED) {
        send_failed(worker, conn, os_error(errno).text);
    }
    if (result == OUTPUT_SENT) {
        outbox_destroy(outbox);
        conn->outbox = NULL;
    }
}

/* ---- Limits ------------------------------------------------------------------------------ */

struct limit {
    uint64_t hard, soft;
    int64_t soft_seconds;
};

static struct limit limit_of(const struct net_settings *settings, const struct conn *conn)
{
    bool listens = (conn->session.flags & SESSION_SUBSCRIBED) != 0;
    return (struct limit){
        atomic_load_explicit(listens ? &settings->pubsub_hard_limit : &settings->output_hard_limit,
                             memory_order_relaxed),
        atomic_load_explicit(listens ? &settings->pubsub_soft_limit : &settings->output_soft_limit,
                             memory_order_relaxed),
        atomic_load_explicit(listens ? &settings->pubsub_soft_seconds
                                     : &settings->output_soft_seconds,
                             memory_order_relaxed),
    };
}

static bool over_limit(const struct limit *limit, struct outbox *outbox, int64_t now_ms)
{
    size_t left = outbox_left(outbox);
    if (limit->hard != 0 && left > limit->hard) {
        return true;
    }
    if (limit->soft == 0 || left <= limit->soft) {
        outbox->over_soft_since_ms = 0;
        return false;
    }
    if (outbox->over_soft_since_ms == 0) {
        outbox->over_soft_since_ms = now_ms;
    }
    return now_ms - outbox->over_soft_since_ms > 1000 * limit->soft_seconds;
}

static void close_over_limit(struct worker *worker, struct conn *conn)
{
    stat_add(&worker->executor.stats.output_buffer_limit, 1);
    conn->session.flags |= SESSION_CLOSE_NOW;
    conn->session.close_reason = RLN_CLOSE_OUTPUT_BUFFER;
}

void send_check_limit(struct worker *worker, struct conn *conn)
{
    struct limit limit = limit_of(&worker->net->settings, conn);
    if (over_limit(&limit, conn->outbox, worker->executor.thread.now_ms)) {
        close_over_limit(worker, conn);
    }
}

/* ---- Messages ----------------------------------------------------------------------------- */

static void join_pushed(struct worker *worker, struct conn *conn)
{
    if (!conn->pushed) {
        conn->pushed = true;
        conn->next_pushed = worker->pushed;
        worker->pushed = conn;
    }
}

void send_push(struct worker *worker, struct conn *conn, struct bytes bytes)
{
    struct reply message = { .out = { (char *)(uintptr_t)bytes.at, bytes.len, bytes.len } };
    struct output_range range = { .end = bytes.len };
    if ((conn->session.flags & (SESSION_CLOSE_NOW | SESSION_CLOSE_AFTER_REPLY)) != 0) {
        return;
    }
    if (!outbox_add(&conn->outbox, &message, &range)) {
        send_failed(worker, conn, "out of memory");
    }
    join_pushed(worker, conn);
}

void send_overrun(struct worker *worker, struct conn *conn)
{
    if ((conn->session.flags & SESSION_CLOSE_NOW) == 0) {
        close_over_limit(worker, conn);
        join_pushed(worker, conn);
    }
}

void send_pushed(struct worker *worker)
{
    while (worker->pushed != NULL) {
        struct conn *conn = worker->pushed;
        worker->pushed = conn->next_pushed;
        conn->pushed = false;
        if (conn->outbox != NULL && (conn->session.flags & SESSION_CLOSE_NOW) == 0) {
            send_outbox(worker, conn);
        }
        if (conn->outbox != NULL && (conn->session.flags & SESSION_CLOSE_NOW) == 0) {
            send_check_limit(worker, conn);
        }
        if ((conn->session.flags & SESSION_CLOSE_NOW) != 0) {
            worker_close(worker, conn, (enum rln_close_reason)conn->session.close_reason);
        } else {
            conn_count_memory(conn);
            conn_set_interest(conn, (conn->interest & POLL_READ) |
                                        (conn->outbox != NULL ? POLL_WRITE : 0));
        }
    }
}
