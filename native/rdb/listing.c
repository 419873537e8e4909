/* Small values in one string: checking and reading the three forms; see listing.h. */
#include "rdb/listing.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/keyspace.h"

/* One element: a string (borrowed), or an integer when '.at' is NULL. */
struct element {
    struct bytes string;
    int64_t integer;
    size_t size; /* with all that belongs to it */
};

static uint64_t little_endian(struct bytes bytes, size_t at, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value |= (uint64_t)(unsigned char)bytes.at[at + i] << (8 * i);
    }
    return value;
}

static unsigned byte_at(struct bytes bytes, size_t at)
{
    return bytes.at != NULL ? (unsigned char)bytes.at[at] : 0;
}

/* ---- Ziplists ---------------------------------------------------------------------------------- */

enum {
    ZIPLIST_HEADER = 10,
    LISTING_END = 255,
    ZIPLIST_LONG = 254,       /* four bytes of length follow */
    ZIPLIST_UNKNOWN = 0xffff, /* entries that the header can't count */
};

static bool set_integer(struct bytes bytes, size_t at, unsigned width, struct element *element)
{
    unsigned unused = 64 - 8 * width;
    if (bytes.len - at < width) {
        return false;
    }
    element->integer = (int64_t)(little_endian(bytes, at, width) << unused) >> unused;
    element->size = at + width;
    return true;
}

/* What begins at 'at' as one of the string forms; 'head' bytes tell its length. */
static bool set_string(struct bytes bytes, size_t at, size_t head, size_t len,
                       struct element *element)
{
    if (bytes.len - at < head || bytes.len - at - head < len) {
        return false;
    }
    element->string = (struct bytes){ bytes.at + at + head, len };
    element->size = at + head + len;
    return true;
}

static size_t big_endian(struct bytes bytes, size_t at)
{
    size_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        value = value << 8 | byte_at(bytes, at + i);
    }
    return value;
}

/* The entry of a ziplist that 'bytes' begin with; 'before' is the size of the one before it.
 * False when it is none, or not whole. */
static bool read_ziplist_entry(struct bytes bytes, size_t before, struct element *element)
{
    static const uint8_t widths[4] = { 2, 4, 8, 3 }; /* of 0xc0, 0xd0, 0xe0, 0xf0 */
    *element = (struct element){ { NULL, 0 }, 0, 0 };
    size_t at = bytes.len > 0 && byte_at(bytes, 0) == ZIPLIST_LONG ? 5 : 1;
    if (bytes.len < at + 1 ||
        before != (at == 1 ? byte_at(bytes, 0) : little_endian(bytes, 1, 4))) {
        return false;
    }
    unsigned head = byte_at(bytes, at);
    switch (head >> 6) {
    case 0:
        return set_string(bytes, at, 1, head, element);
    case 1:
        return bytes.len - at >= 2 &&
               set_string(bytes, at, 2, (size_t)(head & 0x3f) << 8 | byte_at(bytes, at + 1),
                          element);
    case 2:
        return head == 0x80 && bytes.len - at >= 5 &&
               set_string(bytes, at, 5, big_endian(bytes, at + 1), element);
    default:
        break;
    }
    if ((head & 0x0f) == 0) {
        return set_integer(bytes, at + 1, widths[(head >> 4) & 3], element);
    }
    if (head == 0xfe) {
        return set_integer(bytes, at + 1, 1, element);
    }
    element->integer = (int64_t)(head & 0x0f) - 1;
    element->size = at + 1;
    return head > 0xf0 && head < 0xfe;
}

static bool open_ziplist(struct rdb_listing *listing)
{
    struct bytes bytes = listing->bytes;
    if (bytes.len < ZIPLIST_HEADER + 1 || little_endian(bytes, 0, 4) != bytes.len ||
        byte_at(bytes, bytes.len - 1) != LISTING_END) {
        return false;
    }
    size_t at = ZIPLIST_HEADER, last = at, before = 0, end = bytes.len - 1;
    while (at < end) {
        struct element element;
        if (!read_ziplist_entry((struct bytes){ bytes.at + at, end - at }, before, &element)) {
            return false;
        }
        last = at;
        before = element.size;
        at += element.size;
        listing->count++;
    }
    uint64_t known = little_endian(bytes, 8, 2);
    listing->at = ZIPLIST_HEADER;
    return little_endian(bytes, 4, 4) == last &&
           (known == ZIPLIST_UNKNOWN || known == listing->count);
}

/* Of a ziplist that was checked: the entry at 'at' without looking at the one before. */
static void ziplist_entry(struct bytes bytes, size_t at, struct element *element)
{
    struct bytes rest = { bytes.at + at, bytes.len - 1 - at };
    size_t before = byte_at(rest, 0) == ZIPLIST_LONG ? little_endian(rest, 1, 4) : byte_at(rest, 0);
    (void)read_ziplist_entry(rest, before, element);
}

/* ---- Zipmaps ----------------------------------------------------------------------------------- */

