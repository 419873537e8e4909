/* The counted B+ tree of large sorted sets: lookups, insertion, removal; see btree.h.  Nodes
 * are split and merged in btree_balance.c. */
#include "store/btree_node.h"

#include <stdlib.h>

bool btree_is_below(const struct btree_bound *bound, double score, struct bytes text)
{
    switch (bound->kind) {
    case BOUND_SCORE:
        return bound->after ? score <= bound->score : score < bound->score;
    case BOUND_TEXT: {
        int order = bytes_compare(text, bound->text);
        return order < 0 || (order == 0 && bound->after);
    }
    case BOUND_BOTH:
        return btree_before(score, text, bound->score, bound->text);
    case BOUND_FIRST:
        return false;
    case BOUND_LAST:
        break;
    }
    return true;
}

bool btree_init(struct store_thread *thread, struct btree *tree)
{
    struct btree_leaf *leaf = heap_alloc(thread, sizeof *leaf);
    *tree = (struct btree){ .root = leaf, .first = leaf, .last = leaf };
    if (leaf == NULL) {
        return false;
    }
    leaf->count = 0;
    leaf->previous = leaf->next = NULL;
    return true;
}

/* ---- Search ----------------------------------------------------------------------------------- */

/* How many of the elements, in order, come before (score, text); branch-free over the scores,
 * and by the texts among those with the same score. */
