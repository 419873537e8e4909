/* The six stages of a worker's step; see step.h for the picture. */
#include "net/step.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/send.h"
#include "net/worker.h"

bool step_init(struct step *step)
{
    step->events = mem_try_alloc(STEP_EVENTS * sizeof *step->events);
    step->arena = mem_try_alloc(STEP_ARENA);
    step->clients = mem_try_alloc(STEP_EVENTS * sizeof *step->clients);
    step->parsed = mem_try_alloc(STEP_REQUESTS * sizeof *step->parsed);
    step->requests = mem_try_alloc(STEP_REQUESTS * sizeof *step->requests);
    step->request_client = mem_try_alloc(STEP_REQUESTS * sizeof *step->request_client);
    step->request_start = mem_try_alloc(STEP_REQUESTS * sizeof *step->request_start);
    if (step->events == NULL || step->arena == NULL || step->clients == NULL ||
        step->parsed == NULL || step->requests == NULL || step->request_client == NULL ||
        step->request_start == NULL) {
        step_release(step);
        return false;
    }
    return true;
}

void step_release(struct step *step)
{
    mem_free(step->events);
    mem_free(step->arena);
    mem_free(step->clients);
    mem_free(step->parsed);
    mem_free(step->requests);
    mem_free(step->request_client);
    mem_free(step->request_start);
    argument_list_release(&step->arguments);
    reply_release(&step->reply);
    memset(step, 0, sizeof *step);
}

/* ---- read ------------------------------------------------------------------------ */

/* One recv() into 'room' bytes at 'to'; the count, 0 for nothing now.  Marks the end. */
static size_t receive(struct worker *worker, struct step_client *client, char *to, size_t room)
{
    struct conn *conn = client->conn;
    for (;;) {
        ssize_t count = recv(conn->fd, to, room, 0);
        if (count > 0) {
            stat_add(&worker->executor.stats.net_in, (uint64_t)count);
            return (size_t)count;
        }
        if (count == 0) {
            client->ended = true;
            conn->session.close_reason = RLN_CLOSE_BY_CLIENT;
            return 0;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            client->ended = true;
            conn->session.close_reason = RLN_CLOSE_SOCKET_ERROR;
            char text[128];
            int len = snprintf(text, sizeof text, "Reading from client: %s", os_error(errno).text);
            worker->net->hooks.client_error(worker->net->hooks.user, conn,
                                            (struct bytes){ text, (size_t)len });
        }
        return 0;
    }
}

/* A large incomplete command: straight into the connection's own buffer. */
static void read_into_own_buffer(struct worker *worker, struct step_client *client)
{
    struct buf *input = &client->conn->input;
    size_t free_room = input->cap - input->len;
    if (free_room == 0) {
        if (!buf_reserve(input, STEP_READ)) {
            client->ended = true;
            client->conn->session.close_reason = RLN_CLOSE_QUERY_BUFFER;
            return;
        }
        free_room = input->cap - input->len;
    }
    input->len += receive(worker, client, input->at + input->len, free_room);
    client->data = input->at;
    client->len = input->len;
    client->in_own_buffer = true;
}

/* Reads what a client has sent; '*arena_used' moves on. */
static void read_client(struct worker *worker, struct step_client *client, size_t *arena_used)
{
    struct buf *input = &client->conn->input;
    stat_add(&worker->executor.stats.reads, 1);
    if (input->len >= STEP_LARGE_INPUT) {
        read_into_own_buffer(worker, client);
        return;
    }
    char *to = worker->step.arena + *arena_used;
    size_t before = input->len;
    if (before > 0) {
        memcpy(to, input->at, before);
        buf_release(input);
    }
    size_t got = receive(worker, client, to + before, STEP_READ);
    client->data = to;
    client->len = before + got;
    *arena_used += client->len;
}

/* ---- write ----------------------------------------------------------------------- */

