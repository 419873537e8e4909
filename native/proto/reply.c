/* Single values of a reply (see reply.h), and its memory; reply_aggregate.c has arrays
 * and their kin.  Every value makes room once and then stores straight into the buffer. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "proto/reply.h"
#include "proto/reply_room.h"
#include "base/blob.h"

enum {
    KEPT_BYTES = 1024 * 1024, /* what reply_clear() leaves of 'out' */
    KEPT_PARTS = 256,         /* and of 'parts' */
    FIRST_PARTS = 8,
    SMALL_BULK = 100, /* shorter ones have their header in a table */
};

/* "$n\r\n" of every small n; the last byte is the header's length. */
#define ONE(d)    { '$', '0' + (d), '\r', '\n', 0, 0, 0, 4 }
#define TWO(t, d) { '$', '0' + (t), '0' + (d), '\r', '\n', 0, 0, 5 }
#define TEN(t)                                                                                     \
    TWO(t, 0), TWO(t, 1), TWO(t, 2), TWO(t, 3), TWO(t, 4), TWO(t, 5), TWO(t, 6), TWO(t, 7),        \
        TWO(t, 8), TWO(t, 9)
static const unsigned char bulk_headers[SMALL_BULK][8] = {
    ONE(0), ONE(1), ONE(2), ONE(3), ONE(4), ONE(5), ONE(6), ONE(7), ONE(8), ONE(9),
    TEN(1), TEN(2), TEN(3), TEN(4), TEN(5), TEN(6), TEN(7), TEN(8), TEN(9),
};
#undef ONE
#undef TWO
#undef TEN

/* Byte by byte for the linters; compilers make one store of it. */
static inline void put_line_end(char *at)
{
    at[0] = '\r';
    at[1] = '\n';
}

/* Gives back the references from part 'first' on. */
static void drop_parts(struct reply *reply, uint32_t first)
{
    while (reply->part_count > first) {
        struct reply_part *part = &reply->parts[--reply->part_count];
        reply->referred -= part->len;
        blob_unref(part->value);
    }
}

void reply_release(struct reply *reply)
{
    drop_parts(reply, 0);
    buf_release(&reply->out);
    mem_free(reply->parts);
    *reply = (struct reply){ 0 };
}

void reply_clear(struct reply *reply)
{
    drop_parts(reply, 0);
    reply->out.len = 0;
    buf_trim(&reply->out, KEPT_BYTES);
    if (reply->part_room > KEPT_PARTS) {
        mem_free(reply->parts);
        reply->parts = NULL;
        reply->part_room = 0;
    }
    reply->failed = false;
    reply->errors = 0;
    reply->last_error = 0;
}

struct reply_mark reply_mark(const struct reply *reply)
{
    return (struct reply_mark){ reply->out.len, reply->part_count, reply->errors };
}

void reply_rewind(struct reply *reply, struct reply_mark mark)
{
    drop_parts(reply, mark.parts);
    reply->out.len = mark.len;
    reply->errors = mark.errors;
}

size_t reply_since(const struct reply *reply, struct reply_mark mark)
{
    size_t sum = reply->out.len - mark.len;
    for (uint32_t i = mark.parts; i < reply->part_count; i++) {
        sum += reply->parts[i].len;
    }
    return sum;
}

void reply_append(struct reply *reply, struct bytes bytes)
{
    char *at = reply_room(reply, bytes.len);
    if (at != NULL && bytes.len > 0) {
        memcpy(at, bytes.at, bytes.len);
        reply->out.len += bytes.len;
    }
}

size_t reply_format_header(char *out, char kind, int64_t number)
{
    out[0] = kind;
    size_t len = 1 + num_format_i64(out + 1, number);
    put_line_end(out + len);
    return len + 2;
}

/* Copies bytes behind 'at' and returns the place behind them. */
static char *put(char *at, struct bytes bytes)
{
    if (bytes.len > 0) {
        memcpy(at, bytes.at, bytes.len);
    }
    return at + bytes.len;
}

/* Writes 'before', 'text' and a line end. */
static void put_line(struct reply *reply, struct bytes before, struct bytes text)
{
    char *start = reply_room(reply, before.len + text.len + 2);
    if (start == NULL) {
        return;
    }
    char *at = put(put(start, before), text);
    if (reply->dialect == DIALECT_RESP) {
        *at++ = '\r';
    }
    *at++ = '\n';
    reply->out.len += (size_t)(at - start);
}

