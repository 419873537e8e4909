/* The heap of deadlines; see deadlines.h.  A connection knows its place in it. */
#include "net/deadlines.h"

#include "base/mem.h"
#include "net/conn.h"

enum { FIRST_ROOM = 16 };

void deadlines_release(struct deadlines *deadlines)
{
    mem_free(deadlines->heap);
    *deadlines = (struct deadlines){ 0 };
}

static void put(struct deadlines *deadlines, uint32_t at, struct deadline deadline)
{
    deadlines->heap[at] = deadline;
    deadline.conn->deadline_at = at + 1;
}

static void move_up(struct deadlines *deadlines, uint32_t at, struct deadline deadline)
{
    while (at > 0 && deadlines->heap[(at - 1) / 2].at_ms > deadline.at_ms) {
        put(deadlines, at, deadlines->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(deadlines, at, deadline);
}

static void move_down(struct deadlines *deadlines, uint32_t at, struct deadline deadline)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < deadlines->count &&
            deadlines->heap[child + 1].at_ms < deadlines->heap[child].at_ms) {
            child++;
        }
        if (child >= deadlines->count || deadlines->heap[child].at_ms >= deadline.at_ms) {
            break;
        }
        put(deadlines, at, deadlines->heap[child]);
        at = child;
    }
    put(deadlines, at, deadline);
}

void deadlines_add(struct deadlines *deadlines, struct conn *conn, int64_t at_ms)
{
    if (deadlines->count == deadlines->room) {
        deadlines->room = deadlines->room > 0 ? deadlines->room * 2 : FIRST_ROOM;
        deadlines->heap = mem_realloc(deadlines->heap, deadlines->room * sizeof *deadlines->heap);
    }
    move_up(deadlines, deadlines->count++, (struct deadline){ at_ms, conn });
}

void deadlines_remove(struct deadlines *deadlines, struct conn *conn)
{
    if (conn->deadline_at == 0) {
        return;
    }
    uint32_t at = conn->deadline_at - 1;
    struct deadline last = deadlines->heap[--deadlines->count];
    conn->deadline_at = 0;
    if (at == deadlines->count) {
        return;
    }
    if (at > 0 && deadlines->heap[(at - 1) / 2].at_ms > last.at_ms) {
        move_up(deadlines, at, last);
    } else {
        move_down(deadlines, at, last);
    }
}

int64_t deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->count > 0 ? deadlines->heap[0].at_ms : INT64_MAX;
}

struct conn *deadlines_take(struct deadlines *deadlines, int64_t now_ms)
{
    if (deadlines_first(deadlines) > now_ms) {
        return NULL;
    }
    struct conn *conn = deadlines->heap[0].conn;
    deadlines_remove(deadlines, conn);
    return conn;
}
