/* Client-side caching: CLIENT TRACKING.  A client that tracks is told which of the keys it has
 * read have changed, by pushes of RESP3, or through another client (REDIRECT); or, in broadcasting
 * mode, of all changed keys with certain prefixes.
 *
 * Read keys stand in a table of shards with a lock each, by name alone: as in Redis a database
 * makes no difference.  A key's readers are numbers of sessions; who has left is found out when
 * the key changes.  The executor puts keys in while they are held, after a read-only command of
 * a session that tracks (the row says which arguments are keys), and the mutation gate takes
 * them out and sends letters (mail.h) to the owners of the readers.  No handler knows of it, and
 * while nobody tracks nothing is written.
 *
 * What a client's own command changes is told behind that command's reply; what is broadcast,
 * once a batch, as one message for each prefix. */
#ifndef EXEC_TRACKING_H
#define EXEC_TRACKING_H

#include <stdalign.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/thread.h"

struct engine;
struct executor;
struct mailbox;
struct reply;
struct session;
struct task;
struct tracked_key;
struct tracking_member;
struct tracking_prefix;

enum { TRACKING_SHARDS = 128 };

struct tracking_shard {
    alignas(CACHE_LINE) struct rwlock lock; /* RANK_TRACKED; guards what follows */
    _Atomic uint32_t count;                 /* read without it, too */
    uint32_t bucket_count;
    struct tracked_key **buckets;
};

struct tracking {
    _Atomic uint32_t clients;  /* sessions that track; the fast way out */
    _Atomic uint32_t prefixes; /* different ones that are broadcast */
    _Atomic uint64_t keys;     /* in the table */
    _Atomic uint64_t items;    /* readers of all of them */
    _Atomic uint64_t memory;   /* bytes of the table */
    struct hash_key hash_key;
    struct rwlock lock;               /* RANK_TRACKING; guards what follows */
    struct tracking_member **members; /* sessions that track, or hear for others, by number */
    uint32_t member_buckets, member_count;
    struct tracking_prefix *first_prefix; /* ascending */
    struct tracking_shard *shards;        /* TRACKING_SHARDS */
};

/* Keys that a thread has changed in this batch, while somebody listens to prefixes. */
struct tracking_notes {
    char *bytes;
    struct tracking_note *notes;
    size_t len, cap;
    uint32_t count, room;
};

/* Nobody tracks.  False when memory is short.  Released when all sessions are gone. */
MUST_CHECK bool tracking_init(struct tracking *tracking, const struct hash_key *key);
void tracking_release(struct tracking *tracking);

/* ---- For CLIENT ----------------------------------------------------------------------------- */

struct tracking_options {
    bool broadcast, opt_in, opt_out, no_loop;
    uint64_t redirect;            /* number of another session, or 0 */
    const struct bytes *prefixes; /* borrowed; with 'broadcast' */
    uint32_t prefix_count;        /* 0: all keys */
};

/* Switches tracking on, or changes it; the options fit each other and the session.  'mailbox' is
 * its owner's.  ERR_NO_REDIRECT: there is nobody to redirect to.  ERR_OUT_OF_MEMORY: it is
 * as before. */
MUST_CHECK enum err tracking_begin(struct engine *engine, struct session *session,
                                   struct mailbox *mailbox, const struct tracking_options *options);
/* Switches it off; nothing when it is. */
void tracking_end(struct engine *engine, struct session *session);
/* Forgets a session that leaves. */
void tracking_leave(struct engine *engine, struct session *session);

/* The session to which its messages go, 0 for itself, -1 when it does not track. */
int64_t tracking_redirection(const struct session *session);
/* A prefix of the session that begins with 'prefix', or the other way round; .at is NULL when
 * there is none.  Borrowed until tracking is changed. */
struct bytes tracking_overlap(const struct session *session, struct bytes prefix);
/* Its prefixes, ascending: how many, and each. */
uint32_t tracking_prefix_count(const struct session *session);
void tracking_each_prefix(const struct session *session,
                          void (*visit)(void *user, struct bytes prefix), void *user);

/* Bytes of what it is told of, but for the prefixes' names, which others share. */
size_t tracking_memory(const struct session *session);

/* ---- For the executor ---------------------------------------------------------------------- */

/* Whether any client tracks.  Any thread. */
static inline bool tracking_any(const struct tracking *tracking)
{
    return __builtin_expect(atomic_load_explicit(&tracking->clients, memory_order_relaxed) != 0, 0);
}

/* Remembers the keys that a command of a tracking session has read; they are held. */
void tracking_remember(const struct task *task);

/* A key, which is held, has changed: by a command of 'by', or by itself (NULL).  'executor' may be
 * NULL where it is not known. */
void tracking_key_changed(struct engine *engine, struct executor *executor, struct session *by,
                          struct bytes key);
/* All keys have, in the exclusive section. */
void tracking_all_changed(struct engine *engine, struct session *by);

/* Behind the reply of a session's command: what that command has changed of its own keys. */
void tracking_settle(struct executor *executor, struct session *session, struct reply *reply);

/* Tells what the batch has changed to those who listen to prefixes. */
void tracking_broadcast(struct executor *executor);
void tracking_notes_release(struct tracking_notes *notes);

/* Takes keys out of a table that is above tracking-table-max-keys, at most 'effort', and tells
 * their readers.  True when there is more to do.  No key need be held. */
bool tracking_trim(struct executor *executor, uint32_t effort);

/* The owner of sessions for which letters were lost: they are told that everything changed. */
void tracking_tell_lost(struct executor *executor);

#endif
