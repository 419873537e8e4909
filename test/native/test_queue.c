/* The bounded queue: order, bounds, closing, and many writers to one reader. */
#include "base/clock.h"
#include "base/queue.h"
#include "check.h"

enum { WRITERS = 4, ITEMS = 20000 };

static char items[8];

static void items_come_out_in_order_and_the_bound_holds(void)
{
    struct queue queue;
    CHECK(queue_init(&queue, 3));
    CHECK(queue_try_pop(&queue) == NULL);
    for (int round = 0; round < 10; round++) {
        CHECK_INT(queue_try_push(&queue, &items[0]), QUEUE_WAS_EMPTY);
        CHECK_INT(queue_try_push(&queue, &items[1]), QUEUE_OK);
        CHECK(queue_try_pop(&queue) == &items[0]);
        CHECK_INT(queue_push(&queue, &items[2], 0), QUEUE_OK);
        CHECK_INT(queue_push(&queue, &items[3], -1), QUEUE_OK);
        CHECK_INT(queue_try_push(&queue, &items[4]), QUEUE_FULL);
        CHECK_INT(queue_push(&queue, &items[4], 0), QUEUE_FULL);
        CHECK_INT(queue_depth(&queue), 3);
        CHECK(queue_try_pop(&queue) == &items[1]);
        CHECK(queue_pop(&queue, 0) == &items[2]);
        CHECK(queue_pop(&queue, -1) == &items[3]);
        CHECK(queue_pop(&queue, 0) == NULL);
    }
    queue_release(&queue);
}

static void waiting_ends_when_its_time_has_passed(void)
{
    struct queue queue;
    struct clock clock;
    clock_init_system(&clock);
    CHECK(queue_init(&queue, 1));
    int64_t start = clock_monotonic_us(&clock);
    CHECK(queue_pop(&queue, 10000) == NULL);
    CHECK_INT(queue_try_push(&queue, &items[0]), QUEUE_WAS_EMPTY);
    CHECK_INT(queue_push(&queue, &items[1], 10000), QUEUE_FULL);
    CHECK(clock_monotonic_us(&clock) - start >= 20000);
    CHECK(queue_pop(&queue, 10000) == &items[0]);
    queue_release(&queue);
}

struct flow {
    struct queue queue;
    uint32_t sent[WRITERS][ITEMS];
    _Atomic int next;
    _Atomic int refused;
};

static void *send_items(void *arg)
{
    struct flow *flow = arg;
    int me = atomic_fetch_add(&flow->next, 1);
    for (uint32_t i = 0; i < ITEMS; i++) {
        flow->sent[me][i] = i; /* plain: the queue must make it visible */
        enum queue_result result = queue_push(&flow->queue, &flow->sent[me][i], -1);
        if (result == QUEUE_CLOSED) {
            atomic_fetch_add(&flow->refused, 1);
            break;
        }
        CHECK(result == QUEUE_OK || result == QUEUE_WAS_EMPTY);
    }
    return NULL;
}

static void each_writer_s_items_arrive_once_and_in_order(void)
{
    static struct flow flow;
    pthread_t threads[WRITERS];
    uint32_t expected[WRITERS] = { 0 };
    uint64_t dice = check_seed();
    CHECK(queue_init(&flow.queue, 16));
    for (int i = 0; i < WRITERS; i++) {
        CHECK_INT(thread_start(&threads[i], "sender", send_items, &flow), 0);
    }
    for (int i = 0; i < WRITERS * ITEMS; i++) {
        uint32_t *item = NULL;
        if (check_random_below(&dice, 2) == 0) {
            item = queue_try_pop(&flow.queue);
        }
        if (item == NULL) {
            item = queue_pop(&flow.queue, -1);
        }
        CHECK(item != NULL);
        size_t writer = (size_t)(item - flow.sent[0]) / ITEMS;
        CHECK_INT(*item, expected[writer]);
        expected[writer]++;
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(expected[i], ITEMS);
    }
    CHECK(queue_try_pop(&flow.queue) == NULL);
    queue_release(&flow.queue);
}

