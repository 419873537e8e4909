/* One connection of the load generator: what it has sent, and the replies it waits for.
 * A lane (lane.h) owns it and decides when it sends. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "base/buf.h"
#include "bench/replies.h"

struct sockaddr;

/* A command on its way. */
struct sent {
    int64_t since_ns; /* when it was sent, or should have been */
    uint32_t template;
};

struct link {
    int fd;       /* -1: not open */
    bool blocked; /* the socket took no more */
    struct buf out;
    size_t out_sent; /* bytes of 'out' that the socket has */
    struct replies replies;
    struct sent *ring; /* 'ring_room' commands in order, 'waiting' of them from 'first' on */
    uint32_t ring_room, first, waiting;
};

enum link_status { LINK_OK, LINK_BLOCKED, LINK_LOST };

/* Connects, and authenticates unless 'password' is NULL; waits at most 'patience_ms' for
 * each.  Returns 0, an errno value, or -1 with the server's refusal in 'text'. */
MUST_CHECK int link_open(struct link *link, const struct sockaddr *address, unsigned address_len,
                         const char *password, uint32_t ring_room, int patience_ms, char *text,
                         size_t room);
/* Zero-initialised with fd -1 is fine. */
void link_close(struct link *link);

/* Notes that a command was appended to 'out'. */
void link_push(struct link *link, int64_t since_ns, uint32_t template);
/* The oldest command without a reply. */
struct sent link_pop(struct link *link);

/* Sends what is in 'out'; adds to '*bytes'. */
enum link_status link_flush(struct link *link, uint64_t *bytes);

#endif
