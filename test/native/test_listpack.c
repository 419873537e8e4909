/* Listpacks: random histories against a plain array of strings, the format byte by byte, the
 * bounds where encodings change, and bytes that are no listpack. */
#include "keyspace_fixture.h"

#include "base/mem.h"
#include "base/num.h"
#include "list_model.h"
#include "store/listpack.h"

static struct fixture fixture;

/* ---- Texts that meet every encoding --------------------------------------------------------- */

enum { ELEMENTS_MAX = 400, TEXT_MAX = 5000 };

/* An integer near a bound, something that only looks like one, or bytes. */
static struct bytes random_text(uint64_t *dice, char room[TEXT_MAX])
{
    static const char *const fixed[] = { "",
                                         "-0",
                                         "00",
                                         "01",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "-",
                                         "a1",
                                         "9223372036854775808",
                                         "-9223372036854775809" };
    static const size_t lengths[] = { 1, 5, 12, 62, 63, 64, 65, 130, 300, 4094, 4095, 4096 };
    uint64_t kind = check_random_below(dice, 10);
    if (kind < 4) {
        int64_t value = (int64_t)(check_random(dice) >> check_random_below(dice, 64));
        value += (int64_t)check_random_below(dice, 3) - 1;
        value = check_random_below(dice, 2) == 0 ? value : (int64_t)(0 - (uint64_t)value);
        return (struct bytes){ room, num_format_i64(room, value) };
    }
    if (kind == 4) {
        return bytes_of(fixed[check_random_below(dice, sizeof fixed / sizeof fixed[0])]);
    }
    size_t count = sizeof lengths / sizeof lengths[0];
    size_t len = lengths[check_random_below(dice, kind == 5 ? count : count - 5)];
    for (size_t i = 0; i < len; i++) {
        room[i] = (char)('a' + check_random_below(dice, 3));
    }
    return (struct bytes){ room, len };
}

static void expect_same(const struct listpack *lp, const struct model *model)
{
    char room[LISTPACK_TEXT_ROOM];
    CHECK(listpack_check(listpack_bytes(lp), true));
    CHECK(listpack_memory(lp) >= listpack_bytes(lp).len);
    CHECK_INT(listpack_count(lp), model->count);
    uint32_t at = listpack_first(lp), before = 0;
    for (size_t i = 0; i < model->count; i++) {
        CHECK(at != 0);
        CHECK_BYTES(listpack_text(lp, at, room), model->at[i]);
        CHECK(listpack_is(lp, at, model->at[i]));
        CHECK_INT(listpack_previous(lp, at), before);
        before = at;
        at = listpack_next(lp, at);
    }
    CHECK_INT(at, 0);
    CHECK_INT(listpack_last(lp), before);
}

/* Taken several at a time, from the first to the last. */
static void expect_taken(const struct listpack *lp, const struct model *model, uint64_t *dice)
{
    enum { MOST = 7 };
    char room[LISTPACK_TEXT_ROOM];
    struct listpack_value values[MOST];
    uint32_t at = listpack_first(lp);
    size_t seen = 0;
    while (at != 0) {
        uint32_t max = (uint32_t)check_random_below(dice, MOST) + 1;
        uint32_t taken = listpack_take(lp, &at, values, max);
        CHECK(taken == max || at == 0);
        CHECK(taken > 0 && taken <= max && seen + taken <= model->count);
        for (uint32_t i = 0; i < taken; i++, seen++) {
            struct bytes text = values[i].string;
            if (text.at == NULL) {
                text = (struct bytes){ room, num_format_i64(room, values[i].integer) };
            }
            CHECK_BYTES(text, model->at[seen]);
        }
    }
    CHECK_INT(seen, model->count);
}

static void expect_seeks(const struct listpack *lp, const struct model *model, uint64_t *dice)
{
    char room[LISTPACK_TEXT_ROOM];
    int64_t count = (int64_t)model->count;
    int64_t index = (int64_t)check_random_below(dice, (uint64_t)count * 2 + 3) - count - 1;
    uint32_t at = listpack_seek(lp, index);
    CHECK_INT(at != 0, index < count && index >= -count);
    if (at == 0) {
        return;
    }
    size_t place = (size_t)(index >= 0 ? index : count + index);
    CHECK_BYTES(listpack_text(lp, at, room), model->at[place]);
    uint32_t step = 1 + (uint32_t)check_random_below(dice, 3);
    uint32_t found = listpack_find(lp, listpack_first(lp), model->at[place], step);
    size_t expected = 0;
    while (expected < model->count && !bytes_equal(model->at[expected], model->at[place])) {
        expected += step;
    }
    CHECK_INT(found, expected < model->count ? listpack_seek(lp, (int64_t)expected) : 0);
}

