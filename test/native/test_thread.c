/* Read/write locks, conditions and threads. */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/os.h"
#include "base/thread.h"
#include "check.h"

enum { THREADS = 4, STEPS = 20000 };

struct guarded {
    struct rwlock lock;
    uint64_t pair[2]; /* plain: the lock is all that protects it */
    uint64_t writes[THREADS];
    _Atomic int next;
};

static void *read_and_write(void *arg)
{
    struct guarded *guarded = arg;
    int me = atomic_fetch_add(&guarded->next, 1);
    uint64_t dice = check_state.seed + (uint64_t)me;
    for (int i = 0; i < STEPS; i++) {
        if (check_random_below(&dice, 4) == 0) {
            rwlock_write(&guarded->lock);
            CHECK(guarded->pair[0] == guarded->pair[1]);
            guarded->pair[0]++;
            guarded->writes[me]++;
            guarded->pair[1]++;
            rwlock_write_unlock(&guarded->lock);
        } else {
            rwlock_read(&guarded->lock);
            CHECK(guarded->pair[0] == guarded->pair[1]);
            rwlock_read_unlock(&guarded->lock);
        }
        if (i % 64 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void writers_exclude_all_and_readers_exclude_writers(void)
{
    static struct guarded guarded;
    pthread_t threads[THREADS];
    uint64_t writes = 0;
    (void)check_seed();
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(thread_start(&threads[i], "rwlock", read_and_write, &guarded), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        writes += guarded.writes[i]; /* in another order than the threads' */
    }
    CHECK_INT(guarded.pair[0], writes);
    CHECK_INT(atomic_load(&guarded.lock.state) & ~RWLOCK_WAITING, 0);
}

struct meeting {
    struct rwlock lock;
    _Atomic int readers;
    _Atomic bool wrote;
};

static void *write_once(void *arg)
{
    struct meeting *meeting = arg;
    rwlock_write(&meeting->lock);
    CHECK_INT(atomic_load(&meeting->readers), 0);
    atomic_store(&meeting->wrote, true);
    rwlock_write_unlock(&meeting->lock);
    return NULL;
}

static void *read_for_ever(void *arg)
{
    struct meeting *meeting = arg;
    while (!atomic_load(&meeting->wrote)) {
        rwlock_read(&meeting->lock);
        atomic_fetch_add(&meeting->readers, 1);
        sched_yield();
        atomic_fetch_sub(&meeting->readers, 1);
        rwlock_read_unlock(&meeting->lock);
    }
    return NULL;
}

static void a_writer_gets_in_among_endless_readers(void)
{
    static struct meeting meeting;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CHECK_INT(
            thread_start(&threads[i], "endless", i < 3 ? read_for_ever : write_once, &meeting), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(atomic_load(&meeting.wrote));
}

static void readers_share(void) UNCHECKED_LOCKING
{
    struct rwlock lock = { 0 };
    rwlock_read(&lock);
    rwlock_read(&lock);
    CHECK_INT(atomic_load(&lock.state), 2);
    rwlock_read_unlock(&lock);
    rwlock_read_unlock(&lock);
    rwlock_write(&lock);
    CHECK(atomic_load(&lock.state) == RWLOCK_WRITER);
    rwlock_write_unlock(&lock);
    CHECK_INT(atomic_load(&lock.state), 0);
}

static void a_condition_s_wait_ends_in_time(void)
{
    struct mutex mutex;
    struct condition condition;
    struct clock clock;
    mutex_init(&mutex, RANK_QUEUE);
    condition_init(&condition);
    clock_init_system(&clock);
    mutex_lock(&mutex);
    int64_t before = clock_monotonic_us(&clock);
    while (condition_wait_for(&condition, &mutex, 20000)) {
        /* A wake-up without a cause is allowed. */
    }
    CHECK(clock_monotonic_us(&clock) - before >= 19000);
    mutex_unlock(&mutex);
    CHECK(clock_wall_ms(&clock) > INT64_C(1600000000000));
    condition_release(&condition);
    mutex_release(&mutex);
}

static void *note_the_mask(void *arg)
{
    pthread_sigmask(SIG_BLOCK, NULL, arg);
    return NULL;
}

static void threads_start_with_signals_blocked(void)
{
    sigset_t mask;
    sigset_t mine;
    pthread_t thread;
    sigemptyset(&mask);
    CHECK_INT(thread_start(&thread, "a name that is much too long", note_the_mask, &mask), 0);
    pthread_join(thread, NULL);
    CHECK(sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1);
    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    CHECK_INT(sigismember(&mine, SIGINT), 0);
}

static void *wait_for_word(void *arg)
{
    _Atomic uint32_t *word = arg;
    while (atomic_load(word) == 0) {
        os_wait_word(word, 0);
    }
    return NULL;
}

static void a_waiter_on_a_word_wakes(void)
{
    _Atomic uint32_t word = 0;
    pthread_t thread;
    CHECK_INT(thread_start(&thread, "waiter", wait_for_word, (void *)&word), 0);
    usleep(2000);
    atomic_store(&word, 1);
    os_wake_word(&word);
    pthread_join(thread, NULL);
}

#if defined(RLN_DEBUG) && !defined(__SANITIZE_THREAD__)
static void a_broken_lock_order_aborts(void)
{
    struct mutex inner;
    struct mutex outer;
    mutex_init(&inner, RANK_LOG);
    mutex_init(&outer, RANK_QUEUE);
    mutex_lock(&outer);
    mutex_lock(&inner);
    mutex_unlock(&outer); /* any order of giving back is fine */
    mutex_unlock(&inner);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        mutex_lock(&inner);
        mutex_lock(&outer);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    mutex_release(&outer);
    mutex_release(&inner);
}
#endif

int main(void)
{
    RUN_TEST(readers_share);
    RUN_TEST(writers_exclude_all_and_readers_exclude_writers);
    RUN_TEST(a_writer_gets_in_among_endless_readers);
    RUN_TEST(a_condition_s_wait_ends_in_time);
    RUN_TEST(threads_start_with_signals_blocked);
    RUN_TEST(a_waiter_on_a_word_wakes);
#if defined(RLN_DEBUG) && !defined(__SANITIZE_THREAD__)
    RUN_TEST(a_broken_lock_order_aborts);
#endif
    return check_done();
}
