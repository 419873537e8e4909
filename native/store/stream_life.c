/* Streams as values: freed at once or piece by piece, copied and measured; see value.h. */
#include "store/heap.h"
#include "store/stream_group.h"

/* Pieces between two looks at the clock. */
enum { PIECES = 64 };

/* Frees up to '*budget' pieces, counting it down; true when all is gone but the stream. */
static bool free_some(struct store_thread *thread, struct stream *stream, size_t *budget)
{
    struct stream_place last;
    for (; *budget > 0 && stream_map_last(&stream->blocks, &last); (*budget)--) {
        stream_block_destroy(thread, stream_map_value(&stream->blocks, last));
        stream_map_remove_at(thread, &stream->blocks, last);
    }
    return *budget > 0 && stream_groups_free_some(thread, stream, budget);
}

void stream_free(struct store_thread *thread, struct stream *stream)
{
    size_t budget = SIZE_MAX;
    if (stream != NULL) {
        (void)free_some(thread, stream, &budget);
        heap_free(thread, stream, sizeof *stream);
    }
}

void stream_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    (void)encoding;
    stream_free(thread, pointer);
}

bool stream_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                         int64_t until_us)
{
    (void)encoding;
    struct stream *stream = pointer;
    for (;;) {
        size_t budget = PIECES;
        if (free_some(thread, stream, &budget)) {
            heap_free(thread, stream, sizeof *stream);
            return false;
        }
        if (value_time_is_up(thread, until_us)) {
            return true;
        }
    }
}

/* ---- Groups -------------------------------------------------------------------------------------- */

static bool copy_group(struct store_thread *thread, struct stream *stream,
                       const struct stream_group *from)
{
    struct stream_group *to = stream_group_create(thread, stream, stream_group_name(from),
                                                  from->last_id, from->entries_read);
    if (to == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < from->consumers.count; i++) {
        const struct stream_consumer *consumer = stream_consumer_at(from, i);
        struct stream_consumer *copy =
            stream_consumer_create(thread, to, stream_consumer_name(consumer), consumer->seen_ms);
        if (copy == NULL) {
            return false;
        }
        copy->active_ms = consumer->active_ms;
    }
    struct stream_place place;
    for (bool any = stream_map_first(&from->pending, &place); any;
         any = stream_map_next(&from->pending, &place)) {
        const struct stream_pending *pending = stream_map_value(&from->pending, place);
        struct stream_consumer *consumer =
            stream_consumer_find(to, stream_consumer_name(pending->consumer));
        struct stream_pending *copy = stream_pending_create(
            thread, to, consumer, stream_map_id(&from->pending, place), pending->delivered_ms);
        if (copy == NULL) {
            return false;
        }
        copy->deliveries = pending->deliveries;
    }
    return true;
}

static bool copy_groups(struct store_thread *thread, struct stream *to, const struct stream *from)
{
    for (uint32_t i = 0; i < from->groups.count; i++) {
        if (!copy_group(thread, to, stream_group_at(from, i))) {
            return false;
        }
    }
    return true;
}

static size_t groups_memory(const struct stream *stream, size_t samples)
{
    size_t memory = stream->groups.room * sizeof(void *);
    for (uint32_t i = 0; i < stream->groups.count; i++) {
        const struct stream_group *group = stream_group_at(stream, i);
        memory += heap_size(sizeof *group + group->name_len) + stream_map_memory(&group->pending) +
                  group->pending.count * heap_size(sizeof(struct stream_pending)) +
                  group->consumers.room * sizeof(void *);
        size_t consumers = 0;
        uint32_t j = 0;
        for (; j < group->consumers.count && (samples == 0 || j < samples); j++) {
            const struct stream_consumer *consumer = stream_consumer_at(group, j);
            consumers += heap_size(sizeof *consumer + consumer->name_len) +
                         stream_map_memory(&consumer->pending);
        }
        memory += j > 0 ? consumers / j * group->consumers.count : 0;
    }
    return memory;
}

/* ---- The whole --------------------------------------------------------------------------------- */

static bool copy_blocks(struct store_thread *thread, struct stream *to, const struct stream *from)
{
    struct stream_place place;
    for (bool any = stream_map_first(&from->blocks, &place); any;
         any = stream_map_next(&from->blocks, &place)) {
        struct bytes pack = stream_block_bytes(stream_map_value(&from->blocks, place));
        struct stream_block *block = stream_block_load(thread, pack);
        if (block == NULL ||
            !stream_map_insert(thread, &to->blocks, stream_map_id(&from->blocks, place), block)) {
            stream_block_destroy(thread, block);
            return false;
        }
    }
    return true;
}

void *stream_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    (void)encoding;
    const struct stream *from = pointer;
    struct stream *to = stream_create(thread);
    if (to == NULL) {
        return NULL;
    }
    to->length = from->length;
    to->last_id = from->last_id;
    to->first_id = from->first_id;
    to->max_deleted_id = from->max_deleted_id;
    to->entries_added = from->entries_added;
    if (!copy_blocks(thread, to, from) || !copy_groups(thread, to, from)) {
        stream_free(thread, to);
        return NULL;
    }
    return to;
}

size_t stream_elements(enum encoding encoding, const void *pointer)
{
    (void)encoding;
    return ((const struct stream *)pointer)->length;
}

size_t stream_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    (void)encoding;
    const struct stream *stream = pointer;
    struct stream_place place;
    size_t memory = heap_size(sizeof *stream) + stream_map_memory(&stream->blocks);
    size_t blocks = 0, looked_at = 0;
    for (bool any = stream_map_first(&stream->blocks, &place);
         any && (samples == 0 || looked_at < samples);
         any = stream_map_next(&stream->blocks, &place)) {
        blocks += stream_block_memory(stream_map_value(&stream->blocks, place));
        looked_at++;
    }
    if (looked_at > 0) {
        memory += (size_t)((double)blocks / (double)looked_at * (double)stream->blocks.count);
    }
    return memory + groups_memory(stream, samples);
}