static void *pop_for_ever(void *arg)
{
    return queue_pop(arg, -1);
}

static void *count_items(void *arg)
{
    struct flow *flow = arg;
    uintptr_t count = 0;
    while (queue_pop(&flow->queue, -1) != NULL) {
        count++;
    }
    return (void *)count;
}

static void several_readers_share_the_items(void)
{
    static struct flow flow;
    enum { READERS = 3 };
    pthread_t readers[READERS];
    pthread_t writers[WRITERS];
    uintptr_t total = 0;
    CHECK(queue_init(&flow.queue, 16));
    for (int i = 0; i < READERS; i++) {
        CHECK_INT(thread_start(&readers[i], "reader", count_items, &flow), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        CHECK_INT(thread_start(&writers[i], "sender", send_items, &flow), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    queue_close(&flow.queue);
    for (int i = 0; i < READERS; i++) {
        void *count = NULL;
        pthread_join(readers[i], &count);
        total += (uintptr_t)count;
    }
    CHECK_INT(total, WRITERS * ITEMS);
    queue_release(&flow.queue);
}

static void no_reader_sleeps_while_there_is_an_item(void)
{
    struct queue queue;
    pthread_t readers[2];
    for (int round = 0; round < 50; round++) {
        CHECK(queue_init(&queue, 4));
        for (int i = 0; i < 2; i++) {
            CHECK_INT(thread_start(&readers[i], "reader", pop_for_ever, &queue), 0);
        }
        usleep(500);
        CHECK(queue_try_push(&queue, &items[0]) <= QUEUE_WAS_EMPTY);
        CHECK(queue_try_push(&queue, &items[1]) <= QUEUE_WAS_EMPTY);
        for (int i = 0; i < 2; i++) {
            pthread_join(readers[i], NULL); /* hangs if a wake-up was saved */
        }
        queue_release(&queue);
    }
}

static void closing_wakes_writers_and_keeps_what_is_inside(void)
{
    static struct flow flow;
    pthread_t threads[WRITERS];
    CHECK(queue_init(&flow.queue, 4));
    for (int i = 0; i < WRITERS; i++) {
        CHECK_INT(thread_start(&threads[i], "sender", send_items, &flow), 0);
    }
    while (queue_depth(&flow.queue) < 4) {
        thread_pause(200);
    }
    queue_close(&flow.queue);
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(atomic_load(&flow.refused), WRITERS);
    CHECK_INT(queue_try_push(&flow.queue, &items[0]), QUEUE_CLOSED);
    for (int i = 0; i < 4; i++) {
        CHECK(queue_pop(&flow.queue, -1) != NULL);
    }
    CHECK(queue_pop(&flow.queue, -1) == NULL);
    queue_release(&flow.queue);
}

static void closing_wakes_the_reader(void)
{
    struct queue queue;
    pthread_t thread;
    void *result = &queue;
    CHECK(queue_init(&queue, 4));
    CHECK_INT(thread_start(&thread, "reader", pop_for_ever, &queue), 0);
    usleep(2000);
    queue_close(&queue);
    pthread_join(thread, &result);
    CHECK(result == NULL);
    queue_release(&queue);
}

int main(void)
{
    RUN_TEST(items_come_out_in_order_and_the_bound_holds);
    RUN_TEST(waiting_ends_when_its_time_has_passed);
    RUN_TEST(each_writer_s_items_arrive_once_and_in_order);
    RUN_TEST(several_readers_share_the_items);
    RUN_TEST(no_reader_sleeps_while_there_is_an_item);
    RUN_TEST(closing_wakes_writers_and_keeps_what_is_inside);
    RUN_TEST(closing_wakes_the_reader);
    return check_done();
}
