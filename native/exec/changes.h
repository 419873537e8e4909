/* The mutation gate: what a write has changed and how it is told.  Handlers call
 * call_changed() (call.h); persistence, replication, notifications and tracking hang their
 * sink here and no handler knows. */
#ifndef EXEC_CHANGES_H
#define EXEC_CHANGES_H

#include "base/bytes.h"

/* All members may be NULL.  Called while the keys are held. */
struct change_sink {
    /* A deterministic effect, as a command in database 'db'.  Those of a transaction or a
     * script come between MULTI and EXEC. */
    void (*effect)(void *user, uint32_t db, const struct bytes *argv, uint32_t argc);
    /* A key event: "set", "expired", "del" ... */
    void (*event)(void *user, uint32_t db, struct bytes key, struct bytes event);
    void *user;
};

/* Effects that belong together, of a transaction or a script, are framed: the first is told
 * after a MULTI, and an EXEC ends them. */
enum change_frame {
    FRAME_NONE,
    FRAME_WANTED, /* begun, and nothing told yet */
    FRAME_OPEN,   /* MULTI was told */
};

/* The effects that one command has recorded so far. */
struct effects {
    bool replaced;    /* call_propagate_as() was used: the command itself is not told */
    bool suppressed;  /* call_propagate_nothing() */
    uint32_t changed; /* calls of call_changed() */
};

#endif
