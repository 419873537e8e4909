/* Consumer groups of a stream: the consumers of each, and the entries that were delivered to
 * them and not yet acknowledged.  A pending entry stands in two maps, its group's and its
 * consumer's. */
#ifndef STORE_STREAM_GROUP_H
#define STORE_STREAM_GROUP_H

#include "store/stream.h"

enum { STREAM_READ_UNKNOWN = -1 };

struct stream_consumer {
    int64_t seen_ms;           /* Unix time at which it last asked for anything */
    int64_t active_ms;         /* and was last given something; -1: never */
    struct stream_map pending; /* struct stream_pending, by entry id; its group's own */
    uint32_t name_len;
    char name[];
};

struct stream_pending {
    int64_t delivered_ms; /* Unix time */
    uint64_t deliveries;
    struct stream_consumer *consumer;
};

struct stream_group {
    struct stream_id last_id;      /* delivered */
    int64_t entries_read;          /* STREAM_READ_UNKNOWN: not known */
    struct stream_map pending;     /* struct stream_pending, by entry id */
    struct stream_names consumers; /* struct stream_consumer */
    uint32_t name_len;
    char name[];
};

/* Names, borrowed as long as their owner is there. */
static inline struct bytes stream_group_name(const struct stream_group *group)
{
    return (struct bytes){ group->name, group->name_len };
}

static inline struct bytes stream_consumer_name(const struct stream_consumer *consumer)
{
    return (struct bytes){ consumer->name, consumer->name_len };
}

/* By place, in the order of names; 'index' is below the count. */
static inline struct stream_group *stream_group_at(const struct stream *stream, uint32_t index)
{
    return stream->groups.at[index];
}

static inline struct stream_consumer *stream_consumer_at(const struct stream_group *group,
                                                         uint32_t index)
{
    return group->consumers.at[index];
}

/* NULL when there is none of this name. */
struct stream_group *stream_group_find(const struct stream *stream, struct bytes name);
/* The name is not taken.  NULL when memory is short. */
MUST_CHECK struct stream_group *stream_group_create(struct store_thread *thread,
                                                    struct stream *stream, struct bytes name,
                                                    struct stream_id last_id, int64_t entries_read);
/* Takes the group out of the stream and frees it with all that is in it. */
void stream_group_destroy(struct store_thread *thread, struct stream *stream,
                          struct stream_group *group);

/* NULL when there is none of this name. */
struct stream_consumer *stream_consumer_find(const struct stream_group *group, struct bytes name);
/* Seen now, never active.  The name is not taken.  NULL when memory is short. */
MUST_CHECK struct stream_consumer *stream_consumer_create(struct store_thread *thread,
                                                          struct stream_group *group,
                                                          struct bytes name, int64_t now_ms);
/* With its pending entries. */
void stream_consumer_destroy(struct store_thread *thread, struct stream_group *group,
                             struct stream_consumer *consumer);

/* NULL when the entry is not pending. */
static inline struct stream_pending *stream_pending_find(const struct stream_group *group,
                                                         struct stream_id id)
{
    return stream_map_find(&group->pending, id);
}

/* Makes an entry that is not pending so, delivered once and now.  NULL when memory is short. */
MUST_CHECK struct stream_pending *stream_pending_create(struct store_thread *thread,
                                                        struct stream_group *group,
                                                        struct stream_consumer *consumer,
                                                        struct stream_id id, int64_t now_ms);
/* The same in two steps, for loading: the entry is the group's and no consumer's yet, until
 * stream_pending_assign() gives it to one.  NULL when memory is short. */
MUST_CHECK struct stream_pending *stream_pending_load(struct store_thread *thread,
                                                      struct stream_group *group,
                                                      struct stream_id id, int64_t delivered_ms,
                                                      uint64_t deliveries);
/* Gives it to another consumer, or the same.  False when memory is short. */
MUST_CHECK bool stream_pending_assign(struct store_thread *thread, struct stream_pending *pending,
                                      struct stream_id id, struct stream_consumer *consumer);
/* False when the id is not pending. */
bool stream_pending_destroy(struct store_thread *thread, struct stream_group *group,
                            struct stream_id id);

/* How many entries were added up to 'id', or STREAM_READ_UNKNOWN. */
int64_t stream_entries_until(const struct stream *stream, struct stream_id id);
/* Whether an entry from 'from' on may have been deleted by XDEL. */
bool stream_has_gap_from(const struct stream *stream, struct stream_id from);
/* Entries not yet delivered to the group; false when that is not known. */
bool stream_group_lag(const struct stream *stream, const struct stream_group *group, int64_t *lag);
/* The group has been given the entry 'id', above its last_id. */
void stream_group_advance(const struct stream *stream, struct stream_group *group,
                          struct stream_id id);

/* ---- For stream_life.c --------------------------------------------------------------------- */

/* Frees up to '*budget' pieces of the groups, counting it down; true when none are left. */
bool stream_groups_free_some(struct store_thread *thread, struct stream *stream, size_t *budget);

#endif
