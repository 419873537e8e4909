/* Moments at which commands wait: CLIENT PAUSE, and mailboxes that are full (mail.h).  A command
 * that is to wait is put off (SESSION_POSTPONED), and its carrier brings it again; no thread
 * waits. */
#ifndef EXEC_PAUSE_H
#define EXEC_PAUSE_H

#include "exec/engine.h"

/* CLIENT PAUSE: a pause that is longer, or stricter, stays so. */
void pause_begin(struct engine *engine, int64_t until_ms, bool writes_only);
/* CLIENT UNPAUSE. */
void pause_end(struct engine *engine);

/* Whether there is a pause at this moment, and no key may expire or be evicted; forgets one that
 * is over. */
bool pause_lasts(struct engine *engine, int64_t now_ms);

/* Whether a command of the session has to wait now. */
bool pause_holds(struct executor *executor, const struct session *session,
                 const struct command *command);

#endif
