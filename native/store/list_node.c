/* One piece of a long list; see list_node.h. */
#include "store/list_node.h"

#include "store/heap.h"

/* Slab pages hold few blocks larger than this, and waste some. */
enum { SLAB_BLOCK_MAX = 2048, ROOM_MIN = 128 };

static unsigned char *block_alloc(struct store_thread *thread, uint32_t room)
{
    if (room <= SLAB_BLOCK_MAX) {
        return heap_alloc(thread, room);
    }
    unsigned char *block = mem_try_alloc(room);
    if (block != NULL) {
        heap_note(thread, room, 1);
    }
    return block;
}

static void block_free(struct store_thread *thread, unsigned char *block, uint32_t room)
{
    if (room <= SLAB_BLOCK_MAX) {
        heap_free(thread, block, room);
    } else {
        heap_note(thread, -(int64_t)room, -1);
        mem_free(block);
    }
}

/* Powers of two, which the limits of a node are too. */
static uint32_t room_for(size_t used)
{
    uint32_t room = ROOM_MIN;
    while (room < used && room < UINT32_C(1) << 31) {
        room *= 2;
    }
    return room;
}

static void write_header(struct list_node *node)
{
    unsigned char *at = node->block + node->start;
    listpack_store32(at, node->used);
    listpack_store16(at + 4, node->count < LISTPACK_UNKNOWN ? node->count : LISTPACK_UNKNOWN);
}

/* ---- Life ---------------------------------------------------------------------------------- */

