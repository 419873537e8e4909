/* The 24-bit access clock of an entry: seconds of the last access (LRU), or 16 bits of
 * minutes and an 8-bit counter that grows with the logarithm of accesses and decays with
 * time (LFU).  Written only when it changes, so that reads of a hot key leave its cache
 * line clean. */
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include "store/keyspace_internal.h"

enum { ACCESS_LFU_INITIAL = 5 };

/* The clock of an entry that is made now. */
uint32_t access_initial(const struct keyspace *ks, const struct store_thread *thread);

/* Notes one access under LFU. */
void access_note_lfu(const struct keyspace *ks, struct store_thread *thread, struct entry *entry);

static inline void access_note(const struct keyspace *ks, struct store_thread *thread,
                               struct entry *entry)
{
    if (__builtin_expect(atomic_load_explicit(&ks->lfu, memory_order_relaxed), 0)) {
        access_note_lfu(ks, thread, entry);
    } else if (__builtin_expect(entry_access(entry) != thread->access_now, 0)) {
        entry_set_access(entry, thread->access_now);
    }
}

#endif
