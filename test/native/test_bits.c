/* Strings of bits against bit-by-bit models. */
#include "base/bits.h"
#include "base/mem.h"
#include "base/random.h"
#include "check.h"

enum { LEN_MAX = 200, ROUNDS = 3000, SOURCES_MAX = 5, LONG = 10000 };

static struct random dice;

static bool bit_at(struct bytes bytes, uint64_t at)
{
    return at / 8 < bytes.len && (((unsigned char)bytes.at[at / 8] >> (7 - at % 8)) & 1) != 0;
}

/* Random bytes, or mostly zeros, or mostly ones. */
static struct bytes fill(char *at, size_t len)
{
    uint64_t kind = random_below(&dice, 3);
    for (size_t i = 0; i < len; i++) {
        at[i] = (char)(kind == 0 || random_below(&dice, 40) == 0 ? random_next(&dice)
                                                                 : (kind == 1 ? 0 : 0xff));
    }
    return (struct bytes){ at, len };
}

static void ones_are_counted_and_found(void)
{
    char buffer[LEN_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct bytes bytes = fill(buffer, 1 + (size_t)random_below(&dice, LEN_MAX));
        uint64_t count = 0, bits = bytes.len * 8;
        for (uint64_t i = 0; i < bits; i++) {
            count += bit_at(bytes, i);
        }
        CHECK_INT(bits_count(bytes), count);
        uint64_t from = random_below(&dice, bits), to = from + random_below(&dice, bits - from);
        bool bit = random_below(&dice, 2) == 1;
        uint64_t at = from;
        while (at <= to && bit_at(bytes, at) != bit) {
            at++;
        }
        CHECK_INT(bits_find(bytes, bit, from, to), at <= to ? (int64_t)at : -1);
    }
}

static bool combined(enum bits_operation operation, const struct bytes *sources, uint32_t count,
                     uint64_t at)
{
    bool x = bit_at(sources[0], at);
    uint32_t others = 0;
    for (uint32_t i = 1; i < count; i++) {
        others += bit_at(sources[i], at);
    }
    switch (operation) {
    case BITS_AND:
        return x && others == count - 1;
    case BITS_OR:
        return x || others > 0;
    case BITS_XOR:
        return (x + others) % 2 == 1;
    case BITS_NOT:
        return !x;
    case BITS_DIFF:
        return x && others == 0;
    case BITS_DIFF1:
        return !x && others > 0;
    case BITS_ANDOR:
        return x && others > 0;
    case BITS_ONE:
        return x + others == 1;
    }
    return false;
}

static void check_combination(enum bits_operation operation, size_t len_max)
{
    char *buffers = mem_alloc(len_max * (SOURCES_MAX + 1)), *out = buffers;
    struct bytes sources[SOURCES_MAX];
    uint32_t count = operation == BITS_NOT ? 1 : 2 + (uint32_t)random_below(&dice, SOURCES_MAX - 1);
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        sources[i] = fill(buffers + len_max * (i + 1), (size_t)random_below(&dice, len_max + 1));
        len = sources[i].len > len ? sources[i].len : len;
    }
    bits_combine(operation, out, len, sources, count);
    for (uint64_t i = 0; i < len * 8; i++) {
        CHECK(bit_at((struct bytes){ out, len }, i) == combined(operation, sources, count, i));
    }
    mem_free(buffers);
}

static void strings_are_combined_bit_by_bit(void)
{
    for (int operation = BITS_AND; operation <= BITS_ONE; operation++) {
        for (int round = 0; round < 50; round++) {
            check_combination((enum bits_operation)operation, LEN_MAX);
        }
        check_combination((enum bits_operation)operation, LONG);
    }
}

static void integers_are_read_as_written_and_nothing_beside_them_changes(void)
{
    char buffer[LEN_MAX], before[LEN_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        struct bytes bytes = fill(buffer, LEN_MAX);
        unsigned width = 1 + (unsigned)random_below(&dice, 64);
        uint64_t offset = random_below(&dice, LEN_MAX * 8 - width + 1), value = random_next(&dice);
        value >>= 64 - width;
        memcpy(before, buffer, sizeof before);
        bits_write(buffer, offset, width, value);
        CHECK(bits_read(bytes, offset, width) == value);
        for (uint64_t i = 0; i < LEN_MAX * 8; i++) {
            bool inside = i >= offset && i < offset + width;
            CHECK(inside || bit_at(bytes, i) == bit_at((struct bytes){ before, LEN_MAX }, i));
        }
    }
    CHECK(bits_read(LIT("\xff"), 4, 8) == 0xf0);
    CHECK(bits_read(LIT("\xff"), 100, 64) == 0);
    CHECK(bits_read(LIT(""), 0, 64) == 0);
}

int main(void)
{
    random_init(&dice, check_seed());
    RUN_TEST(ones_are_counted_and_found);
    RUN_TEST(strings_are_combined_bit_by_bit);
    RUN_TEST(integers_are_read_as_written_and_nothing_beside_them_changes);
    return check_done();
}
