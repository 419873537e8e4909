/* SipHash-1-3 over whole words (see hash.h).  Words are read as the processor stores
 * them, so on a big-endian machine the values differ, which nobody can observe. */
#include "base/hash.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t value, int count)
{
    return (value << count) | (value >> (64 - count));
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 = rotate_left(s->v2, 32);
}

static inline struct sip sip_begin(uint64_t k0, uint64_t k1)
{
    return (struct sip){
        .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = k1 ^ UINT64_C(0x7465646279746573),
    };
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *s, uint64_t last)
{
    sip_word(s, last);
    s->v2 ^= 0xff;
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t load_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* The last 'len' % 8 bytes in the low end of a word. */
static inline uint64_t load_tail(struct bytes bytes)
{
    size_t left = bytes.len % 8;
    if (left == 0) {
        return 0;
    }
    if (bytes.len > 8) {
        /* Reading back over bytes already hashed saves a loop. */
        return load_word(bytes.at + bytes.len - 8) >> (8 * (8 - left));
    }
    const char *at = bytes.at + (bytes.len - left);
    uint64_t tail = 0;
    for (size_t i = left; i > 0; i--) {
        tail = tail << 8 | (unsigned char)at[i - 1];
    }
    return tail;
}

/* Folds the ASCII capitals among the eight bytes of 'word', all at once. */
static inline uint64_t fold_case(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low_bits = word & (ones * 0x7f);
    uint64_t from_a = low_bits + ones * (0x80 - 'A');      /* top bit: at or above 'A' */
    uint64_t above_z = low_bits + ones * (0x80 - 'Z' - 1); /* top bit: above 'Z' */
    uint64_t capital = (from_a ^ above_z) & ~word & (ones * 0x80);
    return word | capital >> 2;
}

uint64_t hash_bytes(const struct hash_key *key, struct bytes bytes, uint64_t tweak)
{
    /* The tweak changes the key: spread out, so that databases 0 and 1 differ widely. */
    struct sip s = sip_begin(key->k0 ^ tweak * UINT64_C(0x9e3779b97f4a7c15), key->k1);
    size_t words = bytes.len / 8;
    for (size_t i = 0; i < words; i++) {
        sip_word(&s, load_word(bytes.at + i * 8));
    }
    return sip_end(&s, (uint64_t)bytes.len << 56 | load_tail(bytes));
}

uint64_t hash_bytes_nocase(const struct hash_key *key, struct bytes bytes)
{
    struct sip s = sip_begin(key->k0, key->k1);
    size_t words = bytes.len / 8;
    for (size_t i = 0; i < words; i++) {
        sip_word(&s, fold_case(load_word(bytes.at + i * 8)));
    }
    return sip_end(&s, (uint64_t)bytes.len << 56 | fold_case(load_tail(bytes)));
}
