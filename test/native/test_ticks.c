/* The tick counter runs at the rate it was measured to have. */
#include "base/clock.h"
#include "base/ticks.h"
#include "check.h"

static void ticks_keep_pace_with_the_clock(void)
{
    struct clock clock;
    struct ticks ticks;
    clock_init_system(&clock);
    ticks_init(&ticks);
    CHECK(ticks.per_us >= 1);

    /* Being set aside between the two readings only ever adds: the best of some counts. */
    double best = 1;
    for (int i = 0; i < 20 && best > 0.01; i++) {
        uint64_t start = ticks_now();
        int64_t began = clock_monotonic_us(&clock);
        while (clock_monotonic_us(&clock) - began < 5000) {}
        int64_t clock_us = clock_monotonic_us(&clock) - began;
        int64_t ticks_us = ticks_to_us(&ticks, ticks_now() - start);
        double off = (double)(ticks_us - clock_us) / (double)clock_us;
        off = off < 0 ? -off : off;
        best = off < best ? off : best;
    }
    CHECK(best <= 0.01);
}

static void conversions_are_each_others_inverse(void)
{
    struct ticks ticks;
    ticks_init(&ticks);
    int64_t back = ticks_to_us(&ticks, ticks_from_us(&ticks, 1000000));
    CHECK(back >= 999999 && back <= 1000001);
}

int main(void)
{
    RUN_TEST(ticks_keep_pace_with_the_clock);
    RUN_TEST(conversions_are_each_others_inverse);
    return check_done();
}
