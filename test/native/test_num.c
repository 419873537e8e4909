/* Numbers: what is accepted, what is refused, and that text and number agree both ways. */
#include <math.h>

#include "base/num.h"
#include "check.h"

static void integers_are_read_strictly(void)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } table[] = {
        { "0", true, 0 },
        { "1", true, 1 },
        { "-1", true, -1 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "18446744073709551616", false, 0 },
        { "99999999999999999999", false, 0 },
        { "100000000000000000000", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "-0", false, 0 },
        { "00", false, 0 },
        { "01", false, 0 },
        { "-01", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "1a", false, 0 },
        { "a", false, 0 },
        { "1.0", false, 0 },
        { "--1", false, 0 },
        { "1234567890123456789x", false, 0 },
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t value = 0;
        CHECK_INT(num_parse_i64(bytes_of(table[i].text), &value), table[i].good);
        CHECK_INT(value, table[i].value);
    }
    uint64_t big = 0;
    CHECK(num_parse_u64(LIT("18446744073709551615"), &big) && big == UINT64_MAX);
    CHECK(!num_parse_u64(LIT("18446744073709551616"), &big));
    CHECK(!num_parse_u64(LIT("-1"), &big));
    CHECK(!num_parse_i64(LIT("1\0"), &(int64_t){ 0 }));
}

static void integers_survive_the_way_to_text_and_back(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 200000; round++) {
        uint64_t value = check_random(&dice) >> check_random_below(&dice, 64);
        char out[NUM_INT_ROOM + 1];
        char expected[NUM_INT_ROOM + 1];
        int64_t back = 0;
        uint64_t unsigned_back = 0;
        memset(out, '!', sizeof(out));
        size_t len = num_format_i64(out, (int64_t)value);
        snprintf(expected, sizeof(expected), "%" PRId64, (int64_t)value);
        CHECK_BYTES(((struct bytes){ out, len }), bytes_of(expected));
        CHECK(out[len] == '!');
        CHECK(num_parse_i64((struct bytes){ out, len }, &back) && back == (int64_t)value);
        len = num_format_u64(out, value);
        CHECK(num_parse_u64((struct bytes){ out, len }, &unsigned_back));
        CHECK(unsigned_back == value);
    }
    char out[NUM_INT_ROOM];
    CHECK_BYTES(((struct bytes){ out, num_format_i64(out, INT64_MIN) }),
                LIT("-9223372036854775808"));
}

static void floats_are_read_as_redis_reads_them(void)
{
    static const char *const good[] = { "1",    "-1.5", "+2",        "1e3",    ".5",  "5.",
                                        "0x1A", "inf",  "-Infinity", "4e-320", "00.1" };
    static const char *const bad[] = { "",  " 1", "1 ",       "nan",       "-nan", "1e",  "abc",
                                       "-", ".",  "1e400000", "1e-400000", "\t1",  "1,5", "1_0" };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double value;
        long double wide;
        CHECK(num_parse_double(bytes_of(good[i]), &value));
        CHECK(num_parse_long_double(bytes_of(good[i]), &wide));
        CHECK(isinf(value) ? isinf(wide) : fabs(value - (double)wide) < 1e-300);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double value;
        long double wide;
        CHECK(!num_parse_double(bytes_of(bad[i]), &value));
        CHECK(!num_parse_long_double(bytes_of(bad[i]), &wide));
    }
    double value;
    CHECK(!num_parse_double((struct bytes){ "1\0002", 3 }, &value));
    CHECK(num_parse_double((struct bytes){ "123", 2 }, &value) && value < 12.5 && value > 11.5);
}

/* Of every length, and spoilt at every place. */
static void whole_numbers_are_read_as_doubles(void)
{
    const char *digits = "98765432109876543210";
    for (size_t len = 1; len <= 20; len++) {
        char text[24], sign = len % 2 == 0 ? '-' : '0';
        double value = 0;
        text[0] = sign;
        memcpy(text + 1, digits, len);
        text[len + 1] = '\0';
        CHECK(num_parse_double((struct bytes){ text, len + 1 }, &value));
        CHECK(value == strtod(text, NULL));
        for (size_t at = 0; at < len; at++) {
            const char others[] = { '/', ':', ' ', '\0', (char)0xb5, 'z' };
            for (size_t i = 0; i < sizeof others; i++) {
                char saved = text[at + 1];
                text[at + 1] = others[i];
                CHECK(!num_parse_double((struct bytes){ text, len + 1 }, &value));
                text[at + 1] = saved;
            }
        }
    }
}

