/* What the files of the keyspace share; nobody else includes this.
 *
 *   keyspace.c         life, threads, batches, hashes, prefetch
 *   keyspace_key.c     one key: find, delete, expire, move, copy
 *   keyspace_string.c  writing strings
 *   keyspace_value.c   structures: adding and freeing them
 *   keyspace_walk.c    scan, random, samples
 *   keyspace_stats.c   counts and memory
 *   flush.c            flush and swap of databases
 *   reclaim.c          tables, values and databases freed later
 *   expire.c           removal of keys that are due
 *   field_ends.c       removal of fields of hashes that are due
 *   watch.c            watchers of a stripe
 *
 * A stripe is changed under its write lock or in the exclusive section, and read under
 * either lock; the exceptions say so. */
#ifndef STORE_KEYSPACE_INTERNAL_H
#define STORE_KEYSPACE_INTERNAL_H

#include "store/expiry.h"
#include "store/keyspace.h"
#include "store/table.h"
#include "store/value.h"

/* All that a lookup reads of a stripe is in one cache line. */
struct stripe {
    alignas(CACHE_LINE) struct rwlock lock;
    struct table table;
    _Atomic(struct watcher *) watchers; /* pushed under the read lock too, hence atomic */
    struct expiry_index expiry;
};

/* What a database's internal id is used for.  An id outlives its database's contents
 * only while the background removes them. */
enum id_use { ID_FREE, ID_MAPPED, ID_SWEPT };

#define INDEX_NONE UINT32_MAX

/* Tables that a flush took out, to be freed in steps. */
struct detached {
    struct detached *next;
    uint32_t stripe_count;
    uint32_t stripe; /* where freeing goes on */
    uint32_t bucket;
    struct detached_stripe {
        struct table_array array;
        struct expiry_item *expiry_items;
    } stripes[];
};

/* Arrays that other threads may still prefetch, chained through their own first bytes:
 * those threads take what they read there for addresses to prefetch, no more.  Arrays
 * collect in 'open'; from time to time they are sealed with a ticket, and freed when it
 * has passed. */
struct retired_array {
    struct retired_array *next;
    uint32_t size;
};

struct retired {
    struct retired_array *open, *sealed;
    size_t open_bytes;
    uint32_t leaves; /* batches since the last look */
    struct brlock_ticket ticket;
    struct retired *next; /* in keyspace.orphans, when its thread has quit */
};

/* A structure that its entry has left behind. */
struct doomed_value {
    struct doomed_value *next;
    void *pointer;
    enum value_type type;
    enum encoding encoding;
};

struct keyspace {
    struct stripe *stripes;
    uint32_t stripe_count;
    unsigned stripe_shift;
    struct hash_key hash_key;
    const struct clock *clock;
    struct keyspace_hooks hooks;
    struct slab_pool *pool;

    _Atomic bool lfu;
    _Atomic bool active_expiry;
    _Atomic uint32_t expiry_holds; /* keyspace_hold_expiry() */
    _Atomic bool tell_created;
    _Atomic unsigned lfu_log_factor, lfu_decay_minutes;
    struct value_limits limits;

    /* Databases: 'id_of' by client's index, the others by internal id.  Changed in the
     * exclusive section, or (ID_SWEPT to ID_FREE) in a batch of the background. */
    unsigned databases, ids;
    _Atomic uint32_t *id_of;
    uint32_t *index_of;
    _Atomic uint8_t *id_uses;
    _Atomic uint32_t mapping; /* counts changes of 'id_of' */
    uint32_t sweep_stripe;    /* where the background's sweep goes on, ... */
    uint32_t sweep_left;      /* ... and how many stripes it has yet to see */

    struct expiry_index *field_ends; /* by stripe; see field_ends.c */

    /* By stripe: the earliest deadline in its indexes, INT64_MAX for none.  Written under
     * the stripe's write lock, read without. */
    _Atomic int64_t *next_expiry;
    uint32_t expire_position;
    _Atomic uint32_t watcher_count;

