/* What all executing threads of one server share: keyspace, command table, settings,
 * sessions, slow log, and the way up to the server for commands that ask about it. */
#ifndef EXEC_ENGINE_H
#define EXEC_ENGINE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ticks.h"
#include "exec/acl.h"
#include "exec/blocking.h"
#include "exec/busy.h"
#include "exec/changes.h"
#include "exec/departing.h"
#include "exec/latency.h"
#include "exec/monitor.h"
#include "exec/notify.h"
#include "exec/pubsub.h"
#include "exec/registry.h"
#include "exec/stats.h"
#include "exec/tracking.h"
#include "store/keyspace.h"

/* The Redis whose behaviour clients may expect; HELLO, INFO, LOLWUT. */
#define REDIS_COMPAT_VERSION "7.2.5"

struct executor;
struct session;
struct slowlog;

/* Who may use a dangerous command: nobody, everybody, or clients of this machine. */
enum command_access { ACCESS_NO, ACCESS_YES, ACCESS_LOCAL };

/* Settings that executing threads read at any time; the server's configuration writes
 * them.  Each is a directive. */
struct engine_settings {
    _Atomic int64_t slowlog_log_slower_than; /* microseconds; negative: off, 0: all */
    _Atomic uint64_t slowlog_max_len;
    _Atomic uint64_t max_bulk_len;    /* proto-max-bulk-len: strings can't be longer */
    _Atomic uint64_t maxmemory;       /* bytes; 0: no limit */
    _Atomic bool maxmemory_denies;    /* the policy is noeviction */
    _Atomic uint8_t maxmemory_policy; /* enum eviction_policy */
    _Atomic unsigned maxmemory_samples;
    _Atomic int64_t eviction_us; /* for one command; from maxmemory-eviction-tenacity */
    _Atomic bool lazy_eviction;
    _Atomic bool latency_tracking; /* LATENCY HISTOGRAM and INFO tell what is counted */
    _Atomic bool password_needed;  /* "default" has a password, or is off */
    _Atomic bool compress_strings; /* rdbcompression, of DUMP too */
    _Atomic bool lazy_expire, lazy_server_del, lazy_user_del, lazy_user_flush;
    _Atomic uint32_t notify_classes;      /* notify-keyspace-events: enum notify_class */
    _Atomic int64_t busy_reply_threshold; /* milliseconds; see busy.h */
    _Atomic uint64_t lua_memory_limit;    /* bytes for the scripts of one thread */
    _Atomic uint64_t lua_reply_limit;     /* bytes of a script's reply */
    _Atomic uint64_t tracking_max_keys;   /* tracking-table-max-keys; 0: no limit */
    _Atomic uint8_t debug_command;        /* enable-debug-command: enum command_access */
    _Atomic bool checksums_skipped;       /* DEBUG SET-SKIP-CHECKSUM-VALIDATION */
    _Atomic bool cron_paused;             /* DEBUG PAUSE-CRON */
};

/* What commands ask of the server above: filled by the composition root.  'server' is the
 * first argument of each.  Texts go to 'out'; errors are whole lines without '-'. */
struct engine_services {
    void *server;
    /* INFO's text of the sections ("default", "all", "everything" or names; NULL-free). */
    void (*info)(void *server, struct executor *executor, const struct bytes *sections,
                 uint32_t count, struct buf *out);
    /* CONFIG GET: calls 'each' for every directive whose name matches one of the globs. */
    void (*config_get)(void *server, const struct bytes *patterns, uint32_t count,
                       void (*each)(void *user, struct bytes name, struct bytes value), void *user);
    /* CONFIG SET of pairs, all or nothing; false with the error line in 'error'. */
    bool (*config_set)(void *server, const struct bytes *pairs, uint32_t count, struct buf *error);
    bool (*config_rewrite)(void *server, struct buf *error);
    void (*config_reset_stat)(void *server);
    /* engine_memory() at its highest so far, and when the server began to listen. */
    void (*memory_marks)(void *server, uint64_t *peak, uint64_t *startup);
    /* ACL LOAD and SAVE: the file of users that aclfile names. */
    bool (*load_users)(void *server, const struct session *own, struct buf *error);
    bool (*save_users)(void *server, struct buf *error);
    /* SHUTDOWN: begins a graceful stop; false when it can't, with the error line. */
    bool (*shutdown)(void *server, bool save, bool nosave, bool now, bool force, struct buf *error);
    void (*shutdown_abort)(void *server);
    /* An event for the owner: a slow command. */
    void (*slow_command)(void *server, const struct session *session, struct bytes command,
                         int64_t microseconds);
};

/* What a layer above keeps with an engine or an executor: made when it is first needed, and
 * ended together with what it is attached to. */
struct script_usage;
struct attachment {
    void (*destroy)(struct attachment *attachment);
    /* Of engine->scripting only. */
    void (*usage)(struct attachment *attachment, struct script_usage *usage);
    /* Of engine->moving only: ends its thread.  Idempotent. */
    void (*stop)(struct attachment *attachment);
};

