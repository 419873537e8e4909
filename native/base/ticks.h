/* A counter for short times, cheap enough to read at every command: the processor's time
 * stamp where it runs at a constant rate, else the monotonic clock. */
#ifndef BASE_TICKS_H
#define BASE_TICKS_H

#include <stdint.h>
#include <time.h>

struct ticks {
    double per_us; /* ticks in a microsecond */
};

/* The counter; only differences of two readings mean something.  Any thread. */
static inline uint64_t ticks_now(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ __volatile__("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
#endif
}

/* Measures the rate against the monotonic clock; takes about a millisecond. */
void ticks_init(struct ticks *ticks);

/* Ticks as microseconds, cut off, and microseconds as ticks. */
static inline int64_t ticks_to_us(const struct ticks *ticks, uint64_t count)
{
    return (int64_t)((double)count / ticks->per_us);
}
static inline uint64_t ticks_from_us(const struct ticks *ticks, int64_t us)
{
    return (uint64_t)((double)us * ticks->per_us);
}

#endif
