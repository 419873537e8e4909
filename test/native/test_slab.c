/* Slabs: sizes and alignment, contents under random histories on one and several
 * threads, and that what is freed goes back. */
#include <pthread.h>

#include "base/slab.h"
#include "check.h"

enum { THREADS = 4, SLOTS = 512, THREAD_STEPS = 60000 };

/* Begins every object of the histories; the rest of it is filled from 'mark'. */
struct object {
    uint32_t size;
    unsigned char mark;
};

static size_t random_size(uint64_t *dice)
{
    size_t limit = check_random_below(dice, 8) == 0 ? SLAB_MAX : 300;
    return sizeof(struct object) + check_random_below(dice, limit - sizeof(struct object) + 1);
}

static struct object *create_object(struct slab_heap *heap, uint64_t *dice)
{
    size_t size = random_size(dice);
    struct object *object = slab_alloc(heap, size);
    CHECK(object != NULL);
    CHECK_INT((uintptr_t)object % (size % 64 == 0 ? 64 : 8), 0);
    *object = (struct object){ .size = (uint32_t)size, .mark = (unsigned char)check_random(dice) };
    memset(object + 1, object->mark, size - sizeof(*object));
    return object;
}

static void destroy_object(struct slab_heap *heap, struct object *object)
{
    const unsigned char *rest = (const unsigned char *)(object + 1);
    size_t len = object->size - sizeof(*object);
    for (size_t i = 0; i < len; i++) {
        CHECK_INT(rest[i], object->mark);
    }
    slab_free(heap, object, object->size);
}

static void classes_are_tight_and_ascend(void)
{
    CHECK_INT(slab_class_size(1), 8);
    CHECK_INT(slab_class_size(128), 128);
    CHECK_INT(slab_class_size(129), 144);
    CHECK_INT(slab_class_size(257), 288);
    CHECK_INT(slab_class_size(SLAB_MAX), SLAB_MAX);
    for (size_t size = 1; size <= SLAB_MAX; size++) {
        size_t class = slab_class_size(size);
        CHECK(class >= size && class >= slab_class_size(size - (size > 1)));
        CHECK(class - size < 16 || (class - size) * 8 <= size);
        CHECK_INT(slab_class_size(class), class);
        CHECK(size % 64 != 0 || class % 64 == 0);
    }
}

static void every_size_is_usable_to_its_end(void)
{
    struct slab_pool *pool = slab_pool_create();
    CHECK(pool != NULL);
    struct slab_heap *heap = slab_heap_take(pool);
    CHECK(heap != NULL);
    size_t expected = 0;
    static void *objects[SLAB_MAX + 1];
    for (size_t size = 1; size <= SLAB_MAX; size++) {
        objects[size] = slab_alloc(heap, size);
        CHECK(objects[size] != NULL);
        CHECK_INT((uintptr_t)objects[size] % (size % 64 == 0 ? 64 : 8), 0);
        memset(objects[size], (int)(size % 251), size);
        expected += slab_class_size(size);
        CHECK_INT(slab_pool_used(pool), expected);
    }
    for (size_t size = 1; size <= SLAB_MAX; size++) {
        const unsigned char *at = objects[size];
        for (size_t i = 0; i < size; i++) {
            CHECK_INT(at[i], size % 251);
        }
        slab_free(heap, objects[size], size);
    }
    CHECK_INT(slab_pool_used(pool), 0);
    slab_heap_leave(pool, heap);
    slab_pool_destroy(pool);
}

static void one_thread_s_history_keeps_every_object(void)
{
    enum { LIVE = 5000, STEPS = 200000 };
    static struct object *live[LIVE];
    uint64_t dice = check_seed();
    struct slab_pool *pool = slab_pool_create();
    struct slab_heap *heap = slab_heap_take(pool);
    for (int step = 0; step < STEPS; step++) {
        size_t i = check_random_below(&dice, LIVE);
        if (live[i] != NULL) {
            destroy_object(heap, live[i]);
            live[i] = NULL;
        } else {
            live[i] = create_object(heap, &dice);
        }
    }
    for (size_t i = 0; i < LIVE; i++) {
        if (live[i] != NULL) {
            destroy_object(heap, live[i]);
        }
    }
    CHECK_INT(slab_pool_used(pool), 0);
    slab_heap_leave(pool, heap);
    slab_pool_destroy(pool);
}

#ifndef SLAB_PASSTHROUGH
static void freed_pages_go_back(void)
{
    enum { COUNT = 100000, SIZE = 200 };
    static void *objects[COUNT];
    struct slab_pool *pool = slab_pool_create();
    struct slab_heap *heap = slab_heap_take(pool);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            objects[i] = slab_alloc(heap, SIZE);
            CHECK(objects[i] != NULL);
        }
        size_t used = (size_t)COUNT * slab_class_size(SIZE);
        CHECK_INT(slab_pool_used(pool), used);
        CHECK(slab_pool_held(pool) >= used && slab_pool_held(pool) <= used + used / 50);
        for (int i = 0; i < COUNT; i++) {
            slab_free(heap, objects[(i * 7919) % COUNT], SIZE);
        }
        CHECK_INT(slab_pool_used(pool), 0);
        CHECK(slab_pool_held(pool) <= 64 * SLAB_PAGE);
    }
    slab_heap_leave(pool, heap);
    slab_pool_destroy(pool);
}
#endif

