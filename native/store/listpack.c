/* Listpacks in memory: walking, reading, changing and checking them; see listpack.h.  How
 * one element is encoded is listpack_element.c's.
 *
 * The block of a listpack begins with its own size, in two bytes before the format's:
 *
 *   block size / 8, or 0 for a block from the system | total bytes | elements | ... | end */
#include "store/listpack.h"

#include "store/heap.h"
#include "store/listpack_element.h"

enum { PREFIX = 2 };

static unsigned char *bytes_at(const struct listpack *lp)
{
    return (unsigned char *)(uintptr_t)lp;
}

static uint32_t total_of(const struct listpack *lp)
{
    return listpack_load32(bytes_at(lp));
}

/* ---- Blocks ------------------------------------------------------------------------------ */

/* The size of the block, prefix and all. */
static size_t block_size(const struct listpack *lp)
{
    const unsigned char *block = bytes_at(lp) - PREFIX;
    uint32_t units = listpack_load16(block);
    return units != 0 ? (size_t)units * 8 : mem_size(block);
}

/* A block with room for a listpack of 'total' bytes; large ones get an eighth more when
 * 'growing'. */
static struct listpack *make_block(struct store_thread *thread, size_t total, bool growing)
{
    size_t size = PREFIX + total;
    unsigned char *block;
    if (size <= SLAB_MAX) {
        size = slab_class_size(size);
        block = heap_alloc(thread, size);
        if (block == NULL) {
            return NULL;
        }
        listpack_store16(block, (uint32_t)(size / 8));
    } else {
        block = mem_try_alloc(growing ? size + size / 8 : size);
        if (block == NULL) {
            return NULL;
        }
        heap_note(thread, (int64_t)mem_size(block), 1);
        listpack_store16(block, 0);
    }
    return (struct listpack *)(void *)(block + PREFIX);
}

void listpack_destroy(struct store_thread *thread, struct listpack *lp)
{
    if (lp == NULL) {
        return;
    }
    unsigned char *block = bytes_at(lp) - PREFIX;
    size_t units = listpack_load16(block);
    if (units != 0) {
        heap_free(thread, block, units * 8);
    } else {
        heap_note(thread, -(int64_t)mem_size(block), -1);
        mem_free(block);
    }
}

struct listpack *listpack_create(struct store_thread *thread, size_t room)
{
    size_t total = LISTPACK_HEADER + 1;
    struct listpack *lp = make_block(thread, room > total ? room : total, false);
    if (lp != NULL) {
        unsigned char *at = bytes_at(lp);
        listpack_store32(at, (uint32_t)total);
        listpack_store16(at + 4, 0);
        at[LISTPACK_HEADER] = LISTPACK_END;
    }
    return lp;
}

struct listpack *listpack_load(struct store_thread *thread, struct bytes bytes)
{
    struct listpack *lp = make_block(thread, bytes.len, false);
    if (lp != NULL) {
        memcpy(bytes_at(lp), bytes.at, bytes.len);
    }
    return lp;
}

struct bytes listpack_bytes(const struct listpack *lp)
{
    return (struct bytes){ (const char *)lp, total_of(lp) };
}

size_t listpack_memory(const struct listpack *lp)
{
    return block_size(lp);
}

/* ---- Walking ------------------------------------------------------------------------------- */

static uint32_t next_of(const unsigned char *at, uint32_t offset)
{
    return offset + listpack_skip(at + offset);
}

/* The start of the element that ends before 'offset', which is not the first one. */
static uint32_t before(const unsigned char *at, uint32_t offset)
{
    uint32_t len = 0, back = 0;
    do {
        back++;
        len |= (uint32_t)(at[offset - back] & 0x7f) << (7 * (back - 1));
    } while ((at[offset - back] & 0x80) != 0 && back < 5);
    return offset - back - len;
}

uint32_t listpack_first(const struct listpack *lp)
{
    return bytes_at(lp)[LISTPACK_HEADER] != LISTPACK_END ? LISTPACK_HEADER : 0;
}

