/* Hashes as they are serialised:
 *
 *   HASH                fields | (name | value) ...: strings
 *   HASH_LISTPACK       string: a listpack of names and values in turn
 *   HASH_ZIPLIST, HASH_ZIPMAP    likewise
 *   HASH_ENDS           earliest end, ms | fields | (end | name | value) ...: the end is a length,
 *                       0 for none, else 1 + how much later than the earliest one it is
 *   HASH_LISTPACK_ENDS  earliest end, ms | string: a listpack of (name value end) ..., 0 for none
 *
 * Fields that have ended are not written. */
#include "rdb/listing.h"
#include "rdb/types.h"
#include "store/hash.h"

/* What HEXPIRE takes at most, and so does Redis 7.4. */
#define END_MAX (INT64_C(0xfffffffffffe) >> 2)

/* ---- Writing --------------------------------------------------------------------------------- */

/* The live fields of a table in which some may end. */
struct summary {
    uint64_t count;
    int64_t first_end; /* or HASH_FIELD_STAYS */
};

static bool may_end(const struct hash *hash)
{
    return hash->encoding == ENCODING_HASHTABLE && members_may_end(hash->pointer);
}

static struct summary summarise(const struct store_thread *thread, const struct hash *hash)
{
    struct summary summary = { hash_count(hash), HASH_FIELD_STAYS };
    if (may_end(hash)) {
        struct hash_walk walk;
        struct hash_field field;
        summary.count = 0;
        hash_walk_begin(&walk, thread, hash);
        while (hash_walk_next(&walk, &field)) {
            summary.count++;
            if (field.expires_at_ms != HASH_FIELD_STAYS &&
                (summary.first_end == HASH_FIELD_STAYS ||
                 field.expires_at_ms < summary.first_end)) {
                summary.first_end = field.expires_at_ms;
            }
        }
    }
    return summary;
}

enum rdb_type rdb_hash_type(const struct store_thread *thread, const struct entry *entry)
{
    struct hash hash = hash_of(entry);
    if (hash.encoding == ENCODING_LISTPACK) {
        return RDB_HASH_LISTPACK;
    }
    return summarise(thread, &hash).first_end != HASH_FIELD_STAYS ? RDB_HASH_ENDS : RDB_HASH;
}

bool rdb_hash_is_there(const struct store_thread *thread, const struct entry *entry)
{
    struct hash hash = hash_of(entry);
    return summarise(thread, &hash).count > 0;
}

static void write_text(struct rdb_writer *writer, const struct listpack_value *value)
{
    if (value->string.at != NULL) {
        rdb_write_string(writer, value->string);
    } else {
        rdb_write_integer(writer, value->integer);
    }
}

