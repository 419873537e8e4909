/* Where slabs get their pages: chunks mapped from the system, each cut into 64 pages,
 * with the pages' headers side by side at the chunk's start.  Headers inside the pages
 * would all fall into the same few cache sets, and each would cost a TLB entry of its
 * own.  Private to slab.c. */
#ifndef BASE_SLAB_PAGES_H
#define BASE_SLAB_PAGES_H

#include <stdalign.h>

#include "base/slab.h"
#include "base/thread.h"

enum { SLAB_CHUNK = 4 * 1024 * 1024, SLAB_CHUNK_PAGES = SLAB_CHUNK / SLAB_PAGE };

enum slab_page_state {
    PAGE_UNUSED,  /* with the pool */
    PAGE_CURRENT, /* its heap allocates from it */
    PAGE_PARTIAL, /* has room; in its heap's list */
    PAGE_FULL,    /* in no list; found again by the next free */
};

/* The first line is the owning heap's; the second is written by threads that free
 * objects of other heaps. */
struct slab_page {
    alignas(CACHE_LINE) void *free; /* list through the free objects */
    char *fresh;                    /* from here to 'end' nothing was ever handed out */
    char *end;
    struct slab_heap *heap;
    uint32_t used; /* live objects, among them those freed elsewhere and not collected */
    uint32_t size; /* of an object */
    struct slab_page *next, *previous;
    uint8_t class;
    uint8_t state;

    alignas(CACHE_LINE) _Atomic(void *) remote; /* list of objects freed by other threads */
    struct slab_page *remote_next;              /* in the heap's list of pages with such */
};

/* Starts every chunk; lives in what would be the first page's first bytes. */
struct slab_chunk {
    alignas(2 * CACHE_LINE) struct slab_chunk *next; /* all chunks */
    struct slab_chunk *previous;
    struct slab_chunk *next_open; /* chunks with unused pages */
    struct slab_chunk *previous_open;
    uint64_t unused; /* a bit per page */
    struct slab_page pages[SLAB_CHUNK_PAGES];
};

struct slab_pages {
    struct mutex mutex; /* RANK_SLAB */
    struct slab_chunk *chunks;
    struct slab_chunk *open;
    struct slab_page *warm; /* unused pages that are still resident, by 'next' */
    unsigned warm_count;
    _Atomic size_t held; /* bytes of pages with heaps or warm */
};

/* Without a chunk: the first page maps one. */
void slab_pages_init(struct slab_pages *pages);
/* Gives every chunk back to the system. */
void slab_pages_release(struct slab_pages *pages);

/* A page whose 'fresh' and 'end' span its usable bytes; NULL when the system has no
 * memory. */
struct slab_page *slab_pages_take(struct slab_pages *pages);
void slab_pages_give(struct slab_pages *pages, struct slab_page *page);
/* Makes the warm pages cold. */
void slab_pages_trim(struct slab_pages *pages);

/* The chunk that an address of a page or of its header lies in. */
static inline struct slab_chunk *slab_chunk_of(const void *at)
{
    return (struct slab_chunk *)((uintptr_t)at & ~(uintptr_t)(SLAB_CHUNK - 1));
}

/* The page of an object. */
static inline struct slab_page *slab_page_of(const void *at)
{
    return &slab_chunk_of(at)->pages[((uintptr_t)at & (SLAB_CHUNK - 1)) / SLAB_PAGE];
}

#endif
