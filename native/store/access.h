/* The 24-bit access clock of an entry: seconds of the last access (LRU), or 16 bits of
 * minutes and an 8-bit counter that grows with the logarithm of accesses and decays with
 * time (LFU).  Written only when it changes, so that reads of a hot key leave its cache
 * line clean. */
#ifndef STORE_ACCESS_H
#define STORE_ACCESS_H

#include "store/keyspace_internal.h"

enum { ACCESS_LFU_INITIAL = 5, ACCESS_MASK = 0xffffff };

/* The seconds of now, also of a thread that notes no use. */
static inline uint32_t access_clock(const struct store_thread *thread)
{
    return UNLIKELY(thread->access_now == ACCESS_UNNOTED)
               ? (uint32_t)(thread->now_ms / 1000) & ACCESS_MASK
               : thread->access_now;
}

/* Notes one access without LFU; where 'access_now' was seen not to be the entry's. */
static inline void access_set_now(const struct store_thread *thread, struct entry *entry)
{
    if (thread->access_now != ACCESS_UNNOTED) {
        entry_set_access(entry, thread->access_now);
    }
}

/* The clock of an entry that is made now. */
uint32_t access_initial(const struct keyspace *ks, const struct store_thread *thread);

/* Notes one access under LFU. */
void access_note_lfu(const struct keyspace *ks, struct store_thread *thread, struct entry *entry);

/* Notes that a key was used now, as the eviction policy wants it. */
static inline void access_note(const struct keyspace *ks, struct store_thread *thread,
                               struct entry *entry)
{
    if (__builtin_expect(atomic_load_explicit(&ks->lfu, memory_order_relaxed), 0)) {
        access_note_lfu(ks, thread, entry);
    } else if (__builtin_expect(entry_access(entry) != thread->access_now, 0)) {
        access_set_now(thread, entry);
    }
}

/* Notes that the value is another one: without LFU it is as new. */
static inline void access_renew(const struct keyspace *ks, struct store_thread *thread,
                                struct entry *entry)
{
    if (__builtin_expect(atomic_load_explicit(&ks->lfu, memory_order_relaxed), 0)) {
        access_note_lfu(ks, thread, entry);
    } else if (__builtin_expect(entry_access(entry) != thread->access_now, 0)) {
        entry_set_access(entry, access_clock(thread));
    }
}

#endif
