/* What all structures have in common: freeing, copying and measuring them, by type. */
#include "store/value.h"

#include "store/hash.h"
#include "store/keyspace_internal.h"
#include "store/list.h"
#include "store/set.h"
#include "store/stream.h"
#include "store/zset.h"

struct functions {
    void (*destroy)(struct store_thread *thread, enum encoding encoding, void *pointer);
    bool (*destroy_step)(struct store_thread *thread, enum encoding encoding, void *pointer,
                         int64_t until_us);
    void *(*copy)(struct store_thread *thread, enum encoding encoding, const void *pointer);
    size_t (*elements)(enum encoding encoding, const void *pointer);
    size_t (*memory)(enum encoding encoding, const void *pointer, size_t samples);
};

/* Strings have no structure; their callers know. */
static const struct functions functions[VALUE_TYPES] = {
    [VALUE_LIST] = { list_destroy, list_destroy_step, list_copy, list_elements, list_memory },
    [VALUE_SET] = { set_destroy, set_destroy_step, set_copy, set_elements, set_memory },
    [VALUE_SORTED_SET] = { zset_destroy, zset_destroy_step, zset_copy, zset_elements, zset_memory },
    [VALUE_HASH] = { hash_destroy, hash_destroy_step, hash_copy, hash_elements, hash_memory },
    [VALUE_STREAM] = { stream_destroy, stream_destroy_step, stream_copy, stream_elements,
                       stream_memory },
};

void value_limits_init(struct value_limits *limits)
{
    atomic_init(&limits->list_max_listpack_size, -2);
    atomic_init(&limits->hash_max_listpack_entries, 512);
    atomic_init(&limits->hash_max_listpack_value, 64);
    atomic_init(&limits->set_max_intset_entries, 512);
    atomic_init(&limits->set_max_listpack_entries, 128);
    atomic_init(&limits->set_max_listpack_value, 64);
    atomic_init(&limits->zset_max_listpack_entries, 128);
    atomic_init(&limits->zset_max_listpack_value, 64);
    atomic_init(&limits->stream_node_max_bytes, 4096);
    atomic_init(&limits->stream_node_max_entries, 100);
    atomic_init(&limits->hll_sparse_max_bytes, 3000);
    atomic_init(&limits->list_packed_threshold, 0);
}

void value_destroy(struct store_thread *thread, enum value_type type, enum encoding encoding,
                   void *pointer)
{
    functions[type].destroy(thread, encoding, pointer);
}

bool value_destroy_step(struct store_thread *thread, enum value_type type, enum encoding encoding,
                        void *pointer, int64_t until_us)
{
    return functions[type].destroy_step(thread, encoding, pointer, until_us);
}

bool value_time_is_up(const struct store_thread *thread, int64_t until_us)
{
    return clock_monotonic_us(thread->keyspace->clock) >= until_us;
}

void *value_copy(struct store_thread *thread, const struct entry *entry)
{
    return functions[entry->type].copy(thread, (enum encoding)entry->encoding,
                                       entry_pointer(entry));
}

size_t value_elements(const struct entry *entry)
{
    return functions[entry->type].elements((enum encoding)entry->encoding, entry_pointer(entry));
}

size_t value_memory(const struct entry *entry, size_t samples)
{
    return functions[entry->type].memory((enum encoding)entry->encoding, entry_pointer(entry),
                                         samples);
}
