/* Sorted set values against a plain model: random histories of every operation, in both
 * encodings and from the one to the other, with enough memory and without. */
#include <math.h>

#include "base/mem.h"
#include "keyspace_fixture.h"
#include "store/zset.h"

enum { NAMES = 3000, LARGE = 700, STEPS = 20000, SCORES = 40 };

static struct fixture fixture;

struct model {
    bool there[NAMES];
    double score[NAMES];
    uint64_t count;
    unsigned names;    /* so many of NAMES are used */
    bool memory_fails; /* now and then */
};

/* Some are integers to a listpack, some are long. */
static struct bytes name_of(unsigned i, char room[64])
{
    const char *format = i % 5 == 0 ? "%u" : i % 50 == 1 ? "m%040u" : "m%u";
    return (struct bytes){ room, (size_t)snprintf(room, 64, format, i) };
}

static const struct model *sorting; /* for the comparison that qsort() calls */

static int compare_names(const void *a, const void *b)
{
    unsigned i = *(const unsigned *)a, j = *(const unsigned *)b;
    char room_i[64], room_j[64];
    if (sorting->score[i] != sorting->score[j]) {
        return sorting->score[i] < sorting->score[j] ? -1 : 1;
    }
    return bytes_compare(name_of(i, room_i), name_of(j, room_j));
}

/* The model's names in the order of a sorted set; returns their number. */
static unsigned ranked(const struct model *model, unsigned out[NAMES])
{
    unsigned count = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        if (model->there[i]) {
            out[count++] = i;
        }
    }
    sorting = model;
    qsort(out, count, sizeof *out, compare_names);
    return count;
}

static void check_walk(const struct zset *zset, const struct model *model, bool backwards)
{
    unsigned order[NAMES];
    unsigned count = ranked(model, order);
    struct zset_cursor cursor;
    struct zset_element element;
    char room[64];
    zset_seek(zset, backwards ? (uint64_t)count - 1 : 0, backwards, &cursor);
    for (unsigned i = 0; i < count; i++) {
        unsigned name = order[backwards ? count - 1 - i : i];
        CHECK(zset_next(&cursor, &element));
        CHECK_BYTES(element.member, name_of(name, room));
        CHECK(element.score == model->score[name]);
    }
    CHECK(!zset_next(&cursor, &element));
}

static void compare(const struct zset *zset, const struct model *model)
{
    unsigned order[NAMES];
    char room[64];
    zset_check(zset);
    CHECK_INT(zset_count(zset), model->count);
    for (unsigned i = 0; i < NAMES; i++) {
        double score;
        CHECK_INT(zset_score(zset, name_of(i, room), &score), model->there[i]);
        CHECK(!model->there[i] || score == model->score[i]);
    }
    unsigned count = ranked(model, order);
    for (unsigned rank = 0; rank < count; rank += 3) {
        struct zset_place place;
        struct bytes name = name_of(order[rank], room);
        zset_look(zset, name, &place);
        CHECK_INT(zset_rank(zset, &place, name), rank);
        struct btree_bound bound = { .kind = BOUND_SCORE, .score = model->score[order[rank]] };
        uint64_t below = zset_count_below(zset, &bound);
        CHECK(below <= rank);
        CHECK(below == 0 || model->score[order[below - 1]] < bound.score);
        CHECK(model->score[order[below]] == bound.score);
        bound.after = true;
        below = zset_count_below(zset, &bound);
        CHECK(below > rank && model->score[order[below - 1]] == bound.score);
        CHECK(below == count || model->score[order[below]] > bound.score);
    }
    if (count > 0) {
        check_walk(zset, model, false);
        check_walk(zset, model, true);
    }
}

/* Half of the scores are shared by many, the others by few. */
static double random_score(struct random *dice)
{
    return random_below(dice, 2) == 0 ? (double)random_below(dice, SCORES) / 4
                                      : (double)random_below(dice, (uint64_t)SCORES * 1000) / 4000;
}

/* Starts memory on its way for members that are there and others; nothing comes of it. */
static void look_ahead(const struct zset *zset, struct random *dice)
{
    struct member_ahead ahead[MEMBERS_AHEAD_MAX];
    char rooms[MEMBERS_AHEAD_MAX][64];
    for (unsigned i = 0; i < MEMBERS_AHEAD_MAX; i++) {
        ahead[i].name = name_of((unsigned)random_below(dice, NAMES), rooms[i]);
        ahead[i].ordered = i % 3 != 0;
        ahead[i].score = i % 4 == 0 ? NAN : random_score(dice);
    }
    zset_prefetch(zset, ahead, (uint32_t)random_below(dice, MEMBERS_AHEAD_MAX + 1));
}

static void put(struct zset *zset, struct model *model, struct random *dice)
{
    char room[64];
    unsigned i = (unsigned)random_below(dice, model->names);
    double score = random_score(dice);
    mem_fail_after(model->memory_fails ? (long)random_below(dice, 6) : 0);
    bool done = zset_put(&fixture.thread, zset, name_of(i, room), score);
    mem_fail_after(0);
    CHECK(done || model->memory_fails);
    if (done) {
        model->count += !model->there[i];
        model->there[i] = true;
        model->score[i] = score;
    }
}

