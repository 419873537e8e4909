/* What travels through the job queues: the only way from thread to thread. */
#ifndef NET_JOB_H
#define NET_JOB_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

enum job_kind {
    JOB_ADOPT, /* serve this socket from now on */
};

/* Where a client comes from, small: it is kept for as long as it is connected. */
struct peer {
    uint8_t family; /* AF_INET, AF_INET6, AF_UNIX */
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* 4 or 16 bytes of it */
};

struct job {
    enum job_kind kind;
    int fd; /* JOB_ADOPT: the receiver owns it now */
    struct peer peer;
};

/* From an address that accept() gave. */
struct peer peer_of(const struct sockaddr *address);
/* "127.0.0.1:50000", "[::1]:50000", "unix:0"; returns the length, below 'room'. */
size_t peer_text(const struct peer *peer, char *out, size_t room);

#endif
