/* Finding the members of large sorted sets; see zset_index.h. */
#include "store/zset_index.h"

#include <stdalign.h>

#include "store/keyspace_internal.h"

enum {
    SLOTS = 8,
    SEGMENT_BUCKETS_MAX = 95, /* with its header 6 KiB, a slab class */
    DEPTH_MAX = 32,
    MERGE_MAX = 96, /* members of two neighbours that become one segment */
};

/* Hashes tweaked unlike those of any database's keys. */
#define INDEX_TWEAK UINT64_C(0x7a736574)

/* Members go to the first bucket from their home on that has room; a bucket with room ends
 * the search.  So removals move members back towards their homes. */
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

/* ---- Slots --------------------------------------------------------------------------------- */

static struct zset_member *slot_member(const struct index_bucket *bucket, unsigned slot)
{
    return (struct zset_member *)(((uintptr_t)bucket->high[slot] << 32 | bucket->low[slot]));
}

static void slot_set(struct index_bucket *bucket, unsigned slot, uint16_t hash,
                     const struct zset_member *member)
{
    bucket->hashes[slot] = hash;
    bucket->low[slot] = (uint32_t)(uintptr_t)member;
    bucket->high[slot] = (uint16_t)((uintptr_t)member >> 32);
}

/* Two bits for each slot whose hash is 'hash'; the lowest is at twice the slot's number. */
static unsigned slots_match(const struct index_bucket *bucket, uint16_t hash)
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

static unsigned match_first(unsigned match)
{
    return (unsigned)__builtin_ctz(match) / 2;
}

static unsigned match_rest(unsigned match)
{
    return match & (match - 1) & (match - 2);
}

/* ---- Segments ------------------------------------------------------------------------------ */

static size_t segment_size(uint32_t buckets)
{
    return sizeof(struct index_segment) + buckets * sizeof(struct index_bucket);
}

/* The bits of a hash that a slot of a segment keeps; 0 means an empty slot. */
static uint16_t slot_hash(uint64_t hash, unsigned depth)
{
    uint16_t bits = (uint16_t)((hash << depth) >> 48);
    return bits != 0 ? bits : 1;
}

static uint32_t home_of(uint16_t hash, uint32_t buckets)
{
    return (hash * buckets) >> 16;
}

static uint32_t next_bucket(const struct index_segment *segment, uint32_t at)
{
    return at + 1 < segment->buckets ? at + 1 : 0;
}

/* At most seven eighths of the slots are used. */
static bool segment_is_full(const struct index_segment *segment)
{
    return segment->count >= segment->buckets * (SLOTS - 1);
}

/* The number of buckets for so many members, rounded up to what the slab gives. */
static uint32_t buckets_for(uint32_t members)
{
    uint32_t buckets = members / (SLOTS - 2) + 1;
    size_t size = slab_class_size(segment_size(buckets));
    return (uint32_t)((size - sizeof(struct index_segment)) / sizeof(struct index_bucket));
}

static struct index_segment *segment_create(struct store_thread *thread, unsigned depth,
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

static void segment_destroy(struct store_thread *thread, struct index_segment *segment)
{
    heap_free(thread, segment, segment_size(segment->buckets));
}

/* There is room. */
static void segment_add(struct index_segment *segment, uint16_t hash,
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

/* Empties a slot, and fills it again from behind where a search would end too early. */
static void segment_remove(struct index_segment *segment, uint32_t at, unsigned slot)
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

/* Moves all slots to 'to', a segment of the same depth with room. */
static void segment_move(const struct index_segment *segment, struct index_segment *to)
{
    for (uint32_t at = 0; at < segment->buckets; at++) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (bucket->hashes[slot] != 0) {
                segment_add(to, bucket->hashes[slot], slot_member(bucket, slot));
            }
        }
    }
}

/* The first bit of the hash behind the segment's own. */
static bool in_upper_half(uint16_t hash)
{
    return hash >> 15 != 0;
}

static uint32_t count_upper(const struct index_segment *segment)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < segment->buckets; at++) {
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            count += in_upper_half(segment->bucket[at].hashes[slot]);
        }
    }
    return count;
}

/* Moves all members to two segments one bit deeper, for which their hashes are needed. */
static void segment_deal(const struct zset_index *index, const struct index_segment *segment,
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
                segment_add(half, slot_hash(hash, half->depth), member);
            }
        }
    }
}

/* Moves all slots to a segment with room, one bit less deep; no hash is needed. */
static void segment_lift(const struct index_segment *segment, bool upper, struct index_segment *to)
{
    for (uint32_t at = 0; at < segment->buckets; at++) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            unsigned hash = bucket->hashes[slot];
            if (hash != 0) {
                hash = hash >> 1 | (upper ? 0x8000u : 0u);
                segment_add(to, (uint16_t)(hash != 0 ? hash : 1), slot_member(bucket, slot));
            }
        }
    }
}

/* ---- The directory ------------------------------------------------------------------------- */

static size_t directory_size(unsigned depth)
{
    return sizeof(struct index_segment *) << depth;
}

