/* How reply.c and reply_aggregate.c append to a reply; nobody else includes this. */
#ifndef PROTO_REPLY_ROOM_H
#define PROTO_REPLY_ROOM_H

#include "proto/reply.h"

/* Room for a header: a kind, digits, CRLF. */
enum { REPLY_HEADER_ROOM = 24 };

/* The place for 'more' bytes, or NULL when memory is short, which fails the reply.  What is
 * really written is added to 'out.len' by the caller. */
static inline char *reply_room(struct reply *reply, size_t more)
{
    if (__builtin_expect(!buf_reserve(&reply->out, more), 0)) {
        reply->failed = true;
        return NULL;
    }
    return reply->out.at + reply->out.len;
}

/* Appends 'bytes' as they are. */
void reply_append(struct reply *reply, struct bytes bytes);

/* Writes the kind, the number and CRLF: at most REPLY_HEADER_ROOM bytes.  Returns how many. */
size_t reply_format_header(char *out, char kind, int64_t number);

#endif
