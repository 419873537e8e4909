/* Packed blocks of stream entries: reading them, in both directions; see stream_block.h. */
#include "store/listpack_element.h"
#include "store/stream_block.h"

static const struct listpack *pack_of(const unsigned char *pack)
{
    return (const struct listpack *)(const void *)pack;
}

/* The integer at '*at', which moves on behind it. */
static inline int64_t read_integer(const unsigned char *pack, uint32_t *at)
{
    const unsigned char *here = pack + *at;
    if (__builtin_expect(here[0] < 0x80, 1)) {
        *at += 2;
        return here[0];
    }
    int64_t value = listpack_get(pack_of(pack), *at).integer;
    *at += listpack_skip(here);
    return value;
}

static inline uint32_t skip(const unsigned char *pack, uint32_t at, uint64_t count)
{
    for (; count > 0; count--) {
        at += listpack_skip(pack + at);
    }
    return at;
}

void stream_block_master(const struct stream_block *block, struct stream_id id,
                         struct stream_master *master)
{
    uint32_t at = LISTPACK_HEADER;
    master->pack = block->pack;
    master->id = id;
    (void)read_integer(block->pack, &at);
    (void)read_integer(block->pack, &at);
    master->field_count = (uint32_t)read_integer(block->pack, &at);
    master->fields_at = at;
    at = skip(block->pack, at, master->field_count);
    (void)read_integer(block->pack, &at);
    master->entries_at = at;
}

uint32_t stream_block_end(const struct stream_master *master)
{
    return listpack_load32(master->pack) - 1;
}

/* Reads the entry at 'at'; returns the offset of its number of pieces. */
static uint32_t read_entry(const struct stream_master *master, uint32_t at,
                           struct stream_entry *entry)
{
    const unsigned char *pack = master->pack;
    entry->pack = pack;
    entry->flags_at = at;
    entry->flags = (uint32_t)read_integer(pack, &at);
    entry->id.ms = master->id.ms + (uint64_t)read_integer(pack, &at);
    entry->id.seq = master->id.seq + (uint64_t)read_integer(pack, &at);
    if ((entry->flags & STREAM_ENTRY_SAME_FIELDS) != 0) {
        entry->field_count = master->field_count;
        entry->fields_at = master->fields_at;
        entry->values_at = at;
        return at;
    }
    entry->field_count = (uint32_t)read_integer(pack, &at);
    entry->fields_at = at;
    entry->values_at = 0;
    return at;
}

bool stream_block_next(const struct stream_master *master, uint32_t *at, struct stream_entry *entry)
{
    if (master->pack[*at] == LISTPACK_END) {
        return false;
    }
    uint32_t payload = read_entry(master, *at, entry);
    uint64_t elements = (uint64_t)entry->field_count * (entry->values_at == 0 ? 2 : 1);
    *at = skip(master->pack, payload, elements + 1);
    return true;
}

bool stream_block_previous(const struct stream_master *master, uint32_t *at,
                           struct stream_entry *entry)
{
    if (*at <= master->entries_at) {
        return false;
    }
    const struct listpack *lp = pack_of(master->pack);
    uint32_t here = listpack_previous(lp, *at);
    int64_t pieces = listpack_get(lp, here).integer;
    for (; pieces > 0; pieces--) {
        here = listpack_previous(lp, here);
    }
    (void)read_entry(master, here, entry);
    *at = here;
    return true;
}

void stream_entry_pair(struct stream_entry *entry, struct bytes *field,
                       char field_room[LISTPACK_TEXT_ROOM], struct bytes *value,
                       char value_room[LISTPACK_TEXT_ROOM])
{
    const struct listpack *lp = pack_of(entry->pack);
    *field = listpack_text(lp, entry->fields_at, field_room);
    entry->fields_at += listpack_skip(entry->pack + entry->fields_at);
    uint32_t *values_at = entry->values_at != 0 ? &entry->values_at : &entry->fields_at;
    *value = listpack_text(lp, *values_at, value_room);
    *values_at += listpack_skip(entry->pack + *values_at);
}