static void a_long_text_is_still_a_double(void)
{
    char text[NUM_FLOAT_ROOM + 100];
    double value = 0;
    long double wide;
    memset(text, '0', sizeof(text));
    text[0] = '1';
    text[1] = '.';
    CHECK(num_parse_double((struct bytes){ text, sizeof(text) }, &value) && value < 1.5);
    CHECK(!num_parse_long_double((struct bytes){ text, sizeof(text) }, &wide));
    CHECK(num_parse_long_double((struct bytes){ text, NUM_FLOAT_ROOM - 1 }, &wide));
}

static void check_long_double(long double value, const char *expected)
{
    char out[NUM_FLOAT_ROOM];
    CHECK_BYTES(((struct bytes){ out, num_format_long_double(out, sizeof(out), value) }),
                bytes_of(expected));
}

static void long_doubles_are_written_as_incrbyfloat_stores_them(void)
{
    check_long_double(3.0L, "3");
    check_long_double(10.5L + 0.1L, "10.6");
    check_long_double(-0.0L, "0");
    check_long_double(-1e-30L, "0");
    check_long_double(5.0e3L, "5000");
    check_long_double(1e20L, "100000000000000000000");
    check_long_double(-3.25L, "-3.25");
    check_long_double(HUGE_VALL, "inf");
    check_long_double(-HUGE_VALL, "-inf");
    char out[8];
    CHECK_INT(num_format_long_double(out, sizeof(out), 123456789.0L), 0);
}

static void check_double(double value, const char *expected)
{
    char out[64];
    CHECK_BYTES(((struct bytes){ out, num_format_double(out, sizeof(out), value) }),
                bytes_of(expected));
}

static void doubles_are_written_with_seventeen_digits(void)
{
    check_double(3, "3");
    check_double(0.1, "0.10000000000000001");
    check_double(-2.5, "-2.5");
    check_double(1e300, "1.0000000000000001e+300");
    check_double(HUGE_VAL, "inf");
    check_double(-HUGE_VAL, "-inf");
    check_double(NAN, "nan");
    check_double(-NAN, "nan");
}

static void memory_sizes_have_units_of_1000_and_1024(void)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* UINT64_MAX: refused */
    } table[] = {
        { "0", 0 },
        { "100", 100 },
        { "5b", 5 },
        { "1k", 1000 },
        { "1KB", 1024 },
        { "64Mb", 64u << 20 },
        { "2m", 2000000 },
        { "1gb", 1u << 30 },
        { "3G", UINT64_C(3000000000) },
        { "", UINT64_MAX },
        { "kb", UINT64_MAX },
        { "-1", UINT64_MAX },
        { "1tb", UINT64_MAX },
        { "1 kb", UINT64_MAX },
        { "1.5gb", UINT64_MAX },
        { "99999999999999999999", UINT64_MAX },
        { "18446744073709551615gb", UINT64_MAX },
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint64_t bytes = UINT64_MAX;
        CHECK_INT(num_parse_memory(bytes_of(table[i].text), &bytes), table[i].bytes != UINT64_MAX);
        CHECK(bytes == table[i].bytes);
    }
}

static void check_human(uint64_t bytes, const char *expected)
{
    char out[32];
    CHECK_BYTES(((struct bytes){ out, num_format_human(out, sizeof(out), bytes) }),
                bytes_of(expected));
}

static void human_sizes_have_two_decimals(void)
{
    check_human(0, "0B");
    check_human(1023, "1023B");
    check_human(1024, "1.00K");
    check_human(1536, "1.50K");
    check_human(1u << 20, "1.00M");
    check_human((1u << 20) - 1, "1024.00K");
    check_human(UINT64_C(5) << 30, "5.00G");
    check_human(UINT64_C(1) << 40, "1.00T");
    check_human(UINT64_C(1) << 50, "1.00P");
}

int main(void)
{
    RUN_TEST(integers_are_read_strictly);
    RUN_TEST(integers_survive_the_way_to_text_and_back);
    RUN_TEST(floats_are_read_as_redis_reads_them);
    RUN_TEST(whole_numbers_are_read_as_doubles);
    RUN_TEST(a_long_text_is_still_a_double);
    RUN_TEST(long_doubles_are_written_as_incrbyfloat_stores_them);
    RUN_TEST(doubles_are_written_with_seventeen_digits);
    RUN_TEST(memory_sizes_have_units_of_1000_and_1024);
    RUN_TEST(human_sizes_have_two_decimals);
    return check_done();
}
