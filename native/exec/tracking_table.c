/* Which sessions have read which key; see tracking.h.  Shards with a lock each, each a hash table
 * with chains. */
#include "base/mem.h"
#include "exec/tracking_internal.h"

enum { FIRST_BUCKETS = 16, FIRST_READERS = 4, SHARD_SHIFT = 57 /* 64 - log2 of the shards */ };

bool tracking_table_init(struct tracking *tracking)
{
    size_t size = TRACKING_SHARDS * sizeof *tracking->shards;
    tracking->shards = mem_try_aligned(CACHE_LINE, size);
    if (tracking->shards == NULL) {
        return false;
    }
    memset(tracking->shards, 0, size);
    return true;
}

static void lock_shard(struct tracking_shard *shard) UNCHECKED_LOCKING
{
    lock_order_take(RANK_TRACKED);
    rwlock_write(&shard->lock);
}

static void unlock_shard(struct tracking_shard *shard) UNCHECKED_LOCKING
{
    rwlock_write_unlock(&shard->lock);
    lock_order_give(RANK_TRACKED);
}

static struct tracking_shard *shard_of(const struct tracking *tracking, uint64_t hash)
{
    return &tracking->shards[hash >> SHARD_SHIFT];
}

static struct tracked_key **bucket_of(const struct tracking_shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

/* Twice as many buckets, or the first ones; false when there are none at all. */
static bool grow(struct tracking_shard *shard)
{
    uint32_t count = shard->bucket_count > 0 ? 2 * shard->bucket_count : FIRST_BUCKETS;
    struct tracked_key **buckets = mem_try_alloc(count * sizeof(struct tracked_key *));
    if (buckets == NULL) {
        return shard->bucket_count > 0; /* The chains only grow longer. */
    }
    memset(buckets, 0, count * sizeof(struct tracked_key *));
    for (uint32_t i = 0; i < shard->bucket_count; i++) {
        struct tracked_key *next;
        for (struct tracked_key *key = shard->buckets[i]; key != NULL; key = next) {
            next = key->next;
            key->next = buckets[key->hash & (count - 1)];
            buckets[key->hash & (count - 1)] = key;
        }
    }
    mem_free(shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = count;
    return true;
}

static size_t memory_of(const struct tracked_key *key)
{
    size_t list = key->room > 1 ? key->room * sizeof *key->readers.list : 0;
    return sizeof *key + key->name_len + list;
}

static void count_key(struct tracking *tracking, struct tracking_shard *shard,
                      const struct tracked_key *key)
{
    atomic_fetch_add_explicit(&shard->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&tracking->keys, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&tracking->memory, memory_of(key), memory_order_relaxed);
}

static void discount_key(struct tracking *tracking, struct tracking_shard *shard,
                         const struct tracked_key *key)
{
    atomic_fetch_sub_explicit(&shard->count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&tracking->keys, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&tracking->items, key->count, memory_order_relaxed);
    atomic_fetch_sub_explicit(&tracking->memory, memory_of(key), memory_order_relaxed);
}

static struct tracked_key *find(const struct tracking_shard *shard, uint64_t hash,
                                struct bytes name)
{
    struct tracked_key *key = shard->bucket_count > 0 ? *bucket_of(shard, hash) : NULL;
    while (key != NULL && (key->hash != hash || !bytes_equal(tracked_name(key), name))) {
        key = key->next;
    }
    return key;
}

static struct tracked_key *add_key(struct tracking *tracking, struct tracking_shard *shard,
                                   uint64_t hash, struct bytes name)
{
    bool full = atomic_load_explicit(&shard->count, memory_order_relaxed) >= shard->bucket_count;
    if (full && !grow(shard)) {
        return NULL;
    }
    struct tracked_key *key = mem_try_alloc(sizeof *key + name.len);
    if (key == NULL) {
        return NULL;
    }
    *key = (struct tracked_key){ .hash = hash, .room = 1, .name_len = name.len };
    if (name.len > 0) {
        memcpy(key->name, name.at, name.len);
    }
    key->next = *bucket_of(shard, hash);
    *bucket_of(shard, hash) = key;
    count_key(tracking, shard, key);
    return key;
}

/* Room for one more reader. */
static bool reserve_reader(struct tracking *tracking, struct tracked_key *key)
{
    if (key->count < key->room) {
        return true;
    }
    uint32_t room = key->room == 1 ? FIRST_READERS : 2 * key->room;
    size_t before = memory_of(key);
    uint64_t *list = key->room == 1 ? NULL : key->readers.list;
    list = mem_try_realloc(list, room * sizeof *list);
    if (list == NULL) {
        return false;
    }
    if (key->room == 1) {
        list[0] = key->readers.own;
    }
    key->readers.list = list;
    key->room = room;
    atomic_fetch_add_explicit(&tracking->memory, memory_of(key) - before, memory_order_relaxed);
    return true;
}

static bool add_reader(struct tracking *tracking, struct tracked_key *key, uint64_t reader)
{
    const uint64_t *readers = tracked_readers(key);
    uint32_t low = 0, high = key->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (readers[middle] < reader) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < key->count && readers[low] == reader) {
        return true;
    }
    if (!reserve_reader(tracking, key)) {
        return false;
    }
    uint64_t *list = key->room == 1 ? &key->readers.own : key->readers.list;
    memmove(list + low + 1, list + low, (key->count - low) * sizeof *list);
    list[low] = reader;
    key->count++;
    atomic_fetch_add_explicit(&tracking->items, 1, memory_order_relaxed);
    return true;
}

static void unlink_key(struct tracking *tracking, struct tracking_shard *shard,
                       struct tracked_key *key)
{
    struct tracked_key **link = bucket_of(shard, key->hash);
    while (*link != key) {
        link = &(*link)->next;
    }
    *link = key->next;
    discount_key(tracking, shard, key);
}

bool tracking_table_add(struct tracking *tracking, struct bytes name, uint64_t reader)
{
    uint64_t hash = hash_bytes(&tracking->hash_key, name, 0);
    struct tracking_shard *shard = shard_of(tracking, hash);
    lock_shard(shard);
    struct tracked_key *key = find(shard, hash, name);
    if (key == NULL) {
        key = add_key(tracking, shard, hash, name);
    }
    bool added = key != NULL && add_reader(tracking, key, reader);
    if (key != NULL && key->count == 0) {
        unlink_key(tracking, shard, key);
        tracked_key_destroy(key);
    }
    unlock_shard(shard);
    return added;
}

struct tracked_key *tracking_table_take(struct tracking *tracking, struct bytes name)
{
    uint64_t hash = hash_bytes(&tracking->hash_key, name, 0);
    struct tracking_shard *shard = shard_of(tracking, hash);
    /* Whoever has read this key and remembered it held it, as the caller does now. */
    if (atomic_load_explicit(&shard->count, memory_order_relaxed) == 0) {
        return NULL;
    }
    lock_shard(shard);
    struct tracked_key *key = find(shard, hash, name);
    if (key != NULL) {
        unlink_key(tracking, shard, key);
    }
    unlock_shard(shard);
    return key;
}

static struct tracked_key *take_from(struct tracking *tracking, struct tracking_shard *shard,
                                     uint64_t dice)
{
    struct tracked_key *key = NULL;
    lock_shard(shard);
    for (uint32_t i = 0; i < shard->bucket_count && key == NULL; i++) {
        key = shard->buckets[(dice + i) & (shard->bucket_count - 1)];
    }
    if (key != NULL) {
        unlink_key(tracking, shard, key);
    }
    unlock_shard(shard);
    return key;
}

struct tracked_key *tracking_table_take_any(struct tracking *tracking, uint64_t dice)
{
    struct tracked_key *key = NULL;
    for (uint32_t i = 0; i < TRACKING_SHARDS && key == NULL; i++) {
        struct tracking_shard *shard =
            &tracking->shards[((dice >> SHARD_SHIFT) + i) % TRACKING_SHARDS];
        if (atomic_load_explicit(&shard->count, memory_order_relaxed) > 0) {
            key = take_from(tracking, shard, dice);
        }
    }
    return key;
}

void tracked_key_destroy(struct tracked_key *key)
{
    if (key != NULL) {
        if (key->room > 1) {
            mem_free(key->readers.list);
        }
        mem_free(key);
    }
}

void tracking_table_clear(struct tracking *tracking)
{
    for (uint32_t i = 0; tracking->shards != NULL && i < TRACKING_SHARDS; i++) {
        struct tracking_shard *shard = &tracking->shards[i];
        lock_shard(shard);
        for (uint32_t at = 0; at < shard->bucket_count; at++) {
            struct tracked_key *next;
            for (struct tracked_key *key = shard->buckets[at]; key != NULL; key = next) {
                next = key->next;
                discount_key(tracking, shard, key);
                tracked_key_destroy(key);
            }
        }
        mem_free(shard->buckets);
        shard->buckets = NULL;
        shard->bucket_count = 0;
        unlock_shard(shard);
    }
}
