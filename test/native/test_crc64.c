/* CRC-64: the published check value, checksums of Redis, a model bit by bit, pieces, and that
 * every flipped bit is noticed. */
#include "base/crc64.h"
#include "check.h"

/* One bit at a time, as the polynomial says. */
static uint64_t slow_crc(uint64_t crc, struct bytes bytes)
{
    const uint64_t reflected = UINT64_C(0x95ac9329ac4bc9b5);
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? reflected : 0);
        }
    }
    return crc;
}

static size_t random_text(uint64_t *dice, char *text, size_t room)
{
    size_t len = check_random_below(dice, room + 1);
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)check_random(dice);
    }
    return len;
}

static void the_check_value_comes_out(void)
{
    CHECK(crc64(0, LIT("123456789")) == UINT64_C(0xe9c6d914c4b8d9ca));
    CHECK(crc64(0, LIT("")) == 0);
    /* What redis-server 7.0 says of the string "hello". */
    CHECK(crc64(0, LIT("\0\5hello\12\0")) == UINT64_C(0x0a20346576df7263));
}

static void it_is_the_polynomial_bit_by_bit(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 5000; round++) {
        char text[200];
        struct bytes bytes = { text, random_text(&dice, text, sizeof text) };
        uint64_t before = check_random(&dice);
        CHECK(crc64(before, bytes) == slow_crc(before, bytes));
    }
}

static void pieces_give_the_checksum_of_the_whole(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 2000; round++) {
        char text[300];
        size_t len = random_text(&dice, text, sizeof text);
        size_t cut = check_random_below(&dice, len + 1);
        uint64_t first = crc64(0, (struct bytes){ text, cut });
        CHECK(crc64(first, (struct bytes){ text + cut, len - cut }) ==
              crc64(0, (struct bytes){ text, len }));
    }
}

static void every_flipped_bit_is_noticed(void)
{
    char text[100];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 7);
    }
    uint64_t sum = crc64(0, (struct bytes){ text, sizeof text });
    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        CHECK(crc64(0, (struct bytes){ text, sizeof text }) != sum);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
}

int main(void)
{
    RUN_TEST(the_check_value_comes_out);
    RUN_TEST(it_is_the_polynomial_bit_by_bit);
    RUN_TEST(pieces_give_the_checksum_of_the_whole);
    RUN_TEST(every_flipped_bit_is_noticed);
    return check_done();
}
