/* Heaps of size-class slabs (see slab.h), on pages from slab_pages.h.
 *
 * A page belongs to one heap and one class from slab_pages_take() to slab_pages_give().
 * Its owner alone changes its free list and its count.  Another thread pushes a freed
 * object on the page's 'remote' list; the one that finds this list empty also pushes
 * the page on the heap's 'remote_pages'.  The owner empties a page's list only after
 * taking the page from there, so a page is in 'remote_pages' at most once, and is never
 * given back while a thread is between the two pushes: its object still counts. */
#include "base/mem.h"
#include "base/slab_pages.h"

#ifndef SLAB_PASSTHROUGH

enum { CLASS_COUNT = 65 }; /* counted from 1 */

struct size_class {
    struct slab_page *current;      /* never NULL, so that slab_alloc() need not ask */
    struct slab_page *first, *last; /* partial pages, the longest partial first */
};

struct slab_heap {
    alignas(CACHE_LINE) struct size_class classes[CLASS_COUNT];
    struct slab_pool *pool;
    _Atomic size_t used;    /* written by the owner only; wraps when it frees others' objects */
    struct slab_heap *next; /* all heaps of the pool; constant */
    struct slab_heap *next_left; /* guarded by the pool's mutex */
    alignas(CACHE_LINE) _Atomic(struct slab_page *) remote_pages;
};

struct slab_pool {
    struct slab_pages pages;
    _Atomic(struct slab_heap *) heaps; /* grows only, so that it is walked without a lock */
    struct slab_heap *left;            /* heaps without a thread; guarded by pages.mutex */
};

/* What a class without a page allocates from: it is always exhausted, never written. */
static const struct slab_page no_page = { .state = PAGE_FULL };

#define FOUR(n)  n, n, n, n
#define EIGHT(n) FOUR(n), FOUR(n)

/* The class of a size of at most 1,024 bytes, by its number of words. */
static const uint8_t small_class[129] = {
    1,         1,         2,         3,         4,         5,         6,
    7,         8,         9,         10,        11,        12,        13,
    14,        15,        16,        17,        17,        18,        18,
    19,        19,        20,        20,        21,        21,        22,
    22,        23,        23,        24,        24,        FOUR(25),  FOUR(26),
    FOUR(27),  FOUR(28),  FOUR(29),  FOUR(30),  FOUR(31),  FOUR(32),  EIGHT(33),
    EIGHT(34), EIGHT(35), EIGHT(36), EIGHT(37), EIGHT(38), EIGHT(39), EIGHT(40),
};

static inline unsigned class_of(size_t size)
{
    if (size <= 1024) {
        return small_class[(size + 7) / 8];
    }
    unsigned doubling = 63u - (unsigned)__builtin_clzll(size - 1);
    return 41 + (doubling - 10) * 8 + (unsigned)((size - 1) >> (doubling - 3)) - 8;
}

/* Only the owner writes the count, so no locked instruction is needed. */
static inline void count_used(struct slab_heap *heap, size_t change)
{
    size_t used = atomic_load_explicit(&heap->used, memory_order_relaxed);
    atomic_store_explicit(&heap->used, used + change, memory_order_relaxed);
}

struct slab_pool *slab_pool_create(void)
{
    struct slab_pool *pool = mem_try_alloc(sizeof(*pool));
    if (pool == NULL) {
        return NULL;
    }
    slab_pages_init(&pool->pages);
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
    slab_pages_release(&pool->pages);
    mem_free(pool);
}

static struct slab_heap *create_heap(struct slab_pool *pool)
{
    struct slab_heap *heap = mem_try_aligned(CACHE_LINE, sizeof(*heap));
    if (heap == NULL) {
        return NULL;
    }
    *heap = (struct slab_heap){ .pool = pool };
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        heap->classes[i].current = (struct slab_page *)(uintptr_t)&no_page;
    }
    return heap;
}

/* Takes a heap out of those left behind, or returns NULL. */
static struct slab_heap *take_left(struct slab_pool *pool)
{
    mutex_lock(&pool->pages.mutex);
    struct slab_heap *heap = pool->left;
    if (heap != NULL) {
        pool->left = heap->next_left;
    }
    mutex_unlock(&pool->pages.mutex);
    return heap;
}

