/* Runs commands: lookup, arity, permission, state, lock keys, handler, record the change,
 * unlock, reply.  One executor per executing thread (worker, cron, in-process client). */
#ifndef EXEC_EXECUTOR_H
#define EXEC_EXECUTOR_H

#include "exec/command.h"
#include "exec/session.h"
#include "exec/stats.h"
#include "exec/tracking.h"
#include "proto/reply.h"
#include "store/keyspace.h"

struct attachment;
struct engine;
struct mailbox;

/* A parsed command on its way, made by executor_prepare(). */
struct request {
    const struct bytes *argv; /* borrowed until it has run */
    uint32_t argc;
    uint8_t dialect;
    const struct command *command; /* NULL: unknown */
    struct locked_key key;         /* of commands with one key: already hashed */
    bool has_key;
    uint32_t key_count; /* of commands with several: in executor->prepared, or 0 */
    uint32_t first_key;
    uint32_t hash_end; /* where this command's keys end in executor->ahead.hashes */
    uint32_t era;      /* the executor's: hashes of an older one are not used */
};

enum {
    EXECUTOR_ROUND = 256,          /* commands of a round whose memory is fetched ahead */
    EXECUTOR_PREPARED_KEYS = 2048, /* keys of commands with several that are prepared together */
};

/* The keys of a round's commands in their order, and how far their memory is on its way: first
 * the bucket, and when that is there, the entry.  Both run ahead of the execution, so that
 * nothing is waited for but the very first. */
struct executor_ahead {
    uint64_t hashes[EXECUTOR_ROUND + EXECUTOR_PREPARED_KEYS];
    uint32_t count, buckets, entries;
    uint32_t entry_lines; /* cache lines that are fetched of an entry */
    bool members;         /* some command names a member of its key's value */
};

/* The last time that this thread added up all memory, to be compared with maxmemory. */
struct memory_look {
    uint64_t limit;    /* maxmemory at that time */
    int64_t own;       /* keyspace_thread_memory() */
    uint32_t commands; /* that were let through since */
    bool fits;         /* there was no more than the limit */
};

struct executor {
    struct store_thread thread;
    struct keylock lock;
    struct engine *engine;
    struct executor *next;      /* the engine's list */
    struct session *monitors;   /* of its sessions, those that see all commands */
    struct attachment *machine; /* script/'s: the interpreter of this thread; or NULL */
    struct mailbox *mailbox;    /* of a thread that owns connections; else NULL */
    /* Of such a thread: serves its sessions but for 'running', whose script has run for long and
     * is at rest meanwhile; in a batch.  Or NULL.  See busy.h. */
    void (*serve_others)(void *user, struct session *running);
    void *serve_user;
    struct stats stats;
    struct command_stats *commands;  /* by registry_index() */
    struct command_latency *latency; /* likewise; memory is used where calls were counted */
    struct error_stats errors;
    struct executor_ahead *ahead;
    struct locked_key *prepared; /* hashed keys of prepared commands with several */
    uint32_t prepared_count;
    struct locked_key *keys; /* scratch for commands with many keys */
    struct found_key *found;
    uint32_t key_room;
    struct memory_look look;     /* memory_limit.c */
    uint64_t tick;               /* when the last command of this batch ended */
    uint64_t notable_ticks;      /* commands of this length on get a closer look */
    int64_t slow_us;             /* the setting that 'notable_ticks' was made from */
    uint32_t noted_errors;       /* reply->errors that the statistics know of */
    uint32_t era;                /* moves on when databases may have changed places */
    uint32_t mapping;            /* keyspace_mapping() at that time */
    struct tracking_notes notes; /* keys changed in this batch, to be broadcast */
    uint32_t exclusive;          /* this thread is in the exclusive section, nested so often */
    uint8_t frame;               /* enum change_frame, of the effects being told */
};

/* 'executor' is the caller's memory and stays in place.  False when memory is short. */
MUST_CHECK bool executor_init(struct executor *executor, struct engine *engine);
void executor_release(struct executor *executor);

/* A batch of commands: takes the time, joins the readers.  No blocking calls inside. */
void executor_enter(struct executor *executor);
void executor_leave(struct executor *executor);

/* Commands prepared before have run, or will not. */
static inline void executor_begin_round(struct executor *executor)
{
    executor->prepared_count = 0;
    executor->ahead->count = executor->ahead->buckets = executor->ahead->entries = 0;
    executor->ahead->members = false;
    keyspace_forget_members(&executor->thread);
}

/* After a round that read and wrote so many bytes: entries are taken to be as long as those that it
 * was about, a key with another. */
static inline void executor_end_round(struct executor *executor, size_t bytes)
{
    struct executor_ahead *ahead = executor->ahead;
    size_t lines = bytes / CACHE_LINE / (ahead->count + 1) + 1;
    ahead->entry_lines = lines < ENTRY_LINES_MIN   ? ENTRY_LINES_MIN
                         : lines < ENTRY_LINES_MAX ? (uint32_t)lines
                                                   : ENTRY_LINES_MAX;
}

/* Finds the command and hashes its keys for 'session' as it is now; may be wrong by the time
 * it runs (SELECT before it in the same pipeline), which executor_run() notices. */
void executor_prepare(struct executor *executor, const struct session *session,
                      const struct bytes *argv, uint32_t argc, enum dialect dialect,
                      struct request *request);

/* Before a command of the round runs: starts the memory of the keys behind it on its way, and
 * of its own if it is not. */
enum { EXECUTOR_AHEAD = 16 };
void executor_prefetch_more(struct executor *executor, uint32_t hash_end);
static inline void executor_prefetch(struct executor *executor, const struct request *request)
{
    const struct executor_ahead *ahead = executor->ahead;
    if (ahead->entries < ahead->count && request->hash_end + EXECUTOR_AHEAD > ahead->entries) {
        executor_prefetch_more(executor, request->hash_end);
    }
}

/* The same for members of values, of some commands that run next, whose keys' memory is there. */
void executor_prefetch_members(struct executor *executor, const struct request *requests,
                               uint32_t count);

/* Runs one command of 'session' in a batch and writes its reply.  What is to happen with
 * the client afterwards stands in session->flags; with SESSION_POSTPONED nothing has run. */
void executor_run(struct executor *executor, struct session *session, const struct request *request,
                  struct reply *reply);

/* Prepares and runs in a batch of its own: in-process clients, tests. */
void executor_call(struct executor *executor, struct session *session, const struct bytes *argv,
                   uint32_t argc, struct reply *reply);

/* Leaves the batch, takes the exclusive section, and back; for code that runs in a batch and
 * holds no key.  Nested calls count.  False, in the batch still, while a script of another thread
 * has been running for long (busy.h): nobody is to wait for it, nor to come between. */
MUST_CHECK bool executor_begin_exclusive(struct executor *executor);
void executor_end_exclusive(struct executor *executor);

#endif