static void take(struct zset *zset, struct model *model, struct random *dice)
{
    char room[64];
    struct zset_place place;
    unsigned i = (unsigned)random_below(dice, model->names);
    zset_look(zset, name_of(i, room), &place);
    CHECK_INT(place.found, model->there[i]);
    if (place.found) {
        mem_fail_after(model->memory_fails ? 1 : 0);
        zset_remove(&fixture.thread, zset, &place);
        mem_fail_after(0);
        model->there[i] = false;
        model->count--;
    }
}

/* Removes an interval of ranks: at random, or one that two bounds enclose. */
static void take_range(struct zset *zset, struct model *model, struct random *dice)
{
    unsigned order[NAMES];
    unsigned count = ranked(model, order);
    uint64_t from = random_below(dice, count + 1u);
    uint64_t to = from + random_below(dice, 30);
    if (random_below(dice, 2) == 0) {
        double low = (double)random_below(dice, SCORES) / 4;
        struct btree_bound min = { .kind = BOUND_SCORE, .score = low };
        struct btree_bound max = { .kind = BOUND_SCORE, .score = low + 0.25, .after = true };
        from = zset_count_below(zset, &min);
        to = zset_count_below(zset, &max);
    }
    to = to < count ? to : count;
    zset_remove_ranks(&fixture.thread, zset, from, to);
    for (uint64_t rank = from; rank < to; rank++) {
        model->there[order[rank]] = false;
        model->count--;
    }
}

static void a_history(unsigned names, bool memory_fails)
{
    struct model model = { .names = names, .memory_fails = memory_fails };
    struct random dice;
    struct zset zset;
    fixture_open(&fixture, 0);
    random_init(&dice, check_seed() + names);
    CHECK(zset_create(&fixture.thread, &zset, 0, 0));
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t die = random_below(&dice, 200);
        if (die == 0) {
            take_range(&zset, &model, &dice);
        } else if (die < (step / 4000 % 2 == 0 ? 60u : 130u)) {
            take(&zset, &model, &dice);
        } else {
            put(&zset, &model, &dice);
        }
        if (step % 1000 == 0) {
            zset_compact(&fixture.thread, &zset);
        }
        if (step % 100 == 0) {
            look_ahead(&zset, &dice);
        }
        if (step % (names <= LARGE ? 250 : 2500) == 0) {
            compare(&zset, &model);
        }
    }
    struct zset copy = { zset.encoding, zset_copy(&fixture.thread, zset.encoding, zset.pointer) };
    compare(&copy, &model);
    while (zset_count(&copy) > 0) {
        take_range(&copy, &model, &dice);
        compare(&copy, &model);
    }
    zset_release(&fixture.thread, &copy);
    while (zset_destroy_step(&fixture.thread, zset.encoding, zset.pointer, 0)) {}
    fixture_close(&fixture);
}

static void a_small_set_is_what_the_model_says(void)
{
    a_history(60, false);
}

static void a_set_that_changes_its_encoding_is_what_the_model_says(void)
{
    a_history(250, false);
}

static void a_large_set_is_what_the_model_says(void)
{
    a_history(LARGE, false);
}

/* With inner nodes below the root. */
static void a_very_large_set_is_what_the_model_says(void)
{
    a_history(NAMES, false);
}

static void without_memory_nothing_changes(void)
{
    a_history(60, true);
    a_history(NAMES, true);
}

/* All scores are the same: texts are in order, and intervals of them are intervals of ranks. */
static void intervals_of_texts_are_those_of_the_model(void)
{
    static const unsigned sizes[] = { 50, NAMES };
    char room[64], room_min[64], room_max[64];
    struct random dice;
    random_init(&dice, check_seed());
    for (unsigned s = 0; s < 2; s++) {
        struct model model = { .names = sizes[s] };
        unsigned order[NAMES];
        struct zset zset;
        fixture_open(&fixture, 0);
        CHECK(zset_create(&fixture.thread, &zset, 0, 0));
        for (unsigned i = 0; i < sizes[s]; i++) {
            CHECK(zset_put(&fixture.thread, &zset, name_of(i, room), 1));
            model.there[i] = true;
        }
        unsigned count = ranked(&model, order);
        for (unsigned round = 0; round < 500; round++) {
            uint64_t a = random_below(&dice, count), b = random_below(&dice, count), from, to;
            bool open = random_below(&dice, 2) == 0;
            struct btree_bound min = { .kind = BOUND_TEXT,
                                       .text = name_of(order[a], room_min),
                                       .after = open };
            struct btree_bound max = { .kind = BOUND_TEXT,
                                       .text = name_of(order[b], room_max),
                                       .after = !open };
            zset_text_interval(&zset, &min, &max, round % 2 == 0, &from, &to);
            uint64_t first = a + open, last = b + !open;
            CHECK_INT(to - from, last > first ? last - first : 0);
            CHECK(to == from || from == first);
        }
        zset_release(&fixture.thread, &zset);
        fixture_close(&fixture);
    }
}

int main(void)
{
    RUN_TEST(a_small_set_is_what_the_model_says);
    RUN_TEST(a_set_that_changes_its_encoding_is_what_the_model_says);
    RUN_TEST(a_large_set_is_what_the_model_says);
    RUN_TEST(a_very_large_set_is_what_the_model_says);
    RUN_TEST(without_memory_nothing_changes);
    RUN_TEST(intervals_of_texts_are_those_of_the_model);
    return check_done();
}
