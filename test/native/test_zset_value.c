/* Sorted set values against a plain model: every operation, while the encoding changes. */
#include "keyspace_fixture.h"
#include "store/zset.h"

enum { NAMES = 700, STEPS = 30000 };

static struct fixture fixture;

struct model {
    bool there[NAMES];
    double score[NAMES];
    uint64_t count;
};

static struct bytes name_of(unsigned i, char room[16])
{
    return (struct bytes){ room, (size_t)snprintf(room, 16, "m%u", i) };
}

static void compare(const struct zset *zset, const struct model *model)
{
    struct zset_cursor cursor;
    struct zset_element element;
    uint64_t rank = 0;
    char room[16];
    zset_check(zset);
    CHECK_INT(zset_count(zset), model->count);
    for (unsigned i = 0; i < NAMES; i++) {
        struct zset_place place;
        zset_look(zset, name_of(i, room), &place);
        CHECK_INT(place.found, model->there[i]);
        CHECK(!place.found || place.score == model->score[i]);
        if (place.found && i % 7 == 0) {
            zset_seek(zset, zset_rank(zset, &place, name_of(i, room)), false, &cursor);
            CHECK(zset_next(&cursor, &element));
            CHECK_BYTES(element.member, name_of(i, room));
        }
    }
    zset_seek(zset, 0, false, &cursor);
    while (zset_next(&cursor, &element)) {
        rank++;
    }
    CHECK_INT(rank, model->count);
}

static void one_step(struct zset *zset, struct model *model, struct random *dice)
{
    char room[16];
    unsigned i = (unsigned)random_below(dice, NAMES);
    struct zset_place place;
    if (random_below(dice, 3) != 0) {
        double score = (double)random_below(dice, 50);
        CHECK(zset_put(&fixture.thread, zset, name_of(i, room), score));
        model->count += !model->there[i];
        model->there[i] = true;
        model->score[i] = score;
        return;
    }
    zset_look(zset, name_of(i, room), &place);
    if (place.found) {
        zset_remove(&fixture.thread, zset, &place);
        model->there[i] = false;
        model->count--;
    }
}

static void the_set_is_what_the_model_says(void)
{
    static struct model model;
    struct random dice;
    struct zset zset;
    fixture_open(&fixture, 0);
    random_init(&dice, check_seed());
    CHECK(zset_create(&fixture.thread, &zset, 0, 0));
    for (unsigned step = 0; step < STEPS; step++) {
        one_step(&zset, &model, &dice);
        if (step % 500 == 0) {
            compare(&zset, &model);
        }
    }
    void *copy = zset_copy(&fixture.thread, zset.encoding, zset.pointer);
    struct zset other = { zset.encoding, copy };
    compare(&other, &model);
    while (zset_count(&other) > 0) {
        uint64_t from = random_below(&dice, zset_count(&other));
        zset_remove_ranks(&fixture.thread, &other, from, from + 1 + random_below(&dice, zset_count(&other) - from));
        zset_check(&other);
    }
    zset_release(&fixture.thread, &other);
    CHECK(!zset_destroy_step(&fixture.thread, zset.encoding, zset.pointer, INT64_MAX));
    fixture_close(&fixture);
}

int main(void)
{
    RUN_TEST(the_set_is_what_the_model_says);
    return 0;
}
