/* When the time of a worker's blocked clients is over: a binary heap, the earliest first.  The
 * worker's own. */
#ifndef NET_DEADLINES_H
#define NET_DEADLINES_H

#include <stdint.h>

struct conn;

struct deadline {
    int64_t at_ms; /* Unix time */
    struct conn *conn;
};

struct deadlines {
    struct deadline *heap;
    uint32_t count, room;
};

/* Frees the memory; the connections stay. */
void deadlines_release(struct deadlines *deadlines);

/* Sets a connection's deadline; it has none yet. */
void deadlines_add(struct deadlines *deadlines, struct conn *conn, int64_t at_ms);
/* Nothing when it has none. */
void deadlines_remove(struct deadlines *deadlines, struct conn *conn);

/* The earliest, or INT64_MAX. */
int64_t deadlines_first(const struct deadlines *deadlines);
/* Takes out a connection whose time is over at 'now_ms', or NULL. */
struct conn *deadlines_take(struct deadlines *deadlines, int64_t now_ms);

#endif
