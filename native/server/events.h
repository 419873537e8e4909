/* News for the owner of the server: a bounded queue that any thread of the core may add to
 * without ever waiting for the owner.  What finds the queue full is counted and told by one
 * event when there is room again; the events that end a run always fit. */
#ifndef SERVER_EVENTS_H
#define SERVER_EVENTS_H

#include "base/thread.h"
#include "rln.h"

struct event_record;

struct events {
    struct mutex mutex; /* RANK_QUEUE */
    struct event_record *first, *last, *taken;
    size_t count, capacity;
    int64_t dropped;       /* since the last RLN_EVENT_EVENTS_DROPPED */
    int64_t dropped_at_ms; /* of the last one among them */
    rln_events_ready *ready;
    void *user;
    _Atomic uint32_t muted; /* 1 << type: nobody wants to hear of it */
};

/* Empty, with room for 'capacity' events; 'ready' is called on the adding thread, with 'user', when
 * the first one waits. */
void events_init(struct events *events, size_t capacity, rln_events_ready *ready, void *user);
void events_release(struct events *events);

/* Whether somebody listens to events of this type; else events_add() does nothing. */
static inline bool events_wanted(const struct events *events, enum rln_event_type type)
{
    return events->ready != NULL &&
           (atomic_load_explicit(&events->muted, memory_order_relaxed) >> type & 1) == 0;
}

/* From now on tells no event whose type is in 'types' (1 << type), and all others.  Those of a
 * server's life and the log can't be muted.  Any thread. */
void events_mute(struct events *events, uint32_t types);

/* Adds a copy.  Any thread, with or without locks below RANK_QUEUE. */
void events_add(struct events *events, const struct rln_event *event);

/* Takes the oldest one; its texts are borrowed until the next call.  One reader. */
bool events_take(struct events *events, struct rln_event *event);

#endif