struct slab_heap *slab_heap_take(struct slab_pool *pool)
{
    struct slab_heap *heap = take_left(pool);
    if (heap != NULL) {
        return heap;
    }
    heap = create_heap(pool);
    if (heap != NULL) {
        mutex_lock(&pool->pages.mutex);
        heap->next = atomic_load_explicit(&pool->heaps, memory_order_relaxed);
        atomic_store_explicit(&pool->heaps, heap, memory_order_release);
        mutex_unlock(&pool->pages.mutex);
    }
    return heap;
}

static void partial_push(struct size_class *class, struct slab_page *page)
{
    /* At the end: a page that waits gathers more free objects before its turn. */
    page->state = PAGE_PARTIAL;
    page->next = NULL;
    page->previous = class->last;
    if (class->last != NULL) {
        class->last->next = page;
    } else {
        class->first = page;
    }
    class->last = page;
}

static void partial_remove(struct size_class *class, struct slab_page *page)
{
    if (page->next != NULL) {
        page->next->previous = page->previous;
    } else {
        class->last = page->previous;
    }
    if (page->previous != NULL) {
        page->previous->next = page->next;
    } else {
        class->first = page->next;
    }
}

/* Objects of 'page' were freed, and it was full or is now empty. */
static __attribute__((noinline)) void page_loosened(struct slab_heap *heap, struct slab_page *page)
{
    struct size_class *class = &heap->classes[page->class];
    if (page->state == PAGE_CURRENT) {
        return; /* Kept even when empty: the next object of its size goes there. */
    }
    if (page->state == PAGE_FULL) {
        partial_push(class, page);
    }
    if (page->used == 0) {
        partial_remove(class, page);
        slab_pages_give(&heap->pool->pages, page);
    }
}

/* Moves the objects that others freed to the page's own list. */
static void collect_page(struct slab_heap *heap, struct slab_page *page)
{
    void *list = atomic_exchange_explicit(&page->remote, NULL, memory_order_acq_rel);
    void **last = list;
    uint32_t count = 1;
    while (*last != NULL) {
        last = *last;
        count++;
    }
    *last = page->free;
    page->free = list;
    page->used -= count;
    if (page->used == 0 || page->state == PAGE_FULL) {
        page_loosened(heap, page);
    }
}

static void collect(struct slab_heap *heap)
{
    if (atomic_load_explicit(&heap->remote_pages, memory_order_relaxed) == NULL) {
        return;
    }
    struct slab_page *page =
        atomic_exchange_explicit(&heap->remote_pages, NULL, memory_order_acquire);
    while (page != NULL) {
        struct slab_page *next = page->remote_next; /* lost once the page's list is empty */
        collect_page(heap, page);
        page = next;
    }
}

/* Gives back the empty pages that their classes kept as current. */
static void drop_empty_pages(struct slab_heap *heap)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        struct slab_page *page = heap->classes[i].current;
        if (page->used == 0 && page->state == PAGE_CURRENT) {
            heap->classes[i].current = (struct slab_page *)(uintptr_t)&no_page;
            slab_pages_give(&heap->pool->pages, page);
        }
    }
}

void slab_heap_leave(struct slab_pool *pool, struct slab_heap *heap)
{
    collect(heap);
    drop_empty_pages(heap);
    mutex_lock(&pool->pages.mutex);
    heap->next_left = pool->left;
    pool->left = heap;
    mutex_unlock(&pool->pages.mutex);
}

/* Collects for one heap that nobody owns; each in its turn. */
static void collect_left(struct slab_pool *pool)
{
    struct slab_heap *heap = take_left(pool);
    if (heap == NULL) {
        return;
    }
    collect(heap);
    drop_empty_pages(heap);
    mutex_lock(&pool->pages.mutex);
    struct slab_heap **link = &pool->left;
    while (*link != NULL) {
        link = &(*link)->next_left;
    }
    heap->next_left = NULL;
    *link = heap;
    mutex_unlock(&pool->pages.mutex);
}

void slab_heap_collect(struct slab_heap *heap)
{
    collect(heap);
    collect_left(heap->pool);
}

