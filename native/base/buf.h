/* A growable run of bytes with one owner. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct buf {
    char *at;
    size_t len, cap;
};

/* Zero-initialised is empty and owns nothing. */
void buf_release(struct buf *buf);

/* Makes room for 'more' bytes after 'len', growing geometrically; false when memory is
 * short, and then nothing has changed. */
MUST_CHECK bool buf_reserve_slow(struct buf *buf, size_t more);
static inline MUST_CHECK bool buf_reserve(struct buf *buf, size_t more)
{
    return buf->cap - buf->len >= more || buf_reserve_slow(buf, more);
}

/* These abort when memory is short: for bounded sizes.  Client-sized data goes through
 * buf_reserve() first. */
void buf_append(struct buf *buf, struct bytes bytes);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first 'count' bytes. */
void buf_consume(struct buf *buf, size_t count);

/* Gives back memory beyond 'len' when it is more than 'slack' bytes. */
void buf_trim(struct buf *buf, size_t slack);

/* What is inside, borrowed until the buffer changes. */
static inline struct bytes buf_bytes(const struct buf *buf)
{
    return (struct bytes){ buf->at, buf->len };
}

#endif
