/* Integers in ascending order in one block of bytes, in exactly the format that Redis's RDB
 * files carry: the width of an element (2, 4 or 8 bytes), their number, and the elements,
 * all little endian.  The width is that of the widest and never shrinks.  A block ends up
 * in one allocation, which a change may move. */
#ifndef STORE_INTSET_H
#define STORE_INTSET_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

struct store_thread;
struct intset;

/* Empty.  NULL when memory is short. */
MUST_CHECK struct intset *intset_create(struct store_thread *thread);
void intset_destroy(struct store_thread *thread, struct intset *set);
/* A copy of bytes that intset_check() accepted, or NULL when memory is short. */
MUST_CHECK struct intset *intset_load(struct store_thread *thread, struct bytes bytes);

/* The whole block, borrowed; its bytes with what the allocator adds; how many integers. */
struct bytes intset_bytes(const struct intset *set);
size_t intset_memory(const struct intset *set);
uint32_t intset_count(const struct intset *set);
/* True when the bytes are a sound block: as long as they say, and in order without twins. */
bool intset_check(struct bytes bytes);

/* The element with a number below the count. */
int64_t intset_at(const struct intset *set, uint32_t index);
/* Whether 'value' is there; '*index' is where it is or belongs. */
bool intset_find(const struct intset *set, int64_t value, uint32_t *index);

/* Puts 'value', which is not there, where it belongs.  False when memory is short; then
 * nothing has changed. */
MUST_CHECK bool intset_insert(struct store_thread *thread, struct intset **set, uint32_t index,
                              int64_t value);
void intset_remove(struct store_thread *thread, struct intset **set, uint32_t index);

#endif
