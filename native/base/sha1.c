/* SHA-1 as FIPS 180-4 describes it (see sha1.h). */
#include "base/sha1.h"

enum { BLOCK_LEN = 64, LENGTH_AT = 56, ROUNDS = 80, STATE_WORDS = 5 };

static inline uint32_t rotate_left(uint32_t value, int count)
{
    return (value << count) | (value >> (32 - count));
}

static uint32_t load_big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* What a round adds: a function of three words of the state, and a constant, for every
 * quarter of the rounds. */
static inline uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) {
        return ((b & c) | (~b & d)) + 0x5a827999;
    }
    if (round < 40) {
        return (b ^ c ^ d) + 0x6ed9eba1;
    }
    if (round < 60) {
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    }
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void compress(uint32_t state[STATE_WORDS], const unsigned char *block)
{
    uint32_t words[ROUNDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++) {
        words[i] = load_big_endian(block + i * 4);
    }
    for (int i = 16; i < ROUNDS; i++) {
        words[i] = rotate_left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t next = rotate_left(a, 5) + mix(i, b, c, d) + e + words[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void sha1_hex(struct bytes bytes, char hex[SHA1_HEX_LEN])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t state[STATE_WORDS] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    const unsigned char *at = (const unsigned char *)bytes.at;
    size_t left = bytes.len;
    for (; left >= BLOCK_LEN; left -= BLOCK_LEN, at += BLOCK_LEN) {
        compress(state, at);
    }
    /* What is left, a one bit, zeros, and the length in bits fill one block or two. */
    unsigned char tail[2 * BLOCK_LEN] = { 0 };
    size_t tail_len = left < LENGTH_AT ? BLOCK_LEN : 2 * BLOCK_LEN;
    uint64_t bits = (uint64_t)bytes.len * 8;
    if (left > 0) {
        memcpy(tail, at, left);
    }
    tail[left] = 0x80;
    for (int i = 0; i < 8; i++) {
        tail[tail_len - 1 - (size_t)i] = (unsigned char)(bits >> (8 * i));
    }
    for (size_t i = 0; i < tail_len; i += BLOCK_LEN) {
        compress(state, tail + i);
    }
    for (int i = 0; i < SHA1_HEX_LEN; i++) {
        hex[i] = digits[state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    }
}
