/* The keyspace: striped read/write locks and hash tables.  A key's hash picks its
 * stripe; a stripe is a lock, an open-addressing table of one-cache-line buckets with
 * 1-byte tags (table.h), its expiry index and its watchers.
 *
 * Nothing here locks by itself except the walks at the end: functions on a key want the
 * keylock that holds it (keylock.h), so that what a command declares is what it touches. */
#ifndef STORE_KEYSPACE_H
#define STORE_KEYSPACE_H

#include "base/brlock.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/slab.h"
#include "store/entry.h"
#include "store/keylock.h"

struct keyspace;
struct value_limits;

enum { KEYSPACE_NO_EXPIRY = -1 };

/* Told of a removal that no command asked for, while the key's stripe is held for
 * writing.  'key' is borrowed for the call. */
struct keyspace_hooks {
    void (*expired)(void *user, struct store_thread *thread, uint32_t db, struct bytes key);
    /* The same of a key that was evicted. */
    void (*evicted)(void *user, struct store_thread *thread, uint32_t db, struct bytes key);
    /* A key is there that was not, for the same while; only after keyspace_tell_created(). */
    void (*created)(void *user, uint32_t db, struct bytes key);
    /* Of a field of a hash whose end has passed, before it goes; and when it was the last one
     * and the key is about to go, too. */
    void (*field_expired)(void *user, uint32_t db, struct bytes key, struct bytes field);
    void (*fields_gone)(void *user, uint32_t db, struct bytes key);
    void *user;
};

struct keyspace_options {
    unsigned databases;   /* at least 1 */
    unsigned stripe_bits; /* 0: 12, that is 4096 stripes */
    struct hash_key hash_key;
    const struct clock *clock; /* borrowed for the keyspace's life */
    struct keyspace_hooks hooks;
};

/* NULL when memory is short. */
struct keyspace *keyspace_create(const struct keyspace_options *options);
/* No thread may be joined any more.  NULL is fine. */
void keyspace_destroy(struct keyspace *ks);

/* As a thread's access_now: that keys are used is not noted (CLIENT NO-TOUCH). */
#define ACCESS_UNNOTED UINT32_MAX

/* A member (a field) that a command will look up in the value of its key. */
struct member_ahead {
    struct bytes name;
    bool ordered; /* its place in the order of a sorted set will be needed too */
    double score; /* the one that it is to get there, or NaN */
};

/* The hashes of the names whose memory was fetched last, in the order in which they will be looked
 * up.  A name is known by where it stands, so this ends with the round. */
enum { MEMBERS_AHEAD_MAX = 16 };
struct members_ahead {
    uint32_t next, count;
    uint64_t tweak; /* of the table they are meant for */
    struct bytes name[MEMBERS_AHEAD_MAX];
    uint64_t hash[MEMBERS_AHEAD_MAX];
};

/* What one executing thread brings to the keyspace: its word of the exclusive section,
 * its heap for entries, and counters that only it writes.  A thread must be joined to
 * touch the keyspace, and be inside a batch (keyspace_enter) or the exclusive section. */
struct store_thread {
    struct brlock_reader reader;
    struct keyspace *keyspace;
    struct slab_heap *heap;
    struct random dice;
    _Atomic int64_t *key_counts;      /* by internal database; change since the join */
    _Atomic int64_t *expiry_counts;   /* of these, keys with an expiry */
    _Atomic uint64_t expired;         /* keys this thread found expired and removed */
    _Atomic uint64_t evicted;         /* keys this thread evicted */
    _Atomic int64_t outside;          /* bytes not in the slabs: blobs, large entries and tables */
    _Atomic int64_t owners;           /* entries with memory outside of the slabs */
    uint32_t access_now;              /* seconds, cut to 24 bits; the executor sets it */
    int64_t now_ms;                   /* Unix time of this batch; the executor sets it */
    const _Atomic uint32_t *watchers; /* the keyspace's count of them; keyspace_is_watched() */
    struct retired *retired;          /* tables that other threads may still prefetch */
    struct store_thread *next;
    struct members_ahead ahead;
};

