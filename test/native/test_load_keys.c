/* The load generator's key distributions. */
#include "bench/keys.h"

#include <math.h>

#include "check.h"

enum { KEYS = 1000, DRAWS = 200000 };

static uint32_t seen[KEYS];

static void draw(enum rln_load_keys kind)
{
    struct key_chooser chooser;
    struct key_walk walk;
    key_chooser_init(&chooser, kind, KEYS, 0);
    key_walk_init(&walk, check_seed(), 0, 1);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t id = key_choose(&chooser, &walk);
        CHECK(id < KEYS);
        seen[id]++;
    }
}

static uint32_t most_seen(void)
{
    uint32_t most = 0;
    for (int i = 0; i < KEYS; i++) {
        most = seen[i] > most ? seen[i] : most;
    }
    return most;
}

static void uniform_keys_come_equally_often(void)
{
    draw(RLN_LOAD_KEYS_UNIFORM);
    for (int i = 0; i < KEYS; i++) {
        CHECK(seen[i] > DRAWS / KEYS / 2 && seen[i] < DRAWS / KEYS * 2);
    }
}

/* The first rank's share is 1 / zeta(0.99 over the keys). */
static double first_share(void)
{
    double zeta = 0;
    for (int rank = 1; rank <= KEYS; rank++) {
        zeta += pow(1.0 / rank, 0.99);
    }
    return 1 / zeta;
}

static void zipfian_keys_have_hot_ones_in_scattered_places(void)
{
    draw(RLN_LOAD_KEYS_ZIPFIAN);
    double share = (double)most_seen() / (double)DRAWS;
    CHECK(share > first_share() * 0.9 &&
          share < first_share() * 1.6); /* two ranks may share a key */
    CHECK(seen[0] < most_seen() || seen[1] < most_seen() / 3);
}

static void the_latest_keys_are_the_hot_ones(void)
{
    draw(RLN_LOAD_KEYS_LATEST);
    CHECK_INT(most_seen(), seen[KEYS - 1]);
    CHECK(seen[KEYS - 1] > seen[KEYS - 2]);
    double share = (double)seen[KEYS - 1] / (double)DRAWS;
    CHECK(fabs(share - first_share()) < first_share() / 10);
}

static void a_new_key_becomes_the_latest(void)
{
    struct key_chooser chooser;
    struct key_walk walk;
    key_chooser_init(&chooser, RLN_LOAD_KEYS_LATEST, KEYS, 0);
    key_walk_init(&walk, check_seed(), 0, 1);
    for (uint64_t i = 0; i < 5000; i++) {
        CHECK_INT(key_create(&chooser), KEYS + i);
    }
    for (int i = 0; i < 1000; i++) {
        CHECK(key_choose(&chooser, &walk) >= 5000);
    }
}

static void threads_share_a_sequence_without_gaps(void)
{
    struct key_chooser chooser;
    key_chooser_init(&chooser, RLN_LOAD_KEYS_SEQUENTIAL, KEYS, 0);
    memset(seen, 0, sizeof seen);
    for (unsigned thread = 0; thread < 3; thread++) {
        struct key_walk walk;
        key_walk_init(&walk, check_seed(), thread, 3);
        for (unsigned i = 0; i < KEYS / 3 + (thread < KEYS % 3 ? 1 : 0); i++) {
            seen[key_choose(&chooser, &walk)]++;
        }
    }
    for (int i = 0; i < KEYS; i++) {
        CHECK_INT(seen[i], 1);
    }
}

static void one_key_is_enough(void)
{
    static const enum rln_load_keys kinds[] = { RLN_LOAD_KEYS_UNIFORM, RLN_LOAD_KEYS_ZIPFIAN,
                                                RLN_LOAD_KEYS_LATEST, RLN_LOAD_KEYS_SEQUENTIAL };
    for (unsigned i = 0; i < 4; i++) {
        for (uint64_t count = 1; count < 4; count++) {
            struct key_chooser chooser;
            struct key_walk walk;
            key_chooser_init(&chooser, kinds[i], count, 0);
            key_walk_init(&walk, check_seed(), 0, 1);
            for (int n = 0; n < 1000; n++) {
                CHECK(key_choose(&chooser, &walk) < count);
            }
        }
    }
}

int main(void)
{
    RUN_TEST(uniform_keys_come_equally_often);
    RUN_TEST(zipfian_keys_have_hot_ones_in_scattered_places);
    RUN_TEST(the_latest_keys_are_the_hot_ones);
    RUN_TEST(a_new_key_becomes_the_latest);
    RUN_TEST(threads_share_a_sequence_without_gaps);
    RUN_TEST(one_key_is_enough);
    return check_done();
}
