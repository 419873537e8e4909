/* Commands without sockets: an engine with all command families, one executor, and any
 * number of clients on the test's own thread.
 *
 *     static struct run_server server;
 *     static struct run_client client;
 *
 *     run_server_init(&server);
 *     run_client_init(&client, &server);
 *     CHECK_REPLY(RUN(&client, LIT("SET"), LIT("k"), LIT("v")), "+OK\r\n");
 *     CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nv\r\n");
 *     run_advance_ms(&server, 1000);
 *     run_client_release(&client);
 *     run_server_release(&server);
 *
 * Time stands still at RUN_START_MS until run_advance_ms(); dice come from check_seed(). */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include "check.h"
#include "exec/call.h"
#include "server/families.h"

#define RUN_START_MS INT64_C(1700000000000)
enum { RUN_DATABASES = 16, RUN_ARGUMENTS_MAX = 64 };

struct run_server {
    struct engine engine;
    struct executor executor;
    struct clock clock;
    struct log log;
    int64_t now_us; /* Unix time; the monotonic clock runs beside it */
};

struct run_client {
    struct run_server *server;
    struct session session;
    struct reply reply;
    struct buf flat; /* the newest reply, with what it refers to in place */
};

static inline int64_t run_clock(void *user)
{
    return ((struct run_server *)user)->now_us;
}

static inline void run_log_nothing(void *user, enum log_level level, struct bytes line)
{
    (void)user;
    (void)level;
    (void)line;
}

/* 'server' stays in place until its release. */
static inline void run_server_init(struct run_server *server)
{
    uint32_t count;
    const struct command_family *const *families = command_families(&count);
    memset(server, 0, sizeof *server);
    server->now_us = RUN_START_MS * 1000;
    server->clock = (struct clock){ run_clock, run_clock, server };
    server->log.write = run_log_nothing;
    atomic_init(&server->log.level, LOG_NOTHING);
    struct engine_options options = {
        .clock = &server->clock,
        .log = &server->log,
        .families = families,
        .family_count = count,
        .databases = RUN_DATABASES,
        .seed = check_seed(),
    };
    CHECK(engine_init(&server->engine, &options));
    CHECK(executor_init(&server->executor, &server->engine));
}

static inline void run_server_release(struct run_server *server)
{
    executor_release(&server->executor);
    engine_release(&server->engine);
}

/* Where the server's values change their encodings; a test may set them. */
static inline struct value_limits *run_limits(struct run_server *server)
{
    return keyspace_limits(server->engine.keyspace);
}

static inline void run_advance_ms(struct run_server *server, int64_t ms)
{
    server->now_us += ms * 1000;
}

static inline void run_client_init(struct run_client *client, struct run_server *server)
{
    memset(client, 0, sizeof *client);
    client->server = server;
    session_init(&client->session, &server->engine, NULL, server->now_us / 1000);
}

static inline void run_client_release(struct run_client *client)
{
    executor_enter(&client->server->executor);
    session_release(&client->session, &client->server->engine, &client->server->executor);
    executor_leave(&client->server->executor);
    reply_release(&client->reply);
    buf_release(&client->flat);
}

/* The reply's bytes with the parts that it refers to, borrowed until the client's next
 * command. */
static inline struct bytes run_flatten(struct run_client *client)
{
    const struct reply *reply = &client->reply;
    size_t at = 0;
    client->flat.len = 0;
    for (uint32_t i = 0; i < reply->part_count; i++) {
        const struct reply_part *part = &reply->parts[i];
        buf_append(&client->flat, (struct bytes){ reply->out.at + at, part->offset - at });
        buf_append(&client->flat, (struct bytes){ part->value->at + part->from, part->len });
        at = part->offset;
    }
    if (reply->out.len > at) {
        buf_append(&client->flat, (struct bytes){ reply->out.at + at, reply->out.len - at });
    }
    return buf_bytes(&client->flat);
}

/* The reply, borrowed until the client's next command. */
static inline struct bytes run_command(struct run_client *client, const struct bytes *argv,
                                       size_t argc)
{
    reply_clear(&client->reply);
    executor_call(&client->server->executor, &client->session, argv, (uint32_t)argc,
                  &client->reply);
    return run_flatten(client);
}

/* Words separated by single spaces; "''" is an empty one. */
static inline struct bytes run_line(struct run_client *client, const char *line)
{
    struct bytes argv[RUN_ARGUMENTS_MAX];
    size_t argc = 0;
    for (const char *at = line; *at != '\0';) {
        size_t len = strcspn(at, " ");
        CHECK(argc < RUN_ARGUMENTS_MAX);
        argv[argc++] = len == 2 && memcmp(at, "''", 2) == 0 ? LIT("") : (struct bytes){ at, len };
        at += at[len] == ' ' ? len + 1 : len;
    }
    return run_command(client, argv, argc);
}

#define RUN(client, ...)                                                                           \
    run_command((client), (const struct bytes[]){ __VA_ARGS__ },                                   \
                sizeof((const struct bytes[]){ __VA_ARGS__ }) / sizeof(struct bytes))
#define RUN_LINE(client, line) run_line((client), (line))

#define CHECK_REPLY(got, expected) check_bytes(__FILE__, __LINE__, #got, (got), bytes_of(expected))

#endif
