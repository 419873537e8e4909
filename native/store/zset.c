/* Sorted set values in both encodings; see zset.h. */
#include "store/zset.h"

#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "store/keyspace_internal.h"
#include "store/btree_node.h"
#include "store/zset_index.h"
#include "store/zset_listpack.h"

/* What a SKIPLIST points at.  The members are the tree's as well as the index's. */
struct zset_large {
    struct btree tree;
    struct zset_index index;
    size_t texts; /* bytes of the members' allocations */
};

static bool is_large(const struct zset *zset)
{
    return zset->encoding == ENCODING_SKIPLIST;
}

static uint64_t limit_entries(const struct store_thread *thread)
{
    return atomic_load_explicit(&keyspace_limits(thread->keyspace)->zset_max_listpack_entries,
                                memory_order_relaxed);
}

static uint64_t limit_value(const struct store_thread *thread)
{
    return atomic_load_explicit(&keyspace_limits(thread->keyspace)->zset_max_listpack_value,
                                memory_order_relaxed);
}

/* ---- Creation and conversion -------------------------------------------------------------- */

static struct zset_large *large_create(struct store_thread *thread, size_t members)
{
    struct zset_large *large = heap_alloc(thread, sizeof *large);
    if (large == NULL) {
        return NULL;
    }
    large->texts = 0;
    if (btree_init(thread, &large->tree)) {
        if (zset_index_init(thread, &large->index, members)) {
            return large;
        }
        btree_release(thread, &large->tree);
    }
    heap_free(thread, large, sizeof *large);
    return NULL;
}

bool zset_create(struct store_thread *thread, struct zset *zset, size_t members, size_t longest)
{
    uint64_t entries = limit_entries(thread);
    if (entries == 0 || members > entries || longest > limit_value(thread)) {
        *zset = (struct zset){ ENCODING_SKIPLIST, large_create(thread, members) };
    } else {
        *zset = (struct zset){ ENCODING_LISTPACK, listpack_create(thread, 0) };
    }
    return zset->pointer != NULL;
}

void zset_release(struct store_thread *thread, struct zset *zset)
{
    if (zset->pointer != NULL) {
        zset_destroy(thread, zset->encoding, zset->pointer);
    }
    zset->pointer = NULL;
}

/* Adds a member that is not there. */
static bool large_add(struct store_thread *thread, struct zset_large *large, uint64_t hash,
                      struct bytes text, double score)
{
    if (!zset_index_reserve(thread, &large->index, hash)) {
        return false;
    }
    struct zset_member *member = member_create(thread, text, score);
    if (member == NULL) {
        return false;
    }
    if (!btree_insert(thread, &large->tree, member, score)) {
        member_destroy(thread, member);
        return false;
    }
    zset_index_add(&large->index, hash, member);
    large->texts += heap_size(member_size(text.len));
    return true;
}

/* Copies all members into a large set. */
static bool copy_into(struct store_thread *thread, const struct zset *zset,
                      struct zset_large *large)
{
    struct zset_cursor cursor;
    struct zset_element element;
    zset_seek(zset, 0, false, &cursor);
    while (zset_next(&cursor, &element)) {
        uint64_t hash = zset_index_hash(&large->index, element.member);
        if (!large_add(thread, large, hash, element.member, element.score)) {
            return false;
        }
    }
    return true;
}

/* A large copy of a set; NULL when memory is short. */
static struct zset_large *large_copy(struct store_thread *thread, const struct zset *zset)
{
    struct zset_large *large = large_create(thread, zset_count(zset) + 1);
    if (large != NULL && !copy_into(thread, zset, large)) {
        zset_destroy(thread, ENCODING_SKIPLIST, large);
        large = NULL;
    }
    return large;
}

static bool make_large(struct store_thread *thread, struct zset *zset)
{
    struct zset_large *large = large_copy(thread, zset);
    if (large == NULL) {
        return false;
    }
    zset_destroy(thread, zset->encoding, zset->pointer);
    *zset = (struct zset){ ENCODING_SKIPLIST, large };
    return true;
}

