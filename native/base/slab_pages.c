/* Chunks, and the pages cut from them (see slab_pages.h).  Pages in use are nobody's
 * business here; unused ones are either warm, that is resident and handed out first, or
 * cold, that is given back to the system though still mapped. */
#include "base/os.h"
#include "base/slab_pages.h"

_Static_assert(sizeof(struct slab_page) == 2 * CACHE_LINE, "a page's header is two lines");
_Static_assert(sizeof(struct slab_chunk) % CACHE_LINE == 0, "the first page's objects are aligned");
_Static_assert(SLAB_CHUNK_PAGES == 64, "one bit of a word for each page");

enum { WARM_MAX = 32 };

void slab_pages_init(struct slab_pages *pages)
{
    *pages = (struct slab_pages){ 0 };
    mutex_init(&pages->mutex, RANK_SLAB);
}

void slab_pages_release(struct slab_pages *pages)
{
    while (pages->chunks != NULL) {
        struct slab_chunk *chunk = pages->chunks;
        pages->chunks = chunk->next;
        os_unmap(chunk, SLAB_CHUNK);
    }
    mutex_release(&pages->mutex);
}

static void open_push(struct slab_pages *pages, struct slab_chunk *chunk)
{
    chunk->previous_open = NULL;
    chunk->next_open = pages->open;
    if (pages->open != NULL) {
        pages->open->previous_open = chunk;
    }
    pages->open = chunk;
}

static void open_remove(struct slab_pages *pages, struct slab_chunk *chunk)
{
    if (chunk->next_open != NULL) {
        chunk->next_open->previous_open = chunk->previous_open;
    }
    if (chunk->previous_open != NULL) {
        chunk->previous_open->next_open = chunk->next_open;
    } else {
        pages->open = chunk->next_open;
    }
}

/* Maps a chunk, all of whose pages are unused; false when the system has no memory. */
static bool add_chunk(struct slab_pages *pages)
{
    struct slab_chunk *chunk = os_map(SLAB_CHUNK, SLAB_CHUNK);
    if (chunk == NULL) {
        return false;
    }
    chunk->unused = UINT64_MAX;
    chunk->previous = NULL;
    chunk->next = pages->chunks;
    if (pages->chunks != NULL) {
        pages->chunks->previous = chunk;
    }
    pages->chunks = chunk;
    open_push(pages, chunk);
    return true;
}

static void drop_chunk(struct slab_pages *pages, struct slab_chunk *chunk)
{
    open_remove(pages, chunk);
    if (chunk->next != NULL) {
        chunk->next->previous = chunk->previous;
    }
    if (chunk->previous != NULL) {
        chunk->previous->next = chunk->next;
    } else {
        pages->chunks = chunk->next;
    }
    os_unmap(chunk, SLAB_CHUNK);
}

static struct slab_page *take_cold(struct slab_pages *pages)
{
    if (pages->open == NULL && !add_chunk(pages)) {
        return NULL;
    }
    struct slab_chunk *chunk = pages->open;
    unsigned index = (unsigned)__builtin_ctzll(chunk->unused);
    chunk->unused &= chunk->unused - 1;
    if (chunk->unused == 0) {
        open_remove(pages, chunk);
    }
    atomic_fetch_add_explicit(&pages->held, SLAB_PAGE, memory_order_relaxed);
    return &chunk->pages[index];
}

static unsigned page_index(const struct slab_page *page)
{
    return (unsigned)(page - slab_chunk_of(page)->pages);
}

struct slab_page *slab_pages_take(struct slab_pages *pages)
{
    mutex_lock(&pages->mutex);
    struct slab_page *page = pages->warm;
    if (page != NULL) {
        pages->warm = page->next;
        pages->warm_count--;
    } else {
        page = take_cold(pages);
    }
    mutex_unlock(&pages->mutex);
    if (page != NULL) {
        char *start = (char *)slab_chunk_of(page) + (size_t)page_index(page) * SLAB_PAGE;
        page->end = start + SLAB_PAGE;
        page->fresh = page_index(page) == 0 ? start + sizeof(struct slab_chunk) : start;
    }
    return page;
}

/* Keeps 'page' warm if there is room. */
static bool keep_warm(struct slab_pages *pages, struct slab_page *page)
{
    bool room;
    mutex_lock(&pages->mutex);
    room = pages->warm_count < WARM_MAX;
    if (room) {
        page->next = pages->warm;
        pages->warm = page;
        pages->warm_count++;
    }
    mutex_unlock(&pages->mutex);
    return room;
}

/* Gives a page that nobody else sees back to the system. */
static void make_cold(struct slab_pages *pages, struct slab_page *page)
{
    struct slab_chunk *chunk = slab_chunk_of(page);
    unsigned index = page_index(page);
    if (index != 0) {
        /* Without the mutex, for nobody else sees the page yet.  The first page stays
         * resident, since it begins with the headers. */
        os_discard((char *)chunk + (size_t)index * SLAB_PAGE, SLAB_PAGE);
    }
    mutex_lock(&pages->mutex);
    if (chunk->unused == 0) {
        open_push(pages, chunk);
    }
    chunk->unused |= UINT64_C(1) << index;
    atomic_fetch_sub_explicit(&pages->held, SLAB_PAGE, memory_order_relaxed);
    if (chunk->unused == UINT64_MAX && (pages->open != chunk || chunk->next_open != NULL)) {
        drop_chunk(pages, chunk); /* The last open chunk stays, for what comes next. */
    }
    mutex_unlock(&pages->mutex);
}

void slab_pages_give(struct slab_pages *pages, struct slab_page *page)
{
    page->state = PAGE_UNUSED;
    if (!keep_warm(pages, page)) {
        make_cold(pages, page);
    }
}

void slab_pages_trim(struct slab_pages *pages)
{
    mutex_lock(&pages->mutex);
    struct slab_page *page = pages->warm;
    pages->warm = NULL;
    pages->warm_count = 0;
    mutex_unlock(&pages->mutex);
    while (page != NULL) {
        struct slab_page *next = page->next; /* Its header may go with its chunk. */
        make_cold(pages, page);
        page = next;
    }
}
