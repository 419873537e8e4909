/* Memory for everything but the keyspace's entries (see slab.h): thin, counted,
 * and able to fail on purpose in tests.  Raw malloc() and friends are a compile
 * error in files that include this. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* Before the poisoning below, so that a later include of them is no error. */
#include <stdlib.h>
#include <string.h>

/* Bytes now allocated through this module by the process, all servers together, as
 * malloc_usable_size() sees them; a counter the system keeps for us, read-only. */
size_t mem_used(void);

/* Never NULL: aborts when the system has no memory.  For bounded, small requests. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *mem_realloc(void *at, size_t size) __attribute__((returns_nonnull));
char *mem_strndup(const char *at, size_t len) __attribute__((malloc, returns_nonnull));

/* May be NULL: for sizes a client or a file decides. */
void *mem_try_alloc(size_t size) __attribute__((warn_unused_result));
void *mem_try_realloc(void *at, size_t size) __attribute__((warn_unused_result));

/* 'align' is a power of two and divides 'size'.  May be NULL.  Freed by mem_free(). */
void *mem_try_aligned(size_t align, size_t size) __attribute__((warn_unused_result));

/* Zeroed, in cache lines that no other allocation shares: for what one thread writes all the time
 * while others write their own.  May be NULL.  Freed by mem_free(). */
void *mem_try_own_lines(size_t size) __attribute__((warn_unused_result));

/* NULL is fine. */
void mem_free(void *at);

/* The bytes really usable behind a pointer from this module. */
size_t mem_size(const void *at);

/* Tests only (RLN_TEST builds): the n-th mem_try_* call of this thread from now fails
 * (1 is the next); 0 switches it off.  Returns in how many calls one would have failed by the
 * former plan; 0: it has failed, or there was none. */
long mem_fail_after(long n);

#ifndef MEM_IMPLEMENTATION
#pragma GCC poison malloc calloc realloc strdup strndup
#endif

#endif
