/* HyperLogLogs against a plain array of registers. */
#include "store/hyperloglog.h"

#include "base/random.h"
#include "check.h"

enum { ROUNDS = 200, ADDED = 40 };

static struct random dice;
static uint8_t model[HLL_REGISTERS];

static void check_same(const struct hll *hll)
{
    uint8_t registers[HLL_REGISTERS] = { 0 };
    uint64_t count;
    CHECK(hll_is(hll_bytes(hll)));
    CHECK(hll_merge(registers, hll_bytes(hll)));
    CHECK(memcmp(registers, model, sizeof model) == 0);
    CHECK(hll_count(hll_bytes(hll), &count));
    CHECK(count == hll_count_registers(model));
}

/* Raises registers, near to each other or anywhere, until the value is dense. */
static void check_growth(uint64_t sparse_max, bool near)
{
    struct hll hll;
    memset(model, 0, sizeof model);
    CHECK(hll_init(&hll, LIT(""), sparse_max));
    check_same(&hll);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < ADDED; i++) {
            uint32_t index = (uint32_t)random_below(&dice, near ? 300 : HLL_REGISTERS);
            unsigned to = 1 + (unsigned)random_below(&dice, round < ROUNDS / 2 ? 3 : 34);
            enum hll_change expected = model[index] < to ? HLL_CHANGED : HLL_SAME;
            CHECK(hll_raise(&hll, index, to) == expected);
            model[index] = model[index] < to ? (uint8_t)to : model[index];
            CHECK(hll_is_dense(hll_bytes(&hll)) || hll.len <= sparse_max || hll.len == 18);
        }
        check_same(&hll);
    }
    CHECK(hll_is_dense(hll_bytes(&hll)));
    hll_release(&hll);
}

static void registers_are_raised_sparse_or_dense(void)
{
    check_growth(3000, false);
    check_growth(3000, true);
    check_growth(0, false);
    check_growth(100, true);
    check_growth(100000, false);
}

static void elements_are_placed_where_every_server_places_them(void)
{
    uint32_t index;
    CHECK_INT(hll_place(LIT(""), &index), 2);
    CHECK_INT(index, 5938);
    CHECK_INT(hll_place(LIT("a"), &index), 2);
    CHECK_INT(index, 12711);
    CHECK_INT(hll_place(LIT("hello world"), &index), 4);
    CHECK_INT(index, 9399);
}

static void estimates_are_near(void)
{
    struct hll hll;
    CHECK(hll_init(&hll, LIT(""), 3000));
    for (uint64_t i = 0, look = 10; i < 300000; i++) {
        uint32_t index;
        unsigned to = hll_place((struct bytes){ (const char *)&i, sizeof i }, &index);
        CHECK(hll_raise(&hll, index, to) <= HLL_CHANGED);
        if (i + 1 == look) {
            uint64_t count;
            CHECK(hll_count(hll_bytes(&hll), &count));
            int64_t wrong = (int64_t)count - (int64_t)look;
            CHECK(wrong * 25 <= (int64_t)look && -wrong * 25 <= (int64_t)look);
            look *= 3;
        }
    }
    hll_release(&hll);
}

static void corrupt_values_are_refused(void)
{
    uint8_t registers[HLL_REGISTERS] = { 0 };
    struct hll hll;
    uint64_t count;
#define HEAD "HYLL\1\0\0\0\0\0\0\0\0\0\0\0"
    struct bytes corrupt[] = { LIT(HEAD),
                               LIT(HEAD "\x7f"),
                               LIT(HEAD "\x7f\xfe"),
                               LIT(HEAD "\x7f\xff\x00"),
                               LIT(HEAD "\x7f\xfe\x81"),
                               LIT(HEAD "\x7f\xfe\x00\x40") };
    for (size_t i = 0; i < sizeof corrupt / sizeof corrupt[0]; i++) {
        CHECK(hll_is(corrupt[i]));
        CHECK(!hll_count(corrupt[i], &count));
        CHECK(!hll_merge(registers, corrupt[i]));
        CHECK(hll_init(&hll, corrupt[i], 3000));
        CHECK(hll_make_dense(&hll) == HLL_CORRUPT);
        hll_release(&hll);
    }
    CHECK(!hll_is(LIT("HYLL\2\0\0\0\0\0\0\0\0\0\0\0")));
    CHECK(!hll_is(LIT("HYLL\0\0\0\0\0\0\0\0\0\0\0\0")));
    CHECK(!hll_is(LIT("HYLL\1\0\0\0\0\0\0\0\0\0\0")));
}

int main(void)
{
    random_init(&dice, check_seed());
    RUN_TEST(registers_are_raised_sparse_or_dense);
    RUN_TEST(elements_are_placed_where_every_server_places_them);
    RUN_TEST(estimates_are_near);
    RUN_TEST(corrupt_values_are_refused);
    return check_done();
}
