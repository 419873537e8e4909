/* Set values: the structures behind an entry of this type. */
#ifndef STORE_SET_H
#define STORE_SET_H

#include "store/value.h"

/* ---- For value.c, which says what each does ------------------------------------------- */

void set_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool set_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *set_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t set_elements(enum encoding encoding, const void *pointer);
size_t set_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
