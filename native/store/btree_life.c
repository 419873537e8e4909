/* The counted B+ tree as a whole: taken apart, measured and checked; see btree.h. */
#include "store/btree_node.h"

#include <stdlib.h>

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
