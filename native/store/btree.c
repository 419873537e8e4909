/* The counted B+ tree of large sorted sets: lookups, insertion, removal; see btree.h.  Nodes
 * are split and merged in btree_balance.c, and freed in btree_life.c. */
#include "store/btree_node.h"

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

/* How many of the scores, in order, are below 'score', or at most that where 'same' counts too;
 * 'max' is a constant that 'count' never passes.  Without a branch on scores, which nobody
 * could predict: first which window, by the first score of each, then how many in the window.
 * Scores beyond the last are read, but do not count. */
static inline unsigned count_scores(const double *scores, unsigned count, unsigned max,
                                    double score, bool same)
{
    enum { WINDOW = 8 };
    unsigned window = 0, lower = 0;
    if (__builtin_expect(count < WINDOW, 0)) {
        while (lower < count && (same ? scores[lower] <= score : scores[lower] < score)) {
            lower++;
        }
        return lower;
    }
    for (unsigned at = WINDOW; at < max; at += WINDOW) {
        window +=
            (unsigned)(at < count) & (unsigned)(same ? scores[at] <= score : scores[at] < score);
    }
    unsigned first = window * WINDOW < count - WINDOW ? window * WINDOW : count - WINDOW;
    for (unsigned at = 0; at < WINDOW; at++) {
        lower += same ? scores[first + at] <= score : scores[first + at] < score;
    }
    return first + lower;
}

static inline unsigned count_lower(const double *scores, unsigned count, unsigned max, double score)
{
    return count_scores(scores, count, max, score, false);
}

/* How many of the elements, in order, come before (score, text): by the texts among those with
 * the same score. */
static inline unsigned count_before(const double *scores, struct zset_member *const *members,
                                    unsigned count, unsigned max, double score, struct bytes text)
{
    unsigned low = count_lower(scores, count, max, score), high = low;
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
    unsigned at =
        count_before(node->scores, node->members, node->count, BTREE_INNER_MAX, score, text);
    if (at < node->count && node->scores[at] == score &&
        bytes_equal(member_text(node->members[at]), text)) {
        return at;
    }
    return at > 0 ? at - 1 : 0;
}

/* The whole of a leaf's scores is on its way before the search in it begins. */
static inline void prefetch_leaf(const struct btree_leaf *leaf)
{
    for (unsigned at = 0; at < BTREE_LEAF_MAX; at += 8) {
        __builtin_prefetch(leaf->scores + at);
    }
}

/* Fills the path to the leaf in which (score, text) is or belongs. */
static void find_leaf(const struct btree *tree, double score, struct bytes text,
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
}

/* The same; returns how many of the leaf come before it. */
static unsigned find_path(const struct btree *tree, double score, struct bytes text,
                          struct btree_path *path)
{
    find_leaf(tree, score, text, path);
    const struct btree_leaf *leaf = path->leaf;
    return count_before(leaf->scores, leaf->members, leaf->count, BTREE_LEAF_MAX, score, text);
}

/* Fills the path to a member that is there under its own score; returns its place in the
 * leaf, found without a look at others' texts. */
static unsigned find_member(const struct btree *tree, const struct zset_member *member,
                            struct btree_path *path)
{
    find_leaf(tree, member->score, member_text(member), path);
    const struct btree_leaf *leaf = path->leaf;
    unsigned at = count_lower(leaf->scores, leaf->count, BTREE_LEAF_MAX, member->score);
    while (leaf->members[at] != member) {
        at++;
    }
    return at;
}

/* Starts the lines of a range of a node on their way. */
static inline void prefetch_range(const void *from, const void *to)
{
    for (const char *line = from; line < (const char *)to; line += 64) {
        __builtin_prefetch(line);
    }
}

