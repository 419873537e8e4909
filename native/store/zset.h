/* Sorted set values: the structures behind an entry of this type. */
#ifndef STORE_ZSET_H
#define STORE_ZSET_H

#include "store/value.h"

/* ---- For value.c, which says what each does ------------------------------------------- */

void zset_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool zset_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *zset_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t zset_elements(enum encoding encoding, const void *pointer);
size_t zset_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
