/* What EVAL and FCALL have in common: keys and arguments, flags, the run itself. */
#ifndef SCRIPT_START_H
#define SCRIPT_START_H

#include "exec/call.h"
#include "script/machine.h"
#include "script/scripts.h"

/* First of all: MONITOR shows a script before its commands. */
void start_tell(const struct call *call);

/* Whether the count of keys is one that start_read_keys() takes. */
bool start_counts_keys(const struct bytes *argv, uint32_t argc);

/* Points the run's keys and arguments into those of the call: the number of keys stands in place
 * 2.  'bad_count' is the error of what is no number. */
MUST_CHECK enum err start_read_keys(struct call *call, const char *bad_count, struct run *run);

/* Runs a script (or function) that is ready, as far as its flags allow it now. */
MUST_CHECK enum err start_run(struct call *call, struct machine *machine, uint32_t flags,
                              bool read_only, int place, struct run *run);

#endif
