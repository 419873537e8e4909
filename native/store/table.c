/* Growth, insertion and removal in a stripe's table; the shortest way to an entry is inline
 * in table.h.
 *
 * Sizes go in steps of about an eighth: growth reads the old buckets only, so that it may
 * come often. */
#include "store/table.h"

#include "base/mem.h"

/* Larger arrays come from the system's allocator: replaced ones leave holes there that grow
 * together, while in the slabs each size keeps pages of its own for the last few. */
enum { IN_SLAB_MAX = 512 };

enum { FILL_PARTS = 14, SPARSE = 2, COMFORTABLE = 5 };

static struct table_array create_array(struct slab_heap *heap, uint32_t size)
{
    size_t bytes = (size_t)size * sizeof(struct bucket);
    struct bucket *buckets =
        bytes <= IN_SLAB_MAX ? slab_alloc(heap, bytes) : mem_try_aligned(sizeof *buckets, bytes);
    if (buckets != NULL) {
        memset(buckets, 0, bytes);
    }
    return (struct table_array){ buckets, size };
}

void table_array_free(struct slab_heap *heap, struct table_array array)
{
    size_t bytes = (size_t)array.size * sizeof(struct bucket);
    if (bytes == 0) {
        return;
    }
    if (bytes <= IN_SLAB_MAX) {
        slab_free(heap, array.buckets, bytes);
    } else {
        mem_free(array.buckets);
    }
}

size_t table_array_outside(struct table_array array)
{
    size_t bytes = (size_t)array.size * sizeof(struct bucket);
    return bytes <= IN_SLAB_MAX ? 0 : bytes;
}

/* Keys at which a table of 'size' buckets grows: FILL_PARTS sixteenths of its slots. */
static uint64_t full_enough(uint32_t size)
{
    return (uint64_t)size * TABLE_SLOTS * FILL_PARTS / 16;
}

/* Moves all entries to an array of 'size' buckets; false when there is no memory for it. */
static bool rebuild(struct table *table, const struct hash_key *key, struct slab_heap *heap,
                    uint32_t size, struct table_array *old)
{
    struct table_array from = table_array(table);
    struct table_array to = create_array(heap, size);
    if (to.buckets == NULL) {
        return false;
    }
    for (uint32_t at = 0; at < from.size; at++) {
        const struct bucket *bucket = &from.buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            unsigned slot = match_slot(used);
            buckets_put(to.buckets, size, slot_home(key, bucket, slot, size),
                        slot_place(bucket, slot), bucket_entry(bucket, slot));
        }
    }
    /* Threads that prefetch read this word without the lock and then the buckets. */
    atomic_store_explicit(&table->array, table_pack(to), memory_order_release);
    *old = from;
    return true;
}

bool table_reserve(struct table *table, const struct hash_key *key, struct slab_heap *heap,
                   struct table_array *old)
{
    *old = (struct table_array){ 0 };
    uint32_t size = table_array(table).size;
    if (__builtin_expect(table->count < full_enough(size), 1)) {
        return true;
    }
    uint32_t larger = buckets_next_size(size);
    if (larger <= TABLE_BUCKETS_MAX && rebuild(table, key, heap, larger, old)) {
        return true;
    }
    return table->count < (uint64_t)size * TABLE_SLOTS;
}

void table_shrink(struct table *table, const struct hash_key *key, struct slab_heap *heap,
                  struct table_array *old)
{
    *old = (struct table_array){ 0 };
    uint32_t size = table_array(table).size;
    if (size <= 1 || table->count >= (uint64_t)size * SPARSE) {
        return;
    }
    uint32_t smaller = 1;
    while ((uint64_t)smaller * COMFORTABLE < table->count) {
        smaller = buckets_next_size(smaller);
    }
    if (smaller < size && !rebuild(table, key, heap, smaller, old)) {
        *old = (struct table_array){ 0 }; /* It stays too large, which is no failure. */
    }
}

void table_insert(struct table *table, uint64_t hash, struct entry *entry)
{
    struct table_array array = table_array(table);
    buckets_put(array.buckets, array.size, table_home(hash, array.size), hash_place(hash), entry);
    table->count++;
}

void table_remove(struct table *table, uint64_t hash, struct table_place place)
{
    struct table_array array = table_array(table);
    buckets_take(array.buckets, array.size, table_home(hash, array.size), place.bucket, place.slot);
    table->count--;
}

struct entry *table_find(const struct table *table, uint64_t hash, uint32_t id, struct bytes key,
                         struct table_place *place)
{
    struct table_array array = table_array(table);
    uint32_t at = table_home(hash, array.size);
    for (uint32_t left = array.size; left > 0; left--) {
        struct bucket *bucket = &array.buckets[at];
        uint64_t match = bucket_match(bucket, hash_tag(hash));
        for (; match != 0; match = match_next(match)) {
            struct entry *entry = bucket_entry(bucket, match_slot(match));
            if (entry_is(entry, id, key)) {
                *place = (struct table_place){ bucket, match_slot(match) };
                return entry;
            }
        }
        if (!bucket_overflows(bucket)) {
            return NULL;
        }
        at = at + 1 == array.size ? 0 : at + 1;
    }
    return NULL;
}

struct entry *table_find_expiring(const struct table *table, const struct hash_key *key,
                                  uint64_t hash, struct table_place *place)
{
    struct table_array array = table_array(table);
    uint32_t at = table_home(hash, array.size);
    for (uint32_t left = array.size; left > 0; left--) {
        struct bucket *bucket = &array.buckets[at];
        uint64_t match = bucket_match(bucket, hash_tag(hash));
        for (; match != 0; match = match_next(match)) {
            struct entry *entry = bucket_entry(bucket, match_slot(match));
            if ((entry->flags & ENTRY_EXPIRES) != 0 && entry_hash(key, entry) == hash) {
                *place = (struct table_place){ bucket, match_slot(match) };
                return entry;
            }
        }
        if (!bucket_overflows(bucket)) {
            return NULL;
        }
        at = at + 1 == array.size ? 0 : at + 1;
    }
    return NULL;
}

struct table_array table_detach(struct table *table)
{
    struct table_array array = table_array(table);
    atomic_store_explicit(&table->array, 0, memory_order_relaxed);
    table->count = 0;
    return array;
}