uint32_t listpack_last(const struct listpack *lp)
{
    uint32_t end = total_of(lp) - 1;
    return end > LISTPACK_HEADER ? before(bytes_at(lp), end) : 0;
}

uint32_t listpack_next(const struct listpack *lp, uint32_t at)
{
    uint32_t next = next_of(bytes_at(lp), at);
    return bytes_at(lp)[next] != LISTPACK_END ? next : 0;
}

uint32_t listpack_previous(const struct listpack *lp, uint32_t at)
{
    return at > LISTPACK_HEADER ? before(bytes_at(lp), at) : 0;
}

uint32_t listpack_count(const struct listpack *lp)
{
    const unsigned char *at = bytes_at(lp);
    uint32_t count = listpack_load16(at + 4);
    if (count != LISTPACK_UNKNOWN) {
        return count;
    }
    count = 0;
    for (uint32_t offset = LISTPACK_HEADER; at[offset] != LISTPACK_END;
         offset = next_of(at, offset)) {
        count++;
    }
    return count;
}

static uint32_t seek_forwards(const struct listpack *lp, uint64_t steps)
{
    const unsigned char *at = bytes_at(lp);
    uint32_t offset = LISTPACK_HEADER;
    for (; at[offset] != LISTPACK_END; offset = next_of(at, offset)) {
        if (steps-- == 0) {
            return offset;
        }
    }
    return 0;
}

static uint32_t seek_backwards(const struct listpack *lp, uint64_t steps)
{
    const unsigned char *at = bytes_at(lp);
    for (uint32_t offset = total_of(lp) - 1; offset > LISTPACK_HEADER;) {
        offset = before(at, offset);
        if (steps-- == 0) {
            return offset;
        }
    }
    return 0;
}

uint32_t listpack_seek(const struct listpack *lp, int64_t index)
{
    uint32_t known = listpack_load16(bytes_at(lp) + 4);
    if (known != LISTPACK_UNKNOWN) {
        if (index >= (int64_t)known || index < -(int64_t)known) {
            return 0;
        }
        if (index < 0 && -index > (int64_t)(known / 2)) {
            index += known;
        } else if (index > (int64_t)(known / 2)) {
            index -= known;
        }
    }
    return index >= 0 ? seek_forwards(lp, (uint64_t)index)
                      : seek_backwards(lp, (uint64_t)(-(index + 1)));
}

/* ---- Reading --------------------------------------------------------------------------------- */

static int64_t read_integer(const unsigned char *at, unsigned bytes)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < bytes; i++) {
        bits |= (uint64_t)at[i] << (8 * i);
    }
    unsigned unused = bytes > 0 ? 64 - 8 * bytes : 0;
    return (int64_t)(bits << unused) >> unused;
}

struct listpack_value listpack_get(const struct listpack *lp, uint32_t offset)
{
    const unsigned char *at = bytes_at(lp) + offset;
    struct listpack_value value = { { NULL, 0 }, 0 };
    if (at[0] < 0x80) {
        value.integer = at[0];
    } else if (at[0] < 0xc0) {
        value.string = (struct bytes){ (const char *)at + 1, at[0] & 0x3fu };
    } else if (at[0] < 0xe0) {
        int64_t bits = (at[0] & 0x1f) << 8 | at[1];
        value.integer = bits >= 4096 ? bits - 8192 : bits;
    } else if (at[0] < 0xf0) {
        value.string = (struct bytes){ (const char *)at + 2, (at[0] & 0x0fu) << 8 | at[1] };
    } else if (at[0] == 0xf0) {
        value.string = (struct bytes){ (const char *)at + 5, listpack_load32(at + 1) };
    } else {
        value.integer = read_integer(at + 1, at[0] == 0xf4 ? 8 : at[0] - 0xefu);
    }
    return value;
}

