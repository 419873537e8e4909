/* maxmemory: keys are evicted until the data fits, or, when none may be, commands that need
 * memory are refused. */
#ifndef EXEC_MEMORY_LIMIT_H
#define EXEC_MEMORY_LIMIT_H

#include "exec/executor.h"

/* Evicts what has to go, for a bounded time; the executor is in a batch and holds no key.
 * False when too much memory is used and no key can be evicted. */
bool memory_limit_keep(struct executor *executor);
/* Whether more memory is used than the limit allows. */
bool memory_limit_passed(const struct engine *engine);

#endif