    alignas(CACHE_LINE) struct brlock brlock;

    struct mutex mutex; /* RANK_QUEUE; guards what follows */
    struct store_thread *threads;
    struct retired *orphans;
    int64_t *quit_key_counts, *quit_expiry_counts; /* of threads that have quit, by id */
    uint64_t quit_expired, quit_evicted;
    int64_t quit_outside, quit_owners;
    struct detached *detached;
    struct detached *freeing; /* what the background has taken from there; its own */
    struct blob *doomed;      /* chained through their contents; references of ours alone */
    struct doomed_value *doomed_values;
    _Atomic size_t pending; /* keys, blobs and values in these lists */
};

/* ---- Small helpers ------------------------------------------------------------------ */

#define LIKELY(condition)   __builtin_expect((condition), 1)
#define UNLIKELY(condition) __builtin_expect((condition), 0)

/* The stripe of a hash. */
static inline uint32_t stripe_index(const struct keyspace *ks, uint64_t hash)
{
    return (uint32_t)(hash >> ks->stripe_shift);
}

static inline struct stripe *stripe_of(const struct keyspace *ks, uint64_t hash)
{
    return &ks->stripes[stripe_index(ks, hash)];
}

/* SWAPDB exchanges ids, so that entries need not change. */
static inline uint32_t database_id(const struct keyspace *ks, uint32_t db)
{
    return atomic_load_explicit(&ks->id_of[db], memory_order_relaxed);
}

/* Only one thread writes the counter. */
static inline void counter_add(_Atomic int64_t *counter, int64_t change)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + change,
                          memory_order_relaxed);
}

/* Whether it has ended by now, Unix time. */
static inline bool entry_is_due(const struct entry *entry, int64_t now_ms)
{
    return UNLIKELY((entry->flags & ENTRY_EXPIRES) != 0) && entry_expires_at(entry) <= now_ms;
}

/* The lock order counts stripes as one rank; a walk takes them one at a time. */
static inline void stripe_read(struct stripe *stripe) UNCHECKED_LOCKING
{
    lock_order_take(RANK_STRIPE);
    rwlock_read(&stripe->lock);
}

static inline void stripe_read_unlock(struct stripe *stripe) UNCHECKED_LOCKING
{
    rwlock_read_unlock(&stripe->lock);
    lock_order_give(RANK_STRIPE);
}

/* For writing, with its place in the lock order. */
static inline void stripe_write(struct stripe *stripe) UNCHECKED_LOCKING
{
    lock_order_take(RANK_STRIPE);
    rwlock_write(&stripe->lock);
}

static inline void stripe_write_unlock(struct stripe *stripe) UNCHECKED_LOCKING
{
    rwlock_write_unlock(&stripe->lock);
    lock_order_give(RANK_STRIPE);
}

/* ---- The key in hand (keyspace_key.c) ----------------------------------------------- */

uint64_t held_hash_slow(const struct keyspace *ks, struct keylock *lock, uint32_t db,
                        struct bytes key);
/* Debug builds: aborts when the lock does not hold the stripe of 'hash' in that way. */
void check_held(const struct keyspace *ks, const struct keylock *lock, uint64_t hash,
                bool for_write);

/* Whether the key is the one that the lock's hint points at: known by where its bytes are. */
static inline bool key_is_at_hint(const struct keylock *lock, uint32_t db, struct bytes key)
{
    if (UNLIKELY(lock->hint >= lock->key_count)) {
        return false;
    }
    const struct locked_key *held = &lock->keys[lock->hint];
    return LIKELY(held->name.at == key.at && held->name.len == key.len && held->db == db);
}

/* The same, or it is the one behind that, where the hint then moves: handlers take keys in
 * order. */
static inline bool key_is_next(struct keylock *lock, uint32_t db, struct bytes key)
{
    if (LIKELY(key_is_at_hint(lock, db, key))) {
        return true;
    }
    lock->hint++;
    if (key_is_at_hint(lock, db, key)) {
        return true;
    }
    lock->hint--;
    return false;
}