/* 'thread' is the caller's memory and stays in place until keyspace_quit().  False when
 * memory is short. */
MUST_CHECK bool keyspace_join(struct keyspace *ks, struct store_thread *thread);
void keyspace_quit(struct keyspace *ks, struct store_thread *thread);

/* A batch: between these the thread may lock and touch keys; not nested. */
void keyspace_enter(struct store_thread *thread);
void keyspace_leave(struct store_thread *thread);

/* The exclusive section: nobody else is in a batch, every key may be touched.  The
 * caller must be outside a batch.  'lock' becomes a keylock that holds everything. */
void keyspace_begin_exclusive(struct store_thread *thread, struct keylock *lock) ACQUIRES(*lock);
void keyspace_end_exclusive(struct store_thread *thread, struct keylock *lock) RELEASES(*lock);
/* The same as keyspace_begin_exclusive() unless '*obstacle' is not 0, or becomes so while others
 * are waited for: then false, with the caller outside of a batch still. */
MUST_CHECK bool keyspace_try_exclusive(struct store_thread *thread, struct keylock *lock,
                                       const _Atomic uint32_t *obstacle);
/* Between two exclusive sections of a thread, in a batch: lets those into one who wait for it. */
void keyspace_give_way(struct store_thread *thread);

/* Databases are named by the client's index; SWAPDB changes which one an index means. */
unsigned keyspace_databases(const struct keyspace *ks);

/* The hash of a key in a database; what struct locked_key carries.  Called in a batch or
 * the exclusive section, and good until the batch ends: an exclusive section between may
 * have changed what 'db' means.  keyspace_mapping() counts such changes. */
uint32_t keyspace_mapping(const struct keyspace *ks);
uint64_t keyspace_hash(const struct keyspace *ks, uint32_t db, struct bytes key);

/* Starts the memory of keys on its way, in three rounds over many: the stripe, then the
 * bucket, then 'lines' cache lines of the entry.  Takes no lock and has no effect. */
void keyspace_prefetch_stripe(const struct keyspace *ks, uint64_t hash);
void keyspace_prefetch_buckets(const struct keyspace *ks, const uint64_t *hashes, uint32_t count);
void keyspace_prefetch_entries(const struct keyspace *ks, const uint64_t *hashes, uint32_t count,
                               uint32_t lines);
enum { ENTRY_LINES_MIN = 2, ENTRY_LINES_MAX = 16 };

/* The same for what looking up members of the set, hash or sorted set of a key takes, once the
 * key's own memory is there.  Locks the stripe for a moment, unless a writer has it; the
 * caller holds no key.  The names stay as they are until they are looked up, or
 * keyspace_forget_members() is called. */
void keyspace_prefetch_members(struct store_thread *thread, const struct locked_key *key,
                               const struct member_ahead *members, uint32_t count);
static inline void keyspace_forget_members(struct store_thread *thread)
{
    thread->ahead.count = 0;
}

/* ---- One key ------------------------------------------------------------------ */

/* Points '*found' at the live entry of 'key', or at NULL when there is none, and notes
 * the access.  Borrowed until the key is written or the lock released.
 *
 * ERR_WRONG_TYPE
 *     The key holds a value of another type than 'type' (VALUE_ANY: any will do). */
MUST_CHECK enum err keyspace_find(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                  enum value_type type, struct entry **found) REQUIRES(*lock);

/* The live entry or NULL; without noting an access. */
struct entry *keyspace_peek(struct keyspace *ks, struct keylock *lock, struct bytes key)
    REQUIRES(*lock);

/* What a write of a whole value does with an expiry that is there. */
enum keep_expiry { EXPIRY_KEEP, EXPIRY_REPLACE };

/* Makes 'key' hold the string 'value', whatever it held.  EXPIRY_REPLACE sets the expiry
 * to 'expires_at_ms' (KEYSPACE_NO_EXPIRY: none).  In place when it fits, so 'value' must
 * not be borrowed from this key.
 * ERR_OUT_OF_MEMORY: nothing has changed. */
