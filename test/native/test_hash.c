/* Both hashes against a second, byte-wise implementation of each, how they spread, and the
 * folding of case. */
#include "base/hash.h"
#include "check.h"

static uint64_t model_rotate(uint64_t value, unsigned count)
{
    return value << count | value >> (64 - count);
}

static void model_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = model_rotate(v[1], 13);
        v[1] ^= v[0];
        v[0] = model_rotate(v[0], 32);
        v[2] += v[3];
        v[3] = model_rotate(v[3], 16);
        v[3] ^= v[2];
        v[0] += v[3];
        v[3] = model_rotate(v[3], 21);
        v[3] ^= v[0];
        v[2] += v[1];
        v[1] = model_rotate(v[1], 17);
        v[1] ^= v[2];
        v[2] = model_rotate(v[2], 32);
    }
}

/* SipHash as its paper writes it, one byte at a time, with the rounds as parameters. */
static uint64_t model_siphash(int c_rounds, int d_rounds, const unsigned char key[16],
                              const unsigned char *at, size_t len)
{
    uint64_t k[2] = { 0, 0 };
    for (unsigned i = 0; i < 16; i++) {
        k[i / 8] |= (uint64_t)key[i] << (8 * (i % 8));
    }
    uint64_t v[4] = { k[0] ^ 0x736f6d6570736575u, k[1] ^ 0x646f72616e646f6du,
                      k[0] ^ 0x6c7967656e657261u, k[1] ^ 0x7465646279746573u };
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)at[i] << (8 * (i % 8));
        if (i % 8 == 7) {
            v[3] ^= word;
            model_rounds(v, c_rounds);
            v[0] ^= word;
            word = 0;
        }
    }
    word |= (uint64_t)len << 56;
    v[3] ^= word;
    model_rounds(v, c_rounds);
    v[0] ^= word;
    v[2] ^= 0xff;
    model_rounds(v, d_rounds);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void the_model_gives_the_published_vector(void)
{
    /* The paper's appendix: SipHash-2-4, key 00..0f, message 00..0e. */
    unsigned char key[16];
    unsigned char message[15];
    for (unsigned i = 0; i < 16; i++) {
        key[i] = (unsigned char)i;
    }
    for (unsigned i = 0; i < 15; i++) {
        message[i] = (unsigned char)i;
    }
    CHECK(model_siphash(2, 4, key, message, 15) == 0xa129ca6149be45e5u);
}

static void portable_hashes_are_siphash_1_3(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 20000; round++) {
        unsigned char raw[16];
        char text[100];
        size_t len = check_random_below(&dice, sizeof(text));
        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = (char)check_random(&dice);
        }
        struct hash_key key = { check_random(&dice), check_random(&dice) };
        for (unsigned i = 0; i < 8; i++) {
            raw[i] = (unsigned char)(key.k0 >> (8 * i));
            raw[8 + i] = (unsigned char)(key.k1 >> (8 * i));
        }
        const char *at = text + sizeof(text) - len; /* to the end: a sanitizer sees more */
        CHECK(hash_bytes_portable(&key, (struct bytes){ at, len }, 0) ==
              model_siphash(1, 3, raw, (const unsigned char *)at, len));
    }
}

/* ---- AES as FIPS 197 writes it, byte by byte ---------------------------------------------------- */

static unsigned char times(unsigned char a, unsigned char b)
{
    unsigned char product = 0;
    for (; b != 0; b >>= 1) {
        product ^= b & 1 ? a : 0;
        a = (unsigned char)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
    }
    return product;
}

static unsigned char substitute(unsigned char value)
{
    unsigned char inverse = 1;
    for (int i = 0; i < 254; i++) { /* The 254th power is the inverse. */
        inverse = times(inverse, value);
    }
    unsigned bits = inverse * 0x101u;
    return (unsigned char)(inverse ^ bits >> 7 ^ bits >> 6 ^ bits >> 5 ^ bits >> 4 ^ 0x63);
}

static void model_aes_round(unsigned char state[16], const unsigned char round_key[16])
{
    unsigned char moved[16];
    for (unsigned i = 0; i < 16; i++) {
        moved[i] = substitute(state[(i + i % 4 * 4) % 16]);
    }
    for (unsigned i = 0; i < 16; i++) {
        const unsigned char *column = moved + i / 4 * 4;
        state[i] = (unsigned char)(times(column[i % 4], 2) ^ times(column[(i + 1) % 4], 3) ^
                                   column[(i + 2) % 4] ^ column[(i + 3) % 4] ^ round_key[i]);
    }
}

static void the_model_gives_the_published_round(void)
{
    /* FIPS 197, appendix B: the first round. */
    unsigned char state[16] = { 0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b,
                                0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08 };
    const unsigned char key[16] = { 0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1,
                                    0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05 };
    const unsigned char next[16] = { 0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b,
                                     0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49 };
    model_aes_round(state, key);
    CHECK(memcmp(state, next, sizeof next) == 0);
}

static void absorb(unsigned char state[16], const unsigned char *at, size_t len,
                   const unsigned char round_key[16])
{
    for (size_t i = 0; i < len; i++) {
        state[i] ^= at[i];
    }
    for (int round = 0; round < 4; round++) {
        model_aes_round(state, round_key);
    }
}

