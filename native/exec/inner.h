/* Commands that are run by a command: those of a script.  The outer command holds what they
 * need; inner_run() looks at everything that stands in the way of a command within a script,
 * runs it and leaves its reply in a buffer, as perform.h does for a client's. */
#ifndef EXEC_INNER_H
#define EXEC_INNER_H

#include "exec/call.h"

/* A script may be killed from outside until it has written: whoever comes first decides. */
enum inner_state { INNER_CLEAN, INNER_WROTE, INNER_DOOMED };

struct inner {
    struct executor *executor;
    const struct session *caller;
    struct session client; /* what the commands see as their client: database and protocol */
    bool read_only;        /* writes are refused: EVAL_RO, the flag no-writes */
    bool allow_oom;        /* writes are not refused for want of memory: the flag allow-oom */
    bool memory_short;     /* as it was when the script began */
    bool framed;           /* the frame of effects is this script's own */
    _Atomic uint8_t state; /* enum inner_state: whether a command that writes has been run */
};

/* Once for an executor. */
void inner_init(struct inner *inner, struct executor *executor);

/* Begins and ends a script of the client 'caller'; the flags above but for 'framed'
 * are the script's to set between. */
void inner_begin(struct inner *inner, const struct session *caller);
void inner_end(struct inner *inner);

/* Dooms the script, unless it has written: from now on no command of it writes, and whoever runs it
 * is to end it.  False when it has.  Any thread. */
MUST_CHECK bool inner_doom(struct inner *inner);
static inline bool inner_is_doomed(const struct inner *inner)
{
    return atomic_load_explicit(&inner->state, memory_order_relaxed) == INNER_DOOMED;
}

/* Whether a command of a script may run while only some keys are held, if it names no others: it
 * has keys, which its specifications find, or nothing to do with any. */
bool inner_may_hold_keys(const struct command *command);

/* Runs one command and writes its reply, an error reply as well, to 'reply', which was empty.
 * An error that is returned instead says why it has not run.  Arguments that are keys which the
 * lock knows are replaced by the lock's own bytes. */
MUST_CHECK enum err inner_run(struct inner *inner, struct bytes *argv, uint32_t argc,
                              struct reply *reply) REQUIRES(inner->executor->lock);

#endif
