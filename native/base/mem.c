/* The one place that calls the system's allocator (see mem.h).  The system keeps the
 * count of what is in use, so that no counter is shared between threads here. */
#define MEM_IMPLEMENTATION
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/thread.h"

#ifdef RLN_TEST
/* Calls of this thread until one fails; 0 is off. */
static _Thread_local long fail_countdown;

long mem_fail_after(long n)
{
    long left = fail_countdown;
    fail_countdown = n;
    return left;
}

static bool fails_on_purpose(void)
{
    return fail_countdown > 0 && --fail_countdown == 0;
}
#else
static inline bool fails_on_purpose(void)
{
    return false;
}
#endif

/* The standard lets malloc(0) give NULL, which would look like a failure. */
static size_t at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

size_t mem_used(void)
{
    return os_allocator_used();
}

void *mem_alloc(size_t size)
{
    void *at = malloc(at_least_one(size));
    if (at == NULL) {
        abort();
    }
    return at;
}

void *mem_zalloc(size_t size)
{
    void *at = calloc(1, at_least_one(size));
    if (at == NULL) {
        abort();
    }
    return at;
}

void *mem_realloc(void *at, size_t size)
{
    at = realloc(at, at_least_one(size));
    if (at == NULL) {
        abort();
    }
    return at;
}

char *mem_strndup(const char *at, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (len > 0) {
        memcpy(copy, at, len);
    }
    copy[len] = '\0';
    return copy;
}

void *mem_try_alloc(size_t size)
{
    return fails_on_purpose() ? NULL : malloc(at_least_one(size));
}

void *mem_try_realloc(void *at, size_t size)
{
    return fails_on_purpose() ? NULL : realloc(at, at_least_one(size));
}

void *mem_try_aligned(size_t align, size_t size)
{
    void *at = NULL;
    if (fails_on_purpose()) {
        return NULL;
    }
    if (align < sizeof(void *)) {
        align = sizeof(void *);
    }
    return posix_memalign(&at, align, at_least_one(size)) == 0 ? at : NULL;
}

void *mem_try_own_lines(size_t size)
{
    size_t lines = (at_least_one(size) + CACHE_LINE - 1) / CACHE_LINE;
    void *at = mem_try_aligned(CACHE_LINE, lines * CACHE_LINE);
    if (at != NULL) {
        memset(at, 0, lines * CACHE_LINE);
    }
    return at;
}

void mem_free(void *at)
{
    free(at);
}

size_t mem_size(const void *at)
{
    return at == NULL ? 0 : os_allocation_size(at);
}
