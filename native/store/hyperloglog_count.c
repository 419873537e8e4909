/* How many elements a HyperLogLog has seen: the estimator of Ertl ("New cardinality estimation
 * algorithms for HyperLogLog sketches", 2017), of how many registers have which value. */
#include <math.h>

#include "store/hyperloglog.h"

enum { HASH_BITS = 50, HISTOGRAM = 64 };

/* 1 / (2 ln 2) */
static const double alpha = 0.721347520444481703680;

static double sigma(double x)
{
    if (x == 1.0) {
        return INFINITY;
    }
    double before, y = 1, z = x;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (before != z);
    return z;
}

static double tau(double x)
{
    if (x == 0.0 || x == 1.0) {
        return 0.0;
    }
    double before, y = 1, z = 1 - x;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= pow(1 - x, 2) * y;
    } while (before != z);
    return z / 3;
}

static uint64_t estimate(const uint32_t histogram[HISTOGRAM])
{
    const double m = HLL_REGISTERS;
    double z = m * tau((m - histogram[HASH_BITS + 1]) / m);
    for (int i = HASH_BITS; i >= 1; i--) {
        z += histogram[i];
        z *= 0.5;
    }
    z += m * sigma(histogram[0] / m);
    return (uint64_t)llround(alpha * m * m / z);
}

/* Four registers are in three bytes. */
static void unpack(const uint8_t *from, uint8_t to[4])
{
    uint32_t bits = from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16;
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (bits >> (6 * i)) & 63;
    }
}

bool hll_count(struct bytes value, uint64_t *count)
{
    uint32_t histogram[HISTOGRAM] = { 0 };
    if (hll_is_dense(value)) {
        const uint8_t *at = (const uint8_t *)value.at + HLL_HEADER;
        for (uint32_t i = 0; i < HLL_REGISTERS; i += 4, at += 3) {
            uint8_t four[4];
            unpack(at, four);
            histogram[four[0]]++;
            histogram[four[1]]++;
            histogram[four[2]]++;
            histogram[four[3]]++;
        }
    } else {
        uint64_t seen = 0;
        size_t at = HLL_HEADER;
        struct hll_run run;
        while (seen <= HLL_REGISTERS && hll_next_run(value, &at, &run)) {
            histogram[run.value] += run.len;
            seen += run.len;
        }
        if (seen != HLL_REGISTERS || at != value.len) {
            return false;
        }
    }
    *count = estimate(histogram);
    return true;
}

uint64_t hll_count_registers(const uint8_t *registers)
{
    uint32_t histogram[HISTOGRAM] = { 0 };
    for (uint32_t i = 0; i < HLL_REGISTERS; i++) {
        histogram[registers[i]]++;
    }
    return estimate(histogram);
}

static void merge_dense(uint8_t *restrict registers, const uint8_t *restrict at)
{
    for (uint32_t i = 0; i < HLL_REGISTERS; i += 4, at += 3) {
        uint8_t four[4];
        unpack(at, four);
        for (uint32_t j = 0; j < 4; j++) {
            registers[i + j] = registers[i + j] > four[j] ? registers[i + j] : four[j];
        }
    }
}

bool hll_merge(uint8_t *registers, struct bytes value)
{
    if (hll_is_dense(value)) {
        merge_dense(registers, (const uint8_t *)value.at + HLL_HEADER);
        return true;
    }
    uint32_t index = 0;
    size_t at = HLL_HEADER;
    struct hll_run run;
    while (hll_next_run(value, &at, &run)) {
        if (run.len > HLL_REGISTERS - index) {
            return false;
        }
        for (uint32_t i = 0; run.value > 0 && i < run.len; i++) {
            if (registers[index + i] < run.value) {
                registers[index + i] = (uint8_t)run.value;
            }
        }
        index += run.len;
    }
    return index == HLL_REGISTERS && at == value.len;
}
