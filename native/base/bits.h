/* Strings of bits: bit 0 is the highest bit of the first byte, as SETBIT counts them. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include "base/bytes.h"

/* How many bits are one. */
uint64_t bits_count(struct bytes bytes);

/* The number of the first bit within from..to (inclusive, inside of 'bytes') that is 'bit', or
 * -1. */
int64_t bits_find(struct bytes bytes, bool bit, uint64_t from, uint64_t to);

/* How bits_combine() makes one string of several; shorter ones go on with zeros.  X is the
 * first of them, Y any of the others. */
enum bits_operation {
    BITS_AND,
    BITS_OR,
    BITS_XOR,
    BITS_NOT,   /* of the only one */
    BITS_DIFF,  /* in X, in no Y */
    BITS_DIFF1, /* in some Y, not in X */
    BITS_ANDOR, /* in X, and in some Y */
    BITS_ONE,   /* in just one of them */
};

/* Writes 'len' bytes, the longest source's length.  'count' is at least 1. */
void bits_combine(enum bits_operation operation, char *out, size_t len, const struct bytes *sources,
                  uint32_t count);

/* Integers of 1 to 64 bits, the highest bit first, beginning at any bit.  Beyond its end a
 * string reads as zeros; what is written must be inside. */
uint64_t bits_read(struct bytes bytes, uint64_t offset, unsigned width);
void bits_write(char *at, uint64_t offset, unsigned width, uint64_t value);

#endif