/* What INFO tells of scripts. */
struct script_usage {
    uint64_t machines;           /* bytes of all threads' interpreters */
    uint64_t scripts, libraries; /* bytes of their texts and what belongs to them */
    uint64_t script_count, library_count, function_count;
};

struct engine {
    struct keyspace *keyspace;
    struct registry *registry;
    struct slowlog *slowlog;
    struct latency_monitor latency;
    struct log *log;
    const struct clock *clock;
    struct ticks ticks;
    struct engine_settings settings;
    struct engine_services services;
    struct change_sink changes;
    struct blocking blocking;
    struct pubsub pubsub;
    struct tracking tracking;
    struct acl acl;
    struct mail_bounds mail; /* mailbox-limit, and what came of it */
    struct monitors monitors;
    struct busy busy;                       /* scripts that have run for long */
    struct departing departing;             /* keys on their way to another server */
    _Atomic(struct attachment *) scripting; /* script/'s: scripts and functions; or NULL */
    _Atomic(struct attachment *) moving;    /* repl/'s: who moves keys to other servers; or NULL */
    _Atomic uint32_t kept_targets;          /* its connections that are kept */
    struct mutex sessions_lock;             /* RANK_SESSIONS: the two lists */
    struct session *sessions;               /* reading a member needs the exclusive section */
    struct executor *executors;
    _Atomic uint64_t next_session_id;
    _Atomic int64_t session_count;  /* connected ones, without in-process clients */
    _Atomic uint32_t holdups;       /* reasons for commands to wait, or not to run: a pause,
                                       full mailboxes, busy scripts, keys that depart; see
                                       pause.h, busy.h, departing.h */
    _Atomic int64_t pause_until_ms; /* CLIENT PAUSE; 0: none */
    _Atomic bool pause_writes_only;
    _Atomic bool stopping; /* the server ends: what runs for long is to end, too */
    _Atomic bool evicting; /* a thread is at it; see memory_limit.c */
    struct stats past;     /* of executors that have ended; sessions_lock */
    struct command_stats *past_commands;
    struct command_latency *past_latency;
    struct error_stats past_errors;
    uint64_t executors_made;     /* sessions_lock; makes each executor's dice its own */
    int64_t started_us;          /* monotonic */
    _Atomic int64_t last_save_s; /* Unix time of the newest snapshot; at first of the start */
    uint64_t seed;               /* for the executors' dice */
    char run_id[41];
    char replication_id[41]; /* of the data's history; changed in the exclusive section */
};

/* Whether an event of a key could reach anybody: asked before each is made. */
static inline bool notify_any(const struct engine *engine)
{
    return __builtin_expect(
        atomic_load_explicit(&engine->settings.notify_classes, memory_order_relaxed) != 0 &&
            pubsub_anybody(&engine->pubsub),
        0);
}

/* Creates registry, keyspace and slow log.  'clock', 'log' and 'families' are borrowed.
 * False when memory is short; then nothing is left. */
struct engine_options {
    const struct clock *clock;
    struct log *log;
    const struct command_family *const *families; /* command_families() */
    uint32_t family_count;
    unsigned databases;
    uint64_t seed; /* of hash key and dice; 0: from the system */
};
MUST_CHECK bool engine_init(struct engine *engine, const struct engine_options *options);
void engine_release(struct engine *engine);

/* Ends the threads that layers above keep with the engine, before its executors' owners end. */
void engine_stop(struct engine *engine);

/* The data begins another history: DEBUG CHANGE-REPL-ID.  In the exclusive section. */
void engine_change_replication_id(struct engine *engine, struct random *dice);

/* Takes a leaving executor off the list and keeps its numbers; for executor_release(). */
void engine_retire_executor(struct engine *engine, struct executor *executor);

/* Sums over all executors, past and present. */
void engine_stats(struct engine *engine, struct stats *sum);
/* Of a command, by registry_index(). */
struct command_totals {
    uint64_t calls, ticks, rejected, failed;
};
void engine_command_stats(struct engine *engine, uint32_t index, struct command_totals *sum);
/* How long its calls took: the counts of the buckets, LATENCY_BUCKETS of them. */
void engine_command_latency(struct engine *engine, uint32_t index, uint64_t *buckets);
/* One for each command, empty; NULL when memory is short.  NULL is fine for the other. */
struct command_latency *engine_latency_create(const struct engine *engine);
void engine_latency_destroy(const struct engine *engine, struct command_latency *latency);
void engine_error_stats(struct engine *engine,
                        void (*each)(void *user, struct bytes word, uint64_t count), void *user);
/* CONFIG RESETSTAT; in the exclusive section. */
void engine_reset_stats(struct engine *engine);

/* All zero when there has been no script yet. */
struct script_usage engine_script_usage(const struct engine *engine);

/* Bytes of data and overhead, as used_memory tells and maxmemory compares. */
size_t engine_memory(const struct engine *engine);

#endif
