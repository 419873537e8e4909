/* Create, configure, start, stop; see server.h and rln.h. */
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/random.h"
#include "net/poll.h"
#include "server/acl_file.h"
#include "server/families.h"
#include "server/warnings.h"

enum { EVENT_CAPACITY = 1024 };

void server_tell(struct rln_server *server, struct rln_event event)
{
    if (events_wanted(&server->events, event.type)) {
        event.at_ms = clock_wall_ms(&server->clock);
        events_add(&server->events, &event);
    }
}

static struct rln_bytes text_of(const char *text)
{
    return (struct rln_bytes){ text, strlen(text) };
}

static void write_log(void *user, enum log_level level, struct bytes line)
{
    server_tell(user, (struct rln_event){
                          .type = RLN_EVENT_LOG,
                          .level = (enum rln_log_level)level,
                          .text = { line.at, line.len },
                      });
}

struct rln_server *rln_server_create(const struct rln_options *options)
{
    struct rln_server *server = mem_try_alloc(sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    memset(server, 0, sizeof *server);
    server->options = *options;
    clock_init_system(&server->clock);
    if (options->wall_clock_us != NULL) {
        server->clock.wall_us = options->wall_clock_us;
        server->clock.user = options->user;
    }
    if (options->monotonic_clock_us != NULL) {
        server->clock.monotonic_us = options->monotonic_clock_us;
        server->clock.user = options->user;
    }
    size_t capacity = options->event_capacity != 0 ? options->event_capacity : EVENT_CAPACITY;
    events_init(&server->events, capacity, options->on_events, options->user);
    server->log = (struct log){ .write = write_log, .user = server, .level = LOG_NOTICE };
    config_init(&server->config);
    server->acceptor.waker = (struct os_waker){ -1, -1 };
    return server;
}

int rln_server_configure(struct rln_server *server, const char *name, const char *value,
                         struct rln_error *error)
{
    memset(error, 0, sizeof *error);
    if (server->engine_open) {
        snprintf(error->code, sizeof error->code, "ALREADY_STARTED");
        snprintf(error->text, sizeof error->text, "The server is in use already.");
        return -1;
    }
    return config_set_initial(&server->config, name, value, error) ? 0 : -1;
}

void rln_server_set_config_file(struct rln_server *server, const char *path)
{
    config_set_file(&server->config, path);
}

int64_t rln_server_directive(struct rln_server *server, const char *name, char *out, size_t room)
{
    struct buf text = { 0 };
    int64_t len = -1;
    if (config_text(&server->config, name, &text)) {
        len = (int64_t)text.len;
        if (room > 0) {
            size_t copied = text.len < room - 1 ? text.len : room - 1;
            if (copied > 0) {
                memcpy(out, text.at, copied);
            }
            out[copied] = '\0';
        }
    }
    buf_release(&text);
    return len;
}

bool server_open_engine(struct rln_server *server)
{
    if (server->engine_open) {
        return true;
    }
    uint32_t family_count;
    const struct command_family *const *families = command_families(&family_count);
    struct engine_options options = {
        .clock = &server->clock,
        .log = &server->log,
        .families = families,
        .family_count = family_count,
        .databases = (unsigned)config_number(&server->config, "databases"),
        .seed = server->options.random_seed,
    };
    if (!engine_init(&server->engine, &options)) {
        return false;
    }
    server->engine_open = true;
    services_fill(server);
    config_attach(&server->config, &server->engine, &server->net.settings);
    return true;
}

/* ---- Start -------------------------------------------------------------------------- */

static bool fail(struct rln_error *error, int number, const char *code, const char *what)
{
    error->os_error = number;
    snprintf(error->code, sizeof error->code, "%s", code);
    if (number != 0) {
        snprintf(error->text, sizeof error->text, "%s: %s", what, os_error(number).text);
    } else {
        snprintf(error->text, sizeof error->text, "%s", what);
    }
    return false;
}

struct binding {
    struct rln_server *server;
    struct rln_error *error;
    int backlog;
    int port; /* of the first one bound; 0 before */
    bool failed;
};

static void bind_address(void *user, struct bytes word)
{
    struct binding *binding = user;
    struct rln_server *server = binding->server;
    struct listeners *listeners = &server->acceptor.listeners;
    if (binding->failed) {
        return;
    }
    /* With port 0 the first address gets any free port, and the others the same one. */
    int port = binding->port != 0 ? binding->port : (int)config_number(&server->config, "port");
    binding->failed = !listeners_add_tcp(listeners, word, port, binding->backlog, binding->error);
    if (!binding->failed && listeners->count > 0) {
        binding->port = listeners->at[listeners->count - 1].port;
    }
}

static bool open_listeners(struct rln_server *server, struct rln_error *error)
{
    struct config *config = &server->config;
    struct binding binding = { .server = server,
                               .error = error,
                               .backlog = (int)config_number(config, "tcp-backlog") };
    struct buf path = { 0 };
    config_string(config, "unixsocket", &path);
    bool fine = true;
    if (path.len > 0) {
        buf_append_char(&path, '\0');
        fine = listeners_add_unix(&server->acceptor.listeners, path.at,
                                  (unsigned)config_number(config, "unixsocketperm"),
                                  binding.backlog, error);
    }
    /* As in Redis, port 0 beside a Unix socket means no TCP; alone it means any free port. */
    if (fine && (path.len == 0 || config_number(config, "port") != 0)) {
        config_words(config, "bind", bind_address, &binding);
        fine = !binding.failed;
    }
    buf_release(&path);
    if (fine && server->acceptor.listeners.count == 0) {
        return fail(error, 0, "NOTHING_TO_LISTEN_ON", "There is no address to listen on");
    }
    return fine;
}

/* Reads the directives that are fixed from now on. */
static bool choose_model(struct rln_server *server, struct rln_error *error)
{
    struct config *config = &server->config;
    struct net *net = &server->net;
    net->engine = &server->engine;
    net->log = &server->log;
    net->model =
        strcmp(config_choice(config, "io-model"), "blocking") == 0 ? IO_BLOCKING : IO_EVENTS;
    net->poller = poller_kind_find(config_choice(config, "io-poller"));
    if (net->poller == NULL) {
        return fail(error, 0, "NO_SUCH_POLLER",
                    "This system does not have the poller of io-poller");
    }
    net->job_queue_length = (uint32_t)config_number(config, "job-queue-length");
    if (net->model == IO_BLOCKING) {
        if (!queue_init(&server->shared_jobs, net->job_queue_length)) {
            return fail(error, ENOMEM, "OUT_OF_MEMORY", "job queue");
        }
        net->shared_jobs = &server->shared_jobs;
    }
    return true;
}

static bool make_threads(struct rln_server *server, struct rln_error *error)
{
    struct net *net = &server->net;
    int64_t workers = config_number(&server->config, "workers");
    unsigned wanted = workers > 0 ? (unsigned)workers : os_processors();
    net->workers = mem_try_aligned(CACHE_LINE, wanted * sizeof *net->workers);
    if (net->workers == NULL) {
        return fail(error, ENOMEM, "OUT_OF_MEMORY", "workers");
    }
    for (; net->worker_count < wanted; net->worker_count++) {
        if (!worker_init(&net->workers[net->worker_count], net, net->worker_count)) {
            return fail(error, errno, "WORKER_FAILED", "worker");
        }
    }
    if (!cron_init(&server->cron, server)) {
        return fail(error, errno, "WORKER_FAILED", "cron");
    }
    server->cron_made = true;
    return true;
}

/* Stops and joins workers and cron.  The workers' structs stay readable for INFO, which an
 * in-process client may ask for at any time. */
static void stop_threads(struct rln_server *server)
{
    struct net *net = &server->net;
    for (unsigned i = 0; i < net->worker_count; i++) {
        worker_request_stop(&net->workers[i]);
    }
    if (net->shared_jobs != NULL) {
        queue_close(net->shared_jobs);
    }
    /* All of them are joined before the first is freed: the last ones still send mail. */
    for (unsigned i = 0; i < net->worker_count; i++) {
        worker_join(&net->workers[i]);
    }
    for (unsigned i = 0; i < net->worker_count; i++) {
        worker_release(&net->workers[i]);
    }
    engine_stop(&server->engine);
    if (server->cron_made) {
        cron_request_stop(&server->cron);
        cron_release(&server->cron);
        server->cron_made = false;
    }
    if (net->shared_jobs != NULL) {
        queue_release(net->shared_jobs);
    }
}

/* Frees what stop_threads() left; no thread and no client is there any more, or none has
 * been yet. */
static void forget_threads(struct rln_server *server)
{
    struct net *net = &server->net;
    mem_free(net->workers);
    net->workers = NULL;
    net->worker_count = 0;
    net->shared_jobs = NULL;
}

/* The end of a run, on the acceptor's thread: the listeners are closed already. */
static void wind_down(struct rln_server *server)
{
    int received = atomic_load(&server->signals.received);
    atomic_store(&server->engine.stopping, true); /* A script that never ends, does. */
    server_tell(server, (struct rln_event){ .type = RLN_EVENT_STOPPING, .value = received });
    log_notice(&server->log, received != 0 ? "Received a signal, scheduling shutdown..."
                                           : "User requested shutdown...");
    stop_threads(server);
    signals_uninstall(&server->signals);
    log_notice(&server->log, "Redis is now ready to exit, bye bye...");
    atomic_store(&server->state, SERVER_ENDED);
    server_tell(server, (struct rln_event){ .type = RLN_EVENT_STOPPED });
}

static void *run_acceptor(void *argument)
{
    struct rln_server *server = argument;
    acceptor_run(&server->acceptor);
    wind_down(server);
    return NULL;
}

static bool start_threads(struct rln_server *server, struct rln_error *error)
{
    int err = cron_start(&server->cron);
    for (unsigned i = 0; err == 0 && i < server->net.worker_count; i++) {
        err = worker_start(&server->net.workers[i]);
    }
    if (err == 0) {
        atomic_store(&server->state, SERVER_RUNNING);
        err = thread_start(&server->acceptor_thread, "rln-acceptor", run_acceptor, server);
    }
    if (err != 0) {
        atomic_store(&server->state, SERVER_IDLE);
        return fail(error, err, "THREAD_FAILED", "pthread_create");
    }
    server->acceptor_started = true;
    return true;
}

static void tell_listening(struct rln_server *server, const struct listeners *listeners)
{
    for (unsigned i = 0; i < listeners->count; i++) {
        server_tell(server, (struct rln_event){
                                .type = RLN_EVENT_LISTENING,
                                .name = text_of(listeners->at[i].name),
                                .value = listeners->at[i].port,
                            });
    }
}

int rln_server_start(struct rln_server *server, struct rln_error *error)
{
    memset(error, 0, sizeof *error);
    if (atomic_load(&server->state) != SERVER_IDLE) {
        fail(error, 0, "ALREADY_STARTED", "The server has been started already");
        return -1;
    }
    server_tell(server, (struct rln_event){ .type = RLN_EVENT_STARTING });
    server->acceptor.net = &server->net;
    int err = 0;
    if (!server_open_engine(server)) {
        fail(error, ENOMEM, "OUT_OF_MEMORY", "keyspace");
        return -1;
    }
    if (server->acceptor.waker.read_fd < 0 && (err = os_waker_open(&server->acceptor.waker)) != 0) {
        fail(error, err, "WAKER_FAILED", "wake-up descriptor");
        return -1;
    }
    /* First of all: a signal from here on stops the acceptor as soon as it runs. */
    if (server->options.install_signal_handlers &&
        !signals_install(&server->signals, &server->acceptor)) {
        fail(error, 0, "SIGNALS_TAKEN", "Another server of this process has the signals");
        return -1;
    }
    if (!acl_file_start(server, error) || !choose_model(server, error) ||
        !open_listeners(server, error) || !make_threads(server, error)) {
        goto failed;
    }
    /* Copied: the acceptor's thread may close them as soon as it runs. */
    struct listeners listeners = server->acceptor.listeners;
    server->port = 0;
    for (unsigned i = 0; i < listeners.count && server->port == 0; i++) {
        server->port = listeners.at[i].port;
    }
    server->startup_memory = engine_memory(&server->engine);
    log_notice(&server->log, "Server initialized");
    if (!start_threads(server, error)) {
        goto failed;
    }
    tell_listening(server, &listeners);
    warnings_tell(server);
    log_notice(&server->log, "Ready to accept connections");
    return 0;

failed:
    signals_uninstall(&server->signals);
    stop_threads(server);
    forget_threads(server);
    listeners_close(&server->acceptor.listeners);
    return -1;
}

int rln_server_port(const struct rln_server *server)
{
    return server->port;
}

/* ---- Stop --------------------------------------------------------------------------- */

void rln_server_request_stop(struct rln_server *server)
{
    if (atomic_load(&server->state) == SERVER_RUNNING) {
        acceptor_request_stop(&server->acceptor);
    }
}

void rln_server_stop(struct rln_server *server)
{
    rln_server_request_stop(server);
    if (server->acceptor_started) {
        pthread_join(server->acceptor_thread, NULL);
        server->acceptor_started = false;
    }
}

bool rln_server_running(const struct rln_server *server)
{
    return atomic_load(&server->state) == SERVER_RUNNING;
}

void rln_server_destroy(struct rln_server *server)
{
    if (server == NULL) {
        return;
    }
    rln_server_stop(server);
    if (server->acceptor.waker.read_fd >= 0) {
        os_waker_close(&server->acceptor.waker);
    }
    if (server->engine_open) {
        config_detach(&server->config);
        engine_release(&server->engine);
    }
    forget_threads(server);
    config_release(&server->config);
    events_release(&server->events);
    mem_free(server);
}

bool rln_server_next_event(struct rln_server *server, struct rln_event *event)
{
    return events_take(&server->events, event);
}

void rln_server_mute_events(struct rln_server *server, uint32_t types)
{
    events_mute(&server->events, types);
}

const char *rln_version(void)
{
    return RLN_VERSION;
}
