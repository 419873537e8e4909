/* Eviction: which key goes when memory is short.
 *
 * Where Redis compares a few keys of the whole database and remembers good ones, a victim is
 * looked for in one stripe at random: its keys are a fair sample, and one hold of its lock
 * compares several times as many for the same price.  The key that ends next is known exactly,
 * from the stripes' expiry indexes. */
#ifndef STORE_EVICTION_H
#define STORE_EVICTION_H

#include "store/keyspace.h"

/* By the directive's names. */
enum eviction_policy {
    EVICT_NOTHING,
    EVICT_ALL_LRU,
    EVICT_ALL_LFU,
    EVICT_ALL_RANDOM,
    EVICT_VOLATILE_LRU,
    EVICT_VOLATILE_LFU,
    EVICT_VOLATILE_RANDOM,
    EVICT_VOLATILE_TTL,
};

/* Removes one key and tells the watchers and the hook.  Returns about how many bytes that
 * frees, 0 when there is no key to evict.  The thread is in a batch or in the exclusive
 * section, and holds no key.  'samples' is maxmemory-samples; large values are freed by the
 * background when 'lazily'. */
size_t keyspace_evict(struct store_thread *thread, enum eviction_policy policy, unsigned samples,
                      bool lazily);

/* Keys evicted since the start. */
uint64_t keyspace_evicted(const struct keyspace *ks);

#endif
