/* The handlers of CLIENT that have a file of their own; their rows are in cmd_client.c. */
#ifndef COMMANDS_CLIENT_COMMANDS_H
#define COMMANDS_CLIENT_COMMANDS_H

#include "exec/call.h"

/* CLIENT KILL and LIST look at other sessions: in the exclusive section. */
MUST_CHECK enum err client_kill(struct call *call);
MUST_CHECK enum err client_list(struct call *call);

/* Client-side caching. */
MUST_CHECK enum err client_tracking(struct call *call);
MUST_CHECK enum err client_trackinginfo(struct call *call);
MUST_CHECK enum err client_caching(struct call *call);
MUST_CHECK enum err client_getredir(struct call *call);

/* The session with this id, or NULL.  It may be looked at in the exclusive section only; outside
 * of it the answer tells no more than that it was there. */
struct session *client_find(struct engine *engine, uint64_t id);

#endif