/* A line with a sign before it in RESP and without one in plain lines. */
static void put_signed(struct reply *reply, struct bytes sign, struct bytes text)
{
    put_line(reply, reply->dialect == DIALECT_RESP ? sign : LIT(""), text);
}

void reply_simple(struct reply *reply, struct bytes text)
{
    put_signed(reply, LIT("+"), text);
}

void reply_error(struct reply *reply, struct bytes text)
{
    size_t start = reply->out.len;
    put_signed(reply, LIT("-"), text);
    if (reply->out.len == start) {
        return;
    }
    char *at = reply->out.at + reply->out.len - (reply->dialect == DIALECT_RESP ? 2 : 1) - text.len;
    for (size_t i = 0; i < text.len; i++) {
        if (at[i] == '\r' || at[i] == '\n') {
            at[i] = ' ';
        }
    }
    reply->last_error = start;
    reply->errors++;
}

/* The text without CR and LF at its ends. */
static struct bytes trim_line_ends(struct bytes text)
{
    while (text.len > 0 && (text.at[0] == '\r' || text.at[0] == '\n')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == '\r' || text.at[text.len - 1] == '\n')) {
        text.len--;
    }
    return text;
}

void reply_errorf(struct reply *reply, const char *format, ...)
{
    char small[512];
    char *text = small;
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof(small), format, args);
    if (len >= (int)sizeof(small)) {
        text = mem_try_alloc((size_t)len + 1);
        if (text != NULL) {
            len = vsnprintf(text, (size_t)len + 1, format, again);
        }
    }
    va_end(again);
    va_end(args);
    if (text == NULL || len < 0) {
        reply->failed = true;
    } else {
        reply_error(reply, trim_line_ends((struct bytes){ text, (size_t)len }));
    }
    if (text != small) {
        mem_free(text);
    }
}

void reply_err(struct reply *reply, enum err err, const char *command)
{
    if (err == OK || err == ERR_REPLIED) {
        return;
    }
    static const char word[] = "{command}";
    const char *text = err_text(err);
    const char *found = strstr(text, word);
    if (found == NULL) {
        reply_error(reply, bytes_of(text));
    } else {
        reply_errorf(reply, "%.*s%s%s", (int)(found - text), text, command,
                     found + sizeof(word) - 1);
    }
}

void reply_integer_slow(struct reply *reply, int64_t value)
{
    char *at = reply_room(reply, REPLY_HEADER_ROOM);
    if (at == NULL) {
        return;
    }
    if (reply->dialect == DIALECT_RESP) {
        reply->out.len += reply_format_header(at, ':', value);
        return;
    }
    size_t len = num_format_i64(at, value);
    at[len] = '\n';
    reply->out.len += len + 1;
}

/* reply_bytes() for long values, full buffers and plain lines. */
static __attribute__((noinline)) void put_bytes(struct reply *reply, struct bytes value)
{
    if (reply->dialect != DIALECT_RESP) {
        put_line(reply, LIT(""), value);
        return;
    }
    /* With room for a small one the next is not long for want of it. */
    size_t len = value.len < SMALL_BULK ? SMALL_BULK : value.len;
    char *start = len < SIZE_MAX / 2 ? reply_room(reply, REPLY_HEADER_ROOM + len + 2) : NULL;
    if (start == NULL) {
        reply->failed = true;
        return;
    }
    char *at = put(start + reply_format_header(start, '$', (int64_t)value.len), value);
    put_line_end(at);
    reply->out.len += (size_t)(at - start) + 2;
}

void reply_bytes(struct reply *reply, struct bytes value)
{
    if (__builtin_expect(value.len >= SMALL_BULK || reply->dialect != DIALECT_RESP ||
                             reply->out.cap - reply->out.len < SMALL_BULK + REPLY_HEADER_ROOM,
                         0)) {
        put_bytes(reply, value);
        return;
    }
    size_t used = reply->out.len;
    const unsigned char *header = bulk_headers[value.len];
    char *at = reply->out.at + used;
    reply->out.len = used + header[7] + value.len + 2;
    memcpy(at, header, sizeof(bulk_headers[0]));
    at += header[7];
    put_line_end(at + value.len);
    bytes_copy_few(at, value);
}

void reply_number_as_bytes(struct reply *reply, int64_t value)
{
    char digits[NUM_INT_ROOM];
    reply_bytes(reply, (struct bytes){ digits, num_format_i64(digits, value) });
}