static uint64_t model_aes_hash(const struct hash_key *key, const unsigned char *at, size_t len,
                               uint64_t tweak)
{
    unsigned char state[16], round_key[16], block[16] = { 0 };
    uint64_t words[2] = { key->k0 ^ tweak * 0x9e3779b97f4a7c15u, key->k1 ^ len };
    uint64_t key_words[2] = { key->k1, key->k0 };
    memcpy(state, words, sizeof state);
    memcpy(round_key, key_words, sizeof round_key);
    if (len < 8) {
        memcpy(block, at, len);
        absorb(state, block, 16, round_key);
    } else if (len < 16) {
        memcpy(block, at, 8);
        memcpy(block + 8, at + len - 8, 8);
        absorb(state, block, 16, round_key);
    } else {
        for (size_t i = 0; i + 16 < len; i += 16) {
            absorb(state, at + i, 16, round_key);
        }
        absorb(state, at + len - 16, 16, round_key);
    }
    memcpy(words, state, sizeof words);
    return words[0];
}

/* Random bytes at the end of a block of their own length: a sanitizer sees what is read beyond. */
static void hashes_are_of_aes_rounds_or_portable(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 2000; round++) {
        size_t len = check_random_below(&dice, 100);
        unsigned char *text = malloc(len + 1);
        CHECK(text != NULL);
        for (size_t i = 0; i < len; i++) {
            text[1 + i] = (unsigned char)check_random(&dice);
        }
        struct hash_key key = { check_random(&dice), check_random(&dice) };
        struct bytes bytes = { (const char *)text + 1, len };
        uint64_t tweak = check_random_below(&dice, 3);
        uint64_t model = hash_uses_aes() ? model_aes_hash(&key, text + 1, len, tweak)
                                         : hash_bytes_portable(&key, bytes, tweak);
        CHECK(hash_bytes(&key, bytes, tweak) == model);
        free(text);
    }
}

/* Each bit of a name turns each bit of its hash in half of the cases: 2,000 throws of a coin lie
 * within 800 to 1,200 but for once in 10^18. */
static void each_bit_turns_each_bit(void)
{
    enum { THROWS = 2000 };
    static const size_t lengths[] = { 1, 7, 8, 15, 16, 17, 40 };
    uint64_t dice = check_seed();
    for (unsigned which = 0; which < sizeof lengths / sizeof lengths[0]; which++) {
        struct bytes bytes = { NULL, lengths[which] };
        for (size_t bit = 0; bit < bytes.len * 8; bit += 1 + bytes.len / 4) {
            int turned[64] = { 0 };
            for (int i = 0; i < THROWS; i++) {
                char text[40];
                for (size_t at = 0; at < sizeof text; at++) {
                    text[at] = (char)check_random(&dice);
                }
                struct hash_key key = { check_random(&dice), check_random(&dice) };
                bytes.at = text;
                uint64_t before = hash_bytes(&key, bytes, 0);
                text[bit / 8] ^= (char)(1 << bit % 8);
                uint64_t difference = before ^ hash_bytes(&key, bytes, 0);
                for (int at = 0; at < 64; at++) {
                    turned[at] += (int)(difference >> at & 1);
                }
            }
            for (int at = 0; at < 64; at++) {
                CHECK(turned[at] > THROWS * 2 / 5 && turned[at] < THROWS * 3 / 5);
            }
        }
    }
}

static void case_is_folded_for_ascii_letters_only(void)
{
    uint64_t dice = check_seed();
    struct hash_key key = { 1, 2 };
    for (int round = 0; round < 20000; round++) {
        char text[40];
        char folded[40];
        size_t len = check_random_below(&dice, sizeof(text) + 1);
        for (size_t i = 0; i < len; i++) {
            text[i] = (char)check_random(&dice);
            folded[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
        }
        CHECK(hash_bytes_nocase(&key, (struct bytes){ text, len }) ==
              hash_bytes_portable(&key, (struct bytes){ folded, len }, 0));
    }
}

static void tweaks_and_keys_change_the_hash(void)
{
    struct hash_key key = { 1, 2 };
    struct hash_key other = { 1, 3 };
    CHECK(hash_bytes(&key, LIT("k"), 0) != hash_bytes(&key, LIT("k"), 1));
    CHECK(hash_bytes(&key, LIT("k"), 0) != hash_bytes(&other, LIT("k"), 0));
    CHECK(hash_bytes(&key, (struct bytes){ NULL, 0 }, 5) == hash_bytes(&key, LIT(""), 5));
}

int main(void)
{
    RUN_TEST(the_model_gives_the_published_vector);
    RUN_TEST(the_model_gives_the_published_round);
    RUN_TEST(portable_hashes_are_siphash_1_3);
    RUN_TEST(hashes_are_of_aes_rounds_or_portable);
    RUN_TEST(each_bit_turns_each_bit);
    RUN_TEST(case_is_folded_for_ascii_letters_only);
    RUN_TEST(tweaks_and_keys_change_the_hash);
    return check_done();
}
