/* What the stream commands share: reading and replying ids, replying entries, finding streams
 * and groups, and telling what consumer groups have gone through. */
#ifndef COMMANDS_STREAM_CALL_H
#define COMMANDS_STREAM_CALL_H

#include "exec/call.h"
#include "store/stream_group.h"

enum { STREAM_ID_ROOM = 44 };

/* Writes "ms-seq"; returns its length.  No NUL. */
size_t stream_format_id(char out[STREAM_ID_ROOM], struct stream_id id);
void stream_reply_id(struct call *call, struct stream_id id);
/* The id and the array of fields and values. */
void stream_reply_entry(struct call *call, struct stream_entry entry);

/* Reads "ms" or "ms-seq"; 'missing' stands for a sequence number that is not given.  When
 * 'any_seq' is not NULL, "ms-*" will do and sets it.  Unless 'strict', "-" and "+" are the
 * least and the greatest id. */
bool stream_parse_id(struct bytes text, uint64_t missing, bool strict, struct stream_id *id,
                     bool *any_seq);
/* The strict form, replying the error: OK or ERR_REPLIED. */
MUST_CHECK enum err stream_read_id(struct call *call, struct bytes text, struct stream_id *id);
MUST_CHECK enum err stream_refuse_id(struct call *call);
/* The ends of an interval: "-", "+", an id, or "(" and an id, which is left out. */
MUST_CHECK enum err stream_read_start(struct call *call, struct bytes text, struct stream_id *id);
MUST_CHECK enum err stream_read_end(struct call *call, struct bytes text, struct stream_id *id);
/* All ids from the argument at 'from' on, in memory of the caller (mem_free()). */
MUST_CHECK enum err stream_read_ids(struct call *call, uint32_t from, struct stream_id **ids);

/* The stream of a key, or NULL; ERR_WRONG_TYPE. */
MUST_CHECK static inline enum err stream_find_key(struct call *call, struct bytes key,
                                                  struct stream **stream) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_STREAM, &entry);
    *stream = err == OK && entry != NULL ? stream_of(entry) : NULL;
    return err;
}
/* The same, counted as a lookup of a reading command. */
MUST_CHECK enum err stream_look_up(struct call *call, struct bytes key, struct stream **stream)
    REQUIRES(*call->keys);
/* A new, empty stream at a key that has nothing. */
MUST_CHECK enum err stream_add_key(struct call *call, struct bytes key, struct stream **stream)
    REQUIRES(*call->keys);

/* The stream and the group that the first two arguments name; without them NOGROUP. */
MUST_CHECK enum err stream_need_group(struct call *call, struct stream **stream,
                                      struct stream_group **group) REQUIRES(*call->keys);

/* Milliseconds since a moment, which may lie ahead, or anywhere that a client said. */
static inline int64_t stream_since(int64_t now_ms, int64_t then_ms)
{
    return (int64_t)((uint64_t)now_ms - (uint64_t)then_ms);
}

/* A change of a stream's groups: it is propagated and has its key event (or NULL), but those
 * who watch the key are not disturbed. */
void stream_group_changed(struct call *call, struct bytes key, const char *event);

/* The consumer, made when there is none ('*created').  ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err stream_need_consumer(struct call *call, struct bytes key,
                                         struct stream_group *group, struct bytes name,
                                         struct stream_consumer **consumer, bool *created);

/* Effects: a pending entry as it is now; how far a group has got; a consumer's creation. */
void stream_tell_pending(struct call *call, struct bytes key, const struct stream_group *group,
                         struct stream_id id, const struct stream_pending *pending);
void stream_tell_position(struct call *call, struct bytes key, const struct stream_group *group);
void stream_tell_consumer(struct call *call, struct bytes key, const struct stream_group *group,
                          const struct stream_consumer *consumer);

#endif
