/* A client that may wait for keys: one with a carrier; what its owner's thread would do is done
 * at once. */
#ifndef TEST_WAITING_CLIENT_H
#define TEST_WAITING_CLIENT_H

#include "exec/blocking.h"
#include "run.h"

struct waiting_client {
    struct run_client client;
    _Atomic uint32_t answers;
};

static inline void waiting_count_answer(struct session *session)
{
    struct run_client *client =
        (struct run_client *)(void *)((char *)session - offsetof(struct run_client, session));
    atomic_fetch_add(&((struct waiting_client *)client)->answers, 1);
}

static inline void waiting_no_push(struct session *session, struct bytes bytes)
{
    (void)session, (void)bytes;
}

static const struct session_carrier waiting_carrier = {
    .addresses = session_fixed_addresses,
    .descriptor = session_no_descriptor,
    .buffers = session_no_buffers,
    .kill = session_stay,
    .answered = waiting_count_answer,
    .push = waiting_no_push,
    .address = "",
    .kind = 'N',
};

static inline void waiting_init(struct waiting_client *waiting, struct run_server *server)
{
    memset(waiting, 0, sizeof *waiting);
    waiting->client.server = server;
    session_init(&waiting->client.session, &server->engine, &waiting_carrier,
                 server->now_us / 1000);
}

static inline bool waiting_waits(const struct waiting_client *waiting)
{
    return (waiting->client.session.flags & SESSION_BLOCKED) != 0;
}

/* The answer that was not taken yet. */
static inline struct bytes waiting_take(struct waiting_client *waiting)
{
    reply_clear(&waiting->client.reply);
    CHECK(blocking_holds(&waiting->client.session));
    CHECK(!waiting_waits(waiting));
    blocking_take_answer(&waiting->client.session, &waiting->client.reply);
    return run_flatten(&waiting->client);
}

#endif
