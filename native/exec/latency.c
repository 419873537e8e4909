/* The latency monitor; see latency.h. */
#include "exec/latency.h"

#include <string.h>

static const char *const names[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "command",
    [LATENCY_FAST_COMMAND] = "fast-command",
    [LATENCY_EXPIRE_CYCLE] = "expire-cycle",
    [LATENCY_EVICTION_CYCLE] = "eviction-cycle",
};

void latency_init(struct latency_monitor *monitor)
{
    memset(monitor, 0, sizeof *monitor);
    mutex_init(&monitor->mutex, RANK_LOG);
}

void latency_release(struct latency_monitor *monitor)
{
    mutex_release(&monitor->mutex);
}

struct bytes latency_event_name(enum latency_event event)
{
    return bytes_of(names[event]);
}

enum latency_event latency_event_find(struct bytes name)
{
    for (unsigned i = 0; i < LATENCY_EVENTS; i++) {
        if (bytes_equal(name, bytes_of(names[i]))) {
            return (enum latency_event)i;
        }
    }
    return LATENCY_EVENTS;
}

void latency_note(struct latency_monitor *monitor, enum latency_event event,
                  const struct clock *clock, int64_t us)
{
    int64_t threshold = atomic_load_explicit(&monitor->threshold_ms, memory_order_relaxed);
    int64_t ms = us / 1000;
    if (threshold == 0 || ms < threshold) {
        return;
    }
    int64_t now_s = clock_wall_us(clock) / 1000000;
    mutex_lock(&monitor->mutex);
    struct latency_series *series = &monitor->series[event];
    struct latency_sample *newest =
        &series->samples[(series->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES];
    if (ms > series->max_ms) {
        series->max_ms = ms;
    }
    if (series->count > 0 && newest->at_s == now_s) {
        newest->ms = ms > newest->ms ? ms : newest->ms;
    } else {
        series->samples[series->next] = (struct latency_sample){ now_s, ms };
        series->next = (series->next + 1) % LATENCY_SAMPLES;
        series->count += series->count < LATENCY_SAMPLES;
    }
    mutex_unlock(&monitor->mutex);
}

void latency_read(struct latency_monitor *monitor, enum latency_event event,
                  struct latency_series *series)
{
    mutex_lock(&monitor->mutex);
    const struct latency_series *own = &monitor->series[event];
    uint32_t oldest = (own->next + LATENCY_SAMPLES - own->count) % LATENCY_SAMPLES;
    *series = (struct latency_series){ .count = own->count, .max_ms = own->max_ms };
    for (uint32_t i = 0; i < own->count; i++) {
        series->samples[i] = own->samples[(oldest + i) % LATENCY_SAMPLES];
    }
    mutex_unlock(&monitor->mutex);
}

bool latency_forget(struct latency_monitor *monitor, enum latency_event event)
{
    mutex_lock(&monitor->mutex);
    bool known = monitor->series[event].count > 0;
    monitor->series[event] = (struct latency_series){ .count = 0 };
    mutex_unlock(&monitor->mutex);
    return known;
}
