/* The table that finds a large sorted set's members by their text.
 *
 * Extendible hashing: the first bits of a hash pick a segment from a directory, and a segment
 * is one block of buckets of a cache line each.  A segment that is full grows by a slab class,
 * and at its largest splits in two; so no insertion moves more than some hundred slots, however
 * many members there are.  A slot keeps 16 bits of the hash, those behind the segment's own:
 * they tell the home bucket and tell members apart, so that only splits touch the members.
 *
 * Members are borrowed: the caller owns and frees them. */
#ifndef STORE_ZSET_INDEX_H
#define STORE_ZSET_INDEX_H

#include "base/hash.h"
#include "store/zset_member.h"

struct index_segment;

struct zset_index {
    uintptr_t *directory; /* 2^depth segments, each with what says where in it to look */
    const struct hash_key *hash_key;
    uint32_t released; /* directory slots whose segments are gone, on the way out */
    uint8_t depth;
};

/* An empty index with room for about 'members'.  False when memory is short. */
MUST_CHECK bool zset_index_init(struct store_thread *thread, struct zset_index *index,
                                size_t members);
/* A released index may be released again. */
void zset_index_release(struct store_thread *thread, struct zset_index *index);
/* Releases one segment and says whether there are more: zset_index_release() in steps. */
bool zset_index_release_step(struct store_thread *thread, struct zset_index *index);

/* Of a member's text; for the functions below. */
uint64_t zset_index_hash(const struct zset_index *index, struct bytes text);
/* Starts the bucket on its way from memory. */
void zset_index_prefetch(const struct zset_index *index, uint64_t hash);

/* A member that may be the one with this hash, or NULL where there certainly is none in its
 * home; touches no member. */
const struct zset_member *zset_index_guess(const struct zset_index *index, uint64_t hash);
/* The member with this text, or NULL. */
struct zset_member *zset_index_find(const struct zset_index *index, uint64_t hash,
                                    struct bytes text);
/* Makes room for one more member with this hash; false when memory is short. */
MUST_CHECK bool zset_index_reserve(struct store_thread *thread, struct zset_index *index,
                                   uint64_t hash);
/* Adds a member whose text is not there, after zset_index_reserve(). */
void zset_index_add(struct zset_index *index, uint64_t hash, struct zset_member *member);
/* Takes a member out that is there. */
void zset_index_remove(struct store_thread *thread, struct zset_index *index, uint64_t hash,
                       const struct zset_member *member);

/* Visits the members of one bucket from 'cursor' (0: the beginning) on and returns the next
 * cursor, 0 at the end.  A cursor is a place in hash order: what is there from the first step
 * to the last is visited, whatever is added or removed meanwhile. */
uint64_t zset_index_scan(const struct zset_index *index, uint64_t cursor,
                         void (*visit)(void *user, const struct zset_member *member), void *user);

/* Bytes of the directory and the segments. */
size_t zset_index_memory(const struct zset_index *index);

#endif
