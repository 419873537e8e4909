/* Small sorted sets in a listpack: member, score, member, score ... in order.  For zset.c,
 * which knows both encodings. */
#ifndef STORE_ZSET_LISTPACK_H
#define STORE_ZSET_LISTPACK_H

#include "store/btree.h"
#include "store/listpack.h"

/* Members are named by their offset, as listpack.h names elements. */

/* The member with this text, or 0. */
uint32_t zset_listpack_find(const struct listpack *lp, struct bytes member);
/* The score of the member at 'at'. */
double zset_listpack_score(const struct listpack *lp, uint32_t at);
/* The same by the place of the score itself. */
double zset_listpack_score_at(const struct listpack *lp, uint32_t at);
/* The member with a rank, or 0; the ones before and behind, or 0. */
uint32_t zset_listpack_seek(const struct listpack *lp, uint64_t rank);
uint32_t zset_listpack_next(const struct listpack *lp, uint32_t at);
uint32_t zset_listpack_previous(const struct listpack *lp, uint32_t at);
/* How many members are below a bound: up to the first that is not. */
uint64_t zset_listpack_below(const struct listpack *lp, const struct btree_bound *bound);

/* How a score is kept: digits when it is a whole number that fits, so that the listpack makes
 * an integer of it, else all the digits that tell it from others. */
enum { ZSET_LISTPACK_SCORE_ROOM = 64 };
struct bytes zset_listpack_score_text(double score, char room[ZSET_LISTPACK_SCORE_ROOM]);

/* Adds a member that is not there, in its place.  False when memory is short. */
MUST_CHECK bool zset_listpack_add(struct store_thread *thread, struct listpack **lp,
                                  struct bytes member, double score);
/* Adds a member behind all others. */
MUST_CHECK bool zset_listpack_append(struct store_thread *thread, struct listpack **lp,
                                     struct bytes member, double score);
/* Moves the member at 'at' to where another score puts it.  False when memory is short. */
MUST_CHECK bool zset_listpack_change(struct store_thread *thread, struct listpack **lp, uint32_t at,
                                     double score);
void zset_listpack_remove(struct store_thread *thread, struct listpack **lp, uint32_t at,
                          uint32_t members);

#endif
