/* The hash table of one stripe: buckets of one cache line with 1-byte tags, and pointers
 * to entries.  Who locks is the keyspace's business (keyspace_internal.h); this file only
 * knows that a change has the table to itself.
 *
 * The top 12 bits of a hash pick the stripe; the next 32 are the key's pos (bucket.h). */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <stdatomic.h>

#include "base/hash.h"
#include "base/slab.h"
#include "store/bucket.h"
#include "store/entry.h"

enum { TABLE_SLOTS = BUCKET_SLOTS, TABLE_STRIPE_BITS_MAX = 12 };

/* 22 bits of buckets go into the packed word; 4 M buckets hold 29 M keys of one stripe. */
#define TABLE_BUCKETS_MAX ((UINT32_C(1) << 22) - 1)

struct table {
    _Atomic uint64_t array; /* bucket array and its length in one word; 0: none yet */
    uint32_t count;
};

/* An array of buckets outside of any table: taken out by growth or by a flush. */
struct table_array {
    struct bucket *buckets;
    uint32_t size;
};

/* Where an entry was found; good until the table changes. */
struct table_place {
    struct bucket *bucket;
    unsigned slot;
};

static inline uint32_t hash_pos(uint64_t hash)
{
    return (uint32_t)(hash >> 20);
}

static inline uint32_t hash_place(uint64_t hash)
{
    return pos_place(hash_pos(hash));
}

static inline uint8_t hash_tag(uint64_t hash)
{
    return place_tag(hash_place(hash));
}

static inline uint32_t table_home(uint64_t hash, uint32_t size)
{
    return pos_home(hash_pos(hash), size);
}

/* Addresses are 64-byte aligned and of 48 bits: six bits at each end are free. */
static inline uint64_t table_pack(struct table_array array)
{
    return ((uint64_t)(uintptr_t)array.buckets << 16) | array.size;
}

static inline struct table_array table_unpack(uint64_t word)
{
    return (struct table_array){ (struct bucket *)(uintptr_t)((word >> 22) << 6),
                                 (uint32_t)(word & TABLE_BUCKETS_MAX) };
}

static inline struct table_array table_array(const struct table *table)
{
    return table_unpack(atomic_load_explicit(&table->array, memory_order_relaxed));
}

static inline struct entry *bucket_entry(const struct bucket *bucket, unsigned slot)
{
    return bucket_pointer(bucket, slot);
}

/* Whether a key is kept in the short form, as most are. */
static inline bool key_is_short(uint32_t id, struct bytes key)
{
    return __builtin_expect(id == 0 && key.len <= ENTRY_SHORT_KEY_MAX, 1);
}

/* Whether 'entry' is that of a short key; a wide entry's short length is 255. */
static inline bool entry_is_short(const struct entry *entry, struct bytes key)
{
    return entry->short_key_len == key.len &&
           key_same(entry->tail + ((entry->flags & ENTRY_EXPIRES) != 0 ? 8 : 0), key.at, key.len);
}

/* Whether 'entry' is that of 'key' in the internal database 'id'. */
static inline bool entry_is(const struct entry *entry, uint32_t id, struct bytes key)
{
    if (key_is_short(id, key)) {
        return entry_is_short(entry, key);
    }
    return (entry->flags & ENTRY_WIDE) != 0 && entry_database(entry) == id &&
           bytes_equal(entry_key(entry), key);
}

/* The bucket where a key is looked for first; NULL while the table has no array. */
static inline struct bucket *table_home_bucket(const struct table *table, uint64_t hash)
{
    struct table_array array = table_array(table);
    return __builtin_expect(array.size > 0, 1) ? &array.buckets[table_home(hash, array.size)]
                                               : NULL;
}

/* The entry of a short key if it is in this bucket, or NULL. */
static inline struct entry *bucket_find_short(const struct bucket *bucket, uint64_t hash,
                                              struct bytes key)
{
    uint64_t match = bucket_match(bucket, hash_tag(hash));
    for (; match != 0; match = match_next(match)) {
        struct entry *entry = bucket_entry(bucket, match_slot(match));
        if (__builtin_expect(entry_is_short(entry, key), 1)) {
            return entry;
        }
    }
    return NULL;
}

/* The entry of 'key', or NULL; '*place' is set when there is one. */
struct entry *table_find(const struct table *table, uint64_t hash, uint32_t id, struct bytes key,
                         struct table_place *place);

/* The hash of the entry's key, computed again. */
static inline uint64_t entry_hash(const struct hash_key *key, const struct entry *entry)
{
    return hash_bytes(key, entry_key(entry), entry_database(entry));
}

/* The home, in an array of 'size' buckets, of the key in a slot.  The entry is touched only
 * when the slot's 18 bits do not say it. */
static inline uint32_t slot_home(const struct hash_key *key, const struct bucket *bucket,
                                 unsigned slot, uint32_t size)
{
    uint32_t home;
    if (!slot_tells_home(bucket, slot, size, &home)) {
        return table_home(entry_hash(key, bucket_entry(bucket, slot)), size);
    }
    return home;
}

/* The entry with an expiry whose key has 'hash', or NULL. */
struct entry *table_find_expiring(const struct table *table, const struct hash_key *key,
                                  uint64_t hash, struct table_place *place);

/* Makes sure that one more entry fits, by growth if that is due.  When the array was
 * replaced, '*old' is the former one and now the caller's to retire, else its pointer is
 * NULL.  False when memory is short and not even the old array has room. */
bool table_reserve(struct table *table, const struct hash_key *key, struct slab_heap *heap,
                   struct table_array *old);

/* Makes the table smaller when it has become much too large; '*old' as above. */
void table_shrink(struct table *table, const struct hash_key *key, struct slab_heap *heap,
                  struct table_array *old);

/* Adds an entry whose key is not there; table_reserve() came before. */
void table_insert(struct table *table, uint64_t hash, struct entry *entry);

/* Takes the entry at 'place' out; its memory stays the caller's. */
void table_remove(struct table *table, uint64_t hash, struct table_place place);

/* Takes the whole array out and leaves an empty table. */
struct table_array table_detach(struct table *table);

/* Frees an array, not the entries. */
void table_array_free(struct slab_heap *heap, struct table_array array);

/* The bytes of an array that are not in the slabs. */
size_t table_array_outside(struct table_array array);

#endif
