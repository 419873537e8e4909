/* Names that clients give themselves: HELLO SETNAME, CLIENT SETNAME and SETINFO. */
#ifndef COMMANDS_CLIENT_NAME_H
#define COMMANDS_CLIENT_NAME_H

#include "exec/call.h"

/* True for printable ASCII without spaces, which keeps CLIENT LIST's lines whole. */
static inline bool client_name_is_valid(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] < '!' || name.at[i] > '~') {
            return false;
        }
    }
    return true;
}

/* 'what' is the beginning of the sentence; gives ERR_REPLIED. */
static inline enum err client_name_refuse(struct call *call, struct bytes what)
{
    reply_errorf(call->reply, "ERR %.*s cannot contain spaces, newlines or special characters.",
                 (int)what.len, what.at);
    return ERR_REPLIED;
}

/* An empty name takes the old one away. */
static inline void client_name_store(struct buf *field, struct bytes name)
{
    buf_release(field);
    *field = (struct buf){ 0 };
    if (name.len > 0) {
        buf_append(field, name);
    }
}

#endif
