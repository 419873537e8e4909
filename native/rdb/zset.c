/* Sorted sets as they are serialised:
 *
 *   ZSET              members | (string | score, a double) ..., the greatest first
 *   ZSET_TEXT         members | (string | score) ...: its length in a byte and its digits, or for
 *                     the length 253 (not a number), 254 (infinite), 255 (minus infinite)
 *   ZSET_LISTPACK     string: a listpack of members and scores in turn, in order
 *   ZSET_ZIPLIST      likewise */
#include <math.h>

#include "rdb/listing.h"
#include "rdb/types.h"
#include "store/zset.h"

enum { TEXT_NAN = 253, TEXT_INFINITE = 254, TEXT_MINUS_INFINITE = 255 };

enum rdb_type rdb_zset_type(const struct entry *entry)
{
    return entry->encoding == ENCODING_LISTPACK ? RDB_ZSET_LISTPACK : RDB_ZSET;
}

void rdb_zset_write(struct rdb_writer *writer, const struct entry *entry, enum rdb_type type)
{
    struct zset zset = zset_of(entry);
    if (type == RDB_ZSET_LISTPACK) {
        rdb_write_string(writer, listpack_bytes(zset.pointer));
        return;
    }
    struct zset_cursor cursor;
    struct zset_element element;
    uint64_t count = zset_count(&zset);
    rdb_write_len(writer, count);
    zset_seek(&zset, count - 1, true, &cursor);
    while (zset_next(&cursor, &element)) {
        rdb_write_string(writer, element.member);
        rdb_write_double(writer, element.score);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

static double read_text_score(struct rdb_reader *reader)
{
    unsigned len = rdb_read_byte(reader);
    double score = 0;
    if (len == TEXT_INFINITE || len == TEXT_MINUS_INFINITE) {
        return len == TEXT_INFINITE ? INFINITY : -INFINITY;
    }
    struct bytes text = rdb_read_bytes(reader, len);
    rdb_require(reader, len != TEXT_NAN && num_parse_double(text, &score));
    return score;
}

/* Adds a member, which must not be there. */
static void add(struct rdb_reader *reader, struct store_thread *thread, struct zset *zset,
                struct bytes member, double score)
{
    struct zset_place place;
    if (!rdb_require(reader, !isnan(score))) {
        return;
    }
    zset_look(zset, member, &place);
    if (rdb_require(reader, !place.found) && !zset_add(thread, zset, &place, member, score)) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
    }
}

/* A set for so many members, which is at least one, the longest of so many bytes. */
static void begin(struct rdb_reader *reader, struct store_thread *thread, struct zset *zset,
                  uint64_t count, size_t longest)
{
    if (rdb_require(reader, count > 0) && !zset_create(thread, zset, count, longest)) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
    }
}

static void read_members(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                         struct zset *zset)
{
    struct rdb_text member = { 0 };
    uint64_t count = rdb_read_count(reader, type == RDB_ZSET ? 1 + sizeof(double) : 2);
    /* Large until all is known: a listpack would make 0 of a score that is -0. */
    begin(reader, thread, zset, count, SIZE_MAX);
    for (; count > 0 && reader->err == OK; count--) {
        rdb_read_string(reader, &member);
        double score = type == RDB_ZSET ? rdb_read_double(reader) : read_text_score(reader);
        if (reader->err == OK) {
            add(reader, thread, zset, member.bytes, score);
        }
    }
    if (reader->err == OK) {
        zset_compact(thread, zset);
    }
    rdb_text_release(&member);
}

static double listed_score(struct rdb_reader *reader, struct rdb_listing *listing)
{
    char digits[NUM_INT_ROOM];
    double score = 0;
    rdb_require(reader, num_parse_double(rdb_listing_next(listing, digits), &score));
    return score;
}

static void add_listed(struct rdb_reader *reader, struct store_thread *thread, struct zset *zset,
                       struct rdb_listing *listing)
{
    begin(reader, thread, zset, listing->count / 2, 0);
    while (reader->err == OK && listing->taken < listing->count) {
        char digits[NUM_INT_ROOM];
        struct bytes member = rdb_listing_next(listing, digits);
        double score = listed_score(reader, listing);
        if (reader->err == OK) {
            add(reader, thread, zset, member, score);
        }
    }
}

/* Whether scores, and members where these are the same, ascend. */
static bool is_in_order(struct rdb_reader *reader, struct rdb_listing listing)
{
    struct btree_bound before = { .kind = BOUND_FIRST };
    char rooms[2][NUM_INT_ROOM];
    for (unsigned i = 0; listing.taken < listing.count; i++) {
        struct bytes member = rdb_listing_next(&listing, rooms[i % 2]);
        double score = listed_score(reader, &listing);
        if (btree_is_below(&before, score, member)) {
            return false;
        }
        before = (struct btree_bound){ .kind = BOUND_BOTH, .score = score, .text = member };
    }
    return true;
}

/* A listpack is taken as it is when its members are not too many. */
static bool take_listpack(struct rdb_reader *reader, struct store_thread *thread, struct zset *zset,
                          const struct rdb_listing *listing)
{
    uint64_t limit = keyspace_limits(thread->keyspace)->zset_max_listpack_entries;
    if (listing->count == 0 || listing->count / 2 > limit) {
        return false;
    }
    if (rdb_require(reader, is_in_order(reader, *listing)) &&
        rdb_require(reader, rdb_listing_is_unique(reader, thread, listing, 2))) {
        *zset = (struct zset){ ENCODING_LISTPACK, listpack_load(thread, listing->bytes) };
        rdb_fail(reader, zset->pointer != NULL ? OK : ERR_OUT_OF_MEMORY);
    }
    return true;
}

static void read_listing(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                         struct zset *zset)
{
    struct rdb_text text = { 0 };
    struct rdb_listing listing;
    rdb_read_string(reader, &text);
    bool is_listpack = type == RDB_ZSET_LISTPACK;
    if (rdb_require(reader,
                    rdb_listing_open(&listing, is_listpack ? RDB_IN_LISTPACK : RDB_IN_ZIPLIST,
                                     text.bytes) &&
                        listing.count % 2 == 0) &&
        (!is_listpack || !take_listpack(reader, thread, zset, &listing))) {
        add_listed(reader, thread, zset, &listing);
    }
    rdb_text_release(&text);
}

void rdb_zset_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                   struct rdb_value *value)
{
    struct zset zset = { ENCODING_LISTPACK, NULL };
    if (type == RDB_ZSET || type == RDB_ZSET_TEXT) {
        read_members(reader, thread, type, &zset);
    } else {
        read_listing(reader, thread, type, &zset);
    }
    value->type = VALUE_SORTED_SET;
    value->encoding = zset.encoding;
    value->pointer = zset.pointer;
}