/* Refers to a range of 'value' at the end of what is written so far. */
static bool add_part(struct reply *reply, struct blob *value, size_t from, size_t len)
{
    if (reply->part_count == reply->part_room) {
        size_t room = reply->part_room == 0 ? FIRST_PARTS : (size_t)reply->part_room * 2;
        struct reply_part *parts = NULL;
        if (room <= UINT32_MAX) {
            parts = mem_try_realloc(reply->parts, room * sizeof(*parts));
        }
        if (parts == NULL) {
            reply->failed = true;
            return false;
        }
        reply->parts = parts;
        reply->part_room = (uint32_t)room;
    }
    reply->parts[reply->part_count++] =
        (struct reply_part){ reply->out.len, blob_ref(value), from, len };
    reply->referred += len;
    return true;
}

void reply_blob(struct reply *reply, struct blob *value, size_t from, size_t len)
{
    if (len < REPLY_REFER_MIN) {
        reply_bytes(reply, (struct bytes){ blob_bytes(value).at + from, len });
        return;
    }
    char *at = reply_room(reply, REPLY_HEADER_ROOM + 2);
    if (at == NULL) {
        return;
    }
    size_t before = reply->out.len;
    if (reply->dialect == DIALECT_RESP) {
        reply->out.len += reply_format_header(at, '$', (int64_t)len);
    }
    if (!add_part(reply, value, from, len)) {
        reply->out.len = before;
        return;
    }
    reply_append(reply, reply->dialect == DIALECT_RESP ? LIT("\r\n") : LIT("\n"));
}

void reply_take(struct reply *reply, struct reply *from)
{
    size_t at = 0;
    for (uint32_t i = 0; i < from->part_count; i++) {
        const struct reply_part *part = &from->parts[i];
        reply_append(reply, (struct bytes){ from->out.at + at, part->offset - at });
        if (!add_part(reply, part->value, part->from, part->len)) {
            break; /* The reply has failed. */
        }
        at = part->offset;
    }
    if (from->out.len > at) {
        reply_append(reply, (struct bytes){ from->out.at + at, from->out.len - at });
    }
    reply->failed = reply->failed || from->failed;
    reply_release(from);
}

/* What stands for a missing value; 'resp2' with its line end. */
static void put_missing(struct reply *reply, struct bytes resp2)
{
    if (reply->dialect != DIALECT_RESP) {
        reply_append(reply, LIT("(nil)\n"));
    } else {
        reply_append(reply, reply->protocol >= 3 ? LIT("_\r\n") : resp2);
    }
}

void reply_null_slow(struct reply *reply)
{
    put_missing(reply, LIT("$-1\r\n"));
}

void reply_null_array(struct reply *reply)
{
    put_missing(reply, LIT("*-1\r\n"));
}

/* Text that RESP3 marks by a sign and RESP2 sends as a bulk. */
static void put_marked(struct reply *reply, struct bytes sign, struct bytes text)
{
    if (reply->dialect == DIALECT_RESP && reply->protocol < 3) {
        reply_bytes(reply, text);
    } else {
        put_signed(reply, sign, text);
    }
}

void reply_double(struct reply *reply, double value)
{
    char text[NUM_FLOAT_ROOM];
    size_t len = num_format_double(text, sizeof(text), value);
    put_marked(reply, LIT(","), (struct bytes){ text, len });
}

void reply_double_text(struct reply *reply, struct bytes text)
{
    put_marked(reply, LIT(","), text);
}

void reply_bool(struct reply *reply, bool value)
{
    if (reply->dialect == DIALECT_RESP && reply->protocol >= 3) {
        reply_append(reply, value ? LIT("#t\r\n") : LIT("#f\r\n"));
    } else {
        reply_integer(reply, value ? 1 : 0);
    }
}

void reply_big_number(struct reply *reply, struct bytes digits)
{
    put_marked(reply, LIT("("), digits);
}

void reply_verbatim(struct reply *reply, const char *format3, struct bytes text)
{
    enum { FORMAT_LEN = 4 }; /* three letters and a colon */
    if (reply->dialect != DIALECT_RESP || reply->protocol < 3) {
        reply_bytes(reply, text);
        return;
    }
    char *start = text.len < SIZE_MAX / 2
                      ? reply_room(reply, REPLY_HEADER_ROOM + FORMAT_LEN + text.len + 2)
                      : NULL;
    if (start == NULL) {
        reply->failed = true;
        return;
    }
    char *at = start + reply_format_header(start, '=', (int64_t)(text.len + FORMAT_LEN));
    memcpy(at, format3, FORMAT_LEN - 1);
    at[FORMAT_LEN - 1] = ':';
    at = put(at + FORMAT_LEN, text);
    put_line_end(at);
    reply->out.len += (size_t)(at - start) + 2;
}
