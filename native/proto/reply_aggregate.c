/* Arrays, maps, sets and pushes of a reply (see reply.h): in RESP a header with their
 * length, in plain lines nothing at all, unless they are empty. */
#include "proto/reply.h"
#include "proto/reply_room.h"

/* Puts a header of 'len' bytes before what was written since 'begin'. */
static void insert_header(struct reply *reply, struct reply_mark begin, const char *header,
                          size_t len)
{
    if (reply_room(reply, len) == NULL) {
        return;
    }
    char *at = reply->out.at + begin.len;
    memmove(at + len, at, reply->out.len - begin.len);
    memcpy(at, header, len);
    reply->out.len += len;
    for (uint32_t i = begin.parts; i < reply->part_count; i++) {
        reply->parts[i].offset += len;
    }
    if (reply->errors > begin.errors) {
        reply->last_error += len;
    }
}

/* Puts the header of an aggregate of 'count' elements before what was written since 'begin',
 * which for one whose length was known is nothing. */
static void put_header(struct reply *reply, struct reply_mark begin, char kind, size_t count)
{
    char header[REPLY_HEADER_ROOM];
    if (reply->dialect == DIALECT_RESP) {
        insert_header(reply, begin, header, reply_format_header(header, kind, (int64_t)count));
    } else if (count == 0) {
        reply_append(reply, LIT("(empty)\n"));
    }
}

/* The header of an aggregate whose elements follow. */
static void begin_aggregate(struct reply *reply, char kind, size_t count)
{
    if (reply->dialect != DIALECT_RESP) {
        put_header(reply, reply_mark(reply), kind, count);
        return;
    }
    char *at = reply_room(reply, REPLY_HEADER_ROOM);
    if (at != NULL) {
        reply->out.len += reply_format_header(at, kind, (int64_t)count);
    }
}

void reply_array(struct reply *reply, size_t count)
{
    begin_aggregate(reply, '*', count);
}

void reply_map(struct reply *reply, size_t pairs)
{
    if (reply->protocol >= 3) {
        begin_aggregate(reply, '%', pairs);
    } else {
        begin_aggregate(reply, '*', pairs * 2);
    }
}

void reply_set(struct reply *reply, size_t count)
{
    begin_aggregate(reply, reply->protocol >= 3 ? '~' : '*', count);
}

void reply_push(struct reply *reply, size_t count)
{
    begin_aggregate(reply, reply->protocol >= 3 ? '>' : '*', count);
}

struct reply_mark reply_begin_deferred(struct reply *reply)
{
    return reply_mark(reply);
}

void reply_end_array(struct reply *reply, struct reply_mark begin, size_t count)
{
    put_header(reply, begin, '*', count);
}

void reply_end_map(struct reply *reply, struct reply_mark begin, size_t pairs)
{
    if (reply->protocol >= 3) {
        put_header(reply, begin, '%', pairs);
    } else {
        put_header(reply, begin, '*', pairs * 2);
    }
}

void reply_end_set(struct reply *reply, struct reply_mark begin, size_t count)
{
    put_header(reply, begin, reply->protocol >= 3 ? '~' : '*', count);
}