/* The name (or value: with a count of free bytes) that 'bytes' begin with. */
static bool read_zipmap_entry(struct bytes bytes, bool is_value, struct element *element)
{
    *element = (struct element){ { NULL, 0 }, 0, 0 };
    size_t head = bytes.len > 0 && byte_at(bytes, 0) == ZIPLIST_LONG ? 5 : 1;
    if (bytes.len < head + is_value) {
        return false;
    }
    size_t len = head == 1 ? byte_at(bytes, 0) : little_endian(bytes, 1, 4);
    size_t free = is_value ? byte_at(bytes, head) : 0;
    if (!set_string(bytes, 0, head + is_value, len, element) || bytes.len - element->size < free) {
        return false;
    }
    element->size += free;
    return true;
}

static bool open_zipmap(struct rdb_listing *listing)
{
    enum { UNKNOWN = 254 };
    struct bytes bytes = listing->bytes;
    if (bytes.len < 2 || byte_at(bytes, bytes.len - 1) != LISTING_END) {
        return false;
    }
    size_t at = 1, end = bytes.len - 1;
    while (at < end) {
        struct element element;
        bool is_value = listing->count % 2 == 1;
        if (!read_zipmap_entry((struct bytes){ bytes.at + at, end - at }, is_value, &element)) {
            return false;
        }
        at += element.size;
        listing->count++;
    }
    unsigned known = byte_at(bytes, 0);
    listing->at = 1;
    return listing->count % 2 == 0 && (known >= UNKNOWN || known == listing->count / 2);
}

/* ---- All of them ------------------------------------------------------------------------------- */

static const struct listpack *pack_of(const struct rdb_listing *listing)
{
    return (const struct listpack *)(const void *)listing->bytes.at;
}

bool rdb_listing_open(struct rdb_listing *listing, enum rdb_listing_kind kind, struct bytes bytes)
{
    *listing = (struct rdb_listing){ .kind = kind, .bytes = bytes };
    switch (kind) {
    case RDB_IN_ZIPLIST:
        return open_ziplist(listing);
    case RDB_IN_ZIPMAP:
        return open_zipmap(listing);
    case RDB_IN_LISTPACK:
        break;
    }
    if (!listpack_check(bytes, true)) {
        return false;
    }
    listing->count = listpack_count(pack_of(listing));
    listing->at = listpack_first(pack_of(listing));
    return true;
}

struct bytes rdb_listing_next(struct rdb_listing *listing, char digits[NUM_INT_ROOM])
{
    struct element element;
    size_t at = listing->at;
    listing->taken++;
    if (listing->kind == RDB_IN_LISTPACK) {
        listing->at = listpack_next(pack_of(listing), (uint32_t)at);
        return listpack_text(pack_of(listing), (uint32_t)at, digits);
    }
    if (listing->kind == RDB_IN_ZIPLIST) {
        ziplist_entry(listing->bytes, at, &element);
    } else {
        struct bytes rest = { listing->bytes.at + at, listing->bytes.len - 1 - at };
        (void)read_zipmap_entry(rest, listing->taken % 2 == 0, &element);
    }
    listing->at = at + element.size;
    return element.string.at != NULL
               ? element.string
               : (struct bytes){ digits, num_format_i64(digits, element.integer) };
}

/* ---- Twins ------------------------------------------------------------------------------------- */

/* A string and its hash: those of twins come to lie side by side. */
struct hashed {
    uint64_t hash;
    size_t at;
};

static int compare_hashes(const void *a, const void *b)
{
    uint64_t first = ((const struct hashed *)a)->hash, second = ((const struct hashed *)b)->hash;
    return (first > second) - (first < second);
}

static bool is_same(const struct rdb_listing *listing, size_t a, size_t b)
{
    struct rdb_listing one = *listing, other = *listing;
    char one_digits[NUM_INT_ROOM], other_digits[NUM_INT_ROOM];
    one.at = a;
    other.at = b;
    one.taken = other.taken = 0; /* Both are where a name may be. */
    return bytes_equal(rdb_listing_next(&one, one_digits), rdb_listing_next(&other, other_digits));
}

bool rdb_listing_is_unique(struct rdb_reader *reader, const struct store_thread *thread,
                           const struct rdb_listing *listing, unsigned step)
{
    struct rdb_listing walk = *listing;
    size_t count = 0;
    bool unique = true;
    struct hashed *strings = mem_try_alloc((listing->count / step + 1) * sizeof *strings);
    if (strings == NULL) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
        return true;
    }
    while (walk.taken < walk.count) {
        char digits[NUM_INT_ROOM];
        size_t at = walk.at;
        bool counts = walk.taken % step == 0;
        struct bytes text = rdb_listing_next(&walk, digits);
        if (counts) {
            strings[count++] = (struct hashed){ keyspace_hash(thread->keyspace, 0, text), at };
        }
    }
    qsort(strings, count, sizeof *strings, compare_hashes);
    for (size_t i = 1; i < count && unique; i++) {
        unique = strings[i - 1].hash != strings[i].hash ||
                 !is_same(listing, strings[i - 1].at, strings[i].at);
    }
    mem_free(strings);
    return unique;
}
