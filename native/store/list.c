/* List values; see list.h. */
#include "store/list.h"

#include "store/listpack.h"

void list_destroy(struct store_thread *thread, enum encoding encoding, void *pointer)
{
    (void)encoding;
    listpack_destroy(thread, pointer);
}

bool list_destroy_step(struct store_thread *thread, enum encoding encoding, void *pointer,
                       int64_t until_us)
{
    (void)until_us;
    list_destroy(thread, encoding, pointer);
    return false;
}

void *list_copy(struct store_thread *thread, enum encoding encoding, const void *pointer)
{
    (void)encoding;
    return listpack_load(thread, listpack_bytes(pointer));
}

size_t list_elements(enum encoding encoding, const void *pointer)
{
    (void)encoding;
    return listpack_count(pointer);
}

size_t list_memory(enum encoding encoding, const void *pointer, size_t samples)
{
    (void)encoding;
    (void)samples;
    return listpack_memory(pointer);
}
