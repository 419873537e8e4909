/* Size-class slabs for the keyspace's entries: one heap per executing thread, no lock
 * and no atomic on the way of a thread that frees what it allocated.  Memory freed by
 * another thread goes back to the owning heap through one atomic list per page and is
 * collected when that heap next runs short (see slab_heap_collect()).
 *
 * Classes are 8 bytes apart up to 128, then 16 up to 256, then eight to a doubling up
 * to SLAB_MAX.  Pages are SLAB_PAGE bytes; they come in larger chunks, mapped from the
 * system and aligned to their size, so that the page of a pointer is found by a mask.
 * A wholly free page goes back to the pool, which the heaps share; the pool keeps a few
 * and gives the others back to the system.
 *
 * Built with -DSLAB_PASSTHROUGH (the sanitizer presets), every object is an allocation
 * of its own (slab_passthrough.c), so that AddressSanitizer sees each overflow and each
 * object that nobody frees. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { SLAB_PAGE = 64 * 1024, SLAB_MAX = 8 * 1024 };

struct slab_pool;
struct slab_heap;

/* NULL when memory is short. */
struct slab_pool *slab_pool_create(void);
/* The pool outlives its heaps' threads: destroying it frees every page of every heap.
 * NULL is fine. */
void slab_pool_destroy(struct slab_pool *pool);

/* A heap for the calling thread, or one left behind by a thread that ended; NULL when
 * memory is short. */
struct slab_heap *slab_heap_take(struct slab_pool *pool);
/* The thread ends; the heap's live objects stay valid, and a later thread takes it over. */
void slab_heap_leave(struct slab_pool *pool, struct slab_heap *heap);

/* Takes back what other threads have freed of this heap's objects, and of one heap that
 * was left behind.  For a thread's idle moments: next to nothing when there is none. */
void slab_heap_collect(struct slab_heap *heap);

/* 'size' is 1..SLAB_MAX.  8-byte aligned, 64-byte aligned when size is a multiple of 64.
 * NULL when the system has no memory. */
void *slab_alloc(struct slab_heap *heap, size_t size) __attribute__((warn_unused_result));

/* 'size' is the one it was allocated with (or any of the same class).  'heap' is the
 * calling thread's; the object may be another heap's. */
void slab_free(struct slab_heap *heap, void *at, size_t size);

/* The bytes that an object of 'size' really has: the size of its class. */
static inline size_t slab_class_size(size_t size)
{
    if (size <= 128) {
        return (size + 7) & ~(size_t)7;
    }
    if (size <= 256) {
        return (size + 15) & ~(size_t)15;
    }
    size_t step = (size_t)1 << (60 - __builtin_clzll(size - 1));
    return (size + step - 1) & ~(step - 1);
}

/* Bytes of live objects (by class size) and of pages held, all heaps together; cheap,
 * approximate while others run. */
size_t slab_pool_used(const struct slab_pool *pool);
size_t slab_pool_held(const struct slab_pool *pool);
/* What this heap's thread has allocated, less what it has freed, objects of other heaps too:
 * wraps below zero. */
size_t slab_heap_used(const struct slab_heap *heap);
/* Gives the pages that the pool keeps for later back to the system. */
void slab_pool_trim(struct slab_pool *pool);

#endif
