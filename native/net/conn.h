/* A connection: a socket, its session, and what is unfinished in either direction.  It
 * belongs to one worker for life; nobody else touches it (others look at the session in the
 * exclusive section, and mark it as killed).  Idle, it is this struct and nothing more. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/buf.h"
#include "exec/session.h"
#include "net/job.h"
#include "net/output.h"
#include "proto/reader.h"
#include "rln.h"

struct worker;

struct conn {
    struct session session; /* first: the carrier's functions cast it back */
    struct worker *worker;
    struct conn *next, *previous; /* the worker's list */
    struct conn *next_answered;   /* the worker's list of those with an answer to take */
    struct conn *next_pushed;     /* the worker's list of those with messages to send */
    struct buf input;             /* an incomplete command, or commands that must wait */
    struct reader *reader;        /* the place inside the incomplete command, or NULL */
    struct outbox *outbox;        /* unsent replies, or NULL */
    struct peer peer;
    size_t counted; /* of its memory, in the worker's sum */
    int fd;
    uint32_t deadline_at; /* 1 + its index among the worker's deadlines; 0: not there */
    uint8_t interest;     /* what the poller watches: enum poll_interest */
    bool waiting;         /* its commands wait (in 'input'): for CLIENT PAUSE, or for the
                                    reader of its replies */
    bool answered;        /* in the list of those with an answer to take */
    bool pushed;          /* in the list of those with messages to send */
};

/* Takes the socket: the connection owns it.  In a batch.  NULL when memory is short, and
 * then the socket is still the caller's. */
struct conn *conn_create(struct worker *worker, int fd, const struct peer *peer);

/* Closes the socket and frees everything.  In a batch. */
void conn_destroy(struct conn *conn);

/* Watches for 'interest' from now on; no system call when nothing changes. */
void conn_set_interest(struct conn *conn, int interest);

/* Brings the worker's sum of memory up to date. */
void conn_count_memory(struct conn *conn);

/* True when it may have more than this struct, or had. */
static inline bool conn_has_memory(const struct conn *conn)
{
    const struct session *session = &conn->session;
    return ((uintptr_t)conn->outbox | conn->input.cap | (uintptr_t)session->transaction |
            (session->flags & (SESSION_SUBSCRIBED | SESSION_TRACKS)) |
            (conn->counted ^ sizeof *conn)) != 0;
}

/* The peer as text, for events and logs; returns the length. */
size_t conn_peer_text(const struct conn *conn, char *out, size_t room);

#endif
