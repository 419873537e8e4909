/* A connection to another server, of which this one is a client.  Its calls wait, each for as long
 * as its owner's patience lasts, so they are for threads that serve nobody meanwhile. */
#ifndef REPL_TARGET_H
#define REPL_TARGET_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/clock.h"

/* Whose patience it is. */
struct target_wait {
    const struct clock *clock;
    const _Atomic bool *stopping; /* no more of it */
    int64_t patience_ms;          /* for one call */
};

struct target {
    int fd;          /* -1: not connected */
    struct buf in;   /* what has come */
    size_t consumed; /* of it, and was read */
    int64_t db;      /* that it has selected; its owner's note */
};

/* Before the first use. */
void target_init(struct target *target);
enum target_outcome {
    TARGET_CONNECTED,
    TARGET_REFUSED,     /* nobody listens there */
    TARGET_NOT_REACHED, /* it is not known, or nothing comes from there in time */
};
/* Resolves 'host' (not within the patience: the system's resolver has its own) and connects to one
 * of its addresses. */
MUST_CHECK enum target_outcome target_connect(struct target *target, struct bytes host,
                                              struct bytes port, const struct target_wait *wait);
/* Of one that is connected, and fine when it is not. */
void target_close(struct target *target);

/* Whether it is connected still, as far as one can see, and nothing has come that nobody asked
 * for. */
bool target_is_idle(const struct target *target);

/* Sends all of 'bytes', of which each part has the whole patience.  False: it did not, and the
 * connection is of no use any more. */
MUST_CHECK bool target_send(struct target *target, struct bytes bytes,
                            const struct target_wait *wait);
/* The next line without its end, borrowed until the next call; as target_send(). */
MUST_CHECK bool target_read_line(struct target *target, struct bytes *line,
                                 const struct target_wait *wait);

#endif
