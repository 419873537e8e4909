/* The system's clocks behind clock.h; tests put their own functions there instead. */
#include <stddef.h>
#include <time.h>

#include "base/clock.h"

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(void *user)
{
    (void)user;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(void *user)
{
    (void)user;
    return read_us(CLOCK_MONOTONIC);
}

void clock_init_system(struct clock *clock)
{
    *clock = (struct clock){
        .wall_us = system_wall_us,
        .monotonic_us = system_monotonic_us,
        .user = NULL,
    };
}
