/* Streams as they are serialised; an id in 16 bytes is two numbers of eight, big endian:
 *
 *   blocks | (master id, a string of 16 bytes | listpack, a string) ...
 *   length | last id, 2 | first id, 2 | greatest deleted id, 2 | entries added
 *   groups | (name | last id, 2 | entries read, all ones for not known |
 *             pending | (id, 16 bytes | delivered, ms | deliveries) ... |
 *             consumers | (name | seen, ms | active, ms |
 *                          pending | (id, 16 bytes) ...) ...) ...
 *
 * STREAM_2 does not tell when a consumer was active; STREAM moreover not the first and the
 * greatest deleted id, nor the numbers of entries added and read. */
#include "rdb/types.h"
#include "store/stream_group.h"

enum { ID_LEN = 16 };

/* ---- Writing --------------------------------------------------------------------------------- */

static struct bytes id_bytes(struct stream_id id, char room[ID_LEN])
{
    for (unsigned i = 0; i < 8; i++) {
        room[i] = (char)(id.ms >> (8 * (7 - i)));
        room[8 + i] = (char)(id.seq >> (8 * (7 - i)));
    }
    return (struct bytes){ room, ID_LEN };
}

static void write_id(struct rdb_writer *writer, struct stream_id id)
{
    rdb_write_len(writer, id.ms);
    rdb_write_len(writer, id.seq);
}

static void write_blocks(struct rdb_writer *writer, const struct stream *stream)
{
    struct stream_place place;
    char room[ID_LEN];
    rdb_write_len(writer, stream->blocks.count);
    for (bool any = stream_map_first(&stream->blocks, &place); any;
         any = stream_map_next(&stream->blocks, &place)) {
        rdb_write_string(writer, id_bytes(stream_map_id(&stream->blocks, place), room));
        rdb_write_string(writer, stream_block_bytes(stream_map_value(&stream->blocks, place)));
    }
}

static void write_pending(struct rdb_writer *writer, const struct stream_map *map, bool with_counts)
{
    struct stream_place place;
    char room[ID_LEN];
    rdb_write_len(writer, map->count);
    for (bool any = stream_map_first(map, &place); any; any = stream_map_next(map, &place)) {
        rdb_write_bytes(writer, id_bytes(stream_map_id(map, place), room));
        if (with_counts) {
            const struct stream_pending *pending = stream_map_value(map, place);
            rdb_write_ms(writer, pending->delivered_ms);
            rdb_write_len(writer, pending->deliveries);
        }
    }
}

static void write_group(struct rdb_writer *writer, const struct stream_group *group,
                        enum rdb_type type)
{
    rdb_write_string(writer, stream_group_name(group));
    write_id(writer, group->last_id);
    rdb_write_len(writer, (uint64_t)group->entries_read);
    write_pending(writer, &group->pending, true);
    rdb_write_len(writer, group->consumers.count);
    for (uint32_t i = 0; i < group->consumers.count; i++) {
        const struct stream_consumer *consumer = stream_consumer_at(group, i);
        rdb_write_string(writer, stream_consumer_name(consumer));
        rdb_write_ms(writer, consumer->seen_ms);
        if (type == RDB_STREAM_3) {
            rdb_write_ms(writer, consumer->active_ms);
        }
        write_pending(writer, &consumer->pending, false);
    }
}

void rdb_stream_write(struct rdb_writer *writer, const struct entry *entry, enum rdb_type type)
{
    const struct stream *stream = stream_of(entry);
    write_blocks(writer, stream);
    rdb_write_len(writer, stream->length);
    write_id(writer, stream->last_id);
    write_id(writer, stream->first_id);
    write_id(writer, stream->max_deleted_id);
    rdb_write_len(writer, stream->entries_added);
    rdb_write_len(writer, stream->groups.count);
    for (uint32_t i = 0; i < stream->groups.count; i++) {
        write_group(writer, stream_group_at(stream, i), type);
    }
}

/* ---- Reading the entries ----------------------------------------------------------------------- */

