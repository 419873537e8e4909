/* The 4-ary heap of deadlines of one stripe; see expiry.h for what its items promise. */
#include "store/expiry.h"

#include "base/mem.h"

enum { CHILDREN = 4, SMALLEST = 4, STALE_ALLOWED = 16 };

void expiry_release(struct expiry_index *index)
{
    mem_free(index->items);
    *index = (struct expiry_index){ 0 };
}

static bool is_before(struct expiry_item a, struct expiry_item b)
{
    return a.when < b.when || (a.when == b.when && a.hash < b.hash);
}

/* Puts 'item' where it belongs on the way from the hole at 'at' to the root. */
static void sift_up(struct expiry_index *index, uint32_t at, struct expiry_item item)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (!is_before(item, index->items[parent])) {
            break;
        }
        index->items[at] = index->items[parent];
        at = parent;
    }
    index->items[at] = item;
}

/* The same from the hole at 'at' towards the leaves of the first 'len' items. */
static void sift_down(struct expiry_index *index, uint32_t len, uint32_t at,
                      struct expiry_item item)
{
    for (;;) {
        uint64_t first = (uint64_t)at * CHILDREN + 1;
        if (first >= len) {
            break;
        }
        uint32_t best = (uint32_t)first;
        for (uint32_t child = best + 1; child < len && child < first + CHILDREN; child++) {
            if (is_before(index->items[child], index->items[best])) {
                best = child;
            }
        }
        if (!is_before(index->items[best], item)) {
            break;
        }
        index->items[at] = index->items[best];
        at = best;
    }
    index->items[at] = item;
}

bool expiry_reserve(struct expiry_index *index)
{
    if (index->len < index->cap) {
        return true;
    }
    uint32_t cap = index->cap < SMALLEST ? SMALLEST : index->cap + index->cap / 2;
    if (cap < index->cap) {
        return false;
    }
    struct expiry_item *items = mem_try_realloc(index->items, (size_t)cap * sizeof *items);
    if (items == NULL) {
        return false;
    }
    index->items = items;
    index->cap = cap;
    return true;
}

void expiry_changed(struct expiry_index *index, uint64_t hash, int64_t before, int64_t after)
{
    if (before >= 0) {
        index->live--;
    }
    if (after >= 0) {
        index->live++;
    }
    if (expiry_needs_item(before, after)) {
        index->len++;
        sift_up(index, index->len - 1, (struct expiry_item){ after, hash });
        index->stale += before >= 0;
    } else if (before >= 0 && after < 0) {
        index->stale++;
    }
}

struct expiry_item expiry_pop(struct expiry_index *index)
{
    struct expiry_item first = index->items[0];
    index->len--;
    if (index->len > 0) {
        sift_down(index, index->len, 0, index->items[index->len]);
    }
    return first;
}

void expiry_postpone_first(struct expiry_index *index, int64_t when)
{
    sift_down(index, index->len, 0, (struct expiry_item){ when, index->items[0].hash });
}

static void heapify(struct expiry_index *index)
{
    for (uint32_t at = index->len / CHILDREN + 1; at-- > 0;) {
        if (at < index->len) {
            sift_down(index, index->len, at, index->items[at]);
        }
    }
}

/* Sorts in place, latest first, and drops equal neighbours. */
static void drop_doubles(struct expiry_index *index)
{
    heapify(index);
    for (uint32_t end = index->len; end > 1; end--) {
        struct expiry_item last = index->items[end - 1];
        index->items[end - 1] = index->items[0];
        sift_down(index, end - 1, 0, last);
    }
    uint32_t kept = 0;
    for (uint32_t at = 0; at < index->len; at++) {
        struct expiry_item item = index->items[at];
        if (kept == 0 || item.when != index->items[kept - 1].when ||
            item.hash != index->items[kept - 1].hash) {
            index->items[kept++] = item;
        }
    }
    index->len = kept;
}

/* The heap is no longer in order afterwards. */
static void drop_orphans(struct expiry_index *index, const struct table *table,
                         const struct hash_key *key)
{
    enum { AHEAD = 8 };
    struct table_array array = table_array(table);
    uint32_t kept = 0;
    for (uint32_t at = 0; at < index->len; at++) {
        if (at + AHEAD < index->len) {
            uint32_t home = table_home(index->items[at + AHEAD].hash, array.size);
            __builtin_prefetch(&array.buckets[home]);
        }
        struct table_place place;
        const struct entry *entry = table_find_expiring(table, key, index->items[at].hash, &place);
        if (entry != NULL) {
            index->items[kept].hash = index->items[at].hash;
            index->items[kept++].when = entry_expires_at(entry);
        }
    }
    index->len = kept;
}

bool expiry_is_untidy(const struct expiry_index *index)
{
    return __builtin_expect(index->stale > index->live / 2 + STALE_ALLOWED, 0);
}

void expiry_tidied(struct expiry_index *index)
{
    if (index->len > index->live) {
        drop_doubles(index);
    }
    heapify(index);
    index->stale = 0;
    if (index->cap > 2 * SMALLEST && index->len < index->cap / 4) {
        uint32_t cap = index->len < SMALLEST ? SMALLEST : index->len;
        struct expiry_item *items = mem_try_realloc(index->items, (size_t)cap * sizeof *items);
        if (items != NULL) {
            index->items = items;
            index->cap = cap;
        }
    }
}

void expiry_tidy(struct expiry_index *index, const struct table *table, const struct hash_key *key)
{
    if (expiry_is_untidy(index)) {
        drop_orphans(index, table, key);
        expiry_tidied(index);
    }
}
