/* The serialised form of a value, by its type; see value.h. */
#include "rdb/value.h"

#include "rdb/types.h"

/* ---- Writing --------------------------------------------------------------------------------- */

enum rdb_type rdb_value_type(const struct store_thread *thread, const struct entry *entry,
                             enum rdb_version version)
{
    switch ((enum value_type)entry->type) {
    case VALUE_LIST:
        return RDB_LIST_QUICKLIST_2;
    case VALUE_SET:
        return rdb_set_type(entry, version);
    case VALUE_SORTED_SET:
        return rdb_zset_type(entry);
    case VALUE_HASH:
        return rdb_hash_type(thread, entry);
    case VALUE_STREAM:
        return version >= RDB_VERSION_7_2 ? RDB_STREAM_3 : RDB_STREAM_2;
    case VALUE_STRING:
    case VALUE_TYPES:
    case VALUE_ANY:
        break;
    }
    return RDB_STRING;
}

enum rdb_version rdb_value_version(enum rdb_type type)
{
    if (type >= RDB_HASH_ENDS) {
        return RDB_VERSION_7_4;
    }
    return type >= RDB_SET_LISTPACK ? RDB_VERSION_7_2 : RDB_VERSION_7_0;
}

bool rdb_value_is_there(const struct store_thread *thread, const struct entry *entry)
{
    return entry->type != VALUE_HASH || rdb_hash_is_there(thread, entry);
}

void rdb_value_write(struct rdb_writer *writer, const struct store_thread *thread,
                     const struct entry *entry, enum rdb_type type)
{
    switch ((enum value_type)entry->type) {
    case VALUE_LIST:
        rdb_list_write(writer, entry);
        break;
    case VALUE_SET:
        rdb_set_write(writer, entry, type);
        break;
    case VALUE_SORTED_SET:
        rdb_zset_write(writer, entry, type);
        break;
    case VALUE_HASH:
        rdb_hash_write(writer, thread, entry, type);
        break;
    case VALUE_STREAM:
        rdb_stream_write(writer, entry, type);
        break;
    case VALUE_STRING:
    case VALUE_TYPES:
    case VALUE_ANY:
        rdb_write_string(writer, entry_string(entry));
        break;
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* What reads a form; NULL for numbers that mean none. */
typedef void reading(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                     struct rdb_value *value);

static void read_string(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                        struct rdb_value *value)
{
    (void)thread;
    (void)type;
    value->type = VALUE_STRING;
    rdb_read_string(reader, &value->string);
}

static reading *const readings[] = {
    [RDB_STRING] = read_string,
    [RDB_LIST] = rdb_list_read,
    [RDB_SET] = rdb_set_read,
    [RDB_ZSET_TEXT] = rdb_zset_read,
    [RDB_HASH] = rdb_hash_read,
    [RDB_ZSET] = rdb_zset_read,
    [RDB_HASH_ZIPMAP] = rdb_hash_read,
    [RDB_LIST_ZIPLIST] = rdb_list_read,
    [RDB_SET_INTSET] = rdb_set_read,
    [RDB_ZSET_ZIPLIST] = rdb_zset_read,
    [RDB_HASH_ZIPLIST] = rdb_hash_read,
    [RDB_LIST_QUICKLIST] = rdb_list_read,
    [RDB_STREAM] = rdb_stream_read,
    [RDB_HASH_LISTPACK] = rdb_hash_read,
    [RDB_ZSET_LISTPACK] = rdb_zset_read,
    [RDB_LIST_QUICKLIST_2] = rdb_list_read,
    [RDB_STREAM_2] = rdb_stream_read,
    [RDB_SET_LISTPACK] = rdb_set_read,
    [RDB_STREAM_3] = rdb_stream_read,
    [RDB_HASH_ENDS] = rdb_hash_read,
    [RDB_HASH_LISTPACK_ENDS] = rdb_hash_read,
};

void rdb_value_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                    struct rdb_value *value)
{
    *value = (struct rdb_value){ .type = VALUE_STRING };
    if (!rdb_require(reader,
                     type < sizeof readings / sizeof readings[0] && readings[type] != NULL)) {
        return;
    }
    readings[type](reader, thread, type, value);
    if (reader->err != OK) {
        rdb_value_release(thread, value);
    }
}

void rdb_value_release(struct store_thread *thread, struct rdb_value *value)
{
    if (value->pointer != NULL) {
        value_destroy(thread, value->type, value->encoding, value->pointer);
        value->pointer = NULL;
    }
    rdb_text_release(&value->string);
}

enum err rdb_value_store(struct keyspace *ks, struct keylock *lock, struct bytes key,
                         struct rdb_value *value, int64_t expires_at_ms, bool lazily)
{
    if (value->type == VALUE_STRING) {
        return keyspace_set_string(ks, lock, key, value->string.bytes, EXPIRY_REPLACE,
                                   expires_at_ms);
    }
    enum err err = keyspace_put(ks, lock, key, value->type, value->encoding, value->pointer,
                                expires_at_ms, lazily);
    if (err == OK) {
        value->pointer = NULL; /* The key's. */
    }
    return err;
}