static size_t directory_at(const struct zset_index *index, uint64_t hash)
{
    return index->depth == 0 ? 0 : (size_t)(hash >> (64 - index->depth));
}

static struct index_segment *segment_of(const struct zset_index *index, uint64_t hash)
{
    return index->directory[directory_at(index, hash)];
}

/* Points the part of the directory for hashes that share 'depth' bits with 'hash' at a segment. */
static void directory_point(struct zset_index *index, uint64_t hash, unsigned depth,
                            struct index_segment *segment)
{
    size_t span = (size_t)1 << (index->depth - depth);
    size_t first = directory_at(index, hash) & ~(span - 1);
    for (size_t i = 0; i < span; i++) {
        index->directory[first + i] = segment;
    }
}

static bool directory_double(struct store_thread *thread, struct zset_index *index)
{
    size_t count = (size_t)1 << index->depth;
    struct index_segment **directory = heap_alloc(thread, directory_size(index->depth + 1u));
    if (directory == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        directory[2 * i] = directory[2 * i + 1] = index->directory[i];
    }
    heap_free(thread, index->directory, directory_size(index->depth));
    index->directory = directory;
    index->depth++;
    return true;
}

bool zset_index_init(struct store_thread *thread, struct zset_index *index, size_t members)
{
    enum { FIRST_MAX = SEGMENT_BUCKETS_MAX * (SLOTS - 2) };
    uint32_t expected = (uint32_t)(members < FIRST_MAX ? members : FIRST_MAX - 1);
    *index = (struct zset_index){ .hash_key = &thread->keyspace->hash_key };
    index->directory = heap_alloc(thread, directory_size(0));
    if (index->directory == NULL) {
        return false;
    }
    index->directory[0] = segment_create(thread, 0, buckets_for(expected));
    if (index->directory[0] == NULL) {
        heap_free(thread, index->directory, directory_size(0));
        index->directory = NULL;
        return false;
    }
    return true;
}

bool zset_index_release_step(struct store_thread *thread, struct zset_index *index)
{
    if (index->directory == NULL) {
        return false;
    }
    if (index->released < UINT32_C(1) << index->depth) {
        struct index_segment *segment = index->directory[index->released];
        index->released += UINT32_C(1) << (index->depth - segment->depth);
        segment_destroy(thread, segment);
        return true;
    }
    heap_free(thread, index->directory, directory_size(index->depth));
    index->directory = NULL;
    return false;
}

void zset_index_release(struct store_thread *thread, struct zset_index *index)
{
    while (zset_index_release_step(thread, index)) {}
}

/* ---- Members ------------------------------------------------------------------------------- */

uint64_t zset_index_hash(const struct zset_index *index, struct bytes text)
{
    return hash_bytes(index->hash_key, text, INDEX_TWEAK);
}

void zset_index_prefetch(const struct zset_index *index, uint64_t hash)
{
    const struct index_segment *segment = segment_of(index, hash);
    uint32_t home = home_of(slot_hash(hash, segment->depth), segment->buckets);
    __builtin_prefetch(&segment->bucket[home]);
}

struct zset_member *zset_index_find(const struct zset_index *index, uint64_t hash,
                                    struct bytes text)
{
    const struct index_segment *segment = segment_of(index, hash);
    uint16_t wanted = slot_hash(hash, segment->depth);
    uint32_t at = home_of(wanted, segment->buckets);
    for (;;) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned match = slots_match(bucket, wanted); match != 0; match = match_rest(match)) {
            struct zset_member *member = slot_member(bucket, match_first(match));
            struct bytes found = member_text(member);
            if (found.len == text.len && key_same(found.at, text.at, text.len)) {
                return member;
            }
        }
        if (slots_match(bucket, 0) != 0) {
            return NULL;
        }
        at = next_bucket(segment, at);
    }
}

/* Gives a segment another number of buckets. */
static bool resize(struct store_thread *thread, struct zset_index *index, uint64_t hash,
                   uint32_t buckets)
{
    struct index_segment *old = segment_of(index, hash);
    struct index_segment *segment = segment_create(thread, old->depth, buckets);
    if (segment == NULL) {
        return false;
    }
    segment_move(old, segment);
    directory_point(index, hash, segment->depth, segment);
    segment_destroy(thread, old);
    return true;
}

static bool split(struct store_thread *thread, struct zset_index *index, uint64_t hash)
{
    struct index_segment *old = segment_of(index, hash);
    if (old->depth == index->depth && !directory_double(thread, index)) {
        return false;
    }
    unsigned depth = old->depth + 1u;
    uint32_t upper = count_upper(old);
    struct index_segment *halves[2] = {
        segment_create(thread, depth, buckets_for(old->count - upper)),
        segment_create(thread, depth, buckets_for(upper)),
    };
    if (halves[0] == NULL || halves[1] == NULL) {
        for (unsigned i = 0; i < 2; i++) {
            if (halves[i] != NULL) {
                segment_destroy(thread, halves[i]);
            }
        }
        return false;
    }
    uint64_t bit = UINT64_C(1) << (64 - depth);
    segment_deal(index, old, halves);
    directory_point(index, hash & ~bit, depth, halves[0]);
    directory_point(index, hash | bit, depth, halves[1]);
    segment_destroy(thread, old);
    return true;
}