MUST_CHECK enum err keyspace_set_string(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                        struct bytes value, enum keep_expiry keep,
                                        int64_t expires_at_ms) REQUIRES(*lock);

/* Makes 'key' hold the digits of 'value', with the expiry that it has.  'entry' is what
 * keyspace_find() as a string has just found for it, or NULL.  ERR_OUT_OF_MEMORY: nothing has
 * changed. */
MUST_CHECK enum err keyspace_set_counter(struct keyspace *ks, struct keylock *lock,
                                         struct bytes key, struct entry *entry, int64_t value)
    REQUIRES(*lock);

/* Makes the string of 'key' (created empty when there is none) 'len' bytes long: bytes
 * beyond the old length are zero.  '*at' is where it can be written, until the lock is
 * released or the key is written again.  The encoding becomes raw.  Growth leaves room
 * to grow again.  ERR_WRONG_TYPE, ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err keyspace_resize_string(struct keyspace *ks, struct keylock *lock,
                                           struct bytes key, size_t len, char **at) REQUIRES(*lock);

/* Adopts 'pointer', a structure of value.h, as the value of 'key', which has none.  '*entry'
 * is borrowed until the key is written by its name or the lock released.  ERR_OUT_OF_MEMORY:
 * nothing has changed, and the structure is still the caller's. */
MUST_CHECK enum err keyspace_add(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                 enum value_type type, enum encoding encoding, void *pointer,
                                 struct entry **entry) REQUIRES(*lock);

/* The same whatever the key holds: that is freed, by the background when it is large and
 * 'lazily', and an expiry is gone.  ERR_OUT_OF_MEMORY: nothing has changed. */
MUST_CHECK enum err keyspace_replace(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                     enum value_type type, enum encoding encoding, void *pointer,
                                     bool lazily) REQUIRES(*lock);
/* The same with an expiry for the new value, or KEYSPACE_NO_EXPIRY. */
MUST_CHECK enum err keyspace_put(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                 enum value_type type, enum encoding encoding, void *pointer,
                                 int64_t expires_at_ms, bool lazily) REQUIRES(*lock);

/* Sets or takes away (KEYSPACE_NO_EXPIRY) the expiry of a live key.  Entries may move:
 * '*entry' is updated.  ERR_OUT_OF_MEMORY: nothing has changed. */
MUST_CHECK enum err keyspace_expire_at(struct keyspace *ks, struct keylock *lock,
                                       struct entry **entry, int64_t expires_at_ms) REQUIRES(*lock);

/* Fields of the hash of 'key' were given ends: has the background know. */
void keyspace_note_field_ends(struct keyspace *ks, struct keylock *lock, struct bytes key,
                              struct entry *entry) REQUIRES(*lock);

/* Removes 'key'; false when there was no live one.  Large values are freed by the
 * background when 'lazily'. */
bool keyspace_delete(struct keyspace *ks, struct keylock *lock, struct bytes key, bool lazily)
    REQUIRES(*lock);

/* Moves the value of 'from' in database 'from_db' to 'to' in 'to_db', with its expiry,
 * replacing what is there.  Both keys are locked; 'from' exists.  ERR_OUT_OF_MEMORY:
 * nothing has changed. */
MUST_CHECK enum err keyspace_move(struct keyspace *ks, struct keylock *lock, uint32_t from_db,
                                  struct bytes from, uint32_t to_db, struct bytes to)
    REQUIRES(*lock);

/* The same with a copy.  ERR_OUT_OF_MEMORY: nothing has changed. */
MUST_CHECK enum err keyspace_copy(struct keyspace *ks, struct keylock *lock, uint32_t from_db,
                                  struct bytes from, uint32_t to_db, struct bytes to)
    REQUIRES(*lock);

/* keyspace_peek() in another database than the lock's own; the key must be locked there. */
struct entry *keyspace_peek_in(struct keyspace *ks, struct keylock *lock, uint32_t db,
                               struct bytes key) REQUIRES(*lock);