static unsigned count_before(const double *scores, struct zset_member *const *members,
                             unsigned count, double score, struct bytes text)
{
    const double *at = scores;
    for (unsigned left = count; left > 0;) {
        unsigned half = left / 2;
        at = at[half] < score ? at + (left - half) : at;
        left = half;
    }
    unsigned low = (unsigned)(at - scores), high = low;
    if (__builtin_expect(low == count || scores[low] > score, 1)) {
        return low;
    }
    while (high < count && scores[high] == score) {
        high++;
    }
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (bytes_compare(member_text(members[middle]), text) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The child of 'node' in which (score, text) is or belongs. */
static unsigned child_for(const struct btree_inner *node, double score, struct bytes text)
{
    unsigned at = count_before(node->scores, node->members, node->count, score, text);
    if (at < node->count && node->scores[at] == score &&
        bytes_equal(member_text(node->members[at]), text)) {
        return at;
    }
    return at > 0 ? at - 1 : 0;
}

/* The whole of a leaf's scores is on its way before the search in it begins. */
static void prefetch_leaf(const struct btree_leaf *leaf)
{
    for (unsigned at = 0; at < BTREE_LEAF_MAX; at += 8) {
        __builtin_prefetch(leaf->scores + at);
    }
}

/* Fills the path to the leaf of (score, text); returns how many of the leaf come before it. */
static unsigned find_path(const struct btree *tree, double score, struct bytes text,
                          struct btree_path *path)
{
    void *node = tree->root;
    for (uint32_t height = tree->height; height > 0; height--) {
        path->nodes[height] = node;
        path->at[height] = child_for(node, score, text);
        node = path->nodes[height]->children[path->at[height]];
        if (height == 1) {
            prefetch_leaf(node);
        }
    }
    path->leaf = node;
    return count_before(path->leaf->scores, path->leaf->members, path->leaf->count, score, text);
}

/* The path to the element with a rank below the tree's count; returns its place in the leaf. */
static unsigned find_rank(const struct btree *tree, uint64_t rank, struct btree_path *path)
{
    void *node = tree->root;
    for (uint32_t height = tree->height; height > 0; height--) {
        struct btree_inner *inner = path->nodes[height] = node;
        uint32_t at = 0;
        while (rank >= inner->sizes[at]) {
            rank -= inner->sizes[at++];
        }
        path->at[height] = at;
        node = inner->children[at];
    }
    path->leaf = node;
    return (unsigned)rank;
}

/* How many elements of a node, in order, are below a bound. */
static unsigned node_below(const double *scores, struct zset_member *const *members, unsigned count,
                           const struct btree_bound *bound)
{
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct bytes text = bound->kind == BOUND_SCORE ? LIT("") : member_text(members[middle]);
        if (btree_is_below(bound, scores[middle], text)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t btree_count_below(const struct btree *tree, const struct btree_bound *bound)
{
    if (bound->kind == BOUND_FIRST || bound->kind == BOUND_LAST) {
        return bound->kind == BOUND_FIRST ? 0 : tree->count;
    }
    uint64_t count = 0;
    const void *node = tree->root;
    for (uint32_t height = tree->height; height > 0; height--) {
        const struct btree_inner *inner = node;
        unsigned at = node_below(inner->scores, inner->members, inner->count, bound);
        at = at > 0 ? at - 1 : 0; /* the last child that begins below, if there is one */
        for (unsigned i = 0; i < at; i++) {
            count += inner->sizes[i];
        }
        node = inner->children[at];
    }
    const struct btree_leaf *leaf = node;
    return count + node_below(leaf->scores, leaf->members, leaf->count, bound);
}

/* ---- Cursors ---------------------------------------------------------------------------------- */

struct btree_cursor btree_seek(const struct btree *tree, uint64_t rank)
{
    struct btree_path path;
    if (rank >= tree->count) {
        return (struct btree_cursor){ NULL, 0 };
    }
    unsigned at = find_rank(tree, rank, &path);
    return (struct btree_cursor){ path.leaf, at };
}

void btree_next(struct btree_cursor *cursor)
{
    if (++cursor->at == cursor->leaf->count) {
        cursor->leaf = cursor->leaf->next;
        cursor->at = 0;
    }
}

void btree_previous(struct btree_cursor *cursor)
{
    if (cursor->at > 0) {
        cursor->at--;
        return;
    }
    cursor->leaf = cursor->leaf->previous;
    if (cursor->leaf != NULL) {
        cursor->at = cursor->leaf->count - 1;
    }
}

struct zset_member *btree_member(const struct btree_cursor *cursor, double *score)
{
    *score = cursor->leaf->scores[cursor->at];
    return cursor->leaf->members[cursor->at];
}

void btree_prefetch(const struct btree_cursor *cursor, bool backwards)
{
    enum { AHEAD = 12 };
    const struct btree_leaf *leaf = cursor->leaf;
    unsigned at = cursor->at;
    if (backwards) {
        if (at >= AHEAD) {
            __builtin_prefetch(leaf->members[at - AHEAD]);
        } else if (leaf->previous != NULL && leaf->previous->count > AHEAD) {
            __builtin_prefetch(leaf->previous->members[leaf->previous->count + at - AHEAD]);
        }
    } else if (at + AHEAD < leaf->count) {
        __builtin_prefetch(leaf->members[at + AHEAD]);
    } else if (leaf->next != NULL && at + AHEAD - leaf->count < leaf->next->count) {
        __builtin_prefetch(leaf->next->members[at + AHEAD - leaf->count]);
    }
}

/* ---- Changes ---------------------------------------------------------------------------------- */

bool btree_insert(struct store_thread *thread, struct btree *tree, struct zset_member *member,
                  double score)
{
    struct btree_path path;
    struct bytes text = member_text(member);
    unsigned at = find_path(tree, score, text, &path);
    if (tree->count >= UINT32_MAX) {
        return false;
    }
    if (__builtin_expect(path.leaf->count == BTREE_LEAF_MAX, 0)) {
        if (!btree_make_room(thread, tree, &path, at)) {
            return false;
        }
        at = find_path(tree, score, text, &path);
    }
    struct btree_leaf *leaf = path.leaf;
    unsigned behind = leaf->count - at;
    memmove(leaf->scores + at + 1, leaf->scores + at, behind * sizeof leaf->scores[0]);
    memmove(leaf->members + at + 1, leaf->members + at, behind * sizeof leaf->members[0]);
    leaf->scores[at] = score;
    leaf->members[at] = member;
    leaf->count++;
    tree->count++;
    btree_sizes_changed(tree, &path, 1);
    if (at == 0) {
        btree_first_changed(tree, &path);
    }
    return true;
}

/* Takes 'count' elements from place 'at' of the leaf at the path's end. */
static void take_out(struct store_thread *thread, struct btree *tree, const struct btree_path *path,
                     unsigned at, unsigned count)
{
    struct btree_leaf *leaf = path->leaf;
    unsigned behind = leaf->count - at - count;
    memmove(leaf->scores + at, leaf->scores + at + count, behind * sizeof leaf->scores[0]);
    memmove(leaf->members + at, leaf->members + at + count, behind * sizeof leaf->members[0]);
    leaf->count -= count;
    tree->count -= count;
    btree_sizes_changed(tree, path, -(int64_t)count);
    if (at == 0 && leaf->count > 0) {
        btree_first_changed(tree, path);
    }
    btree_settle(thread, tree, path);
}

void btree_remove(struct store_thread *thread, struct btree *tree, const struct zset_member *member)
{
    struct btree_path path;
    unsigned at = find_path(tree, member->score, member_text(member), &path);
    take_out(thread, tree, &path, at, 1);
}

unsigned btree_remove_ranks(struct store_thread *thread, struct btree *tree, uint64_t rank,
                            uint64_t max, struct zset_member **out)
{
    struct btree_path path;
    if (rank >= tree->count) {
        return 0;
    }
    unsigned at = find_rank(tree, rank, &path);
    unsigned count = path.leaf->count - at;
    if (count > max) {
        count = (unsigned)max;
    }
    memcpy(out, path.leaf->members + at, count * sizeof *out);
    take_out(thread, tree, &path, at, count);
    return count;
}

bool btree_rescore(struct btree *tree, struct zset_member *member, double score)
{
    struct btree_path path;
    struct bytes text = member_text(member);
    unsigned at = find_path(tree, member->score, text, &path);
    struct btree_leaf *leaf = path.leaf;
    /* The first and the last of a leaf may stay only where nothing is beyond. */
    bool after_left =
        at > 0 ? btree_before(leaf->scores[at - 1], member_text(leaf->members[at - 1]), score, text)
               : leaf->previous == NULL;
    bool before_right = at + 1 < leaf->count ? btree_before(score, text, leaf->scores[at + 1],
                                                            member_text(leaf->members[at + 1]))
                                             : leaf->next == NULL;
    if (!after_left || !before_right) {
        return false;
    }
    member->score = leaf->scores[at] = score;
    if (at == 0) {
        btree_first_changed(tree, &path);
    }
    return true;
}

/* ---- The whole tree --------------------------------------------------------------------------- */

unsigned btree_release_step(struct store_thread *thread, struct btree *tree,
                            struct zset_member **out)
{
    struct btree_leaf *leaf = tree->first;
    if (leaf == NULL) {
        return 0;
    }
    unsigned count = leaf->count;
    memcpy(out, leaf->members, count * sizeof *out);
    tree->first = leaf->next;
    /* Inner nodes go with the leaf before which they have nothing. */
    void *node = tree->root;
    struct btree_inner *above[BTREE_HEIGHT_MAX];
    for (uint32_t height = tree->height; height > 0; height--) {
        above[height] = node;
        struct btree_inner *inner = node;
        node = inner->children[inner->members[0] == NULL ? inner->sizes[0] : 0];
    }
    heap_free(thread, leaf, sizeof *leaf);
    for (uint32_t height = 1; height <= tree->height; height++) {
        struct btree_inner *inner = above[height];
        uint32_t next = inner->members[0] == NULL ? inner->sizes[0] + 1 : 1;
        inner->members[0] = NULL; /* sizes[0] counts the children that are gone */
        inner->sizes[0] = next;
        if (next < inner->count) {
            break;
        }
        heap_free(thread, inner, sizeof *inner);
    }
    if (count == 0) {
        return btree_release_step(thread, tree, out);
    }
    return count;
}

void btree_release(struct store_thread *thread, struct btree *tree)
{
    struct zset_member *members[BTREE_LEAF_MAX];
    while (btree_release_step(thread, tree, members) > 0) {}
}

static size_t nodes_memory(const void *node, uint32_t height)
{
    if (height == 0) {
        return heap_size(sizeof(struct btree_leaf));
    }
    const struct btree_inner *inner = node;
    size_t memory = heap_size(sizeof *inner);
    if (height == 1) {
        return memory + inner->count * heap_size(sizeof(struct btree_leaf));
    }
    for (uint32_t i = 0; i < inner->count; i++) {
        memory += nodes_memory(inner->children[i], height - 1);
    }
    return memory;
}

size_t btree_memory(const struct btree *tree)
{
    return nodes_memory(tree->root, tree->height);
}

/* ---- For tests ---------------------------------------------------------------------------------- */

static void require(bool sound)
{
    if (!sound) {
        abort();
    }
}

/* Checks a subtree; returns its elements and moves '*leaf' along the chain. */
static uint64_t check_node(const void *node, uint32_t height, const struct btree_leaf **leaf)
{
    if (height == 0) {
        const struct btree_leaf *here = node;
        require(here == *leaf && here->count <= BTREE_LEAF_MAX);
        require(here->next == NULL || here->next->previous == here);
        for (unsigned i = 0; i < here->count; i++) {
            require(here->scores[i] == here->members[i]->score);
            require(i == 0 || btree_before(here->scores[i - 1], member_text(here->members[i - 1]),
                                           here->scores[i], member_text(here->members[i])));
        }
        *leaf = here->next;
        return here->count;
    }
    const struct btree_inner *inner = node;
    uint64_t count = 0;
    require(inner->count >= 2 && inner->count <= BTREE_INNER_MAX);
    for (uint32_t i = 0; i < inner->count; i++) {
        const struct btree_leaf *first = *leaf;
        require(first != NULL && first->count > 0 && inner->members[i] == first->members[0] &&
                inner->scores[i] == first->scores[0]);
        uint64_t size = check_node(inner->children[i], height - 1, leaf);
        require(size == inner->sizes[i]);
        const struct btree_leaf *after = *leaf;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): required above */
        require(after == NULL || btree_before(first->scores[0], member_text(first->members[0]),
                                              after->scores[0], member_text(after->members[0])));
        count += size;
    }
    return count;
}

void btree_check(const struct btree *tree)
{
    const struct btree_leaf *leaf = tree->first;
    require(tree->first->previous == NULL && tree->last->next == NULL);
    require(check_node(tree->root, tree->height, &leaf) == tree->count && leaf == NULL);
}
