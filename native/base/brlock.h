/* The big-reader lock behind the exclusive section: one word per executing thread on
 * its own cache line.  A normal batch holds its own thread's word, at the cost of one
 * uncontended atomic; an exclusive operation waits for all words to be clear and keeps
 * new batches out.  It also tells when memory that readers may still look at can go:
 * a word's count moves on with every batch (see brlock_passed()). */
#ifndef BASE_BRLOCK_H
#define BASE_BRLOCK_H

#include <stdalign.h>

#include "base/thread.h"

struct brlock_reader {
    alignas(CACHE_LINE) _Atomic uint64_t word; /* odd in a batch; only its thread changes it */
    struct brlock_reader *next;                /* list of the lock; see its 'list' */
};

struct CAPABILITY("brlock") brlock {
    _Atomic uint32_t exclusive; /* how many want or hold the exclusive section */
    _Atomic uint32_t queued;    /* threads that wait for 'mutex', to get in or to keep others out */
    struct mutex mutex;         /* rank RANK_EXCLUSIVE; held for the exclusive section */
    struct brlock_reader *readers;
    /* The list changes under both 'mutex' and 'list' and may be read under either; a
     * thread in a batch takes 'list' only, for an exclusive section may await it. */
    struct rwlock list;
};

/* Nobody is in, and no thread has joined.  Released when all have quit. */
void brlock_init(struct brlock *lock);
void brlock_release(struct brlock *lock);

/* A thread's word joins or leaves the lock; not inside a batch, nor in
 * an exclusive section. */
void brlock_join(struct brlock *lock, struct brlock_reader *reader);
void brlock_quit(struct brlock *lock, struct brlock_reader *reader);

/* Begins and ends a batch.  Not nested. */
void brlock_enter_slow(struct brlock *lock, struct brlock_reader *reader);
static inline void brlock_enter(struct brlock *lock, struct brlock_reader *reader)
{
    uint64_t word = atomic_load_explicit(&reader->word, memory_order_relaxed);
    /* The store must be seen before the flag is read: Dekker's pattern, hence seq_cst. */
    atomic_exchange_explicit(&reader->word, word + 1, memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&lock->exclusive, memory_order_seq_cst) != 0, 0)) {
        brlock_enter_slow(lock, reader);
    }
}
static inline void brlock_leave(struct brlock *lock, struct brlock_reader *reader)
{
    (void)lock;
    uint64_t word = atomic_load_explicit(&reader->word, memory_order_relaxed);
    atomic_store_explicit(&reader->word, word + 1, memory_order_release);
}

/* True between enter and leave of this thread's own word. */
static inline bool brlock_inside(const struct brlock_reader *reader)
{
    return (atomic_load_explicit(&reader->word, memory_order_relaxed) & 1) != 0;
}

/* Waits until no batch runs, and keeps new ones out until the end.  The caller must be
 * outside a batch.  Exclusive sections of several threads come one after the other. */
void brlock_begin_exclusive(struct brlock *lock) ACQUIRES(lock);
/* The same, unless '*obstacle' is not 0, or becomes so on the way: then false, at once. */
MUST_CHECK bool brlock_try_exclusive(struct brlock *lock,
                                     const _Atomic uint32_t *obstacle) UNCHECKED_LOCKING;
void brlock_end_exclusive(struct brlock *lock) RELEASES(lock);

/* For a thread that has just ended an exclusive section and wants the next: lets those get in
 * who have been waiting, for up to a millisecond. */
void brlock_give_way(struct brlock *lock);

/* Reclamation.  A ticket tells the moment at which memory was unlinked; once every
 * thread that was in a batch then has left it, the memory may be freed.  'self' is the
 * caller's own word, which does not count, or NULL. */
enum { BRLOCK_READERS_MAX = 256 };
struct brlock_ticket {
    struct {
        const struct brlock_reader *reader;
        uint64_t word;
    } seen[BRLOCK_READERS_MAX];
    unsigned count;
    bool overflowed; /* more were in a batch than there is room for */
};
void brlock_stamp(struct brlock *lock, const struct brlock_reader *self,
                  struct brlock_ticket *ticket);
/* True when all that 'ticket' saw have moved on; never waits for a batch.  Readers that
 * quit count as moved on. */
bool brlock_passed(struct brlock *lock, struct brlock_ticket *ticket);

#endif
