/* Set values; see set.h. */
#include "store/set.h"

#include "store/listpack.h"

void set_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    (void)encoding;
    listpack_destroy(thread, pointer);
}

bool set_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us)
{
    (void)until_us;
    set_destroy(thread, encoding, pointer);
    return false;
}

void *set_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    (void)encoding;
    return listpack_load(thread, listpack_bytes(pointer));
}

size_t set_elements(enum encoding encoding, const void *pointer)
{
    (void)encoding;
    return listpack_count(pointer);
}

size_t set_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    (void)encoding;
    (void)samples;
    return listpack_memory(pointer);
}
