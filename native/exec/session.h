/* A client as the executor sees it, with a socket or without: who it is, which database
 * it uses, how it speaks, its transaction.  Only the executing thread that serves it
 * touches it; others look at it in the exclusive section, or send its owner a job. */
#ifndef EXEC_SESSION_H
#define EXEC_SESSION_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "proto/dialect.h"

struct acl_user;
struct blocked;
struct command;
struct engine;
struct executor;
struct listening;
struct mailbox;
struct session;
struct tracking_member;
struct transaction;

/* What a session's carrier (a connection, or an in-process client) can tell and do. */
struct session_carrier {
    /* "127.0.0.1:50000", or the path for a Unix socket; ours is the local end. */
    void (*addresses)(const struct session *session, struct buf *peer, struct buf *ours);
    int (*descriptor)(const struct session *session); /* -1 when there is none */
    /* Bytes of the query buffer, of it free, of the output buffer, pieces of output. */
    void (*buffers)(const struct session *session, size_t *query, size_t *query_free,
                    size_t *output, size_t *output_pieces, size_t *total);
    /* Asks the owner to close it soon; in the exclusive section. */
    void (*kill)(struct session *session);
    /* The session's blocked command was answered (blocking.h): its owner is to take the answer.
     * In the exclusive section.  NULL for clients that never wait. */
    void (*answered)(struct session *session);
    /* Sends bytes that nobody asked for, behind the replies so far; the owner, in a batch.  NULL
     * for clients that listen to nothing. */
    void (*push)(struct session *session, struct bytes bytes);
    /* Closes it soon, for messages to it were lost; the owner, in a batch.  NULL for clients that
     * get none. */
    void (*overrun)(struct session *session);
    /* The box of its owner; NULL for clients that get no messages.  Any thread. */
    struct mailbox *(*mailbox)(const struct session *session);
    const char *address;      /* without a socket: of both ends */
    size_t size;              /* without a socket: bytes, for CLIENT LIST's tot-mem */
    const char *monitored_as; /* in MONITOR, instead of the address; or NULL */
    char kind;     /* CLIENT LIST's flag: 'N' a normal client, 'U' one of a Unix socket */
    bool internal; /* of the same process: SESSION_INTERNAL, authenticated, not counted */
};

/* What carriers of clients without a socket have in common: their 'address' and 'size', no
 * descriptor, no buffers, and no end from outside, for their owner holds them. */
void session_fixed_addresses(const struct session *session, struct buf *peer, struct buf *ours);
int session_no_descriptor(const struct session *session);
void session_no_buffers(const struct session *session, size_t *query, size_t *query_free,
                        size_t *output, size_t *output_pieces, size_t *total);
void session_stay(struct session *session);

enum session_flags {
    SESSION_AUTHENTICATED = 1 << 0,
    SESSION_CLOSE_AFTER_REPLY = 1 << 1, /* QUIT, a protocol error */
    SESSION_CLOSE_NOW = 1 << 2,         /* killed: no reply */
    SESSION_REPLY_OFF = 1 << 3,         /* CLIENT REPLY OFF */
    SESSION_REPLY_SKIP_NEXT = 1 << 4,   /* CLIENT REPLY SKIP: armed */
    SESSION_REPLY_SKIP = 1 << 5,        /* this command's reply is dropped */
    SESSION_NO_EVICT = 1 << 6,
    SESSION_NO_TOUCH = 1 << 7,
    SESSION_INTERNAL = 1 << 8,      /* in-process: outside maxclients and pauses */
    SESSION_EXECUTING = 1 << 9,     /* inside EXEC */
    SESSION_POSTPONED = 1 << 10,    /* CLIENT PAUSE, or a killed script that is about to end: the
                                           command has not run and has no reply; the carrier keeps
                                           it, clears this, and brings it again later */
    SESSION_BLOCKED = 1 << 11,      /* waits for keys: no reply yet; see blocking.h */
    SESSION_TRYING_AGAIN = 1 << 12, /* its blocked command runs once more */
    SESSION_SUBSCRIBED = 1 << 13,   /* listens to something; see pubsub.h */
    SESSION_MONITORS = 1 << 14,     /* sees all commands; see monitor.h */
    /* Client-side caching; see tracking.h. */
    SESSION_TRACKS = 1 << 20,
    SESSION_TRACKS_PREFIXES = 1 << 21, /* in broadcasting mode */
    SESSION_OPT_IN = 1 << 22,          /* remembers keys only after CLIENT CACHING YES */
    SESSION_OPT_OUT = 1 << 23,         /* ... unless after CLIENT CACHING NO */
    SESSION_CACHING = 1 << 24,         /* CLIENT CACHING: for the next command */
    SESSION_NO_LOOP = 1 << 25,         /* does not want to hear of its own changes */
    SESSION_REDIRECT_BROKEN = 1 << 26, /* who was to hear for it has left */
    SESSION_PUSHES = 1 << 27,          /* tracking_settle() is due behind this command */
};

