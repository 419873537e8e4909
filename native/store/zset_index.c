/* Finding the members of large sorted sets; see zset_index.h. */
#include "store/zset_index.h"

#include "store/keyspace_internal.h"
#include "store/zset_index_segment.h"

enum {
    SEGMENT_BUCKETS_MAX = 95, /* with its header 6 KiB, a slab class */
    DEPTH_MAX = 32,
    MERGE_MAX = 96, /* members of two neighbours that become one segment */
};

/* Hashes tweaked unlike those of any database's keys. */
#define INDEX_TWEAK UINT64_C(0x7a736574)

/* ---- The directory ------------------------------------------------------------------------- */

/* A segment in the directory: its address, its depth in the lowest 6 bits and its buckets in
 * the highest 7, so that a lookup goes to the bucket without touching the segment's head. */
enum { WORD_DEPTH = 0x3f, WORD_BUCKETS_SHIFT = 57 };
#define WORD_ADDRESS ((UINT64_C(1) << WORD_BUCKETS_SHIFT) - 1 - WORD_DEPTH)

static uintptr_t segment_word(const struct index_segment *segment)
{
    return (uintptr_t)segment | segment->depth | (uintptr_t)segment->buckets << WORD_BUCKETS_SHIFT;
}

static struct index_segment *word_segment(uintptr_t word)
{
    return (struct index_segment *)(word & WORD_ADDRESS);
}

static size_t directory_size(unsigned depth)
{
    return sizeof(uintptr_t) << depth;
}

static size_t directory_at(const struct zset_index *index, uint64_t hash)
{
    return index->depth == 0 ? 0 : (size_t)(hash >> (64 - index->depth));
}

static struct index_segment *segment_of(const struct zset_index *index, uint64_t hash)
{
    return word_segment(index->directory[directory_at(index, hash)]);
}

/* Where a search begins. */
struct home {
    const struct index_segment *segment;
    uint32_t buckets, at;
    uint16_t wanted; /* what the slot is to keep */
};

static inline struct home find_home(const struct zset_index *index, uint64_t hash)
{
    uintptr_t word = index->directory[directory_at(index, hash)];
    struct home home = { .segment = word_segment(word),
                         .buckets = (uint32_t)(word >> WORD_BUCKETS_SHIFT) };
    home.wanted = slot_hash(hash, (unsigned)(word & WORD_DEPTH));
    home.at = home_of(home.wanted, home.buckets);
    return home;
}

/* Points the part of the directory for hashes that share 'depth' bits with 'hash' at a segment. */
static void directory_point(struct zset_index *index, uint64_t hash, unsigned depth,
                            struct index_segment *segment)
{
    size_t span = (size_t)1 << (index->depth - depth);
    size_t first = directory_at(index, hash) & ~(span - 1);
    uintptr_t word = segment_word(segment);
    for (size_t i = 0; i < span; i++) {
        index->directory[first + i] = word;
    }
}

static bool directory_double(struct store_thread *thread, struct zset_index *index)
{
    size_t count = (size_t)1 << index->depth;
    uintptr_t *directory = heap_alloc(thread, directory_size(index->depth + 1u));
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
    const struct index_segment *segment =
        index_segment_create(thread, 0, index_segment_buckets_for(expected));
    if (segment == NULL) {
        heap_free(thread, index->directory, directory_size(0));
        index->directory = NULL;
        return false;
    }
    index->directory[0] = segment_word(segment);
    return true;
}