/* Sends a client's part of the replies; what the socket does not take is kept. */
static void write_client(struct worker *worker, struct step_client *client)
{
    struct conn *conn = client->conn;
    struct reply *reply = &worker->step.reply;
    struct output_range range = output_range(client->from, client->to);
    if (client->left || output_done(&range) || (conn->session.flags & SESSION_CLOSE_NOW) != 0) {
        return;
    }
    enum output_result result = OUTPUT_BLOCKED;
    if (conn->outbox == NULL) {
        uint64_t sent = 0;
        result = output_send(conn->fd, reply, &range, &sent);
        stat_add(&worker->executor.stats.net_out, sent);
        stat_add(&worker->executor.stats.writes, 1);
    }
    if (result == OUTPUT_FAILED) {
        send_failed(worker, conn, os_error(errno).text);
    } else if (result == OUTPUT_BLOCKED) {
        if (!outbox_add(&conn->outbox, reply, &range)) {
            send_failed(worker, conn, "out of memory");
        } else {
            send_check_limit(worker, conn);
        }
    }
}

/* What was changed is known to those who listen to prefixes before the one who changed it has the
 * reply. */
static inline void tell_changed(struct worker *worker)
{
    if (__builtin_expect(worker->executor.notes.count != 0, 0)) {
        tracking_broadcast(&worker->executor);
    }
}

/* Sends all replies that stand in the buffer and empties it.  The client at 'current' may get
 * more of them afterwards. */
static void write_all(struct worker *worker, uint32_t current)
{
    struct step *step = &worker->step;
    struct reply_mark end = reply_mark(&step->reply);
    tell_changed(worker);
    for (uint32_t i = step->first_unsent; i <= current && i < step->client_count; i++) {
        if (i == current) {
            step->clients[i].to = end;
        }
        write_client(worker, &step->clients[i]);
    }
    if (step->reply.failed) {
        step->clients[current].conn->session.flags |= SESSION_CLOSE_NOW;
    }
    reply_clear(&step->reply);
    step->first_unsent = current;
    if (current < step->client_count) {
        step->clients[current].from = step->clients[current].to = reply_mark(&step->reply);
    }
}

/* ---- prefetch and execute ---------------------------------------------------------- */

static bool must_wait(const struct worker *worker, const struct conn *conn)
{
    uint64_t pause = atomic_load_explicit(&worker->net->settings.reply_pause, memory_order_relaxed);
    return pause != 0 && outbox_left(conn->outbox) >= pause;
}

/* True when the client's session takes no further command in this step. */
static bool is_over(const struct conn *conn)
{
    return (conn->session.flags & (SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_NOW)) != 0;
}

/* Where in its client's data a parsed command ends. */
static size_t request_end(const struct step *step, uint32_t i)
{
    uint32_t at = step->request_client[i];
    return i + 1 < step->request_count && step->request_client[i + 1] == at
               ? step->request_start[i + 1]
               : step->clients[at].used;
}

