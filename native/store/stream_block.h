/* One packed block of a stream: a run of entries in one listpack, laid out as Redis's RDB
 * files have it, so that saving and loading are a copy.
 *
 *   count | deleted | field count | fields ... | 0 |       the master entry
 *   flags | ms | seq | values ... | pieces |               an entry with the master's fields
 *   flags | ms | seq | field count | (field value) ... | pieces |    another entry
 *
 * Ids are differences from the block's master id, which is the key that the stream keeps the
 * block under.  'pieces' is the number of elements of the entry before it, for walking back.
 * A deleted entry stays, marked, until its block goes. */
#ifndef STORE_STREAM_BLOCK_H
#define STORE_STREAM_BLOCK_H

#include "base/bytes.h"
#include "store/listpack.h"
#include "store/stream_map.h"

enum { STREAM_ENTRY_DELETED = 1, STREAM_ENTRY_SAME_FIELDS = 2 };

/* Payloads of one entry beyond this are refused. */
enum { STREAM_ENTRY_MAX = 1024 * 1024 * 1024 };

struct stream_block {
    uint32_t room;        /* bytes that the pack may take */
    unsigned char pack[]; /* the listpack */
};

/* The master entry, read. */
struct stream_master {
    const unsigned char *pack;
    struct stream_id id;
    uint32_t field_count;
    uint32_t fields_at;  /* offset of the first field */
    uint32_t entries_at; /* offset of the first entry */
};

/* An entry, read; borrowed from its block until that changes. */
struct stream_entry {
    struct stream_id id;
    const unsigned char *pack;
    uint32_t flags_at, flags;
    uint32_t field_count;
    uint32_t fields_at; /* of the master's fields, or of the first pair */
    uint32_t values_at; /* of the first value, or 0 when fields and values take turns */
};

/* A block of one entry, whose id is the master id.  NULL when memory is short.  'pairs' are
 * field, value, field, value ... */
MUST_CHECK struct stream_block *stream_block_create(struct store_thread *thread,
                                                    const struct bytes *pairs,
                                                    uint32_t field_count);
/* A copy of a pack that stream_block_check() accepted, or NULL. */
MUST_CHECK struct stream_block *stream_block_load(struct store_thread *thread, struct bytes pack);
void stream_block_destroy(struct store_thread *thread, struct stream_block *block);

/* Appends an entry; '*block' may move.  False when memory is short, or the pack would pass
 * LISTPACK_MAX. */
MUST_CHECK bool stream_block_append(struct store_thread *thread, struct stream_block **block,
                                    struct stream_id master, struct stream_id id,
                                    const struct bytes *pairs, uint32_t field_count);
/* Gives back room that is not needed when nothing more is appended. */
void stream_block_close(struct store_thread *thread, struct stream_block **block);

/* Marks an entry that is not deleted yet; stream_block_recount() is told how many were marked,
 * after which what was read of the block is no longer good. */
static inline void stream_block_mark(struct stream_block *block, uint32_t flags_at)
{
    block->pack[flags_at] |= STREAM_ENTRY_DELETED;
}
void stream_block_recount(struct stream_block *block, uint64_t marked);

/* The listpack of a block, borrowed; bytes of the block; entries in it. */
struct bytes stream_block_bytes(const struct stream_block *block);
size_t stream_block_memory(const struct stream_block *block);
uint64_t stream_block_live(const struct stream_block *block);    /* entries not deleted */
uint64_t stream_block_deleted(const struct stream_block *block); /* and those that are */

/* The first entry's fields, which the others may share; 'id' is the block's. */
void stream_block_master(const struct stream_block *block, struct stream_id id,
                         struct stream_master *master);
/* The entry at offset '*at', which moves on behind it; false at the end. */
bool stream_block_next(const struct stream_master *master, uint32_t *at,
                       struct stream_entry *entry);
/* The entry that ends at offset '*at', which moves to its beginning; false at the master. */
bool stream_block_previous(const struct stream_master *master, uint32_t *at,
                           struct stream_entry *entry);
/* The offset behind the last entry. */
uint32_t stream_block_end(const struct stream_master *master);

/* Whether the bytes are a listpack and the listpack a block with this master id, whose entries'
 * ids ascend; never reads outside. */
bool stream_block_check(struct bytes pack, struct stream_id master);

/* The next field and its value; the texts are borrowed from the block or written to the
 * rooms.  Called field_count times. */
void stream_entry_pair(struct stream_entry *entry, struct bytes *field,
                       char field_room[LISTPACK_TEXT_ROOM], struct bytes *value,
                       char value_room[LISTPACK_TEXT_ROOM]);

#endif
