/* Dice with a seed: xoshiro256** (Blackman and Vigna, public domain description at
 * prng.di.unimi.it).  One state per thread; not for secrets. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* The same seed gives the same dice. */
void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);

/* Uniform in [0, bound); 'bound' is not 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* Bytes from the operating system, for hash keys, run ids and ACL GENPASS.  Aborts when
 * the system has none to give. */
void random_system(void *out, size_t len);

/* 'len' lower-case hex digits, not terminated, from the system's randomness. */
void random_hex(char *out, size_t len);

#endif