/* What reading goes on with. */
struct loading {
    struct rdb_reader *reader;
    struct store_thread *thread;
    struct stream *stream;
    unsigned type;
    struct rdb_text text; /* the newest string */
};

static void require_memory(struct loading *loading, bool there)
{
    if (!there) {
        rdb_fail(loading->reader, ERR_OUT_OF_MEMORY);
    }
}

/* A number that fits a signed one. */
static int64_t read_number(struct rdb_reader *reader)
{
    uint64_t number = rdb_read_len(reader);
    return rdb_require(reader, number <= INT64_MAX) ? (int64_t)number : 0;
}

static struct stream_id read_id(struct rdb_reader *reader)
{
    struct stream_id id;
    id.ms = rdb_read_len(reader);
    id.seq = rdb_read_len(reader);
    return id;
}

static struct stream_id id_of(struct bytes bytes)
{
    struct stream_id id = { 0, 0 };
    for (unsigned i = 0; i < 8; i++) {
        id.ms = id.ms << 8 | (unsigned char)bytes.at[i];
        id.seq = id.seq << 8 | (unsigned char)bytes.at[8 + i];
    }
    return id;
}

static struct stream_id read_raw_id(struct rdb_reader *reader)
{
    struct bytes bytes = rdb_read_bytes(reader, ID_LEN);
    return reader->err == OK ? id_of(bytes) : STREAM_ID_MIN;
}

/* The greatest id in the last block, entries that were deleted included; zero without blocks. */
static struct stream_id greatest_id(const struct stream *stream)
{
    struct stream_place place;
    struct stream_master master;
    struct stream_entry entry;
    if (!stream_map_last(&stream->blocks, &place)) {
        return STREAM_ID_MIN;
    }
    struct stream_id id = stream_map_id(&stream->blocks, place);
    stream_block_master(stream_map_value(&stream->blocks, place), id, &master);
    uint32_t at = stream_block_end(&master);
    return stream_block_previous(&master, &at, &entry) ? entry.id : id;
}

/* Blocks come in the order of their ids, none of which is in another's range. */
static void read_block(struct loading *loading)
{
    struct rdb_reader *reader = loading->reader;
    rdb_read_string(reader, &loading->text);
    if (!rdb_require(reader, loading->text.bytes.len == ID_LEN)) {
        return;
    }
    struct stream_id id = id_of(loading->text.bytes);
    bool above = loading->stream->blocks.count == 0 ||
                 stream_id_compare(id, greatest_id(loading->stream)) > 0;
    rdb_read_string(reader, &loading->text);
    if (rdb_require(reader, above && stream_block_check(loading->text.bytes, id))) {
        require_memory(loading,
                       stream_add_block(loading->thread, loading->stream, id, loading->text.bytes));
    }
}

static void read_entries(struct loading *loading)
{
    struct rdb_reader *reader = loading->reader;
    struct stream *stream = loading->stream;
    uint64_t blocks = rdb_read_count(reader, 2);
    for (; blocks > 0 && reader->err == OK; blocks--) {
        read_block(loading);
    }
    uint64_t length = rdb_read_len(reader);
    rdb_require(reader, length == stream->length);
    stream->last_id = read_id(reader);
    stream->entries_added = length;
    if (loading->type != RDB_STREAM) {
        (void)read_id(reader); /* The first one, which the blocks tell. */
        stream->max_deleted_id = read_id(reader);
        stream->entries_added = (uint64_t)read_number(reader);
    }
    if (reader->err == OK) {
        rdb_require(reader, stream_id_compare(stream->last_id, greatest_id(stream)) >= 0 &&
                                stream->entries_added >= length);
        stream_refresh_first(stream);
    }
}

/* ---- Reading the groups ------------------------------------------------------------------------ */

/* A Unix time that a server may have noted. */
static int64_t read_time(struct rdb_reader *reader)
{
    int64_t time = rdb_read_ms(reader);
    return rdb_require(reader, time >= 0) ? time : 0;
}

