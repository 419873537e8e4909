/* The hash table of a large set or hash: names, each with a value in a hash, in small packed
 * records behind the one-cache-line buckets of bucket.h.  The hash of a name is not kept.
 *
 * The table is made of segments of at most some thousand members.  The first bits of a
 * name's hash lead through a directory to its segment; a segment that has become full is
 * split into two, so that no insertion ever moves more than one segment's members, and the
 * whole stays in the order of hashes, which is what a scan's cursor counts in.
 *
 * A change has the table to itself; any number of threads may read meanwhile nothing
 * changes. */
#ifndef STORE_MEMBERS_H
#define STORE_MEMBERS_H

#include "base/bytes.h"
#include "base/err.h"
#include "store/bucket.h"

struct store_thread;
struct member_ahead;
struct members;
struct segment;

/* A member's record; see member_read(). */
struct member;

enum { MEMBER_NO_EXPIRY = -1 };

/* A record's parts, borrowed until the member is changed. */
struct member_parts {
    struct bytes name, value;
    int64_t expires_at_ms; /* or MEMBER_NO_EXPIRY */
};

/* Where a member was found; good until the table changes. */
struct member_place {
    struct segment *segment;
    struct bucket *bucket;
    unsigned slot;
};

/* Empty; with values (a hash) or without (a set).  NULL when memory is short. */
MUST_CHECK struct members *members_create(struct store_thread *thread, bool with_values);
void members_destroy(struct store_thread *thread, struct members *members);
/* Frees some of it; true when there is more to do.  See value_destroy_step(). */
bool members_destroy_step(struct store_thread *thread, struct members *members, int64_t until_us);
/* A deep copy, or NULL when memory is short. */
MUST_CHECK struct members *members_copy(struct store_thread *thread, const struct members *members);

/* How many there are, those that have ended among them. */
uint64_t members_count(const struct members *members);
/* Whether some members may have an end. */
bool members_may_end(const struct members *members);
/* Bytes of the structure, estimated from so many samples; 0: all are looked at. */
size_t members_memory(const struct members *members, size_t samples);

/* All parts of a member, borrowed until it changes. */
void member_read(const struct members *members, const struct member *member,
                 struct member_parts *parts);
/* Only the name. */
struct bytes member_name(const struct members *members, const struct member *member);

/* The member of that name, or NULL; 'place' may be NULL. */
struct member *members_find(struct store_thread *thread, const struct members *members,
                            struct bytes name, struct member_place *place);

/* Starts the memory on its way that looking up so many members takes, MEMBERS_AHEAD_MAX at
 * most; see keyspace_prefetch_members(). */
void members_prefetch(struct store_thread *thread, const struct members *members,
                      const struct member_ahead *ahead, uint32_t count);

/* What putting a member came to. */
enum members_put {
    MEMBERS_NO_MEMORY, /* nothing has changed */
    MEMBERS_PRESENT,   /* it was there */
    MEMBERS_ADDED,
};

/* Adds a name without a value, or leaves the one that is there alone. */
MUST_CHECK enum members_put members_add(struct store_thread *thread, struct members *members,
                                        struct bytes name);
/* Adds a name with a value, or gives it another one; the lifetime becomes 'expires_at_ms'. */
MUST_CHECK enum members_put members_set(struct store_thread *thread, struct members *members,
                                        struct bytes name, struct bytes value,
                                        int64_t expires_at_ms);
/* Gives a member another end, or none.  Its record may move.  False when memory is short. */
MUST_CHECK bool members_expire_at(struct store_thread *thread, struct members *members,
                                  struct member_place place, int64_t expires_at_ms);
bool members_remove(struct store_thread *thread, struct members *members, struct bytes name);
void members_remove_at(struct store_thread *thread, struct members *members,
                       struct member_place place);

/* A member by chance, each with the same, of a table that has some. */
struct member *members_random(struct store_thread *thread, const struct members *members,
                              struct member_place *place);

/* ---- Ends (members_ends.c) ------------------------------------------------------------- */

/* The earliest end of a member, or an earlier moment; INT64_MAX when none ends. */
int64_t members_next_end(const struct members *members);
/* Removes a member whose end is not after 'now_ms', once 'tell' was called for it; false when
 * there is none. */
bool members_remove_due(struct store_thread *thread, struct members *members, int64_t now_ms,
                        void (*tell)(void *user, struct bytes name), void *user);
/* What is noted elsewhere of the table's next end: a moment (INT64_MAX: nothing), and for which
 * key.  Of tables of which members_may_end() says so. */
struct members_noted {
    int64_t when;
    uint64_t key_hash;
};
struct members_noted *members_noted(const struct members *members);

/* ---- Walks (members_walk.c) -------------------------------------------------------------- */

/* All members, one after the other; the table does not change meanwhile. */
struct members_walk {
    const struct members *members;
    uint32_t segment, bucket;
    uint64_t left; /* of the bucket's slots */
};
void members_walk_begin(struct members_walk *walk, const struct members *members);
/* NULL at the end. */
struct member *members_walk_next(struct members_walk *walk);

/* One step of a scan over about 'count' members from 'cursor' (0: the beginning) on; returns
 * the next cursor, of 48 bits, 0 at the end.  A member that is there from the first step to
 * the last is visited, whatever comes and goes meanwhile. */
uint64_t members_scan(struct store_thread *thread, const struct members *members, uint64_t cursor,
                      uint64_t count, void (*visit)(void *user, const struct member *member),
                      void *user);

#endif
