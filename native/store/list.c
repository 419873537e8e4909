/* Lists: their ends, the change between short and long ones, and what value.c asks for; see
 * list.h. */
#include "store/list_chain.h"

#include "store/heap.h"

/* ---- Limits --------------------------------------------------------------------------------- */

enum {
    PIECE_BYTES_MAX = 8192, /* of pieces whose elements are counted */
    ELEMENT_OVERHEAD = 8,   /* what an element takes beside its text, by Redis's estimate */
    LARGEST_SIZE_CLASS = 5,
    MANY_NODES = 8,
};

struct list_limits list_limits(const struct store_thread *thread)
{
    const struct value_limits *settings = keyspace_limits(thread->keyspace);
    int64_t size = atomic_load_explicit(&settings->list_max_listpack_size, memory_order_relaxed);
    uint64_t large = atomic_load_explicit(&settings->list_packed_threshold, memory_order_relaxed);
    struct list_limits limits = { .bytes = UINT64_MAX, .count = UINT64_MAX };
    if (size >= 0) {
        limits.count = size == 0 ? 1 : (uint64_t)size;
    } else {
        int64_t class = size < -LARGEST_SIZE_CLASS ? LARGEST_SIZE_CLASS : -size;
        limits.bytes = UINT64_C(2048) << class;
    }
    uint64_t piece = limits.bytes < UINT64_MAX ? limits.bytes : PIECE_BYTES_MAX;
    limits.large = large != 0 && large < piece ? large : piece;
    return limits;
}

bool list_exceeds(const struct list_limits *limits, uint64_t bytes, uint64_t count)
{
    if (limits->bytes < UINT64_MAX) {
        return bytes > limits->bytes;
    }
    return bytes > PIECE_BYTES_MAX || count > limits->count;
}

bool list_node_accepts(const struct list_limits *limits, const struct list_node *node, size_t len)
{
    return node != NULL && !list_node_is_plain(node) && !list_is_large(limits, len) &&
           !list_exceeds(limits, (uint64_t)node->used + len + ELEMENT_OVERHEAD,
                         (uint64_t)node->count + 1);
}

/* ---- The chain --------------------------------------------------------------------------------- */

void list_link(struct list_chain *chain, struct list_node *before, struct list_node *node)
{
    node->prev = before;
    node->next = before != NULL ? before->next : chain->head;
    *(node->prev != NULL ? &node->prev->next : &chain->head) = node;
    *(node->next != NULL ? &node->next->prev : &chain->tail) = node;
    chain->count += node->count;
    chain->nodes++;
}

void list_unlink(struct store_thread *thread, struct list_chain *chain, struct list_node *node)
{
    *(node->prev != NULL ? &node->prev->next : &chain->head) = node->next;
    *(node->next != NULL ? &node->next->prev : &chain->tail) = node->prev;
    chain->count -= node->count;
    chain->nodes--;
    list_node_destroy(thread, node);
}

struct list_node *list_node_with(struct store_thread *thread, const struct list_limits *limits,
                                 struct bytes text, uint32_t room)
{
    if (list_is_large(limits, text.len)) {
        return list_node_create_plain(thread, text);
    }
    struct list_node *node = list_node_create(thread, room);
    if (node != NULL && !list_node_insert(thread, node, node->used - 1, text)) {
        list_node_destroy(thread, node);
        return NULL;
    }
    return node;
}

void *list_create_long(struct store_thread *thread)
{
    struct list_chain *chain = heap_alloc(thread, sizeof *chain);
    if (chain != NULL) {
        *chain = (struct list_chain){ 0 };
    }
    return chain;
}

/* Frees up to 'most' nodes; true when there are more. */
static bool free_nodes(struct store_thread *thread, struct list_chain *chain, uint64_t most)
{
    for (; chain->head != NULL && most > 0; most--) {
        list_unlink(thread, chain, chain->head);
    }
    return chain->head != NULL;
}

static bool push_to_chain(struct store_thread *thread, struct list_chain *chain, enum list_end end,
                          struct bytes text)
{
    struct list_limits limits = list_limits(thread);
    struct list_node *node = end == LIST_HEAD ? chain->head : chain->tail;
    if (list_node_accepts(&limits, node, text.len)) {
        uint32_t at = end == LIST_HEAD ? LISTPACK_HEADER : node->used - 1;
        if (!list_node_insert(thread, node, at, text)) {
            return false;
        }
        chain->count++;
        return true;
    }
    /* The next piece of a list that has many will fill up like the others. */
    uint32_t room = chain->nodes >= MANY_NODES ? node->room : 0;
    struct list_node *made = list_node_with(thread, &limits, text, room);
    if (made == NULL) {
        return false;
    }
    if (node != NULL && node->prev != NULL && node->next != NULL) {
        list_node_trim(thread, node);
    }
    list_link(chain, end == LIST_HEAD ? NULL : node, made);
    return true;
}

