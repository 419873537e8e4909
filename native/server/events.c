/* The event queue; see events.h. */
#include "server/events.h"

#include <string.h>

#include "base/mem.h"

struct event_record {
    struct event_record *next;
    struct rln_event event; /* its texts stand behind this struct */
};

void events_init(struct events *events, size_t capacity, rln_events_ready *ready, void *user)
{
    *events = (struct events){ .capacity = capacity, .ready = ready, .user = user };
    mutex_init(&events->mutex, RANK_QUEUE);
}

void events_release(struct events *events)
{
    struct event_record *next;
    for (struct event_record *record = events->first; record != NULL; record = next) {
        next = record->next;
        mem_free(record);
    }
    mem_free(events->taken);
    mutex_release(&events->mutex);
}

/* Events without which a listener would wait for ever. */
static bool is_essential(enum rln_event_type type)
{
    return type == RLN_EVENT_STARTING || type == RLN_EVENT_LISTENING ||
           type == RLN_EVENT_STOPPING || type == RLN_EVENT_STOPPED;
}

void events_mute(struct events *events, uint32_t types)
{
    uint32_t always = 1u << RLN_EVENT_LOG | 1u << RLN_EVENT_EVENTS_DROPPED;
    for (unsigned type = 0; type <= RLN_EVENT_STOPPED; type++) {
        always |= is_essential((enum rln_event_type)type) ? 1u << type : 0;
    }
    atomic_store_explicit(&events->muted, types & ~always, memory_order_relaxed);
}

static struct event_record *record_create(const struct rln_event *event)
{
    struct event_record *record = mem_try_alloc(sizeof *record + event->name.len + event->text.len);
    if (record == NULL) {
        return NULL;
    }
    record->next = NULL;
    record->event = *event;
    char *texts = (char *)(record + 1);
    if (event->name.len > 0) {
        memcpy(texts, event->name.at, event->name.len);
    }
    if (event->text.len > 0) {
        memcpy(texts + event->name.len, event->text.at, event->text.len);
    }
    record->event.name.at = texts;
    record->event.text.at = texts + event->name.len;
    return record;
}

void events_add(struct events *events, const struct rln_event *event)
{
    if (!events_wanted(events, event->type)) {
        return;
    }
    mutex_lock(&events->mutex);
    bool was_empty = events->count == 0 && events->dropped == 0;
    struct event_record *record = NULL;
    if (events->count < events->capacity || is_essential(event->type)) {
        record = record_create(event);
    }
    if (record == NULL) {
        events->dropped++;
        events->dropped_at_ms = event->at_ms;
    } else {
        if (events->last == NULL) {
            events->first = record;
        } else {
            events->last->next = record;
        }
        events->last = record;
        events->count++;
    }
    mutex_unlock(&events->mutex);
    if (was_empty) {
        events->ready(events->user);
    }
}

bool events_take(struct events *events, struct rln_event *event)
{
    mutex_lock(&events->mutex);
    struct event_record *record = events->first;
    mem_free(events->taken);
    events->taken = record;
    if (record != NULL) {
        events->first = record->next;
        if (events->first == NULL) {
            events->last = NULL;
        }
        events->count--;
        *event = record->event;
    }
    bool tells_dropped = record == NULL && events->dropped > 0;
    if (tells_dropped) {
        *event = (struct rln_event){
            .type = RLN_EVENT_EVENTS_DROPPED,
            .at_ms = events->dropped_at_ms,
            .count = events->dropped,
        };
        events->dropped = 0;
    }
    mutex_unlock(&events->mutex);
    return record != NULL || tells_dropped;
}
