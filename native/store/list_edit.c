/* Lists: walking them, and changes between their ends; see list.h. */
#include "store/heap.h"
#include "store/list_chain.h"

/* ---- Walking --------------------------------------------------------------------------------- */

/* Puts the cursor on an element of its node. */
static void enter_node(struct list_cursor *cursor, struct list_node *node, bool at_end)
{
    cursor->node = node;
    cursor->lp = NULL;
    cursor->at = 0;
    if (!list_node_is_plain(node)) {
        cursor->lp = list_node_pack(node);
        cursor->at = at_end ? listpack_last(cursor->lp) : listpack_first(cursor->lp);
    }
}

/* The node of an element and its place there; the index is in the list. */
static struct list_node *find_node(const struct list_chain *chain, uint64_t index, uint64_t *place)
{
    if (index <= chain->count / 2) {
        struct list_node *node = chain->head;
        while (index >= node->count) {
            index -= node->count;
            node = node->next;
        }
        *place = index;
        return node;
    }
    uint64_t behind = chain->count - 1 - index;
    struct list_node *node = chain->tail;
    while (behind >= node->count) {
        behind -= node->count;
        node = node->prev;
    }
    *place = node->count - 1 - behind;
    return node;
}

bool list_seek(const struct entry *entry, int64_t index, struct list_cursor *cursor)
{
    if (!list_is_chain(entry)) {
        cursor->node = NULL;
        cursor->lp = entry_pointer(entry);
        cursor->at = listpack_seek(cursor->lp, index);
        return cursor->at != 0;
    }
    const struct list_chain *chain = entry_pointer(entry);
    int64_t count = (int64_t)chain->count;
    if (index >= count || index < -count) {
        return false;
    }
    uint64_t place;
    struct list_node *node =
        find_node(chain, (uint64_t)(index < 0 ? index + count : index), &place);
    enter_node(cursor, node, false);
    if (cursor->lp != NULL && place > 0) {
        cursor->at = listpack_seek(cursor->lp, (int64_t)place);
    }
    return true;
}

static bool next_piece(struct list_cursor *cursor)
{
    if (cursor->node == NULL || cursor->node->next == NULL) {
        return false;
    }
    enter_node(cursor, cursor->node->next, false);
    return true;
}

bool list_next(struct list_cursor *cursor)
{
    if (cursor->lp != NULL) {
        cursor->at = listpack_next(cursor->lp, cursor->at);
        if (cursor->at != 0) {
            return true;
        }
    }
    return next_piece(cursor);
}

uint32_t list_read(struct list_cursor *cursor, struct listpack_value *values, uint32_t max,
                   bool *more)
{
    *more = true;
    if (cursor->lp == NULL) {
        return 0;
    }
    uint32_t count = listpack_take(cursor->lp, &cursor->at, values, max);
    *more = cursor->at != 0 || next_piece(cursor);
    return count;
}

bool list_previous(struct list_cursor *cursor)
{
    if (cursor->lp != NULL) {
        cursor->at = listpack_previous(cursor->lp, cursor->at);
        if (cursor->at != 0) {
            return true;
        }
    }
    if (cursor->node == NULL || cursor->node->prev == NULL) {
        return false;
    }
    enter_node(cursor, cursor->node->prev, true);
    return true;
}

struct listpack_value list_get(const struct list_cursor *cursor)
{
    if (cursor->lp == NULL) {
        return (struct listpack_value){ blob_bytes(cursor->node->plain), 0 };
    }
    return listpack_get(cursor->lp, cursor->at);
}

struct bytes list_text(const struct list_cursor *cursor, char room[LISTPACK_TEXT_ROOM])
{
    return cursor->lp == NULL ? blob_bytes(cursor->node->plain)
                              : listpack_text(cursor->lp, cursor->at, room);
}

struct blob *list_blob(const struct list_cursor *cursor)
{
    return cursor->lp == NULL ? cursor->node->plain : NULL;
}

bool list_is(const struct list_cursor *cursor, struct bytes text)
{
    return cursor->lp == NULL ? bytes_equal(blob_bytes(cursor->node->plain), text)
                              : listpack_is(cursor->lp, cursor->at, text);
}

/* ---- Joining pieces ------------------------------------------------------------------------------ */

static bool may_join(const struct list_limits *limits, const struct list_node *a,
                     const struct list_node *b)
{
    return a != NULL && b != NULL && !list_node_is_plain(a) && !list_node_is_plain(b) &&
           !list_exceeds(limits, (uint64_t)a->used + b->used - LISTPACK_HEADER - 1,
                         (uint64_t)a->count + b->count);
}