uint32_t listpack_take(const struct listpack *lp, uint32_t *at, struct listpack_value *values,
                       uint32_t max)
{
    const unsigned char *start = bytes_at(lp);
    uint32_t offset = *at, count = 0;
    for (; count < max && start[offset] != LISTPACK_END; count++) {
        unsigned char head = start[offset];
        if (__builtin_expect((head & 0xc0) == 0x80, 1)) { /* A string of up to 63 bytes. */
            values[count].string = (struct bytes){ (const char *)start + offset + 1, head & 0x3fu };
            offset += (head & 0x3fu) + 2;
        } else {
            values[count] = listpack_get(lp, offset);
            offset += listpack_skip(start + offset);
        }
    }
    *at = start[offset] != LISTPACK_END ? offset : 0;
    return count;
}

struct bytes listpack_text(const struct listpack *lp, uint32_t at, char room[LISTPACK_TEXT_ROOM])
{
    struct listpack_value value = listpack_get(lp, at);
    if (value.string.at != NULL) {
        return value.string;
    }
    return (struct bytes){ room, num_format_i64(room, value.integer) };
}

/* What is looked for, in both forms that an element can have. */
struct wanted {
    struct bytes text;
    int64_t integer;
    bool is_integer;
};

static struct wanted wanted_of(struct bytes text)
{
    struct wanted wanted = { .text = text };
    wanted.is_integer = listpack_is_integer(text, &wanted.integer);
    return wanted;
}

static bool matches(const struct listpack *lp, uint32_t at, const struct wanted *wanted)
{
    struct listpack_value value = listpack_get(lp, at);
    if (value.string.at != NULL) {
        return value.string.len == wanted->text.len &&
               (value.string.len == 0 ||
                memcmp(value.string.at, wanted->text.at, value.string.len) == 0);
    }
    return wanted->is_integer && value.integer == wanted->integer;
}

bool listpack_is(const struct listpack *lp, uint32_t at, struct bytes text)
{
    struct wanted wanted = wanted_of(text);
    return matches(lp, at, &wanted);
}

uint32_t listpack_find(const struct listpack *lp, uint32_t at, struct bytes text, uint32_t step)
{
    const unsigned char *start = bytes_at(lp);
    struct wanted wanted = wanted_of(text);
    uint32_t skip = 0;
    for (; at != 0 && start[at] != LISTPACK_END; at = next_of(start, at)) {
        if (skip > 0) {
            skip--;
            continue;
        }
        if (matches(lp, at, &wanted)) {
            return at;
        }
        skip = step > 0 ? step - 1 : 0;
    }
    return 0;
}

/* ---- Changing ----------------------------------------------------------------------------------- */

static void count_changed(struct listpack *lp, int64_t change)
{
    unsigned char *at = bytes_at(lp);
    uint32_t count = listpack_load16(at + 4);
    if (count != LISTPACK_UNKNOWN) {
        int64_t now = (int64_t)count + change;
        listpack_store16(at + 4, now < LISTPACK_UNKNOWN ? (uint32_t)now : LISTPACK_UNKNOWN);
    }
}

/* Puts 'added' unset bytes in the place of 'removed' ones at 'offset', in this block or a
 * better one.  False when that can't be; then nothing has changed. */
static bool splice(struct store_thread *thread, struct listpack **lp, uint32_t offset,
                   size_t removed, size_t added)
{
    unsigned char *at = bytes_at(*lp);
    size_t total = total_of(*lp), now = total - removed + added, size = block_size(*lp);
    if (added > removed && now > LISTPACK_MAX) {
        return false;
    }
    size_t rest = total - offset - removed;
    bool grows = now + PREFIX > size;
    if (grows || (removed > added && size > 64 && now + PREFIX < size - size / 4)) {
        struct listpack *moved = make_block(thread, now, grows);
        if (moved != NULL) {
            unsigned char *to = bytes_at(moved);
            memcpy(to, at, offset);
            memcpy(to + offset + added, at + offset + removed, rest);
            listpack_destroy(thread, *lp);
            *lp = moved;
            listpack_store32(to, (uint32_t)now);
            return true;
        }
        if (grows) {
            return false;
        }
    }
    if (removed != added) {
        memmove(at + offset + added, at + offset + removed, rest);
        listpack_store32(at, (uint32_t)now);
    }
    return true;
}

