/* The segments of a member table: growth, splits and merges; see members.h. */
#include "store/members_internal.h"

/* Larger segments come from the system's allocator; see table.c. */
enum { IN_SLAB_MAX = 576 };
enum { FILL_PARTS = 14, SPARSE = 2, COMFORTABLE = 5, SPLIT_BUCKETS = 144 };
enum { MERGED_MAX = SEGMENT_BUCKETS * BUCKET_SLOTS / 4 };

_Static_assert(sizeof(struct segment) == 64, "buckets are in cache lines of their own");

struct segment *segment_create(struct store_thread *thread, uint32_t size, unsigned depth)
{
    size_t bytes = segment_bytes(size);
    struct segment *segment;
    if (bytes <= IN_SLAB_MAX) {
        segment = heap_alloc(thread, bytes);
    } else {
        segment = mem_try_aligned(alignof(struct segment), bytes);
        if (segment != NULL) {
            heap_note(thread, (int64_t)bytes, 1);
        }
    }
    if (segment != NULL) {
        memset(segment, 0, bytes);
        segment->size = size;
        segment->depth = (uint8_t)depth;
    }
    return segment;
}

void segment_free(struct store_thread *thread, struct segment *segment)
{
    size_t bytes = segment_bytes(segment->size);
    if (bytes <= IN_SLAB_MAX) {
        heap_free(thread, segment, bytes);
    } else {
        heap_note(thread, -(int64_t)bytes, -1);
        mem_free(segment);
    }
}

/* Segments grow by a third: with smaller steps each member would be moved more often. */
static uint32_t next_size(uint32_t size)
{
    return size + (size + 2) / 3;
}

static uint32_t full_enough(uint32_t size)
{
    return (uint32_t)((uint64_t)size * BUCKET_SLOTS * FILL_PARTS / 16);
}

/* Has all places of the directory that lead to where 'hash' belongs lead to 'segment'. */
static void hang(struct members *members, uint64_t hash, struct segment *segment)
{
    uint32_t span = segment_span(members, segment);
    uint32_t first = directory_index(members, hash) & ~(span - 1);
    for (uint32_t i = 0; i < span; i++) {
        members->directory[first + i] = segment;
    }
}

/* Moves a segment's members to one of 'size' buckets in its place.  False when memory is
 * short. */
static bool resize(struct store_thread *thread, struct members *members, uint64_t hash,
                   uint32_t size)
{
    struct segment *from = members->directory[directory_index(members, hash)];
    struct segment *to = segment_create(thread, size, from->depth);
    if (to == NULL) {
        return false;
    }
    for (uint32_t at = 0; at < from->size; at++) {
        const struct bucket *bucket = &from->buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            unsigned slot = match_slot(used);
            uint32_t home;
            if (!slot_tells_home(bucket, slot, size, &home)) {
                struct bytes name = member_name(members, bucket_pointer(bucket, slot));
                home = pos_home(segment_pos(to, member_hash(thread, members, name)), size);
            }
            buckets_put(to->buckets, size, home, slot_place(bucket, slot),
                        bucket_pointer(bucket, slot));
        }
    }
    to->count = from->count;
    hang(members, hash, to);
    segment_free(thread, from);
    return true;
}

/* Moves the members of 'from' to the one of two segments that the bit behind their hashes'
 * first 'depth' bits says; the two may be the same.  False when one of them gets full; then
 * nothing in 'from' has changed. */
static bool distribute(struct store_thread *thread, const struct members *members,
                       const struct segment *from, unsigned depth, struct segment *const to[2])
{
    for (uint32_t at = 0; at < from->size; at++) {
        const struct bucket *bucket = &from->buckets[at];
        if (at + 1 < from->size) {
            prefetch_members(bucket + 1);
        }
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            const struct member *member = bucket_pointer(bucket, match_slot(used));
            uint64_t hash = member_hash(thread, members, member_name(members, member));
            struct segment *segment = to[hash >> (63 - depth) & 1];
            if (segment->count == segment->size * BUCKET_SLOTS) {
                return false;
            }
            uint32_t pos = segment_pos(segment, hash);
            buckets_put(segment->buckets, segment->size, pos_home(pos, segment->size),
                        pos_place(pos), member);
            segment->count++;
        }
    }
    return true;
}

/* ---- The directory ------------------------------------------------------------------------ */

static size_t directory_bytes(unsigned depth)
{
    return sizeof(struct segment *) << depth;
}

static bool double_directory(struct store_thread *thread, struct members *members)
{
    uint32_t len = UINT32_C(1) << members->depth;
    struct segment **directory = heap_alloc(thread, directory_bytes(members->depth + 1u));
    if (directory == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        directory[2 * i] = directory[2 * i + 1] = members->directory[i];
    }
    heap_free(thread, members->directory, directory_bytes(members->depth));
    members->directory = directory;
    members->depth++;
    members->deepest = 0;
    return true;
}

