/* The thread of a worker: jobs in, steps, and a look around once in a while; see worker.h. */
#include "net/worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/job.h"
#include "net/send.h"

enum {
    ROUND_MS = 1000,       /* between looks for idle and lagging clients */
    WAITING_ROUND_MS = 20, /* between tries of clients held back by CLIENT PAUSE */
    LAST_REPLIES_MS = 250, /* for slow readers, at the end */
    ADOPT_AT_ONCE = 256,
};

static void wake_for_mail(void *user)
{
    worker_wake(user);
}

static void serve_others(void *user, struct session *running);

bool worker_init(struct worker *worker, struct net *net, unsigned number)
{
    memset(worker, 0, sizeof *worker);
    worker->net = net;
    worker->number = number;
    worker->waker = (struct os_waker){ -1, -1 };
    mailbox_init(&worker->mailbox, number, &net->engine->mail, wake_for_mail, worker);
    int err = os_waker_open(&worker->waker);
    if (err != 0) {
        errno = err;
        return false;
    }
    worker->kind = net->model == IO_BLOCKING ? poller_kind_poll() : net->poller;
    worker->poller = worker->kind->open();
    if (worker->poller == NULL) {
        goto no_poller;
    }
    err = worker->kind->add(worker->poller, worker->waker.read_fd, POLL_READ, &worker->waker);
    if (err != 0) {
        errno = err;
        goto no_step;
    }
    worker->jobs = net->shared_jobs != NULL ? net->shared_jobs : &worker->own_jobs;
    errno = ENOMEM;
    if (!step_init(&worker->step)) {
        goto no_step;
    }
    if (!executor_init(&worker->executor, net->engine)) {
        goto no_executor;
    }
    if (net->shared_jobs == NULL && !queue_init(&worker->own_jobs, net->job_queue_length)) {
        goto no_queue;
    }
    worker->executor.mailbox = &worker->mailbox;
    worker->executor.serve_others = serve_others;
    worker->executor.serve_user = worker;
    return true;

no_queue:
    executor_release(&worker->executor);
no_executor:
    step_release(&worker->step);
no_step:
    worker->kind->close(worker->poller);
no_poller:
    os_waker_close(&worker->waker);
    return false;
}

void worker_join(struct worker *worker)
{
    if (worker->started) {
        pthread_join(worker->thread, NULL);
        worker->started = false;
    }
}

void worker_release(struct worker *worker)
{
    if (worker->net->shared_jobs == NULL) {
        queue_release(&worker->own_jobs);
    }
    executor_release(&worker->executor);
    deadlines_release(&worker->deadlines);
    mailbox_release(&worker->mailbox);
    step_release(&worker->step);
    worker->kind->close(worker->poller);
    os_waker_close(&worker->waker);
}

void worker_request_stop(struct worker *worker)
{
    atomic_store_explicit(&worker->stopping, true, memory_order_release);
    worker_wake(worker);
}

void worker_wake_for_killed(struct worker *worker)
{
    atomic_store_explicit(&worker->killed_waiting, true, memory_order_release);
    worker_wake(worker);
}

void worker_close(struct worker *worker, struct conn *conn, enum rln_close_reason reason)
{
    const struct net_hooks *hooks = &worker->net->hooks;
    if (conn == worker->held) { /* Its command is running; the step that it is in closes it. */
        conn->session.flags |= SESSION_CLOSE_NOW;
        conn->session.close_reason = (uint8_t)reason;
        return;
    }
    if (worker->outer != NULL) {
        step_forget(worker->outer, conn);
    }
    hooks->disconnected(hooks->user, conn, reason);
    stat_add(&worker->executor.stats.client_disconnects, 1);
    conn_destroy(conn);
    atomic_fetch_sub_explicit(&worker->load, 1, memory_order_relaxed);
}

/* Takes over a socket that the acceptor handed in.  In a batch. */
static void adopt(struct worker *worker, struct job *job)
{
    struct net *net = worker->net;
    struct conn *conn = conn_create(worker, job->fd, &job->peer);
    if (conn == NULL) {
        log_warning(net->log, "no memory for another client");
        close(job->fd);
        atomic_fetch_sub_explicit(&net->clients, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&worker->load, 1, memory_order_relaxed);
        mem_free(job);
        return;
    }
    mem_free(job);
    net->hooks.connected(net->hooks.user, conn);
    stat_add(&worker->executor.stats.connections, 1);
    int err = worker->kind->add(worker->poller, conn->fd, POLL_READ, conn);
    if (err != 0) {
        log_warning(net->log, "can't watch a client's socket: %s", os_error(err).text);
        worker_close(worker, conn, RLN_CLOSE_SOCKET_ERROR);
    }
}

