/* maxmemory: keys are evicted until the data fits, or, when none may be, commands that need
 * memory are refused.
 *
 * Adding up what all threads use takes a lock, so a thread does it only when it has itself taken
 * MEMORY_LIMIT_SLACK bytes since the last time, or every MEMORY_LIMIT_LOOKS commands.  So much,
 * for each thread, the limit may be passed by, and by the one command that is running. */
#ifndef EXEC_MEMORY_LIMIT_H
#define EXEC_MEMORY_LIMIT_H

#include "exec/executor.h"

enum { MEMORY_LIMIT_SLACK = 8 * 1024, MEMORY_LIMIT_LOOKS = 64 };

/* Evicts what has to go, for a bounded time; the executor is in a batch and holds no key.
 * False when too much memory is used and no key can be evicted. */
bool memory_limit_keep(struct executor *executor);
/* Whether more memory is used than the limit allows. */
bool memory_limit_passed(const struct engine *engine);

#endif
