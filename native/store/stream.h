/* Stream values: the structures behind an entry of this type. */
#ifndef STORE_STREAM_H
#define STORE_STREAM_H

#include "store/value.h"

/* ---- For value.c, which says what each does ------------------------------------------- */

void stream_destroy(struct store_thread *thread, enum encoding encoding, void *pointer);
bool stream_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us);
MUST_CHECK void *stream_copy(struct store_thread *thread, enum encoding encoding,
                           const void *pointer);
size_t stream_elements(enum encoding encoding, const void *pointer);
size_t stream_memory(enum encoding encoding, const void *pointer, size_t samples);

#endif
