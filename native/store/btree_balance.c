/* Splitting and merging the nodes of the counted B+ tree; see btree.h and btree_node.h. */
#include "store/btree_node.h"

enum {
    LEAF_MIN = BTREE_LEAF_MAX / 4,
    INNER_MIN = BTREE_INNER_MAX / 4,
    SHIFT_MIN = BTREE_LEAF_MAX / 8, /* a neighbour with so much room takes some of a full leaf */
};

void btree_first_changed(const struct btree *tree, const struct btree_path *path)
{
    for (uint32_t height = 1; height <= tree->height; height++) {
        struct btree_inner *node = path->nodes[height];
        uint32_t at = path->at[height];
        node->scores[at] = path->leaf->scores[0];
        node->members[at] = path->leaf->members[0];
        if (at != 0) {
            return;
        }
    }
}

void btree_sizes_changed(const struct btree *tree, const struct btree_path *path, int64_t change)
{
    for (uint32_t height = 1; height <= tree->height; height++) {
        uint32_t *size = &path->nodes[height]->sizes[path->at[height]];
        *size = (uint32_t)((int64_t)*size + change);
    }
}

/* ---- Moving elements and children -------------------------------------------------------- */

/* Moves 'count' elements within a leaf or to another; places may overlap. */
static void move_elements(struct btree_leaf *to, unsigned to_at, const struct btree_leaf *from,
                          unsigned from_at, unsigned count)
{
    memmove(to->scores + to_at, from->scores + from_at, count * sizeof from->scores[0]);
    memmove(to->members + to_at, from->members + from_at, count * sizeof from->members[0]);
}

static void move_children(struct btree_inner *to, unsigned to_at, const struct btree_inner *from,
                          unsigned from_at, unsigned count)
{
    memmove(to->sizes + to_at, from->sizes + from_at, count * sizeof from->sizes[0]);
    memmove(to->scores + to_at, from->scores + from_at, count * sizeof from->scores[0]);
    memmove(to->members + to_at, from->members + from_at, count * sizeof from->members[0]);
    memmove(to->children + to_at, from->children + from_at, count * sizeof from->children[0]);
}

/* Moves the last elements of 'left' to the beginning of 'right', or (a negative count) the
 * first of 'right' to the end of 'left'. */
static void shift_elements(struct btree_leaf *left, struct btree_leaf *right, int count)
{
    if (count >= 0) {
        unsigned n = (unsigned)count;
        move_elements(right, n, right, 0, right->count);
        move_elements(right, 0, left, left->count - n, n);
        left->count -= n;
        right->count += n;
    } else {
        unsigned n = (unsigned)-count;
        move_elements(left, left->count, right, 0, n);
        move_elements(right, 0, right, n, right->count - n);
        left->count += n;
        right->count -= n;
    }
}

static void shift_children(struct btree_inner *left, struct btree_inner *right, int count)
{
    if (count >= 0) {
        unsigned n = (unsigned)count;
        move_children(right, n, right, 0, right->count);
        move_children(right, 0, left, left->count - n, n);
        left->count -= n;
        right->count += n;
    } else {
        unsigned n = (unsigned)-count;
        move_children(left, left->count, right, 0, n);
        move_children(right, 0, right, n, right->count - n);
        left->count += n;
        right->count -= n;
    }
}

/* What the parent says about its child 'at', which has changed, is worked out anew. */
static void describe_child(struct btree_inner *parent, unsigned at, uint32_t child_height)
{
    if (child_height == 0) {
        const struct btree_leaf *leaf = parent->children[at];
        parent->sizes[at] = leaf->count;
        parent->scores[at] = leaf->scores[0];
        parent->members[at] = leaf->members[0];
        return;
    }
    const struct btree_inner *node = parent->children[at];
    uint32_t size = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        size += node->sizes[i];
    }
    parent->sizes[at] = size;
    parent->scores[at] = node->scores[0];
    parent->members[at] = node->members[0];
}

static void insert_child(struct btree_inner *parent, unsigned at, void *child,
                         uint32_t child_height)
{
    move_children(parent, at + 1, parent, at, parent->count - at);
    parent->count++;
    parent->children[at] = child;
    describe_child(parent, at, child_height);
}

