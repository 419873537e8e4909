/* Threads, locks and the one lock order; clang's -Wthread-safety checks the use. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#if defined(__clang__)
#define CAPABILITY(name)     __attribute__((capability(name)))
#define ACQUIRES(...)        __attribute__((acquire_capability(__VA_ARGS__)))
#define ACQUIRES_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define RELEASES(...)        __attribute__((release_generic_capability(__VA_ARGS__)))
#define REQUIRES(...)        __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...)        __attribute__((locks_excluded(__VA_ARGS__)))
#define GUARDED_BY(...)      __attribute__((guarded_by(__VA_ARGS__)))
#define UNCHECKED_LOCKING    __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(name)
#define ACQUIRES(...)
#define ACQUIRES_SHARED(...)
#define RELEASES(...)
#define REQUIRES(...)
#define EXCLUDES(...)
#define GUARDED_BY(...)
#define UNCHECKED_LOCKING
#endif

#define CACHE_LINE 64

/* Tells the processor that this is a spin-wait. */
static inline void thread_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* One turn of waiting without a wake-up: spins in the first turns (counted from 0),
 * then yields, then sleeps for up to a millisecond. */
void thread_pause(unsigned turn);

/* The one lock order, outermost first.  A thread may only take a lock of a rank above
 * every rank it holds; debug builds (RLN_DEBUG) abort on a violation.  Stripes are
 * taken in ascending index, all by one keylock, and count as one rank. */
enum lock_rank {
    RANK_NONE,
    RANK_SERVER,    /* configuration and lifecycle */
    RANK_EXCLUSIVE, /* the exclusive section */
    RANK_SESSIONS,  /* the list of connected sessions */
    RANK_STRIPE,    /* key stripes, ascending stripe index */
    RANK_BLOCKED,   /* the table of awaited keys */
    RANK_TRACKING,  /* clients that cache keys */
    RANK_TRACKED,   /* the keys that they have cached, one shard at a time */
    RANK_PUBSUB,    /* channel and pattern tables: notifications are sent while keys are held */
    RANK_CHANGES,   /* change log: AOF and replication backlog */
    RANK_SCRIPTS,   /* the table of scripts and functions: a transaction may hold keys */
    RANK_CONFIG,    /* the configuration's texts: commands that hold keys may ask for them */
    RANK_ACL,       /* users and what was refused to them: commands that hold keys may ask */
    RANK_QUEUE,     /* job and event queues */
    RANK_LOG,       /* the log sink */
    RANK_SLAB,      /* the slabs' pages; innermost, since any code may allocate */
    RANK_COUNT
};

/* A mutex that knows its place in the order. */
struct CAPABILITY("mutex") mutex {
    pthread_mutex_t native;
    enum lock_rank rank;
};

/* Free, with its place in the order.  mutex_release() wants it free again. */
void mutex_init(struct mutex *mutex, enum lock_rank rank);
void mutex_release(struct mutex *mutex);
void mutex_lock(struct mutex *mutex) ACQUIRES(mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(mutex);

struct condition {
    pthread_cond_t native; /* on the monotonic clock where the system has that */
};

/* Waiting gives the mutex back and takes it again; wake-ups may come without a cause, so what is
 * waited for is looked at in a loop. */
void condition_init(struct condition *condition);
void condition_release(struct condition *condition);
void condition_wait(struct condition *condition, struct mutex *mutex) REQUIRES(mutex);
/* False when 'timeout_us' passed. */
bool condition_wait_for(struct condition *condition, struct mutex *mutex, int64_t timeout_us)
    REQUIRES(mutex);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);

/* A read/write lock of four bytes: one compare-and-swap to take and one subtraction to
 * give back, uncontended; waiters spin shortly, then sleep in the kernel or yield.
 * Writers are not starved: a waiting writer keeps new readers out. */
struct CAPABILITY("rwlock") rwlock {
    _Atomic uint32_t state;
};

#define RWLOCK_WRITER  0x80000000u /* held by a writer */
#define RWLOCK_WAITING 0x40000000u /* a writer waits: readers stay out */

/* What rwlock_read() and rwlock_write() do when they have to wait. */
void rwlock_read_slow(struct rwlock *lock);
void rwlock_write_slow(struct rwlock *lock);

/* Takes it for reading, waiting for a writer.  A thread does not take it twice: a writer may wait
 * in between. */
static inline void rwlock_read(struct rwlock *lock) ACQUIRES_SHARED(lock) UNCHECKED_LOCKING
{
    uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    if ((state & (RWLOCK_WRITER | RWLOCK_WAITING)) != 0 ||
        !atomic_compare_exchange_weak_explicit(&lock->state, &state, state + 1,
                                               memory_order_acquire, memory_order_relaxed)) {
        rwlock_read_slow(lock);
    }
}

/* Takes it for reading if that needs no waiting. */
static inline bool rwlock_try_read(struct rwlock *lock) UNCHECKED_LOCKING
{
    uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    return (state & (RWLOCK_WRITER | RWLOCK_WAITING)) == 0 &&
           atomic_compare_exchange_strong_explicit(&lock->state, &state, state + 1,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Takes it alone, waiting for readers and writers. */
static inline void rwlock_write(struct rwlock *lock) ACQUIRES(lock) UNCHECKED_LOCKING
{
    uint32_t free_state = 0;
    if (!atomic_compare_exchange_weak_explicit(&lock->state, &free_state, RWLOCK_WRITER,
                                               memory_order_acquire, memory_order_relaxed)) {
        rwlock_write_slow(lock);
    }
}

/* Gives back what rwlock_read() or rwlock_try_read() took. */
static inline void rwlock_read_unlock(struct rwlock *lock) RELEASES(lock) UNCHECKED_LOCKING
{
    atomic_fetch_sub_explicit(&lock->state, 1, memory_order_release);
}

/* Gives back what rwlock_write() took. */
static inline void rwlock_write_unlock(struct rwlock *lock) RELEASES(lock) UNCHECKED_LOCKING
{
    /* Readers never change the word while a writer holds it, a waiting writer sets its
     * bit only: keep that bit. */
    atomic_fetch_and_explicit(&lock->state, ~RWLOCK_WRITER, memory_order_release);
}

/* Debug builds: notes that this thread takes or gives back a lock of 'rank', and aborts
 * when the order is broken.  Nothing in release builds. */
#ifdef RLN_DEBUG
void lock_order_take(enum lock_rank rank);
void lock_order_give(enum lock_rank rank);
#else
static inline void lock_order_take(enum lock_rank rank)
{
    (void)rank;
}
static inline void lock_order_give(enum lock_rank rank)
{
    (void)rank;
}
#endif

/* Starts a thread with every signal blocked, named 'name' (at most 15 bytes count).
 * Returns 0 or an errno value. */
MUST_CHECK int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

#endif
