/* Blocks of streams.  Whatever stream_block_check() accepts can be walked both ways, meeting
 * the same entries, as many as the block says, and goes on being sound while entries are
 * deleted, trimmed and appended. */
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/keyspace.h"
#include "store/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Reads every field, and sums up what does not depend on the direction. */
static uint64_t walk(const struct stream *stream, bool backwards, uint64_t *sum)
{
    struct stream_walk walk;
    struct stream_entry entry;
    uint64_t count = 0;
    stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, backwards);
    while (stream_walk_next(&walk, &entry)) {
        *sum += entry.id.ms * 31 + entry.id.seq;
        for (uint32_t i = entry.field_count; i > 0; i--) {
            char field_room[LISTPACK_TEXT_ROOM], value_room[LISTPACK_TEXT_ROOM];
            struct bytes field, value;
            stream_entry_pair(&entry, &field, field_room, &value, value_room);
            *sum += field.len * 7 + value.len;
        }
        count++;
    }
    return count;
}

static void check(const struct stream *stream)
{
    struct stream_place place;
    uint64_t forwards = 0, backwards = 0;
    require(walk(stream, false, &forwards) == stream->length);
    require(walk(stream, true, &backwards) == stream->length && forwards == backwards);
    for (bool any = stream_map_first(&stream->blocks, &place); any;
         any = stream_map_next(&stream->blocks, &place)) {
        require(stream_block_check(stream_block_bytes(stream_map_value(&stream->blocks, place)),
                                   stream_map_id(&stream->blocks, place)));
    }
}

static void change(struct store_thread *thread, struct stream *stream, uint8_t what)
{
    struct value_limits limits;
    struct stream_walk walk;
    struct stream_entry entry;
    struct bytes pairs[] = { LIT("f"), LIT("12") };
    struct stream_id last = STREAM_ID_MAX;
    walk.stream = stream;
    value_limits_init(&limits);
    if (stream_map_last(&stream->blocks, &walk.place)) {
        struct stream_master master;
        stream_block_master(stream_walk_block(&walk), stream_map_id(&stream->blocks, walk.place),
                            &master);
        uint32_t at = stream_block_end(&master);
        last = stream_block_previous(&master, &at, &entry) ? entry.id : last;
    }
    stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, (what & 1) != 0);
    for (unsigned skip = what % 5; skip > 0 && stream_walk_next(&walk, &entry); skip--) {}
    if (stream_walk_next(&walk, &entry)) {
        require(stream_delete(thread, stream, entry.id));
        stream_refresh_first(stream);
    }
    struct stream_trim trim = { .by = STREAM_TRIM_LENGTH, .max_length = what };
    (void)stream_trim(thread, stream, &trim);
    if (stream_id_compare(last, STREAM_ID_MAX) < 0) {
        require(stream_append(thread, stream, &limits, STREAM_ID_MAX, pairs, 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keyspace *ks;
    static struct store_thread thread;
    if (ks == NULL) {
        static struct clock clock;
        clock_init_system(&clock);
        struct keyspace_options options = { .databases = 1, .stripe_bits = 1, .clock = &clock };
        ks = keyspace_create(&options);
        require(ks != NULL && keyspace_join(ks, &thread));
    }
    const struct stream_id master = { 5, 5 };
    struct bytes pack = { (const char *)data + 1, size - 1 };
    if (size == 0 || !stream_block_check(pack, master)) {
        return 0;
    }
    struct stream *stream = stream_create(&thread);
    require(stream != NULL);
    require(stream_add_block(&thread, stream, master, pack));
    check(stream);
    change(&thread, stream, data[0]);
    check(stream);
    stream_free(&thread, stream);
    return 0;
}
