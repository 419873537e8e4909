/* DEBUG PROTOCOL: one reply of each type, for the tests of clients. */
#ifndef COMMANDS_DEBUG_PROTOCOL_H
#define COMMANDS_DEBUG_PROTOCOL_H

#include "exec/call.h"

/* DEBUG PROTOCOL: a reply of the kind that its argument names, for clients to be tried with. */
MUST_CHECK enum err debug_protocol(struct call *call);

#endif
