/* Two keyed hashes (see hash.h): over AES rounds where the processor has them, SipHash-1-3
 * elsewhere.  Words are read as the processor stores them, so the values differ between
 * machines, which nobody can observe. */
#include "base/hash.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

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

/* Spreads a tweak over a word: databases 0 and 1 differ widely. */
static inline uint64_t spread(uint64_t tweak)
{
    return tweak * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t hash_bytes_portable(const struct hash_key *key, struct bytes bytes, uint64_t tweak)
{
    struct sip s = sip_begin(key->k0 ^ spread(tweak), key->k1);
    size_t words = bytes.len / 8;
    for (size_t i = 0; i < words; i++) {
        sip_word(&s, load_word(bytes.at + i * 8));
    }
    return sip_end(&s, (uint64_t)bytes.len << 56 | load_tail(bytes));
}

#ifdef __x86_64__

/* The last block, shorter than 16 bytes.  Which bytes are in it twice the length tells. */
static inline __attribute__((target("aes"))) __m128i load_short(struct bytes bytes)
{
    uint64_t low = bytes.len < 8 ? load_tail(bytes) : load_word(bytes.at);
    uint64_t high = bytes.len < 8 ? 0 : load_word(bytes.at + bytes.len - 8);
    return _mm_set_epi64x((long long)high, (long long)low);
}

static inline __attribute__((target("aes"))) __m128i mix_block(__m128i state, __m128i block,
                                                               __m128i round_key)
{
    state = _mm_xor_si128(state, block);
    for (int round = 0; round < 4; round++) {
        state = _mm_aesenc_si128(state, round_key);
    }
    return state;
}

/* As Pelican MAC does it: a secret state takes in a block, four rounds of AES mix it, and so
 * on.  Four rounds leave no difference of two inputs that could be told without the key. */
static __attribute__((target("aes"))) uint64_t hash_aes(const struct hash_key *key,
                                                        struct bytes bytes, uint64_t tweak)
{
    __m128i round_key = _mm_set_epi64x((long long)key->k0, (long long)key->k1);
    __m128i state =
        _mm_set_epi64x((long long)(key->k1 ^ bytes.len), (long long)(key->k0 ^ spread(tweak)));
    if (bytes.len < 16) {
        state = mix_block(state, load_short(bytes), round_key);
    } else {
        const char *last = bytes.at + bytes.len - 16;
        for (const char *at = bytes.at; at < last; at += 16) {
            state = mix_block(state, _mm_loadu_si128((const __m128i *)(const void *)at), round_key);
        }
        state = mix_block(state, _mm_loadu_si128((const __m128i *)(const void *)last), round_key);
    }
    return (uint64_t)_mm_cvtsi128_si64(state);
}

bool hash_uses_aes(void)
{
    return __builtin_cpu_supports("aes");
}

#else

static inline uint64_t hash_aes(const struct hash_key *key, struct bytes bytes, uint64_t tweak)
{
    return hash_bytes_portable(key, bytes, tweak);
}

bool hash_uses_aes(void)
{
    return false;
}

#endif

uint64_t hash_bytes(const struct hash_key *key, struct bytes bytes, uint64_t tweak)
{
    return hash_uses_aes() ? hash_aes(key, bytes, tweak) : hash_bytes_portable(key, bytes, tweak);
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