static void pop_from_chain(struct store_thread *thread, struct list_chain *chain, enum list_end end,
                           uint64_t count)
{
    while (count > 0 && chain->head != NULL) {
        struct list_node *node = end == LIST_HEAD ? chain->head : chain->tail;
        if (count >= node->count) {
            count -= node->count;
            list_unlink(thread, chain, node);
            continue;
        }
        uint32_t at = end == LIST_HEAD ? LISTPACK_HEADER
                                       : listpack_seek(list_node_pack(node), -(int64_t)count);
        list_node_delete(thread, node, at, (uint32_t)count);
        chain->count -= count;
        return;
    }
}

/* ---- Short and long ------------------------------------------------------------------------------ */

static bool make_long(struct store_thread *thread, struct entry *entry)
{
    struct listpack *lp = entry_pointer(entry);
    struct list_chain *chain = list_create_long(thread);
    if (chain == NULL) {
        return false;
    }
    uint32_t count = listpack_count(lp);
    if (count > 0) {
        struct list_node *node = list_node_load(thread, lp, count);
        if (node == NULL) {
            heap_free(thread, chain, sizeof *chain);
            return false;
        }
        list_link(chain, NULL, node);
    }
    listpack_destroy(thread, lp);
    entry_set_pointer(entry, chain);
    entry_set_encoding(entry, ENCODING_QUICKLIST);
    return true;
}

bool list_prepare(struct store_thread *thread, struct entry *entry, const struct bytes *texts,
                  uint32_t count)
{
    if (list_is_chain(entry)) {
        return true;
    }
    const struct listpack *lp = entry_pointer(entry);
    struct list_limits limits = list_limits(thread);
    uint64_t bytes = listpack_bytes(lp).len;
    for (uint32_t i = 0; i < count; i++) {
        bytes += texts[i].len;
    }
    uint64_t elements = limits.bytes < UINT64_MAX ? 0 : (uint64_t)listpack_count(lp) + count;
    return !list_exceeds(&limits, bytes, elements) || make_long(thread, entry);
}

/* What is left as a listpack, if it is one piece and half as large as it might be. */
static struct listpack *make_listpack(struct store_thread *thread, const struct list_chain *chain)
{
    struct list_limits limits = list_limits(thread);
    const struct list_node *node = chain->head;
    if (chain->nodes != 1 || chain->count > limits.count / 2 ||
        list_node_bytes(node) > limits.bytes / 2) {
        return NULL;
    }
    if (!list_node_is_plain(node)) {
        return listpack_load(thread, listpack_bytes(list_node_pack(node)));
    }
    if (atomic_load_explicit(&keyspace_limits(thread->keyspace)->list_packed_threshold,
                             memory_order_relaxed) != 0) {
        return NULL;
    }
    struct listpack *lp = listpack_create(thread, node->plain->len + LISTPACK_HEAD_MAX * 2);
    if (lp != NULL && !listpack_append(thread, &lp, blob_bytes(node->plain))) {
        listpack_destroy(thread, lp);
        return NULL;
    }
    return lp;
}

void list_settle(struct store_thread *thread, struct entry *entry)
{
    if (!list_is_chain(entry)) {
        return;
    }
    struct list_chain *chain = entry_pointer(entry);
    struct listpack *lp = chain->nodes == 1 ? make_listpack(thread, chain) : NULL;
    if (lp == NULL) {
        return; /* When memory is short it stays long. */
    }
    list_destroy(thread, ENCODING_QUICKLIST, chain);
    entry_set_pointer(entry, lp);
    entry_set_encoding(entry, ENCODING_LISTPACK);
}

/* ---- Ends ---------------------------------------------------------------------------------------- */

void *list_create(struct store_thread *thread)
{
    return listpack_create(thread, 0);
}

uint64_t list_count(const struct entry *entry)
{
    if (!list_is_chain(entry)) {
        return listpack_count(entry_pointer(entry));
    }
    return ((const struct list_chain *)entry_pointer(entry))->count;
}

bool list_push(struct store_thread *thread, struct entry *entry, enum list_end end,
               struct bytes text)
{
    if (list_is_chain(entry)) {
        return push_to_chain(thread, entry_pointer(entry), end, text);
    }
    struct listpack *lp = entry_pointer(entry);
    bool added =
        end == LIST_HEAD ? listpack_prepend(thread, &lp, text) : listpack_append(thread, &lp, text);
    entry_set_pointer(entry, lp);
    return added;
}