/* The entries that a group has pending, which are nobody's yet. */
static void read_pending(struct loading *loading, struct stream_group *group)
{
    struct rdb_reader *reader = loading->reader;
    uint64_t count = rdb_read_count(reader, ID_LEN + 8 + 1);
    for (; count > 0 && reader->err == OK; count--) {
        struct stream_id id = read_raw_id(reader);
        int64_t delivered_ms = read_time(reader);
        uint64_t deliveries = (uint64_t)read_number(reader);
        if (rdb_require(reader, stream_pending_find(group, id) == NULL)) {
            require_memory(loading, stream_pending_load(loading->thread, group, id, delivered_ms,
                                                        deliveries) != NULL);
        }
    }
}

/* Which of them are the consumer's; returns how many. */
static uint64_t read_owned(struct loading *loading, struct stream_group *group,
                           struct stream_consumer *consumer)
{
    struct rdb_reader *reader = loading->reader;
    uint64_t count = rdb_read_count(reader, ID_LEN);
    for (uint64_t left = count; left > 0 && reader->err == OK; left--) {
        struct stream_id id = read_raw_id(reader);
        struct stream_pending *pending = stream_pending_find(group, id);
        if (rdb_require(reader, pending != NULL && pending->consumer == NULL)) {
            require_memory(loading, stream_pending_assign(loading->thread, pending, id, consumer));
        }
    }
    return count;
}

/* Returns how many entries the consumer has pending. */
static uint64_t read_consumer(struct loading *loading, struct stream_group *group)
{
    struct rdb_reader *reader = loading->reader;
    rdb_read_string(reader, &loading->text);
    int64_t seen_ms = read_time(reader);
    if (!rdb_require(reader, stream_consumer_find(group, loading->text.bytes) == NULL)) {
        return 0;
    }
    struct stream_consumer *consumer =
        stream_consumer_create(loading->thread, group, loading->text.bytes, seen_ms);
    if (consumer == NULL) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
        return 0;
    }
    consumer->active_ms = loading->type == RDB_STREAM_3 ? rdb_read_ms(reader) : seen_ms;
    rdb_require(reader, consumer->active_ms >= -1);
    return read_owned(loading, group, consumer);
}

static int64_t read_entries_read(struct loading *loading, struct stream_id last_id)
{
    if (loading->type == RDB_STREAM) {
        return stream_entries_until(loading->stream, last_id);
    }
    uint64_t number = rdb_read_len(loading->reader);
    rdb_require(loading->reader, number <= INT64_MAX || number == UINT64_MAX);
    return number == UINT64_MAX ? STREAM_READ_UNKNOWN : (int64_t)number;
}

static void read_group(struct loading *loading)
{
    struct rdb_reader *reader = loading->reader;
    rdb_read_string(reader, &loading->text);
    struct stream_id last_id = read_id(reader);
    int64_t entries_read = read_entries_read(loading, last_id);
    if (!rdb_require(reader, stream_group_find(loading->stream, loading->text.bytes) == NULL)) {
        return;
    }
    struct stream_group *group = stream_group_create(loading->thread, loading->stream,
                                                     loading->text.bytes, last_id, entries_read);
    if (group == NULL) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
        return;
    }
    read_pending(loading, group);
    uint64_t consumers = rdb_read_count(reader, 1 + 8 + 1), owned = 0;
    for (; consumers > 0 && reader->err == OK; consumers--) {
        owned += read_consumer(loading, group);
    }
    rdb_require(reader, owned == group->pending.count);
}

void rdb_stream_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                     struct rdb_value *value)
{
    struct loading loading = { .reader = reader, .thread = thread, .type = type };
    loading.stream = stream_create(thread);
    if (loading.stream == NULL) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
        return;
    }
    value->type = VALUE_STREAM;
    value->encoding = ENCODING_STREAM;
    value->pointer = loading.stream;
    read_entries(&loading);
    uint64_t groups = rdb_read_count(reader, 1 + 2 + 1 + 1);
    for (; groups > 0 && reader->err == OK; groups--) {
        read_group(&loading);
    }
    rdb_text_release(&loading.text);
}
