/* One element of a listpack in its encoded form; what listpack.c and the files that build
 * listpacks in memory of their own (list nodes) share.
 *
 *   head (encoding and length, or the whole integer) | the string's bytes | back length
 *
 * The back length is the size of the two parts before it, written so that it can be read
 * from its last byte. */
#ifndef STORE_LISTPACK_ELEMENT_H
#define STORE_LISTPACK_ELEMENT_H

#include "base/num.h"
#include "store/listpack.h"

enum {
    LISTPACK_HEADER = 6,       /* total bytes, 4; elements, 2; little endian */
    LISTPACK_UNKNOWN = 0xffff, /* elements that the header cannot count */
    LISTPACK_END = 0xff,
    LISTPACK_HEAD_MAX = 9,
};

struct listpack_element {
    unsigned char head[LISTPACK_HEAD_MAX];
    uint8_t head_len;
    uint8_t back_len;
    struct bytes text; /* what follows the head; empty for an integer */
    size_t size;       /* all together */
};

/* Little-endian numbers of two and four bytes, at any address. */
static inline uint32_t listpack_load32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline void listpack_store32(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
    at[2] = (unsigned char)(value >> 16);
    at[3] = (unsigned char)(value >> 24);
}

static inline uint32_t listpack_load16(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline void listpack_store16(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

/* The bytes of a back length; the format has the second bound one short of its room. */
static inline uint32_t listpack_back_size(size_t len)
{
    if (len <= 127) {
        return 1;
    }
    return len < 16383 ? 2 : len < 2097151 ? 3 : len < 268435455 ? 4 : 5;
}

/* Whether the text is the canonical form of an integer, which is then stored as one. */
static inline bool listpack_is_integer(struct bytes text, int64_t *value)
{
    if (text.len == 0 || text.len >= NUM_INT_ROOM) {
        return false;
    }
    unsigned char last = (unsigned char)text.at[text.len - 1];
    if ((unsigned)(last - '0') > 9) {
        return false;
    }
    return num_parse_i64(text, value);
}

/* Works out how 'text' is encoded; borrows it. */
void listpack_encode(struct listpack_element *element, struct bytes text);
void listpack_encode_integer(struct listpack_element *element, int64_t value);
/* Writes element->size bytes. */
void listpack_write(const struct listpack_element *element, unsigned char *out);

/* The size of the element at 'at', with its back length. */
uint32_t listpack_skip(const unsigned char *at);

#endif
