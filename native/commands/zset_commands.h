/* What the commands on sorted sets and places (geo) share: lookups, ranges as arguments,
 * results as replies and as keys. */
#ifndef COMMANDS_ZSET_COMMANDS_H
#define COMMANDS_ZSET_COMMANDS_H

#include "commands/lookup.h"
#include "store/zset.h"

/* ---- Keys -------------------------------------------------------------------------------- */

/* keyspace_find() of a sorted set for reading, counted. */
static inline MUST_CHECK enum err lookup_zset(struct call *call, struct bytes key,
                                              struct entry **found) REQUIRES(*call->keys)
{
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_SORTED_SET, found);
    lookup_count(call, err != OK || *found != NULL);
    return err;
}

/* The same for writing, not counted. */
static inline MUST_CHECK enum err find_zset(struct call *call, struct bytes key,
                                            struct entry **found) REQUIRES(*call->keys)
{
    return keyspace_find(call->keyspace, call->keys, key, VALUE_SORTED_SET, found);
}

/* After members were removed from the set of 'entry': writes it back, tells 'event', and
 * removes the key if nothing is left, which is told too. */
void zset_removed(struct call *call, struct bytes key, struct entry *entry, struct zset *zset,
                  const char *event) REQUIRES(*call->keys);

/* Makes 'zset' the value of 'key', whatever that holds, and tells 'event'; an empty one removes
 * the key.  Replies the number of members.  The set is taken in any case. */
MUST_CHECK enum err zset_store_result(struct call *call, struct bytes key, struct zset *zset,
                                      const char *event) REQUIRES(*call->keys);

/* ---- ZADD, as GEOADD does it too -------------------------------------------------------------- */

struct zset_add_options {
    bool if_missing, if_present; /* NX, XX */
    bool if_greater, if_less;    /* GT, LT */
    bool count_changed;          /* CH */
    bool increment;              /* INCR */
};

/* Reads one of the options; false when the next argument is none. */
bool zset_read_add_option(struct args *args, struct zset_add_options *options);
/* ERR_REPLIED for options that exclude each other. */
MUST_CHECK enum err zset_check_add_options(struct call *call,
                                           const struct zset_add_options *options,
                                           uint32_t members);

/* Adds or updates members and replies.  'pairs' is score, member, score, member ... of which
 * the scores have been read into 'scores'.  When memory is short those before stay, '*done' of
 * them, and the caller tells that if it is a change. */
MUST_CHECK enum err zset_add_members(struct call *call, struct bytes key,
                                     const struct zset_add_options *options, const double *scores,
                                     const struct bytes *pairs, uint32_t count, uint32_t *done)
    REQUIRES(*call->keys);

/* ---- Ranges ------------------------------------------------------------------------------------ */

enum zset_range_by { RANGE_BY_RANK, RANGE_BY_SCORE, RANGE_BY_TEXT };

/* What is between two arguments: by rank 'start' and 'stop' (negative from the end), else two
 * bounds, 'min' below the first and 'max' behind the last. */
struct zset_range {
    enum zset_range_by by;
    bool reverse;
    int64_t start, stop;
    struct btree_bound min, max;
    bool empty;            /* whatever the set holds */
    int64_t offset, limit; /* LIMIT; a negative limit is none */
};

/* Reads the two ends; min comes before max here, whatever the direction.  ERR_REPLIED. */
MUST_CHECK enum err zset_read_range(struct call *call, struct bytes min, struct bytes max,
                                    enum zset_range_by by, struct zset_range *range);

/* The interval of ranks, [from, to), that a range is in a set, with LIMIT applied. */
void zset_find_range(const struct zset *zset, const struct zset_range *range, uint64_t *from,
                     uint64_t *to);

/* ---- Replies ----------------------------------------------------------------------------------- */

/* Begins a list of 'count' elements, with or without scores. */
void zset_reply_begin(struct reply *reply, uint64_t count, bool with_scores);
void zset_reply_element(struct reply *reply, const struct zset_element *element, bool with_scores);
/* All elements of an interval of ranks. */
void zset_reply_interval(struct reply *reply, const struct zset *zset, uint64_t from, uint64_t to,
                         bool reverse, bool with_scores);

/* ---- Popping, for the blocking forms too --------------------------------------------------------- */

enum zset_pop_form {
    POP_FLAT,       /* member, score, ...: ZPOPMIN in RESP2 */
    POP_KEY_FLAT,   /* key, member, score: BZPOPMIN */
    POP_NESTED,     /* [member, score], ...: ZPOPMIN with a count in RESP3 */
    POP_KEY_NESTED, /* key, [[member, score], ...]: ZMPOP and BZMPOP */
};

/* Pops up to 'count' (at least 1) elements of a set that is not empty, from its end when 'max';
 * replies them, tells the events, and removes the key when it has become empty.  Returns how
 * many it were. */
uint64_t zset_pop(struct call *call, struct bytes key, struct entry *entry, bool max,
                  uint64_t count, enum zset_pop_form form) REQUIRES(*call->keys);
/* Logs what was popped as ZPOPMIN or ZPOPMAX with a count. */
void zset_propagate_pop(struct call *call, struct bytes key, bool max, uint64_t count);

/* The arguments of ZMPOP, and of BZMPOP behind its time-out. */
struct zset_mpop {
    const struct bytes *keys;
    uint32_t key_count;
    bool max;
    int64_t count;
};

/* Reads them from the next argument to the last. */
MUST_CHECK enum err zset_read_mpop(struct call *call, struct zset_mpop *mpop);
/* Pops from the first key that has members, replies as ZMPOP does, and logs that.  Replies
 * nothing when '*popped' is false. */
MUST_CHECK enum err zset_pop_first(struct call *call, const struct zset_mpop *mpop, bool *popped)
    REQUIRES(*call->keys);

#endif