/* Halves the directory while no segment needs all of it. */
static void halve_directory(struct store_thread *thread, struct members *members)
{
    while (members->depth > 0 && members->deepest == 0) {
        unsigned depth = members->depth - 1u;
        struct segment **directory = heap_alloc(thread, directory_bytes(depth));
        if (directory == NULL) {
            return; /* Another time. */
        }
        uint32_t deepest = 0;
        for (uint32_t i = 0; i < UINT32_C(1) << depth; i++) {
            directory[i] = members->directory[2 * i];
            deepest += directory[i]->depth == depth;
        }
        heap_free(thread, members->directory, directory_bytes(members->depth));
        members->directory = directory;
        members->depth = (uint8_t)depth;
        members->deepest = deepest;
    }
}

/* ---- Splits and merges ------------------------------------------------------------------- */

/* Replaces the segment of 'hash' by two.  False when that can't be done; then nothing has
 * changed, but perhaps the directory's length. */
static bool split(struct store_thread *thread, struct members *members, uint64_t hash)
{
    struct segment *from = members->directory[directory_index(members, hash)];
    unsigned depth = from->depth;
    if (depth == members->depth && !double_directory(thread, members)) {
        return false;
    }
    struct segment *to[2] = { segment_create(thread, SPLIT_BUCKETS, depth + 1),
                              segment_create(thread, SPLIT_BUCKETS, depth + 1) };
    if (to[0] == NULL || to[1] == NULL || !distribute(thread, members, from, depth, to)) {
        for (int i = 0; i < 2; i++) {
            if (to[i] != NULL) {
                segment_free(thread, to[i]);
            }
        }
        return false;
    }
    uint64_t bit = UINT64_C(1) << (63 - depth);
    hang(members, hash & ~bit, to[0]);
    hang(members, hash | bit, to[1]);
    members->deepest += depth + 1 == members->depth ? 2 : 0;
    segment_free(thread, from);
    return true;
}

static uint32_t comfortable_size(uint32_t count)
{
    uint32_t size = 1;
    while (size * COMFORTABLE < count) {
        size = next_size(size);
    }
    return size;
}

/* Makes one segment of the one of 'hash' and its twin, if together they are small. */
static bool merge(struct store_thread *thread, struct members *members, uint64_t hash)
{
    struct segment *one = members->directory[directory_index(members, hash)];
    unsigned depth = one->depth;
    if (depth == 0) {
        return false;
    }
    uint64_t bit = UINT64_C(1) << (64 - depth);
    struct segment *other = members->directory[directory_index(members, hash ^ bit)];
    if (other->depth != depth || one->count + other->count > MERGED_MAX) {
        return false;
    }
    uint32_t size = comfortable_size(one->count + other->count);
    struct segment *merged = segment_create(thread, size, depth - 1);
    if (merged == NULL) {
        return false;
    }
    struct segment *const to[2] = { merged, merged };
    (void)distribute(thread, members, one, depth, to); /* It has room for all. */
    (void)distribute(thread, members, other, depth, to);
    hang(members, hash, merged);
    members->deepest -= depth == members->depth ? 2 : 0;
    segment_free(thread, one);
    segment_free(thread, other);
    halve_directory(thread, members);
    return true;
}

/* ---- Room ------------------------------------------------------------------------------------ */

static __attribute__((noinline)) bool reserve_slow(struct store_thread *thread,
                                                   struct members *members, uint64_t hash)
{
    const struct segment *segment = members->directory[directory_index(members, hash)];
    uint32_t larger = next_size(segment->size);
    if (larger > SEGMENT_BUCKETS && segment->depth < MEMBERS_DEPTH_MAX &&
        split(thread, members, hash)) {
        return true;
    }
    return resize(thread, members, hash, larger) ||
           segment->count < (uint64_t)segment->size * BUCKET_SLOTS;
}

bool members_reserve(struct store_thread *thread, struct members *members, uint64_t hash)
{
    const struct segment *segment = members->directory[directory_index(members, hash)];
    return LIKELY(segment->count < full_enough(segment->size)) ||
           reserve_slow(thread, members, hash);
}

static __attribute__((noinline)) void settle_slow(struct store_thread *thread,
                                                  struct members *members, uint64_t hash)
{
    const struct segment *segment = members->directory[directory_index(members, hash)];
    uint32_t size = comfortable_size(segment->count);
    if (!merge(thread, members, hash) && size < segment->size) {
        (void)resize(thread, members, hash, size); /* Else another time. */
    }
}

void members_settle(struct store_thread *thread, struct members *members, uint64_t hash)
{
    const struct segment *segment = members->directory[directory_index(members, hash)];
    if (UNLIKELY(segment->count < segment->size * SPARSE) &&
        (segment->size > 1 || segment->depth > 0)) {
        settle_slow(thread, members, hash);
    }
}
