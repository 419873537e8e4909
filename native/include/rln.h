/* The whole public C interface of redis-lite-native: create a server, hear what
 * it reports, run commands against its store from the same process, stop it.
 * Everything else under native/ is private.  The Node binding uses only this.
 *
 * The core is a guest: it never prints, exits or forks, has no mutable globals,
 * and touches signals only when 'install_signal_handlers' is set. */
#ifndef RLN_H
#define RLN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rln_server;
struct rln_client;

/* Borrowed bytes; not terminated by a NUL. */
struct rln_bytes {
    const char *at;
    size_t len;
};

enum rln_event_type {
    RLN_EVENT_STARTING,
    RLN_EVENT_LISTENING, /* one for each bound address */
    RLN_EVENT_CLIENT_CONNECTED,
    RLN_EVENT_CLIENT_DISCONNECTED,
    RLN_EVENT_CLIENT_ERROR,
    RLN_EVENT_LIMIT_REACHED,
    RLN_EVENT_KEYS_EXPIRED, /* counted over at least 100 ms */
    RLN_EVENT_KEYS_EVICTED, /* counted over at least 100 ms */
    RLN_EVENT_SLOW_COMMAND,
    RLN_EVENT_CONFIG_CHANGED,
    RLN_EVENT_WARNING,
    RLN_EVENT_LOG,
    RLN_EVENT_EVENTS_DROPPED, /* the queue was full: 'count' events were not kept */
    RLN_EVENT_STOPPING,
    RLN_EVENT_STOPPED, /* the last event of a run */
};

enum rln_log_level { RLN_LOG_DEBUG, RLN_LOG_VERBOSE, RLN_LOG_NOTICE, RLN_LOG_WARNING };

/* Why a client left; also the reason of RLN_EVENT_CLIENT_DISCONNECTED. */
enum rln_close_reason {
    RLN_CLOSE_BY_CLIENT,    /* recv() gave 0 */
    RLN_CLOSE_QUIT,         /* the QUIT command */
    RLN_CLOSE_KILLED,       /* CLIENT KILL */
    RLN_CLOSE_IDLE_TIMEOUT, /* 'timeout' seconds without a command */
    RLN_CLOSE_PROTOCOL_ERROR,
    RLN_CLOSE_QUERY_BUFFER,  /* client-query-buffer-limit */
    RLN_CLOSE_OUTPUT_BUFFER, /* client-output-buffer-limit */
    RLN_CLOSE_CLIENT_MEMORY, /* maxmemory-clients: it was the largest */
    RLN_CLOSE_SOCKET_ERROR,  /* ECONNRESET, EPIPE, ... */
    RLN_CLOSE_SERVER_STOP,
};

/* What happened.  Which fields mean something depends on 'type'; the others are
 * zero or empty.  Texts are borrowed as the function that hands it over says. */
struct rln_event {
    enum rln_event_type type;
    int64_t at_ms;     /* Unix time */
    int64_t client_id; /* CLIENT_*, SLOW_COMMAND */
    int64_t count;     /* KEYS_*, EVENTS_DROPPED; LIMIT_REACHED: clients refused so far */
    int64_t value;     /* SLOW_COMMAND: microseconds; LISTENING: port, 0 for a Unix socket;
                                   LIMIT_REACHED: the limit; STOPPING: the signal, or 0 */
    enum rln_close_reason reason;
    enum rln_log_level level;
    struct rln_bytes name; /* LISTENING: host or path; CLIENT_*: peer "ip:port" or path;
                                   LIMIT_REACHED, CONFIG_CHANGED: directive; WARNING: stable code in
                                   CAPITALS; SLOW_COMMAND: command */
    struct rln_bytes text; /* CLIENT_ERROR, WARNING, LOG: one sentence; CONFIG_CHANGED: new value */
};

/* Called on a server thread when the event queue goes from empty to not empty.
 * Must return at once and must not call into this interface. */
typedef void rln_events_ready(void *user);

/* How a directive's text is read and what it may be. */
enum rln_directive_kind {
    RLN_DIRECTIVE_BOOL,    /* yes | no */
    RLN_DIRECTIVE_INTEGER, /* min..max */
    RLN_DIRECTIVE_MEMORY,  /* bytes, with k kb m mb g gb; min..max */
    RLN_DIRECTIVE_ENUM,    /* one of 'choices' */
    RLN_DIRECTIVE_STRING,
    RLN_DIRECTIVE_LIST, /* one or more words: bind, save, client-output-buffer-limit */
};

