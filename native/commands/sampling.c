/* The set of addresses that draws by chance have met; see sampling.h. */
#include "commands/sampling.h"

#include "base/mem.h"

bool drawn_init(struct drawn *drawn, uint64_t count)
{
    uint64_t size = 16;
    while (size < 2 * count) {
        size *= 2;
    }
    drawn->mask = size - 1;
    drawn->slots = mem_try_alloc(size * sizeof *drawn->slots);
    if (drawn->slots != NULL) {
        memset(drawn->slots, 0, size * sizeof *drawn->slots);
    }
    return drawn->slots != NULL;
}

void drawn_release(struct drawn *drawn)
{
    mem_free(drawn->slots);
    drawn->slots = NULL;
}

bool drawn_add(struct drawn *drawn, const void *element)
{
    uint64_t at = (uint64_t)(uintptr_t)element * UINT64_C(0x9e3779b97f4a7c15) >> 16 & drawn->mask;
    while (drawn->slots[at] != NULL) {
        if (drawn->slots[at] == element) {
            return false;
        }
        at = (at + 1) & drawn->mask;
    }
    drawn->slots[at] = element;
    return true;
}
