/* HyperLogLog: the value and its registers; see hyperloglog.h.  Counting is in
 * hyperloglog_count.c. */
#include "store/hyperloglog.h"

#include "base/mem.h"

enum {
    ENCODING_AT = 4,
    CACHE_AT = 8,
    CACHE_SIZE = 8,
    OUT_OF_DATE = 0x80, /* of the count's last byte */
    DENSE = 0,
    SPARSE = 1,
    ZERO_MAX = 64,
    RUN_MAX = 4,
    INDEX_BITS = 14,
    SPLIT_MAX = 5,  /* bytes of one run split into three */
    MERGE_SCAN = 5, /* runs that are looked at after a change */
};

/* Redis's. */
static const uint64_t hash_seed = 0xadc83b19;

bool hll_is(struct bytes value)
{
    if (value.len < HLL_HEADER || memcmp(value.at, "HYLL", ENCODING_AT) != 0) {
        return false;
    }
    uint8_t encoding = (uint8_t)value.at[ENCODING_AT];
    return encoding == SPARSE || (encoding == DENSE && value.len == HLL_DENSE_SIZE);
}

bool hll_is_dense(struct bytes value)
{
    return value.at[ENCODING_AT] == DENSE;
}

bool hll_init(struct hll *hll, struct bytes value, uint64_t sparse_max)
{
    /* Of zeros: the header, and one run. */
    static const uint8_t empty[] = { 'H', 'Y', 'L', 'L', SPARSE, 0, 0, 0,    0,
                                     0,   0,   0,   0,   0,      0, 0, 0x7f, 0xff };
    if (value.len == 0) {
        value = (struct bytes){ (const char *)empty, sizeof empty };
    }
    hll->at = hll->own;
    hll->room = sizeof hll->own;
    hll->sparse_max = sparse_max;
    if (value.len + SPLIT_MAX > hll->room) {
        hll->room = value.len + value.len / 2 + SPLIT_MAX;
        hll->at = mem_try_alloc(hll->room);
        if (hll->at == NULL) {
            return false;
        }
    }
    memcpy(hll->at, value.at, value.len);
    hll->len = value.len;
    return true;
}

void hll_release(struct hll *hll)
{
    if (hll->at != hll->own) {
        mem_free(hll->at);
    }
}

struct bytes hll_bytes(const struct hll *hll)
{
    return (struct bytes){ (const char *)hll->at, hll->len };
}

/* ---- The cached count --------------------------------------------------------------------- */

void hll_invalidate(struct hll *hll)
{
    hll->at[CACHE_AT + CACHE_SIZE - 1] |= OUT_OF_DATE;
}

bool hll_cached(struct bytes value, uint64_t *count)
{
    uint64_t cached = 0;
    for (unsigned i = 0; i < CACHE_SIZE; i++) {
        cached |= (uint64_t)(uint8_t)value.at[CACHE_AT + i] << (8 * i);
    }
    *count = cached;
    return ((uint8_t)value.at[CACHE_AT + CACHE_SIZE - 1] & OUT_OF_DATE) == 0;
}

void hll_write_cached(char *at, uint64_t count)
{
    for (unsigned i = 0; i < CACHE_SIZE; i++) {
        at[CACHE_AT + i] = (char)(count >> (8 * i));
    }
}

/* ---- Elements ------------------------------------------------------------------------------ */

/* MurmurHash64A (Appleby), little-endian: every server must place an element alike. */
static uint64_t murmur(struct bytes bytes, uint64_t seed)
{
    const uint64_t multiplier = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t hash = seed ^ (bytes.len * multiplier);
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.at + at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        word *= multiplier;
        word ^= word >> 47;
        word *= multiplier;
        hash ^= word;
        hash *= multiplier;
    }
    if (at < bytes.len) {
        for (size_t i = at; i < bytes.len; i++) {
            hash ^= (uint64_t)(uint8_t)bytes.at[i] << (8 * (i - at));
        }
        hash *= multiplier;
    }
    hash ^= hash >> 47;
    hash *= multiplier;
    return hash ^ (hash >> 47);
}

unsigned hll_place(struct bytes element, uint32_t *index)
{
    uint64_t hash = murmur(element, hash_seed);
    *index = hash & (HLL_REGISTERS - 1);
    hash = (hash >> INDEX_BITS) | (UINT64_C(1) << (64 - INDEX_BITS));
    return (unsigned)__builtin_ctzll(hash) + 1;
}

/* ---- Dense registers ------------------------------------------------------------------------ */

/* Six bits are in one byte or in two; the last register ends with the last byte. */
static enum hll_change raise_dense(uint8_t *registers, uint32_t index, unsigned to)
{
    uint8_t *at = registers + index * 6 / 8;
    unsigned shift = index * 6 % 8;
    unsigned pair = at[0] | (shift > 2 ? (unsigned)at[1] << 8 : 0);
    if (((pair >> shift) & 63) >= to) {
        return HLL_SAME;
    }
    pair = (pair & ~(63u << shift)) | (to << shift);
    at[0] = (uint8_t)pair;
    if (shift > 2) {
        at[1] = (uint8_t)(pair >> 8);
    }
    return HLL_CHANGED;
}

enum hll_change hll_make_dense(struct hll *hll)
{
    if (hll_is_dense(hll_bytes(hll))) {
        return HLL_SAME;
    }
    uint8_t dense[HLL_DENSE_SIZE] = { 0 };
    memcpy(dense, hll->at, HLL_HEADER);
    dense[ENCODING_AT] = DENSE;
    uint32_t index = 0;
    size_t at = HLL_HEADER;
    struct hll_run run;
    while (hll_next_run(hll_bytes(hll), &at, &run)) {
        if (run.len > HLL_REGISTERS - index) {
            return HLL_CORRUPT;
        }
        for (uint32_t i = 0; run.value > 0 && i < run.len; i++) {
            raise_dense(dense + HLL_HEADER, index + i, run.value);
        }
        index += run.len;
    }
    if (index != HLL_REGISTERS || at != hll->len) {
        return HLL_CORRUPT;
    }
    memcpy(hll->at, dense, sizeof dense); /* There is always so much room. */
    hll->len = sizeof dense;
    return HLL_CHANGED;
}

