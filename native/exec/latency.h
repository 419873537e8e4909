/* The latency monitor: which events of the server took long, and when; LATENCY tells.  How long
 * commands take in general stands in stats.h. */
#ifndef EXEC_LATENCY_H
#define EXEC_LATENCY_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/thread.h"

enum latency_event {
    LATENCY_COMMAND,
    LATENCY_FAST_COMMAND, /* a command that is to take constant time */
    LATENCY_EXPIRE_CYCLE,
    LATENCY_EVICTION_CYCLE,
    LATENCY_EVENTS,
};

/* The worst of one second. */
struct latency_sample {
    int64_t at_s; /* Unix time; 0: none */
    int64_t ms;
};

enum { LATENCY_SAMPLES = 160 }; /* remembered of an event, as Redis does */

struct latency_series {
    struct latency_sample samples[LATENCY_SAMPLES]; /* a ring */
    uint32_t next, count;
    int64_t max_ms;
};

struct latency_monitor {
    _Atomic int64_t threshold_ms; /* latency-monitor-threshold; 0: off */
    struct mutex mutex;           /* RANK_LOG */
    struct latency_series series[LATENCY_EVENTS];
};

/* Nothing was slow, and nothing is watched: the threshold is 0. */
void latency_init(struct latency_monitor *monitor);
void latency_release(struct latency_monitor *monitor);

/* "command" ... Constant. */
struct bytes latency_event_name(enum latency_event event);
/* The event of a name, or LATENCY_EVENTS. */
enum latency_event latency_event_find(struct bytes name);

/* Notes an event of 'us' microseconds unless it was shorter than the threshold.  Any thread. */
void latency_note(struct latency_monitor *monitor, enum latency_event event,
                  const struct clock *clock, int64_t us);

/* A copy of what is known of an event: samples[0] is the oldest of 'count'. */
void latency_read(struct latency_monitor *monitor, enum latency_event event,
                  struct latency_series *series);
/* Forgets an event; false when there was nothing to forget. */
bool latency_forget(struct latency_monitor *monitor, enum latency_event event);

#endif
