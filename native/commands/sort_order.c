/* What SORT's elements are compared by, and putting them in order; see sort.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/sort.h"

/* ---- Weights ------------------------------------------------------------------------------------- */

/* A weight as strtod() reads it, so that nothing at all is 0; false for what is no number. */
static MUST_CHECK enum err read_weight(struct bytes text, double *weight, bool *good)
{
    char small[128], *end;
    int64_t integer;
    if (num_parse_i64(text, &integer)) {
        *weight = (double)integer;
        *good = true;
        return OK;
    }
    char *copy = text.len < sizeof small ? small : mem_try_alloc(text.len + 1);
    if (copy == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    if (text.len > 0) {
        memcpy(copy, text.at, text.len);
    }
    copy[text.len] = '\0';
    errno = 0;
    *weight = strtod(copy, &end);
    *good = *end == '\0' && errno != ERANGE && !isnan(*weight);
    if (copy != small) {
        mem_free(copy);
    }
    return OK;
}

static MUST_CHECK enum err weigh(struct sort *sort, struct sort_item *item, struct bytes text)
{
    bool good;
    enum err err = read_weight(text, &item->weight, &good);
    sort->stray = sort->stray || (err == OK && !good);
    return err;
}

static MUST_CHECK enum err weigh_by(struct call *call, struct sort *sort, struct sort_item *item)
    REQUIRES(*call->keys)
{
    struct sort_found found;
    enum err err = sort_pattern_find(call, &sort->by, item->text, &sort->key, &found);
    if (err != OK || !found.found) {
        return err;
    }
    if (!sort->alpha) {
        return weigh(sort, item, found.text);
    }
    item->by = sort_keep(&sort->kept, found.text, found.digits);
    return OK;
}

enum err sort_weigh(struct call *call, struct sort *sort)
{
    enum err err = OK;
    if (sort->has_by && sort->alpha &&
        !buf_reserve(&sort->kept, sort->item_count * LISTPACK_TEXT_ROOM + 1)) {
        return ERR_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < sort->item_count && err == OK; i++) {
        struct sort_item *item = &sort->items[i];
        if (sort->has_by) {
            err = weigh_by(call, sort, item);
        } else if (!sort->alpha) {
            err = weigh(sort, item, item->text);
        }
    }
    return err;
}

/* ---- Sorting -------------------------------------------------------------------------------------- */

/* As strcoll() in the C locale does, to the first NUL. */
static int compare_c_strings(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    size_t len = common > 0 ? strnlen(a.at, common) : 0;
    int order = len > 0 ? memcmp(a.at, b.at, len) : 0;
    if (order != 0) {
        return order;
    }
    int first = len < a.len ? (unsigned char)a.at[len] : 0;
    int second = len < b.len ? (unsigned char)b.at[len] : 0;
    return first - second;
}

/* Replies are sorted as people read them, stored lists byte by byte. */
static int compare_texts(const struct sort *sort, struct bytes a, struct bytes b)
{
    return sort->destination.at != NULL ? bytes_compare(a, b) : compare_c_strings(a, b);
}

static int compare(const struct sort *sort, const struct sort_item *a, const struct sort_item *b)
{
    int order;
    if (!sort->alpha) {
        order = (a->weight > b->weight) - (a->weight < b->weight);
        order = order != 0 ? order : bytes_compare(a->text, b->text);
    } else if (!sort->has_by) {
        order = compare_texts(sort, a->text, b->text);
    } else {
        order = a->by.at == NULL || b->by.at == NULL ? (a->by.at != NULL) - (b->by.at != NULL)
                                                     : compare_texts(sort, a->by, b->by);
        /* Members of a set come in no order: so that the result does not depend on it. */
        order = order != 0 || sort->ordered ? order : bytes_compare(a->text, b->text);
    }
    return sort->descending ? -order : order;
}

/* Merges two runs that follow each other in 'from'. */
static void merge(const struct sort *sort, const struct sort_item *from, size_t middle, size_t end,
                  struct sort_item *to)
{
    size_t left = 0, right = middle, at = 0;
    while (left < middle && right < end) {
        bool right_first = compare(sort, &from[left], &from[right]) > 0;
        to[at++] = from[right_first ? right++ : left++];
    }
    memcpy(to + at, from + left, (middle - left) * sizeof *to);
    at += middle - left;
    memcpy(to + at, from + right, (end - right) * sizeof *to);
}

/* By merging ever longer runs: what compares the same stays in order. */
enum err sort_order(struct sort *sort)
{
    size_t count = sort->item_count;
    struct sort_item *from = sort->items, *to = mem_try_alloc((count + 1) * sizeof *to);
    if (to == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t left = count - at;
            merge(sort, from + at, run < left ? run : left, 2 * run < left ? 2 * run : left,
                  to + at);
        }
        struct sort_item *swap = from;
        from = to;
        to = swap;
    }
    sort->items = from;
    mem_free(to);
    return OK;
}
