/* In-process clients: a session without a socket, on the caller's thread; see rln.h. */
#include <string.h>

#include "base/mem.h"
#include "exec/executor.h"
#include "server/server.h"

struct rln_client {
    struct session session;
    struct executor executor;
    struct reply reply;
    struct buf flat; /* a reply with parts, in one piece */
    struct rln_server *server;
};

static const struct session_carrier in_process_carrier = {
    .addresses = session_fixed_addresses,
    .descriptor = session_no_descriptor,
    .buffers = session_no_buffers,
    .kill = session_stay,
    .address = "in-process:0",
    .size = sizeof(struct rln_client),
    .kind = 'N',
    .internal = true,
};

struct rln_client *rln_client_create(struct rln_server *server)
{
    if (!server_open_engine(server)) {
        return NULL;
    }
    struct rln_client *client = mem_try_aligned(CACHE_LINE, sizeof *client);
    if (client == NULL) {
        return NULL;
    }
    memset(client, 0, sizeof *client);
    client->server = server;
    if (!executor_init(&client->executor, &server->engine)) {
        mem_free(client);
        return NULL;
    }
    /* In the section: from session_init() on, CLIENT LIST of others may look at it. */
    executor_enter(&client->executor);
    session_init(&client->session, &server->engine, &in_process_carrier,
                 clock_wall_ms(&server->clock));
    client->session.protocol = 3;
    client->session.flags |= SESSION_INTERNAL | SESSION_AUTHENTICATED;
    executor_leave(&client->executor);
    return client;
}

void rln_client_destroy(struct rln_client *client)
{
    if (client == NULL) {
        return;
    }
    executor_enter(&client->executor);
    session_release(&client->session, &client->server->engine, &client->executor);
    executor_leave(&client->executor);
    executor_release(&client->executor);
    reply_release(&client->reply);
    buf_release(&client->flat);
    mem_free(client);
}

/* The reply in one piece: values that it refers to are copied into their places. */
static struct rln_bytes flatten(struct rln_client *client)
{
    const struct reply *reply = &client->reply;
    struct buf *flat = &client->flat;
    flat->len = 0;
    if (!buf_reserve(flat, reply->out.len + reply->referred)) {
        static const char text[] = "-ERR out of memory\r\n";
        return (struct rln_bytes){ text, sizeof text - 1 };
    }
    size_t at = 0;
    for (uint32_t i = 0; i < reply->part_count; i++) {
        const struct reply_part *part = &reply->parts[i];
        buf_append(flat, (struct bytes){ reply->out.at + at, part->offset - at });
        buf_append(flat, (struct bytes){ part->value->at + part->from, part->len });
        at = part->offset;
    }
    buf_append(flat, (struct bytes){ reply->out.at + at, reply->out.len - at });
    return (struct rln_bytes){ flat->at, flat->len };
}

/* In-process clients always speak RESP3 and never close: RESET, HELLO 2 and QUIT do not change
 * that.  CLIENT LIST of others reads the session, so it is written in the section only. */
static void stay_open(struct rln_client *client)
{
    const uint32_t closing = SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_NOW;
    struct session *session = &client->session;
    if (session->protocol != 3 || (session->flags & closing) != 0) {
        executor_enter(&client->executor);
        session->protocol = 3;
        session->flags &= ~closing;
        executor_leave(&client->executor);
    }
}

struct rln_bytes rln_client_call(struct rln_client *client, const struct rln_bytes *argv,
                                 size_t argc)
{
    _Static_assert(sizeof(struct rln_bytes) == sizeof(struct bytes), "the same layout");
    reply_clear(&client->reply);
    stay_open(client);
    executor_call(&client->executor, &client->session, (const struct bytes *)argv, (uint32_t)argc,
                  &client->reply);
    if (client->reply.part_count > 0) {
        return flatten(client);
    }
    return (struct rln_bytes){ client->reply.out.at, client->reply.out.len };
}
