/* Stream values: the structure behind an entry of this type.
 *
 * A stream is a map from ids to packed blocks (stream_block.h), a few counters, and consumer
 * groups (stream_group.h).  The entry's pointer is a struct stream and never changes.  What
 * reads needs the key held for reading, what changes for writing. */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H

#include "store/stream_block.h"
#include "store/value.h"

/* Groups of a stream, or consumers of a group, ascending by name. */
struct stream_names {
    void **at;
    uint32_t count, room;
};

struct stream {
    struct stream_map blocks;        /* struct stream_block, by the id of their first entry */
    uint64_t length;                 /* entries that are not deleted */
    struct stream_id last_id;        /* the greatest there ever was */
    struct stream_id first_id;       /* of the first entry; zero when there is none */
    struct stream_id max_deleted_id; /* the greatest that XDEL took out */
    uint64_t entries_added;
    struct stream_names groups; /* struct stream_group */
};

/* The stream of an entry, borrowed as the entry is. */
static inline struct stream *stream_of(const struct entry *entry)
{
    return entry_pointer(entry);
}

/* Empty.  NULL when memory is short. */
MUST_CHECK struct stream *stream_create(struct store_thread *thread);
void stream_free(struct store_thread *thread, struct stream *stream);

/* Appends an entry with an id above last_id.  False when memory is short; then nothing has
 * changed. */
MUST_CHECK bool stream_append(struct store_thread *thread, struct stream *stream,
                              const struct value_limits *limits, struct stream_id id,
                              const struct bytes *pairs, uint32_t field_count);

/* Deletes an entry; false when it is not there.  After one or several of these
 * stream_refresh_first(). */
bool stream_delete(struct store_thread *thread, struct stream *stream, struct stream_id id);
void stream_refresh_first(struct stream *stream);

struct stream_trim {
    enum { STREAM_TRIM_NONE, STREAM_TRIM_LENGTH, STREAM_TRIM_ID } by;
    bool roughly; /* whole blocks only */
    uint64_t max_length;
    struct stream_id min_id;
    int64_t limit; /* entries deleted at most; 0: any number */
};

/* Deletes the oldest entries as Redis does; returns their number. */
int64_t stream_trim(struct store_thread *thread, struct stream *stream,
                    const struct stream_trim *trim);

/* ---- Reading ------------------------------------------------------------------------------ */

/* A walk over the entries of a range, ends included, in either direction.  Good until the
 * stream changes. */
struct stream_walk {
    const struct stream *stream;
    struct stream_id from, to;
    struct stream_place place;
    struct stream_master master;
    uint32_t at;
    bool backwards, in_block, done;
};

/* Walks the entries with ids of 'from' to 'to', both included, from the last one if 'backwards'; a
 * step is false at the end.  The stream does not change meanwhile. */
void stream_walk_begin(struct stream_walk *walk, const struct stream *stream, struct stream_id from,
                       struct stream_id to, bool backwards);
bool stream_walk_next(struct stream_walk *walk, struct stream_entry *entry);
/* The block that the newest entry is in. */
struct stream_block *stream_walk_block(const struct stream_walk *walk);

/* The entry with this id; false: not there, or deleted. */
bool stream_find(const struct stream *stream, struct stream_id id, struct stream_entry *entry);
/* The greatest id of an entry; false when there is none. */
bool stream_last_entry_id(const struct stream *stream, struct stream_id *id);
/* The id of the first entry with the deleted ones; the greatest id when there is none. */
struct stream_id stream_first_block_id(const struct stream *stream);

/* What Redis tells of its radix tree of blocks: nodes that such a tree would have. */
uint64_t stream_tree_nodes(const struct stream *stream);

/* ---- Loading ------------------------------------------------------------------------------- */

/* Adds a block by its master id, which is above all ids that are there, and counts its
 * entries.  The pack is one that stream_block_check() accepted.  The other counters and ids
 * are the caller's to set.  False when memory is short. */
MUST_CHECK bool stream_add_block(struct store_thread *thread, struct stream *stream,
                                 struct stream_id id, struct bytes pack);

/* ---- For value.c, which says what each does ------------------------------------------- */

/* What value.h asks of every type; see there. */
void stream_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool stream_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                         int64_t until_us);
MUST_CHECK void *stream_copy(struct store_thread *thread, enum encoding encoding,
                             const void *pointer);
size_t stream_elements(enum encoding encoding, const void *pointer);
size_t stream_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