bool keyspace_delete_in(struct keyspace *ks, struct keylock *lock, uint32_t db, struct bytes key)
    REQUIRES(*lock);

/* ---- Watchers ------------------------------------------------------------------ */

/* Somebody who wants to know when a key is touched: WATCH now, blocked clients and
 * client-side caching in time.  The memory is the watcher's; it hangs on the stripe. */
struct watcher {
    struct watcher *next;
    void (*touched)(struct watcher *watcher); /* stripe held for writing; must only mark */
    uint64_t hash;
    uint32_t db;      /* internal database */
    struct bytes key; /* the watcher's memory */
};

/* The key must be locked (reading is enough to watch: the list has its own order). */
void keyspace_watch(struct keyspace *ks, struct keylock *lock, struct bytes key,
                    struct watcher *watcher) REQUIRES(*lock);
/* Locks the stripe by itself; the caller holds no key, but is in a batch or exclusive. */
void keyspace_unwatch(struct store_thread *thread, struct watcher *watcher);
/* Tells the watchers of 'key' that it has changed. */
void keyspace_touch(struct keyspace *ks, struct keylock *lock, struct bytes key) REQUIRES(*lock);
void keyspace_touch_in(struct keyspace *ks, struct keylock *lock, uint32_t db, struct bytes key)
    REQUIRES(*lock);
/* Whether there are watchers of any key: if not, touching one has no effect. */
static inline bool keyspace_is_watched(const struct store_thread *thread)
{
    return __builtin_expect(atomic_load_explicit(thread->watchers, memory_order_relaxed) != 0, 0);
}
/* Tells watchers of every existing key of database 'db' (all: UINT32_MAX) that it is about
 * to go; in the exclusive section only. */
void keyspace_touch_all(struct keyspace *ks, struct keylock *lock, uint32_t db) REQUIRES(*lock);

/* ---- The whole keyspace --------------------------------------------------------- */

/* Live keys of a database as DBSIZE counts them (expired ones not yet removed are in). */
int64_t keyspace_size(const struct keyspace *ks, uint32_t db);
int64_t keyspace_expires(const struct keyspace *ks, uint32_t db);
/* Keys that have expired and were removed since the start. */
uint64_t keyspace_expired(const struct keyspace *ks);
/* Counts these, and the evicted, from 0 on; in the exclusive section. */
void keyspace_reset_stats(struct keyspace *ks);
/* Milliseconds: mean time to live of the keys with one, estimated from samples; 0: none. */
int64_t keyspace_average_ttl(struct keyspace *ks, uint32_t db);
/* Bytes of entries, tables, blobs and the keyspace itself. */
size_t keyspace_memory(const struct keyspace *ks);
/* Of one entry, with its share of the table; MEMORY USAGE.  Large values are estimated from
 * 'samples' elements (0: all). */
size_t keyspace_entry_memory(const struct entry *entry, size_t samples);
/* Of all stripes' tables, which the databases share; locks stripe after stripe for reading. */
size_t keyspace_table_memory(struct keyspace *ks);
/* Of a database's index of expiries. */
size_t keyspace_expiry_memory(const struct keyspace *ks, uint32_t db);
/* Bytes that this thread has taken and not given back, less those of others that it gave back:
 * how much keyspace_memory() has grown by it is a difference of two of these. */
int64_t keyspace_thread_memory(const struct store_thread *thread);
/* Live bytes of the slabs, and of the pages that they hold. */
void keyspace_slab_memory(const struct keyspace *ks, size_t *used, size_t *held);
/* Gives unused pages back to the system; returns their bytes. */
size_t keyspace_trim(struct store_thread *thread);

/* Walks: they lock stripe after stripe for reading; the caller holds no key and is in a
 * batch (or in the exclusive section, with 'lock').  'visit' gets live entries of 'db',
 * borrowed for the call, and returns false to stop. */
typedef bool keyspace_visit(void *user, struct entry *entry);

