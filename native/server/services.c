/* What the layers below ask of the server: commands through the engine's services, the
 * network layer through its hooks.  See server.h. */
#include <stdio.h>
#include <string.h>

#include "net/conn.h"
#include "net/job.h"
#include "server/acl_file.h"
#include "server/server.h"

enum { TELL_LIMIT_US = 1000 * 1000 };

/* ---- For commands -------------------------------------------------------------------- */

static void write_info(void *user, struct executor *executor, const struct bytes *sections,
                       uint32_t count, struct buf *out)
{
    struct rln_server *server = user;
    struct info_source source = {
        .engine = &server->engine,
        .config = &server->config,
        .meter = &server->meter,
        .facts = server_facts,
        .server = server,
    };
    info_write(&source, executor, sections, count, out);
}

static void get_config(void *user, const struct bytes *patterns, uint32_t count,
                       void (*each)(void *user, struct bytes name, struct bytes value),
                       void *each_user)
{
    struct rln_server *server = user;
    config_get(&server->config, patterns, count, each, each_user);
}

static bool set_config(void *user, const struct bytes *pairs, uint32_t count, struct buf *error)
{
    struct rln_server *server = user;
    return config_set_many(&server->config, pairs, count, error);
}

static bool rewrite_config(void *user, struct buf *error)
{
    struct rln_server *server = user;
    return config_rewrite(&server->config, error);
}

static void reset_stat(void *user)
{
    struct rln_server *server = user;
    engine_reset_stats(&server->engine);
    atomic_store(&server->net.rejected, 0);
    atomic_store(&server->net.accepted, 0);
    atomic_store(&server->net.client_errors, 0);
}

static void mark_memory(void *user, uint64_t *peak, uint64_t *startup)
{
    struct rln_server *server = user;
    *peak = info_meter_peak(&server->meter, engine_memory(&server->engine));
    *startup = server->startup_memory;
}

static bool load_users(void *user, const struct session *own, struct buf *error)
{
    return acl_file_load(user, own, error);
}

static bool save_users(void *user, struct buf *error)
{
    return acl_file_save(user, error);
}

/* There is nothing to save yet, so every form of SHUTDOWN stops at once. */
static bool shut_down(void *user, bool save, bool nosave, bool now, bool force, struct buf *error)
{
    (void)save;
    (void)nosave;
    (void)now;
    (void)force;
    struct rln_server *server = user;
    if (!rln_server_running(server)) {
        buf_append(error, LIT("ERR Errors trying to SHUTDOWN. Check logs."));
        return false;
    }
    rln_server_request_stop(server);
    return true;
}

static void abort_shutdown(void *user)
{
    (void)user; /* A stop waits for nothing yet, so there is never one to call off. */
}

static void slow_command(void *user, const struct session *session, struct bytes command,
                         int64_t microseconds)
{
    server_tell(user, (struct rln_event){
                          .type = RLN_EVENT_SLOW_COMMAND,
                          .client_id = (int64_t)session->id,
                          .name = { command.at, command.len },
                          .value = microseconds,
                      });
}

/* ---- For the network layer ----------------------------------------------------------- */

static void tell_client(struct rln_server *server, const struct conn *conn, struct rln_event event)
{
    if (!events_wanted(&server->events, event.type)) {
        return;
    }
    char peer[128];
    event.client_id = (int64_t)conn->session.id;
    event.name = (struct rln_bytes){ peer, conn_peer_text(conn, peer, sizeof peer) };
    server_tell(server, event);
}

static void connected(void *user, const struct conn *conn)
{
    tell_client(user, conn, (struct rln_event){ .type = RLN_EVENT_CLIENT_CONNECTED });
}

static void disconnected(void *user, const struct conn *conn, enum rln_close_reason reason)
{
    tell_client(user, conn,
                (struct rln_event){ .type = RLN_EVENT_CLIENT_DISCONNECTED, .reason = reason });
}

static void client_error(void *user, const struct conn *conn, struct bytes text)
{
    struct rln_server *server = user;
    atomic_fetch_add_explicit(&server->net.client_errors, 1, memory_order_relaxed);
    log_verbose(&server->log, "%.*s (client %llu)", (int)text.len, text.at,
                (unsigned long long)conn->session.id);
    tell_client(
        server, conn,
        (struct rln_event){ .type = RLN_EVENT_CLIENT_ERROR, .text = { text.at, text.len } });
}

