/* How accesses age; see access.h. */
#include "store/access.h"

enum { COUNTER_MAX = 255 };

static uint32_t minutes_now(const struct store_thread *thread)
{
    return (uint32_t)(thread->now_ms / 60000) & 0xffff;
}

/* The counter after the decay that is due; minutes wrap at 16 bits. */
static unsigned decayed(const struct keyspace *ks, const struct store_thread *thread,
                        uint32_t access)
{
    unsigned decay = atomic_load_explicit(&ks->lfu_decay_minutes, memory_order_relaxed);
    unsigned counter = access & 0xff;
    if (decay == 0) {
        return counter;
    }
    unsigned periods = ((minutes_now(thread) - (access >> 8)) & 0xffff) / decay;
    return periods > counter ? 0 : counter - periods;
}

uint32_t access_initial(const struct keyspace *ks, const struct store_thread *thread)
{
    if (atomic_load_explicit(&ks->lfu, memory_order_relaxed)) {
        return (minutes_now(thread) << 8) | ACCESS_LFU_INITIAL;
    }
    return access_clock(thread);
}

void access_note_lfu(const struct keyspace *ks, struct store_thread *thread, struct entry *entry)
{
    if (thread->access_now == ACCESS_UNNOTED) {
        return;
    }
    unsigned counter = decayed(ks, thread, entry_access(entry));
    if (counter < COUNTER_MAX) {
        unsigned factor = atomic_load_explicit(&ks->lfu_log_factor, memory_order_relaxed);
        uint64_t above = counter > ACCESS_LFU_INITIAL ? counter - ACCESS_LFU_INITIAL : 0;
        counter += random_below(&thread->dice, above * factor + 1) == 0;
    }
    uint32_t access = (minutes_now(thread) << 8) | counter;
    if (access != entry_access(entry)) {
        entry_set_access(entry, access);
    }
}

void keyspace_set_lfu(struct keyspace *ks, bool lfu, unsigned log_factor, unsigned decay_minutes)
{
    atomic_store_explicit(&ks->lfu_log_factor, log_factor, memory_order_relaxed);
    atomic_store_explicit(&ks->lfu_decay_minutes, decay_minutes, memory_order_relaxed);
    atomic_store_explicit(&ks->lfu, lfu, memory_order_relaxed);
}

bool keyspace_is_lfu(const struct keyspace *ks)
{
    return atomic_load_explicit(&ks->lfu, memory_order_relaxed);
}

int64_t keyspace_idle_seconds(const struct store_thread *thread, const struct entry *entry)
{
    if (atomic_load_explicit(&thread->keyspace->lfu, memory_order_relaxed)) {
        return 0;
    }
    return (access_clock(thread) - entry_access(entry)) & ACCESS_MASK;
}

unsigned keyspace_frequency(const struct keyspace *ks, const struct store_thread *thread,
                            const struct entry *entry)
{
    return decayed(ks, thread, entry_access(entry));
}

void keyspace_note_use(struct store_thread *thread, struct entry *entry)
{
    if (thread->access_now == ACCESS_UNNOTED) {
        thread->access_now = access_clock(thread);
        access_note(thread->keyspace, thread, entry);
        thread->access_now = ACCESS_UNNOTED;
    }
}

void keyspace_set_new(const struct store_thread *thread, struct entry *entry)
{
    entry_set_access(entry, access_initial(thread->keyspace, thread));
}

void keyspace_set_idle(const struct store_thread *thread, struct entry *entry, int64_t seconds)
{
    if (!keyspace_is_lfu(thread->keyspace)) {
        /* The clock turns over after half a year: who was idle for longer gets half of that. */
        int64_t now = access_clock(thread);
        int64_t when = seconds <= now ? now - seconds : (now + ACCESS_MASK / 2) % ACCESS_MASK;
        entry_set_access(entry, (uint32_t)when);
    }
}

void keyspace_set_frequency(const struct store_thread *thread, struct entry *entry,
                            unsigned frequency)
{
    if (keyspace_is_lfu(thread->keyspace)) {
        entry_set_access(entry, minutes_now(thread) << 8 | (frequency & 0xff));
    }
}