static void take_jobs(struct worker *worker)
{
    for (int i = 0; i < ADOPT_AT_ONCE; i++) {
        struct job *job = queue_try_pop(worker->jobs);
        if (job == NULL) {
            return;
        }
        adopt(worker, job);
    }
    worker_wake(worker); /* The rest in the next step. */
}

static void close_killed(struct worker *worker)
{
    if (!atomic_exchange_explicit(&worker->killed_waiting, false, memory_order_acq_rel)) {
        return;
    }
    struct conn *next;
    for (struct conn *conn = worker->conns; conn != NULL; conn = next) {
        next = conn->next;
        if ((session_checks(&conn->session) & SESSION_KILLED) != 0) {
            worker_close(worker, conn, (enum rln_close_reason)conn->session.close_reason);
        }
    }
}

static void close_idle(struct worker *worker, int64_t now_ms)
{
    int64_t timeout =
        atomic_load_explicit(&worker->net->settings.timeout, memory_order_relaxed) * 1000;
    if (timeout <= 0) {
        return;
    }
    struct conn *next;
    for (struct conn *conn = worker->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (now_ms - conn->session.active_ms > timeout && !blocking_holds(&conn->session) &&
            (conn->session.flags & SESSION_SUBSCRIBED) == 0) {
            log_verbose(worker->net->log, "Closing idle client");
            worker_close(worker, conn, RLN_CLOSE_IDLE_TIMEOUT);
        }
    }
}

/* Those who do not read, and have been above their soft limit for long enough, though nothing more
 * was said to them; or whose limit is a new one. */
static void close_lagging(struct worker *worker)
{
    struct conn *next;
    for (struct conn *conn = worker->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->outbox != NULL && (conn->session.flags & SESSION_CLOSE_NOW) == 0) {
            send_check_limit(worker, conn);
            if ((conn->session.flags & SESSION_CLOSE_NOW) != 0) {
                worker_close(worker, conn, (enum rln_close_reason)conn->session.close_reason);
            }
        }
    }
}

/* Tries the commands of clients that were held back; those with unsent replies are tried
 * when their socket takes more. */
static void retry_waiting(struct worker *worker)
{
    int count = 0;
    for (struct conn *conn = worker->conns; conn != NULL && count < STEP_EVENTS;
         conn = conn->next) {
        if (conn->waiting && conn->outbox == NULL) {
            worker->step.events[count++] = (struct poll_event){ conn, POLL_NOTHING };
        }
    }
    if (count > 0) {
        step_run(worker, worker->step.events, count);
    }
}

/* Answers the blocked clients whose time is over, and serves on those that were answered. */
static void serve_answered(struct worker *worker)
{
    struct engine *engine = worker->net->engine;
    struct poll_event *events = worker->step.events;
    int64_t now_ms = worker->executor.thread.now_ms;
    struct conn *conn;
    while ((conn = deadlines_take(&worker->deadlines, now_ms)) != NULL) {
        if ((conn->session.flags & SESSION_BLOCKED) != 0) {
            blocking_time_out(&engine->blocking, &conn->session);
            conn->session.carrier->answered(&conn->session);
        }
    }
    while (worker->answered != NULL) {
        int count = 0;
        while (worker->answered != NULL && count < STEP_EVENTS) {
            conn = worker->answered;
            worker->answered = conn->next_answered;
            conn->answered = false;
            events[count++] = (struct poll_event){ conn, POLL_NOTHING };
        }
        step_run(worker, events, count);
    }
}

/* How long the next wait may last, in milliseconds. */
static int patience(const struct worker *worker)
{
    if (worker->waiting_count > 0) {
        return WAITING_ROUND_MS;
    }
    if (worker->deadlines.count > 0) {
        int64_t left =
            deadlines_first(&worker->deadlines) - clock_wall_ms(worker->net->engine->clock);
        if (left < ROUND_MS) {
            return left > 0 ? (int)left : 0;
        }
    }
    /* Without a timeout too: CONFIG SET may give one at any time, and wakes nobody. */
    return worker->conn_count > 0 ? ROUND_MS : -1;
}

uint64_t net_client_memory(const struct net *net)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < net->worker_count; i++) {
        sum += stat_read(&net->workers[i].client_memory);
    }
    return sum;
}

bool net_clients_too_large(const struct net *net)
{
    uint64_t limit = atomic_load_explicit(&net->settings.client_memory_limit, memory_order_relaxed);
    return limit != 0 && net_client_memory(net) >= limit;
}

static void read_mail(struct worker *worker)
{
    if (mailbox_has_mail(&worker->mailbox)) {
        mailbox_read(&worker->mailbox, &worker->executor);
    }
}

