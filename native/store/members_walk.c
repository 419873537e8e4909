/* Walks over a member table: all of it, in steps of a scan, one by chance; see members.h. */
#include "store/members_internal.h"

void members_walk_begin(struct members_walk *walk, const struct members *members)
{
    *walk = (struct members_walk){ .members = members,
                                   .left = bucket_used(&members->directory[0]->buckets[0]) };
}

struct member *members_walk_next(struct members_walk *walk)
{
    const struct members *members = walk->members;
    const struct segment *segment = members->directory[walk->segment];
    while (walk->left == 0) {
        if (++walk->bucket == segment->size) {
            uint32_t next = walk->segment + segment_span(members, segment);
            if (next == UINT32_C(1) << members->depth) {
                walk->bucket--; /* It stays at the end. */
                return NULL;
            }
            walk->segment = next;
            walk->bucket = 0;
            segment = members->directory[next];
        }
        const struct bucket *bucket = &segment->buckets[walk->bucket];
        walk->left = bucket_used(bucket);
        if (walk->bucket + 1 < segment->size) {
            prefetch_members(bucket + 1);
        }
    }
    unsigned slot = match_slot(walk->left);
    walk->left = match_next(walk->left);
    return bucket_pointer(&segment->buckets[walk->bucket], slot);
}

/* ---- Scans ------------------------------------------------------------------------------- */

struct scan {
    struct store_thread *thread;
    const struct members *members;
    void (*visit)(void *user, const struct member *member);
    void *user;
    uint64_t seen;
};

/* Visits the members whose home is bucket 'home', wherever they went when it was full. */
static void visit_home(struct scan *scan, const struct segment *segment, uint32_t home)
{
    uint32_t at = home;
    for (uint32_t left = segment->size; left > 0; left--) {
        const struct bucket *bucket = &segment->buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            unsigned slot = match_slot(used);
            if (member_home(scan->thread, scan->members, segment, bucket, slot) == home) {
                scan->visit(scan->user, bucket_pointer(bucket, slot));
                scan->seen++;
            }
        }
        if (!bucket_overflows(bucket)) {
            return;
        }
        at = bucket_after(at, segment->size);
    }
}

uint64_t members_scan(struct store_thread *thread, const struct members *members, uint64_t cursor,
                      uint64_t count, void (*visit)(void *user, const struct member *member),
                      void *user)
{
    const uint64_t end = UINT64_C(1) << MEMBERS_CURSOR_BITS;
    struct scan scan = { thread, members, visit, user, 0 };
    while (cursor < end && scan.seen < count) {
        /* A cursor is the first bits of a hash. */
        uint64_t hash = cursor << (64 - MEMBERS_CURSOR_BITS);
        const struct segment *segment = members->directory[directory_index(members, hash)];
        unsigned pos_shift = MEMBERS_CURSOR_BITS - 32u - segment->depth;
        uint64_t base = segment->depth > 0 ? hash >> (64 - segment->depth)
                                                         << (MEMBERS_CURSOR_BITS - segment->depth)
                                           : 0;
        uint64_t home = pos_home(segment_pos(segment, hash), segment->size);
        for (; home < segment->size && scan.seen < count; home++) {
            visit_home(&scan, segment, (uint32_t)home);
        }
        /* The first pos whose home is the next bucket; 2^32 behind the last. */
        uint64_t pos = ((home << 32) + segment->size - 1) / segment->size;
        cursor = base + (pos << pos_shift);
    }
    return cursor < end ? cursor : 0;
}

/* ---- By chance --------------------------------------------------------------------------- */

/* The first member from a bucket on: for tables that are all but empty. */
static struct member *first_from(const struct members *members, uint32_t index, uint32_t at,
                                 struct member_place *place)
{
    uint32_t len = UINT32_C(1) << members->depth;
    for (;;) {
        struct segment *segment = members->directory[index];
        for (; at < segment->size; at++) {
            struct bucket *bucket = &segment->buckets[at];
            uint64_t used = bucket_used(bucket);
            if (used != 0) {
                *place = (struct member_place){ segment, bucket, match_slot(used) };
                return bucket_pointer(bucket, place->slot);
            }
        }
        at = 0;
        index = (index | (segment_span(members, segment) - 1)) + 1;
        index = index == len ? 0 : index;
    }
}

/* Every slot of the table is drawn with the same chance until one is in use: a segment by
 * its share of the directory, in it one of more buckets than it has, where that share is
 * more than its buckets' own. */
struct member *members_random(struct store_thread *thread, const struct members *members,
                              struct member_place *place)
{
    enum { TRIES = 512 };
    uint32_t index = 0;
    for (int i = 0; i < TRIES; i++) {
        uint64_t dice = random_next(&thread->dice);
        index = members->depth > 0 ? (uint32_t)(dice >> (64 - members->depth)) : 0;
        struct segment *segment = members->directory[index];
        uint64_t bound = members->depth > 0 && segment->size <= SEGMENT_BUCKETS
                             ? (uint64_t)SEGMENT_BUCKETS * segment_span(members, segment)
                             : segment->size;
        uint64_t at = ((dice >> 3 & UINT32_MAX) * bound) >> 32;
        unsigned slot = (unsigned)(dice & (BUCKET_SLOTS - 1));
        if (at >= segment->size || segment->buckets[at].tags[slot] == 0) {
            continue;
        }
        *place = (struct member_place){ segment, &segment->buckets[at], slot };
        return bucket_pointer(place->bucket, slot);
    }
    return first_from(members, index, 0, place);
}
