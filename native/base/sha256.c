/* SHA-256 as FIPS 180-4 describes it (see sha256.h). */
#include "base/sha256.h"

enum { BLOCK_LEN = 64, LENGTH_AT = 56 };

static uint32_t rotate_right(uint32_t value, int count)
{
    return (value >> count) | (value << (32 - count));
}

static uint32_t load_big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void store_big_endian(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)(value >> 24);
    at[1] = (unsigned char)(value >> 16);
    at[2] = (unsigned char)(value >> 8);
    at[3] = (unsigned char)value;
}

/* The message schedule: sixteen words of the block, stretched to sixty-four. */
static void expand(uint32_t words[64], const unsigned char *block)
{
    for (int i = 0; i < 16; i++) {
        words[i] = load_big_endian(block + i * 4);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t near = words[i - 2];
        uint32_t far = words[i - 15];
        uint32_t near_mixed = rotate_right(near, 17) ^ rotate_right(near, 19) ^ near >> 10;
        uint32_t far_mixed = rotate_right(far, 7) ^ rotate_right(far, 18) ^ far >> 3;
        words[i] = words[i - 16] + far_mixed + words[i - 7] + near_mixed;
    }
}

static void compress(uint32_t state[8], const unsigned char *block)
{
    static const uint32_t constants[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    };
    uint32_t words[64];
    uint32_t v[8];
    expand(words, block);
    memcpy(v, state, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t sum1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t sum0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        uint32_t added = v[7] + sum1 + choice + constants[i] + words[i];
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += added;
        v[0] = added + sum0 + majority;
    }
    for (int i = 0; i < 8; i++) {
        state[i] += v[i];
    }
}

void sha256_init(struct sha256 *sha)
{
    *sha = (struct sha256){
        .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                   0x1f83d9ab, 0x5be0cd19 },
    };
}

void sha256_update(struct sha256 *sha, struct bytes bytes)
{
    size_t used = sha->len % BLOCK_LEN;
    sha->len += bytes.len;
    while (bytes.len > 0) {
        size_t part = BLOCK_LEN - used < bytes.len ? BLOCK_LEN - used : bytes.len;
        memcpy(sha->block + used, bytes.at, part);
        bytes.at += part;
        bytes.len -= part;
        used += part;
        if (used == BLOCK_LEN) {
            compress(sha->state, sha->block);
            used = 0;
        }
    }
}

void sha256_final(struct sha256 *sha, unsigned char digest[SHA256_LEN])
{
    size_t used = sha->len % BLOCK_LEN;
    uint64_t bits = sha->len * 8;
    sha->block[used++] = 0x80;
    if (used > LENGTH_AT) {
        memset(sha->block + used, 0, BLOCK_LEN - used);
        compress(sha->state, sha->block);
        used = 0;
    }
    memset(sha->block + used, 0, LENGTH_AT - used);
    store_big_endian(sha->block + LENGTH_AT, (uint32_t)(bits >> 32));
    store_big_endian(sha->block + LENGTH_AT + 4, (uint32_t)bits);
    compress(sha->state, sha->block);
    for (int i = 0; i < 8; i++) {
        store_big_endian(digest + i * 4, sha->state[i]);
    }
}

void sha256_hex(struct bytes bytes, char hex[SHA256_HEX_LEN])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256 sha;
    unsigned char digest[SHA256_LEN];
    sha256_init(&sha);
    sha256_update(&sha, bytes);
    sha256_final(&sha, digest);
    for (int i = 0; i < SHA256_LEN; i++) {
        hex[i * 2] = digits[digest[i] >> 4];
        hex[i * 2 + 1] = digits[digest[i] & 15];
    }
}

bool sha256_equal(const unsigned char a[SHA256_LEN], const unsigned char b[SHA256_LEN])
{
    unsigned char differs = 0;
    for (int i = 0; i < SHA256_LEN; i++) {
        differs = (unsigned char)(differs | (a[i] ^ b[i]));
    }
    return differs == 0;
}
