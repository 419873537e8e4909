/* What the files behind tracking.h share: tracking_table.c (who has read which key), tracking.c
 * (the sessions that track), tracking_message.c (what they are told), tracking_broadcast.c (what
 * those hear who track prefixes). */
#ifndef EXEC_TRACKING_INTERNAL_H
#define EXEC_TRACKING_INTERNAL_H

#include "base/buf.h"
#include "exec/mail.h"
#include "exec/tracking.h"

/* A key that somebody has read. */
struct tracked_key {
    struct tracked_key *next; /* of the bucket */
    uint64_t hash;
    uint32_t count, room; /* of the readers */
    union {
        uint64_t own;   /* 'room' is 1: the only reader */
        uint64_t *list; /* ascending */
    } readers;
    size_t name_len;
    char name[];
};

/* A session that tracks, or that others redirect to.  Its owner changes it, under the lock. */
struct tracking_member {
    struct tracking_member *next; /* of the bucket */
    struct session *session;
    struct mailbox *mailbox; /* NULL: a client of this process, who can't be told anything */
    uint64_t id;
    uint64_t redirect;
    bool tracks, broadcast, no_loop;
    _Atomic bool lost;           /* a letter for it was: all its keys have changed */
    struct tracking_hold *first; /* its prefixes, ascending */
    struct buf pending;          /* what its running command has changed: keys with their length
                                      before, ALL_KEYS for all; the owner's alone */
};

/* A member's part in a prefix. */
struct tracking_hold {
    struct tracking_prefix *prefix;
    struct tracking_member *member;
    struct tracking_hold *next;                      /* of the member */
    struct tracking_hold *next_same, *previous_same; /* of the prefix */
};

struct tracking_prefix {
    struct tracking_prefix *next;
    struct tracking_hold *first;
    size_t len;
    char name[];
};

struct tracking_note {
    size_t at, len; /* in the notes' bytes */
    uint64_t by;    /* the session whose command it was, or 0 */
};

/* Names and readers are borrowed as long as what they are of is there. */
static inline struct bytes tracked_name(const struct tracked_key *key)
{
    return (struct bytes){ key->name, key->name_len };
}
static inline const uint64_t *tracked_readers(const struct tracked_key *key)
{
    return key->room == 1 ? &key->readers.own : key->readers.list;
}
static inline struct bytes prefix_name(const struct tracking_prefix *prefix)
{
    return (struct bytes){ prefix->name, prefix->len };
}

/* The lock of members and prefixes, with its place in the lock order. */
static inline void tracking_lock_to_read(struct tracking *tracking) UNCHECKED_LOCKING
{
    lock_order_take(RANK_TRACKING);
    rwlock_read(&tracking->lock);
}
static inline void tracking_unlock_read(struct tracking *tracking) UNCHECKED_LOCKING
{
    rwlock_read_unlock(&tracking->lock);
    lock_order_give(RANK_TRACKING);
}
static inline void tracking_lock_to_write(struct tracking *tracking) UNCHECKED_LOCKING
{
    lock_order_take(RANK_TRACKING);
    rwlock_write(&tracking->lock);
}
static inline void tracking_unlock_write(struct tracking *tracking) UNCHECKED_LOCKING
{
    rwlock_write_unlock(&tracking->lock);
    lock_order_give(RANK_TRACKING);
}

/* Under the lock; NULL when there is no such member. */
struct tracking_member *tracking_member(const struct tracking *tracking, uint64_t id);

/* ---- The table ------------------------------------------------------------------------------ */

/* False when memory is short. */
MUST_CHECK bool tracking_table_init(struct tracking *tracking);
/* Forgets all keys. */
void tracking_table_clear(struct tracking *tracking);

/* False when memory is short: the key is not in the table for this reader. */
MUST_CHECK bool tracking_table_add(struct tracking *tracking, struct bytes key, uint64_t reader);
/* Takes a key out and gives it to the caller, or NULL. */
struct tracked_key *tracking_table_take(struct tracking *tracking, struct bytes key);
/* The same with any key, near to the place that 'dice' says. */
struct tracked_key *tracking_table_take_any(struct tracking *tracking, uint64_t dice);
void tracked_key_destroy(struct tracked_key *key);

/* ---- Messages ------------------------------------------------------------------------------- */

/* Somebody who is to hear: 'to' hears for itself, or as the one redirected to. */
struct tracking_target {
    struct mailbox *mailbox; /* NULL once it was served */
    uint64_t to;
    uint64_t skip; /* keys that this session has changed are not told; 0: none */
    bool redirected;
};

/* A changed key, and whose command it was, 0 for nobody's. */
struct tracking_told {
    struct bytes name;
    uint64_t by;
};

/* Keys that are told together; a count of 0 stands for all there are. */
struct tracking_news {
    const struct tracking_told *keys;
    uint32_t count;
};

/* The keys that are told, all but those of 'skip'. */
uint32_t tracking_count_told(const struct tracking_news *news, uint64_t skip);

/* Under the lock: whom to tell what the member is to hear.  False when nobody is there to hear for
 * it; one who redirects to nobody is told that then. */
bool tracking_find_target(const struct tracking *tracking, struct tracking_member *member,
                          struct tracking_target *target);

/* Under the lock: a letter to each mailbox at which somebody is to hear; takes the mailboxes out
 * of 'targets'.  Where memory is short, they hear that all keys have changed. */
void tracking_post(const struct tracking *tracking, struct tracking_target *targets, uint32_t count,
                   const struct tracking_news *news);

/* Notes a changed key for those who track prefixes; 'executor' NULL: they are told at once. */
void tracking_note_changed(struct engine *engine, struct executor *executor,
                           const struct session *by, struct bytes key);

/* Tells the readers of a key that was taken out of the table. */
void tracking_tell(struct engine *engine, struct session *by, const struct tracked_key *key);

/* Adds to what the session is told behind its reply; .at NULL: all keys. */
void tracking_put_off(struct session *session, struct bytes key);

#endif
