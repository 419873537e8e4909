/* Scripts and functions that have been running for longer than busy-reply-threshold: they are in a
 * list, for FUNCTION STATS to tell of them and for SCRIPT KILL and FUNCTION KILL to end them, and
 * other clients are told that the server is busy (exec/busy.h). */
#ifndef SCRIPT_SLOW_H
#define SCRIPT_SLOW_H

#include "exec/call.h"
#include "script/machine.h"

/* Between two instructions of a script that has been running for 'passed_ms': when that is long,
 * others get their turn.  True when they had it. */
bool slow_serve_others(struct machine *machine, int64_t passed_ms);

/* A slow script has ended. */
void slow_end(struct machine *machine);

/* SCRIPT KILL, or FUNCTION KILL: ends those of this kind that have not written. */
MUST_CHECK enum err slow_kill(struct call *call, bool functions);

/* FUNCTION STATS: writes a map of the function that runs for long, or null.  An error when it is a
 * script: nothing is written. */
MUST_CHECK enum err slow_describe(struct call *call);

#endif