/* One row of the configuration table.  Borrowed for ever (constant data). */
struct rln_directive {
    const char *name;  /* as in redis.conf: "tcp-backlog" */
    const char *alias; /* an older name, or NULL */
    enum rln_directive_kind kind;
    const char *fallback; /* the default, as redis.conf would write it */
    int64_t min, max;
    const char *const *choices; /* ENUM: ends with NULL */
    bool at_start_only;         /* CONFIG SET refuses it */
    bool repeats;               /* a later line adds to, not replaces, earlier ones */
    const char *summary;        /* one sentence for --help and the docs */
    bool fixed; /* known, but this server has no such feature: only the default is taken */
};

/* All rows; '*count' is their number.  Constant, any thread. */
const struct rln_directive *rln_directives(size_t *count);

/* The package's version, "x.y.z". */
const char *rln_version(void);

/* Time, dice and signals, to be replaced by tests.  A zeroed struct is the real thing. */
struct rln_options {
    bool
        install_signal_handlers; /* SIGINT and SIGTERM stop the server; earlier handlers are given back */
    rln_events_ready *on_events; /* may be NULL */
    void *user;
    int64_t (*wall_clock_us)(void *user);      /* Unix time; NULL: the system's */
    int64_t (*monotonic_clock_us)(void *user); /* NULL: the system's */
    uint64_t random_seed;                      /* 0: from the system */
    size_t event_capacity;                     /* 0: 1024 */
};

/* A failed start or configure: what failed, and the system's text. */
struct rln_error {
    int os_error;   /* errno, or 0 */
    char code[32];  /* stable: "EADDRINUSE", "BAD_DIRECTIVE", "OUT_OF_MEMORY" ... */
    char text[256]; /* one sentence, terminated */
};

/* Gives the caller a server that does not run yet, or NULL when memory is short. */
struct rln_server *rln_server_create(const struct rln_options *options);

/* Sets a directive before the start.  'value' is as redis.conf writes it, words
 * separated by spaces, quoted where needed.  Returns 0, or -1 with '*error' filled. */
int rln_server_configure(struct rln_server *server, const char *name, const char *value,
                         struct rln_error *error);

/* The redis.conf from which the caller has taken directives: CONFIG REWRITE brings it up to date,
 * and INFO names it.  Before the start; NULL: there is none. */
void rln_server_set_config_file(struct rln_server *server, const char *path);

/* The current value of a directive as redis.conf would write it, into 'out' (always
 * terminated); returns its whole length, or -1 when there is no such directive. */
int64_t rln_server_directive(struct rln_server *server, const char *name, char *out, size_t room);

/* Binds, listens and starts the threads.  Returns 0, or -1 with '*error' filled; then
 * everything that was opened is closed again. */
int rln_server_start(struct rln_server *server, struct rln_error *error);

/* The TCP port, as the system chose it for port 0; 0 when there is no TCP listener. */
int rln_server_port(const struct rln_server *server);

/* Starts a graceful stop and returns at once.  Any thread, any number of times. */
void rln_server_request_stop(struct rln_server *server);

/* Requests a stop and joins every thread; when it returns, RLN_EVENT_STOPPED is in the
 * queue.  Idempotent.  Not from 'on_events'. */
void rln_server_stop(struct rln_server *server);

/* True from a successful start until every thread has left its loop (also after a
 * signal or the SHUTDOWN command); rln_server_stop() then only joins. */
bool rln_server_running(const struct rln_server *server);

/* Stops, frees everything.  NULL is fine.  Clients of it must be destroyed before. */
void rln_server_destroy(struct rln_server *server);

/* Takes the oldest event; false when there is none.  Its texts are borrowed until the
 * next call.  One thread at a time. */
bool rln_server_next_event(struct rln_server *server, struct rln_event *event);

/* From now on the server tells no event whose type is in 'types' (1 << type), which saves what
 * they cost: two for each client that comes and goes.  Those of the server's life, the log and
 * RLN_EVENT_EVENTS_DROPPED are told all the same.  Any thread. */
void rln_server_mute_events(struct rln_server *server, uint32_t types);

/* An in-process client: a session without a socket.  NULL when memory is short.  May be
 * used before the start and after a stop too: the store lives as long as the server. */
struct rln_client *rln_client_create(struct rln_server *server);
void rln_client_destroy(struct rln_client *client);

/* Runs one command to its end on the calling thread and gives its RESP3 reply, borrowed
 * until the client's next call.  One thread at a time per client. */
struct rln_bytes rln_client_call(struct rln_client *client, const struct rln_bytes *argv,
                                 size_t argc);

#ifdef __cplusplus
}
#endif
#endif
