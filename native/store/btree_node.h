/* The nodes of the counted B+ tree and the search within them: what btree.c (lookups and
 * changes) and btree_balance.c (splitting, merging) share. */
#ifndef STORE_BTREE_NODE_H
#define STORE_BTREE_NODE_H

#include "store/btree.h"

enum { BTREE_INNER_MAX = 36, BTREE_HEIGHT_MAX = 12 };

/* 1024 bytes each. */
struct btree_leaf {
    uint32_t count;
    struct btree_leaf *previous, *next;
    double scores[BTREE_LEAF_MAX];
    struct zset_member *members[BTREE_LEAF_MAX];
};

struct btree_inner {
    uint32_t count;
    uint32_t sizes[BTREE_INNER_MAX]; /* elements under each child */
    double scores[BTREE_INNER_MAX];  /* the first element under each child */
    struct zset_member *members[BTREE_INNER_MAX];
    void *children[BTREE_INNER_MAX];
};

/* The way from the root to a leaf: the node and the child taken at each height above 0. */
struct btree_path {
    struct btree_inner *nodes[BTREE_HEIGHT_MAX];
    uint32_t at[BTREE_HEIGHT_MAX];
    struct btree_leaf *leaf;
};

/* The order of elements. */
static inline bool btree_before(double a_score, struct bytes a, double b_score, struct bytes b)
{
    if (a_score != b_score) {
        return a_score < b_score;
    }
    return bytes_compare(a, b) < 0;
}

/* Tells the ancestors that the first element of the leaf at the path's end is another. */
void btree_first_changed(const struct btree *tree, const struct btree_path *path);
/* Adds 'change' to what the ancestors count. */
void btree_sizes_changed(const struct btree *tree, const struct btree_path *path, int64_t change);
/* Makes room in the full leaf at the path's end, where an element is to go to 'at'; the path
 * is no good afterwards.  False when memory is short. */
MUST_CHECK bool btree_make_room(struct store_thread *thread, struct btree *tree,
                                const struct btree_path *path, unsigned at);
/* After elements were taken out of the leaf at the path's end: merges what has become small. */
void btree_settle(struct store_thread *thread, struct btree *tree, const struct btree_path *path);

#endif
