/* What the commands on sets share. */
#ifndef COMMANDS_SET_COMMANDS_H
#define COMMANDS_SET_COMMANDS_H

#include "commands/lookup.h"
#include "store/set.h"

/* Makes 'set' the value of a key that has none; on failure it is released. */
MUST_CHECK enum err set_adopt(struct call *call, struct bytes key, struct set *set)
    REQUIRES(*call->keys);

/* After members were removed: deletes the key of an empty set and tells that. */
void set_removed_from(struct call *call, struct bytes key, const struct set *set)
    REQUIRES(*call->keys);

/* Replies a member. */
static inline void set_reply(struct call *call, const struct listpack_value *member)
{
    if (member->string.at != NULL) {
        reply_bytes(call->reply, member->string);
    } else {
        reply_number_as_bytes(call->reply, member->integer);
    }
}

#endif
