/* Buckets of one cache line that hold pointers under 1-byte tags, and runs of them: what
 * the keyspace's tables (table.h) and those of large sets and hashes (members.h) are made
 * of.
 *
 * The 32 bits of a hash called 'pos' pick the home bucket by multiplication, so that runs
 * may have any size and elements stay in the order of their hashes whatever the size.  A
 * slot keeps the first 18 bits of pos ('place'), the lowest 8 of them as its tag: enough to
 * find a home in a larger run without touching what the pointer points at.  A full bucket
 * passes elements on to the next one and counts them, so that a lookup knows when to stop;
 * a removal counts back along the same way. */
#ifndef STORE_BUCKET_H
#define STORE_BUCKET_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BUCKET_SLOTS = 8, BUCKET_OVERFLOW_STICKS = 255 };

/* A pointer is an address of 48 bits, a multiple of 8: 32 bits of it are in 'low', 13 in
 * 'high'.  Of the upper 10 bits of the place, 3 are in 'high' and 7 in 'rest', whose lowest
 * byte counts the elements that found this bucket full and went on; 255 sticks. */
struct bucket {
    alignas(64) uint8_t tags[BUCKET_SLOTS]; /* 0: the slot is empty */
    uint32_t low[BUCKET_SLOTS];
    uint16_t high[BUCKET_SLOTS];
    uint64_t rest;
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is one cache line");

/* What a slot keeps of a hash's pos, the tag of that (never 0), the home bucket among 'size'. */
static inline uint32_t pos_place(uint32_t pos)
{
    return pos >> 14;
}

static inline uint8_t place_tag(uint32_t place)
{
    uint8_t tag = (uint8_t)place;
    return tag != 0 ? tag : 1;
}

static inline uint32_t pos_home(uint32_t pos, uint32_t size)
{
    return (uint32_t)(((uint64_t)pos * size) >> 32);
}

/* The pointer in a slot that is in use. */
static inline void *bucket_pointer(const struct bucket *bucket, unsigned slot)
{
    return (void *)((((uintptr_t)bucket->high[slot] & 0x1fff) << 35) |
                    ((uintptr_t)bucket->low[slot] << 3));
}

/* Replaces the pointer in a slot; the place stays. */
static inline void bucket_point(struct bucket *bucket, unsigned slot, const void *pointer)
{
    bucket->low[slot] = (uint32_t)((uintptr_t)pointer >> 3);
    bucket->high[slot] =
        (uint16_t)((bucket->high[slot] & 0xe000) | (((uintptr_t)pointer >> 35) & 0x1fff));
}

/* Whether some element found it full and went on. */
static inline bool bucket_overflows(const struct bucket *bucket)
{
    return (bucket->rest & 0xff) != 0;
}

/* One bit (the highest of its byte) for each slot whose tag is 'tag'; take them off with
 * match_slot() and match_next().  One vector comparison with SSE2 and NEON alike. */
static inline uint64_t tags_match(uint64_t tags, uint8_t tag)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
#if defined(__SSE2__) || defined(__ARM_NEON)
    typedef uint8_t vector __attribute__((vector_size(8)));
    return (uint64_t)((vector)tags == tag) & high_bits;
#else
    uint64_t differ = tags ^ (UINT64_C(0x0101010101010101) * tag);
    return ~(((differ & ~high_bits) + ~high_bits) | differ) & high_bits;
#endif
}

/* The slots with this tag, a bit each; match_slot() is the first one's number, match_next() the
 * others. */
static inline uint64_t bucket_match(const struct bucket *bucket, uint8_t tag)
{
    uint64_t tags;
    memcpy(&tags, bucket->tags, sizeof tags);
    return tags_match(tags, tag);
}

static inline unsigned match_slot(uint64_t match)
{
    return (unsigned)__builtin_ctzll(match) >> 3;
}

static inline uint64_t match_next(uint64_t match)
{
    return match & (match - 1);
}

