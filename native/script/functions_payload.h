/* All libraries of functions as one payload, which goes from server to server: FUNCTION DUMP and
 * FUNCTION RESTORE.  For each a mark and its code, and the footer that DUMP's payloads have. */
#ifndef SCRIPT_FUNCTIONS_PAYLOAD_H
#define SCRIPT_FUNCTIONS_PAYLOAD_H

#include "script/functions.h"

/* Appends the payload of all libraries to 'out'.  ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err functions_dump(struct scripting *scripting, struct buf *out);

/* Makes the libraries of a payload, in bytes that nobody vouches for, the server's; false with the
 * message, and nothing has changed.  See rdb_payload_check() for 'skip_checksum'. */
MUST_CHECK bool functions_restore(struct machine *machine, struct bytes payload, bool skip_checksum,
                                  enum functions_collision collision, struct buf *error);

#endif
