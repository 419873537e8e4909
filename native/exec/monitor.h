/* MONITOR: clients that see every command of all clients, as a line of text.  Whoever runs a
 * command while there are such clients writes the line once and sends it to the threads that
 * own them (mail.h). */
#ifndef EXEC_MONITOR_H
#define EXEC_MONITOR_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "exec/mail.h"

struct engine;
struct executor;
struct session;
struct task;

struct monitors {
    _Atomic uint32_t count; /* of monitoring sessions */
    struct mutex mutex;     /* RANK_PUBSUB; guards what follows, and keeps lines in one order */
    struct mailbox *boxes[MAILBOXES_MAX]; /* of owners, by number, or NULL */
    _Atomic bool lost[MAILBOXES_MAX];     /* a line to this owner's monitors was */
    uint32_t counts[MAILBOXES_MAX];       /* of each owner's sessions */
    unsigned box_limit;                   /* above the highest number in use so far */
};

/* Nobody monitors. */
void monitors_init(struct monitors *monitors);
void monitors_release(struct monitors *monitors);

/* The owner of the session, which has a mailbox. */
void monitor_begin(struct executor *executor, struct session *session);
/* Nothing when it does not monitor. */
void monitor_end(struct executor *executor, struct session *session);

/* Whether anybody monitors.  Any thread. */
static inline bool monitors_any(const struct monitors *monitors)
{
    return __builtin_expect(atomic_load_explicit(&monitors->count, memory_order_relaxed) != 0, 0);
}

/* The owner of monitors for which lines were lost: they are closed. */
void monitors_tell_lost(struct executor *executor);

/* Tells a command that has just run. */
void monitor_tell(const struct task *task);
/* Tells one that is about to run, whatever its row says: a script, before its commands. */
void monitor_tell_now(const struct task *task);

#endif