static void clients_too_large(void *user)
{
    struct rln_server *server = user;
    cron_wake_for_clients(&server->cron);
}

static void limit_reached(void *user, const char *directive, int64_t limit, int64_t refused)
{
    struct rln_server *server = user;
    int64_t now_us = clock_monotonic_us(&server->clock);
    int64_t told_us = atomic_load(&server->limit_told_us);
    if (told_us != 0 && now_us - told_us < TELL_LIMIT_US) {
        return;
    }
    atomic_store(&server->limit_told_us, now_us);
    server_tell(server, (struct rln_event){ .type = RLN_EVENT_LIMIT_REACHED,
                                            .name = { directive, strlen(directive) },
                                            .value = limit,
                                            .count = refused });
}

static bool is_loopback(const struct peer *peer)
{
    static const uint8_t v6_loopback[16] = { [15] = 1 };
    return peer->family == AF_UNIX || (peer->family == AF_INET && peer->ip[0] == 127) ||
           (peer->family == AF_INET6 && memcmp(peer->ip, v6_loopback, 16) == 0);
}

/* protected-mode without a password: only this machine's clients come in. */
static struct bytes refusal(void *user, const struct peer *peer)
{
    struct rln_server *server = user;
    if (!atomic_load_explicit(&server->config.live.guarded, memory_order_relaxed) ||
        !atomic_load_explicit(&server->engine.acl.open, memory_order_relaxed) ||
        is_loopback(peer)) {
        return LIT("");
    }
    return LIT("-DENIED This server is in protected mode and has no password, so it answers "
               "only clients of its own machine. Set requirepass, or protected-mode no.\r\n");
}

static void config_changed(void *user, const char *name, struct bytes value)
{
    server_tell(user, (struct rln_event){ .type = RLN_EVENT_CONFIG_CHANGED,
                                          .name = { name, strlen(name) },
                                          .text = { value.at, value.len } });
}

void services_fill(struct rln_server *server)
{
    server->engine.services = (struct engine_services){
        .server = server,
        .info = write_info,
        .config_get = get_config,
        .config_set = set_config,
        .config_rewrite = rewrite_config,
        .config_reset_stat = reset_stat,
        .memory_marks = mark_memory,
        .load_users = load_users,
        .save_users = save_users,
        .shutdown = shut_down,
        .shutdown_abort = abort_shutdown,
        .slow_command = slow_command,
    };
    server->net.hooks = (struct net_hooks){
        .connected = connected,
        .disconnected = disconnected,
        .client_error = client_error,
        .limit_reached = limit_reached,
        .clients_too_large = clients_too_large,
        .refusal = refusal,
        .user = server,
    };
    server->config.hooks = (struct config_hooks){ .changed = config_changed, .user = server };
}

void server_facts(void *user, struct info_facts *facts)
{
    struct rln_server *server = user;
    struct net *net = &server->net;
    facts->port = server->port;
    facts->io_model = net->model == IO_BLOCKING ? "blocking" : "events";
    facts->poller = net->poller != NULL ? net->poller->name : "none";
    facts->workers = net->worker_count;
    facts->client_memory = net_client_memory(net);
    if (net->shared_jobs != NULL) {
        facts->job_queue_depth = queue_depth(net->shared_jobs);
        facts->job_queue_capacity = net->job_queue_length;
    } else {
        for (unsigned i = 0; i < net->worker_count; i++) {
            facts->job_queue_depth += queue_depth(net->workers[i].jobs);
            facts->job_queue_capacity += net->job_queue_length;
        }
    }
    facts->accepted = atomic_load(&net->accepted);
    facts->refused = atomic_load(&net->rejected);
    facts->jobs = facts->accepted - facts->refused;
    facts->accept_pauses = atomic_load(&net->accept_pauses);
    facts->client_errors = atomic_load(&net->client_errors);
    facts->startup_memory = server->startup_memory;
    facts->shutdown_in_ms = -1;
}
