/* A large string value: reference-counted, so that a reply of a megabyte is written
 * without copying it and without holding a lock.  A blob that more than one holder
 * refers to is never changed; a writer copies it first. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/err.h"

struct blob {
    _Atomic uint32_t refs;
    size_t len, cap;
    char at[];
};

/* With one reference, which the caller owns; contents up to 'len' are not set.  NULL
 * when memory is short. */
MUST_CHECK struct blob *blob_create(size_t len, size_t cap);

/* One reference more, which the caller owns; gives the same blob.  Any thread that holds one. */
static inline struct blob *blob_ref(struct blob *blob)
{
    atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    return blob;
}

/* The last reference frees it.  NULL is fine. */
void blob_unref(struct blob *blob);

/* Gives a blob of which the caller holds the only reference room for 'cap' bytes; it may
 * move.  False when memory is short, and then nothing has changed. */
MUST_CHECK bool blob_grow(struct blob **blob, size_t cap);

/* True when the caller holds the only reference. */
static inline bool blob_is_mine(const struct blob *blob)
{
    return atomic_load_explicit(&blob->refs, memory_order_acquire) == 1;
}

/* All of it, borrowed as long as a reference is held. */
static inline struct bytes blob_bytes(const struct blob *blob)
{
    return (struct bytes){ blob->at, blob->len };
}

#endif
