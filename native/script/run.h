/* The watch over a running script: every so many of its instructions it is looked whether it may
 * go on. */
#ifndef SCRIPT_RUN_H
#define SCRIPT_RUN_H

#include "script/machine.h"

void run_begin_watch(struct machine *machine);
void run_end_watch(struct machine *machine);

/* The hook itself. */
void run_look(lua_State *lua, lua_Debug *place);

#endif
