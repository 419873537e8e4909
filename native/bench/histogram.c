/* The buckets of histogram.h. */
#include "bench/histogram.h"

#include "base/mem.h"

bool histogram_init(struct histogram *histogram)
{
    histogram->total = 0;
    histogram->counts = mem_try_alloc(HISTOGRAM_BUCKETS * sizeof *histogram->counts);
    if (histogram->counts == NULL) {
        return false;
    }
    memset(histogram->counts, 0, HISTOGRAM_BUCKETS * sizeof *histogram->counts);
    return true;
}

void histogram_release(struct histogram *histogram)
{
    mem_free(histogram->counts);
    histogram->counts = NULL;
}

size_t histogram_bucket(uint64_t value)
{
    if (value < 2 * HISTOGRAM_HALF) {
        return (size_t)value;
    }
    /* Values of one doubling share the position of their highest bit; the ten bits below it
     * tell the bucket. */
    unsigned highest = 63u - (unsigned)__builtin_clzll(value);
    unsigned shift = highest - 10;
    size_t bucket = (size_t)shift * HISTOGRAM_HALF + (size_t)(value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_value(size_t bucket)
{
    if (bucket < 2 * HISTOGRAM_HALF) {
        return bucket;
    }
    size_t shift = bucket / HISTOGRAM_HALF - 1;
    return (uint64_t)(bucket - shift * HISTOGRAM_HALF) << shift;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->counts[histogram_bucket(value)]++;
    histogram->total++;
}

void histogram_add(struct histogram *sum, const struct histogram *more)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->counts[i] += more->counts[i];
    }
    sum->total += more->total;
}
