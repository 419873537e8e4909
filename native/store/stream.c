/* Streams: appending, deleting, trimming.  Walking is stream_walk.c's, being freed, copied
 * and measured stream_life.c's; see stream.h. */
#include "store/stream.h"

#include "store/heap.h"

struct stream *stream_create(struct store_thread *thread)
{
    struct stream *stream = heap_alloc(thread, sizeof *stream);
    if (stream != NULL) {
        *stream = (struct stream){ 0 };
    }
    return stream;
}

/* ---- Appending --------------------------------------------------------------------------------- */

static size_t payload_of(const struct bytes *pairs, uint32_t field_count)
{
    size_t len = 0;
    for (uint32_t i = 0; i < 2 * field_count; i++) {
        len += pairs[i].len;
    }
    return len;
}

/* Whether one more entry belongs to a new block. */
static bool is_full(const struct stream_block *block, const struct value_limits *limits,
                    size_t more)
{
    uint64_t max_bytes = atomic_load_explicit(&limits->stream_node_max_bytes, memory_order_relaxed);
    uint64_t max_entries =
        atomic_load_explicit(&limits->stream_node_max_entries, memory_order_relaxed);
    if (max_bytes == 0 || max_bytes > STREAM_ENTRY_MAX) {
        max_bytes = STREAM_ENTRY_MAX;
    }
    if (stream_block_bytes(block).len + more >= max_bytes) {
        return true;
    }
    return max_entries != 0 &&
           stream_block_live(block) + stream_block_deleted(block) >= max_entries;
}

/* Begins a block with the entry. */
static bool append_block(struct store_thread *thread, struct stream *stream, struct stream_id id,
                         const struct bytes *pairs, uint32_t field_count)
{
    struct stream_block *block = stream_block_create(thread, pairs, field_count);
    if (block == NULL) {
        return false;
    }
    if (!stream_map_insert(thread, &stream->blocks, id, block)) {
        stream_block_destroy(thread, block);
        return false;
    }
    return true;
}

bool stream_append(struct store_thread *thread, struct stream *stream,
                   const struct value_limits *limits, struct stream_id id,
                   const struct bytes *pairs, uint32_t field_count)
{
    struct stream_place last;
    bool fits = stream_map_last(&stream->blocks, &last);
    struct stream_block *block = fits ? stream_map_value(&stream->blocks, last) : NULL;
    if (fits && is_full(block, limits, payload_of(pairs, field_count))) {
        stream_block_close(thread, &block);
        stream_map_set_value(&stream->blocks, last, block);
        fits = false;
    }
    if (fits) {
        struct stream_id master = stream_map_id(&stream->blocks, last);
        if (!stream_block_append(thread, &block, master, id, pairs, field_count)) {
            return false;
        }
        stream_map_set_value(&stream->blocks, last, block);
    } else if (!append_block(thread, stream, id, pairs, field_count)) {
        return false;
    }
    stream->entries_added++;
    stream->last_id = id;
    if (stream->length++ == 0) {
        stream->first_id = id;
    }
    return true;
}

bool stream_add_block(struct store_thread *thread, struct stream *stream, struct stream_id id,
                      struct bytes pack)
{
    struct stream_block *block = stream_block_load(thread, pack);
    if (block == NULL) {
        return false;
    }
    if (!stream_map_insert(thread, &stream->blocks, id, block)) {
        stream_block_destroy(thread, block);
        return false;
    }
    stream->length += stream_block_live(block);
    return true;
}

/* ---- Deleting ---------------------------------------------------------------------------------- */

static void remove_block(struct store_thread *thread, struct stream *stream,
                         struct stream_place place)
{
    stream_block_destroy(thread, stream_map_value(&stream->blocks, place));
    stream_map_remove_at(thread, &stream->blocks, place);
}

bool stream_delete(struct store_thread *thread, struct stream *stream, struct stream_id id)
{
    struct stream_walk walk;
    struct stream_entry entry;
    stream_walk_begin(&walk, stream, id, id, false);
    if (!stream_walk_next(&walk, &entry)) {
        return false;
    }
    struct stream_block *block = stream_walk_block(&walk);
    stream->length--;
    if (stream_block_live(block) == 1) {
        remove_block(thread, stream, walk.place);
    } else {
        stream_block_mark(block, entry.flags_at);
        stream_block_recount(block, 1);
    }
    if (stream_id_compare(id, stream->max_deleted_id) > 0) {
        stream->max_deleted_id = id;
    }
    return true;
}

void stream_refresh_first(struct stream *stream)
{
    struct stream_walk walk;
    struct stream_entry entry;
    stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    stream->first_id = stream_walk_next(&walk, &entry) ? entry.id : STREAM_ID_MIN;
}

/* ---- Trimming ---------------------------------------------------------------------------------- */

/* Whether everything in the first block is to go. */
static bool takes_block(const struct stream *stream, const struct stream_trim *trim,
                        const struct stream_master *master, uint64_t live)
{
    if (trim->by == STREAM_TRIM_LENGTH) {
        return stream->length - live >= trim->max_length;
    }
    struct stream_entry last;
    uint32_t at = stream_block_end(master);
    return !stream_block_previous(master, &at, &last) ||
           stream_id_compare(last.id, trim->min_id) < 0;
}

/* Deletes the first entries of a block; returns how many. */
static uint64_t trim_block(struct stream *stream, const struct stream_trim *trim,
                           struct stream_block *block, const struct stream_master *master)
{
    struct stream_entry entry;
    uint64_t marked = 0;
    uint32_t at = master->entries_at;
    while (stream_block_next(master, &at, &entry)) {
        if (trim->by == STREAM_TRIM_LENGTH ? stream->length <= trim->max_length
                                           : stream_id_compare(entry.id, trim->min_id) >= 0) {
            break;
        }
        if ((entry.flags & STREAM_ENTRY_DELETED) == 0) {
            stream_block_mark(block, entry.flags_at);
            stream->length--;
            marked++;
        }
    }
    stream_block_recount(block, marked);
    return marked;
}

int64_t stream_trim(struct store_thread *thread, struct stream *stream,
                    const struct stream_trim *trim)
{
    struct stream_place place;
    int64_t deleted = 0;
    while (trim->by != STREAM_TRIM_NONE && stream_map_first(&stream->blocks, &place)) {
        if (trim->by == STREAM_TRIM_LENGTH && stream->length <= trim->max_length) {
            break;
        }
        struct stream_block *block = stream_map_value(&stream->blocks, place);
        uint64_t live = stream_block_live(block);
        if (trim->limit != 0 && deleted + (int64_t)live > trim->limit) {
            break;
        }
        struct stream_master master;
        stream_block_master(block, stream_map_id(&stream->blocks, place), &master);
        if (!takes_block(stream, trim, &master, live)) {
            if (!trim->roughly) {
                deleted += (int64_t)trim_block(stream, trim, block, &master);
            }
            break;
        }
        remove_block(thread, stream, place);
        stream->length -= live;
        deleted += (int64_t)live;
    }
    if (deleted > 0) {
        stream_refresh_first(stream);
    }
    return deleted;
}
