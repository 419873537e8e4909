/* Seeded dice and the system's randomness (see random.h). */
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/random.h"

/* One step of SplitMix64, which spreads a seed over the whole state. */
static uint64_t split_mix(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void random_init(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        random->state[i] = split_mix(&seed);
    }
}

static uint64_t rotate_left(uint64_t value, int count)
{
    return (value << count) | (value >> (64 - count));
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    /* The lowest 2^64 mod 'bound' values would make the small results likelier. */
    uint64_t skewed = (UINT64_C(0) - bound) % bound;
    for (;;) {
        uint64_t value = random_next(random);
        if (value >= skewed) {
            return value % bound;
        }
    }
}

void random_system(void *out, size_t len)
{
    enum { ENTROPY_AT_ONCE = 256 }; /* getentropy() gives no more. */
    unsigned char *at = out;
    while (len > 0) {
        size_t part = len < ENTROPY_AT_ONCE ? len : ENTROPY_AT_ONCE;
        if (getentropy(at, part) != 0) {
            abort();
        }
        at += part;
        len -= part;
    }
}

void random_hex(char *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[64];
    size_t used = sizeof(raw) * 2;
    for (size_t i = 0; i < len; i++, used++) {
        if (used == sizeof(raw) * 2) {
            random_system(raw, sizeof(raw));
            used = 0;
        }
        unsigned nibble = used % 2 == 0 ? raw[used / 2] >> 4 : raw[used / 2] & 15u;
        out[i] = digits[nibble];
    }
}
