/* How fast the counter of ticks.h runs: asked of the processor where it tells, measured
 * against the monotonic clock elsewhere. */
#include "base/ticks.h"

#if defined(__x86_64__)

enum { MEASURE_NS = 1000 * 1000, READ_TRIES = 8 };

/* The counter and the clock at one moment. */
struct moment {
    uint64_t ticks;
    int64_t ns;
};

static int64_t monotonic_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* Reads both, several times, and keeps the reading that took shortest: one in which the
 * thread was set aside between the two would be wrong by all that time. */
static struct moment read_moment(void)
{
    struct moment best = { 0, 0 };
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < READ_TRIES; i++) {
        uint64_t before = ticks_now();
        int64_t ns = monotonic_ns();
        uint64_t took = ticks_now() - before;
        if (took < shortest) {
            shortest = took;
            best = (struct moment){ before + took / 2, ns };
        }
    }
    return best;
}

void ticks_init(struct ticks *ticks)
{
    struct moment start = read_moment();
    while (monotonic_ns() - start.ns < MEASURE_NS) {}
    struct moment end = read_moment();
    ticks->per_us = (double)(end.ticks - start.ticks) * 1000 / (double)(end.ns - start.ns);
}

#elif defined(__aarch64__)

void ticks_init(struct ticks *ticks)
{
    uint64_t hertz;
    __asm__ __volatile__("mrs %0, cntfrq_el0" : "=r"(hertz));
    ticks->per_us = (double)hertz / 1e6;
}

#else

void ticks_init(struct ticks *ticks)
{
    ticks->per_us = 1000; /* The counter is the clock itself, in nanoseconds. */
}

#endif
