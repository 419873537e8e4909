/* Holding keys is a value: the locks on the stripes of a command's keys, taken in
 * ascending order, and the hashes that were computed on the way.  Functions of the
 * keyspace require it, so the compiler (clang) and debug builds catch a touch outside. */
#ifndef STORE_KEYLOCK_H
#define STORE_KEYLOCK_H

#include "base/bytes.h"
#include "base/thread.h"

struct keyspace;
struct store_thread;

/* A key with its hash in a database.  'hash' comes from keyspace_hash(). */
struct locked_key {
    struct bytes name;
    uint64_t hash;
    uint32_t db; /* as the client numbers it */
};

enum keylock_mode { KEYLOCK_READ, KEYLOCK_WRITE };

enum { KEYLOCK_INLINE = 32 };

struct CAPABILITY("keys") keylock {
    struct store_thread *thread;
    uint32_t db; /* the session's database: what a bare key means */
    enum keylock_mode mode;
    bool exclusive;                /* the exclusive section holds everything */
    bool met_expired;              /* a read met a key past its time: keyspace_reap() */
    const struct locked_key *keys; /* borrowed from the caller of acquire */
    uint32_t key_count;
    struct bytes missed;   /* the newest key that was looked for and is not there */
    uint32_t hint;         /* where the next key is probably found in 'keys' */
    uint32_t stripe_count; /* distinct stripes, ascending */
    uint32_t stripe_room;
    uint32_t *stripes; /* 'inline_stripes', or memory kept for the next time */
    uint32_t inline_stripes[KEYLOCK_INLINE];
};

/* Before the first use, for one thread; release gives back memory. */
void keylock_init(struct keylock *lock, struct store_thread *thread);
void keylock_release_memory(struct keylock *lock);

/* Locks the stripes of 'keys', which stay the caller's and in place until the release.
 * The thread is in a batch and holds no key. */
void keylock_acquire(struct keylock *lock, uint32_t db, const struct locked_key *keys,
                     uint32_t count, enum keylock_mode mode) ACQUIRES(*lock);
void keylock_release(struct keylock *lock) RELEASES(*lock);

/* Whether the lock holds the stripe of '*key'.  When that is one of the keys that the lock knows,
 * '*key' becomes that one's own bytes, by which its hash is found. */
MUST_CHECK bool keylock_covers(struct keylock *lock, uint32_t db, struct bytes *key);

#endif
