/* The segments of the table that finds a sorted set's members (zset_index.h): one block of
 * buckets, of a cache line each.
 *
 * Members go to the first bucket from their home on that has room; a bucket with room ends the
 * search.  So removals move members back towards their homes. */
#ifndef STORE_ZSET_INDEX_SEGMENT_H
#define STORE_ZSET_INDEX_SEGMENT_H

#include <stdalign.h>

#include "store/zset_index.h"

enum { SLOTS = 8 };

struct index_bucket {
    alignas(64) uint16_t hashes[SLOTS]; /* 0: the slot is empty */
    uint32_t low[SLOTS];
    uint16_t high[SLOTS];
};

struct index_segment {
    alignas(64) uint32_t count;
    uint32_t buckets;
    uint8_t depth; /* bits of the hash that all its members share */
    struct index_bucket bucket[];
};

/* The member in a slot that is in use. */
static inline struct zset_member *slot_member(const struct index_bucket *bucket, unsigned slot)
{
    return (struct zset_member *)(((uintptr_t)bucket->high[slot] << 32 | bucket->low[slot]));
}

static inline void slot_set(struct index_bucket *bucket, unsigned slot, uint16_t hash,
                            const struct zset_member *member)
{
    bucket->hashes[slot] = hash;
    bucket->low[slot] = (uint32_t)(uintptr_t)member;
    bucket->high[slot] = (uint16_t)((uintptr_t)member >> 32);
}

/* Two bits for each slot whose hash is 'hash'; the lowest is at twice the slot's number. */
static inline unsigned slots_match(const struct index_bucket *bucket, uint16_t hash)
{
#if defined(__SSE2__)
    typedef short vector __attribute__((vector_size(16)));
    typedef char bytes16 __attribute__((vector_size(16)));
    vector hashes;
    memcpy(&hashes, bucket->hashes, sizeof hashes);
    return (unsigned)__builtin_ia32_pmovmskb128((bytes16)(hashes == (short)hash));
#else
    unsigned match = 0;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        match |= (bucket->hashes[slot] == hash ? 3u : 0u) << (2 * slot);
    }
    return match;
#endif
}

/* The first slot of a match, and the match without it. */
static inline unsigned match_first(unsigned match)
{
    return (unsigned)__builtin_ctz(match) / 2;
}

static inline unsigned match_rest(unsigned match)
{
    return match & (match - 1) & (match - 2);
}

/* Bytes of a segment. */
static inline size_t segment_size(uint32_t buckets)
{
    return sizeof(struct index_segment) + buckets * sizeof(struct index_bucket);
}

/* The bits of a hash that a slot of a segment keeps; 0 means an empty slot. */
static inline uint16_t slot_hash(uint64_t hash, unsigned depth)
{
    uint16_t bits = (uint16_t)((hash << depth) >> 48);
    return bits != 0 ? bits : 1;
}

/* The home bucket of a slot's hash, and the bucket behind another one, in a ring. */
static inline uint32_t home_of(uint16_t hash, uint32_t buckets)
{
    return (hash * buckets) >> 16;
}

static inline uint32_t next_bucket(const struct index_segment *segment, uint32_t at)
{
    return at + 1 < segment->buckets ? at + 1 : 0;
}

/* At most seven eighths of the slots are used. */
static inline bool segment_is_full(const struct index_segment *segment)
{
    return segment->count >= segment->buckets * (SLOTS - 1);
}

/* The number of buckets for so many members, rounded up to what the slab gives. */
uint32_t index_segment_buckets_for(uint32_t members);
/* NULL when memory is short. */
MUST_CHECK struct index_segment *index_segment_create(struct store_thread *thread, unsigned depth,
                                                      uint32_t buckets);
void index_segment_destroy(struct store_thread *thread, struct index_segment *segment);
/* There is room. */
void index_segment_add(struct index_segment *segment, uint16_t hash,
                       const struct zset_member *member);
/* Empties a slot of bucket 'at'. */
void index_segment_remove(struct index_segment *segment, uint32_t at, unsigned slot);

/* Moves all slots to 'to', a segment of the same depth with room. */
void index_segment_move(const struct index_segment *segment, struct index_segment *to);
/* How many members index_segment_deal() gives the upper half. */
uint32_t index_segment_count_upper(const struct index_segment *segment);
/* Moves all members to two segments one bit deeper, for which their hashes are needed. */
void index_segment_deal(const struct zset_index *index, const struct index_segment *segment,
                        struct index_segment *const halves[2]);
/* Moves all slots to a segment with room, one bit less deep; no hash is needed. */
void index_segment_lift(const struct index_segment *segment, bool upper, struct index_segment *to);

#endif
