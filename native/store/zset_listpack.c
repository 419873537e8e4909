/* Sorted sets in a listpack; see zset_listpack.h. */
#include "store/zset_listpack.h"

#include <math.h>

#include "base/num.h"

struct bytes zset_listpack_score_text(double score, char room[ZSET_LISTPACK_SCORE_ROOM])
{
    const double safe = (double)(INT64_MAX / 2);
    if (score >= -safe && score <= safe && score == trunc(score)) {
        return (struct bytes){ room, num_format_i64(room, (int64_t)score) };
    }
    return (struct bytes){ room, num_format_double(room, ZSET_LISTPACK_SCORE_ROOM, score) };
}

uint32_t zset_listpack_find(const struct listpack *lp, struct bytes member)
{
    uint32_t first = listpack_first(lp);
    return first != 0 ? listpack_find(lp, first, member, 2) : 0;
}

double zset_listpack_score(const struct listpack *lp, uint32_t at)
{
    return zset_listpack_score_at(lp, listpack_next(lp, at));
}

double zset_listpack_score_at(const struct listpack *lp, uint32_t at)
{
    struct listpack_value value = listpack_get(lp, at);
    double score = 0;
    if (value.string.at == NULL) {
        return (double)value.integer;
    }
    return num_parse_double(value.string, &score) ? score : 0;
}

uint32_t zset_listpack_seek(const struct listpack *lp, uint64_t rank)
{
    return rank < LISTPACK_MAX ? listpack_seek(lp, (int64_t)rank * 2) : 0;
}

uint32_t zset_listpack_next(const struct listpack *lp, uint32_t at)
{
    return listpack_next(lp, listpack_next(lp, at));
}

uint32_t zset_listpack_previous(const struct listpack *lp, uint32_t at)
{
    uint32_t score = listpack_previous(lp, at);
    return score != 0 ? listpack_previous(lp, score) : 0;
}

uint64_t zset_listpack_below(const struct listpack *lp, const struct btree_bound *bound)
{
    uint64_t count = 0;
    char room[LISTPACK_TEXT_ROOM];
    if (bound->kind == BOUND_SCORE) {
        /* From score to score; the members are stepped over. */
        for (uint32_t at = listpack_first(lp); at != 0; at = listpack_next(lp, at), count++) {
            at = listpack_next(lp, at);
            if (!btree_is_below(bound, zset_listpack_score_at(lp, at), LIT(""))) {
                break;
            }
        }
        return count;
    }
    for (uint32_t at = listpack_first(lp); at != 0; at = zset_listpack_next(lp, at)) {
        if (!btree_is_below(bound, zset_listpack_score(lp, at), listpack_text(lp, at, room))) {
            break;
        }
        count++;
    }
    return count;
}

/* Puts a member before the one at 'at', or behind all (0). */
static bool insert_before(struct store_thread *thread, struct listpack **lp, uint32_t at,
                          struct bytes member, double score)
{
    char room[ZSET_LISTPACK_SCORE_ROOM];
    if (!listpack_insert(thread, lp, &at, member)) {
        return false;
    }
    uint32_t behind = listpack_next(*lp, at);
    if (!listpack_insert(thread, lp, &behind, zset_listpack_score_text(score, room))) {
        listpack_delete(thread, lp, at, 1);
        return false;
    }
    return true;
}

bool zset_listpack_append(struct store_thread *thread, struct listpack **lp, struct bytes member,
                          double score)
{
    return insert_before(thread, lp, 0, member, score);
}

/* The first member that is not before (score, member), or 0. */
static uint32_t place_for(const struct listpack *lp, struct bytes member, double score)
{
    struct btree_bound bound = { .kind = BOUND_BOTH, .score = score, .text = member };
    char room[LISTPACK_TEXT_ROOM];
    uint32_t at = listpack_first(lp);
    while (at != 0 &&
           btree_is_below(&bound, zset_listpack_score(lp, at), listpack_text(lp, at, room))) {
        at = zset_listpack_next(lp, at);
    }
    return at;
}

bool zset_listpack_add(struct store_thread *thread, struct listpack **lp, struct bytes member,
                       double score)
{
    return insert_before(thread, lp, place_for(*lp, member, score), member, score);
}

bool zset_listpack_change(struct store_thread *thread, struct listpack **lp, uint32_t at,
                          double score)
{
    /* A copy of the member, for the listpack is going to move under it. */
    char room[LISTPACK_TEXT_ROOM], small[256];
    struct bytes text = listpack_text(*lp, at, room);
    char *copy = text.len <= sizeof small ? small : mem_try_alloc(text.len);
    if (copy == NULL) {
        return false;
    }
    if (text.len > 0) {
        memcpy(copy, text.at, text.len);
    }
    struct bytes member = { copy, text.len };
    uint32_t to = place_for(*lp, member, score);
    size_t before = listpack_bytes(*lp).len;
    bool changed = insert_before(thread, lp, to, member, score);
    if (changed) {
        bool in_front = to != 0 && to <= at;
        at += in_front ? (uint32_t)(listpack_bytes(*lp).len - before) : 0;
        listpack_delete(thread, lp, at, 2);
    }
    if (copy != small) {
        mem_free(copy);
    }
    return changed;
}

void zset_listpack_remove(struct store_thread *thread, struct listpack **lp, uint32_t at,
                          uint32_t members)
{
    listpack_delete(thread, lp, at, members * 2);
}
