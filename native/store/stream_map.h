/* An ordered map from stream ids to pointers: what a stream keeps its blocks in, and groups
 * and consumers their pending entries.
 *
 * The items stand sorted in chunks of some 4 kB, the chunks sorted in one vector, so that a
 * change moves a few kilobytes at most, an append nothing, and an item costs its 24 bytes. */
#ifndef STORE_STREAM_MAP_H
#define STORE_STREAM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store_thread;

struct stream_id {
    uint64_t ms, seq;
};

#define STREAM_ID_MAX ((struct stream_id){ UINT64_MAX, UINT64_MAX })
#define STREAM_ID_MIN ((struct stream_id){ 0, 0 })

/* Below 0, 0, above 0: 'a' comes before 'b', is the same, comes after. */
static inline int stream_id_compare(struct stream_id a, struct stream_id b)
{
    if (a.ms != b.ms) {
        return a.ms < b.ms ? -1 : 1;
    }
    return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

/* 0-0, which no entry has. */
static inline bool stream_id_is_zero(struct stream_id id)
{
    return (id.ms | id.seq) == 0;
}

/* The next and the previous id; false, and nothing changed, when there is none. */
static inline bool stream_id_increment(struct stream_id *id)
{
    if (id->seq == UINT64_MAX && id->ms == UINT64_MAX) {
        return false;
    }
    id->ms += ++id->seq == 0;
    return true;
}

static inline bool stream_id_decrement(struct stream_id *id)
{
    if (stream_id_is_zero(*id)) {
        return false;
    }
    id->ms -= id->seq-- == 0;
    return true;
}

struct stream_chunk;

/* A chunk in the vector.  'low' is not above the chunk's ids, and above those before it. */
struct stream_chunk_place {
    struct stream_id low;
    struct stream_chunk *chunk;
};

/* Zero-initialised is empty and owns nothing. */
struct stream_map {
    uint64_t count;                    /* items */
    struct stream_chunk_place *chunks; /* the vector's memory; the chunks begin at 'first' */
    uint32_t first, used, room;
};

/* A place in a map, good until the map changes. */
struct stream_place {
    uint32_t chunk, index;
};

/* Frees the map, not what its items point at. */
void stream_map_release(struct store_thread *thread, struct stream_map *map);

/* 'id' is not in the map.  False when memory is short. */
MUST_CHECK bool stream_map_insert(struct store_thread *thread, struct stream_map *map,
                                  struct stream_id id, void *value);
/* NULL: not there. */
void *stream_map_find(const struct stream_map *map, struct stream_id id);
/* Takes the item out; NULL: not there. */
void *stream_map_take(struct store_thread *thread, struct stream_map *map, struct stream_id id);
void stream_map_remove_at(struct store_thread *thread, struct stream_map *map,
                          struct stream_place place);

/* The first item not below 'id'; the last one not above it.  False: there is none. */
bool stream_map_seek(const struct stream_map *map, struct stream_id id, struct stream_place *place);
bool stream_map_seek_back(const struct stream_map *map, struct stream_id id,
                          struct stream_place *place);
bool stream_map_first(const struct stream_map *map, struct stream_place *place);
bool stream_map_last(const struct stream_map *map, struct stream_place *place);
/* False at the end; then the place is as it was. */
bool stream_map_next(const struct stream_map *map, struct stream_place *place);
bool stream_map_previous(const struct stream_map *map, struct stream_place *place);

/* Id and value at a place that was found; a value is the map's user's own. */
struct stream_id stream_map_id(const struct stream_map *map, struct stream_place place);
void *stream_map_value(const struct stream_map *map, struct stream_place place);
void stream_map_set_value(struct stream_map *map, struct stream_place place, void *value);

/* Bytes of vector and chunks. */
size_t stream_map_memory(const struct stream_map *map);

#endif