/* Gives the class a page with room as its current one; false when there is no memory. */
static bool next_page(struct slab_heap *heap, unsigned class_index, size_t size)
{
    struct size_class *class = &heap->classes[class_index];
    if (class->current->state == PAGE_CURRENT) {
        class->current->state = PAGE_FULL;
    }
    struct slab_page *page = class->first;
    if (page != NULL) {
        partial_remove(class, page);
    } else {
        class->current = (struct slab_page *)(uintptr_t)&no_page;
        page = slab_pages_take(&heap->pool->pages);
        if (page == NULL) {
            return false;
        }
        page->size = (uint32_t)slab_class_size(size);
        page->end -= (size_t)(page->end - page->fresh) % page->size;
        page->free = NULL;
        page->used = 0;
        page->heap = heap;
        page->class = (uint8_t)class_index;
    }
    page->state = PAGE_CURRENT;
    class->current = page;
    return true;
}

/* An object of 'page', which is current, or NULL when it has no room. */
static inline void *take_object(struct slab_heap *heap, struct slab_page *page)
{
    void *at = page->free;
    if (at != NULL) {
        void *next = *(void **)at;
        page->free = next;
        /* The next taker reads its link: what was freed long ago is in no cache any more. */
        __builtin_prefetch(next, 1);
    } else if (page->fresh != page->end) {
        at = page->fresh;
        page->fresh += page->size;
    } else {
        return NULL;
    }
    page->used++;
    count_used(heap, page->size);
    return at;
}

static __attribute__((noinline)) void *alloc_slow(struct slab_heap *heap, unsigned class,
                                                  size_t size)
{
    collect(heap);
    void *at = take_object(heap, heap->classes[class].current);
    if (at == NULL && next_page(heap, class, size)) {
        at = take_object(heap, heap->classes[class].current);
    }
    return at;
}

void *slab_alloc(struct slab_heap *heap, size_t size)
{
    unsigned class = class_of(size);
    void *at = take_object(heap, heap->classes[class].current);
    return __builtin_expect(at != NULL, 1) ? at : alloc_slow(heap, class, size);
}

/* Frees an object of another heap. */
static __attribute__((noinline)) void free_remote(struct slab_page *page, void *at)
{
    struct slab_heap *owner = page->heap;
    void *head = atomic_load_explicit(&page->remote, memory_order_relaxed);
    do {
        *(void **)at = head;
    } while (!atomic_compare_exchange_weak_explicit(&page->remote, &head, at, memory_order_acq_rel,
                                                    memory_order_relaxed));
    if (head != NULL) {
        return; /* The page is known to its owner, or about to be. */
    }
    struct slab_page *first = atomic_load_explicit(&owner->remote_pages, memory_order_relaxed);
    do {
        page->remote_next = first;
    } while (!atomic_compare_exchange_weak_explicit(&owner->remote_pages, &first, page,
                                                    memory_order_release, memory_order_relaxed));
}

void slab_free(struct slab_heap *heap, void *at, size_t size)
{
    (void)size;
    struct slab_page *page = slab_page_of(at);
    count_used(heap, 0 - (size_t)page->size);
    if (__builtin_expect(page->heap != heap, 0)) {
        free_remote(page, at);
        return;
    }
    *(void **)at = page->free;
    page->free = at;
    page->used--;
    if (__builtin_expect(page->used == 0 || page->state == PAGE_FULL, 0)) {
        page_loosened(heap, page);
    }
}

size_t slab_pool_used(const struct slab_pool *pool)
{
    size_t used = 0;
    const struct slab_heap *heap = atomic_load_explicit(&pool->heaps, memory_order_acquire);
    for (; heap != NULL; heap = heap->next) {
        used += atomic_load_explicit(&heap->used, memory_order_relaxed);
    }
    /* Read while others run, a free may be seen before its allocation. */
    return used > SIZE_MAX / 2 ? 0 : used;
}

size_t slab_pool_held(const struct slab_pool *pool)
{
    return atomic_load_explicit(&pool->pages.held, memory_order_relaxed);
}

size_t slab_heap_used(const struct slab_heap *heap)
{
    return atomic_load_explicit(&heap->used, memory_order_relaxed);
}

void slab_pool_trim(struct slab_pool *pool)
{
    slab_pages_trim(&pool->pages);
}

#endif
