/* The chain of pieces of a long list, and the limits of a piece; what list.c and list_edit.c
 * share. */
#ifndef STORE_LIST_CHAIN_H
#define STORE_LIST_CHAIN_H

#include "store/list.h"
#include "store/list_node.h"

struct list_chain {
    struct list_node *head, *tail;
    uint64_t count; /* elements */
    uint64_t nodes;
};

/* What one piece may hold. */
struct list_limits {
    uint64_t bytes; /* UINT64_MAX: elements count */
    uint64_t count;
    uint64_t large; /* an element from this size on stands alone */
};

/* The limits of now. */
struct list_limits list_limits(const struct store_thread *thread);
/* Whether a listpack of this size and count is beyond the limits. */
bool list_exceeds(const struct list_limits *limits, uint64_t bytes, uint64_t count);
/* Whether an element of 'len' bytes fits into the node (NULL: it does not). */
bool list_node_accepts(const struct list_limits *limits, const struct list_node *node, size_t len);

/* Whether the list is a chain of nodes, and no single listpack. */
static inline bool list_is_chain(const struct entry *entry)
{
    return entry->encoding == ENCODING_QUICKLIST;
}

/* Whether an element of so many bytes gets a node of its own. */
static inline bool list_is_large(const struct list_limits *limits, size_t len)
{
    return len >= limits->large;
}

/* Links 'node' behind 'before' (NULL: first), and counts its elements. */
void list_link(struct list_chain *chain, struct list_node *before, struct list_node *node);
/* Takes it out and frees it. */
void list_unlink(struct store_thread *thread, struct list_chain *chain, struct list_node *node);

/* A node with one element, and room for 'room' bytes (0: a few); NULL when memory is short. */
MUST_CHECK struct list_node *list_node_with(struct store_thread *thread,
                                            const struct list_limits *limits, struct bytes text,
                                            uint32_t room);

#endif
