/* The watch over a running script: every so many of its jumps and calls, and after commands that took
 * long, it is looked whether it may go on, and whether others are to be told that they can't. */
#ifndef SCRIPT_RUN_H
#define SCRIPT_RUN_H

#include "script/machine.h"

enum { LOOK_US = 5000 }; /* between two looks */

/* 'began': when it did, in ticks. */
void run_begin_watch(struct machine *machine, uint64_t began);
void run_end_watch(struct machine *machine);

/* Behind a command of the script: looks when it is time. */
void run_look_again(lua_State *lua);
static inline void run_note_command(lua_State *lua, const struct machine *machine)
{
    if (__builtin_expect(machine->executor->tick >= machine->look_at, 0)) {
        run_look_again(lua);
    }
}

#endif
