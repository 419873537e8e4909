/* What the files of the member table share; nobody else includes this.
 *
 *   members.c         life, lookups, changes
 *   members_grow.c    segments: growth, splits, merges
 *   members_ends.c    members that end by themselves
 *   members_walk.c    walks, scans, members at random */
#ifndef STORE_MEMBERS_INTERNAL_H
#define STORE_MEMBERS_INTERNAL_H

#include "store/heap.h"
#include "store/keyspace_internal.h"
#include "store/members.h"

enum {
    SEGMENT_BUCKETS = 256,  /* a segment that needs more is split */
    MEMBERS_DEPTH_MAX = 16, /* up to here; then segments grow */
    MEMBERS_CURSOR_BITS = 48,
};

/* The members whose hashes begin with the same 'depth' bits.  The bits that follow are their
 * pos (bucket.h). */
struct segment {
    uint32_t size, count; /* buckets, members */
    uint8_t depth;
    struct bucket buckets[];
};

/* Ends of members: an index as that of a stripe, by the members' hashes. */
struct member_ends {
    struct expiry_index index;
    struct members_noted noted;
};

struct members {
    struct segment **directory; /* 1 << depth; neighbours may be the same segment */
    uint64_t count;
    struct member_ends *ends; /* NULL while no member has had an end */
    uint64_t tweak;           /* of this table's hashes: its order is no other table's */
    uint32_t deepest;         /* segments as deep as the directory */
    uint32_t swept;           /* how far members_destroy_step() has come in the directory */
    uint8_t depth;
    bool with_values;
};

/* Of a member's name; each set of members has its own tweak. */
static inline uint64_t member_hash(const struct store_thread *thread, const struct members *members,
                                   struct bytes name)
{
    return hash_bytes(&thread->keyspace->hash_key, name, members->tweak);
}

/* The same of a name that a client asks for: it may have been hashed when its memory was fetched. */
static inline uint64_t asked_hash(struct store_thread *thread, const struct members *members,
                                  struct bytes name)
{
    struct members_ahead *ahead = &thread->ahead;
    for (uint32_t i = ahead->next; i < ahead->count && i <= ahead->next + 1; i++) {
        if (ahead->name[i].at == name.at && ahead->name[i].len == name.len &&
            ahead->tweak == members->tweak) {
            ahead->next = i; /* Not behind it: some commands look twice. */
            return ahead->hash[i];
        }
    }
    return member_hash(thread, members, name);
}

/* Which segment a hash belongs to, and the pos of it there (see bucket.h). */
static inline uint32_t directory_index(const struct members *members, uint64_t hash)
{
    return members->depth > 0 ? (uint32_t)(hash >> (64 - members->depth)) : 0;
}

static inline uint32_t segment_pos(const struct segment *segment, uint64_t hash)
{
    return (uint32_t)((hash << segment->depth) >> 32);
}

/* How many places of the directory lead to the segment. */
static inline uint32_t segment_span(const struct members *members, const struct segment *segment)
{
    return UINT32_C(1) << (members->depth - segment->depth);
}

/* Bytes of a segment with 'size' buckets. */
static inline size_t segment_bytes(uint32_t size)
{
    return sizeof(struct segment) + (size_t)size * sizeof(struct bucket);
}

/* The home of the member in a slot. */
static inline uint32_t member_home(const struct store_thread *thread, const struct members *members,
                                   const struct segment *segment, const struct bucket *bucket,
                                   unsigned slot)
{
    uint32_t home;
    if (!slot_tells_home(bucket, slot, segment->size, &home)) {
        struct bytes name = member_name(members, bucket_pointer(bucket, slot));
        home = pos_home(segment_pos(segment, member_hash(thread, members, name)), segment->size);
    }
    return home;
}

/* Starts all members of a bucket on their way from memory. */
static inline void prefetch_members(const struct bucket *bucket)
{
    for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
        __builtin_prefetch(bucket_pointer(bucket, match_slot(used)));
    }
}

/* The end of a record, or MEMBER_NO_EXPIRY. */
int64_t member_end(const struct members *members, const struct member *member);

/* Makes room for the note of a member's new end; false when memory is short. */
MUST_CHECK bool ends_reserve(struct members *members, int64_t before, int64_t after);
/* A member's end has changed, or it came or went. */
void ends_changed(struct store_thread *thread, struct members *members, uint64_t hash,
                  int64_t before, int64_t after);
/* A copy for 'to', a copy of 'from'; false when memory is short. */
MUST_CHECK bool ends_copy(struct members *to, const struct members *from);
void ends_release(struct members *members);

/* An empty segment, or NULL. */
struct segment *segment_create(struct store_thread *thread, uint32_t size, unsigned depth);
/* Not the members. */
void segment_free(struct store_thread *thread, struct segment *segment);

/* Makes room for one more member in the segment of 'hash'; false when memory is short. */
MUST_CHECK bool members_reserve(struct store_thread *thread, struct members *members,
                                uint64_t hash);
/* Makes the segment of 'hash' smaller, or one with its neighbour, when it has become sparse. */
void members_settle(struct store_thread *thread, struct members *members, uint64_t hash);

#endif
