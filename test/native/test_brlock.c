/* The big-reader lock: exclusive sections exclude, readers come and go, and tickets
 * pass no sooner than the batches they saw. */
#include <pthread.h>
#include <sched.h>

#include "base/brlock.h"
#include "check.h"

enum { READERS = 3, WRITERS = 2, BATCHES = 20000, SECTIONS = 300 };

struct shared {
    struct brlock lock;
    _Atomic int inside; /* readers in a batch */
    uint64_t pair[2];   /* plain: only an exclusive section writes it, always both */
    struct brlock_reader readers[READERS];
    _Atomic int next_reader;
    _Atomic bool stop;
};

static void *read_in_batches(void *arg)
{
    struct shared *shared = arg;
    struct brlock_reader *me = &shared->readers[atomic_fetch_add(&shared->next_reader, 1)];
    brlock_join(&shared->lock, me);
    for (int i = 0; i < BATCHES; i++) {
        CHECK(!brlock_inside(me));
        brlock_enter(&shared->lock, me);
        CHECK(brlock_inside(me));
        atomic_fetch_add_explicit(&shared->inside, 1, memory_order_relaxed);
        CHECK(shared->pair[0] == shared->pair[1]);
        atomic_fetch_sub_explicit(&shared->inside, 1, memory_order_relaxed);
        brlock_leave(&shared->lock, me);
        if (i % 500 == 499) {
            brlock_quit(&shared->lock, me);
            brlock_join(&shared->lock, me);
        }
    }
    brlock_quit(&shared->lock, me);
    return NULL;
}

static void *write_exclusively(void *arg)
{
    struct shared *shared = arg;
    for (int i = 0; i < SECTIONS; i++) {
        brlock_begin_exclusive(&shared->lock);
        CHECK_INT(atomic_load_explicit(&shared->inside, memory_order_relaxed), 0);
        shared->pair[0]++;
        thread_pause(105);
        shared->pair[1]++;
        brlock_end_exclusive(&shared->lock);
        sched_yield();
    }
    return NULL;
}

static void exclusive_sections_see_no_batch_and_no_section(void)
{
    static struct shared shared;
    pthread_t threads[READERS + WRITERS];
    brlock_init(&shared.lock);
    for (int i = 0; i < READERS + WRITERS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL,
                                 i < READERS ? read_in_batches : write_exclusively, &shared),
                  0);
    }
    for (int i = 0; i < READERS + WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(shared.pair[0], SECTIONS * WRITERS);
    CHECK_INT(shared.pair[1], SECTIONS * WRITERS);
    CHECK(shared.lock.readers == NULL);
    brlock_release(&shared.lock);
}

static void a_ticket_waits_for_the_batches_it_saw_only(void)
{
    struct brlock lock;
    struct brlock_reader me;
    struct brlock_reader busy;
    struct brlock_reader idle;
    struct brlock_reader leaver;
    static struct brlock_ticket ticket;
    brlock_init(&lock);
    brlock_join(&lock, &me);
    brlock_join(&lock, &busy);
    brlock_join(&lock, &idle);
    brlock_join(&lock, &leaver);
    brlock_enter(&lock, &me);
    brlock_enter(&lock, &busy);
    brlock_enter(&lock, &leaver);
    brlock_stamp(&lock, &me, &ticket);
    CHECK_INT(ticket.count, 2);
    brlock_enter(&lock, &idle); /* began later */
    CHECK(!brlock_passed(&lock, &ticket));
    brlock_leave(&lock, &busy);
    brlock_enter(&lock, &busy); /* a new batch of the same thread is another one */
    CHECK(!brlock_passed(&lock, &ticket));
    brlock_leave(&lock, &leaver);
    brlock_quit(&lock, &leaver);
    CHECK(brlock_passed(&lock, &ticket));
    CHECK(brlock_passed(&lock, &ticket));
    brlock_leave(&lock, &busy);
    brlock_leave(&lock, &idle);
    brlock_leave(&lock, &me);
    brlock_quit(&lock, &me);
    brlock_quit(&lock, &busy);
    brlock_quit(&lock, &idle);
    brlock_release(&lock);
}

static void more_batches_than_a_ticket_holds_are_waited_for_too(void)
{
    enum { MANY = BRLOCK_READERS_MAX + 20 };
    static struct brlock_reader readers[MANY];
    static struct brlock_ticket ticket;
    struct brlock lock;
    brlock_init(&lock);
    for (int i = 0; i < MANY; i++) {
        brlock_join(&lock, &readers[i]);
        brlock_enter(&lock, &readers[i]);
    }
    brlock_stamp(&lock, NULL, &ticket);
    for (int i = MANY - 1; i >= 0; i--) {
        CHECK(!brlock_passed(&lock, &ticket));
        brlock_leave(&lock, &readers[i]);
    }
    CHECK(brlock_passed(&lock, &ticket));
    for (int i = 0; i < MANY; i++) {
        brlock_quit(&lock, &readers[i]);
    }
    brlock_release(&lock);
}

/* What readers look at; freed memory is poisoned first. */
struct published {
    struct shared *shared;
    _Atomic(uint64_t *) value;
};

static void *read_published(void *arg)
{
    struct published *published = arg;
    struct shared *shared = published->shared;
    struct brlock_reader *me = &shared->readers[atomic_fetch_add(&shared->next_reader, 1)];
    brlock_join(&shared->lock, me);
    while (!atomic_load(&shared->stop)) {
        brlock_enter(&shared->lock, me);
        uint64_t *value = atomic_load_explicit(&published->value, memory_order_acquire);
        CHECK(*value != 0);
        sched_yield();
        CHECK(*value != 0);
        brlock_leave(&shared->lock, me);
    }
    brlock_quit(&shared->lock, me);
    return NULL;
}

static void memory_freed_after_its_ticket_is_seen_by_nobody(void)
{
    static struct shared shared;
    static struct published published;
    static struct brlock_ticket ticket;
    pthread_t threads[READERS];
    brlock_init(&shared.lock);
    published.shared = &shared;
    atomic_store(&published.value, calloc(1, sizeof(uint64_t)));
    *atomic_load(&published.value) = 1;
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, read_published, &published), 0);
    }
    for (uint64_t round = 2; round < 2000; round++) {
        uint64_t *fresh = malloc(sizeof(*fresh));
        CHECK(fresh != NULL);
        *fresh = round;
        uint64_t *old = atomic_exchange_explicit(&published.value, fresh, memory_order_acq_rel);
        brlock_stamp(&shared.lock, NULL, &ticket);
        for (unsigned turn = 0; !brlock_passed(&shared.lock, &ticket); turn++) {
            thread_pause(turn);
        }
        *old = 0;
        free(old);
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    free(atomic_load(&published.value));
    brlock_release(&shared.lock);
}

int main(void)
{
    RUN_TEST(exclusive_sections_see_no_batch_and_no_section);
    RUN_TEST(a_ticket_waits_for_the_batches_it_saw_only);
    RUN_TEST(more_batches_than_a_ticket_holds_are_waited_for_too);
    RUN_TEST(memory_freed_after_its_ticket_is_seen_by_nobody);
    return check_done();
}
