/* The life of a keyspace, its threads and batches, hashes and prefetch; the map of the
 * other files is in keyspace_internal.h. */
#include "store/keyspace_internal.h"

#include "base/mem.h"
#include "store/members.h"
#include "store/zset.h"

enum { DEFAULT_STRIPE_BITS = 12, DEFAULT_LOG_FACTOR = 10, DEFAULT_DECAY_MINUTES = 1 };

/* ---- Life --------------------------------------------------------------------------- */

static bool create_databases(struct keyspace *ks, unsigned databases)
{
    ks->databases = databases;
    ks->ids = 2 * databases; /* every database may leave one id behind to be swept */
    ks->id_of = mem_try_alloc(databases * sizeof *ks->id_of);
    ks->index_of = mem_try_alloc(ks->ids * sizeof *ks->index_of);
    ks->id_uses = mem_try_alloc(ks->ids * sizeof *ks->id_uses);
    ks->quit_key_counts = mem_try_alloc(ks->ids * sizeof *ks->quit_key_counts);
    ks->quit_expiry_counts = mem_try_alloc(ks->ids * sizeof *ks->quit_expiry_counts);
    if (ks->id_of == NULL || ks->index_of == NULL || ks->id_uses == NULL ||
        ks->quit_key_counts == NULL || ks->quit_expiry_counts == NULL) {
        return false;
    }
    for (unsigned id = 0; id < ks->ids; id++) {
        bool mapped = id < databases;
        if (mapped) {
            atomic_init(&ks->id_of[id], id);
        }
        ks->index_of[id] = mapped ? id : INDEX_NONE;
        atomic_init(&ks->id_uses[id], mapped ? ID_MAPPED : ID_FREE);
        ks->quit_key_counts[id] = 0;
        ks->quit_expiry_counts[id] = 0;
    }
    return true;
}

static bool create_stripes(struct keyspace *ks, unsigned bits)
{
    ks->stripe_count = UINT32_C(1) << bits;
    ks->stripe_shift = 64 - bits;
    size_t bytes = ks->stripe_count * sizeof *ks->stripes;
    ks->stripes = mem_try_aligned(sizeof *ks->stripes, bytes);
    size_t deadlines = ks->stripe_count * sizeof *ks->next_expiry;
    ks->next_expiry = mem_try_aligned(CACHE_LINE, deadlines < CACHE_LINE ? CACHE_LINE : deadlines);
    ks->field_ends = mem_try_alloc(ks->stripe_count * sizeof *ks->field_ends);
    if (ks->stripes == NULL || ks->next_expiry == NULL || ks->field_ends == NULL) {
        return false;
    }
    memset(ks->field_ends, 0, ks->stripe_count * sizeof *ks->field_ends);
    memset(ks->stripes, 0, bytes);
    for (uint32_t at = 0; at < ks->stripe_count; at++) {
        atomic_init(&ks->next_expiry[at], INT64_MAX);
    }
    return true;
}

static void free_keyspace(struct keyspace *ks)
{
    mutex_release(&ks->mutex);
    brlock_release(&ks->brlock);
    if (ks->pool != NULL) {
        slab_pool_destroy(ks->pool);
    }
    mem_free(ks->stripes);
    mem_free((void *)ks->next_expiry);
    mem_free(ks->field_ends);
    mem_free((void *)ks->id_of);
    mem_free(ks->index_of);
    mem_free((void *)ks->id_uses);
    mem_free(ks->quit_key_counts);
    mem_free(ks->quit_expiry_counts);
    mem_free(ks);
}

struct keyspace *keyspace_create(const struct keyspace_options *options)
{
    struct keyspace *ks = mem_try_aligned(CACHE_LINE, sizeof *ks);
    if (ks == NULL) {
        return NULL;
    }
    memset(ks, 0, sizeof *ks);
    ks->hash_key = options->hash_key;
    ks->clock = options->clock;
    ks->hooks = options->hooks;
    atomic_init(&ks->active_expiry, true);
    atomic_init(&ks->lfu_log_factor, DEFAULT_LOG_FACTOR);
    atomic_init(&ks->lfu_decay_minutes, DEFAULT_DECAY_MINUTES);
    value_limits_init(&ks->limits);
    brlock_init(&ks->brlock);
    mutex_init(&ks->mutex, RANK_QUEUE);

    unsigned bits = options->stripe_bits != 0 ? options->stripe_bits : DEFAULT_STRIPE_BITS;
    if (bits > TABLE_STRIPE_BITS_MAX) {
        bits = TABLE_STRIPE_BITS_MAX;
    }
    ks->pool = slab_pool_create();
    if (ks->pool == NULL || !create_stripes(ks, bits) ||
        !create_databases(ks, options->databases > 0 ? options->databases : 1)) {
        free_keyspace(ks);
        return NULL;
    }
    return ks;
}

