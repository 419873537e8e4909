/* XXH3's 64-bit digest after its specification; see xxh3.h.  Short inputs are mixed whole with
 * parts of a fixed secret; from 241 bytes on eight sums take in stripes of 64 bytes. */
#include "base/xxh3.h"

#include <string.h>

#define P32_1 0x9e3779b1u
#define P32_2 0x85ebca77u
#define P32_3 0xc2b2ae3du
#define P64_1 0x9e3779b185ebca87u
#define P64_2 0xc2b2ae3d27d4eb4fu
#define P64_3 0x165667b19e3779f9u
#define P64_4 0x85ebca77c2b2ae63u
#define P64_5 0x27d4eb2f165667c5u

enum {
    SECRET_LEN = 192,
    STRIPE = 64,
    LANES = 8,
    STRIPES_OF_BLOCK = (SECRET_LEN - STRIPE) / 8,
    BLOCK = STRIPE * STRIPES_OF_BLOCK,
    MIDDLE_MAX = 240,
};

static const unsigned char secret[SECRET_LEN] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

/* Little-endian, as all machines are that this runs on. */
static uint64_t read64(const void *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint32_t read32(const void *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t rotate(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

__extension__ typedef unsigned __int128 uint128;

static uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t avalanche(uint64_t hash)
{
    hash ^= hash >> 37;
    hash *= 0x165667919e3779f9u;
    return hash ^ hash >> 32;
}

/* The older avalanche, of XXH64. */
static uint64_t avalanche_64(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= P64_2;
    hash ^= hash >> 29;
    hash *= P64_3;
    return hash ^ hash >> 32;
}

static uint64_t digest_to_3(const unsigned char *at, size_t len)
{
    uint32_t combined =
        (uint32_t)at[0] << 16 | (uint32_t)at[len / 2] << 24 | at[len - 1] | (uint32_t)len << 8;
    return avalanche_64(combined ^ (uint64_t)(read32(secret) ^ read32(secret + 4)));
}

static uint64_t digest_to_8(const unsigned char *at, size_t len)
{
    uint64_t hash = (read32(at + len - 4) + ((uint64_t)read32(at) << 32)) ^
                    (read64(secret + 8) ^ read64(secret + 16));
    hash ^= rotate(hash, 49) ^ rotate(hash, 24);
    hash *= 0x9fb21c651e98df25u;
    hash ^= (hash >> 35) + len;
    hash *= 0x9fb21c651e98df25u;
    return hash ^ hash >> 28;
}

static uint64_t digest_to_16(const unsigned char *at, size_t len)
{
    uint64_t low = read64(at) ^ (read64(secret + 24) ^ read64(secret + 32));
    uint64_t high = read64(at + len - 8) ^ (read64(secret + 40) ^ read64(secret + 48));
    return avalanche(len + __builtin_bswap64(low) + high + fold(low, high));
}

static uint64_t mix(const unsigned char *at, size_t secret_at)
{
    return fold(read64(at) ^ read64(secret + secret_at),
                read64(at + 8) ^ read64(secret + secret_at + 8));
}

/* 16 bytes from the front and 16 from the back, inwards. */
static uint64_t digest_to_128(const unsigned char *at, size_t len)
{
    uint64_t sum = len * P64_1;
    size_t pairs = (len - 1) / 32;
    for (size_t i = 0; i <= pairs; i++) {
        sum += mix(at + 16 * i, 32 * i);
        sum += mix(at + len - 16 * (i + 1), 32 * i + 16);
    }
    return avalanche(sum);
}

static uint64_t digest_to_240(const unsigned char *at, size_t len)
{
    enum { FIRST_ROUNDS = 8, LATER_OFFSET = 3, LAST_SECRET = 136 - 17 };
    uint64_t sum = len * P64_1;
    for (size_t i = 0; i < FIRST_ROUNDS; i++) {
        sum += mix(at + 16 * i, 16 * i);
    }
    sum = avalanche(sum);
    for (size_t i = FIRST_ROUNDS; i < len / 16; i++) {
        sum += mix(at + 16 * i, 16 * (i - FIRST_ROUNDS) + LATER_OFFSET);
    }
    return avalanche(sum + mix(at + len - 16, LAST_SECRET));
}

/* ---- Long inputs --------------------------------------------------------------------------- */

static void take_stripe(uint64_t *sums, const unsigned char *at, const unsigned char *key)
{
    for (unsigned i = 0; i < LANES; i++) {
        uint64_t value = read64(at + 8 * i);
        uint64_t keyed = value ^ read64(key + 8 * i);
        sums[i ^ 1] += value;
        sums[i] += (keyed & UINT32_MAX) * (keyed >> 32);
    }
}

static void scramble(uint64_t *sums)
{
    for (unsigned i = 0; i < LANES; i++) {
        sums[i] = (sums[i] ^ sums[i] >> 47 ^ read64(secret + SECRET_LEN - STRIPE + 8 * i)) * P32_1;
    }
}

static uint64_t digest_long(const unsigned char *at, size_t len)
{
    enum { LAST_SECRET = SECRET_LEN - STRIPE - 7, MERGE_SECRET = 11 };
    uint64_t sums[LANES] = { P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1 };
    size_t blocks = (len - 1) / BLOCK;
    for (size_t block = 0; block < blocks; block++) {
        for (size_t i = 0; i < STRIPES_OF_BLOCK; i++) {
            take_stripe(sums, at + block * BLOCK + i * STRIPE, secret + 8 * i);
        }
        scramble(sums);
    }
    size_t stripes = (len - 1 - blocks * BLOCK) / STRIPE;
    for (size_t i = 0; i < stripes; i++) {
        take_stripe(sums, at + blocks * BLOCK + i * STRIPE, secret + 8 * i);
    }
    take_stripe(sums, at + len - STRIPE, secret + LAST_SECRET);
    uint64_t hash = len * P64_1;
    for (unsigned i = 0; i < LANES; i += 2) {
        hash += fold(sums[i] ^ read64(secret + MERGE_SECRET + 8 * i),
                     sums[i + 1] ^ read64(secret + MERGE_SECRET + 8 * i + 8));
    }
    return avalanche(hash);
}

uint64_t xxh3_64(struct bytes bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    size_t len = bytes.len;
    if (len == 0) {
        return avalanche_64(read64(secret + 56) ^ read64(secret + 64));
    }
    return len <= 3            ? digest_to_3(at, len)
           : len <= 8          ? digest_to_8(at, len)
           : len <= 16         ? digest_to_16(at, len)
           : len <= 128        ? digest_to_128(at, len)
           : len <= MIDDLE_MAX ? digest_to_240(at, len)
                               : digest_long(at, len);
}
