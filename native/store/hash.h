/* Hash values: the structures behind an entry of this type. */
#ifndef STORE_HASH_H
#define STORE_HASH_H

#include "store/value.h"

/* ---- For value.c, which says what each does ------------------------------------------- */

void hash_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool hash_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *hash_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t hash_elements(enum encoding encoding, const void *pointer);
size_t hash_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