/* What keeps a session's commands from being plainly run.  Set by any thread in the exclusive
 * section, and by the owner. */
enum session_checks {
    SESSION_KILLED = 1 << 0,      /* it is to be closed */
    SESSION_CHECK_USER = 1 << 1,  /* its user may not do everything */
    SESSION_CHECK_LOGIN = 1 << 2, /* it has not authenticated */
};

/* What few sessions have, allocated when first needed. */
struct session_details {
    struct buf name, library_name, library_version;
};

struct session {
    struct session *next, *previous; /* the engine's list; its lock */
    const struct session_carrier *carrier;
    struct transaction *transaction;  /* inside MULTI, or with watched keys; else NULL */
    struct session_details *details;  /* or NULL */
    struct session *next_monitor;     /* of the same owner */
    struct listening *listening;      /* its subscriptions, or NULL */
    struct tracking_member *tracking; /* it tracks; or NULL */
    struct blocked *blocked;          /* a command that waits, or was answered; or NULL */
    const struct command *last_command;
    const struct acl_user *user; /* changed by the owner in a batch, or in the exclusive section */
    uint64_t id;
    int64_t created_ms, active_ms; /* Unix time */
    uint32_t flags;                /* enum session_flags */
    uint32_t db;
    uint8_t protocol;       /* 2 or 3 */
    uint8_t dialect;        /* of the newest command */
    uint8_t close_reason;   /* enum rln_close_reason, once it is to be closed */
    _Atomic uint8_t checks; /* enum session_checks */
};

/* enum session_checks, as of now.  Any thread. */
static inline uint8_t session_checks(const struct session *session)
{
    return atomic_load_explicit(&session->checks, memory_order_acquire);
}

/* Sets or clears one of them: the owner, or anyone in the exclusive section. */
static inline void session_set_check(struct session *session, enum session_checks check, bool on)
{
    if (on) {
        atomic_fetch_or_explicit(&session->checks, (uint8_t)check, memory_order_release);
    } else {
        atomic_fetch_and_explicit(&session->checks, (uint8_t)~check, memory_order_release);
    }
}

/* Asks its owner to close it; in the exclusive section. */
void session_kill(struct session *session);

/* Makes 'session' a new client of the engine: an id, the defaults, into the list.  NULL stands
 * for an internal carrier that knows no addresses. */
void session_init(struct session *session, struct engine *engine,
                  const struct session_carrier *carrier, int64_t now_ms);
/* Out of the list, watches and transaction dropped.  The executor is the serving thread's
 * and is inside a batch. */
void session_release(struct session *session, struct engine *engine, struct executor *executor);

/* RESET: back to how it was at the start, but for its id and the authentication that the
 * configuration asks for. */
void session_reset(struct session *session, struct engine *engine, struct executor *executor);

/* Never NULL; aborts when memory is short (bounded). */
struct session_details *session_details(struct session *session);

/* All bytes that belong to a session: its carrier's buffers, transaction, watched keys,
 * subscriptions, prefixes; CLIENT LIST's tot-mem.  In the exclusive section or for one's own. */
size_t session_memory(const struct session *session);

/* CLIENT LIST's line of a session, without the newline, appended.  In the exclusive section
 * or for one's own. */
void session_describe(const struct session *session, int64_t now_ms, struct buf *out);

#endif