void rdb_hash_write(struct rdb_writer *writer, const struct store_thread *thread,
                    const struct entry *entry, enum rdb_type type)
{
    struct hash hash = hash_of(entry);
    if (type == RDB_HASH_LISTPACK) {
        rdb_write_string(writer, listpack_bytes(hash.pointer));
        return;
    }
    struct hash_walk walk;
    struct hash_field field;
    struct summary summary = summarise(thread, &hash);
    if (type == RDB_HASH_ENDS) {
        rdb_write_ms(writer, summary.first_end);
    }
    rdb_write_len(writer, summary.count);
    hash_walk_begin(&walk, thread, &hash);
    while (hash_walk_next(&walk, &field)) {
        if (type == RDB_HASH_ENDS) {
            bool ends = field.expires_at_ms != HASH_FIELD_STAYS;
            rdb_write_len(writer,
                          ends ? (uint64_t)(field.expires_at_ms - summary.first_end) + 1 : 0);
        }
        write_text(writer, &field.name);
        write_text(writer, &field.value);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* A field of a hash, in texts that stay until it is set. */
struct incoming {
    struct bytes name, value;
    int64_t end;
};

/* Sets a field that must not be there. */
static void set(struct rdb_reader *reader, struct store_thread *thread, struct hash *hash,
                const struct incoming *field)
{
    bool created = false;
    if (reader->err == OK) {
        enum err err = hash_set(thread, hash, field->name, field->value, field->end, &created);
        rdb_fail(reader, err == OK && !created ? ERR_BAD_DATA : err);
    }
}

/* Before 'count' fields are set: the encoding for so many. */
static void begin(struct rdb_reader *reader, struct store_thread *thread, struct hash *hash,
                  uint64_t count)
{
    if (rdb_require(reader, count > 0)) {
        rdb_fail(reader, hash_create(thread, hash));
    }
    if (reader->err == OK) {
        rdb_fail(reader, hash_expect(thread, hash, count));
    }
}

static int64_t read_end(struct rdb_reader *reader, int64_t first_end)
{
    uint64_t later = rdb_read_len(reader);
    if (later == 0) {
        return HASH_FIELD_STAYS;
    }
    bool sound =
        first_end >= 0 && first_end <= END_MAX && later - 1 <= (uint64_t)(END_MAX - first_end);
    return rdb_require(reader, sound) ? first_end + (int64_t)(later - 1) : HASH_FIELD_STAYS;
}

static void read_fields(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                        struct hash *hash)
{
    struct rdb_text name = { 0 }, value = { 0 };
    int64_t first_end = type == RDB_HASH_ENDS ? rdb_read_ms(reader) : 0;
    uint64_t count = rdb_read_count(reader, type == RDB_HASH_ENDS ? 3 : 2);
    begin(reader, thread, hash, count);
    for (; count > 0 && reader->err == OK; count--) {
        struct incoming field = { .end = HASH_FIELD_STAYS };
        if (type == RDB_HASH_ENDS) {
            field.end = read_end(reader, first_end);
        }
        rdb_read_string(reader, &name);
        rdb_read_string(reader, &value);
        field.name = name.bytes;
        field.value = value.bytes;
        set(reader, thread, hash, &field);
    }
    rdb_text_release(&name);
    rdb_text_release(&value);
}

/* The end behind a field of HASH_LISTPACK_ENDS. */
static int64_t listed_end(struct rdb_reader *reader, struct rdb_listing *listing)
{
    char digits[NUM_INT_ROOM];
    int64_t end = 0;
    struct bytes text = rdb_listing_next(listing, digits);
    rdb_require(reader, num_parse_i64(text, &end) && end >= 0 && end <= END_MAX);
    return end == 0 ? HASH_FIELD_STAYS : end;
}

static void set_listed(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                       struct hash *hash, struct rdb_listing *listing)
{
    uint64_t each = type == RDB_HASH_LISTPACK_ENDS ? 3 : 2;
    if (!rdb_require(reader, listing->count % each == 0)) {
        return;
    }
    begin(reader, thread, hash, listing->count / each);
    while (reader->err == OK && listing->taken < listing->count) {
        char name[NUM_INT_ROOM], value[NUM_INT_ROOM];
        struct incoming field = { .end = HASH_FIELD_STAYS };
        field.name = rdb_listing_next(listing, name);
        field.value = rdb_listing_next(listing, value);
        if (type == RDB_HASH_LISTPACK_ENDS) {
            field.end = listed_end(reader, listing);
        }
        set(reader, thread, hash, &field);
    }
}

/* A listpack is taken as it is when its fields are not too many. */
static bool take_listpack(struct rdb_reader *reader, struct store_thread *thread, struct hash *hash,
                          const struct rdb_listing *listing)
{
    uint64_t limit = keyspace_limits(thread->keyspace)->hash_max_listpack_entries;
    if (listing->count == 0 || listing->count % 2 != 0 || listing->count / 2 > limit) {
        return false;
    }
    rdb_require(reader, rdb_listing_is_unique(reader, thread, listing, 2));
    if (reader->err == OK) {
        *hash = (struct hash){ listpack_load(thread, listing->bytes), ENCODING_LISTPACK };
        rdb_fail(reader, hash->pointer != NULL ? OK : ERR_OUT_OF_MEMORY);
    }
    return true;
}

static void read_listing(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                         struct hash *hash)
{
    struct rdb_text text = { 0 };
    struct rdb_listing listing;
    enum rdb_listing_kind kind = type == RDB_HASH_ZIPMAP    ? RDB_IN_ZIPMAP
                                 : type == RDB_HASH_ZIPLIST ? RDB_IN_ZIPLIST
                                                            : RDB_IN_LISTPACK;
    if (type == RDB_HASH_LISTPACK_ENDS) {
        (void)rdb_read_ms(reader); /* Each field says when it ends. */
    }
    rdb_read_string(reader, &text);
    if (rdb_require(reader, rdb_listing_open(&listing, kind, text.bytes)) &&
        (type != RDB_HASH_LISTPACK || !take_listpack(reader, thread, hash, &listing))) {
        set_listed(reader, thread, type, hash, &listing);
    }
    rdb_text_release(&text);
}

void rdb_hash_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                   struct rdb_value *value)
{
    struct hash hash = { NULL, ENCODING_LISTPACK };
    if (type == RDB_HASH || type == RDB_HASH_ENDS) {
        read_fields(reader, thread, type, &hash);
    } else {
        read_listing(reader, thread, type, &hash);
    }
    value->type = VALUE_HASH;
    value->encoding = hash.encoding;
    value->pointer = hash.pointer;
}
