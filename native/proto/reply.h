/* Replies, written once by handlers that know no dialect: RESP2, RESP3 or plain lines
 * come out, as the session speaks.
 *
 * A reply is appended to a buffer that the worker shares among its connections of one
 * step; values of some size are not copied but referred to (struct reply_part). */
#ifndef PROTO_REPLY_H
#define PROTO_REPLY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "proto/dialect.h"

struct blob;

/* 'value' is written between the bytes before 'offset' and those after.  Holds a reference. */
struct reply_part {
    size_t offset; /* in 'out' */
    struct blob *value;
    size_t from, len; /* the range of the value */
};

struct reply {
    struct buf out;
    struct reply_part *parts;
    uint32_t part_count, part_room;
    uint8_t protocol;  /* 2 or 3, of the session being served */
    uint8_t dialect;   /* enum dialect, of the command being served */
    bool failed;       /* memory was short: the connection must be closed */
    uint32_t errors;   /* error replies written so far */
    size_t last_error; /* offset in 'out' of the newest error line's '-' (or text); means
                                nothing once that error has been taken back */
    size_t referred;   /* bytes in parts, all together */
};

/* Values from this size on are referred to. */
enum { REPLY_REFER_MIN = 16 * 1024 };

/* Zero-initialised is empty.  Releases the references too. */
void reply_release(struct reply *reply);
/* Forgets everything written, keeping the memory up to a bound. */
void reply_clear(struct reply *reply);

/* A place in the reply, to go back to: everything after it is taken back. */
struct reply_mark {
    size_t len;
    uint32_t parts, errors;
};
struct reply_mark reply_mark(const struct reply *reply);
void reply_rewind(struct reply *reply, struct reply_mark mark);
/* Bytes written since, with what is referred to. */
size_t reply_since(const struct reply *reply, struct reply_mark mark);

/* Appends everything written to 'from', which is empty afterwards. */
void reply_take(struct reply *reply, struct reply *from);

void reply_simple(struct reply *reply, struct bytes text); /* +text */
void reply_error(struct reply *reply, struct bytes text);  /* -text; CR and LF become spaces */
/* As reply_error(), after CR and LF at the text's ends were cut off. */
void reply_errorf(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* err_text(err) with '{command}' replaced by 'command' (the full lower-case name).  Nothing
 * for OK and ERR_REPLIED. */
void reply_err(struct reply *reply, enum err err, const char *command);
void reply_integer_slow(struct reply *reply, int64_t value);    /* what the function below leaves */
void reply_bytes(struct reply *reply, struct bytes value);      /* $len value */
void reply_number_as_bytes(struct reply *reply, int64_t value); /* $len digits */
/* A range of a blob, by reference when it is long enough. */
void reply_blob(struct reply *reply, struct blob *value, size_t from, size_t len);
void reply_null_slow(struct reply *reply);            /* likewise */
void reply_null_array(struct reply *reply);           /* *-1, _, (nil) */
void reply_double(struct reply *reply, double value); /* bulk in RESP2, ',' in RESP3 */
/* A double that is formatted already. */
void reply_double_text(struct reply *reply, struct bytes text);
void reply_bool(struct reply *reply, bool value); /* :1 :0 in RESP2, #t #f in RESP3 */
void reply_big_number(struct reply *reply, struct bytes digits); /* bulk in RESP2, '(' in RESP3 */
void reply_verbatim(struct reply *reply, const char *format3, struct bytes text);
void reply_array(struct reply *reply, size_t count);
void reply_map(struct reply *reply, size_t pairs);  /* *2n in RESP2, %n in RESP3 */
void reply_set(struct reply *reply, size_t count);  /* *n in RESP2, ~n in RESP3 */
void reply_push(struct reply *reply, size_t count); /* *n in RESP2, >n in RESP3 */
/* A plain empty aggregate in RESP2 and RESP3 alike goes by the functions above with 0. */

/* Aggregates whose length is not known yet: begin, write the elements, then say how many.
 * Nested ones end innermost first. */
struct reply_mark reply_begin_deferred(struct reply *reply);
void reply_end_array(struct reply *reply, struct reply_mark begin, size_t count);
void reply_end_map(struct reply *reply, struct reply_mark begin, size_t pairs);
void reply_end_set(struct reply *reply, struct reply_mark begin, size_t count);

/* The commonest replies, inline.  They are written at once where so many bytes are free. */
enum { REPLY_SHORT_ROOM = 8 };

/* +OK */
static inline void reply_ok(struct reply *reply)
{
    if (__builtin_expect(reply->dialect != DIALECT_RESP ||
                             reply->out.cap - reply->out.len < REPLY_SHORT_ROOM,
                         0)) {
        reply_simple(reply, LIT("OK"));
        return;
    }
    memcpy(reply->out.at + reply->out.len, "+OK\r\n", 5);
    reply->out.len += 5;
}

/* $-1, _, (nil) */
static inline void reply_null(struct reply *reply)
{
    if (__builtin_expect(reply->dialect != DIALECT_RESP || reply->protocol >= 3 ||
                             reply->out.cap - reply->out.len < REPLY_SHORT_ROOM,
                         0)) {
        reply_null_slow(reply);
        return;
    }
    memcpy(reply->out.at + reply->out.len, "$-1\r\n", 5);
    reply->out.len += 5;
}

/* :value */
static inline void reply_integer(struct reply *reply, int64_t value)
{
    if (__builtin_expect((uint64_t)value > 9 || reply->dialect != DIALECT_RESP ||
                             reply->out.cap - reply->out.len < REPLY_SHORT_ROOM,
                         0)) {
        reply_integer_slow(reply, value);
        return;
    }
    char line[4] = { ':', (char)('0' + value), '\r', '\n' };
    memcpy(reply->out.at + reply->out.len, line, sizeof(line));
    reply->out.len += sizeof(line);
}

#endif
