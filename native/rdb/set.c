/* Sets as they are serialised:
 *
 *   SET               members | string ...
 *   SET_INTSET        string: an intset (store/intset.h)
 *   SET_LISTPACK      string: a listpack */
#include "rdb/listing.h"
#include "rdb/types.h"
#include "store/intset.h"
#include "store/set.h"

enum rdb_type rdb_set_type(const struct entry *entry, enum rdb_version version)
{
    if (entry->encoding == ENCODING_INTSET) {
        return RDB_SET_INTSET;
    }
    return entry->encoding == ENCODING_LISTPACK && version >= RDB_VERSION_7_2 ? RDB_SET_LISTPACK
                                                                              : RDB_SET;
}

void rdb_set_write(struct rdb_writer *writer, const struct entry *entry, enum rdb_type type)
{
    struct set set = set_of(entry);
    if (type == RDB_SET_INTSET) {
        rdb_write_string(writer, intset_bytes(set.pointer));
        return;
    }
    if (type == RDB_SET_LISTPACK) {
        rdb_write_string(writer, listpack_bytes(set.pointer));
        return;
    }
    struct set_walk walk;
    struct listpack_value member;
    rdb_write_len(writer, set_count(&set));
    set_walk_begin(&walk, &set);
    while (set_walk_next(&walk, &member)) {
        if (member.string.at != NULL) {
            rdb_write_string(writer, member.string);
        } else {
            rdb_write_integer(writer, member.integer);
        }
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Adds a member, which must not be there, to a set of 'count'; makes the set for the first. */
static void add(struct rdb_reader *reader, struct store_thread *thread, struct set *set,
                uint64_t count, struct bytes member)
{
    bool added = false;
    if (reader->err != OK) {
        return;
    }
    if (set->pointer == NULL) {
        rdb_fail(reader, set_create(thread, member, count, set));
    }
    if (reader->err == OK) {
        enum err err = set_add(thread, set, member, &added);
        rdb_fail(reader, err == OK && !added ? ERR_BAD_DATA : err);
    }
}

static void read_members(struct rdb_reader *reader, struct store_thread *thread, struct set *set)
{
    struct rdb_text text = { 0 };
    uint64_t count = rdb_read_count(reader, 1);
    for (uint64_t i = 0; i < count && reader->err == OK; i++) {
        rdb_read_string(reader, &text);
        add(reader, thread, set, count, text.bytes);
    }
    rdb_text_release(&text);
}

static void add_listed(struct rdb_reader *reader, struct store_thread *thread, struct set *set,
                       struct bytes bytes)
{
    struct rdb_listing listing;
    rdb_require(reader, rdb_listing_open(&listing, RDB_IN_LISTPACK, bytes));
    while (reader->err == OK && listing.taken < listing.count) {
        char digits[NUM_INT_ROOM];
        add(reader, thread, set, listing.count, rdb_listing_next(&listing, digits));
    }
}

/* An intset is taken as it is, unless it is larger than the limits of now allow. */
static void take_intset(struct rdb_reader *reader, struct store_thread *thread, struct set *set,
                        struct bytes bytes)
{
    if (!rdb_require(reader, intset_check(bytes))) {
        return;
    }
    *set = (struct set){ intset_load(thread, bytes), ENCODING_INTSET };
    if (set->pointer == NULL) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
    } else {
        rdb_fail(reader, set_prepare(thread, set, set_count(set)));
    }
}

void rdb_set_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                  struct rdb_value *value)
{
    struct set set = { NULL, ENCODING_INTSET };
    struct rdb_text text = { 0 };
    if (type == RDB_SET) {
        read_members(reader, thread, &set);
    } else {
        rdb_read_string(reader, &text);
        if (type == RDB_SET_INTSET) {
            take_intset(reader, thread, &set, text.bytes);
        } else {
            add_listed(reader, thread, &set, text.bytes);
        }
        rdb_text_release(&text);
    }
    value->type = VALUE_SET;
    value->encoding = set.encoding;
    value->pointer = set.pointer;
    rdb_require(reader, reader->err != OK || (set.pointer != NULL && set_count(&set) > 0));
}