/* One step of SCAN from 'cursor' (0: the beginning) over about 'count' keys; returns the
 * next cursor, 0 at the end.  The cursor is a place in hash order, so that a key that is
 * there from the first step to the last is visited, whatever grows or shrinks meanwhile. */
uint64_t keyspace_scan(struct store_thread *thread, uint32_t db, uint64_t cursor, size_t count,
                       keyspace_visit *visit, void *user);

/* A live key of 'db' at random, visited once; false when there is none. */
bool keyspace_random(struct store_thread *thread, uint32_t db, keyspace_visit *visit, void *user);

/* Removes all keys of 'db' (UINT32_MAX: of all).  In the exclusive section.  When
 * 'lazily', the memory is freed by keyspace_background().  Returns the number of keys.
 * Watchers are told by keyspace_touch_all() before. */
int64_t keyspace_flush(struct keyspace *ks, struct keylock *lock, uint32_t db, bool lazily)
    REQUIRES(*lock);

/* Exchanges two databases and tells the watchers of keys that exist in either; in the
 * exclusive section. */
void keyspace_swap(struct keyspace *ks, struct keylock *lock, uint32_t a, uint32_t b)
    REQUIRES(*lock);

/* Removes keys that are due, for at most 'budget_us', and tells the hooks.  Returns the
 * milliseconds until it wants to be called again (0: at once, the budget was spent).  One
 * thread at a time; the thread is outside a batch and enters short ones itself. */
int64_t keyspace_expire_due(struct store_thread *thread, int64_t budget_us);

/* Frees what was given to the background, for at most 'budget_us'; true when there is
 * more.  The same thread as above. */
bool keyspace_background(struct store_thread *thread, int64_t budget_us);
/* Objects waiting to be freed; INFO's lazyfree_pending_objects. */
size_t keyspace_pending_frees(const struct keyspace *ks);

/* After the lock was released: removes the keys that this lock met expired while it held
 * them only for reading.  The executor calls it; cheap when there were none. */
void keyspace_reap(struct store_thread *thread, struct keylock *lock);

/* Whether active expiry and lazy removal happen at all (DEBUG SET-ACTIVE-EXPIRE 0 leaves
 * expired keys invisible but in place). */
void keyspace_set_active_expiry(struct keyspace *ks, bool on);
/* Until as many calls with false as with true: no key goes by keyspace_expire_due() or
 * keyspace_reap(). */
void keyspace_hold_expiry(struct keyspace *ks, bool hold);

/* Whether hooks.created is called. */
void keyspace_tell_created(struct keyspace *ks, bool on);

/* TOUCH: notes a use by a thread that notes none. */
void keyspace_note_use(struct store_thread *thread, struct entry *entry);
/* The policy by which accesses are noted: false notes seconds (LRU), true notes a decaying
 * counter (LFU). */
void keyspace_set_lfu(struct keyspace *ks, bool lfu, unsigned log_factor, unsigned decay_minutes);
bool keyspace_is_lfu(const struct keyspace *ks);
/* OBJECT IDLETIME in seconds and OBJECT FREQ of an entry. */
int64_t keyspace_idle_seconds(const struct store_thread *thread, const struct entry *entry);
unsigned keyspace_frequency(const struct keyspace *ks, const struct store_thread *thread,
                            const struct entry *entry);
/* Notes of an entry, which is held for writing, that it is as good as new, or that it was last
 * used so many seconds ago, or how often: of the latter two the one that the policy goes by, the
 * other one has no effect. */
void keyspace_set_new(const struct store_thread *thread, struct entry *entry);
void keyspace_set_idle(const struct store_thread *thread, struct entry *entry, int64_t seconds);
void keyspace_set_frequency(const struct store_thread *thread, struct entry *entry,
                            unsigned frequency);

/* The limits of compact encodings (value.h); the configuration writes them. */
struct value_limits *keyspace_limits(struct keyspace *ks);

/* DEBUG HTSTATS in one line of text. */
size_t keyspace_describe(const struct keyspace *ks, uint32_t db, char *out, size_t room);

#endif
