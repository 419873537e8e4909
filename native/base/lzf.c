/* LZF; see lzf.h. */
#include "base/lzf.h"

enum {
    LITERALS_MAX = 32,
    MATCH_MIN = 3,
    MATCH_SHORT_MAX = 8, /* of the two-byte form */
    MATCH_MAX = 264,
    OFFSET_MAX = 1 << 13,
    SLOT_BITS_MAX = 12,
    SLOT_BITS_MIN = 6,
};

/* ---- Compressing ------------------------------------------------------------------------------ */

/* Where three bytes were seen last, by their hash: 1 + offset in the input, 0 for never. */
struct table {
    unsigned bits;
    uint32_t slots[1 << SLOT_BITS_MAX];
};

/* As many slots as the input may need: a short one is done before a large table is cleared. */
static void table_init(struct table *table, size_t len)
{
    table->bits = SLOT_BITS_MIN;
    while (table->bits < SLOT_BITS_MAX && (size_t)1 << table->bits < len) {
        table->bits++;
    }
    memset(table->slots, 0, sizeof table->slots[0] << table->bits);
}

static uint32_t *table_slot(struct table *table, const unsigned char *at)
{
    uint32_t word = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
    return &table->slots[(word * UINT32_C(2654435761)) >> (32 - table->bits)];
}

/* The output; 'full' once something had no room. */
struct output {
    unsigned char *at;
    size_t len, room;
    bool full;
};

static void put_literals(struct output *out, const unsigned char *from, size_t count)
{
    while (count > 0 && !out->full) {
        size_t run = count < LITERALS_MAX ? count : LITERALS_MAX;
        if (run + 1 > out->room - out->len) {
            out->full = true;
            return;
        }
        out->at[out->len++] = (unsigned char)(run - 1);
        memcpy(out->at + out->len, from, run);
        out->len += run;
        from += run;
        count -= run;
    }
}

static void put_match(struct output *out, size_t offset, size_t len)
{
    size_t size = len <= MATCH_SHORT_MAX ? 2 : 3, far = offset - 1;
    if (size > out->room - out->len) {
        out->full = true;
        return;
    }
    unsigned char *at = out->at + out->len;
    if (size == 2) {
        at[0] = (unsigned char)((len - 2) << 5 | far >> 8);
        at[1] = (unsigned char)far;
    } else {
        at[0] = (unsigned char)(7 << 5 | far >> 8);
        at[1] = (unsigned char)(len - 9);
        at[2] = (unsigned char)far;
    }
    out->len += size;
}

static size_t match_len(const unsigned char *before, const unsigned char *here, size_t most)
{
    size_t len = 0;
    while (len < most && before[len] == here[len]) {
        len++;
    }
    return len;
}

size_t lzf_compress(struct bytes in, char *out_at, size_t room)
{
    const unsigned char *from = (const unsigned char *)in.at;
    struct output out = { (unsigned char *)out_at, 0, room, false };
    struct table table;
    size_t at = 0, literals = 0; /* from the latter on to the former they are not yet written */
    if (in.len >= UINT32_MAX) {
        return 0;
    }
    table_init(&table, in.len);
    while (at + MATCH_MIN <= in.len && !out.full) {
        uint32_t *slot = table_slot(&table, from + at);
        size_t before = *slot;
        *slot = (uint32_t)at + 1;
        size_t offset = before > 0 ? at + 1 - before : 0, len = 0;
        if (offset > 0 && offset <= OFFSET_MAX) {
            size_t most = in.len - at < MATCH_MAX ? in.len - at : MATCH_MAX;
            len = match_len(from + before - 1, from + at, most);
        }
        if (len < MATCH_MIN) {
            at++;
            continue;
        }
        put_literals(&out, from + literals, at - literals);
        put_match(&out, offset, len);
        /* What ends the match is likely to be met again. */
        size_t end = at + len;
        for (at = end - 2; at < end && at + MATCH_MIN <= in.len; at++) {
            *table_slot(&table, from + at) = (uint32_t)at + 1;
        }
        at = literals = end;
    }
    put_literals(&out, from + literals, in.len - literals);
    return out.full ? 0 : out.len;
}

/* ---- Decompressing ---------------------------------------------------------------------------- */

/* Copies a match, which may reach into what it writes. */
static void copy_match(unsigned char *to, size_t offset, size_t len)
{
    const unsigned char *from = to - offset;
    if (offset >= len) {
        memcpy(to, from, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i];
    }
}

bool lzf_decompress(struct bytes in, char *out_at, size_t len)
{
    const unsigned char *from = (const unsigned char *)in.at;
    unsigned char *out = (unsigned char *)out_at;
    size_t at = 0, done = 0;
    while (at < in.len) {
        size_t head = from[at++], count = head >> 5;
        if (count == 0) {
            count = head + 1;
            if (count > in.len - at || count > len - done) {
                return false;
            }
            memcpy(out + done, from + at, count);
            at += count;
            done += count;
            continue;
        }
        if (in.len - at < (count == 7 ? 2u : 1u)) {
            return false;
        }
        count += count == 7 ? from[at++] + 2u : 2u;
        size_t offset = ((head & 0x1f) << 8 | from[at++]) + 1;
        if (offset > done || count > len - done) {
            return false;
        }
        copy_match(out + done, offset, count);
        done += count;
    }
    return done == len;
}