static void remove_child(struct btree_inner *parent, unsigned at)
{
    parent->count--;
    move_children(parent, at, parent, at + 1, parent->count - at);
}

/* ---- Splitting ------------------------------------------------------------------------------ */

/* Shares the elements of a full leaf with a neighbour under the same parent that has room. */
static bool share_with_neighbour(const struct btree_path *path)
{
    struct btree_inner *parent = path->nodes[1];
    uint32_t at = path->at[1];
    struct btree_leaf *leaf = path->leaf;
    if (at > 0) {
        struct btree_leaf *left = parent->children[at - 1];
        if (left->count + SHIFT_MIN <= BTREE_LEAF_MAX) {
            shift_elements(left, leaf, -(int)((leaf->count - left->count + 1) / 2));
            describe_child(parent, at - 1, 0);
            describe_child(parent, at, 0);
            return true;
        }
    }
    if (at + 1 < parent->count) {
        struct btree_leaf *right = parent->children[at + 1];
        if (right->count + SHIFT_MIN <= BTREE_LEAF_MAX) {
            shift_elements(leaf, right, (int)((leaf->count - right->count + 1) / 2));
            describe_child(parent, at, 0);
            describe_child(parent, at + 1, 0);
            return true;
        }
    }
    return false;
}

/* Nodes that a split will need, allocated before anything changes. */
struct spares {
    struct btree_inner *inner[BTREE_HEIGHT_MAX];
    struct btree_leaf *leaf;
    unsigned count;
};

static bool take_spares(struct store_thread *thread, const struct btree *tree,
                        const struct btree_path *path, struct spares *spares)
{
    *spares = (struct spares){ .leaf = heap_alloc(thread, sizeof *spares->leaf) };
    uint32_t height = 1;
    while (height <= tree->height && path->nodes[height]->count == BTREE_INNER_MAX) {
        height++;
    }
    unsigned wanted = height - 1 + (height > tree->height ? 1 : 0);
    while (spares->leaf != NULL && spares->count < wanted) {
        spares->inner[spares->count] = heap_alloc(thread, sizeof *spares->inner[0]);
        if (spares->inner[spares->count] == NULL) {
            break;
        }
        spares->count++;
    }
    if (spares->leaf != NULL && spares->count == wanted && tree->height + 2 <= BTREE_HEIGHT_MAX) {
        return true;
    }
    heap_free(thread, spares->leaf, sizeof *spares->leaf);
    while (spares->count > 0) {
        heap_free(thread, spares->inner[--spares->count], sizeof *spares->inner[0]);
    }
    return false;
}

/* Where a full node is cut: at its end when the tree grows there, so that elements that come
 * in order leave full nodes behind. */
static unsigned cut_at(bool at_end, bool at_start, unsigned count)
{
    return at_end ? count - 1 : at_start ? 1 : count / 2;
}

static struct btree_leaf *split_leaf(struct btree *tree, struct btree_leaf *leaf,
                                     struct btree_leaf *right, unsigned at)
{
    unsigned cut = cut_at(leaf->next == NULL && at == leaf->count,
                          leaf->previous == NULL && at == 0, leaf->count);
    right->count = leaf->count - cut;
    move_elements(right, 0, leaf, cut, right->count);
    leaf->count = cut;
    right->previous = leaf;
    right->next = leaf->next;
    leaf->next = right;
    if (right->next != NULL) {
        right->next->previous = right;
    } else {
        tree->last = right;
    }
    return right;
}

/* A full inner node, child 'at' of which has been split. */
static struct btree_inner *split_inner(struct btree_inner *node, struct btree_inner *right,
                                       bool is_last)
{
    unsigned cut = cut_at(is_last, false, node->count);
    /* take_spares() has counted one for each node that splits. */
    right->count = node->count - cut; /* NOLINT(clang-analyzer-core.NullDereference) */
    move_children(right, 0, node, cut, right->count);
    node->count = cut;
    return right;
}