void keyspace_destroy(struct keyspace *ks)
{
    if (ks == NULL) {
        return;
    }
    struct store_thread last;
    if (keyspace_join(ks, &last)) {
        reclaim_everything(&last);
        field_ends_release(ks);
        keyspace_quit(ks, &last);
    }
    free_keyspace(ks);
}

/* ---- Threads ------------------------------------------------------------------------ */

bool keyspace_join(struct keyspace *ks, struct store_thread *thread)
{
    memset(thread, 0, sizeof *thread);
    thread->keyspace = ks;
    thread->watchers = &ks->watcher_count;
    size_t bytes =
        (ks->ids * sizeof *thread->key_counts + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    thread->key_counts = mem_try_aligned(CACHE_LINE, bytes);
    thread->expiry_counts = mem_try_aligned(CACHE_LINE, bytes);
    thread->retired = mem_try_own_lines(sizeof *thread->retired);
    thread->heap = slab_heap_take(ks->pool);
    if (thread->key_counts == NULL || thread->expiry_counts == NULL || thread->retired == NULL ||
        thread->heap == NULL) {
        if (thread->heap != NULL) {
            slab_heap_leave(ks->pool, thread->heap);
        }
        mem_free((void *)thread->key_counts);
        mem_free((void *)thread->expiry_counts);
        mem_free(thread->retired);
        return false;
    }
    for (unsigned id = 0; id < ks->ids; id++) {
        atomic_init(&thread->key_counts[id], 0);
        atomic_init(&thread->expiry_counts[id], 0);
    }
    memset(thread->retired, 0, sizeof *thread->retired);
    random_init(&thread->dice, ks->hash_key.k0 ^ (uint64_t)(uintptr_t)thread);
    thread->now_ms = clock_wall_ms(ks->clock);
    thread->access_now = (uint32_t)(thread->now_ms / 1000) & 0xffffff;
    brlock_join(&ks->brlock, &thread->reader);
    mutex_lock(&ks->mutex);
    thread->next = ks->threads;
    ks->threads = thread;
    mutex_unlock(&ks->mutex);
    return true;
}

void keyspace_quit(struct keyspace *ks, struct store_thread *thread)
{
    brlock_quit(&ks->brlock, &thread->reader);
    retired_orphan(thread);
    slab_heap_leave(ks->pool, thread->heap);

    mutex_lock(&ks->mutex);
    struct store_thread **link = &ks->threads;
    while (*link != thread) {
        link = &(*link)->next;
    }
    *link = thread->next;
    for (unsigned id = 0; id < ks->ids; id++) {
        ks->quit_key_counts[id] += atomic_load(&thread->key_counts[id]);
        ks->quit_expiry_counts[id] += atomic_load(&thread->expiry_counts[id]);
    }
    ks->quit_expired += atomic_load(&thread->expired);
    ks->quit_evicted += atomic_load(&thread->evicted);
    ks->quit_outside += atomic_load(&thread->outside);
    ks->quit_owners += atomic_load(&thread->owners);
    mutex_unlock(&ks->mutex);

    mem_free((void *)thread->key_counts);
    mem_free((void *)thread->expiry_counts);
}

/* ---- Batches and the exclusive section ---------------------------------------------- */

void keyspace_enter(struct store_thread *thread)
{
    brlock_enter(&thread->keyspace->brlock, &thread->reader);
}

void keyspace_leave(struct store_thread *thread)
{
    brlock_leave(&thread->keyspace->brlock, &thread->reader);
    const struct retired *retired = thread->retired;
    if (UNLIKELY(retired->open != NULL || retired->sealed != NULL)) {
        retired_collect(thread);
    }
}

static void hold_everything(struct store_thread *thread, struct keylock *lock)
{
    lock->thread = thread;
    lock->mode = KEYLOCK_WRITE;
    lock->exclusive = true;
    lock->met_expired = false;
    lock->keys = NULL;
    lock->key_count = 0;
    lock->hint = 0;
    lock->stripe_count = 0;
}

void keyspace_begin_exclusive(struct store_thread *thread, struct keylock *lock) UNCHECKED_LOCKING
{
    brlock_begin_exclusive(&thread->keyspace->brlock);
    hold_everything(thread, lock);
}

bool keyspace_try_exclusive(struct store_thread *thread, struct keylock *lock,
                            const _Atomic uint32_t *obstacle) UNCHECKED_LOCKING
{
    if (!brlock_try_exclusive(&thread->keyspace->brlock, obstacle)) {
        return false;
    }
    hold_everything(thread, lock);
    return true;
}

void keyspace_give_way(struct store_thread *thread)
{
    brlock_give_way(&thread->keyspace->brlock);
}

void keyspace_end_exclusive(struct store_thread *thread, struct keylock *lock) UNCHECKED_LOCKING
{
    lock->exclusive = false;
    brlock_end_exclusive(&thread->keyspace->brlock);
    retired_collect(thread);
}

/* ---- Hashes and prefetch ------------------------------------------------------------ */

unsigned keyspace_databases(const struct keyspace *ks)
{
    return ks->databases;
}

struct value_limits *keyspace_limits(struct keyspace *ks)
{
    return &ks->limits;
}

uint32_t keyspace_mapping(const struct keyspace *ks)
{
    return atomic_load_explicit(&ks->mapping, memory_order_relaxed);
}

uint64_t keyspace_hash(const struct keyspace *ks, uint32_t db, struct bytes key)
{
    return hash_bytes(&ks->hash_key, key, database_id(ks, db));
}

void keyspace_prefetch_stripe(const struct keyspace *ks, uint64_t hash)
{
    __builtin_prefetch(stripe_of(ks, hash));
}

/* The next ones read tables without the lock, racing with writers on purpose: what they read
 * is only prefetched, never followed, and the memory stays until their batch ends (see
 * retire_array()).  ThreadSanitizer cannot know, so they are not instrumented, and call nothing
 * that is. */
#define UNINSTRUMENTED __attribute__((no_sanitize("thread")))

/* The home bucket of a hash, as a table is now; NULL when it has none. */
static inline UNINSTRUMENTED __attribute__((always_inline)) const struct bucket *home_now(
    const struct keyspace *ks, uint64_t hash)
{
    uint64_t word = atomic_load_explicit(&ks->stripes[hash >> ks->stripe_shift].table.array,
                                         memory_order_relaxed);
    uint64_t size = word & TABLE_BUCKETS_MAX;
    uint64_t home = ((uint64_t)(uint32_t)(hash >> 20) * size) >> 32;
    return size == 0 ? NULL : (const struct bucket *)(uintptr_t)((word >> 22) << 6) + home;
}

UNINSTRUMENTED void keyspace_prefetch_buckets(const struct keyspace *ks, const uint64_t *hashes,
                                              uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(home_now(ks, hashes[i]));
    }
}

