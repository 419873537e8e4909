/* Counts and memory of the keyspace: sums over the threads' own counters. */
#include "store/keyspace_internal.h"

#include <stdio.h>

static int64_t load(const _Atomic int64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static int64_t sum_keys(const struct keyspace *ks, uint32_t id)
{
    struct mutex *mutex = (struct mutex *)&ks->mutex;
    mutex_lock(mutex);
    int64_t sum = ks->quit_key_counts[id];
    for (const struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        sum += load(&thread->key_counts[id]);
    }
    mutex_unlock(mutex);
    return sum;
}

static int64_t sum_expiries(const struct keyspace *ks, uint32_t id)
{
    struct mutex *mutex = (struct mutex *)&ks->mutex;
    mutex_lock(mutex);
    int64_t sum = ks->quit_expiry_counts[id];
    for (const struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        sum += load(&thread->expiry_counts[id]);
    }
    mutex_unlock(mutex);
    return sum;
}

int64_t id_keys(const struct keyspace *ks, uint32_t id)
{
    int64_t sum = sum_keys(ks, id);
    return sum > 0 ? sum : 0; /* Seen in the middle of others' changes it may be less. */
}

int64_t keyspace_size(const struct keyspace *ks, uint32_t db)
{
    return id_keys(ks, database_id(ks, db));
}

int64_t keyspace_expires(const struct keyspace *ks, uint32_t db)
{
    int64_t sum = sum_expiries(ks, database_id(ks, db));
    return sum > 0 ? sum : 0;
}

void id_counts_reset(struct keyspace *ks, uint32_t id)
{
    mutex_lock(&ks->mutex);
    ks->quit_key_counts[id] = 0;
    ks->quit_expiry_counts[id] = 0;
    for (struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        atomic_store_explicit(&thread->key_counts[id], 0, memory_order_relaxed);
        atomic_store_explicit(&thread->expiry_counts[id], 0, memory_order_relaxed);
    }
    mutex_unlock(&ks->mutex);
}

uint64_t keyspace_expired(const struct keyspace *ks)
{
    struct mutex *mutex = (struct mutex *)&ks->mutex;
    mutex_lock(mutex);
    uint64_t sum = ks->quit_expired;
    for (const struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        sum += atomic_load_explicit(&thread->expired, memory_order_relaxed);
    }
    mutex_unlock(mutex);
    return sum;
}

void keyspace_reset_stats(struct keyspace *ks)
{
    mutex_lock(&ks->mutex);
    ks->quit_expired = 0;
    ks->quit_evicted = 0;
    for (struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        atomic_store_explicit(&thread->expired, 0, memory_order_relaxed);
        atomic_store_explicit(&thread->evicted, 0, memory_order_relaxed);
    }
    mutex_unlock(&ks->mutex);
}

int64_t values_outside(const struct keyspace *ks)
{
    struct mutex *mutex = (struct mutex *)&ks->mutex;
    mutex_lock(mutex);
    int64_t sum = ks->quit_owners;
    for (const struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        sum += load(&thread->owners);
    }
    mutex_unlock(mutex);
    return sum;
}

size_t keyspace_memory(const struct keyspace *ks)
{
    struct mutex *mutex = (struct mutex *)&ks->mutex;
    int64_t expiries = 0;
    mutex_lock(mutex);
    int64_t outside = ks->quit_outside;
    for (const struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        outside += load(&thread->outside);
        for (unsigned id = 0; id < ks->ids; id++) {
            expiries += load(&thread->expiry_counts[id]);
        }
    }
    for (unsigned id = 0; id < ks->ids; id++) {
        expiries += ks->quit_expiry_counts[id];
    }
    mutex_unlock(mutex);
    /* An index has a quarter more room than it has items, on average. */
    outside += expiries * (int64_t)sizeof(struct expiry_item) * 5 / 4;
    return sizeof *ks + ks->stripe_count * (sizeof *ks->stripes + sizeof *ks->next_expiry) +
           slab_pool_used(ks->pool) + (outside > 0 ? (size_t)outside : 0);
}

size_t keyspace_entry_memory(const struct entry *entry, size_t samples)
{
    enum { TABLE_SHARE = 10 }; /* of a bucket that is four fifths full */
    size_t size = entry_size(entry);
    const struct blob *blob = entry_blob(entry);
    size_t structure = entry->type != VALUE_STRING ? value_memory(entry, samples) : 0;
    return TABLE_SHARE + structure + (size <= SLAB_MAX ? slab_class_size(size) : size) +
           (blob != NULL ? (size_t)blob_memory(blob) : 0) +
           ((entry->flags & ENTRY_EXPIRES) != 0 ? sizeof(struct expiry_item) : 0);
}

size_t keyspace_table_memory(struct keyspace *ks)
{
    size_t size = 0;
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct stripe *stripe = &ks->stripes[i];
        stripe_read(stripe);
        size += (size_t)table_array(&stripe->table).size * sizeof(struct bucket);
        stripe_read_unlock(stripe);
    }
    return size;
}

size_t keyspace_expiry_memory(const struct keyspace *ks, uint32_t db)
{
    return (size_t)keyspace_expires(ks, db) * sizeof(struct expiry_item) * 5 / 4;
}

int64_t keyspace_thread_memory(const struct store_thread *thread)
{
    return (int64_t)slab_heap_used(thread->heap) + load(&thread->outside);
}

size_t keyspace_trim(struct store_thread *thread)
{
    struct slab_pool *pool = thread->keyspace->pool;
    size_t held = slab_pool_held(pool);
    slab_heap_collect(thread->heap);
    slab_pool_trim(pool);
    size_t now = slab_pool_held(pool);
    return held > now ? held - now : 0;
}

void keyspace_slab_memory(const struct keyspace *ks, size_t *used, size_t *held)
{
    *used = slab_pool_used(ks->pool);
    *held = slab_pool_held(ks->pool);
}

size_t keyspace_pending_frees(const struct keyspace *ks)
{
    size_t pending = atomic_load_explicit(&ks->pending, memory_order_relaxed);
    for (uint32_t id = 0; id < ks->ids; id++) {
        if (atomic_load_explicit(&ks->id_uses[id], memory_order_relaxed) == ID_SWEPT) {
            pending += (size_t)id_keys(ks, id);
        }
    }
    return pending;
}

size_t keyspace_describe(const struct keyspace *ks, uint32_t db, char *out, size_t room)
{
    uint64_t keys = 0, buckets = 0, overflowed = 0, largest = 0;
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct stripe *stripe = &ks->stripes[i];
        stripe_read(stripe);
        struct table_array array = table_array(&stripe->table);
        keys += stripe->table.count;
        buckets += array.size;
        largest = stripe->table.count > largest ? stripe->table.count : largest;
        for (uint32_t at = 0; at < array.size; at++) {
            overflowed += bucket_overflows(&array.buckets[at]);
        }
        stripe_read_unlock(stripe);
    }
    int len = snprintf(out, room,
                       "db:%u keys:%lld expires:%lld | all databases: stripes:%u keys:%llu "
                       "largest stripe:%llu buckets:%llu slots used:%.1f%% overflowed:%llu",
                       db, (long long)keyspace_size(ks, db), (long long)keyspace_expires(ks, db),
                       ks->stripe_count, (unsigned long long)keys, (unsigned long long)largest,
                       (unsigned long long)buckets,
                       buckets > 0 ? 100.0 * (double)keys / (double)(buckets * TABLE_SLOTS) : 0.0,
                       (unsigned long long)overflowed);
    if (len < 0) {
        return 0;
    }
    return (size_t)len < room ? (size_t)len : room > 0 ? room - 1 : 0;
}
