/* Ranges of sorted sets, from arguments to intervals of ranks to replies; see
 * zset_commands.h. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/zset_commands.h"

/* ---- Ends --------------------------------------------------------------------------------------- */

/* A score with which a range begins or ends, read as strtod() reads it, so that nothing at all
 * is 0 and leading space is fine. */
static bool read_score_end(struct bytes text, bool is_max, struct btree_bound *bound)
{
    char small[128], *end;
    bool excluded = text.len > 0 && text.at[0] == '(';
    if (excluded) {
        text = (struct bytes){ text.at + 1, text.len - 1 };
    }
    char *copy = text.len < sizeof small ? small : mem_try_alloc(text.len + 1);
    if (copy == NULL) {
        return false;
    }
    if (text.len > 0) {
        memcpy(copy, text.at, text.len);
    }
    copy[text.len] = '\0';
    *bound = (struct btree_bound){ .kind = BOUND_SCORE, .after = is_max != excluded };
    bound->score = strtod(copy, &end);
    bool good = *end == '\0' && !isnan(bound->score);
    if (copy != small) {
        mem_free(copy);
    }
    return good;
}

/* A text with which a range begins or ends: [text, (text, - or +. */
static bool read_text_end(struct bytes text, bool is_max, struct btree_bound *bound)
{
    char first = text.len > 0 ? text.at[0] : '\0';
    if (first == '-' || first == '+') {
        *bound = (struct btree_bound){ .kind = first == '-' ? BOUND_FIRST : BOUND_LAST };
        return text.len == 1 || text.at[1] == '\0';
    }
    if (first != '(' && first != '[') {
        return false;
    }
    *bound = (struct btree_bound){
        .kind = BOUND_TEXT,
        .after = is_max == (first == '['),
        .text = { text.at + 1, text.len - 1 },
    };
    return true;
}

/* Whether no text can be in the range. */
static bool texts_exclude(const struct zset_range *range)
{
    const struct btree_bound *min = &range->min, *max = &range->max;
    if (min->kind == BOUND_LAST || max->kind == BOUND_FIRST) {
        return true;
    }
    if (min->kind == BOUND_FIRST || max->kind == BOUND_LAST) {
        return false;
    }
    int order = bytes_compare(min->text, max->text);
    return order > 0 || (order == 0 && (min->after || !max->after));
}

enum err zset_read_range(struct call *call, struct bytes min, struct bytes max,
                         enum zset_range_by by, struct zset_range *range)
{
    range->by = by;
    range->empty = false;
    if (by == RANGE_BY_RANK) {
        return num_parse_i64(min, &range->start) && num_parse_i64(max, &range->stop) ? OK
                                                                                     : ERR_NOT_INT;
    }
    if (by == RANGE_BY_SCORE) {
        if (!read_score_end(min, false, &range->min) || !read_score_end(max, true, &range->max)) {
            reply_error(call->reply, LIT("ERR min or max is not a float"));
            return ERR_REPLIED;
        }
        return OK;
    }
    if (!read_text_end(min, false, &range->min) || !read_text_end(max, true, &range->max)) {
        reply_error(call->reply, LIT("ERR min or max not valid string range item"));
        return ERR_REPLIED;
    }
    range->empty = texts_exclude(range);
    return OK;
}

/* ---- Intervals ---------------------------------------------------------------------------------- */

static void find_ranks(uint64_t count, const struct zset_range *range, uint64_t *from, uint64_t *to)
{
    int64_t size = (int64_t)count, start = range->start, stop = range->stop;
    start = start < 0 ? start + size : start;
    stop = stop < 0 ? stop + size : stop;
    start = start < 0 ? 0 : start;
    stop = stop >= size ? size - 1 : stop;
    *from = *to = 0;
    if (start <= stop && start < size) {
        *from = (uint64_t)(range->reverse ? size - 1 - stop : start);
        *to = *from + (uint64_t)(stop - start) + 1;
    }
}

/* Cuts an interval to what LIMIT leaves, counted from where the direction begins. */
static void apply_limit(const struct zset_range *range, uint64_t *from, uint64_t *to)
{
    uint64_t size = *to - *from;
    uint64_t skipped =
        range->offset < 0 || (uint64_t)range->offset > size ? size : (uint64_t)range->offset;
    uint64_t left = size - skipped;
    if (range->limit >= 0 && (uint64_t)range->limit < left) {
        left = (uint64_t)range->limit;
    }
    if (range->reverse) {
        *to -= skipped;
        *from = *to - left;
    } else {
        *from += skipped;
        *to = *from + left;
    }
}

void zset_find_range(const struct zset *zset, const struct zset_range *range, uint64_t *from,
                     uint64_t *to)
{
    *from = *to = 0;
    if (range->empty) {
        return;
    }
    if (range->by == RANGE_BY_RANK) {
        find_ranks(zset_count(zset), range, from, to);
        return;
    }
    if (range->by == RANGE_BY_SCORE) {
        *from = zset_count_below(zset, &range->min);
        *to = zset_count_below(zset, &range->max);
        *to = *to < *from ? *from : *to;
    } else {
        zset_text_interval(zset, &range->min, &range->max, range->reverse, from, to);
    }
    apply_limit(range, from, to);
}

/* ---- Replies ------------------------------------------------------------------------------------ */

static bool nests(const struct reply *reply)
{
    return reply->protocol >= 3 && reply->dialect == DIALECT_RESP;
}

void zset_reply_begin(struct reply *reply, uint64_t count, bool with_scores)
{
    reply_array(reply, with_scores && !nests(reply) ? count * 2 : count);
}

void zset_reply_element(struct reply *reply, const struct zset_element *element, bool with_scores)
{
    if (with_scores && nests(reply)) {
        reply_array(reply, 2);
    }
    reply_bytes(reply, element->member);
    if (with_scores) {
        reply_double(reply, element->score);
    }
}

void zset_reply_interval(struct reply *reply, const struct zset *zset, uint64_t from, uint64_t to,
                         bool reverse, bool with_scores)
{
    struct zset_cursor cursor;
    struct zset_element element;
    zset_reply_begin(reply, to - from, with_scores);
    if (from == to) {
        return;
    }
    zset_seek(zset, reverse ? to - 1 : from, reverse, &cursor);
    for (uint64_t left = to - from; left > 0 && zset_next(&cursor, &element); left--) {
        zset_reply_element(reply, &element, with_scores);
    }
}