/* Serves what the poller told: 'count' events, the waker's among them.  In a batch. */
static void serve_in_batch(struct worker *worker, int count)
{
    struct poll_event *events = worker->step.events;
    bool woken = false;
    int clients = 0;
    for (int i = 0; i < count; i++) {
        if (events[i].owner == &worker->waker) {
            woken = true;
        } else if (events[i].owner != worker->held || worker->held == NULL) {
            events[clients++] = events[i];
        }
    }
    read_mail(worker); /* First: what was said before a request came is heard before its reply. */
    if (clients > 0) {
        step_run(worker, events, clients);
    }
    if (woken) {
        os_waker_drain(&worker->waker);
        close_killed(worker);
        if (worker->net->model == IO_EVENTS) {
            take_jobs(worker);
        }
    }
    if (worker->waiting_count > 0) {
        retry_waiting(worker);
    }
    read_mail(worker); /* What has changed is heard before the answers that came of it. */
    if (worker->answered != NULL || worker->deadlines.count > 0) {
        serve_answered(worker);
        read_mail(worker);
    }
    send_pushed(worker);
    int64_t now_ms = worker->executor.thread.now_ms;
    if (now_ms >= worker->next_round_ms && worker->outer == NULL) {
        worker->next_round_ms = now_ms + ROUND_MS;
        close_idle(worker, now_ms);
        close_lagging(worker);
    }
}

static void serve(struct worker *worker, int count)
{
    executor_enter(&worker->executor);
    serve_in_batch(worker, count);
    executor_leave(&worker->executor);
    if (net_clients_too_large(worker->net)) {
        worker->net->hooks.clients_too_large(worker->net->hooks.user);
    }
}

static int wait_for_events(struct worker *worker, int timeout_ms)
{
    int count = worker->kind->wait(worker->poller, worker->step.events, STEP_EVENTS, timeout_ms);
    if (count < 0) {
        log_warning(worker->net->log, "waiting for clients: %s", os_error(errno).text);
        return 0;
    }
    return count;
}

/* A script of the client 'running' takes long, in the midst of a step: the others are served in a
 * step of its own. */
static void serve_others(void *user, struct session *running)
{
    struct worker *worker = user;
    struct step inner = { 0 };
    if (!step_init(&inner)) {
        return;
    }
    step_leave_others(worker, (const struct conn *)running);
    struct step outer = worker->step;
    worker->step = inner;
    worker->outer = &outer;
    worker->held = (struct conn *)running;
    serve_in_batch(worker, wait_for_events(worker, 0));
    inner = worker->step;
    worker->step = outer;
    worker->outer = NULL;
    worker->held = NULL;
    step_release(&inner);
}

static bool unsent_replies(const struct worker *worker)
{
    for (const struct conn *conn = worker->conns; conn != NULL; conn = conn->next) {
        if (conn->outbox != NULL) {
            return true;
        }
    }
    return false;
}

/* The end: requests that had arrived are answered, slow readers get a moment, then all
 * clients are closed, and those still in the queue too. */
static void finish(struct worker *worker)
{
    int count = 1;
    for (uint32_t rounds = worker->conn_count / STEP_EVENTS + 1; rounds > 0 && count > 0;
         rounds--) {
        count = wait_for_events(worker, 0);
        serve(worker, count);
    }
    int64_t until = clock_monotonic_us(worker->net->engine->clock) + LAST_REPLIES_MS * 1000;
    for (int tries = 0; tries < LAST_REPLIES_MS && unsent_replies(worker) &&
                        clock_monotonic_us(worker->net->engine->clock) < until;
         tries++) {
        serve(worker, wait_for_events(worker, 10));
    }
    executor_enter(&worker->executor);
    while (worker->conns != NULL) {
        worker_close(worker, worker->conns, RLN_CLOSE_SERVER_STOP);
    }
    struct job *job;
    while ((job = queue_try_pop(worker->jobs)) != NULL) {
        close(job->fd);
        atomic_fetch_sub_explicit(&worker->net->clients, 1, memory_order_relaxed);
        mem_free(job);
    }
    executor_leave(&worker->executor);
}

/* io-model blocking: with no client in hand, waits for one from the shared queue.  False
 * when the queue was closed. */
static bool wait_for_client(struct worker *worker)
{
    struct job *job = queue_pop(worker->jobs, -1);
    if (job == NULL) {
        return false;
    }
    atomic_fetch_add_explicit(&worker->load, 1, memory_order_relaxed);
    executor_enter(&worker->executor);
    adopt(worker, job);
    executor_leave(&worker->executor);
    return true;
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load_explicit(&worker->stopping, memory_order_acquire)) {
        if (worker->net->model == IO_BLOCKING && worker->conn_count == 0) {
            if (!wait_for_client(worker)) {
                break;
            }
            continue;
        }
        serve(worker, wait_for_events(worker, patience(worker)));
    }
    finish(worker);
    return NULL;
}

int worker_start(struct worker *worker)
{
    int err = thread_start(&worker->thread, "rln-worker", run, worker);
    worker->started = err == 0;
    return err;
}