void list_pop(struct store_thread *thread, struct entry *entry, enum list_end end, uint64_t count)
{
    if (list_is_chain(entry)) {
        pop_from_chain(thread, entry_pointer(entry), end, count);
        return;
    }
    struct listpack *lp = entry_pointer(entry);
    uint64_t there = listpack_count(lp);
    uint32_t few = (uint32_t)(count < there ? count : there);
    if (few > 0) {
        uint32_t at = end == LIST_HEAD ? LISTPACK_HEADER : listpack_seek(lp, -(int64_t)few);
        (void)listpack_delete(thread, &lp, at, few);
        entry_set_pointer(entry, lp);
    }
}

/* ---- Pieces -------------------------------------------------------------------------------------- */

const struct list_node *list_first_node(const struct entry *entry)
{
    return list_is_chain(entry) ? ((const struct list_chain *)entry_pointer(entry))->head : NULL;
}

const struct list_node *list_next_node(const struct list_node *node)
{
    return node->next;
}

struct bytes list_node_content(const struct list_node *node, bool *is_plain)
{
    *is_plain = list_node_is_plain(node);
    return *is_plain ? blob_bytes(node->plain) : listpack_bytes(list_node_pack(node));
}

bool list_load_node(struct store_thread *thread, void *list, struct bytes content, bool is_plain)
{
    struct list_chain *chain = list;
    const struct listpack *lp = (const struct listpack *)(const void *)content.at;
    struct list_node *node = is_plain ? list_node_create_plain(thread, content)
                                      : list_node_load(thread, lp, listpack_count(lp));
    if (node == NULL) {
        return false;
    }
    list_link(chain, chain->tail, node);
    return true;
}

bool list_load_element(struct store_thread *thread, void *list, struct bytes text)
{
    return push_to_chain(thread, list, LIST_TAIL, text);
}

void list_load_done(struct store_thread *thread, void **list, enum encoding *encoding)
{
    const struct list_chain *chain = *list;
    struct list_limits limits = list_limits(thread);
    if (chain->nodes != 1 || list_node_is_plain(chain->head) || chain->count > limits.count ||
        chain->head->used > limits.bytes) {
        return;
    }
    struct listpack *lp = listpack_load(thread, listpack_bytes(list_node_pack(chain->head)));
    if (lp != NULL) {
        list_destroy(thread, ENCODING_QUICKLIST, *list);
        *list = lp;
        *encoding = ENCODING_LISTPACK;
    }
}

uint64_t list_nodes(const struct entry *entry)
{
    return list_is_chain(entry) ? ((const struct list_chain *)entry_pointer(entry))->nodes : 0;
}

/* ---- For value.c --------------------------------------------------------------------------------- */

void list_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    if (encoding == ENCODING_LISTPACK) {
        listpack_destroy(thread, pointer);
        return;
    }
    (void)free_nodes(thread, pointer, UINT64_MAX);
    heap_free(thread, pointer, sizeof(struct list_chain));
}

bool list_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us)
{
    enum { NODES = 64 };
    if (encoding == ENCODING_QUICKLIST) {
        while (free_nodes(thread, pointer, NODES)) {
            if (value_time_is_up(thread, until_us)) {
                return true;
            }
        }
    }
    list_destroy(thread, encoding, pointer);
    return false;
}

void *list_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    if (encoding == ENCODING_LISTPACK) {
        return listpack_load(thread, listpack_bytes(pointer));
    }
    const struct list_chain *from = pointer;
    struct list_chain *chain = list_create_long(thread);
    if (chain == NULL) {
        return NULL;
    }
    for (const struct list_node *node = from->head; node != NULL; node = node->next) {
        struct list_node *copy = list_node_copy(thread, node);
        if (copy == NULL) {
            list_destroy(thread, encoding, chain);
            return NULL;
        }
        list_link(chain, chain->tail, copy);
    }
    return chain;
}

size_t list_elements(enum encoding encoding, const void *pointer)
{
    return encoding == ENCODING_LISTPACK ? listpack_count(pointer)
                                         : (size_t)((const struct list_chain *)pointer)->count;
}

size_t list_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    if (encoding == ENCODING_LISTPACK) {
        return listpack_memory(pointer);
    }
    const struct list_chain *chain = pointer;
    uint64_t seen = 0;
    size_t bytes = 0;
    for (const struct list_node *node = chain->head;
         node != NULL && (samples == 0 || seen < samples); node = node->next) {
        bytes += list_node_memory(node);
        seen++;
    }
    return sizeof *chain +
           (seen > 0 ? (size_t)((double)bytes / (double)seen * (double)chain->nodes) : 0);
}
