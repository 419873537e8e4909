/* Taking the stripes of a command's keys in ascending order; see keylock.h. */
#include "store/keylock.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/keyspace_internal.h"

void keylock_init(struct keylock *lock, struct store_thread *thread)
{
    memset(lock, 0, sizeof *lock);
    lock->thread = thread;
    lock->stripes = lock->inline_stripes;
    lock->stripe_room = KEYLOCK_INLINE;
}

void keylock_release_memory(struct keylock *lock)
{
    if (lock->stripes != lock->inline_stripes) {
        mem_free(lock->stripes);
        lock->stripes = lock->inline_stripes;
        lock->stripe_room = KEYLOCK_INLINE;
    }
}

/* A few keys: insertion keeps the stripes sorted and apart. */
static uint32_t sort_few(const struct keyspace *ks, const struct locked_key *keys, uint32_t count,
                         uint32_t *stripes)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t stripe = stripe_index(ks, keys[i].hash);
        uint32_t at = len;
        while (at > 0 && stripes[at - 1] > stripe) {
            at--;
        }
        if (at > 0 && stripes[at - 1] == stripe) {
            continue;
        }
        for (uint32_t to = len++; to > at; to--) {
            stripes[to] = stripes[to - 1];
        }
        stripes[at] = stripe;
    }
    return len;
}

/* Many keys: one bit for each stripe sorts and unites them in one pass. */
static uint32_t sort_many(const struct keyspace *ks, const struct locked_key *keys, uint32_t count,
                          uint32_t *stripes)
{
    uint64_t wanted[(1 << TABLE_STRIPE_BITS_MAX) / 64] = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t stripe = stripe_index(ks, keys[i].hash);
        wanted[stripe / 64] |= UINT64_C(1) << (stripe % 64);
    }
    uint32_t len = 0;
    for (uint32_t word = 0; word < sizeof wanted / sizeof wanted[0]; word++) {
        for (uint64_t bits = wanted[word]; bits != 0; bits &= bits - 1) {
            stripes[len++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return len;
}

/* Debug builds: the thread is in a batch, and the hashes mean what they say. */
static void check_acquire(const struct keylock *lock, const struct locked_key *keys, uint32_t count)
{
#ifdef RLN_DEBUG
    const struct keyspace *ks = lock->thread->keyspace;
    if (lock->exclusive || !brlock_inside(&lock->thread->reader)) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        if (keys[i].hash != keyspace_hash(ks, keys[i].db, keys[i].name)) {
            abort();
        }
    }
#else
    (void)lock, (void)keys, (void)count;
#endif
}

static inline void lock_stripe(struct stripe *stripe, enum keylock_mode mode) UNCHECKED_LOCKING
{
    if (mode == KEYLOCK_READ) {
        rwlock_read(&stripe->lock);
    } else {
        rwlock_write(&stripe->lock);
    }
}

static inline void unlock_stripe(struct stripe *stripe, enum keylock_mode mode) UNCHECKED_LOCKING
{
    if (mode == KEYLOCK_READ) {
        rwlock_read_unlock(&stripe->lock);
    } else {
        rwlock_write_unlock(&stripe->lock);
    }
}

static __attribute__((noinline)) void acquire_several(const struct keyspace *ks,
                                                      struct keylock *lock) UNCHECKED_LOCKING
{
    uint32_t count = lock->key_count;
    if (count <= KEYLOCK_INLINE) {
        lock->stripe_count = sort_few(ks, lock->keys, count, lock->stripes);
    } else {
        uint32_t room = count < ks->stripe_count ? count : ks->stripe_count;
        if (lock->stripe_room < room) {
            keylock_release_memory(lock);
            lock->stripes = mem_alloc(ks->stripe_count * sizeof *lock->stripes);
            lock->stripe_room = ks->stripe_count;
        }
        lock->stripe_count = sort_many(ks, lock->keys, count, lock->stripes);
    }
    for (uint32_t i = 0; i < lock->stripe_count; i++) {
        lock_stripe(&ks->stripes[lock->stripes[i]], lock->mode);
    }
}

void keylock_acquire(struct keylock *lock, uint32_t db, const struct locked_key *keys,
                     uint32_t count, enum keylock_mode mode) UNCHECKED_LOCKING
{
    const struct keyspace *ks = lock->thread->keyspace;
    check_acquire(lock, keys, count);
    lock->db = db;
    lock->mode = mode;
    lock->met_expired = false;
    lock->keys = keys;
    lock->key_count = count;
    lock->hint = 0;
    lock_order_take(RANK_STRIPE);
    if (UNLIKELY(count != 1)) {
        acquire_several(ks, lock);
        return;
    }
    uint32_t stripe = stripe_index(ks, keys[0].hash);
    lock->stripes[0] = stripe;
    lock->stripe_count = 1;
    lock_stripe(&ks->stripes[stripe], mode);
}

static __attribute__((noinline)) bool holds_stripe_of(const struct keylock *lock, uint32_t db,
                                                      struct bytes key)
{
    const struct keyspace *ks = lock->thread->keyspace;
    uint32_t stripe = stripe_index(ks, keyspace_hash(ks, db, key));
    for (uint32_t i = 0; i < lock->stripe_count; i++) {
        if (lock->stripes[i] == stripe) {
            return true;
        }
    }
    return false;
}

/* The place of a key among those from 'at' to 'end', or 'end'. */
static inline uint32_t find_key(const struct locked_key *keys, uint32_t at, uint32_t end,
                                uint32_t db, struct bytes key)
{
    for (; at < end; at++) {
        /* Keys of one program begin alike and end differently. */
        if (keys[at].name.len == key.len && keys[at].db == db &&
            (key.len == 0 || (keys[at].name.at[key.len - 1] == key.at[key.len - 1] &&
                              memcmp(keys[at].name.at, key.at, key.len) == 0))) {
            break;
        }
    }
    return at;
}

bool keylock_covers(struct keylock *lock, uint32_t db, struct bytes *key)
{
    /* Keys are mostly taken in order, or again and again. */
    enum { LOOKS = 16 };
    uint32_t count = lock->key_count, from = lock->hint < count ? lock->hint : 0;
    uint32_t end = count - from < LOOKS ? count : from + LOOKS;
    uint32_t at = find_key(lock->keys, from, end, db, *key);
    if (at == end) {
        uint32_t left = LOOKS - (end - from);
        end = from < left ? from : left;
        at = find_key(lock->keys, 0, end, db, *key);
    }
    if (at < end) {
        lock->hint = at;
        *key = lock->keys[at].name;
        return true;
    }
    return lock->exclusive || holds_stripe_of(lock, db, *key);
}

static __attribute__((noinline)) void release_several(const struct keyspace *ks,
                                                      struct keylock *lock) UNCHECKED_LOCKING
{
    for (uint32_t i = lock->stripe_count; i-- > 0;) {
        unlock_stripe(&ks->stripes[lock->stripes[i]], lock->mode);
    }
    lock->stripe_count = 0;
}

void keylock_release(struct keylock *lock) UNCHECKED_LOCKING
{
    const struct keyspace *ks = lock->thread->keyspace;
    lock_order_give(RANK_STRIPE);
    if (UNLIKELY(lock->stripe_count != 1)) {
        release_several(ks, lock);
        return;
    }
    lock->stripe_count = 0;
    unlock_stripe(&ks->stripes[lock->stripes[0]], lock->mode);
}
