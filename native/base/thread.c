/* Locks and threads on top of pthreads (see thread.h).  What differs between systems is
 * behind os.h. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/thread.h"

#ifdef RLN_DEBUG
/* The locks that this thread holds, by rank.  Debug builds only. */
static _Thread_local unsigned held[RANK_COUNT];

void lock_order_take(enum lock_rank rank)
{
    if (rank == RANK_NONE) {
        return;
    }
    for (int above = (int)rank; above < RANK_COUNT; above++) {
        if (held[above] != 0) {
            abort(); /* This or an inner lock is held already: the order is broken. */
        }
    }
    held[rank]++;
}

void lock_order_give(enum lock_rank rank)
{
    if (rank == RANK_NONE) {
        return;
    }
    if (held[rank] == 0) {
        abort();
    }
    held[rank]--;
}
#endif

/* The calls below fail only when a lock is misused, which no caller could mend. */
static void must_succeed(int result)
{
    if (result != 0) {
        abort();
    }
}

void mutex_init(struct mutex *mutex, enum lock_rank rank)
{
    must_succeed(pthread_mutex_init(&mutex->native, NULL));
    mutex->rank = rank;
}

void mutex_release(struct mutex *mutex)
{
    must_succeed(pthread_mutex_destroy(&mutex->native));
}

void mutex_lock(struct mutex *mutex) UNCHECKED_LOCKING
{
    lock_order_take(mutex->rank);
    must_succeed(pthread_mutex_lock(&mutex->native));
}

void mutex_unlock(struct mutex *mutex) UNCHECKED_LOCKING
{
    must_succeed(pthread_mutex_unlock(&mutex->native));
    lock_order_give(mutex->rank);
}

void condition_init(struct condition *condition)
{
    must_succeed(os_condition_init(&condition->native));
}

void condition_release(struct condition *condition)
{
    must_succeed(pthread_cond_destroy(&condition->native));
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
    must_succeed(pthread_cond_wait(&condition->native, &mutex->native));
}

bool condition_wait_for(struct condition *condition, struct mutex *mutex, int64_t timeout_us)
{
    int result =
        os_condition_wait_for(&condition->native, &mutex->native, timeout_us > 0 ? timeout_us : 0);
    if (result == ETIMEDOUT) {
        return false;
    }
    must_succeed(result);
    return true;
}

void condition_signal(struct condition *condition)
{
    must_succeed(pthread_cond_signal(&condition->native));
}

void condition_broadcast(struct condition *condition)
{
    must_succeed(pthread_cond_broadcast(&condition->native));
}

enum { SPIN_TURNS = 100, YIELD_TURNS = 110, PATIENT_TURNS = 120 };

void thread_pause(unsigned turn)
{
    if (turn < SPIN_TURNS) {
        thread_relax();
    } else if (turn < YIELD_TURNS) {
        sched_yield();
    } else {
        unsigned doubled = turn - YIELD_TURNS;
        long us = doubled < 4 ? 50L << doubled : 800;
        nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
    }
}

/* Unlocking wakes nobody, so that it stays one instruction: waiters look again by
 * themselves, at intervals that grow. */
void rwlock_read_slow(struct rwlock *lock)
{
    for (unsigned turn = 0;; turn++) {
        uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
        /* A reader that waited long passes the waiting writers, or a stream of them
         * would keep it out for ever. */
        uint32_t closed = turn < PATIENT_TURNS ? RWLOCK_WRITER | RWLOCK_WAITING : RWLOCK_WRITER;
        if ((state & closed) == 0 &&
            atomic_compare_exchange_weak_explicit(&lock->state, &state, state + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return;
        }
        thread_pause(turn);
    }
}

void rwlock_write_slow(struct rwlock *lock)
{
    for (unsigned turn = 0;; turn++) {
        uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
        if ((state & ~RWLOCK_WAITING) == 0) {
            /* Taking the lock clears the bit; writers that still wait set it again. */
            if (atomic_compare_exchange_weak_explicit(&lock->state, &state, RWLOCK_WRITER,
                                                      memory_order_acquire, memory_order_relaxed)) {
                return;
            }
        } else if ((state & RWLOCK_WAITING) == 0) {
            atomic_compare_exchange_weak_explicit(&lock->state, &state, state | RWLOCK_WAITING,
                                                  memory_order_relaxed, memory_order_relaxed);
        }
        thread_pause(turn);
    }
}

/* What a new thread needs; freed by it. */
struct start {
    void *(*run)(void *);
    void *arg;
    char name[16];
};

static void *run_named(void *arg)
{
    struct start start = *(struct start *)arg;
    mem_free(arg);
    os_name_thread(start.name);
    return start.run(start.arg);
}

/* Some systems give threads 128 or 512 KiB of stack, which scripts that nest pattern matches may
 * not find enough. */
static int raise_stack(pthread_attr_t *attr)
{
    const size_t wanted = 4 * 1024 * 1024;
    size_t size = 0;
    int result = pthread_attr_getstacksize(attr, &size);
    return result == 0 && size < wanted ? pthread_attr_setstacksize(attr, wanted) : result;
}

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;
    struct start *start = mem_try_alloc(sizeof(*start));
    if (start == NULL) {
        return ENOMEM;
    }
    *start = (struct start){ .run = run, .arg = arg };
    memcpy(start->name, name, strnlen(name, sizeof(start->name) - 1));
    int result = pthread_attr_init(&attr);
    if (result != 0) {
        mem_free(start);
        return result;
    }
    result = raise_stack(&attr);
    if (result == 0) {
        /* A thread inherits the mask: signals stay with the process that hosts us. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        result = pthread_create(thread, &attr, run_named, start);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attr);
    if (result != 0) {
        mem_free(start);
    }
    return result;
}