void zset_compact(struct store_thread *thread, struct zset *zset)
{
    struct zset_cursor cursor;
    struct zset_element element;
    if (!is_large(zset) || zset_count(zset) > limit_entries(thread)) {
        return;
    }
    struct listpack *lp = listpack_create(thread, 0);
    bool fits = lp != NULL;
    zset_seek(zset, 0, false, &cursor);
    while (fits && zset_next(&cursor, &element)) {
        fits = element.member.len <= limit_value(thread) &&
               zset_listpack_append(thread, &lp, element.member, element.score);
    }
    if (!fits) {
        listpack_destroy(thread, lp);
        return;
    }
    zset_destroy(thread, zset->encoding, zset->pointer);
    *zset = (struct zset){ ENCODING_LISTPACK, lp };
}

/* ---- By member ------------------------------------------------------------------------------- */

uint64_t zset_count(const struct zset *zset)
{
    if (is_large(zset)) {
        return ((const struct zset_large *)zset->pointer)->tree.count;
    }
    return listpack_count(zset->pointer) / 2;
}

void zset_prefetch(const struct zset *zset, const struct member_ahead *ahead, uint32_t count)
{
    uint64_t hashes[MEMBERS_AHEAD_MAX];
    const struct zset_member *members[MEMBERS_AHEAD_MAX];
    double scores[2 * MEMBERS_AHEAD_MAX];
    unsigned searches = 0;
    if (!is_large(zset)) {
        return;
    }
    const struct zset_large *large = zset->pointer;
    count = count < MEMBERS_AHEAD_MAX ? count : MEMBERS_AHEAD_MAX;
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = zset_index_hash(&large->index, ahead[i].name);
        zset_index_prefetch(&large->index, hashes[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        members[i] = zset_index_guess(&large->index, hashes[i]);
        __builtin_prefetch(members[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool moves = members[i] == NULL || members[i]->score != ahead[i].score;
        if (ahead[i].ordered && members[i] != NULL && moves) {
            scores[searches++] = members[i]->score;
        }
        if (ahead[i].ordered && !isnan(ahead[i].score) && moves) {
            scores[searches++] = ahead[i].score;
        }
    }
    btree_prefetch_scores(&large->tree, scores, searches);
}

void zset_look(const struct zset *zset, struct bytes member, struct zset_place *place)
{
    if (is_large(zset)) {
        const struct zset_large *large = zset->pointer;
        place->hash = zset_index_hash(&large->index, member);
        place->member = zset_index_find(&large->index, place->hash, member);
        place->found = place->member != NULL;
        place->score = place->found ? place->member->score : 0;
        return;
    }
    place->at = zset_listpack_find(zset->pointer, member);
    place->found = place->at != 0;
    place->score = place->found ? zset_listpack_score(zset->pointer, place->at) : 0;
}

bool zset_score(const struct zset *zset, struct bytes member, double *score)
{
    struct zset_place place;
    zset_look(zset, member, &place);
    *score = place.score;
    return place.found;
}

bool zset_add(struct store_thread *thread, struct zset *zset, const struct zset_place *place,
              struct bytes member, double score)
{
    if (is_large(zset)) {
        return large_add(thread, zset->pointer, place->hash, member, score);
    }
    struct listpack *lp = zset->pointer;
    if (member.len <= limit_value(thread) && listpack_count(lp) / 2 < limit_entries(thread)) {
        bool added = zset_listpack_add(thread, &lp, member, score);
        zset->pointer = lp;
        return added;
    }
    if (!make_large(thread, zset)) {
        return false;
    }
    struct zset_large *large = zset->pointer;
    return large_add(thread, large, zset_index_hash(&large->index, member), member, score);
}

bool zset_change(struct store_thread *thread, struct zset *zset, const struct zset_place *place,
                 double score)
{
    if (!is_large(zset)) {
        struct listpack *lp = zset->pointer;
        bool changed = zset_listpack_change(thread, &lp, place->at, score);
        zset->pointer = lp;
        return changed;
    }
    struct zset_large *large = zset->pointer;
    return btree_move(thread, &large->tree, place->member, score);
}

bool zset_put(struct store_thread *thread, struct zset *zset, struct bytes member, double score)
{
    struct zset_place place;
    zset_look(zset, member, &place);
    return place.found ? zset_change(thread, zset, &place, score)
                       : zset_add(thread, zset, &place, member, score);
}

/* Frees a member that the tree has given up. */
static void large_drop(struct store_thread *thread, struct zset_large *large, uint64_t hash,
                       struct zset_member *member)
{
    zset_index_remove(thread, &large->index, hash, member);
    large->texts -= heap_size(member_size(member_text(member).len));
    member_destroy(thread, member);
}

void zset_remove(struct store_thread *thread, struct zset *zset, const struct zset_place *place)
{
    if (is_large(zset)) {
        struct zset_large *large = zset->pointer;
        btree_remove(thread, &large->tree, place->member);
        large_drop(thread, large, place->hash, place->member);
        return;
    }
    struct listpack *lp = zset->pointer;
    zset_listpack_remove(thread, &lp, place->at, 1);
    zset->pointer = lp;
}

/* ---- By rank, score and text -------------------------------------------------------------- */

uint64_t zset_count_below(const struct zset *zset, const struct btree_bound *bound)
{
    if (is_large(zset)) {
        return btree_count_below(&((const struct zset_large *)zset->pointer)->tree, bound);
    }
    return zset_listpack_below(zset->pointer, bound);
}

uint64_t zset_rank(const struct zset *zset, const struct zset_place *place, struct bytes member)
{
    struct btree_bound bound = { .kind = BOUND_BOTH, .score = place->score, .text = member };
    return zset_count_below(zset, &bound);
}

void zset_remove_ranks(struct store_thread *thread, struct zset *zset, uint64_t from, uint64_t to)
{
    if (from >= to) {
        return;
    }
    if (!is_large(zset)) {
        struct listpack *lp = zset->pointer;
        zset_listpack_remove(thread, &lp, zset_listpack_seek(lp, from), (uint32_t)(to - from));
        zset->pointer = lp;
        return;
    }
    struct zset_large *large = zset->pointer;
    struct zset_member *out[BTREE_LEAF_MAX];
    while (from < to) {
        unsigned count = btree_remove_ranks(thread, &large->tree, from, to - from, out);
        for (unsigned i = 0; i < count; i++) {
            if (i + 1 < count) {
                __builtin_prefetch(out[i + 1]);
            }
            large_drop(thread, large, zset_index_hash(&large->index, member_text(out[i])), out[i]);
        }
        to -= count;
    }
}

void zset_seek(const struct zset *zset, uint64_t rank, bool backwards, struct zset_cursor *cursor)
{
    cursor->zset = zset;
    cursor->backwards = backwards;
    if (is_large(zset)) {
        cursor->tree = btree_seek(&((const struct zset_large *)zset->pointer)->tree, rank);
    } else {
        cursor->at = zset_listpack_seek(zset->pointer, rank);
    }
}

bool zset_next(struct zset_cursor *cursor, struct zset_element *element)
{
    if (is_large(cursor->zset)) {
        if (cursor->tree.leaf == NULL || cursor->tree.leaf->count == 0) {
            return false;
        }
        btree_prefetch(&cursor->tree, cursor->backwards);
        element->member = member_text(btree_member(&cursor->tree, &element->score));
        (cursor->backwards ? btree_previous : btree_next)(&cursor->tree);
        return true;
    }
    const struct listpack *lp = cursor->zset->pointer;
    if (cursor->at == 0) {
        return false;
    }
    element->member = listpack_text(lp, cursor->at, cursor->room);
    uint32_t score_at = listpack_next(lp, cursor->at);
    element->score = zset_listpack_score_at(lp, score_at);
    cursor->at =
        cursor->backwards ? zset_listpack_previous(lp, cursor->at) : listpack_next(lp, score_at);
    return true;
}

/* ---- Scanning -------------------------------------------------------------------------------- */

struct scan {
    zset_visit *visit;
    void *user;
};

static void scan_member(void *user, const struct zset_member *member)
{
    const struct scan *scan = user;
    struct zset_element element = { member_text(member), member->score };
    scan->visit(scan->user, &element);
}

uint64_t zset_scan(const struct zset *zset, uint64_t cursor, zset_visit *visit, void *user)
{
    if (is_large(zset)) {
        const struct zset_large *large = zset->pointer;
        return zset_index_scan(&large->index, cursor, scan_member, &(struct scan){ visit, user });
    }
    struct zset_cursor walk;
    struct zset_element element;
    zset_seek(zset, 0, false, &walk);
    while (zset_next(&walk, &element)) {
        visit(user, &element);
    }
    return 0;
}

struct bytes zset_score_text(const struct zset *zset, double score, char room[ZSET_SCORE_ROOM])
{
    if (is_large(zset)) {
        return (struct bytes){ room, num_format_double(room, ZSET_SCORE_ROOM, score) };
    }
    return zset_listpack_score_text(score, room);
}

/* ---- For value.c ----------------------------------------------------------------------------- */

static void free_members(struct store_thread *thread, struct zset_member *const *members,
                         unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        __builtin_prefetch(members[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        member_destroy(thread, members[i]);
    }
}

bool zset_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us)
{
    if (encoding == ENCODING_LISTPACK) {
        listpack_destroy(thread, pointer);
        return false;
    }
    struct zset_large *large = pointer;
    struct zset_member *members[BTREE_LEAF_MAX];
    for (;;) {
        unsigned count = btree_release_step(thread, &large->tree, members);
        free_members(thread, members, count);
        if (count == 0 && !zset_index_release_step(thread, &large->index)) {
            heap_free(thread, large, sizeof *large);
            return false;
        }
        if (value_time_is_up(thread, until_us)) {
            return true;
        }
    }
}

void zset_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    if (encoding == ENCODING_LISTPACK) {
        listpack_destroy(thread, pointer);
        return;
    }
    struct zset_large *large = pointer;
    struct zset_member *members[BTREE_LEAF_MAX];
    unsigned count;
    while ((count = btree_release_step(thread, &large->tree, members)) > 0) {
        free_members(thread, members, count);
    }
    zset_index_release(thread, &large->index);
    heap_free(thread, large, sizeof *large);
}

void *zset_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    if (encoding == ENCODING_LISTPACK) {
        return listpack_load(thread, listpack_bytes(pointer));
    }
    struct zset zset = { encoding, (void *)(uintptr_t)pointer };
    return large_copy(thread, &zset);
}

size_t zset_elements(enum encoding encoding, const void *pointer)
{
    struct zset zset = { encoding, (void *)(uintptr_t)pointer };
    return zset_count(&zset);
}

size_t zset_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    (void)samples; /* It is known exactly. */
    if (encoding == ENCODING_LISTPACK) {
        return listpack_memory(pointer);
    }
    const struct zset_large *large = pointer;
    return heap_size(sizeof *large) + large->texts + btree_memory(&large->tree) +
           zset_index_memory(&large->index);
}

void zset_check(const struct zset *zset)
{
    if (is_large(zset)) {
        const struct zset_large *large = zset->pointer;
        struct zset_cursor cursor;
        struct zset_element element;
        btree_check(&large->tree);
        zset_seek(zset, 0, false, &cursor);
        while (zset_next(&cursor, &element)) {
            struct zset_place place;
            zset_look(zset, element.member, &place);
            if (!place.found || place.score != element.score) {
                abort();
            }
        }
    } else if (!listpack_check(listpack_bytes(zset->pointer), true)) {
        abort();
    }
}
