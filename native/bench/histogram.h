/* Latencies in log-linear buckets, laid out as HdrHistogram's with three significant
 * digits: 2048 buckets of one, then 1024 for each doubling.  One writer. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    HISTOGRAM_HALF = 1024,
    HISTOGRAM_DOUBLINGS = 26, /* beyond the first 2048: up to 2^37, about 137 seconds in ns */
    HISTOGRAM_BUCKETS = HISTOGRAM_HALF * (HISTOGRAM_DOUBLINGS + 2),
};

struct histogram {
    uint64_t *counts; /* HISTOGRAM_BUCKETS */
    uint64_t total;
};

/* False when memory is short. */
MUST_CHECK bool histogram_init(struct histogram *histogram);
void histogram_release(struct histogram *histogram);

/* The bucket of 'value'; what is too large goes to the last. */
size_t histogram_bucket(uint64_t value);
/* The lowest value of a bucket. */
uint64_t histogram_value(size_t bucket);

/* Counts one value, and adds all that another histogram of the same kind has counted. */
void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_add(struct histogram *sum, const struct histogram *more);

#endif