/* Runs the parsed commands and forgets them. */
static void execute(struct worker *worker)
{
    struct step *step = &worker->step;
    struct executor *executor = &worker->executor;
    uint32_t count = step->request_count;
    size_t unsent = step->reply.out.len, sent = 0;
    executor_begin_round(executor);
    for (uint32_t i = 0; i < count; i++) {
        const struct parsed_command *parsed = &step->parsed[i];
        executor_prepare(executor, &step->clients[step->request_client[i]].conn->session,
                         step->arguments.at + parsed->first, parsed->count, parsed->dialect,
                         &step->requests[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        executor_prefetch(executor, &step->requests[i]);
        if (i % STEP_WINDOW == 0) {
            executor_prefetch_members(executor, step->requests + i,
                                      count - i < STEP_WINDOW ? count - i : STEP_WINDOW);
        }
        uint32_t at = step->request_client[i];
        struct step_client *client = &step->clients[at];
        if (client->stopped || is_over(client->conn)) {
            continue;
        }
        if (!client->answered) {
            client->answered = true;
            client->from = client->to = reply_mark(&step->reply);
        }
        struct session *session = &client->conn->session;
        step->running = i;
        executor_run(executor, session, &step->requests[i], &step->reply);
        if ((session->flags & SESSION_POSTPONED) != 0) {
            session->flags &= ~(uint32_t)SESSION_POSTPONED;
            client->stopped = true;
            client->resume_at = step->request_start[i];
        } else if ((session->flags & SESSION_BLOCKED) != 0) {
            client->stopped = true;
            client->resume_at = request_end(step, i);
        }
        client->to = reply_mark(&step->reply);
        if (step->reply.out.len + step->reply.referred > STEP_REPLIES) {
            sent += step->reply.out.len;
            write_all(worker, at);
        }
    }
    executor_end_round(executor, step->request_bytes + sent + step->reply.out.len - unsent);
    step->request_count = 0;
    step->request_bytes = 0;
    step->arguments.count = 0;
}

/* ---- parse ------------------------------------------------------------------------- */

static void refuse(struct worker *worker, struct step_client *client,
                   const struct read_result *result)
{
    struct step *step = &worker->step;
    struct session *session = &client->conn->session;
    stat_add(&worker->executor.stats.protocol_errors, 1);
    step->reply.protocol = session->protocol;
    step->reply.dialect = (uint8_t)result->dialect;
    if (!client->answered) {
        client->answered = true;
        client->from = reply_mark(&step->reply);
    }
    reply_error(&step->reply, result->error);
    client->to = reply_mark(&step->reply);
    session->flags |= SESSION_CLOSE_AFTER_REPLY;
    session->close_reason = RLN_CLOSE_PROTOCOL_ERROR;
    worker->net->hooks.client_error(worker->net->hooks.user, client->conn, result->error);
    client->used = client->len;
}

/* A long bulk is read straight into place from now on, up to a megabyte ahead of what has
 * come: who announces much and sends nothing takes nothing.  The commands before it run
 * first, since the buffer moves. */
static void make_room(struct worker *worker, struct step_client *client, size_t wanted)
{
    struct conn *conn = client->conn;
    enum { AHEAD = 1024 * 1024 };
    execute(worker);
    if (client->stopped || is_over(conn)) {
        return;
    }
    buf_consume(&conn->input, client->used);
    client->used = 0;
    size_t more = wanted > conn->input.len ? wanted - conn->input.len : 0;
    if (!buf_reserve(&conn->input, more < AHEAD ? more : AHEAD)) {
        conn->session.flags |= SESSION_CLOSE_NOW;
        conn->session.close_reason = RLN_CLOSE_QUERY_BUFFER;
    }
    client->data = conn->input.at;
    client->len = conn->input.len;
}

/* The answer of a blocked command, when it is there: before the replies of those behind it. */
static bool take_answer(struct worker *worker, struct step_client *client)
{
    struct step *step = &worker->step;
    struct session *session = &client->conn->session;
    if ((session->flags & SESSION_BLOCKED) != 0) {
        return false;
    }
    execute(worker); /* Other clients' replies may be sent and forgotten meanwhile. */
    if (client->left) {
        return false;
    }
    deadlines_remove(&worker->deadlines, client->conn);
    client->answered = true;
    client->from = reply_mark(&step->reply);
    blocking_take_answer(session, &step->reply);
    client->to = reply_mark(&step->reply);
    if (step->reply.failed) {
        session->flags |= SESSION_CLOSE_NOW;
    }
    return true;
}

/* Cuts a client's input into commands, running them whenever there are enough.  Commands of
 * a client that has not authenticated are run one by one, since the limits change with AUTH. */
static void parse_client(struct worker *worker, uint32_t at, struct reader_limits *limits)
{
    struct step *step = &worker->step;
    struct step_client *client = &step->clients[at];
    struct conn *conn = client->conn;
    step->parsing = at;
    if (client->left) {
        return;
    }
    if (blocking_holds(&conn->session) && !take_answer(worker, client)) {
        client->stopped = true;
        client->resume_at = 0;
    }
    while (client->used < client->len && !client->stopped && !is_over(conn)) {
        if (must_wait(worker, conn)) {
            client->stopped = true;
            client->resume_at = client->used;
            break;
        }
        limits->authenticated = (conn->session.flags & SESSION_AUTHENTICATED) != 0;
        struct bytes rest = { client->data + client->used, client->len - client->used };
        struct parsed_command *parsed = &step->parsed[step->request_count];
        struct read_result result;
        enum read_status status =
            reader_next(&conn->reader, limits, rest, &step->arguments, parsed, &result);
        if (status == READ_INCOMPLETE) {
            if (client->in_own_buffer && result.wanted > conn->input.cap - client->used) {
                make_room(worker, client, result.wanted);
            }
            break;
        }
        if (status == READ_BROKEN) {
            execute(worker);
            if (!client->stopped && !is_over(conn)) {
                refuse(worker, client, &result);
            }
            break;
        }
        size_t start = client->used;
        client->used += result.used;
        if (parsed->count == 0) {
            continue;
        }
        step->request_client[step->request_count] = at;
        step->request_start[step->request_count] = start;
        step->request_bytes += result.used;
        step->request_count++;
        if (step->request_count == STEP_REQUESTS || !limits->authenticated) {
            execute(worker);
        }
    }
}

/* ---- the end of a step --------------------------------------------------------------- */

/* Keeps what a client has sent and was not used. */
static void keep_rest(struct worker *worker, struct step_client *client)
{
    struct conn *conn = client->conn;
    if (client->untouched) {
        return;
    }
    if (client->stopped) {
        client->used = client->resume_at;
        reader_destroy(conn->reader);
        conn->reader = NULL;
    }
    /* A blocked client is read from all the same, so that its end is seen. */
    bool waits = client->stopped && !blocking_holds(&conn->session);
    worker->waiting_count += (uint32_t)waits - (uint32_t)conn->waiting;
    conn->waiting = waits;
    if (client->in_own_buffer) {
        buf_consume(&conn->input, client->used);
        if (conn->input.len == 0) {
            buf_release(&conn->input);
        }
    } else if (client->used < client->len) {
        struct bytes rest = { client->data + client->used, client->len - client->used };
        if (!buf_reserve(&conn->input, rest.len)) {
            conn->session.flags |= SESSION_CLOSE_NOW;
            return;
        }
        memcpy(conn->input.at, rest.at, rest.len);
        conn->input.len = rest.len;
    }
    uint64_t limit =
        atomic_load_explicit(&worker->net->settings.query_buffer_limit, memory_order_relaxed);
    if (conn->input.len > limit) {
        stat_add(&worker->executor.stats.query_buffer_limit, 1);
        conn->session.flags |= SESSION_CLOSE_NOW;
        conn->session.close_reason = RLN_CLOSE_QUERY_BUFFER;
    }
}

/* Closes a client, or says what its socket is watched for. */
static void settle(struct worker *worker, struct step_client *client)
{
    struct conn *conn = client->conn;
    uint32_t flags = conn->session.flags;
    if (!client->ended && (flags & SESSION_CLOSE_NOW) == 0) {
        keep_rest(worker, client);
        flags = conn->session.flags;
    }
    bool unsent = conn->outbox != NULL;
    if ((flags & SESSION_CLOSE_NOW) != 0 || client->ended ||
        ((flags & SESSION_CLOSE_AFTER_REPLY) != 0 && !unsent)) {
        worker_close(worker, conn, (enum rln_close_reason)conn->session.close_reason);
        return;
    }
    int64_t deadline = blocking_deadline(&conn->session);
    if (deadline != 0 && conn->deadline_at == 0) {
        deadlines_add(&worker->deadlines, conn, deadline);
    }
    if (conn_has_memory(conn)) {
        conn_count_memory(conn);
    }
    bool reads = (flags & SESSION_CLOSE_AFTER_REPLY) == 0 && !conn->waiting;
    conn_set_interest(conn, (reads ? POLL_READ : 0) | (unsent ? POLL_WRITE : 0));
}

void step_leave_others(struct worker *worker, const struct conn *running)
{
    struct step *step = &worker->step;
    tell_changed(worker);
    for (uint32_t i = step->running + 1; i < step->request_count; i++) {
        struct step_client *client = &step->clients[step->request_client[i]];
        if (client->conn != running && !client->stopped) {
            client->stopped = true;
            client->resume_at = step->request_start[i];
        }
    }
    for (uint32_t i = 0; i < step->client_count; i++) {
        struct step_client *client = &step->clients[i];
        if (client->left) {
            continue;
        }
        if (client->conn == running) { /* The replies to its commands before this one. */
            write_client(worker, client);
            client->from = client->to;
            continue;
        }
        if (i >= step->parsing && !client->stopped) {
            client->stopped = true;
            client->resume_at = client->used;
        }
        if (i >= step->first_unsent) {
            write_client(worker, client);
        }
        if (blocking_holds(&client->conn->session) &&
            (client->conn->session.flags & SESSION_BLOCKED) == 0) {
            client->conn->session.carrier->answered(&client->conn->session); /* Once more. */
        }
        client->left = true;
        settle(worker, client);
    }
}

void step_forget(struct step *step, const struct conn *conn)
{
    for (int i = 0; i < step->pending_count; i++) {
        if (step->pending[i].owner == conn) {
            step->pending[i].owner = NULL;
        }
    }
}

/* Takes a client into the step; false when the arena is full. */
static bool take_client(struct worker *worker, const struct poll_event *event, size_t *arena_used)
{
    struct step *step = &worker->step;
    struct conn *conn = event->owner;
    if (conn == NULL) {
        return true;
    }
    if (*arena_used + STEP_READ + STEP_LARGE_INPUT > STEP_ARENA) {
        return false;
    }
    struct step_client *client = &step->clients[step->client_count++];
    *client = (struct step_client){ .conn = conn };
    if ((event->ready & POLL_WRITE) != 0 && conn->outbox != NULL) {
        send_outbox(worker, conn);
    }
    if (event->ready != POLL_NOTHING && conn->interest == POLL_NOTHING) {
        client->ended = true; /* Not watched at all, it can only be the end. */
        conn->session.close_reason = RLN_CLOSE_BY_CLIENT;
    } else if (blocking_holds(&conn->session) && (event->ready & POLL_READ) != 0) {
        read_into_own_buffer(worker, client);
    } else if (!conn->waiting && (event->ready & POLL_READ) != 0 && !is_over(conn)) {
        read_client(worker, client, arena_used);
    } else if (conn->waiting || blocking_holds(&conn->session)) {
        /* Whether its commands may run now, the parse stage sees. */
        client->data = conn->input.at;
        client->len = conn->input.len;
        client->in_own_buffer = true;
    } else {
        client->untouched = true;
    }
    return true;
}

void step_run(struct worker *worker, struct poll_event *events, int count)
{
    struct step *step = &worker->step;
    struct net_settings *settings = &worker->net->settings;
    struct reader_limits limits = {
        .max_bulk_len = atomic_load_explicit(&settings->max_bulk_len, memory_order_relaxed),
        .max_arguments =
            (uint32_t)atomic_load_explicit(&settings->max_arguments, memory_order_relaxed),
        .max_inline = atomic_load_explicit(&settings->max_inline, memory_order_relaxed),
    };
    stat_add(&worker->executor.stats.steps, 1);
    int taken = 0;
    while (taken < count) {
        size_t arena_used = 0;
        step->client_count = step->first_unsent = 0;
        while (taken < count && take_client(worker, &events[taken], &arena_used)) {
            taken++;
        }
        step->pending = events + taken;
        step->pending_count = count - taken;
        for (uint32_t i = 0; i < step->client_count; i++) {
            parse_client(worker, i, &limits);
        }
        step->parsing = step->client_count;
        execute(worker);
        tell_changed(worker);
        for (uint32_t i = step->first_unsent; i < step->client_count; i++) {
            write_client(worker, &step->clients[i]);
        }
        reply_clear(&step->reply);
        for (uint32_t i = 0; i < step->client_count; i++) {
            if (!step->clients[i].left) {
                settle(worker, &step->clients[i]);
            }
        }
    }
    if (step->arguments.room > STEP_ARGUMENTS_KEPT) {
        argument_list_release(&step->arguments);
    }
}
