/* Bytes on their way out: a range of a reply as a list of pieces for one sendmsg(), and
 * what a slow reader has not taken yet. */
#ifndef NET_OUTPUT_H
#define NET_OUTPUT_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/err.h"
#include "proto/reply.h"

/* A range of a reply, from one mark to another, partly sent. */
struct output_range {
    size_t at, end;          /* in reply->out */
    uint32_t part, part_end; /* in reply->parts */
    size_t part_sent;        /* of the part that comes next */
};

/* All between two marks of a reply, nothing of it sent; whether all is sent; bytes to send yet. */
struct output_range output_range(struct reply_mark from, struct reply_mark to);
static inline bool output_done(const struct output_range *range)
{
    return range->at == range->end && range->part == range->part_end;
}
size_t output_left(const struct reply *reply, const struct output_range *range);

enum output_result { OUTPUT_SENT, OUTPUT_BLOCKED, OUTPUT_FAILED };

/* Sends as much as the socket takes; '*range' moves on, '*sent' grows.  OUTPUT_FAILED leaves
 * errno.  A failed send never raises SIGPIPE. */
enum output_result output_send(int fd, const struct reply *reply, struct output_range *range,
                               uint64_t *sent);

/* What could not be sent yet: bytes of its own, and the references. */
struct outbox {
    struct reply kept;
    struct output_range left;
    size_t unsent;              /* bytes in 'left', those of values that are referred to too */
    int64_t over_soft_since_ms; /* when the soft limit was first passed; 0: it is not */
};

/* Adds what is left of a range.  False when memory is short. */
MUST_CHECK bool outbox_add(struct outbox **outbox, const struct reply *reply,
                           const struct output_range *range);
void outbox_destroy(struct outbox *outbox);
/* Sends as much as the socket takes, as output_send() does. */
enum output_result outbox_send(int fd, struct outbox *outbox, uint64_t *sent);
/* Memory of its own for what is unsent (a value that is only referred to is not its own). */
size_t outbox_memory(const struct outbox *outbox);
/* All memory that it holds, values of others included: they may be kept by nobody else. */
size_t outbox_held(const struct outbox *outbox);
/* Unsent bytes, those that are only referred to included: a reader who is behind by many of
 * them may be all that keeps replaced values alive. */
size_t outbox_left(const struct outbox *outbox);

#endif
