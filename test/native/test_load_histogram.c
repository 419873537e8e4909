/* The load generator's histogram: the layout that hdr-histogram-js reads back. */
#include "bench/histogram.h"

#include "check.h"

static void small_values_have_a_bucket_each(void)
{
    for (uint64_t value = 0; value < 2048; value++) {
        CHECK_INT(histogram_bucket(value), value);
        CHECK_INT(histogram_value((size_t)value), value);
    }
}

static void a_bucket_begins_with_its_own_value(void)
{
    for (size_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        CHECK_INT(histogram_bucket(histogram_value(bucket)), bucket);
        if (bucket > 0) {
            CHECK_INT(histogram_bucket(histogram_value(bucket) - 1), bucket - 1);
        }
    }
}

static void three_digits_are_kept(void)
{
    uint64_t state = check_seed();
    for (int i = 0; i < 100000; i++) {
        uint64_t value = check_random(&state) >> (28 + check_random_below(&state, 30));
        uint64_t low = histogram_value(histogram_bucket(value));
        CHECK(low <= value);
        CHECK((double)(value - low) <= (double)value / 1000);
    }
}

static void what_is_too_large_goes_to_the_last_bucket(void)
{
    CHECK_INT(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void sums_add_up(void)
{
    struct histogram a, b;
    CHECK(histogram_init(&a) && histogram_init(&b));
    histogram_record(&a, 5);
    histogram_record(&b, 5);
    histogram_record(&b, 1000000);
    histogram_add(&a, &b);
    CHECK_INT(a.total, 3);
    CHECK_INT(a.counts[5], 2);
    CHECK_INT(a.counts[histogram_bucket(1000000)], 1);
    histogram_release(&a);
    histogram_release(&b);
}

int main(void)
{
    RUN_TEST(small_values_have_a_bucket_each);
    RUN_TEST(a_bucket_begins_with_its_own_value);
    RUN_TEST(three_digits_are_kept);
    RUN_TEST(what_is_too_large_goes_to_the_last_bucket);
    RUN_TEST(sums_add_up);
    return check_done();
}