static void change(struct listpack **lp, struct model *model, uint64_t *dice)
{
    char room[TEXT_MAX];
    struct store_thread *thread = &fixture.thread;
    struct bytes text = random_text(dice, room);
    size_t index = model->count > 0 ? check_random_below(dice, model->count) : 0;
    uint32_t at = listpack_seek(*lp, (int64_t)index);
    uint64_t what = check_random_below(dice, model->count > ELEMENTS_MAX / 2 ? 7 : 5);
    if (model->count == 0 || (what < 4 && model->count == ELEMENTS_MAX)) {
        what = model->count == 0 ? 0 : 5;
    }
    switch (what) {
    case 0:
        if (listpack_append(thread, lp, text)) {
            model_insert(model, model->count, text);
        }
        break;
    case 1:
        if (listpack_prepend(thread, lp, text)) {
            model_insert(model, 0, text);
        }
        break;
    case 2:
        if (listpack_insert(thread, lp, &at, text)) {
            model_insert(model, index, text);
            CHECK_INT(at, listpack_seek(*lp, (int64_t)index));
        }
        break;
    case 3:
        if (listpack_replace(thread, lp, &at, text)) {
            model_delete(model, index, 1);
            model_insert(model, index, text);
        }
        break;
    default: {
        size_t count = check_random_below(dice, what == 4 ? 3 : 60);
        uint32_t next = listpack_delete(thread, lp, at, (uint32_t)count);
        count = count < model->count - index ? count : model->count - index;
        model_delete(model, index, count);
        CHECK_INT(next, index < model->count ? listpack_seek(*lp, (int64_t)index) : 0);
        break;
    }
    }
}

static void a_random_history_reads_as_the_model(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 12; round++) {
        struct model *model = mem_zalloc(sizeof *model);
        struct listpack *lp = listpack_create(&fixture.thread, round % 3 == 0 ? 500 : 0);
        CHECK(lp != NULL);
        for (int step = 0; step < 700; step++) {
#ifdef RLN_TEST
            mem_fail_after(check_random_below(&dice, 4) == 0 ? 1 : 0);
#endif
            change(&lp, model, &dice);
#ifdef RLN_TEST
            mem_fail_after(0);
#endif
            expect_same(lp, model);
            expect_taken(lp, model, &dice);
            expect_seeks(lp, model, &dice);
        }
        model_delete(model, 0, model->count);
        mem_free(model);
        listpack_destroy(&fixture.thread, lp);
    }
}

/* ---- The format ------------------------------------------------------------------------------- */

static void elements_are_encoded_as_the_format_says(void)
{
    struct listpack *lp = listpack_create(&fixture.thread, 0);
    CHECK(lp != NULL);
    CHECK_BYTES(listpack_bytes(lp), LIT("\x07\0\0\0\0\0\xff"));
    static const char *const texts[] = { "127",     "-1",       "4095",       "-4097",
                                         "8388607", "-8388609", "2147483648", "hi" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK(listpack_append(&fixture.thread, &lp, bytes_of(texts[i])));
    }
    CHECK_BYTES(listpack_bytes(lp), LIT("\x2c\0\0\0\x08\0"
                                        "\x7f\x01"
                                        "\xdf\xff\x02"
                                        "\xcf\xff\x02"
                                        "\xf1\xff\xef\x03"
                                        "\xf2\xff\xff\x7f\x04"
                                        "\xf3\xff\xff\x7f\xff\x05"
                                        "\xf4\0\0\0\x80\0\0\0\0\x09"
                                        "\x82hi\x03"
                                        "\xff"));
    listpack_destroy(&fixture.thread, lp);
}

