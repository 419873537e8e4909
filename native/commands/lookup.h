/* What the commands on keys and strings share: lookups of reading commands, counted as
 * hits and misses, and string values as replies. */
#ifndef COMMANDS_LOOKUP_H
#define COMMANDS_LOOKUP_H

#include "exec/call.h"

/* Counts one lookup of a reading command in INFO's keyspace_hits or keyspace_misses. */
static inline void lookup_count(struct call *call, bool present)
{
    struct stats *stats = &call->executor->stats;
    stat_add(present ? &stats->keyspace_hits : &stats->keyspace_misses, 1);
    if (!present && notify_any(call->engine)) {
        notify_event(call->engine, call->session->db, call->keys->missed, LIT("keymiss"));
    }
}

/* keyspace_find() for reading, counted.  A key of another type is a hit too. */
static inline MUST_CHECK enum err lookup_value(struct call *call, struct bytes key,
                                               enum value_type type, struct entry **found)
    REQUIRES(*call->keys)
{
    enum err err = keyspace_find(call->keyspace, call->keys, key, type, found);
    lookup_count(call, err != OK || *found != NULL);
    return err;
}

/* The same of a string. */
static inline MUST_CHECK enum err lookup_string(struct call *call, struct bytes key,
                                                struct entry **found) REQUIRES(*call->keys)
{
    return lookup_value(call, key, VALUE_STRING, found);
}

/* keyspace_peek() for reading, counted: for commands that look at a key, not at its value. */
static inline struct entry *lookup_peek(struct call *call, struct bytes key) REQUIRES(*call->keys)
{
    struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    lookup_count(call, entry != NULL);
    return entry;
}

/* Replies the string value of 'entry': a long one by reference. */
static inline void lookup_reply(struct call *call, struct entry *entry)
{
    struct blob *blob = entry_blob(entry);
    if (__builtin_expect(blob != NULL, 0)) {
        reply_blob(call->reply, blob, 0, blob->len);
    } else {
        reply_bytes(call->reply, entry_string(entry));
    }
}

#endif
