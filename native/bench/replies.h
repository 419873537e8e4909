/* Counts replies in a stream of RESP2 or RESP3, however the network cuts it, without
 * keeping them. */
#ifndef BENCH_REPLIES_H
#define BENCH_REPLIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { REPLY_LINE_ROOM = 160 };

/* Zero-initialised stands at the start of a reply. */
struct replies {
    uint64_t values_left;       /* of the reply at hand; 0 between replies */
    uint64_t skip;              /* bytes of a bulk string that are still to come, with its end */
    bool inside;                /* the reply's first value has been seen */
    char kind;                  /* of the first value */
    int64_t number;             /* its length or count */
    char line[REPLY_LINE_ROOM]; /* the beginning of a line that is not whole, or an error */
    size_t line_len;
};

enum replies_status { REPLIES_MORE, REPLIES_ONE, REPLIES_BROKEN };

/* Reads on in 'in', which shrinks from its start.  REPLIES_ONE: a reply is complete; 'kind'
 * is its first byte and 'number' its length or count, -1 for null; of an error the first
 * 'number' bytes of 'line' are the text, until the next call.  REPLIES_MORE: all of 'in' has
 * been read. */
enum replies_status replies_next(struct replies *replies, struct bytes *in);

#endif
