/* Sorted set values: members with scores, ordered by score and then by text.
 *
 *   LISTPACK   one listpack of member, score, member, score ... in order (zset_listpack.h)
 *   SKIPLIST   as Redis calls it: a counted B+ tree (btree.h) and an index by text
 *              (zset_index.h) over the same members
 *
 * Functions take a 'struct zset', the encoding and the pointer of an entry; after a change
 * that may have replaced either, zset_store() writes them back.  Every range is an interval
 * of ranks, [from, to). */
#ifndef STORE_ZSET_H
#define STORE_ZSET_H

#include "store/btree.h"
#include "store/listpack.h"
#include "store/value.h"

struct zset {
    enum encoding encoding;
    void *pointer;
};

struct zset_element {
    struct bytes member; /* borrowed until the set changes or, from a cursor, it moves */
    double score;
};

/* What zset_look() has found out about a member; good until the set changes. */
struct zset_place {
    bool found;
    double score;               /* if found */
    struct zset_member *member; /* SKIPLIST: if found */
    uint64_t hash;              /* SKIPLIST */
    uint32_t at;                /* LISTPACK: if found */
};

/* The sorted set of an entry; what changes it may move it: zset_store() stores it back. */
static inline struct zset zset_of(const struct entry *entry)
{
    return (struct zset){ (enum encoding)entry->encoding, entry_pointer(entry) };
}

static inline void zset_store(struct entry *entry, const struct zset *zset)
{
    entry_set_encoding(entry, zset->encoding);
    entry_set_pointer(entry, zset->pointer);
}

/* An empty set for about so many members, the longest of so many bytes: both decide about the
 * encoding.  False when memory is short. */
MUST_CHECK bool zset_create(struct store_thread *thread, struct zset *zset, size_t members,
                            size_t longest);
/* Frees everything; for sets that no key holds. */
void zset_release(struct store_thread *thread, struct zset *zset);

/* How many members. */
uint64_t zset_count(const struct zset *zset);

/* ---- By member ------------------------------------------------------------------------- */

/* Finds a member, or where it belongs; good until the set changes. */
void zset_look(const struct zset *zset, struct bytes member, struct zset_place *place);
/* Starts on its way what looking up so many members takes, MEMBERS_AHEAD_MAX at most, and what
 * giving them their scores takes. */
void zset_prefetch(const struct zset *zset, const struct member_ahead *ahead, uint32_t count);
/* Whether the member is there, and its score. */
bool zset_score(const struct zset *zset, struct bytes member, double *score);
/* Adds a member that zset_look() did not find; the set may change its encoding.  False when
 * memory is short: nothing has changed. */
MUST_CHECK bool zset_add(struct store_thread *thread, struct zset *zset,
                         const struct zset_place *place, struct bytes member, double score);
/* Gives a member that zset_look() found another score.  False when memory is short. */
MUST_CHECK bool zset_change(struct store_thread *thread, struct zset *zset,
                            const struct zset_place *place, double score);
/* Both in one: whichever is needed. */
MUST_CHECK bool zset_put(struct store_thread *thread, struct zset *zset, struct bytes member,
                         double score);
/* Removes a member that zset_look() found. */
void zset_remove(struct store_thread *thread, struct zset *zset, const struct zset_place *place);
/* The rank of a member that zset_look() found, from the lowest score. */
uint64_t zset_rank(const struct zset *zset, const struct zset_place *place, struct bytes member);

/* ---- By rank, score and text ------------------------------------------------------------ */

/* How many members lie below a bound. */
uint64_t zset_count_below(const struct zset *zset, const struct btree_bound *bound);
/* The interval of the texts from 'min' to 'max' in a set whose scores are all the same.  Where
 * they are not, a walk from the one or the other end decides, as in Redis. */
void zset_text_interval(const struct zset *zset, const struct btree_bound *min,
                        const struct btree_bound *max, bool reverse, uint64_t *from, uint64_t *to);
/* Removes the members with these ranks. */
void zset_remove_ranks(struct store_thread *thread, struct zset *zset, uint64_t from, uint64_t to);

struct zset_cursor {
    const struct zset *zset;
    struct btree_cursor tree; /* SKIPLIST */
    uint32_t at;              /* LISTPACK: of the member; 0: beyond either end */
    bool backwards;
    char room[LISTPACK_TEXT_ROOM];
};

/* Starts a walk at a rank, which may be beyond the end. */
void zset_seek(const struct zset *zset, uint64_t rank, bool backwards, struct zset_cursor *cursor);
/* The next element of the walk; false at the end. */
bool zset_next(struct zset_cursor *cursor, struct zset_element *element);

/* ---- Other ------------------------------------------------------------------------------ */

/* Makes a listpack of a set that is small enough for one, if memory allows. */
void zset_compact(struct store_thread *thread, struct zset *zset);

/* One step of ZSCAN: visits some elements from 'cursor' on, and returns the next cursor, 0 at
 * the end. */
typedef void zset_visit(void *user, const struct zset_element *element);
uint64_t zset_scan(const struct zset *zset, uint64_t cursor, zset_visit *visit, void *user);

/* A score as ZSCAN tells it: the text that a listpack keeps, or all digits of the double. */
enum { ZSET_SCORE_ROOM = 64 };
struct bytes zset_score_text(const struct zset *zset, double score, char room[ZSET_SCORE_ROOM]);

/* Aborts when the structure is not sound; for tests. */
void zset_check(const struct zset *zset);

/* ---- For value.c, which says what each does ------------------------------------------- */

/* What value.h asks of every type; see there. */
void zset_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool zset_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *zset_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t zset_elements(enum encoding encoding, const void *pointer);
size_t zset_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
