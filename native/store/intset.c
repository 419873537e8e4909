/* Blocks of integers in order; see intset.h. */
#include "store/intset.h"

#include "store/heap.h"

/* Before the set stands the size of its block, in units of 8 bytes. */
enum { HEADER = 8, PREFIX = 4, UNIT = 8 };

struct intset {
    unsigned char width[4], count[4];
    unsigned char elements[];
};

static uint32_t load32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void store32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (unsigned char)(value >> (8 * i));
    }
}

static uint32_t width_of(const struct intset *set)
{
    return set->width[0];
}

static uint32_t width_for(int64_t value)
{
    return value >= INT16_MIN && value <= INT16_MAX   ? 2
           : value >= INT32_MIN && value <= INT32_MAX ? 4
                                                      : 8;
}

static size_t set_size(uint32_t width, uint32_t count)
{
    return HEADER + (size_t)width * count;
}

static unsigned char *block_of(struct intset *set)
{
    return (unsigned char *)set - PREFIX;
}

static size_t block_size(const struct intset *set)
{
    return (size_t)load32((const unsigned char *)set - PREFIX) * UNIT;
}

/* A block for a set of 'size' bytes, with some room to grow when that is much. */
static struct intset *make_block(struct store_thread *thread, size_t size)
{
    size_t bytes = PREFIX + size;
    bytes = bytes <= SLAB_MAX ? heap_size(bytes) : (bytes + bytes / 8 + UNIT) / UNIT * UNIT;
    unsigned char *block = heap_alloc(thread, bytes);
    if (block == NULL) {
        return NULL;
    }
    store32(block, (uint32_t)(bytes / UNIT));
    return (struct intset *)(void *)(block + PREFIX);
}

static int64_t load(const unsigned char *elements, uint32_t width, uint32_t index)
{
    const unsigned char *at = elements + (size_t)width * index;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (width == 2) {
        int16_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    if (width == 4) {
        int32_t value;
        memcpy(&value, at, sizeof value);
        return value;
    }
    int64_t value;
    memcpy(&value, at, sizeof value);
    return value;
#else
    uint64_t bits = 0;
    for (uint32_t i = width; i > 0; i--) {
        bits = bits << 8 | at[i - 1];
    }
    unsigned unused = 64 - 8 * width;
    return (int64_t)(bits << unused) >> unused;
#endif
}

static void save(unsigned char *elements, uint32_t width, uint32_t index, int64_t value)
{
    unsigned char *at = elements + (size_t)width * index;
    for (uint32_t i = 0; i < width; i++) {
        at[i] = (unsigned char)((uint64_t)value >> (8 * i));
    }
}

struct intset *intset_create(struct store_thread *thread)
{
    struct intset *set = make_block(thread, HEADER);
    if (set != NULL) {
        memset(set, 0, HEADER);
        set->width[0] = 2;
    }
    return set;
}

void intset_destroy(struct store_thread *thread, struct intset *set)
{
    if (set != NULL) {
        heap_free(thread, block_of(set), block_size(set));
    }
}

struct intset *intset_load(struct store_thread *thread, struct bytes bytes)
{
    struct intset *set = make_block(thread, bytes.len);
    if (set != NULL) {
        memcpy(set, bytes.at, bytes.len);
    }
    return set;
}

struct bytes intset_bytes(const struct intset *set)
{
    return (struct bytes){ (const char *)set, set_size(width_of(set), intset_count(set)) };
}

size_t intset_memory(const struct intset *set)
{
    return block_size(set);
}

uint32_t intset_count(const struct intset *set)
{
    return load32(set->count);
}

bool intset_check(struct bytes bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    if (bytes.len < HEADER) {
        return false;
    }
    uint32_t width = load32(at), count = load32(at + 4);
    if ((width != 2 && width != 4 && width != 8) || bytes.len != set_size(width, count)) {
        return false;
    }
    for (uint32_t i = 1; i < count; i++) {
        if (load(at + HEADER, width, i - 1) >= load(at + HEADER, width, i)) {
            return false;
        }
    }
    return true;
}

int64_t intset_at(const struct intset *set, uint32_t index)
{
    return load(set->elements, width_of(set), index);
}

bool intset_find(const struct intset *set, int64_t value, uint32_t *index)
{
    uint32_t width = width_of(set), low = 0, high = intset_count(set);
    if (width_for(value) > width) {
        *index = value < 0 ? 0 : high;
        return false;
    }
    /* Integers come mostly in order: look at the end first. */
    if (high > 0 && load(set->elements, width, high - 1) < value) {
        *index = high;
        return false;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (load(set->elements, width, middle) < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *index = low;
    return low < intset_count(set) && load(set->elements, width, low) == value;
}

bool intset_insert(struct store_thread *thread, struct intset **set, uint32_t index, int64_t value)
{
    struct intset *from = *set, *to = from;
    uint32_t count = intset_count(from), before = width_of(from);
    uint32_t width = width_for(value) > before ? width_for(value) : before;
    size_t now = set_size(width, count + 1);
    if (width > before || PREFIX + now > block_size(from)) {
        to = make_block(thread, now);
        if (to == NULL) {
            return false;
        }
    }
    if (width == before) {
        size_t head = (size_t)width * index, tail = (size_t)width * (count - index);
        memmove(to->elements + head + width, from->elements + head, tail);
        memmove(to->elements, from->elements, head);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            save(to->elements, width, i < index ? i : i + 1, load(from->elements, before, i));
        }
    }
    save(to->elements, width, index, value);
    store32(to->width, width);
    store32(to->count, count + 1);
    if (to != from) {
        intset_destroy(thread, from);
        *set = to;
    }
    return true;
}

void intset_remove(struct store_thread *thread, struct intset **set, uint32_t index)
{
    struct intset *from = *set;
    uint32_t count = intset_count(from), width = width_of(from);
    size_t size = block_size(from), now = set_size(width, count - 1);
    unsigned char *at = from->elements + (size_t)width * index;
    memmove(at, at + width, (size_t)width * (count - 1 - index));
    store32(from->count, count - 1);
    if (PREFIX + now < size - size / 4 && size > 64) {
        struct intset *to = make_block(thread, now);
        if (to != NULL) {
            memcpy(to, from, now);
            intset_destroy(thread, from);
            *set = to;
        }
    }
}
