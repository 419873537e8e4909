/* HyperLogLog: how many different elements were added, within 0.81%, from 16384 registers.  The
 * value is a string of Redis's own layout, so that it moves between servers as it is:
 *
 *   "HYLL" | encoding 1 | unused 3 | cached count 8, little-endian | registers
 *
 * The highest bit of the count says that it is out of date.  Dense registers are 6 bits each,
 * the lowest bits of a byte first.  Sparse ones are runs:
 *
 *   00nnnnnn             n + 1 registers of 0
 *   01nnnnnn nnnnnnnn    n + 1 registers of 0, n of 14 bits
 *   1vvvvvnn             n + 1 registers of v + 1
 *
 * Changes are made to a copy (struct hll), which its caller stores. */
#ifndef STORE_HYPERLOGLOG_H
#define STORE_HYPERLOGLOG_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
    HLL_REGISTERS = 1 << 14,
    HLL_HEADER = 16,
    HLL_DENSE_SIZE = HLL_HEADER + HLL_REGISTERS * 6 / 8,
    HLL_RUN_LIMIT = 32, /* greater registers are dense ones */
};

/* A value being changed; 'own' is where it lives unless it is longer. */
struct hll {
    uint8_t *at;
    size_t len, room;
    uint64_t sparse_max; /* hll-sparse-max-bytes */
    uint8_t own[HLL_DENSE_SIZE + 16];
};

enum hll_change { HLL_SAME, HLL_CHANGED, HLL_CORRUPT, HLL_NO_MEMORY };

/* True when the bytes begin as a HyperLogLog does and have the length for it.  The functions
 * below are for such values. */
bool hll_is(struct bytes value);
bool hll_is_dense(struct bytes value);

/* Becomes a copy of 'value', or an empty one for a value of no bytes.  False when memory is
 * short; then there is nothing to release. */
MUST_CHECK bool hll_init(struct hll *hll, struct bytes value, uint64_t sparse_max);
void hll_release(struct hll *hll);
struct bytes hll_bytes(const struct hll *hll);

/* The register of an element, and what it is raised to at least. */
unsigned hll_place(struct bytes element, uint32_t *index);

/* Raises one register.  A sparse value becomes dense when it would be too long. */
enum hll_change hll_raise(struct hll *hll, uint32_t index, unsigned to);
/* HLL_CHANGED, HLL_SAME for one that is dense already, HLL_CORRUPT. */
enum hll_change hll_make_dense(struct hll *hll);
/* Marks the cached count as out of date. */
void hll_invalidate(struct hll *hll);

/* The cached count; false when it is out of date. */
bool hll_cached(struct bytes value, uint64_t *count);
void hll_write_cached(char *at, uint64_t count);

/* Estimates how many elements there are; false for a corrupt value. */
MUST_CHECK bool hll_count(struct bytes value, uint64_t *count);
uint64_t hll_count_registers(const uint8_t *registers);
/* Raises each of 16384 plain registers to what the value has; false for a corrupt value. */
MUST_CHECK bool hll_merge(uint8_t *registers, struct bytes value);

/* One run of a sparse value at '*at', which moves on; a register value of 0 for the empty ones.
 * False at the end, and for half a run there ('*at' is then before the end). */
struct hll_run {
    uint32_t len;
    unsigned value;
    unsigned size; /* bytes: 1, or 2 */
};
bool hll_next_run(struct bytes value, size_t *at, struct hll_run *run);

#endif
