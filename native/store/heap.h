/* Memory of values: blocks of a size the caller remembers, from the thread's slabs or, when
 * large, from the system; counted for keyspace_memory() either way.  The structures behind
 * entries (listpack.h, list.h ...) allocate through here.
 *
 * Any thread may free a block; 'thread' is the calling one. */
#ifndef STORE_HEAP_H
#define STORE_HEAP_H

#include "base/mem.h"
#include "base/slab.h"
#include "store/keyspace.h"

/* Notes that the caller took (or gave back: negative) so many bytes in so many blocks by
 * mem_*() for values; what heap_alloc() and heap_free() do by themselves. */
static inline void heap_note(struct store_thread *thread, int64_t bytes, int64_t blocks)
{
    atomic_store_explicit(&thread->outside,
                          atomic_load_explicit(&thread->outside, memory_order_relaxed) + bytes,
                          memory_order_relaxed);
    atomic_store_explicit(&thread->owners,
                          atomic_load_explicit(&thread->owners, memory_order_relaxed) + blocks,
                          memory_order_relaxed);
}

/* The bytes that a block of 'size' takes. */
static inline size_t heap_size(size_t size)
{
    return size <= SLAB_MAX ? slab_class_size(size) : size;
}

/* Of sizes that the slabs do not have; NULL when memory is short. */
void *heap_alloc_large(struct store_thread *thread, size_t size);
void heap_free_large(struct store_thread *thread, void *at, size_t size);

/* 'size' is at least 1, and heap_size(size) bytes may be used.  8-byte aligned, 64-byte
 * aligned when size is a multiple of 64 up to SLAB_MAX.  NULL when memory is short. */
MUST_CHECK static inline void *heap_alloc(struct store_thread *thread, size_t size)
{
    if (__builtin_expect(size > SLAB_MAX, 0)) {
        return heap_alloc_large(thread, size);
    }
#ifdef RLN_TEST
    /* So that mem_fail_after() reaches these too. */
    void *probe = mem_try_alloc(1);
    if (probe == NULL) {
        return NULL;
    }
    mem_free(probe);
#endif
    return slab_alloc(thread->heap, slab_class_size(size));
}

/* 'size' is the one it was allocated with.  NULL is fine. */
static inline void heap_free(struct store_thread *thread, void *at, size_t size)
{
    if (at == NULL) {
        return;
    }
    if (__builtin_expect(size > SLAB_MAX, 0)) {
        heap_free_large(thread, at, size);
        return;
    }
    slab_free(thread->heap, at, slab_class_size(size));
}

#endif