/* Puts 'text' in the place of 'removed' bytes. */
static bool put(struct store_thread *thread, struct listpack **lp, uint32_t offset, size_t removed,
                struct bytes text)
{
    struct listpack_element element;
    if (text.len > LISTPACK_MAX) {
        return false;
    }
    listpack_encode(&element, text);
    if (!splice(thread, lp, offset, removed, element.size)) {
        return false;
    }
    listpack_write(&element, bytes_at(*lp) + offset);
    return true;
}

bool listpack_insert(struct store_thread *thread, struct listpack **lp, uint32_t *at,
                     struct bytes text)
{
    uint32_t offset = *at != 0 ? *at : total_of(*lp) - 1;
    if (!put(thread, lp, offset, 0, text)) {
        return false;
    }
    count_changed(*lp, 1);
    *at = offset;
    return true;
}

bool listpack_append(struct store_thread *thread, struct listpack **lp, struct bytes text)
{
    uint32_t at = 0;
    return listpack_insert(thread, lp, &at, text);
}

bool listpack_prepend(struct store_thread *thread, struct listpack **lp, struct bytes text)
{
    uint32_t at = LISTPACK_HEADER;
    return listpack_insert(thread, lp, &at, text);
}

bool listpack_replace(struct store_thread *thread, struct listpack **lp, uint32_t *at,
                      struct bytes text)
{
    return put(thread, lp, *at, listpack_skip(bytes_at(*lp) + *at), text);
}

uint32_t listpack_delete(struct store_thread *thread, struct listpack **lp, uint32_t at,
                         uint32_t count)
{
    const unsigned char *start = bytes_at(*lp);
    uint32_t end = at;
    uint32_t deleted = 0;
    for (; deleted < count && start[end] != LISTPACK_END; deleted++) {
        end = next_of(start, end);
    }
    (void)splice(thread, lp, at, end - at, 0); /* What makes it smaller cannot fail. */
    count_changed(*lp, -(int64_t)deleted);
    return bytes_at(*lp)[at] != LISTPACK_END ? at : 0;
}

size_t listpack_element_size(struct bytes text)
{
    struct listpack_element element;
    listpack_encode(&element, text);
    return element.size;
}

/* ---- Checking ------------------------------------------------------------------------------------ */

/* The size of the element at 'offset' if all of it lies before 'end' and its back length is
 * right; else 0. */
static uint32_t check_element(const unsigned char *at, uint32_t offset, uint32_t end)
{
    uint32_t room = end - offset;
    unsigned char first = at[offset];
    uint32_t head = first < 0xc0 ? 1 : first < 0xf0 ? 2 : first == 0xf0 ? 5 : 1;
    if (first > 0xf4 || room <= head) {
        return 0;
    }
    if (first == 0xf0 && listpack_load32(at + offset + 1) >= room) {
        return 0; /* Nor may the sum overflow. */
    }
    uint32_t size = listpack_skip(at + offset);
    if (size > room) {
        return 0;
    }
    uint32_t back = 1;
    uint64_t len = at[offset + size - 1] & 0x7f;
    while ((at[offset + size - back] & 0x80) != 0) {
        if (++back > 5 || back >= size) {
            return 0;
        }
        len |= (uint64_t)(at[offset + size - back] & 0x7f) << (7 * (back - 1));
    }
    return len + back == size && back == listpack_back_size(len) ? size : 0;
}

bool listpack_check(struct bytes bytes, bool deep)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    if (bytes.len < LISTPACK_HEADER + 1 || bytes.len > LISTPACK_MAX ||
        listpack_load32(at) != bytes.len || at[bytes.len - 1] != LISTPACK_END) {
        return false;
    }
    if (!deep) {
        return true;
    }
    uint32_t end = (uint32_t)bytes.len - 1, count = 0;
    for (uint32_t offset = LISTPACK_HEADER; offset < end; count++) {
        uint32_t size = check_element(at, offset, end);
        if (size == 0) {
            return false;
        }
        offset += size;
    }
    uint32_t known = listpack_load16(at + 4);
    return known == LISTPACK_UNKNOWN || known == count;
}