/* The hash of a key that 'lock' holds, without computing it again. */
static inline uint64_t held_hash(const struct keyspace *ks, struct keylock *lock, uint32_t db,
                                 struct bytes key, bool for_write)
{
    uint64_t hash = LIKELY(key_is_next(lock, db, key)) ? lock->keys[lock->hint].hash
                                                       : held_hash_slow(ks, lock, db, key);
#ifdef RLN_DEBUG
    check_held(ks, lock, hash, for_write);
#else
    (void)for_write;
#endif
    return hash;
}

/* ---- Entries and their memory (keyspace_key.c) -------------------------------------- */

/* What an entry is made of.  'value' is inline, or 'blob' is its blob. */
struct entry_parts {
    uint32_t id;
    struct bytes key;
    int64_t expires_at_ms; /* or KEYSPACE_NO_EXPIRY */
    enum value_type type;
    enum encoding encoding;
    size_t value_len;  /* of an inline string */
    struct blob *blob; /* or NULL */
    uint32_t access;
};

/* The value's bytes are not set, except for a blob's pointer.  NULL when memory is short. */
struct entry *entry_make(struct store_thread *thread, const struct entry_parts *parts);
/* Frees the entry alone. */
void entry_free(struct store_thread *thread, struct entry *entry);
/* Frees what the entry's value has outside of it (keyspace_value.c); 'lazily' leaves large
 * ones to the background, and very large structures go there anyway. */
void value_free(struct store_thread *thread, struct entry *entry, bool lazily);

/* Bytes outside of the slabs, and values that have some. */
static inline void note_outside(struct store_thread *thread, int64_t bytes, int64_t owners)
{
    counter_add(&thread->outside, bytes);
    counter_add(&thread->owners, owners);
}

/* Bytes that a blob counts as. */
static inline int64_t blob_memory(const struct blob *blob)
{
    return (int64_t)(sizeof *blob + blob->cap);
}

/* Makes room for one more key in the stripe, and retires what growth leaves over. */
bool stripe_reserve(struct store_thread *thread, struct stripe *stripe);
/* Adds an entry whose key is not there; room was reserved in the table, and in the index
 * when it expires. */
void stripe_insert(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct entry *entry);
/* Puts 'entry' in the place of 'former', whose memory is the caller's afterwards. */
void stripe_replace(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                    struct table_place place, struct entry *former, struct entry *entry);
/* Makes the table smaller after removals, if that is due. */
void stripe_settle(struct store_thread *thread, struct stripe *stripe);
/* Takes the entry out; its memory and value are the caller's.  The first leaves the table's
 * size as it is, for a walk that removes more. */
void stripe_unlink(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct table_place place, struct entry *entry);
void stripe_remove(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct table_place place, struct entry *entry);
/* After a key's expiry changed: counts, index and next deadline. */
void stripe_expiry_changed(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                           uint32_t id, int64_t before, int64_t after);
/* Notes in 'next_expiry' what the index says now. */
void stripe_publish_expiry(struct keyspace *ks, struct stripe *stripe);

/* ---- Expiry (expire.c) -------------------------------------------------------------- */

/* Removes an entry whose time has come and tells the hook and the watchers. */
void stripe_expire(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct table_place place, struct entry *entry);

/* Removes the entry if its time has come, and before a write those of its fields whose time has:
 * so what a write tells is enough for those who let nothing end by themselves.  The entry, or
 * NULL when it is gone. */
struct entry *stripe_drop_ended(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                                struct table_place place, struct entry *entry);

/* The live entry of a key whose stripe is held for writing, or NULL; one past its time is
 * removed. */
