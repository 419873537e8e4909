/* A bounded queue behind one mutex (see queue.h).  The depth is kept in an atomic too,
 * so that a reader that finds nothing takes no lock. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/queue.h"

bool queue_init(struct queue *queue, uint32_t capacity)
{
    void **items = mem_try_alloc(capacity * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    *queue = (struct queue){ .items = items, .capacity = capacity };
    mutex_init(&queue->mutex, RANK_QUEUE);
    condition_init(&queue->room);
    condition_init(&queue->arrived);
    return true;
}

void queue_release(struct queue *queue)
{
    condition_release(&queue->arrived);
    condition_release(&queue->room);
    mutex_release(&queue->mutex);
    mem_free(queue->items);
    queue->items = NULL;
}

static enum queue_result push_locked(struct queue *queue, void *item) REQUIRES(queue->mutex)
{
    if (queue->closed) {
        return QUEUE_CLOSED;
    }
    if (queue->count == queue->capacity) {
        return QUEUE_FULL;
    }
    uint64_t end = ((uint64_t)queue->first + queue->count) % queue->capacity;
    queue->items[end] = item;
    queue->count++;
    atomic_store_explicit(&queue->depth, queue->count, memory_order_release);
    /* Not only when it was empty: several readers may wait, and each item is for one. */
    condition_signal(&queue->arrived);
    return queue->count == 1 ? QUEUE_WAS_EMPTY : QUEUE_OK;
}

static void *pop_locked(struct queue *queue) REQUIRES(queue->mutex)
{
    if (queue->count == 0) {
        return NULL;
    }
    void *item = queue->items[queue->first];
    queue->first = queue->first + 1 == queue->capacity ? 0 : queue->first + 1;
    if (queue->count == queue->capacity) {
        /* All of them: later pops find the queue no longer full and wake nobody. */
        condition_broadcast(&queue->room);
    }
    queue->count--;
    atomic_store_explicit(&queue->depth, queue->count, memory_order_release);
    return item;
}

/* Waits on 'condition' until 'until_us' of the monotonic clock, or for ever when
 * 'timeout_us' is negative.  False when the time has passed. */
static bool wait_until(struct queue *queue, struct condition *condition, int64_t timeout_us,
                       int64_t until_us, const struct clock *clock) REQUIRES(queue->mutex)
{
    if (timeout_us < 0) {
        condition_wait(condition, &queue->mutex);
        return true;
    }
    int64_t left_us = until_us - clock_monotonic_us(clock);
    return left_us > 0 && (condition_wait_for(condition, &queue->mutex, left_us) ||
                           clock_monotonic_us(clock) < until_us);
}

enum queue_result queue_try_push(struct queue *queue, void *item)
{
    mutex_lock(&queue->mutex);
    enum queue_result result = push_locked(queue, item);
    mutex_unlock(&queue->mutex);
    return result;
}

enum queue_result queue_push(struct queue *queue, void *item, int64_t timeout_us)
{
    struct clock clock;
    clock_init_system(&clock);
    int64_t until_us = timeout_us > 0 ? clock_monotonic_us(&clock) + timeout_us : 0;
    mutex_lock(&queue->mutex);
    enum queue_result result = push_locked(queue, item);
    while (result == QUEUE_FULL && wait_until(queue, &queue->room, timeout_us, until_us, &clock)) {
        result = push_locked(queue, item);
    }
    mutex_unlock(&queue->mutex);
    return result;
}

void *queue_try_pop(struct queue *queue)
{
    if (atomic_load_explicit(&queue->depth, memory_order_acquire) == 0) {
        return NULL;
    }
    mutex_lock(&queue->mutex);
    void *item = pop_locked(queue);
    mutex_unlock(&queue->mutex);
    return item;
}

void *queue_pop(struct queue *queue, int64_t timeout_us)
{
    struct clock clock;
    clock_init_system(&clock);
    int64_t until_us = timeout_us > 0 ? clock_monotonic_us(&clock) + timeout_us : 0;
    mutex_lock(&queue->mutex);
    void *item = pop_locked(queue);
    while (item == NULL && !queue->closed &&
           wait_until(queue, &queue->arrived, timeout_us, until_us, &clock)) {
        item = pop_locked(queue);
    }
    if (item == NULL) {
        item = pop_locked(queue); /* It may have come in the instant the time passed. */
    }
    mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(struct queue *queue)
{
    mutex_lock(&queue->mutex);
    queue->closed = true;
    condition_broadcast(&queue->room);
    condition_broadcast(&queue->arrived);
    mutex_unlock(&queue->mutex);
}

uint32_t queue_depth(const struct queue *queue)
{
    return atomic_load_explicit(&queue->depth, memory_order_relaxed);
}
