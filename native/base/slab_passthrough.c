/* slab.h with every object an allocation of its own, for builds with sanitizers.  The
 * counters mean what they mean in slab.c; pages held are as many as used bytes. */
#include "base/mem.h"
#include "base/slab.h"
#include "base/thread.h"

#ifdef SLAB_PASSTHROUGH

struct slab_heap {
    struct slab_heap *next;      /* all heaps of the pool; constant */
    struct slab_heap *next_left; /* guarded by the pool's mutex */
    _Atomic size_t used;         /* written by the owner only */
};

struct slab_pool {
    struct mutex mutex; /* RANK_SLAB */
    _Atomic(struct slab_heap *) heaps;
    struct slab_heap *left; /* guarded by 'mutex' */
};

struct slab_pool *slab_pool_create(void)
{
    struct slab_pool *pool = mem_try_alloc(sizeof(*pool));
    if (pool == NULL) {
        return NULL;
    }
    mutex_init(&pool->mutex, RANK_SLAB);
    atomic_init(&pool->heaps, NULL);
    pool->left = NULL;
    return pool;
}

void slab_pool_destroy(struct slab_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    struct slab_heap *heap = atomic_load_explicit(&pool->heaps, memory_order_acquire);
    while (heap != NULL) {
        struct slab_heap *next = heap->next;
        mem_free(heap);
        heap = next;
    }
    mutex_release(&pool->mutex);
    mem_free(pool);
}

struct slab_heap *slab_heap_take(struct slab_pool *pool)
{
    mutex_lock(&pool->mutex);
    struct slab_heap *heap = pool->left;
    if (heap != NULL) {
        pool->left = heap->next_left;
    } else {
        heap = mem_try_alloc(sizeof(*heap));
        if (heap != NULL) {
            *heap = (struct slab_heap){
                .next = atomic_load_explicit(&pool->heaps, memory_order_relaxed),
            };
            atomic_store_explicit(&pool->heaps, heap, memory_order_release);
        }
    }
    mutex_unlock(&pool->mutex);
    return heap;
}

void slab_heap_leave(struct slab_pool *pool, struct slab_heap *heap)
{
    mutex_lock(&pool->mutex);
    heap->next_left = pool->left;
    pool->left = heap;
    mutex_unlock(&pool->mutex);
}

void slab_heap_collect(struct slab_heap *heap)
{
    (void)heap;
}

static void count_used(struct slab_heap *heap, size_t change)
{
    size_t used = atomic_load_explicit(&heap->used, memory_order_relaxed);
    atomic_store_explicit(&heap->used, used + change, memory_order_relaxed);
}

void *slab_alloc(struct slab_heap *heap, size_t size)
{
    void *at = size % 64 == 0 ? mem_try_aligned(64, size) : mem_try_alloc(size);
    if (at != NULL) {
        count_used(heap, slab_class_size(size));
    }
    return at;
}

void slab_free(struct slab_heap *heap, void *at, size_t size)
{
    count_used(heap, 0 - slab_class_size(size));
    mem_free(at);
}

size_t slab_pool_used(const struct slab_pool *pool)
{
    size_t used = 0;
    const struct slab_heap *heap = atomic_load_explicit(&pool->heaps, memory_order_acquire);
    for (; heap != NULL; heap = heap->next) {
        used += atomic_load_explicit(&heap->used, memory_order_relaxed);
    }
    return used > SIZE_MAX / 2 ? 0 : used;
}

size_t slab_pool_held(const struct slab_pool *pool)
{
    return slab_pool_used(pool);
}

size_t slab_heap_used(const struct slab_heap *heap)
{
    return atomic_load_explicit(&heap->used, memory_order_relaxed);
}

void slab_pool_trim(struct slab_pool *pool)
{
    (void)pool;
}

#endif
