/* HyperLogLogs.  Whatever their bytes: counting, merging and becoming dense agree on whether
 * they are corrupt, and a sound value stays sound and keeps its count when it becomes dense and
 * when registers are raised. */
#include <stdint.h>
#include <stdlib.h>

#include "store/hyperloglog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Raises registers as the input's bytes say. */
static void raise_some(struct hll *hll, const uint8_t *data, size_t size, bool sound)
{
    for (size_t i = 0; i + 3 <= size && i < 300; i += 3) {
        uint32_t index = (data[i] | (uint32_t)data[i + 1] << 8) % HLL_REGISTERS;
        enum hll_change change = hll_raise(hll, index, data[i + 2] % 50 + 1);
        require(change != HLL_CORRUPT || !sound);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80";
    uint8_t registers[HLL_REGISTERS] = { 0 };
    struct hll hll;
    size_t len = size < 5000 ? size : 5000;
    char *value = malloc(HLL_HEADER + len);
    require(value != NULL);
    memcpy(value, head, HLL_HEADER);
    if (len > 0) {
        memcpy(value + HLL_HEADER, data, len);
    }
    struct bytes bytes = { value, HLL_HEADER + len };
    uint64_t count = 0, other = 0;
    bool sound = hll_count(bytes, &count);
    require(hll_merge(registers, bytes) == sound);
    require(hll_init(&hll, bytes, 3000));
    require((hll_make_dense(&hll) != HLL_CORRUPT) == sound);
    if (sound) {
        require(hll_count_registers(registers) == count);
        require(hll_count(hll_bytes(&hll), &other) && other == count);
    }
    hll_release(&hll);
    require(hll_init(&hll, bytes, data != NULL && size > 0 ? data[0] * 64u : 0));
    raise_some(&hll, data, size, sound);
    require(hll_is(hll_bytes(&hll)));
    require(!sound || hll_count(hll_bytes(&hll), &other));
    hll_release(&hll);
    free(value);
    return 0;
}
