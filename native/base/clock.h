/* Time through a pointer, so that a test can freeze and advance it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_us)(void *user);      /* Unix time in microseconds */
    int64_t (*monotonic_us)(void *user); /* never goes back */
    void *user;
};

/* The system's clocks. */
void clock_init_system(struct clock *clock);

/* Unix time in microseconds and in milliseconds, and microseconds of the clock that never goes
 * back.  Any thread, as far as the clock itself allows it. */
static inline int64_t clock_wall_us(const struct clock *clock)
{
    return clock->wall_us(clock->user);
}
static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_us(clock->user) / 1000;
}
static inline int64_t clock_monotonic_us(const struct clock *clock)
{
    return clock->monotonic_us(clock->user);
}

#endif
