/* A counted B+ tree: members in the order of their scores, and of their texts where scores
 * are the same.  Leaves hold scores and pointers side by side, so that a search for a score
 * touches no member; inner nodes hold the first element of each child and how many elements
 * are under it, so that a rank costs one descent.
 *
 * Members are borrowed: the caller owns them, and frees them after they were taken out.  The
 * tree keeps scores of its own, so that a member may stand in it twice while it moves. */
#ifndef STORE_BTREE_H
#define STORE_BTREE_H

#include "store/zset_member.h"

struct btree_leaf;

struct btree {
    void *root; /* a leaf when 'height' is 0 */
    struct btree_leaf *first, *last;
    uint64_t count;
    uint32_t height;
};

/* A place between elements: as many as are below it come before. */
enum btree_bound_kind {
    BOUND_SCORE, /* below: scores under 'score', and 'score' itself when 'after' */
    BOUND_TEXT,  /* below: texts under 'text', and 'text' itself when 'after' */
    BOUND_BOTH,  /* below: elements under (score, text) */
    BOUND_FIRST, /* nothing is below */
    BOUND_LAST,  /* everything is */
};

struct btree_bound {
    enum btree_bound_kind kind;
    bool after;
    double score;
    struct bytes text;
};

/* An element's place; good until the tree changes. */
struct btree_cursor {
    struct btree_leaf *leaf; /* NULL: beyond either end */
    unsigned at;
};

/* Whether an element is below a bound. */
bool btree_is_below(const struct btree_bound *bound, double score, struct bytes text);

/* An empty tree; false when memory is short. */
MUST_CHECK bool btree_init(struct store_thread *thread, struct btree *tree);
/* Frees the nodes, not the members. */
void btree_release(struct store_thread *thread, struct btree *tree);
/* Takes one leaf out: its members go to 'out' (room for BTREE_LEAF_MAX), and their number is
 * returned; 0 when nothing is left of the tree.  The tree is good for nothing else from then
 * on: this is how a large one is destroyed in steps. */
enum { BTREE_LEAF_MAX = 62 };
unsigned btree_release_step(struct store_thread *thread, struct btree *tree,
                            struct zset_member **out);

/* Adds a member under a score with which it is not there.  False when memory is short. */
MUST_CHECK bool btree_insert(struct store_thread *thread, struct btree *tree,
                             struct zset_member *member, double score);
/* Takes a member out that is there under its own score. */
void btree_remove(struct store_thread *thread, struct btree *tree,
                  const struct zset_member *member);
/* Takes up to 'max' (at most BTREE_LEAF_MAX) elements out from a rank on; they go to 'out'.
 * Returns their number, at least 1 if there is an element of that rank. */
unsigned btree_remove_ranks(struct store_thread *thread, struct btree *tree, uint64_t rank,
                            uint64_t max, struct zset_member **out);
/* Gives a member another score, and the place that goes with it.  False when memory is short:
 * nothing has changed. */
MUST_CHECK bool btree_move(struct store_thread *thread, struct btree *tree,
                           struct zset_member *member, double score);
/* Starts on its way what searches for so many scores touch, BTREE_SCORES_MAX at most. */
enum { BTREE_SCORES_MAX = 32 };
void btree_prefetch_scores(const struct btree *tree, const double *scores, unsigned count);

/* The number of elements below a bound. */
uint64_t btree_count_below(const struct btree *tree, const struct btree_bound *bound);
/* The element with a rank. */
struct btree_cursor btree_seek(const struct btree *tree, uint64_t rank);
void btree_next(struct btree_cursor *cursor);
void btree_previous(struct btree_cursor *cursor);
/* The cursor's element, and its score without touching the element. */
struct zset_member *btree_member(const struct btree_cursor *cursor, double *score);
/* Starts the texts of the elements from the cursor on (backwards: before it) on their way. */
void btree_prefetch(const struct btree_cursor *cursor, bool backwards);

/* Bytes of the nodes. */
size_t btree_memory(const struct btree *tree);
/* Aborts when the tree is not sound; for tests. */
void btree_check(const struct btree *tree);

#endif
