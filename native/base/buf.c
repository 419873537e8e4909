/* Growing and shrinking of buffers (see buf.h), on top of mem.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

enum { BUF_FIRST_CAP = 64 };

void buf_release(struct buf *buf)
{
    mem_free(buf->at);
    *buf = (struct buf){ 0 };
}

bool buf_reserve_slow(struct buf *buf, size_t more)
{
    if (more > SIZE_MAX / 2 - buf->len) {
        return false;
    }
    size_t needed = buf->len + more;
    size_t cap = buf->cap < SIZE_MAX / 4 ? buf->cap * 2 : needed;
    if (cap < needed) {
        cap = needed;
    }
    if (cap < BUF_FIRST_CAP) {
        cap = BUF_FIRST_CAP;
    }
    char *at = mem_try_realloc(buf->at, cap);
    if (at == NULL && cap > needed) {
        cap = needed; /* Doubling is too much; the bare need may still fit. */
        at = mem_try_realloc(buf->at, cap);
    }
    if (at == NULL) {
        return false;
    }
    buf->at = at;
    buf->cap = cap;
    return true;
}

static void reserve_or_abort(struct buf *buf, size_t more)
{
    if (!buf_reserve(buf, more)) {
        abort();
    }
}

void buf_append(struct buf *buf, struct bytes bytes)
{
    if (bytes.len == 0) {
        return;
    }
    reserve_or_abort(buf, bytes.len);
    memcpy(buf->at + buf->len, bytes.at, bytes.len);
    buf->len += bytes.len;
}

void buf_append_char(struct buf *buf, char c)
{
    reserve_or_abort(buf, 1);
    buf->at[buf->len++] = c;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(room > 0 ? buf->at + buf->len : NULL, room, format, args);
    if (len < 0) {
        abort(); /* Only a format that is wrong in itself comes here. */
    }
    if ((size_t)len >= room) {
        reserve_or_abort(buf, (size_t)len + 1); /* vsnprintf() ends with a NUL. */
        vsnprintf(buf->at + buf->len, (size_t)len + 1, format, again);
    }
    buf->len += (size_t)len;
    va_end(again);
    va_end(args);
}

void buf_consume(struct buf *buf, size_t count)
{
    if (count == 0) {
        return;
    }
    if (count < buf->len) {
        memmove(buf->at, buf->at + count, buf->len - count);
        buf->len -= count;
    } else {
        buf->len = 0;
    }
}

void buf_trim(struct buf *buf, size_t slack)
{
    if (buf->cap - buf->len <= slack) {
        return;
    }
    if (buf->len == 0) {
        buf_release(buf);
        return;
    }
    char *at = mem_try_realloc(buf->at, buf->len);
    if (at != NULL) {
        buf->at = at;
        buf->cap = buf->len;
    }
}
