/* Memory of values: the blocks that are too large for the slabs; see heap.h. */
#include "store/heap.h"

void *heap_alloc_large(struct store_thread *thread, size_t size)
{
    void *at = mem_try_alloc(size);
    if (at != NULL) {
        heap_note(thread, (int64_t)size, 1);
    }
    return at;
}

void heap_free_large(struct store_thread *thread, void *at, size_t size)
{
    heap_note(thread, -(int64_t)size, -1);
    mem_free(at);
}