/* Joins a node with the one behind it if they fit; it is no fault if they can't be. */
static void join_next(struct store_thread *thread, struct list_chain *chain,
                      const struct list_limits *limits, struct list_node *node)
{
    struct list_node *next = node != NULL ? node->next : NULL;
    if (next != NULL && may_join(limits, node, next)) {
        uint32_t count = next->count;
        if (list_node_join(thread, node, next)) {
            chain->count += count;
            list_unlink(thread, chain, next);
        }
    }
}

/* After a split at 'node': what became small joins its neighbours. */
static void join_around(struct store_thread *thread, struct list_chain *chain,
                        const struct list_limits *limits, struct list_node *node)
{
    struct list_node *left = node->prev;
    if (node->next != NULL) {
        join_next(thread, chain, limits, node->next);
    }
    if (left != NULL && left->prev != NULL) {
        struct list_node *further = left->prev;
        join_next(thread, chain, limits, further);
        left = further->next == node ? further : left;
    }
    join_next(thread, chain, limits, node);
    join_next(thread, chain, limits, left);
}

/* ---- Inserting ----------------------------------------------------------------------------------- */

/* Divides the cursor's node before the element 'at', which is not its first one; the second
 * half is a new node behind it.  False when memory is short. */
static bool split(struct store_thread *thread, struct list_chain *chain, struct list_node *node,
                  uint32_t at)
{
    const struct listpack *lp = list_node_pack(node);
    uint32_t kept = 0;
    for (uint32_t offset = listpack_first(lp); offset != at; offset = listpack_next(lp, offset)) {
        kept++;
    }
    uint32_t moved = node->count - kept;
    struct list_node *second = list_node_copy(thread, node);
    if (second == NULL) {
        return false;
    }
    list_node_delete(thread, second, LISTPACK_HEADER, kept);
    list_node_delete(thread, node, at, moved);
    chain->count -= moved;
    list_link(chain, node, second);
    list_node_trim(thread, node);
    list_node_trim(thread, second);
    return true;
}

/* Inserts where no neighbour has room: a node of its own behind 'before' (NULL: first). */
static bool insert_alone(struct store_thread *thread, struct list_chain *chain,
                         const struct list_limits *limits, struct list_node *before,
                         struct bytes text)
{
    struct list_node *made = list_node_with(thread, limits, text, 0);
    if (made == NULL) {
        return false;
    }
    list_link(chain, before, made);
    return true;
}

static bool insert_in_node(struct store_thread *thread, struct list_chain *chain,
                           struct list_node *node, uint32_t at, struct bytes text)
{
    if (!list_node_insert(thread, node, at, text)) {
        return false;
    }
    chain->count++;
    return true;
}

static bool insert_in_chain(struct store_thread *thread, struct list_chain *chain,
                            const struct list_cursor *cursor, bool behind, struct bytes text)
{
    struct list_limits limits = list_limits(thread);
    struct list_node *node = cursor->node;
    bool plain = list_node_is_plain(node);
    /* The place is before the offset 'at' of the node. */
    uint32_t at = cursor->at;
    if (!plain && behind) {
        uint32_t next = listpack_next(cursor->lp, at);
        at = next != 0 ? next : node->used - 1;
    }
    if (list_node_accepts(&limits, node, text.len)) {
        return insert_in_node(thread, chain, node, at, text);
    }
    bool at_start = plain ? !behind : at == LISTPACK_HEADER;
    bool at_end = plain ? behind : at == node->used - 1;
    if (at_start) {
        struct list_node *former = node->prev;
        return former != NULL && list_node_accepts(&limits, former, text.len)
                   ? insert_in_node(thread, chain, former, former->used - 1, text)
                   : insert_alone(thread, chain, &limits, former, text);
    }
    if (at_end) {
        return list_node_accepts(&limits, node->next, text.len)
                   ? insert_in_node(thread, chain, node->next, LISTPACK_HEADER, text)
                   : insert_alone(thread, chain, &limits, node, text);
    }
    if (!split(thread, chain, node, at)) {
        return false;
    }
    /* The first half may have become small enough for it. */
    bool added = list_node_accepts(&limits, node, text.len)
                     ? insert_in_node(thread, chain, node, node->used - 1, text)
                     : insert_alone(thread, chain, &limits, node, text);
    join_around(thread, chain, &limits, node);
    return added;
}

bool list_insert(struct store_thread *thread, struct entry *entry, struct list_cursor *cursor,
                 bool behind, struct bytes text)
{
    if (list_is_chain(entry)) {
        return insert_in_chain(thread, entry_pointer(entry), cursor, behind, text);
    }
    struct listpack *lp = entry_pointer(entry);
    uint32_t at = behind ? listpack_next(lp, cursor->at) : cursor->at;
    bool added = listpack_insert(thread, &lp, &at, text);
    entry_set_pointer(entry, lp);
    return added;
}

/* ---- Replacing and deleting ------------------------------------------------------------------------ */

