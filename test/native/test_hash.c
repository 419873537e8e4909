/* SipHash-1-3 against a second, byte-wise implementation, and the folding of case. */
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

static void hashes_are_siphash_1_3(void)
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
        CHECK(hash_bytes(&key, (struct bytes){ at, len }, 0) ==
              model_siphash(1, 3, raw, (const unsigned char *)at, len));
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
              hash_bytes(&key, (struct bytes){ folded, len }, 0));
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
    RUN_TEST(hashes_are_siphash_1_3);
    RUN_TEST(case_is_folded_for_ascii_letters_only);
    RUN_TEST(tweaks_and_keys_change_the_hash);
    return check_done();
}
