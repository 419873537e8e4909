/* What the commands on lists share, the waiting ones (BLPOP and its kind) included. */
#ifndef COMMANDS_LIST_COMMANDS_H
#define COMMANDS_LIST_COMMANDS_H

#include "commands/lookup.h"
#include "store/list.h"

/* keyspace_find() of a list for reading, counted as a hit or miss. */
static inline MUST_CHECK enum err list_lookup(struct call *call, struct bytes key,
                                              struct entry **found) REQUIRES(*call->keys)
{
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, found);
    lookup_count(call, err != OK || *found != NULL);
    return err;
}

/* Reads LEFT or RIGHT; ERR_SYNTAX for another word. */
MUST_CHECK enum err list_read_end(struct bytes word, enum list_end *end);

/* Replies one element as a bulk. */
void list_reply_element(struct reply *reply, const struct list_cursor *cursor);
/* Replies an array of 'count' elements from 'start' on, towards the other end when
 * 'backwards'; they are all there. */
void list_reply_range(struct reply *reply, const struct entry *entry, uint64_t start,
                      uint64_t count, bool backwards);

/* Adds elements to the list of 'key', made when 'entry' is NULL, and sets '*length'.
 * ERR_OUT_OF_MEMORY: nothing has changed.  Tells the change. */
MUST_CHECK enum err list_add(struct call *call, struct bytes key, struct entry *entry,
                             enum list_end end, const struct bytes *texts, uint32_t count,
                             uint64_t *length) REQUIRES(*call->keys);

/* Replies the element at an end as a bulk and removes it; tells the change, and the end of
 * a key whose last element it was.  'entry' is the list of 'key' and good no more. */
void list_take_one(struct call *call, struct bytes key, struct entry *entry, enum list_end end)
    REQUIRES(*call->keys);
/* The same with an array of up to 'count' elements, at least one; returns how many. */
uint64_t list_take(struct call *call, struct bytes key, struct entry *entry, enum list_end end,
                   uint64_t count) REQUIRES(*call->keys);
/* After elements were removed, of which 'left' remain: tells 'event', and deletes the key
 * when none do. */
void list_removed(struct call *call, struct bytes key, struct entry *entry, const char *event,
                  uint64_t left) REQUIRES(*call->keys);

/* Moves an element from the list 'source' to the key 'to' (which may be the same) and replies
 * it.  ERR_WRONG_TYPE: 'to' is no list; ERR_OUT_OF_MEMORY; nothing has changed then. */
MUST_CHECK enum err list_move(struct call *call, struct bytes from, struct entry *source,
                              enum list_end from_end, struct bytes to, enum list_end to_end)
    REQUIRES(*call->keys);

/* The common part of LMPOP and BLMPOP: takes from the first of the keys that holds a list,
 * replies its name and the elements and logs what it did; '*found' is false when there is none.
 * ERR_WRONG_TYPE. */
MUST_CHECK enum err list_take_from_first(struct call *call, const struct bytes *keys,
                                         uint32_t key_count, enum list_end end, uint64_t count,
                                         bool *found) REQUIRES(*call->keys);

/* The arguments of LMPOP and BLMPOP from numkeys on. */
struct list_take_arguments {
    const struct bytes *keys;
    uint32_t key_count;
    enum list_end end;
    uint64_t count;
};

/* Reads them.  Writes the error itself: OK, ERR_SYNTAX or ERR_REPLIED. */
MUST_CHECK enum err list_read_take_arguments(struct call *call,
                                             struct list_take_arguments *arguments);

#endif