static struct list_node *create(struct store_thread *thread, uint32_t room)
{
    struct list_node *node = heap_alloc(thread, sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    *node = (struct list_node){ .room = room };
    node->block = block_alloc(thread, room);
    if (node->block == NULL) {
        heap_free(thread, node, sizeof *node);
        return NULL;
    }
    return node;
}

struct list_node *list_node_create(struct store_thread *thread, uint32_t room)
{
    struct list_node *node = create(thread, room > ROOM_MIN ? room : ROOM_MIN);
    if (node != NULL) {
        node->used = LISTPACK_HEADER + 1;
        node->block[LISTPACK_HEADER] = LISTPACK_END;
        write_header(node);
    }
    return node;
}

struct list_node *list_node_load(struct store_thread *thread, const struct listpack *lp,
                                 uint32_t count)
{
    struct bytes bytes = listpack_bytes(lp);
    struct list_node *node = create(thread, room_for(bytes.len));
    if (node != NULL) {
        node->used = (uint32_t)bytes.len;
        node->count = count;
        memcpy(node->block, bytes.at, bytes.len);
    }
    return node;
}

static int64_t plain_memory(const struct blob *plain)
{
    return (int64_t)(sizeof *plain + plain->cap);
}

static struct list_node *adopt_plain(struct store_thread *thread, struct blob *plain)
{
    struct list_node *node = heap_alloc(thread, sizeof *node);
    if (node == NULL) {
        blob_unref(plain);
        return NULL;
    }
    *node = (struct list_node){ .plain = plain, .count = 1 };
    heap_note(thread, plain_memory(plain), 1);
    return node;
}

struct list_node *list_node_create_plain(struct store_thread *thread, struct bytes text)
{
    struct blob *plain = blob_create(text.len, text.len);
    if (plain == NULL) {
        return NULL;
    }
    memcpy(plain->at, text.at, text.len);
    return adopt_plain(thread, plain);
}

struct list_node *list_node_copy(struct store_thread *thread, const struct list_node *node)
{
    if (list_node_is_plain(node)) {
        return adopt_plain(thread, blob_ref(node->plain));
    }
    return list_node_load(thread, list_node_pack(node), node->count);
}

void list_node_destroy(struct store_thread *thread, struct list_node *node)
{
    if (list_node_is_plain(node)) {
        heap_note(thread, -plain_memory(node->plain), -1);
        blob_unref(node->plain);
    } else {
        block_free(thread, node->block, node->room);
    }
    heap_free(thread, node, sizeof *node);
}

size_t list_node_memory(const struct list_node *node)
{
    return sizeof *node +
           (list_node_is_plain(node) ? (size_t)plain_memory(node->plain) : node->room);
}

/* ---- Changes ---------------------------------------------------------------------------------- */

/* Brings the listpack into a block of 'room' bytes, its start at 'start', with a gap of
 * 'added' bytes in the place of 'removed' ones at 'at'.  The block may be the same. */
static bool rebuild(struct store_thread *thread, struct list_node *node, uint32_t room,
                    uint32_t start, uint32_t at, uint32_t removed, uint32_t added)
{
    unsigned char *from = node->block + node->start, *block = node->block;
    uint32_t rest = node->used - at - removed;
    if (room != node->room) {
        block = block_alloc(thread, room);
        if (block == NULL) {
            return false;
        }
    }
    unsigned char *to = block + start;
    if (block != node->block) {
        memcpy(to, from, at);
        memcpy(to + at + added, from + at + removed, rest);
        block_free(thread, node->block, node->room);
    } else if (to > from) {
        memmove(to + at + added, from + at + removed, rest);
        memmove(to, from, at);
    } else {
        /* To the left, by 'from - to'; the part behind the gap may go either way. */
        if (to + at + added > from + at + removed) {
            memmove(to + at + added, from + at + removed, rest);
            memmove(to, from, at);
        } else {
            memmove(to, from, at);
            memmove(to + at + added, from + at + removed, rest);
        }
    }
    node->block = block;
    node->room = room;
    node->start = start;
    node->used = node->used - removed + added;
    return true;
}

/* Where the listpack starts in a block with 'slack' free bytes: all of them at the side that
 * grows, or for a block that is full enough half of them. */
static uint32_t start_for(bool at_front, uint32_t slack, bool halve)
{
    uint32_t mine = halve ? slack - slack / 2 : slack;
    return at_front ? mine : slack - mine;
}

/* Puts 'added' unset bytes in the place of 'removed' ones at 'at'. */
static bool splice(struct store_thread *thread, struct list_node *node, uint32_t at,
                   uint32_t removed, size_t added)
{
    uint32_t rest = node->used - at - removed;
    bool front = at <= rest; /* the front part is the shorter one */
    size_t used = node->used - removed + added;
    if (used > LISTPACK_MAX) {
        return false;
    }
    uint32_t more = (uint32_t)added - removed; /* modulo 2^32 when there are fewer */
    uint32_t back_room = node->room - node->start - node->used;
    if (used <= node->used || (front ? node->start : back_room) >= more) {
        unsigned char *from = node->block + node->start;
        if (front) {
            node->start -= more;
            memmove(node->block + node->start, from, at);
        } else {
            memmove(from + at + added, from + at + removed, rest);
        }
        node->used = (uint32_t)used;
        return true;
    }
    bool grow = used > node->room || (node->room - used < node->room / 8 && node->room < 4096);
    uint32_t room = grow ? room_for(used > node->room ? used : (size_t)node->room + 1) : node->room;
    return rebuild(thread, node, room, start_for(front, room - (uint32_t)used, !grow), at, removed,
                   (uint32_t)added);
}

static bool put(struct store_thread *thread, struct list_node *node, uint32_t at, uint32_t removed,
                struct bytes text)
{
    struct listpack_element element;
    listpack_encode(&element, text);
    if (!splice(thread, node, at, removed, element.size)) {
        return false;
    }
    listpack_write(&element, node->block + node->start + at);
    return true;
}

bool list_node_insert(struct store_thread *thread, struct list_node *node, uint32_t at,
                      struct bytes text)
{
    if (!put(thread, node, at, 0, text)) {
        return false;
    }
    node->count++;
    write_header(node);
    return true;
}

bool list_node_replace(struct store_thread *thread, struct list_node *node, uint32_t at,
                       struct bytes text)
{
    uint32_t former = listpack_skip(node->block + node->start + at);
    if (!put(thread, node, at, former, text)) {
        return false;
    }
    write_header(node);
    return true;
}

void list_node_delete(struct store_thread *thread, struct list_node *node, uint32_t at,
                      uint32_t count)
{
    const unsigned char *bytes = node->block + node->start;
    uint32_t end = at;
    for (uint32_t i = 0; i < count; i++) {
        end += listpack_skip(bytes + end);
    }
    (void)splice(thread, node, at, end - at, 0); /* What makes it smaller cannot fail. */
    node->count -= count;
    write_header(node);
    if (node->room > ROOM_MIN && node->used < node->room / 4) {
        list_node_trim(thread, node);
    }
}

bool list_node_join(struct store_thread *thread, struct list_node *node,
                    const struct list_node *from)
{
    uint32_t added = from->used - LISTPACK_HEADER - 1, at = node->used - 1;
    if (!splice(thread, node, at, 0, added)) {
        return false;
    }
    memcpy(node->block + node->start + at, from->block + from->start + LISTPACK_HEADER, added);
    node->count += from->count;
    write_header(node);
    return true;
}

void list_node_trim(struct store_thread *thread, struct list_node *node)
{
    if (list_node_is_plain(node) || node->room - node->used <= node->room / 8) {
        return;
    }
    uint32_t room = (node->used + 15) & ~UINT32_C(15);
    if (room < node->room) {
        /* It stays as it is when memory is short. */
        (void)rebuild(thread, node, room, 0, node->used, 0, 0);
    }
}
