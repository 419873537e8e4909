/* Packed blocks of stream entries: writing them; reading is stream_entry.c's.  See
 * stream_block.h. */
#include "store/stream_block.h"

#include "store/heap.h"
#include "store/listpack_element.h"

/* Bytes kept free behind a pack: deleting turns counts into longer ones, and must not fail. */
enum { SPARE = 8, SMALL_INTEGER = 0x80, MEDIUM_INTEGER = 0xc0 };

static uint32_t total_of(const struct stream_block *block)
{
    return listpack_load32(block->pack);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t size_for(size_t room)
{
    return heap_size(sizeof(struct stream_block) + room);
}

static struct stream_block *make_block(struct store_thread *thread, size_t room)
{
    size_t size = size_for(room);
    struct stream_block *block = heap_alloc(thread, size);
    if (block != NULL) {
        block->room = (uint32_t)(size - sizeof *block);
    }
    return block;
}

void stream_block_destroy(struct store_thread *thread, struct stream_block *block)
{
    if (block != NULL) {
        heap_free(thread, block, sizeof *block + block->room);
    }
}

size_t stream_block_memory(const struct stream_block *block)
{
    return sizeof *block + block->room;
}

struct bytes stream_block_bytes(const struct stream_block *block)
{
    return (struct bytes){ (const char *)block->pack, total_of(block) };
}

struct stream_block *stream_block_load(struct store_thread *thread, struct bytes pack)
{
    struct stream_block *block = make_block(thread, pack.len + SPARE);
    if (block != NULL) {
        memcpy(block->pack, pack.at, pack.len);
    }
    return block;
}

/* Moves the block to one with 'room'. */
static bool move_block(struct store_thread *thread, struct stream_block **block, size_t room)
{
    struct stream_block *moved = make_block(thread, room);
    if (moved == NULL) {
        return false;
    }
    memcpy(moved->pack, (*block)->pack, total_of(*block));
    stream_block_destroy(thread, *block);
    *block = moved;
    return true;
}

/* Room for 'more' bytes and the spare ones. */
static bool reserve(struct store_thread *thread, struct stream_block **block, size_t more)
{
    size_t need = total_of(*block) + more + SPARE;
    if (__builtin_expect(need <= (*block)->room, 1)) {
        return true;
    }
    size_t generous = need + need / 4;
    return need <= LISTPACK_MAX && move_block(thread, block, generous);
}

void stream_block_close(struct store_thread *thread, struct stream_block **block)
{
    size_t need = total_of(*block) + SPARE;
    if (size_for(need) < sizeof **block + (*block)->room) {
        (void)move_block(thread, block, need); /* Else it stays as large as it is. */
    }
}

/* ---- Writing elements -------------------------------------------------------------------------- */

/* More than the element of a text of this length takes. */
static size_t element_bound(size_t len)
{
    return len + (len < 64 ? 2 : len < 4096 ? 5 : 10);
}

enum { INTEGER_BOUND = 10, FIXED_BOUND = 5 * INTEGER_BOUND };

static unsigned char *put_integer(unsigned char *at, int64_t value)
{
    if (__builtin_expect((uint64_t)value < SMALL_INTEGER, 1)) {
        at[0] = (unsigned char)value;
        at[1] = 1;
        return at + 2;
    }
    struct listpack_element element;
    listpack_encode_integer(&element, value);
    listpack_write(&element, at);
    return at + element.size;
}

static unsigned char *put_text(unsigned char *at, struct bytes text)
{
    if (text.len > 0 && text.len < 64 && (unsigned)(text.at[text.len - 1] - '0') > 9) {
        at[0] = (unsigned char)(0x80 | text.len);
        memcpy(at + 1, text.at, text.len);
        at[1 + text.len] = (unsigned char)(1 + text.len);
        return at + text.len + 2;
    }
    struct listpack_element element;
    listpack_encode(&element, text);
    listpack_write(&element, at);
    return at + element.size;
}

/* The pack has got 'added' elements, and ends at 'end'. */
static void finish(struct stream_block *block, unsigned char *end, uint64_t added)
{
    *end++ = LISTPACK_END;
    listpack_store32(block->pack, (uint32_t)(end - block->pack));
    uint64_t count = listpack_load16(block->pack + 4);
    if (count != LISTPACK_UNKNOWN) {
        count += added;
        listpack_store16(block->pack + 4,
                         count < LISTPACK_UNKNOWN ? (uint32_t)count : LISTPACK_UNKNOWN);
    }
}

/* Writes another integer in the place of the one at 'at'. */
static void set_integer(struct stream_block *block, uint32_t at, int64_t value)
{
    unsigned char *pack = block->pack;
    if (__builtin_expect(pack[at] < SMALL_INTEGER && (uint64_t)value < SMALL_INTEGER, 1)) {
        pack[at] = (unsigned char)value;
        return;
    }
    struct listpack_element element;
    listpack_encode_integer(&element, value);
    uint32_t former = listpack_skip(pack + at), total = total_of(block);
    memmove(pack + at + element.size, pack + at + former, total - at - former);
    listpack_write(&element, pack + at);
    listpack_store32(pack, (uint32_t)(total - former + element.size));
}

static int64_t integer_at(const unsigned char *pack, uint32_t at)
{
    return pack[at] < SMALL_INTEGER
               ? pack[at]
               : listpack_get((const struct listpack *)(const void *)pack, at).integer;
}

/* ---- Entries ----------------------------------------------------------------------------------- */

static size_t pairs_bound(const struct bytes *pairs, uint32_t field_count, bool with_fields)
{
    size_t bound = 0;
    for (uint32_t i = 0; i < field_count; i++) {
        bound += element_bound(pairs[2 * i + 1].len);
        if (with_fields) {
            bound += element_bound(pairs[2 * i].len);
        }
    }
    return bound;
}

/* Writes an entry at 'end', for which there is room. */
static void put_entry(struct stream_block *block, unsigned char *end, struct stream_id difference,
                      const struct bytes *pairs, uint32_t field_count, bool same_fields)
{
    uint64_t pieces = (uint64_t)field_count + 3;
    end = put_integer(end, same_fields ? STREAM_ENTRY_SAME_FIELDS : 0);
    end = put_integer(end, (int64_t)difference.ms);
    end = put_integer(end, (int64_t)difference.seq);
    if (!same_fields) {
        end = put_integer(end, field_count);
        pieces += (uint64_t)field_count + 1;
    }
    for (uint32_t i = 0; i < field_count; i++) {
        if (!same_fields) {
            end = put_text(end, pairs[2 * i]);
        }
        end = put_text(end, pairs[2 * i + 1]);
    }
    end = put_integer(end, (int64_t)pieces);
    finish(block, end, pieces + 1);
}

struct stream_block *stream_block_create(struct store_thread *thread, const struct bytes *pairs,
                                         uint32_t field_count)
{
    size_t bound = LISTPACK_HEADER + 1 + 4 * INTEGER_BOUND + FIXED_BOUND + SPARE +
                   pairs_bound(pairs, field_count, true);
    struct stream_block *block = bound <= LISTPACK_MAX ? make_block(thread, bound) : NULL;
    if (block == NULL) {
        return NULL;
    }
    unsigned char *end = block->pack + LISTPACK_HEADER;
    listpack_store16(block->pack + 4, 0);
    end = put_integer(end, 1);
    end = put_integer(end, 0);
    end = put_integer(end, field_count);
    for (uint32_t i = 0; i < field_count; i++) {
        end = put_text(end, pairs[2 * i]);
    }
    end = put_integer(end, 0);
    finish(block, end, (uint64_t)field_count + 4);
    put_entry(block, end, STREAM_ID_MIN, pairs, field_count, true);
    return block;
}

/* Whether the fields are the master's, one by one. */
static bool has_fields(const struct stream_master *master, const struct bytes *pairs,
                       uint32_t field_count)
{
    if (master->field_count != field_count) {
        return false;
    }
    const unsigned char *pack = master->pack;
    const struct listpack *lp = (const struct listpack *)(const void *)pack;
    uint32_t at = master->fields_at;
    for (uint32_t i = 0; i < field_count; i++) {
        struct bytes field = pairs[2 * i];
        if ((pack[at] & 0xc0) == 0x80) {
            if (field.len != (pack[at] & 0x3fu) ||
                memcmp(pack + at + 1, field.at, field.len) != 0) {
                return false;
            }
            at += (uint32_t)field.len + 2;
            continue;
        }
        if (!listpack_is(lp, at, field)) {
            return false;
        }
        at += listpack_skip(pack + at);
    }
    return true;
}

bool stream_block_append(struct store_thread *thread, struct stream_block **block,
                         struct stream_id master_id, struct stream_id id, const struct bytes *pairs,
                         uint32_t field_count)
{
    struct stream_master master;
    stream_block_master(*block, master_id, &master);
    bool same_fields = has_fields(&master, pairs, field_count);
    if (!reserve(thread, block, FIXED_BOUND + pairs_bound(pairs, field_count, !same_fields))) {
        return false;
    }
    set_integer(*block, LISTPACK_HEADER, integer_at((*block)->pack, LISTPACK_HEADER) + 1);
    struct stream_id difference = { id.ms - master_id.ms, id.seq - master_id.seq };
    put_entry(*block, (*block)->pack + total_of(*block) - 1, difference, pairs, field_count,
              same_fields);
    return true;
}

static uint32_t deleted_at(const struct stream_block *block)
{
    return LISTPACK_HEADER + listpack_skip(block->pack + LISTPACK_HEADER);
}

uint64_t stream_block_live(const struct stream_block *block)
{
    return (uint64_t)integer_at(block->pack, LISTPACK_HEADER);
}

uint64_t stream_block_deleted(const struct stream_block *block)
{
    return (uint64_t)integer_at(block->pack, deleted_at(block));
}

void stream_block_recount(struct stream_block *block, uint64_t marked)
{
    int64_t count = (int64_t)marked;
    set_integer(block, LISTPACK_HEADER, integer_at(block->pack, LISTPACK_HEADER) - count);
    uint32_t at = deleted_at(block);
    set_integer(block, at, integer_at(block->pack, at) + count);
}

/* ---- Checking ---------------------------------------------------------------------------------- */

/* Walks elements of a sound listpack. */
struct cursor {
    const struct listpack *lp;
    uint32_t at; /* 0: at the end */
};

static bool read_integer(struct cursor *cursor, int64_t *value)
{
    if (cursor->at == 0) {
        return false;
    }
    struct listpack_value read = listpack_get(cursor->lp, cursor->at);
    cursor->at = listpack_next(cursor->lp, cursor->at);
    *value = read.integer;
    return read.string.at == NULL;
}

static bool skip(struct cursor *cursor, int64_t count)
{
    for (; count > 0; count--) {
        if (cursor->at == 0) {
            return false;
        }
        cursor->at = listpack_next(cursor->lp, cursor->at);
    }
    return count == 0;
}

/* '*id' is the master's, and becomes the entry's. */
static bool check_entry(struct cursor *cursor, int64_t master_fields, struct stream_id *id,
                        bool *deleted)
{
    int64_t flags, ms, seq, fields = master_fields, pieces;
    uint32_t at = cursor->at;
    /* Flags are changed in place: no form but the shortest will do. */
    if (at == 0 || ((const unsigned char *)(const void *)cursor->lp)[at] > 3 ||
        !read_integer(cursor, &flags) || !read_integer(cursor, &ms) ||
        !read_integer(cursor, &seq)) {
        return false;
    }
    id->ms += (uint64_t)ms;
    id->seq += (uint64_t)seq;
    int64_t expected = fields + 3;
    if ((flags & STREAM_ENTRY_SAME_FIELDS) != 0) {
        if (!skip(cursor, fields)) {
            return false;
        }
    } else {
        if (!read_integer(cursor, &fields) || fields < 0 || fields > UINT32_MAX / 2 ||
            !skip(cursor, 2 * fields)) {
            return false;
        }
        expected = 2 * fields + 4;
    }
    *deleted = (flags & STREAM_ENTRY_DELETED) != 0;
    return read_integer(cursor, &pieces) && pieces == expected;
}

bool stream_block_check(struct bytes pack, struct stream_id master)
{
    if (!listpack_check(pack, true)) {
        return false;
    }
    struct cursor cursor = { (const struct listpack *)(const void *)pack.at, 0 };
    cursor.at = listpack_first(cursor.lp);
    int64_t live, deleted, fields, zero;
    if (!read_integer(&cursor, &live) || !read_integer(&cursor, &deleted) ||
        !read_integer(&cursor, &fields) || live < 0 || deleted < 0 || fields < 0 ||
        fields > UINT32_MAX / 2 || !skip(&cursor, fields) || !read_integer(&cursor, &zero) ||
        zero != 0) {
        return false;
    }
    struct stream_id least = master;
    while (cursor.at != 0) {
        struct stream_id id = master;
        bool is_deleted;
        if (!check_entry(&cursor, fields, &id, &is_deleted) || stream_id_compare(id, least) < 0) {
            return false;
        }
        if (!stream_id_increment(&id) && cursor.at != 0) {
            return false;
        }
        least = id;
        live -= !is_deleted;
        deleted -= is_deleted;
    }
    return live == 0 && deleted == 0;
}
