/* LZF: what is compressed comes back, other compressors' output is read, and input that is none
 * is refused without a byte written or read outside. */
#include "base/lzf.h"
#include "base/mem.h"
#include "check.h"

/* Text with more or less of it said before. */
static void write_text(uint64_t *dice, char *text, size_t len)
{
    unsigned letters = 1u << check_random_below(dice, 9);
    size_t at = 0;
    while (at < len) {
        if (at > 0 && check_random_below(dice, 3) == 0) {
            size_t from = check_random_below(dice, at), run = 1 + check_random_below(dice, 400);
            for (; run > 0 && at < len; run--) {
                text[at++] = text[from++];
            }
        } else {
            text[at++] = (char)check_random_below(dice, letters);
        }
    }
}

/* Compresses into just so much room and back; returns the compressed length. */
static size_t round_trip(struct bytes text, size_t room)
{
    char *compressed = mem_alloc(room), *back = mem_alloc(text.len);
    size_t len = lzf_compress(text, compressed, room);
    CHECK(len <= room);
    if (len > 0) {
        struct bytes packed = { compressed, len };
        CHECK(lzf_decompress(packed, back, text.len));
        CHECK_BYTES(((struct bytes){ back, text.len }), text);
        CHECK(text.len / LZF_RATIO_MAX <= len);
        CHECK(text.len == 0 || !lzf_decompress(packed, back, text.len - 1));
    }
    mem_free(compressed);
    mem_free(back);
    return len;
}

static void what_is_compressed_comes_back(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 3000; round++) {
        size_t len = check_random_below(&dice, round % 100 == 0 ? 100000 : 700);
        char *text = mem_alloc(len);
        write_text(&dice, text, len);
        /* A byte in front of each 32 is the worst that can be. */
        CHECK((round_trip((struct bytes){ text, len }, len + len / 32 + 1) > 0) == (len > 0));
        size_t fit = round_trip((struct bytes){ text, len }, len + len / 32 + 1);
        CHECK_INT(round_trip((struct bytes){ text, len }, fit), fit);
        CHECK(fit == 0 || round_trip((struct bytes){ text, len }, fit - 1) == 0);
        mem_free(text);
    }
}

static void repetition_becomes_short(void)
{
    static char text[26400];
    char small[1024];
    memset(text, 'a', sizeof text);
    CHECK(lzf_compress((struct bytes){ text, sizeof text }, small, sizeof small) < 310);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = "the quick brown fox jumps "[i % 26];
    }
    CHECK(lzf_compress((struct bytes){ text, sizeof text }, small, sizeof small) < 340);
}

static void what_others_compressed_is_read(void)
{
    char out[80];
    /* By redis-server: 35 letters a; 70 letters x. */
    CHECK(lzf_decompress(LIT("\1aa\340\26\0\1aa"), out, 35));
    CHECK_BYTES(((struct bytes){ out, 35 }), LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    CHECK(lzf_decompress(LIT("\1xx\340\71\0\1xx"), out, 70));
    for (int i = 0; i < 70; i++) {
        CHECK_INT(out[i], 'x');
    }
    CHECK(lzf_decompress(LIT(""), out, 0));
}

static void broken_input_is_refused(void)
{
    char out[300];
    CHECK(!lzf_decompress(LIT("\4abcd"), out, 5));        /* literals beyond the input */
    CHECK(!lzf_decompress(LIT("\4abcde"), out, 4));       /* and beyond the output */
    CHECK(!lzf_decompress(LIT("\4abcde"), out, 6));       /* too little for it */
    CHECK(!lzf_decompress(LIT("\0a\40"), out, 4));        /* half a match */
    CHECK(!lzf_decompress(LIT("\0a\340\0"), out, 10));    /* half a long one */
    CHECK(!lzf_decompress(LIT("\0a\40\1"), out, 4));      /* from before the beginning */
    CHECK(!lzf_decompress(LIT("\0a\340\377\0"), out, 9)); /* longer than the output */
    CHECK(lzf_decompress(LIT("\0a\40\0"), out, 4));
}

static void no_input_reaches_outside(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 20000; round++) {
        size_t len = check_random_below(&dice, 40), room = check_random_below(&dice, 400);
        char *in = mem_alloc(len), *out = mem_alloc(room);
        for (size_t i = 0; i < len; i++) {
            in[i] = (char)check_random(&dice);
        }
        (void)(lzf_decompress((struct bytes){ in, len }, out, room) ? 1 : 0);
        mem_free(in);
        mem_free(out);
    }
}

int main(void)
{
    RUN_TEST(what_is_compressed_comes_back);
    RUN_TEST(repetition_becomes_short);
    RUN_TEST(what_others_compressed_is_read);
    RUN_TEST(broken_input_is_refused);
    RUN_TEST(no_input_reaches_outside);
    return check_done();
}