/* ---- Sparse registers ------------------------------------------------------------------------ */

bool hll_next_run(struct bytes value, size_t *at, struct hll_run *run)
{
    if (*at >= value.len) {
        return false;
    }
    unsigned byte = (uint8_t)value.at[*at];
    *run = (struct hll_run){ .len = (byte & 63) + 1, .size = 1 };
    if ((byte & 0x80) != 0) {
        run->value = ((byte >> 2) & 31) + 1;
        run->len = (byte & 3) + 1;
    } else if ((byte & 0x40) != 0) {
        if (*at + 1 >= value.len) {
            return false;
        }
        run->size = 2;
        run->len = (((byte & 63) << 8) | (uint8_t)value.at[*at + 1]) + 1;
    }
    *at += run->size;
    return true;
}

/* Writes runs of 'len' registers, none for 0; the byte after them. */
static uint8_t *write_run(uint8_t *out, uint32_t len, unsigned value)
{
    if (len == 0) {
        return out;
    }
    if (value > 0) {
        *out++ = (uint8_t)(0x80 | (value - 1) << 2 | (len - 1));
    } else if (len <= ZERO_MAX) {
        *out++ = (uint8_t)(len - 1);
    } else {
        *out++ = (uint8_t)(0x40 | (len - 1) >> 8);
        *out++ = (uint8_t)(len - 1);
    }
    return out;
}

/* Joins neighbours of one value that fit one run, among the few runs from 'at' on.  Redis
 * looks just as far, and so gets the same bytes. */
static void join_runs(struct hll *hll, size_t at)
{
    for (int left = MERGE_SCAN; left > 0 && at < hll->len; left--) {
        unsigned byte = hll->at[at];
        if ((byte & 0x80) == 0) {
            at += (byte & 0x40) != 0 ? 2 : 1;
            continue;
        }
        unsigned next = at + 1 < hll->len ? hll->at[at + 1] : 0;
        unsigned len = (byte & 3) + 1 + (next & 3) + 1;
        if ((byte & ~3u) == (next & ~3u) && len <= RUN_MAX) {
            hll->at[at] = (uint8_t)((byte & ~3u) | (len - 1));
            memmove(hll->at + at + 1, hll->at + at + 2, hll->len - at - 2);
            hll->len--;
        } else {
            at++;
        }
    }
}

static enum hll_change raise_as_dense(struct hll *hll, uint32_t index, unsigned to)
{
    if (hll_make_dense(hll) == HLL_CORRUPT) {
        return HLL_CORRUPT;
    }
    return raise_dense(hll->at + HLL_HEADER, index, to);
}

/* Makes sure that 'more' bytes fit. */
static bool reserve(struct hll *hll, size_t more)
{
    if (hll->len + more <= hll->room) {
        return true;
    }
    size_t room = (hll->len + more) * 2;
    uint8_t *at = hll->at == hll->own ? mem_try_alloc(room) : mem_try_realloc(hll->at, room);
    if (at == NULL) {
        return false;
    }
    if (hll->at == hll->own) {
        memcpy(at, hll->own, hll->len);
    }
    hll->at = at;
    hll->room = room;
    return true;
}

/* Puts 'len' bytes of runs in the place of the run at 'at'. */
static enum hll_change replace_run(struct hll *hll, size_t at, unsigned size, const uint8_t *runs,
                                   size_t len)
{
    if (!reserve(hll, SPLIT_MAX)) {
        return HLL_NO_MEMORY;
    }
    memmove(hll->at + at + len, hll->at + at + size, hll->len - at - size);
    memcpy(hll->at + at, runs, len);
    hll->len = hll->len + len - size;
    return HLL_CHANGED;
}

static enum hll_change raise_sparse(struct hll *hll, uint32_t index, unsigned to)
{
    size_t before = HLL_HEADER, at = HLL_HEADER, next = HLL_HEADER;
    uint32_t first = 0;
    struct hll_run run = { 0 };
    if (to > HLL_RUN_LIMIT) {
        return raise_as_dense(hll, index, to);
    }
    for (;;) {
        if (!hll_next_run(hll_bytes(hll), &next, &run)) {
            return HLL_CORRUPT;
        }
        if (index < first + run.len) {
            break;
        }
        before = at;
        at = next;
        first += run.len;
    }
    if (run.value >= to) {
        return HLL_SAME;
    }
    uint8_t runs[SPLIT_MAX], *end = runs;
    end = write_run(end, index - first, run.value);
    end = write_run(end, 1, to);
    end = write_run(end, first + run.len - 1 - index, run.value);
    size_t len = (size_t)(end - runs);
    if (len > run.size && hll->len + len - run.size > hll->sparse_max) {
        return raise_as_dense(hll, index, to);
    }
    enum hll_change change = replace_run(hll, at, run.size, runs, len);
    if (change == HLL_CHANGED) {
        join_runs(hll, before);
        hll_invalidate(hll);
    }
    return change;
}

enum hll_change hll_raise(struct hll *hll, uint32_t index, unsigned to)
{
    return hll_is_dense(hll_bytes(hll)) ? raise_dense(hll->at + HLL_HEADER, index, to)
                                        : raise_sparse(hll, index, to);
}
