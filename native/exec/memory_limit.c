/* maxmemory; see memory_limit.h. */
#include "exec/memory_limit.h"

#include "exec/engine.h"
#include "store/eviction.h"

enum { LOOK_AT_CLOCK = 16 }; /* keys between two looks at the clock */

/* Evicts about 'excess' bytes; false when the keys ran out. */
static bool evict(struct executor *executor, size_t excess)
{
    const struct engine_settings *settings = &executor->engine->settings;
    enum eviction_policy policy = (enum eviction_policy)atomic_load_explicit(
        &settings->maxmemory_policy, memory_order_relaxed);
    unsigned samples = atomic_load_explicit(&settings->maxmemory_samples, memory_order_relaxed);
    bool lazily = atomic_load_explicit(&settings->lazy_eviction, memory_order_relaxed);
    int64_t budget_us = atomic_load_explicit(&settings->eviction_us, memory_order_relaxed);
    int64_t began_us = clock_monotonic_us(executor->engine->clock);
    bool going = true;
    size_t freed = 0;
    for (uint32_t keys = 1; freed < excess; keys++) {
        size_t more = keyspace_evict(&executor->thread, policy, samples, lazily);
        if (more == 0) {
            going = false;
            break;
        }
        freed += more;
        if (keys % LOOK_AT_CLOCK == 0 &&
            clock_monotonic_us(executor->engine->clock) - began_us >= budget_us) {
            break; /* The next command goes on, or the background. */
        }
    }
    latency_note(&executor->engine->latency, LATENCY_EVICTION_CYCLE, executor->engine->clock,
                 clock_monotonic_us(executor->engine->clock) - began_us);
    return going;
}

bool memory_limit_passed(const struct engine *engine)
{
    uint64_t limit = atomic_load_explicit(&engine->settings.maxmemory, memory_order_relaxed);
    return limit > 0 && engine_memory(engine) > limit;
}

/* There was enough room a moment ago, and this thread has taken little since. */
static bool is_known_to_fit(struct executor *executor, uint64_t limit)
{
    struct memory_look *look = &executor->look;
    return look->fits && look->limit == limit && ++look->commands < MEMORY_LIMIT_LOOKS &&
           keyspace_thread_memory(&executor->thread) - look->own < MEMORY_LIMIT_SLACK;
}

bool memory_limit_keep(struct executor *executor)
{
    struct engine *engine = executor->engine;
    uint64_t limit = atomic_load_explicit(&engine->settings.maxmemory, memory_order_relaxed);
    if (limit == 0 || is_known_to_fit(executor, limit)) {
        return true;
    }
    size_t used = engine_memory(engine);
    executor->look = (struct memory_look){ .limit = limit,
                                           .own = keyspace_thread_memory(&executor->thread),
                                           .fits = used <= limit };
    if (used <= limit) {
        return true;
    }
    if (atomic_load_explicit(&engine->settings.maxmemory_policy, memory_order_relaxed) ==
        EVICT_NOTHING) {
        return false;
    }
    /* Two threads that each saw the same excess would evict twice as much. */
    if (atomic_exchange_explicit(&engine->evicting, true, memory_order_acquire)) {
        return true;
    }
    bool going = evict(executor, used - limit);
    atomic_store_explicit(&engine->evicting, false, memory_order_release);
    /* What the background is to free will not be there for long. */
    return going || engine_memory(engine) <= limit || keyspace_pending_frees(engine->keyspace) > 0;
}