bool btree_make_room(struct store_thread *thread, struct btree *tree, const struct btree_path *path,
                     unsigned at)
{
    bool at_end = path->leaf->next == NULL && at == path->leaf->count;
    if (tree->height > 0 && !at_end && share_with_neighbour(path)) {
        return true;
    }
    struct spares spares;
    if (!take_spares(thread, tree, path, &spares)) {
        return false;
    }
    void *left = path->leaf, *right = split_leaf(tree, path->leaf, spares.leaf, at);
    uint32_t height = 1;
    for (; height <= tree->height; height++) {
        struct btree_inner *node = path->nodes[height];
        unsigned child = path->at[height];
        describe_child(node, child, height - 1);
        if (node->count < BTREE_INNER_MAX) {
            insert_child(node, child + 1, right, height - 1);
            return true;
        }
        struct btree_inner *half =
            split_inner(node, spares.inner[--spares.count], at_end && child + 1 == node->count);
        if (child < node->count) {
            insert_child(node, child + 1, right, height - 1);
        } else {
            insert_child(half, child + 1 - node->count, right, height - 1);
        }
        left = node;
        right = half;
    }
    struct btree_inner *root = spares.inner[--spares.count];
    root->count = 0;
    insert_child(root, 0, left, height - 1);
    insert_child(root, 1, right, height - 1);
    tree->root = root;
    tree->height++;
    return true;
}

/* ---- Merging -------------------------------------------------------------------------------- */

static void free_leaf(struct store_thread *thread, struct btree *tree, struct btree_leaf *leaf)
{
    if (leaf->previous != NULL) {
        leaf->previous->next = leaf->next;
    } else {
        tree->first = leaf->next;
    }
    if (leaf->next != NULL) {
        leaf->next->previous = leaf->previous;
    } else {
        tree->last = leaf->previous;
    }
    heap_free(thread, leaf, sizeof *leaf);
}

/* Joins or balances the leaves 'at' and at + 1 of a parent. */
static void join_leaves(struct store_thread *thread, struct btree *tree, struct btree_inner *parent,
                        unsigned at)
{
    struct btree_leaf *left = parent->children[at], *right = parent->children[at + 1];
    if (left->count + right->count <= BTREE_LEAF_MAX) {
        shift_elements(left, right, -(int)right->count);
        free_leaf(thread, tree, right);
        remove_child(parent, at + 1);
    } else {
        shift_elements(left, right, ((int)left->count - (int)right->count) / 2);
        describe_child(parent, at + 1, 0);
    }
    describe_child(parent, at, 0);
}

static void join_inner(struct store_thread *thread, struct btree_inner *parent, unsigned at,
                       uint32_t height)
{
    struct btree_inner *left = parent->children[at], *right = parent->children[at + 1];
    if (left->count + right->count <= BTREE_INNER_MAX) {
        shift_children(left, right, -(int)right->count);
        heap_free(thread, right, sizeof *right);
        remove_child(parent, at + 1);
    } else {
        shift_children(left, right, ((int)left->count - (int)right->count) / 2);
        describe_child(parent, at + 1, height);
    }
    describe_child(parent, at, height);
}

void btree_settle(struct store_thread *thread, struct btree *tree, const struct btree_path *path)
{
    if (tree->height == 0 || path->leaf->count >= LEAF_MIN) {
        return;
    }
    struct btree_inner *parent = path->nodes[1];
    if (parent->count > 1) {
        join_leaves(thread, tree, parent, path->at[1] > 0 ? path->at[1] - 1 : 0);
    }
    for (uint32_t height = 2; height <= tree->height; height++) {
        const struct btree_inner *node = path->nodes[height - 1];
        parent = path->nodes[height];
        parent->scores[path->at[height]] = node->scores[0];
        parent->members[path->at[height]] = node->members[0];
        if (node->count >= INNER_MIN || parent->count < 2) {
            continue;
        }
        join_inner(thread, parent, path->at[height] > 0 ? path->at[height] - 1 : 0, height - 1);
    }
    while (tree->height > 0 && ((struct btree_inner *)tree->root)->count == 1) {
        struct btree_inner *root = tree->root;
        tree->root = root->children[0];
        tree->height--;
        heap_free(thread, root, sizeof *root);
    }
}
