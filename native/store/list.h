/* List values: the structures behind an entry of this type. */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include "store/value.h"

/* ---- For value.c, which says what each does ------------------------------------------- */

void list_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool list_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *list_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t list_elements(enum encoding encoding, const void *pointer);
size_t list_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