/* Deletes an element of a chain; the node goes when it was its last. */
static void delete_in_chain(struct store_thread *thread, struct list_chain *chain,
                            struct list_node *node, uint32_t at)
{
    if (node->count == 1) {
        list_unlink(thread, chain, node);
        return;
    }
    list_node_delete(thread, node, at, 1);
    chain->count--;
}

static bool replace_in_chain(struct store_thread *thread, struct list_chain *chain,
                             struct list_cursor *cursor, struct bytes text)
{
    struct list_limits limits = list_limits(thread);
    struct list_node *node = cursor->node;
    if (!list_node_is_plain(node) && !list_is_large(&limits, text.len)) {
        uint64_t former = listpack_skip((const unsigned char *)cursor->lp + cursor->at);
        uint64_t bytes = node->used - former + listpack_element_size(text);
        if (node->count == 1 || !list_exceeds(&limits, bytes, node->count)) {
            return list_node_replace(thread, node, cursor->at, text);
        }
    }
    if (node->count == 1) {
        struct list_node *made = list_node_with(thread, &limits, text, 0);
        if (made == NULL) {
            return false;
        }
        list_link(chain, node, made);
        list_unlink(thread, chain, node);
        return true;
    }
    /* The new element behind the old one, then without the old one. */
    uint64_t before = 0;
    for (const struct list_node *prev = node->prev; prev != NULL; prev = prev->prev) {
        before += prev->count;
    }
    for (uint32_t at = listpack_first(cursor->lp); at != cursor->at;
         at = listpack_next(cursor->lp, at)) {
        before++;
    }
    if (!insert_in_chain(thread, chain, cursor, true, text)) {
        return false;
    }
    uint64_t place;
    node = find_node(chain, before, &place);
    delete_in_chain(thread, chain, node,
                    list_node_is_plain(node) ? 0
                                             : listpack_seek(list_node_pack(node), (int64_t)place));
    return true;
}

bool list_replace(struct store_thread *thread, struct entry *entry, struct list_cursor *cursor,
                  struct bytes text)
{
    if (list_is_chain(entry)) {
        return replace_in_chain(thread, entry_pointer(entry), cursor, text);
    }
    struct listpack *lp = entry_pointer(entry);
    bool replaced = listpack_replace(thread, &lp, &cursor->at, text);
    entry_set_pointer(entry, lp);
    return replaced;
}

bool list_delete(struct store_thread *thread, struct entry *entry, struct list_cursor *cursor,
                 bool backwards)
{
    if (!list_is_chain(entry)) {
        struct listpack *lp = entry_pointer(entry);
        uint32_t before = listpack_previous(lp, cursor->at);
        uint32_t behind = listpack_delete(thread, &lp, cursor->at, 1);
        entry_set_pointer(entry, lp);
        cursor->lp = lp;
        cursor->at = backwards ? before : behind;
        return cursor->at != 0;
    }
    struct list_chain *chain = entry_pointer(entry);
    struct list_node *node = cursor->node;
    struct list_node *neighbour = backwards ? node->prev : node->next;
    if (node->count > 1) {
        uint32_t before = listpack_previous(cursor->lp, cursor->at);
        bool last = listpack_next(cursor->lp, cursor->at) == 0;
        delete_in_chain(thread, chain, node, cursor->at);
        cursor->lp = list_node_pack(node);
        if (backwards ? before != 0 : !last) {
            cursor->at = backwards ? before : cursor->at;
            return true;
        }
    } else {
        list_unlink(thread, chain, node);
    }
    if (neighbour == NULL) {
        return false;
    }
    enter_node(cursor, neighbour, backwards);
    return true;
}

void list_delete_range(struct store_thread *thread, struct entry *entry, uint64_t index,
                       uint64_t count)
{
    uint64_t there = list_count(entry);
    if (index >= there || count == 0) {
        return;
    }
    count = count < there - index ? count : there - index;
    if (!list_is_chain(entry)) {
        struct listpack *lp = entry_pointer(entry);
        (void)listpack_delete(thread, &lp, listpack_seek(lp, (int64_t)index), (uint32_t)count);
        entry_set_pointer(entry, lp);
        return;
    }
    struct list_chain *chain = entry_pointer(entry);
    uint64_t place;
    for (struct list_node *node = find_node(chain, index, &place); count > 0; place = 0) {
        struct list_node *next = node->next;
        uint64_t here = node->count - place;
        uint64_t few = count < here ? count : here;
        if (few == node->count) {
            list_unlink(thread, chain, node);
        } else {
            list_node_delete(thread, node, listpack_seek(list_node_pack(node), (int64_t)place),
                             (uint32_t)few);
            chain->count -= few;
        }
        count -= few;
        node = next;
    }
}