UNINSTRUMENTED void keyspace_prefetch_entries(const struct keyspace *ks, const uint64_t *hashes,
                                              uint32_t count, uint32_t lines)
{
    const uint64_t low_bits = UINT64_C(0x7f7f7f7f7f7f7f7f);
    for (uint32_t i = 0; i < count; i++) {
        const struct bucket *bucket = home_now(ks, hashes[i]);
        if (bucket == NULL) {
            continue;
        }
        uint64_t tags;
        __builtin_memcpy(&tags, bucket->tags, sizeof tags);
        uint8_t tag = (uint8_t)(hashes[i] >> 34);
        uint64_t differ = tags ^ (UINT64_C(0x0101010101010101) * (tag != 0 ? tag : 1));
        uint64_t match = ~(((differ & low_bits) + low_bits) | differ) & ~low_bits;
        if (match == 0 && (bucket->rest & 0xff) != 0) {
            __builtin_prefetch(bucket + 1); /* It is probably there. */
        }
        for (; match != 0; match &= match - 1) {
            unsigned slot = (unsigned)__builtin_ctzll(match) >> 3;
            const char *entry = (const char *)((((uintptr_t)bucket->high[slot] & 0x1fff) << 35) |
                                               ((uintptr_t)bucket->low[slot] << 3));
            __builtin_prefetch(entry);
            __builtin_prefetch(entry + 48); /* most entries straddle two lines */
            for (uint32_t line = ENTRY_LINES_MIN; line < lines; line++) {
                __builtin_prefetch(entry + (size_t)line * CACHE_LINE);
            }
        }
    }
}

void keyspace_prefetch_members(struct store_thread *thread, const struct locked_key *key,
                               const struct member_ahead *members, uint32_t count) UNCHECKED_LOCKING
{
    struct keyspace *ks = thread->keyspace;
    struct stripe *stripe = stripe_of(ks, key->hash);
    if (!rwlock_try_read(&stripe->lock)) {
        return;
    }
    struct table_place place;
    const struct entry *entry =
        table_find(&stripe->table, key->hash, database_id(ks, key->db), key->name, &place);
    if (entry != NULL && entry->encoding == ENCODING_HASHTABLE) {
        members_prefetch(thread, entry_pointer(entry), members, count);
    } else if (entry != NULL && entry->encoding == ENCODING_SKIPLIST) {
        struct zset zset = zset_of(entry);
        zset_prefetch(&zset, members, count);
    }
    rwlock_read_unlock(&stripe->lock);
}
