/* What containers of subcommands answer alike: HELP, and the error that points to it. */
#ifndef EXEC_HELP_H
#define EXEC_HELP_H

#include "exec/call.h"

/* The lines between the heading and the entry of HELP itself; 'lines' ends with NULL. */
void help_reply(struct call *call, const char *container, const char *const *lines);

/* A subcommand that is there, with arguments that make no sense of it; gives ERR_REPLIED. */
MUST_CHECK enum err help_refuse(struct call *call, const char *container);

#endif