static inline struct entry *find_for_write(struct store_thread *thread, struct stripe *stripe,
                                           uint64_t hash, uint32_t id, struct bytes key,
                                           struct table_place *place)
{
    struct entry *entry = table_find(&stripe->table, hash, id, key, place);
    if (entry != NULL && (entry->flags & (ENTRY_EXPIRES | ENTRY_FIELDS_END)) != 0) {
        return stripe_drop_ended(thread, stripe, hash, *place, entry);
    }
    return entry;
}

/* ---- Fields that end (field_ends.c) --------------------------------------------------- */

/* The earliest moment at which a field of the stripe may be due, INT64_MAX for none. */
int64_t field_ends_first(const struct keyspace *ks, const struct stripe *stripe);
/* Has the stripe know when a field of the entry, if it is a hash, ends next. */
void field_ends_note(struct store_thread *thread, struct stripe *stripe, uint64_t key_hash,
                     struct entry *entry);
/* Removes the due fields of a hash and tells of them; the hash, too, when none is left: false. */
bool field_ends_drop(struct store_thread *thread, struct stripe *stripe, uint64_t key_hash,
                     struct table_place place, struct entry *entry);
/* Removes some fields of a stripe, held for writing, that are due. */
void field_ends_expire(struct store_thread *thread, struct stripe *stripe);
void field_ends_release(struct keyspace *ks);

/* ---- Counts (keyspace_stats.c) ------------------------------------------------------ */

/* Keys under an internal id. */
int64_t id_keys(const struct keyspace *ks, uint32_t id);
/* In the exclusive section: the id has no keys any more. */
void id_counts_reset(struct keyspace *ks, uint32_t id);
/* Entries that own memory outside of the slabs. */
int64_t values_outside(const struct keyspace *ks);

/* ---- Watchers (watch.c) ------------------------------------------------------------- */

void stripe_touch_slow(const struct stripe *stripe, uint64_t hash, uint32_t id, struct bytes key);

/* Makes transactions that watch the key fail; the stripe is held for writing. */
static inline void stripe_touch(const struct stripe *stripe, uint64_t hash, uint32_t id,
                                struct bytes key)
{
    if (UNLIKELY(atomic_load_explicit(&stripe->watchers, memory_order_relaxed) != NULL)) {
        stripe_touch_slow(stripe, hash, id, key);
    }
}

/* In the exclusive section: tells the watchers of the databases 'a' and 'b' (internal ids)
 * whose key exists in either. */
void watchers_touch_pair(struct keyspace *ks, uint32_t a, uint32_t b);
/* In the exclusive section: hangs every watcher of a database in 'moved' (by internal id;
 * INDEX_NONE: not moved) where its new id belongs. */
void watchers_rehome(struct keyspace *ks, const uint32_t *moved);

/* ---- Memory that goes later (reclaim.c) --------------------------------------------- */

/* 'array' may still be prefetched by batches that run now.  Nothing when it is empty. */
void retire_array(struct store_thread *thread, struct table_array array);
/* Looks whether retired memory can go; called at the end of a batch. */
void retired_collect(struct store_thread *thread);
/* The thread quits and leaves what cannot go yet to the background. */
void retired_orphan(struct store_thread *thread);
/* Takes every entry of the ids in ID_SWEPT out of a stripe and frees it; the stripe is held
 * for writing. */
void sweep_stripe(struct store_thread *thread, struct stripe *stripe);
/* Frees an array that no thread can see, its entries and what they own. */
void free_array(struct store_thread *thread, struct table_array array);
/* Leaves detached tables with 'keys' keys to the background. */
void reclaim_later(struct keyspace *ks, struct detached *detached, size_t keys);
/* At the end of the keyspace. */
void reclaim_everything(struct store_thread *thread);
/* Leaves a large blob, of which the caller holds the only reference, to the background. */
void doom_blob(struct keyspace *ks, struct blob *blob);
/* The same with a structure; false when memory is short, and then it is still the caller's. */
MUST_CHECK bool doom_value(struct keyspace *ks, enum value_type type, enum encoding encoding,
                           void *pointer);

#endif