void btree_prefetch_scores(const struct btree *tree, const double *scores, unsigned count)
{
    const void *nodes[BTREE_SCORES_MAX];
    if (tree->height == 0 || count > BTREE_SCORES_MAX) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        nodes[i] = tree->root;
    }
    /* All searches go down one step before the first goes down the next. */
    for (uint32_t height = tree->height; height > 0; height--) {
        for (unsigned i = 0; i < count; i++) {
            const struct btree_inner *inner = nodes[i];
            unsigned at = count_lower(inner->scores, inner->count, BTREE_INNER_MAX, scores[i]);
            nodes[i] = inner->children[at > 0 ? at - 1 : 0];
            if (height == 1) {
                const struct btree_leaf *leaf = nodes[i];
                prefetch_range(leaf, leaf->members);
            } else {
                inner = nodes[i];
                prefetch_range(inner, inner->members);
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        const struct btree_leaf *leaf = nodes[i];
        unsigned at = count_lower(leaf->scores, leaf->count, BTREE_LEAF_MAX, scores[i]);
        prefetch_range(leaf->members + at, leaf->members + leaf->count);
        for (; at < leaf->count && leaf->scores[at] == scores[i]; at++) {
            __builtin_prefetch(leaf->members[at]); /* Where scores are the same, texts decide. */
        }
    }
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
static inline unsigned node_below(const double *scores, struct zset_member *const *members,
                                  unsigned count, unsigned max, const struct btree_bound *bound)
{
    unsigned low = 0, high = count;
    if (bound->kind == BOUND_SCORE) {
        return bound->after ? count_scores(scores, count, max, bound->score, true)
                            : count_scores(scores, count, max, bound->score, false);
    }
    if (bound->kind == BOUND_BOTH) {
        return count_before(scores, members, count, max, bound->score, bound->text);
    }
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (btree_is_below(bound, scores[middle], member_text(members[middle]))) {
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
        unsigned at =
            node_below(inner->scores, inner->members, inner->count, BTREE_INNER_MAX, bound);
        at = at > 0 ? at - 1 : 0; /* the last child that begins below, if there is one */
        for (unsigned i = 0; i < at; i++) {
            count += inner->sizes[i];
        }
        node = inner->children[at];
    }
    const struct btree_leaf *leaf = node;
    return count + node_below(leaf->scores, leaf->members, leaf->count, BTREE_LEAF_MAX, bound);
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

/* Puts a member into a leaf that has room. */
static void put_in(struct btree *tree, const struct btree_path *path, unsigned at,
                   struct zset_member *member, double score)
{
    struct btree_leaf *leaf = path->leaf;
    unsigned behind = leaf->count - at;
    memmove(leaf->scores + at + 1, leaf->scores + at, behind * sizeof leaf->scores[0]);
    memmove(leaf->members + at + 1, leaf->members + at, behind * sizeof leaf->members[0]);
    leaf->scores[at] = score;
    leaf->members[at] = member;
    leaf->count++;
    tree->count++;
    btree_sizes_changed(tree, path, 1);
    if (at == 0) {
        btree_first_changed(tree, path);
    }
}

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
    put_in(tree, &path, at, member, score);
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
    unsigned at = find_member(tree, member, &path);
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

/* Whether (score, text) belongs between the neighbours of place 'at'.  Their texts are looked at
 * only where scores are the same: each of them is memory of its own. */
static bool keeps_place(const struct btree_leaf *leaf, unsigned at, double score, struct bytes text)
{
    /* The first and the last of a leaf may stay only where nothing is beyond. */
    bool after_left = leaf->previous == NULL, before_right = leaf->next == NULL;
    if (at > 0) {
        after_left = leaf->scores[at - 1] == score
                         ? bytes_compare(member_text(leaf->members[at - 1]), text) < 0
                         : leaf->scores[at - 1] < score;
    }
    if (after_left && at + 1 < leaf->count) {
        before_right = leaf->scores[at + 1] == score
                           ? bytes_compare(text, member_text(leaf->members[at + 1])) < 0
                           : leaf->scores[at + 1] > score;
    }
    return after_left && before_right;
}

/* Moves an element within its leaf, to before the one at 'to'. */
static void move_within(const struct btree *tree, const struct btree_path *path, unsigned at,
                        unsigned to, double score)
{
    struct btree_leaf *leaf = path->leaf;
    struct zset_member *member = leaf->members[at];
    if (to > at) {
        to--;
        memmove(leaf->scores + at, leaf->scores + at + 1, (to - at) * sizeof leaf->scores[0]);
        memmove(leaf->members + at, leaf->members + at + 1, (to - at) * sizeof leaf->members[0]);
    } else {
        memmove(leaf->scores + to + 1, leaf->scores + to, (at - to) * sizeof leaf->scores[0]);
        memmove(leaf->members + to + 1, leaf->members + to, (at - to) * sizeof leaf->members[0]);
    }
    leaf->scores[to] = score;
    leaf->members[to] = member;
    if (at == 0 || to == 0) {
        btree_first_changed(tree, path);
    }
}

bool btree_move(struct store_thread *thread, struct btree *tree, struct zset_member *member,
                double score)
{
    struct btree_path from, path;
    struct bytes text = member_text(member);
    unsigned at = find_member(tree, member, &from);
    if (keeps_place(from.leaf, at, score, text)) {
        from.leaf->scores[at] = score;
        if (at == 0) {
            btree_first_changed(tree, &from);
        }
        member->score = score;
        return true;
    }
    unsigned to = find_path(tree, score, text, &path);
    if (path.leaf == from.leaf) {
        move_within(tree, &from, at, to, score);
    } else if (path.leaf->count < BTREE_LEAF_MAX) {
        put_in(tree, &path, to, member, score);
        take_out(thread, tree, &from, at, 1);
    } else {
        /* First in, then out: so nothing has changed when memory is short. */
        if (!btree_insert(thread, tree, member, score)) {
            return false;
        }
        btree_remove(thread, tree, member);
    }
    member->score = score;
    return true;
}
