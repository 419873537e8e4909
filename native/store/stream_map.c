/* Ordered maps by stream id; see stream_map.h. */
#include "store/stream_map.h"

#include <string.h>

#include "store/heap.h"

struct item {
    struct stream_id id;
    void *value;
};

struct stream_chunk {
    uint32_t count;
    uint32_t size; /* bytes of the allocation */
    struct item items[];
};

enum { CHUNK_MIN = 32, CHUNK_MAX = 4096 };

static uint32_t chunk_room(const struct stream_chunk *chunk)
{
    return (uint32_t)((chunk->size - sizeof *chunk) / sizeof(struct item));
}

static struct stream_chunk *chunk_of(const struct stream_map *map, uint32_t index)
{
    return map->chunks[map->first + index].chunk;
}

static struct stream_chunk *make_chunk(struct store_thread *thread, uint32_t size)
{
    struct stream_chunk *chunk = heap_alloc(thread, size);
    if (chunk != NULL) {
        chunk->count = 0;
        chunk->size = size;
    }
    return chunk;
}

static size_t vector_size(uint32_t room)
{
    return (size_t)room * sizeof(struct stream_chunk_place);
}

void stream_map_release(struct store_thread *thread, struct stream_map *map)
{
    for (uint32_t i = 0; i < map->used; i++) {
        struct stream_chunk *chunk = chunk_of(map, i);
        heap_free(thread, chunk, chunk->size);
    }
    heap_free(thread, map->chunks, vector_size(map->room));
    *map = (struct stream_map){ 0 };
}

/* ---- Searching ---------------------------------------------------------------------------- */

