/* Listening sockets: socket(), SO_REUSEADDR, bind(), listen().  A failure here ends the
 * start of the server, with the name of the call and the system's text. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "rln.h"

enum { LISTENERS_MAX = 17 }; /* 16 addresses, as Redis has it, and a Unix socket */

struct listener {
    int fd;
    char name[128]; /* the address as it was given, or the path */
    int port;       /* as the system gave it; 0 for a Unix socket */
    bool is_unix;
};

struct listeners {
    struct listener at[LISTENERS_MAX];
    unsigned count;
};

/* Binds 'address' ("127.0.0.1", "::1", "*" for all IPv4, "::*" for all IPv6; a leading '-' makes
 * an address that this machine does not have no failure).  Port 0 takes any free one.  False
 * with '*error' filled. */
MUST_CHECK bool listeners_add_tcp(struct listeners *listeners, struct bytes address, int port,
                                  int backlog, struct rln_error *error);

/* Binds a Unix socket; a stale file of an earlier one is replaced, a live one is not.
 * 'permissions' 0 leaves those of the umask. */
MUST_CHECK bool listeners_add_unix(struct listeners *listeners, const char *path,
                                   unsigned permissions, int backlog, struct rln_error *error);

/* Closes all, and removes the Unix socket's file.  Idempotent. */
void listeners_close(struct listeners *listeners);

#endif
