/* A bounded queue of pointers, many writers to one reader: the job queue of a worker.
 * Several threads may wait in queue_pop(), too; each item goes to one of them. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/thread.h"

struct queue {
    struct mutex mutex;       /* RANK_QUEUE */
    struct condition room;    /* broadcast when an item leaves a full queue */
    struct condition arrived; /* signalled when an item comes in */
    void **items;             /* a ring of 'capacity' */
    uint32_t capacity, first, count;
    _Atomic uint32_t depth; /* a copy of 'count' that INFO reads without the lock */
    bool closed;
};

/* False when memory is short. */
MUST_CHECK bool queue_init(struct queue *queue, uint32_t capacity);
void queue_release(struct queue *queue);

enum queue_result { QUEUE_OK, QUEUE_WAS_EMPTY, QUEUE_FULL, QUEUE_CLOSED };

/* Adds an item unless the queue is full or closed.  QUEUE_WAS_EMPTY is success too, and
 * tells that the reader may sleep and must be woken. */
MUST_CHECK enum queue_result queue_try_push(struct queue *queue, void *item);
/* Waits for room, at most 'timeout_us' (negative: for ever); QUEUE_FULL when it passed. */
MUST_CHECK enum queue_result queue_push(struct queue *queue, void *item, int64_t timeout_us);

/* The oldest item, or NULL when there is none. */
void *queue_try_pop(struct queue *queue);
/* Waits for an item; NULL when the queue is closed and empty, or 'timeout_us' passed. */
void *queue_pop(struct queue *queue, int64_t timeout_us);

/* No more items are taken in; waiting threads wake; what is inside can still be popped. */
void queue_close(struct queue *queue);
uint32_t queue_depth(const struct queue *queue);

#endif
