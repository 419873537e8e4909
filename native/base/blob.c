/* Large string values with a reference count; see blob.h.  The keyspace (keyspace_string.c)
 * makes and changes them under a key's lock; replies only hold and drop references. */
#include "base/blob.h"

#include "base/mem.h"

struct blob *blob_create(size_t len, size_t cap)
{
    struct blob *blob = NULL;
    if (cap <= SIZE_MAX - sizeof *blob) {
        blob = mem_try_alloc(sizeof *blob + cap);
    }
    if (blob != NULL) {
        atomic_init(&blob->refs, 1);
        blob->len = len;
        blob->cap = cap;
    }
    return blob;
}

bool blob_grow(struct blob **blob, size_t cap)
{
    struct blob *grown = NULL;
    if (cap <= SIZE_MAX - sizeof *grown) {
        grown = mem_try_realloc(*blob, sizeof *grown + cap);
    }
    if (grown == NULL) {
        return false;
    }
    grown->cap = cap;
    *blob = grown;
    return true;
}

void blob_unref(struct blob *blob)
{
    if (blob != NULL && atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) == 1) {
        mem_free(blob);
    }
}
