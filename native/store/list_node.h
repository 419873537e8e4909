/* A piece of a long list: a listpack with room around it, so that both ends take and give
 * elements without moving the others; or one large element in a blob of its own.  list.c and
 * list_edit.c chain them; nobody else includes this. */
#ifndef STORE_LIST_NODE_H
#define STORE_LIST_NODE_H

#include "base/blob.h"
#include "store/listpack_element.h"

struct store_thread;

struct list_node {
    struct list_node *prev, *next;
    union {
        unsigned char *block; /* the listpack is at block + start */
        struct blob *plain;   /* the element, when 'room' is 0 */
    };
    uint32_t start, used, room; /* bytes */
    uint32_t count;             /* elements */
};

/* Whether it holds one large element as it is, and no listpack. */
static inline bool list_node_is_plain(const struct list_node *node)
{
    return node->room == 0;
}

/* Of a node that is not plain; borrowed until the node changes. */
static inline const struct listpack *list_node_pack(const struct list_node *node)
{
    return (const struct listpack *)(const void *)(node->block + node->start);
}

/* What the size limit of a node compares. */
static inline size_t list_node_bytes(const struct list_node *node)
{
    return list_node_is_plain(node) ? node->plain->len : node->used;
}

/* Not linked anywhere; NULL when memory is short.  Empty, with room for 'room' bytes (0: a
 * few); with one large element; with a copy of a sound listpack of 'count' elements. */
MUST_CHECK struct list_node *list_node_create(struct store_thread *thread, uint32_t room);
MUST_CHECK struct list_node *list_node_create_plain(struct store_thread *thread, struct bytes text);
MUST_CHECK struct list_node *list_node_load(struct store_thread *thread, const struct listpack *lp,
                                            uint32_t count);
MUST_CHECK struct list_node *list_node_copy(struct store_thread *thread,
                                            const struct list_node *node);
void list_node_destroy(struct store_thread *thread, struct list_node *node);

/* Changes of a node that is not plain.  'at' is an element's offset in the listpack, or the
 * listpack's last byte for its end; 'text' does not lie in this node.  False when memory is
 * short: nothing has changed. */
MUST_CHECK bool list_node_insert(struct store_thread *thread, struct list_node *node, uint32_t at,
                                 struct bytes text);
MUST_CHECK bool list_node_replace(struct store_thread *thread, struct list_node *node, uint32_t at,
                                  struct bytes text);
/* Deletes 'count' elements, which are there, from 'at' on. */
void list_node_delete(struct store_thread *thread, struct list_node *node, uint32_t at,
                      uint32_t count);
/* Puts the elements of 'from' behind those of 'node'. */
MUST_CHECK bool list_node_join(struct store_thread *thread, struct list_node *node,
                               const struct list_node *from);
/* Gives back room that a node in the middle of a list will hardly need. */
void list_node_trim(struct store_thread *thread, struct list_node *node);

/* The bytes that it takes. */
size_t list_node_memory(const struct list_node *node);

#endif