/* The last chunk whose low id is not above 'id'; 0 when there is none such. */
static uint32_t search_chunks(const struct stream_map *map, struct stream_id id)
{
    const struct stream_chunk_place *chunks = map->chunks + map->first;
    if (map->used > 1 && stream_id_compare(chunks[map->used - 1].low, id) <= 0) {
        return map->used - 1; /* Most look at the end. */
    }
    uint32_t low = 0, high = map->used;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (stream_id_compare(chunks[middle].low, id) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first item of a chunk that is not below 'id', or the chunk's count. */
static uint32_t search_items(const struct stream_chunk *chunk, struct stream_id id)
{
    uint32_t low = 0, high = chunk->count;
    if (high > 0 && stream_id_compare(chunk->items[high - 1].id, id) < 0) {
        return high;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (stream_id_compare(chunk->items[middle].id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool stream_map_seek(const struct stream_map *map, struct stream_id id, struct stream_place *place)
{
    if (map->used == 0) {
        return false;
    }
    place->chunk = search_chunks(map, id);
    place->index = search_items(chunk_of(map, place->chunk), id);
    if (place->index == chunk_of(map, place->chunk)->count) {
        if (place->chunk + 1 == map->used) {
            return false;
        }
        place->chunk++;
        place->index = 0;
    }
    return true;
}

bool stream_map_seek_back(const struct stream_map *map, struct stream_id id,
                          struct stream_place *place)
{
    if (!stream_map_seek(map, id, place)) {
        return stream_map_last(map, place);
    }
    return stream_id_compare(stream_map_id(map, *place), id) == 0 ||
           stream_map_previous(map, place);
}

void *stream_map_find(const struct stream_map *map, struct stream_id id)
{
    struct stream_place place;
    if (!stream_map_seek(map, id, &place) ||
        stream_id_compare(stream_map_id(map, place), id) != 0) {
        return NULL;
    }
    return stream_map_value(map, place);
}

/* ---- Walking -------------------------------------------------------------------------------- */

bool stream_map_first(const struct stream_map *map, struct stream_place *place)
{
    *place = (struct stream_place){ 0, 0 };
    return map->used > 0;
}

bool stream_map_last(const struct stream_map *map, struct stream_place *place)
{
    if (map->used == 0) {
        return false;
    }
    *place = (struct stream_place){ map->used - 1, chunk_of(map, map->used - 1)->count - 1 };
    return true;
}

bool stream_map_next(const struct stream_map *map, struct stream_place *place)
{
    if (place->index + 1 < chunk_of(map, place->chunk)->count) {
        place->index++;
        return true;
    }
    if (place->chunk + 1 == map->used) {
        return false;
    }
    *place = (struct stream_place){ place->chunk + 1, 0 };
    return true;
}

bool stream_map_previous(const struct stream_map *map, struct stream_place *place)
{
    if (place->index > 0) {
        place->index--;
        return true;
    }
    if (place->chunk == 0) {
        return false;
    }
    *place = (struct stream_place){ place->chunk - 1, chunk_of(map, place->chunk - 1)->count - 1 };
    return true;
}

struct stream_id stream_map_id(const struct stream_map *map, struct stream_place place)
{
    return chunk_of(map, place.chunk)->items[place.index].id;
}

void *stream_map_value(const struct stream_map *map, struct stream_place place)
{
    return chunk_of(map, place.chunk)->items[place.index].value;
}

void stream_map_set_value(struct stream_map *map, struct stream_place place, void *value)
{
    chunk_of(map, place.chunk)->items[place.index].value = value;
}

/* ---- Changing ------------------------------------------------------------------------------- */

/* Makes room in the vector for one more chunk. */
static bool reserve_chunk(struct store_thread *thread, struct stream_map *map)
{
    if (map->first + map->used < map->room) {
        return true;
    }
    if (map->first > map->room / 2) {
        memmove(map->chunks, map->chunks + map->first, vector_size(map->used));
        map->first = 0;
        return true;
    }
    uint32_t room = map->room == 0 ? 1 : map->room * 2;
    struct stream_chunk_place *chunks = heap_alloc(thread, vector_size(room));
    if (chunks == NULL) {
        return false;
    }
    if (map->used > 0) {
        memcpy(chunks, map->chunks + map->first, vector_size(map->used));
    }
    heap_free(thread, map->chunks, vector_size(map->room));
    map->chunks = chunks;
    map->first = 0;
    map->room = room;
    return true;
}

/* Puts a chunk, for which there is room, at an index of the vector. */
static void put_chunk(struct stream_map *map, uint32_t index, struct stream_id low,
                      struct stream_chunk *chunk)
{
    struct stream_chunk_place *at = map->chunks + map->first + index;
    memmove(at + 1, at, vector_size(map->used - index));
    *at = (struct stream_chunk_place){ low, chunk };
    map->used++;
}

static void drop_chunk(struct store_thread *thread, struct stream_map *map, uint32_t index)
{
    struct stream_chunk *chunk = chunk_of(map, index);
    heap_free(thread, chunk, chunk->size);
    map->used--;
    if (index == 0) {
        map->first++;
    } else {
        struct stream_chunk_place *at = map->chunks + map->first + index;
        memmove(at, at + 1, vector_size(map->used - index));
    }
    if (map->used == 0) {
        heap_free(thread, map->chunks, vector_size(map->room));
        map->chunks = NULL;
        map->first = map->room = 0;
    }
}

/* Gives a chunk twice the room. */
static bool grow_chunk(struct store_thread *thread, struct stream_map *map, uint32_t index)
{
    struct stream_chunk *chunk = chunk_of(map, index);
    struct stream_chunk *larger = make_chunk(thread, chunk->size * 2);
    if (larger == NULL) {
        return false;
    }
    larger->count = chunk->count;
    memcpy(larger->items, chunk->items, chunk->count * sizeof(struct item));
    heap_free(thread, chunk, chunk->size);
    map->chunks[map->first + index].chunk = larger;
    return true;
}

/* Makes room at '*place' in a chunk that is full, which may move the place: what is appended
 * begins a chunk of its own, and otherwise the chunk is halved. */
static bool split_chunk(struct store_thread *thread, struct stream_map *map,
                        struct stream_place *place, struct stream_id id)
{
    struct stream_chunk *chunk = chunk_of(map, place->chunk);
    bool appends = place->index == chunk->count && place->chunk + 1 == map->used;
    struct stream_chunk *after = make_chunk(thread, CHUNK_MAX);
    if (after == NULL || !reserve_chunk(thread, map)) {
        heap_free(thread, after, CHUNK_MAX);
        return false;
    }
    if (appends) {
        put_chunk(map, place->chunk + 1, id, after);
        *place = (struct stream_place){ place->chunk + 1, 0 };
        return true;
    }
    uint32_t half = chunk->count / 2;
    after->count = chunk->count - half;
    memcpy(after->items, chunk->items + half, after->count * sizeof(struct item));
    chunk->count = half;
    put_chunk(map, place->chunk + 1, after->items[0].id, after);
    if (place->index > half) {
        *place = (struct stream_place){ place->chunk + 1, place->index - half };
    }
    return true;
}

static bool insert_first(struct store_thread *thread, struct stream_map *map)
{
    struct stream_chunk *chunk = make_chunk(thread, CHUNK_MIN);
    if (chunk == NULL || !reserve_chunk(thread, map)) {
        heap_free(thread, chunk, CHUNK_MIN);
        return false;
    }
    put_chunk(map, 0, STREAM_ID_MIN, chunk);
    return true;
}

bool stream_map_insert(struct store_thread *thread, struct stream_map *map, struct stream_id id,
                       void *value)
{
    if (map->used == 0 && !insert_first(thread, map)) {
        return false;
    }
    struct stream_place place = { .chunk = search_chunks(map, id) };
    struct stream_chunk *chunk = chunk_of(map, place.chunk);
    place.index = search_items(chunk, id);
    if (chunk->count == chunk_room(chunk)) {
        bool done = chunk->size < CHUNK_MAX ? grow_chunk(thread, map, place.chunk)
                                            : split_chunk(thread, map, &place, id);
        if (!done) {
            return false;
        }
        chunk = chunk_of(map, place.chunk);
    }
    struct item *at = chunk->items + place.index;
    memmove(at + 1, at, (chunk->count - place.index) * sizeof *at);
    *at = (struct item){ id, value };
    chunk->count++;
    map->count++;
    struct stream_chunk_place *in = &map->chunks[map->first + place.chunk];
    if (stream_id_compare(id, in->low) < 0) {
        in->low = id;
    }
    return true;
}

void stream_map_remove_at(struct store_thread *thread, struct stream_map *map,
                          struct stream_place place)
{
    struct stream_chunk *chunk = chunk_of(map, place.chunk);
    struct item *at = chunk->items + place.index;
    memmove(at, at + 1, (chunk->count - place.index - 1) * sizeof *at);
    map->count--;
    if (--chunk->count == 0) {
        drop_chunk(thread, map, place.chunk);
    }
}

void *stream_map_take(struct store_thread *thread, struct stream_map *map, struct stream_id id)
{
    struct stream_place place;
    if (!stream_map_seek(map, id, &place) ||
        stream_id_compare(stream_map_id(map, place), id) != 0) {
        return NULL;
    }
    void *value = stream_map_value(map, place);
    stream_map_remove_at(thread, map, place);
    return value;
}

size_t stream_map_memory(const struct stream_map *map)
{
    size_t memory = map->room > 0 ? heap_size(vector_size(map->room)) : 0;
    for (uint32_t i = 0; i < map->used; i++) {
        memory += heap_size(chunk_of(map, i)->size);
    }
    return memory;
}
