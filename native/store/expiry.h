/* The expiry index of one stripe: which key ends next.  A 4-ary min-heap of deadlines
 * with key hashes, cleaned lazily.
 *
 * An item's deadline may be earlier than that of its key, never later: moving an expiry
 * into the future leaves the heap alone, and the item is put back when it comes up.  An
 * item may also be left behind by a key that was deleted.  Such are counted as stale, so
 * that the heap can be rebuilt before it holds much more than live ones: always
 * len <= live + stale. */
#ifndef STORE_EXPIRY_H
#define STORE_EXPIRY_H

#include "base/err.h"
#include "store/table.h"

struct expiry_item {
    int64_t when;  /* Unix time in milliseconds */
    uint64_t hash; /* of the key */
};

struct expiry_index {
    struct expiry_item *items;
    uint32_t len, cap;
    uint32_t live;  /* keys of the stripe that have an expiry */
    uint32_t stale; /* items that may belong to none */
};

/* Frees the items; zero-initialised is empty. */
void expiry_release(struct expiry_index *index);

/* The earliest deadline that may be due, INT64_MAX when there is none. */
static inline int64_t expiry_first(const struct expiry_index *index)
{
    return index->len > 0 ? index->items[0].when : INT64_MAX;
}

/* Makes room for one more item; false when memory is short. */
MUST_CHECK bool expiry_reserve(struct expiry_index *index);

/* Tells of a change of one key's expiry from 'before' to 'after' (-1: none).  Where
 * expiry_needs_item() says so, expiry_reserve() came before. */
static inline bool expiry_needs_item(int64_t before, int64_t after)
{
    return after >= 0 && (before < 0 || after < before);
}
void expiry_changed(struct expiry_index *index, uint64_t hash, int64_t before, int64_t after);

/* Takes the first item off, or gives it a later deadline. */
struct expiry_item expiry_pop(struct expiry_index *index);
void expiry_postpone_first(struct expiry_index *index, int64_t when);

/* An item that was popped had no key. */
static inline void expiry_was_stale(struct expiry_index *index)
{
    index->stale -= index->stale > 0;
}

/* Whether there are so many stale items that it is time to drop them: the caller takes out
 * those without an owner, brings the deadlines of the others up to date, and then has the
 * heap put in order. */
bool expiry_is_untidy(const struct expiry_index *index);
void expiry_tidied(struct expiry_index *index);

/* Drops stale items when there are many; 'table' is that of the stripe. */
void expiry_tidy(struct expiry_index *index, const struct table *table, const struct hash_key *key);

#endif
