/* Digests of data, for DEBUG DIGEST and DIGEST-VALUE: the same data gives the same digest, in
 * whatever order and encoding it is kept. */
#ifndef COMMANDS_DEBUG_DIGEST_H
#define COMMANDS_DEBUG_DIGEST_H

#include "exec/call.h"

enum { DEBUG_DIGEST_LEN = 20, DEBUG_DIGEST_HEX_LEN = 2 * DEBUG_DIGEST_LEN };

/* DEBUG DIGEST: of all keys of all databases, in the exclusive section; zeros when there are
 * none. */
enum err debug_digest(struct call *call);
/* DEBUG DIGEST-VALUE: of the values of keys, without their names and ends; zeros for one that
 * is not there. */
enum err debug_digest_values(struct call *call) REQUIRES(*call->keys);

#endif