bool zset_index_release_step(struct store_thread *thread, struct zset_index *index)
{
    if (index->directory == NULL) {
        return false;
    }
    if (index->released < UINT32_C(1) << index->depth) {
        struct index_segment *segment = word_segment(index->directory[index->released]);
        index->released += UINT32_C(1) << (index->depth - segment->depth);
        index_segment_destroy(thread, segment);
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
    struct home home = find_home(index, hash);
    __builtin_prefetch(&home.segment->bucket[home.at]);
}

const struct zset_member *zset_index_guess(const struct zset_index *index, uint64_t hash)
{
    struct home home = find_home(index, hash);
    const struct index_bucket *bucket = &home.segment->bucket[home.at];
    unsigned match = slots_match(bucket, home.wanted);
    return match != 0 ? slot_member(bucket, match_first(match)) : NULL;
}

struct zset_member *zset_index_find(const struct zset_index *index, uint64_t hash,
                                    struct bytes text)
{
    struct home home = find_home(index, hash);
    for (uint32_t at = home.at;;) {
        const struct index_bucket *bucket = &home.segment->bucket[at];
        for (unsigned match = slots_match(bucket, home.wanted); match != 0;
             match = match_rest(match)) {
            struct zset_member *member = slot_member(bucket, match_first(match));
            struct bytes found = member_text(member);
            if (found.len == text.len && key_same(found.at, text.at, text.len)) {
                return member;
            }
        }
        if (slots_match(bucket, 0) != 0) {
            return NULL;
        }
        at = at + 1 < home.buckets ? at + 1 : 0;
    }
}

/* Gives a segment another number of buckets. */
static bool resize(struct store_thread *thread, struct zset_index *index, uint64_t hash,
                   uint32_t buckets)
{
    struct index_segment *old = segment_of(index, hash);
    struct index_segment *segment = index_segment_create(thread, old->depth, buckets);
    if (segment == NULL) {
        return false;
    }
    index_segment_move(old, segment);
    directory_point(index, hash, segment->depth, segment);
    index_segment_destroy(thread, old);
    return true;
}

static bool split(struct store_thread *thread, struct zset_index *index, uint64_t hash)
{
    struct index_segment *old = segment_of(index, hash);
    if (old->depth == index->depth && !directory_double(thread, index)) {
        return false;
    }
    unsigned depth = old->depth + 1u;
    uint32_t upper = index_segment_count_upper(old);
    struct index_segment *halves[2] = {
        index_segment_create(thread, depth, index_segment_buckets_for(old->count - upper)),
        index_segment_create(thread, depth, index_segment_buckets_for(upper)),
    };
    if (halves[0] == NULL || halves[1] == NULL) {
        for (unsigned i = 0; i < 2; i++) {
            if (halves[i] != NULL) {
                index_segment_destroy(thread, halves[i]);
            }
        }
        return false;
    }
    uint64_t bit = UINT64_C(1) << (64 - depth);
    index_segment_deal(index, old, halves);
    directory_point(index, hash & ~bit, depth, halves[0]);
    directory_point(index, hash | bit, depth, halves[1]);
    index_segment_destroy(thread, old);
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
            uint32_t buckets =
                index_segment_buckets_for(segment->count + segment->count / 16 + SLOTS);
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
    index_segment_add(segment, slot_hash(hash, segment->depth), member);
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
    struct index_segment *whole =
        index_segment_create(thread, segment->depth - 1u, index_segment_buckets_for(count));
    if (whole == NULL) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        index_segment_lift(halves[i], i == 1, whole);
    }
    directory_point(index, hash, whole->depth, whole);
    index_segment_destroy(thread, halves[0]);
    index_segment_destroy(thread, halves[1]);
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
                index_segment_remove(segment, at, slot);
                removed = true;
            }
        }
    }
    if (__builtin_expect(segment->count < MERGE_MAX / 2 && segment->depth > 0, 0)) {
        merge(thread, index, hash);
    } else if (__builtin_expect(segment->count < segment->buckets * (SLOTS / 2 - 1) &&
                                    segment->buckets > SLOTS,
                                0)) {
        if (!resize(thread, index, hash, index_segment_buckets_for(segment->count))) {
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
        const struct index_segment *segment = word_segment(index->directory[i]);
        memory += heap_size(segment_size(segment->buckets));
        i += (size_t)1 << (index->depth - segment->depth);
    }
    return memory;
}
