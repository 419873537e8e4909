/* Strings of bits; see bits.h. */
#include "base/bits.h"

static uint64_t load_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Such that the first bit is the highest. */
static uint64_t load_ordered(const char *at)
{
    uint64_t word = load_word(at);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

uint64_t bits_count(struct bytes bytes)
{
    uint64_t sums[4] = { 0 };
    size_t at = 0;
    /* Four sums, so that no addition waits for the one before. */
    for (; at + 32 <= bytes.len; at += 32) {
        for (size_t i = 0; i < 4; i++) {
            sums[i] += (uint64_t)__builtin_popcountll(load_word(bytes.at + at + i * 8));
        }
    }
    for (; at + 8 <= bytes.len; at += 8) {
        sums[0] += (uint64_t)__builtin_popcountll(load_word(bytes.at + at));
    }
    for (; at < bytes.len; at++) {
        sums[1] += (uint64_t)__builtin_popcount((unsigned char)bytes.at[at]);
    }
    return sums[0] + sums[1] + sums[2] + sums[3];
}

/* The place of the first one among 8 bits, the highest being 0; 8 when there is none. */
static unsigned first_of_byte(unsigned byte)
{
    return byte == 0 ? 8 : (unsigned)__builtin_clz(byte) - 24;
}

int64_t bits_find(struct bytes bytes, bool bit, uint64_t from, uint64_t to)
{
    /* What is looked for is a one, after these are turned over. */
    unsigned turned = bit ? 0 : 0xff;
    uint64_t turned_word = bit ? 0 : UINT64_MAX;
    size_t at = from / 8, last = to / 8;
    unsigned byte = ((unsigned char)bytes.at[at] ^ turned) & (0xffu >> (from % 8));
    while (byte == 0 && at < last) {
        at++;
        while (at + 8 <= last && load_word(bytes.at + at) == turned_word) {
            at += 8;
        }
        byte = (unsigned char)bytes.at[at] ^ turned;
    }
    uint64_t found = (uint64_t)at * 8 + first_of_byte(byte);
    return byte != 0 && found <= to ? (int64_t)found : -1;
}

/* ---- Combining ------------------------------------------------------------------------ */

enum { BLOCK = 4096 };

static void and_in(char *restrict out, const char *restrict in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(out[i] & in[i]);
    }
}

static void or_in(char *restrict out, const char *restrict in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(out[i] | in[i]);
    }
}

static void xor_in(char *restrict out, const char *restrict in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(out[i] ^ in[i]);
    }
}

static void take_out(char *restrict out, const char *restrict in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(out[i] & ~in[i]);
    }
}

static void turn(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)~out[i];
    }
}

/* Adds to 'out', and notes in 'many' what was there before. */
static void or_in_noting(char *restrict out, char *restrict many, const char *restrict in,
                         size_t len)
{
    for (size_t i = 0; i < len; i++) {
        many[i] = (char)(many[i] | (out[i] & in[i]));
        out[i] = (char)(out[i] | in[i]);
    }
}

static struct bytes part(struct bytes whole, size_t from, size_t len)
{
    size_t left = whole.len > from ? whole.len - from : 0;
    return (struct bytes){ left > 0 ? whole.at + from : NULL, left < len ? left : len };
}

/* 'out' becomes the part of a source, with zeros behind it. */
static void begin_block(char *out, size_t len, struct bytes in)
{
    if (in.len > 0) {
        memcpy(out, in.at, in.len);
    }
    memset(out + in.len, 0, len - in.len);
}

static void and_block(char *out, size_t len, struct bytes in)
{
    and_in(out, in.at, in.len);
    memset(out + in.len, 0, len - in.len);
}

static void add_source(enum bits_operation operation, char *out, char *many, size_t len,
                       struct bytes in)
{
    switch (operation) {
    case BITS_AND:
        and_block(out, len, in);
        break;
    case BITS_OR:
    case BITS_DIFF1:
    case BITS_ANDOR:
        or_in(out, in.at, in.len);
        break;
    case BITS_XOR:
        xor_in(out, in.at, in.len);
        break;
    case BITS_DIFF:
        take_out(out, in.at, in.len);
        break;
    case BITS_ONE:
        or_in_noting(out, many, in.at, in.len);
        break;
    case BITS_NOT:
        break;
    }
}

/* What is done when all sources are in; 'x' is the first one's part. */
static void end_block(enum bits_operation operation, char *out, const char *many, size_t len,
                      struct bytes x)
{
    switch (operation) {
    case BITS_NOT:
        turn(out, len);
        break;
    case BITS_DIFF1:
        take_out(out, x.at, x.len);
        break;
    case BITS_ANDOR:
        and_block(out, len, x);
        break;
    case BITS_ONE:
        take_out(out, many, len);
        break;
    case BITS_AND:
    case BITS_OR:
    case BITS_XOR:
    case BITS_DIFF:
        break;
    }
}

void bits_combine(enum bits_operation operation, char *out, size_t len, const struct bytes *sources,
                  uint32_t count)
{
    char many[BLOCK];
    bool x_comes_last = operation == BITS_DIFF1 || operation == BITS_ANDOR;
    for (size_t from = 0; from < len; from += BLOCK) {
        size_t size = len - from < BLOCK ? len - from : BLOCK;
        struct bytes x = part(sources[0], from, size);
        begin_block(out + from, size, x_comes_last ? LIT("") : x);
        if (operation == BITS_ONE) {
            memset(many, 0, size);
        }
        for (uint32_t i = 1; i < count; i++) {
            add_source(operation, out + from, many, size, part(sources[i], from, size));
        }
        end_block(operation, out + from, many, size, x);
    }
}

/* ---- Integers ---------------------------------------------------------------------------- */

/* 64 bits from any bit on take part of nine bytes. */
enum { SPAN = 9 };

uint64_t bits_read(struct bytes bytes, uint64_t offset, unsigned width)
{
    char span[SPAN] = { 0 };
    struct bytes in = part(bytes, (size_t)(offset / 8), SPAN);
    if (in.len > 0) {
        memcpy(span, in.at, in.len);
    }
    unsigned skip = offset % 8;
    uint64_t word = load_ordered(span) << skip;
    if (skip > 0) {
        word |= (uint64_t)((unsigned char)span[8] >> (8 - skip));
    }
    return word >> (64 - width);
}

void bits_write(char *at, uint64_t offset, unsigned width, uint64_t value)
{
    at += offset / 8;
    unsigned skip = offset % 8;
    while (width > 0) {
        unsigned taken = 8 - skip < width ? 8 - skip : width;
        unsigned mask = (0xffu >> skip) & (0xffu << (8 - skip - taken));
        unsigned bits = (unsigned)(value >> (width - taken)) << (8 - skip - taken);
        *at = (char)(((unsigned char)*at & ~mask) | (bits & mask));
        width -= taken;
        skip = 0;
        at++;
    }
}