bool zset_index_reserve(struct store_thread *thread, struct zset_index *index, uint64_t hash)
{
    for (;;) {
        const struct index_segment *segment = segment_of(index, hash);
        if (__builtin_expect(!segment_is_full(segment), 1)) {
            return true;
        }
        bool grown;
        if (segment->buckets < SEGMENT_BUCKETS_MAX) {
            uint32_t buckets = buckets_for(segment->count + segment->count / 16 + SLOTS);
            if (buckets > SEGMENT_BUCKETS_MAX) {
                buckets = SEGMENT_BUCKETS_MAX;
            }
            grown = resize(thread, index, hash, buckets);
        } else {
            grown = segment->depth < DEPTH_MAX && split(thread, index, hash);
        }
        if (!grown) {
            return false;
        }
    }
}

void zset_index_add(struct zset_index *index, uint64_t hash, struct zset_member *member)
{
    struct index_segment *segment = segment_of(index, hash);
    segment_add(segment, slot_hash(hash, segment->depth), member);
}

/* Makes one segment of two halves that have become small, if they have and memory allows. */
static void merge(struct store_thread *thread, struct zset_index *index, uint64_t hash)
{
    const struct index_segment *segment = segment_of(index, hash);
    uint64_t bit = UINT64_C(1) << (64 - segment->depth);
    struct index_segment *halves[2] = { segment_of(index, hash & ~bit),
                                        segment_of(index, hash | bit) };
    uint32_t count = halves[0]->count + halves[1]->count;
    if (halves[0]->depth != halves[1]->depth || count > MERGE_MAX) {
        return;
    }
    struct index_segment *whole = segment_create(thread, segment->depth - 1u, buckets_for(count));
    if (whole == NULL) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        segment_lift(halves[i], i == 1, whole);
    }
    directory_point(index, hash, whole->depth, whole);
    segment_destroy(thread, halves[0]);
    segment_destroy(thread, halves[1]);
}

void zset_index_remove(struct store_thread *thread, struct zset_index *index, uint64_t hash,
                       const struct zset_member *member)
{
    struct index_segment *segment = segment_of(index, hash);
    uint16_t wanted = slot_hash(hash, segment->depth);
    uint32_t at = home_of(wanted, segment->buckets);
    for (bool removed = false; !removed; at = next_bucket(segment, at)) {
        unsigned match = slots_match(&segment->bucket[at], wanted);
        for (; match != 0 && !removed; match = match_rest(match)) {
            unsigned slot = match_first(match);
            if (slot_member(&segment->bucket[at], slot) == member) {
                segment_remove(segment, at, slot);
                removed = true;
            }
        }
    }
    if (__builtin_expect(segment->count < MERGE_MAX / 2 && segment->depth > 0, 0)) {
        merge(thread, index, hash);
    } else if (__builtin_expect(segment->count < segment->buckets * (SLOTS / 2 - 1) &&
                                    segment->buckets > SLOTS,
                                0)) {
        if (!resize(thread, index, hash, buckets_for(segment->count))) {
            return; /* It stays larger than it need be. */
        }
    }
}

uint64_t zset_index_scan(const struct zset_index *index, uint64_t cursor,
                         void (*visit)(void *user, const struct zset_member *member), void *user)
{
    cursor &= (UINT64_C(1) << 48) - 1; /* the first 48 bits of a hash */
    uint64_t place = cursor << 16;
    const struct index_segment *segment = segment_of(index, place);
    uint32_t home = home_of((uint16_t)((place << segment->depth) >> 48), segment->buckets);
    uint32_t at = home;
    for (;;) {
        const struct index_bucket *bucket = &segment->bucket[at];
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            uint16_t hash = bucket->hashes[slot];
            if (hash != 0 && home_of(hash, segment->buckets) == home) {
                visit(user, slot_member(bucket, slot));
            }
        }
        if (slots_match(bucket, 0) != 0) {
            break;
        }
        at = next_bucket(segment, at);
    }
    /* The first place whose home is the next bucket, or the next segment. */
    uint64_t next = ((uint64_t)(home + 1) * 65536 + segment->buckets - 1) / segment->buckets;
    unsigned shift = 32u - segment->depth;
    uint64_t first = segment->depth == 0 ? 0 : (cursor >> (48 - segment->depth)) << 16;
    uint64_t cursor_next = (first + next) << shift;
    return cursor_next >> 48 != 0 ? 0 : cursor_next;
}

size_t zset_index_memory(const struct zset_index *index)
{
    size_t memory = heap_size(directory_size(index->depth));
    for (size_t i = 0; i < (size_t)1 << index->depth;) {
        const struct index_segment *segment = index->directory[i];
        memory += heap_size(segment_size(segment->buckets));
        i += (size_t)1 << (index->depth - segment->depth);
    }
    return memory;
}