struct exchange {
    struct slab_pool *pool;
    _Atomic(struct object *) slots[SLOTS];
    uint64_t seed;
};

static void *exchange_objects(void *arg)
{
    struct exchange *exchange = arg;
    uint64_t dice = exchange->seed ^ (uint64_t)(uintptr_t)&dice;
    struct slab_heap *heap = slab_heap_take(exchange->pool);
    CHECK(heap != NULL);
    for (int step = 0; step < THREAD_STEPS; step++) {
        size_t slot = check_random_below(&dice, SLOTS);
        struct object *mine = check_random_below(&dice, 2) == 0 ? create_object(heap, &dice) : NULL;
        struct object *theirs = atomic_exchange(&exchange->slots[slot], mine);
        if (theirs != NULL) {
            destroy_object(heap, theirs);
        }
        if (step % 10000 == 9999) {
            slab_heap_leave(exchange->pool, heap); /* Threads swap heaps with live objects. */
            heap = slab_heap_take(exchange->pool);
        }
        if (step % 1000 == 0) {
            slab_heap_collect(heap);
        }
    }
    slab_heap_leave(exchange->pool, heap);
    return NULL;
}

static void objects_freed_by_other_threads_come_home(void)
{
    static struct exchange exchange;
    pthread_t threads[THREADS];
    exchange.seed = check_seed();
    exchange.pool = slab_pool_create();
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, exchange_objects, &exchange), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    struct slab_heap *heap = slab_heap_take(exchange.pool);
    for (size_t i = 0; i < SLOTS; i++) {
        struct object *object = atomic_load(&exchange.slots[i]);
        if (object != NULL) {
            destroy_object(heap, object);
        }
    }
    CHECK_INT(slab_pool_used(exchange.pool), 0);
    for (int i = 0; i < THREADS; i++) {
        slab_heap_collect(heap); /* one heap left behind at each call */
    }
    slab_heap_leave(exchange.pool, heap);
    /* Every object came home, so no page is held but the pool's warm ones. */
    CHECK(slab_pool_held(exchange.pool) <= 32 * SLAB_PAGE);
    slab_pool_destroy(exchange.pool);
}

struct hand_over {
    struct slab_pool *pool;
    struct slab_heap *home;
    void *objects[20000];
};

static void *free_all_of_them(void *arg)
{
    struct hand_over *given = arg;
    struct slab_heap *heap = slab_heap_take(given->pool);
    CHECK(heap != NULL && heap != given->home);
    for (size_t i = 0; i < sizeof(given->objects) / sizeof(given->objects[0]); i++) {
        slab_free(heap, given->objects[i], 96);
    }
    slab_heap_leave(given->pool, heap);
    return NULL;
}

static void a_heap_uses_again_what_another_thread_freed(void)
{
    static struct hand_over given;
    given.pool = slab_pool_create();
    given.home = slab_heap_take(given.pool);
    size_t held = 0;
    for (int round = 0; round < 5; round++) {
        pthread_t thread;
        for (size_t i = 0; i < sizeof(given.objects) / sizeof(given.objects[0]); i++) {
            given.objects[i] = slab_alloc(given.home, 96);
            CHECK(given.objects[i] != NULL);
        }
        held = round == 0 ? slab_pool_held(given.pool) : held;
        CHECK(slab_pool_held(given.pool) <= held + 34 * SLAB_PAGE);
        CHECK_INT(pthread_create(&thread, NULL, free_all_of_them, &given), 0);
        pthread_join(thread, NULL);
        CHECK_INT(slab_pool_used(given.pool), 0);
    }
    slab_heap_leave(given.pool, given.home);
    slab_pool_destroy(given.pool);
}

static void thousands_of_heaps_come_and_go(void)
{
    enum { HEAPS = 3000 };
    static struct slab_heap *heaps[HEAPS];
    static void *objects[HEAPS];
    struct slab_pool *pool = slab_pool_create();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < HEAPS; i++) {
            heaps[i] = slab_heap_take(pool);
            CHECK(heaps[i] != NULL);
        }
        for (int i = 0; i < HEAPS; i += 10) {
            objects[i] = slab_alloc(heaps[i], 40);
            CHECK(objects[i] != NULL);
        }
        for (int i = 0; i < HEAPS; i += 10) {
            slab_free(heaps[HEAPS - 1 - i], objects[i], 40);
        }
        for (int i = 0; i < HEAPS; i++) {
            slab_heap_leave(pool, heaps[i]);
        }
    }
    CHECK_INT(slab_pool_used(pool), 0);
    slab_pool_destroy(pool);
}

int main(void)
{
    RUN_TEST(classes_are_tight_and_ascend);
    RUN_TEST(every_size_is_usable_to_its_end);
    RUN_TEST(one_thread_s_history_keeps_every_object);
#ifndef SLAB_PASSTHROUGH
    RUN_TEST(freed_pages_go_back);
#endif
    RUN_TEST(objects_freed_by_other_threads_come_home);
    RUN_TEST(a_heap_uses_again_what_another_thread_freed);
    RUN_TEST(thousands_of_heaps_come_and_go);
    return check_done();
}