/* The slots in use. */
static inline uint64_t bucket_used(const struct bucket *bucket)
{
    return bucket_match(bucket, 0) ^ UINT64_C(0x8080808080808080);
}

/* The 18 bits that a slot keeps; where the lowest 8 were 0, they are 1. */
static inline uint32_t slot_place(const struct bucket *bucket, unsigned slot)
{
    return (uint32_t)(bucket->rest >> (8 + 7 * slot) & 0x7f) << 11 |
           (uint32_t)(bucket->high[slot] >> 13) << 8 | bucket->tags[slot];
}

/* Works out the home, in a run of 'size' buckets, of the element in a slot; false when the
 * slot's 18 bits do not say it. */
static inline bool slot_tells_home(const struct bucket *bucket, unsigned slot, uint32_t size,
                                   uint32_t *home)
{
    uint64_t place = slot_place(bucket, slot);
    uint64_t first = (place - (bucket->tags[slot] == 1)) << 14; /* tag 1 stands for 0 too */
    uint64_t last = (place << 14) | 0x3fff;
    *home = (uint32_t)((first * size) >> 32);
    return __builtin_expect(*home == (uint32_t)((last * size) >> 32), 1);
}

/* The bucket behind 'at' among 'size', the first behind the last. */
static inline uint32_t bucket_after(uint32_t at, uint32_t size)
{
    return at + 1 == size ? 0 : at + 1;
}

/* Puts an element into a run that has an empty slot somewhere. */
static inline void buckets_put(struct bucket *buckets, uint32_t size, uint32_t home, uint32_t place,
                               const void *pointer)
{
    for (uint32_t at = home;; at = bucket_after(at, size)) {
        struct bucket *bucket = &buckets[at];
        uint64_t empty = bucket_match(bucket, 0);
        if (empty != 0) {
            unsigned slot = match_slot(empty);
            unsigned shift = 8 + 7 * slot;
            bucket->tags[slot] = place_tag(place);
            bucket->high[slot] = (uint16_t)((place >> 8 & 7) << 13);
            bucket->rest &= ~(UINT64_C(0x7f) << shift);
            bucket->rest |= (uint64_t)(place >> 11) << shift;
            bucket_point(bucket, slot, pointer);
            return;
        }
        if ((bucket->rest & 0xff) != BUCKET_OVERFLOW_STICKS) {
            bucket->rest++;
        }
    }
}

/* Empties a slot of 'bucket', whose element's home is 'home'. */
static inline void buckets_take(struct bucket *buckets, uint32_t size, uint32_t home,
                                struct bucket *bucket, unsigned slot)
{
    for (uint32_t at = home; &buckets[at] != bucket; at = bucket_after(at, size)) {
        struct bucket *passed = &buckets[at];
        if ((passed->rest & 0xff) != BUCKET_OVERFLOW_STICKS) {
            passed->rest--;
        }
    }
    bucket->tags[slot] = 0;
    bucket_point(bucket, slot, NULL);
}

/* The size after 'size' when a run grows: steps of about an eighth. */
static inline uint32_t buckets_next_size(uint32_t size)
{
    if (size < 16) {
        return size + 1;
    }
    unsigned log2 = 31 - (unsigned)__builtin_clz(size);
    return size + (UINT32_C(1) << (log2 - 3));
}

/* Names are short: compare them by words here rather than call memcmp(). */
static inline bool key_same(const char *a, const char *b, size_t len)
{
    uint64_t x = 0, y = 0;
    if (len >= 8) {
        for (size_t at = 0; at + 8 < len; at += 8) {
            memcpy(&x, a + at, 8);
            memcpy(&y, b + at, 8);
            if (x != y) {
                return false;
            }
        }
        memcpy(&x, a + len - 8, 8);
        memcpy(&y, b + len - 8, 8);
        return x == y;
    }
    for (size_t at = 0; at < len; at++) {
        if (a[at] != b[at]) {
            return false;
        }
    }
    return true;
}

#endif