static void long_strings_have_long_lengths(void)
{
    static const size_t lengths[] = { 63,    64,    126,   125,     4095,    4096,
                                      16377, 16378, 16379, 2097145, 2097146, 2097147 };
    char *text = mem_alloc(3 << 20);
    memset(text, 'x', 3 << 20);
    struct listpack *lp = listpack_create(&fixture.thread, 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        CHECK(listpack_append(&fixture.thread, &lp, (struct bytes){ text, lengths[i] }));
        CHECK(listpack_prepend(&fixture.thread, &lp, (struct bytes){ text, lengths[i] }));
        CHECK(listpack_check(listpack_bytes(lp), true));
        CHECK_INT(listpack_get(lp, listpack_last(lp)).string.len, lengths[i]);
    }
    struct listpack *copy = listpack_load(&fixture.thread, listpack_bytes(lp));
    CHECK_BYTES(listpack_bytes(copy), listpack_bytes(lp));
    listpack_destroy(&fixture.thread, copy);
    while (listpack_first(lp) != 0) {
        CHECK_INT(listpack_delete(&fixture.thread, &lp, listpack_last(lp), 1), 0);
        CHECK(listpack_check(listpack_bytes(lp), true));
    }
    CHECK(listpack_memory(lp) < 64);
    listpack_destroy(&fixture.thread, lp);
    mem_free(text);
}

static void more_elements_than_the_header_counts_are_counted(void)
{
    struct listpack *lp = listpack_create(&fixture.thread, 0);
    for (int i = 0; i < 65534; i++) {
        CHECK(listpack_append(&fixture.thread, &lp, LIT("1")));
    }
    CHECK_INT(listpack_count(lp), 65534);
    for (int i = 0; i < 6; i++) {
        CHECK(listpack_append(&fixture.thread, &lp, LIT("2")));
    }
    CHECK_INT(listpack_count(lp), 65540);
    CHECK_INT((unsigned char)listpack_bytes(lp).at[5], 0xff);
    CHECK_INT(listpack_get(lp, listpack_seek(lp, 65534)).integer, 2);
    CHECK_INT(listpack_get(lp, listpack_seek(lp, -65540)).integer, 1);
    CHECK_INT(listpack_seek(lp, 65540), 0);
    CHECK_INT(listpack_seek(lp, -65541), 0);
    CHECK(listpack_check(listpack_bytes(lp), true));
    listpack_destroy(&fixture.thread, lp);
}

static void bytes_that_are_no_listpack_are_refused(void)
{
    CHECK(!listpack_check(LIT(""), true));
    CHECK(!listpack_check(LIT("\x06\0\0\0\0\0"), true));
    CHECK(!listpack_check(LIT("\x08\0\0\0\0\0\xff"), true));           /* another length */
    CHECK(!listpack_check(LIT("\x07\0\0\0\0\0\x00"), true));           /* no end */
    CHECK(!listpack_check(LIT("\x09\0\0\0\x02\0\x01\x01\xff"), true)); /* another count */
    CHECK(!listpack_check(LIT("\x09\0\0\0\x01\0\x01\x02\xff"), true)); /* another back length */
    CHECK(!listpack_check(LIT("\x09\0\0\0\x01\0\x85\x02\xff"), true)); /* a string beyond the end */
    CHECK(!listpack_check(LIT("\x09\0\0\0\x01\0\xff\x01\xff"), true)); /* an end within */
    CHECK(!listpack_check(LIT("\x09\0\0\0\x01\0\xf8\x01\xff"), true)); /* no such encoding */
    CHECK(!listpack_check(LIT("\x0d\0\0\0\x01\0\xf0\xff\xff\xff\xff\x05\xff"), true));
    CHECK(listpack_check(LIT("\x09\0\0\0\x01\0\x01\x01\xff"), true));
    CHECK(listpack_check(LIT("\x09\0\0\0\xff\xff\x01\x01\xff"), true));
    CHECK(listpack_check(LIT("\x09\0\0\0\x02\0\x01\x01\xff"), false));
}

int main(void)
{
    fixture_open(&fixture, 1);
    RUN_TEST(elements_are_encoded_as_the_format_says);
    RUN_TEST(a_random_history_reads_as_the_model);
    RUN_TEST(long_strings_have_long_lengths);
    RUN_TEST(more_elements_than_the_header_counts_are_counted);
    RUN_TEST(bytes_that_are_no_listpack_are_refused);
    fixture_close(&fixture);
    return check_done();
}
