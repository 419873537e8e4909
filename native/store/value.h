/* Values that are not strings: an entry holds a pointer to a structure, and its type and
 * encoding say which.  This is the one place that knows them all: freeing, copying and
 * measuring a value go through here.
 *
 *   type           compact encoding            large encoding
 *   list           LISTPACK (one listpack)     QUICKLIST (unrolled list of listpacks)
 *   set            INTSET, LISTPACK            HASHTABLE
 *   sorted set     LISTPACK                    SKIPLIST (the name Redis tells; a counted B+ tree)
 *   hash           LISTPACK                    HASHTABLE
 *   stream                                     STREAM
 *
 * A type's functions (hash.h, list.h ...) take the entry, for they may change its pointer and
 * its encoding, and the thread, whose heap they allocate from. */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include "base/err.h"
#include "store/entry.h"

struct store_thread;

/* Sizes at which compact encodings give way to large ones; each a directive, read by the
 * type's functions at any time.  The server's configuration writes them. */
struct value_limits {
    _Atomic int64_t list_max_listpack_size; /* -5..-1: 4 kB << n; positive: elements */
    _Atomic uint64_t hash_max_listpack_entries, hash_max_listpack_value;
    _Atomic uint64_t set_max_intset_entries, set_max_listpack_entries, set_max_listpack_value;
    _Atomic uint64_t zset_max_listpack_entries, zset_max_listpack_value;
    _Atomic uint64_t stream_node_max_bytes, stream_node_max_entries;
    _Atomic uint64_t hll_sparse_max_bytes;
    /* No directive: elements of a list from this size on stand alone; 0: as the directive
     * says.  DEBUG QUICKLIST-PACKED-THRESHOLD sets it. */
    _Atomic uint64_t list_packed_threshold;
};

/* Redis's defaults. */
void value_limits_init(struct value_limits *limits);

/* Frees the structure behind an entry's pointer (not the entry).  Any thread. */
void value_destroy(struct store_thread *thread, enum value_type type, enum encoding encoding,
                   void *pointer);

/* Frees a large structure piece by piece until it is time to stop (value_time_is_up()), but
 * at least one piece: returns true when there is more to do. */
bool value_destroy_step(struct store_thread *thread, enum value_type type, enum encoding encoding,
                        void *pointer, int64_t until_us);

/* Whether the thread's monotonic clock has passed 'until_us'. */
bool value_time_is_up(const struct store_thread *thread, int64_t until_us);

/* A deep copy, or NULL when memory is short. */
MUST_CHECK void *value_copy(struct store_thread *thread, const struct entry *entry);

/* Elements (members, fields, ids); what decides whether freeing is given to the background. */
size_t value_elements(const struct entry *entry);

/* Bytes of the structure; estimated from 'samples' elements where it is large (0: all). */
size_t value_memory(const struct entry *entry, size_t samples);

#endif
