/* What the commands on hashes share. */
#ifndef COMMANDS_HASH_COMMANDS_H
#define COMMANDS_HASH_COMMANDS_H

#include "commands/lookup.h"
#include "store/hash.h"

/* Finds the hash of a key for writing, or adds an empty one; hash_discard_empty() takes that
 * away again when nothing came to be in it. */
MUST_CHECK enum err hash_open(struct call *call, struct bytes key, struct entry **entry)
    REQUIRES(*call->keys);
void hash_discard_empty(struct call *call, struct bytes key, const struct entry *entry)
    REQUIRES(*call->keys);

/* After fields were removed: deletes the key of an empty hash and tells that. */
void hash_removed_from(struct call *call, struct bytes key, const struct entry *entry)
    REQUIRES(*call->keys);

/* Replies a name or a value. */
static inline void hash_reply(struct call *call, const struct listpack_value *value)
{
    if (value->string.at != NULL) {
        reply_bytes(call->reply, value->string);
    } else {
        reply_number_as_bytes(call->reply, value->integer);
    }
}

#endif
