/* Dice: repeatable, even, and within their bounds. */
#include "base/random.h"
#include "check.h"

static void the_same_seed_gives_the_same_dice(void)
{
    struct random a;
    struct random b;
    struct random c;
    random_init(&a, 7);
    random_init(&b, 7);
    random_init(&c, 8);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t value = random_next(&a);
        CHECK(value == random_next(&b));
        differs |= value != random_next(&c);
    }
    CHECK(differs);
}

static void the_algorithm_is_xoshiro256_starstar(void)
{
    /* What rotl(s1 * 5, 7) * 9 gives from the state 1, 2, 3, 4. */
    struct random random = { { 1, 2, 3, 4 } };
    CHECK(random_next(&random) == 11520);
    CHECK(random_next(&random) == 0);
    CHECK(random_next(&random) == 1509978240);
    CHECK(random_next(&random) == UINT64_C(1215971899390074240));
}

static void numbers_below_a_bound_are_even(void)
{
    struct random random;
    random_init(&random, check_seed());
    enum { BOUND = 10, DRAWS = 100000 };
    int seen[BOUND] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        uint64_t value = random_below(&random, BOUND);
        CHECK(value < BOUND);
        seen[value]++;
    }
    for (int i = 0; i < BOUND; i++) {
        CHECK(seen[i] > DRAWS / BOUND - 800 && seen[i] < DRAWS / BOUND + 800);
    }
    for (int i = 0; i < 1000; i++) {
        CHECK(random_below(&random, 1) == 0);
        CHECK(random_below(&random, UINT64_MAX) < UINT64_MAX);
    }
}

static void the_system_gives_bytes_of_any_length(void)
{
    unsigned char a[600] = { 0 };
    unsigned char b[600] = { 0 };
    random_system(a, sizeof(a));
    random_system(b, sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK(memcmp(a + 568, b + 568, 32) != 0);
    char hex[201];
    memset(hex, '!', sizeof(hex));
    random_hex(hex, 200);
    CHECK(hex[200] == '!');
    for (int i = 0; i < 200; i++) {
        CHECK(memchr("0123456789abcdef", hex[i], 16) != NULL);
    }
}

int main(void)
{
    RUN_TEST(the_same_seed_gives_the_same_dice);
    RUN_TEST(the_algorithm_is_xoshiro256_starstar);
    RUN_TEST(numbers_below_a_bound_are_even);
    RUN_TEST(the_system_gives_bytes_of_any_length);
    return check_done();
}
