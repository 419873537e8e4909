/* Filling, emptying and dealing out the segments of a sorted set's table; see
 * zset_index_segment.h. */
#include "store/zset_index_segment.h"

uint32_t index_segment_buckets_for(uint32_t members)
{
    uint32_t buckets = members / (SLOTS - 2) + 1;
    size_t size = slab_class_size(segment_size(buckets));
    return (uint32_t)((size - sizeof(struct index_segment)) / sizeof(struct index_bucket));
}

struct index_segment *index_segment_create(struct store_thread *thread, unsigned depth,
                                           uint32_t buckets)
{
    struct index_segment *segment = heap_alloc(thread, segment_size(buckets));
    if (segment != NULL) {
        memset(segment, 0, segment_size(buckets));
        segment->depth = (uint8_t)depth;
        segment->buckets = buckets;
    }
    return segment;
}

void index_segment_destroy(struct store_thread *thread, struct index_segment *segment)
{
    heap_free(thread, segment, segment_size(segment->buckets));
}

void index_segment_add(struct index_segment *segment, uint16_t hash,
                       const struct zset_member *member)
{
    uint32_t at = home_of(hash, segment->buckets);
    unsigned empty;
    while ((empty = slots_match(&segment->bucket[at], 0)) == 0) {
        at = next_bucket(segment, at);
    }
    slot_set(&segment->bucket[at], match_first(empty), hash, member);
    segment->count++;
}

/* Steps from bucket to bucket, round the end. */
static uint32_t distance(const struct index_segment *segment, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + segment->buckets - from;
}

/* A slot behind bucket 'hole' whose member may move there, or false.  '*at' is its bucket. */
static bool find_displaced(const struct index_segment *segment, uint32_t hole, uint32_t *at,
                           unsigned *slot)
{
    uint32_t next = hole;
    do {
        next = next_bucket(segment, next);
        const struct index_bucket *bucket = &segment->bucket[next];
        for (unsigned i = 0; i < SLOTS; i++) {
            uint32_t home = home_of(bucket->hashes[i], segment->buckets);
            if (bucket->hashes[i] != 0 &&
                distance(segment, home, next) >= distance(segment, hole, next)) {
                *at = next;
                *slot = i;
                return true;
            }
        }
    } while (slots_match(&segment->bucket[next], 0) == 0 && next != hole);
    return false;
}

/* The slot is filled again from behind where a search would end too early. */
void index_segment_remove(struct index_segment *segment, uint32_t at, unsigned slot)
{
    segment->count--;
    for (;;) {
        struct index_bucket *hole = &segment->bucket[at];
        uint32_t from;
        unsigned from_slot;
        if (slots_match(hole, 0) != 0 || !find_displaced(segment, at, &from, &from_slot)) {
            hole->hashes[slot] = 0;
            return;
        }
        const struct index_bucket *source = &segment->bucket[from];
        slot_set(hole, slot, source->hashes[from_slot], slot_member(source, from_slot));
        at = from;
        slot = from_slot;
    }
}

void index_segment_move(const struct index_segment *segment, struct index_segment *to)
{
    for (uint32_t at = 0; at < segment->buckets; at++) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (bucket->hashes[slot] != 0) {
                index_segment_add(to, bucket->hashes[slot], slot_member(bucket, slot));
            }
        }
    }
}

/* The first bit of the hash behind the segment's own. */
static bool in_upper_half(uint16_t hash)
{
    return hash >> 15 != 0;
}

uint32_t index_segment_count_upper(const struct index_segment *segment)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < segment->buckets; at++) {
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            count += in_upper_half(segment->bucket[at].hashes[slot]);
        }
    }
    return count;
}

void index_segment_deal(const struct zset_index *index, const struct index_segment *segment,
                        struct index_segment *const halves[2])
{
    enum { AHEAD = 2 };
    for (uint32_t at = 0; at < segment->buckets; at++) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned slot = 0; slot < SLOTS && at + AHEAD < segment->buckets; slot++) {
            __builtin_prefetch(slot_member(&segment->bucket[at + AHEAD], slot));
        }
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (bucket->hashes[slot] != 0) {
                const struct zset_member *member = slot_member(bucket, slot);
                struct index_segment *half = halves[in_upper_half(bucket->hashes[slot])];
                uint64_t hash = zset_index_hash(index, member_text(member));
                index_segment_add(half, slot_hash(hash, half->depth), member);
            }
        }
    }
}

void index_segment_lift(const struct index_segment *segment, bool upper, struct index_segment *to)
{
    for (uint32_t at = 0; at < segment->buckets; at++) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            unsigned hash = bucket->hashes[slot];
            if (hash != 0) {
                hash = hash >> 1 | (upper ? 0x8000u : 0u);
                index_segment_add(to, (uint16_t)(hash != 0 ? hash : 1), slot_member(bucket, slot));
            }
        }
    }
}
