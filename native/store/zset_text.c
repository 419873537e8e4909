/* Intervals of texts in a sorted set; see zset.h.  A listpack is walked as Redis walks one, so
 * that the answer is the same even where scores differ; a tree counts. */
#include "store/zset.h"

/* Whether the last member of a listpack reaches up to a range, and the first down to it. */
static bool text_range_is_met(const struct zset *zset, const struct btree_bound *min,
                              const struct btree_bound *max)
{
    struct zset_cursor cursor;
    struct zset_element element;
    zset_seek(zset, zset_count(zset) - 1, true, &cursor);
    if (!zset_next(&cursor, &element) || btree_is_below(min, element.score, element.member)) {
        return false;
    }
    zset_seek(zset, 0, false, &cursor);
    return zset_next(&cursor, &element) && btree_is_below(max, element.score, element.member);
}

/* In a listpack: all that follow the first from 'min' on, up to the first beyond 'max'. */
static void text_interval_forward(const struct zset *zset, const struct btree_bound *min,
                                  const struct btree_bound *max, uint64_t *from, uint64_t *to)
{
    struct zset_cursor cursor;
    struct zset_element element;
    uint64_t rank = zset_count_below(zset, min);
    *from = *to = rank;
    zset_seek(zset, rank, false, &cursor);
    while (zset_next(&cursor, &element) && btree_is_below(max, element.score, element.member)) {
        (*to)++;
    }
}

/* The same from the end. */
static void text_interval_backward(const struct zset *zset, const struct btree_bound *min,
                                   const struct btree_bound *max, uint64_t *from, uint64_t *to)
{
    struct zset_cursor cursor;
    struct zset_element element;
    uint64_t rank = zset_count(zset);
    zset_seek(zset, rank - 1, true, &cursor);
    bool more = rank > 0 && zset_next(&cursor, &element);
    while (more && !btree_is_below(max, element.score, element.member)) {
        rank--;
        more = zset_next(&cursor, &element);
    }
    *from = *to = rank;
    while (more && !btree_is_below(min, element.score, element.member)) {
        (*from)--;
        more = zset_next(&cursor, &element);
    }
}

void zset_text_interval(const struct zset *zset, const struct btree_bound *min,
                        const struct btree_bound *max, bool reverse, uint64_t *from, uint64_t *to)
{
    if (zset->encoding == ENCODING_LISTPACK) {
        *from = *to = 0;
        if (!text_range_is_met(zset, min, max)) {
            return;
        }
        (reverse ? text_interval_backward : text_interval_forward)(zset, min, max, from, to);
        return;
    }
    *from = zset_count_below(zset, min);
    *to = zset_count_below(zset, max);
    if (*to < *from) {
        *to = *from;
    }
}
