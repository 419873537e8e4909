/* Eviction; see eviction.h. */
#include "store/eviction.h"

#include "store/keyspace_internal.h"

enum {
    STRIPE_SHARE = 3, /* so many times the samples are compared within a stripe */
    SAMPLES_MAX = 4096,
    VALUE_SAMPLES = 5,   /* elements from which the memory of a large value is estimated */
    EARLIEST_TRIES = 64, /* deadlines that turn out to be later than the index says */
    MOST_URGENT = INT32_MAX,
};

/* The best key so far of the one stripe that is held for writing. */
struct search {
    struct store_thread *thread;
    struct stripe *stripe;
    enum eviction_policy policy;
    unsigned left; /* keys that may still be compared */
    struct entry *victim;
    struct table_place place;
    int64_t urgency;
};

/* How much rather than others an entry should go. */
static int64_t urgency(const struct search *search, const struct entry *entry)
{
    const struct store_thread *thread = search->thread;
    if (entry_is_due(entry, thread->now_ms)) {
        return MOST_URGENT;
    }
    switch (search->policy) {
    case EVICT_ALL_LRU:
    case EVICT_VOLATILE_LRU:
        return keyspace_idle_seconds(thread, entry);
    case EVICT_ALL_LFU:
    case EVICT_VOLATILE_LFU:
        return 255 - (int64_t)keyspace_frequency(thread->keyspace, thread, entry);
    case EVICT_NOTHING:
    case EVICT_ALL_RANDOM:
    case EVICT_VOLATILE_RANDOM:
    case EVICT_VOLATILE_TTL:
        break;
    }
    return 0;
}

static void consider(struct search *search, struct entry *entry, struct table_place place)
{
    const struct keyspace *ks = search->thread->keyspace;
    if (ks->index_of[entry_database(entry)] == INDEX_NONE) {
        return; /* Flushed, and waiting to be swept. */
    }
    int64_t value = urgency(search, entry);
    search->left -= search->left > 0;
    if (search->victim == NULL || value > search->urgency) {
        search->victim = entry;
        search->place = place;
        search->urgency = value;
    }
}

/* Keys that stand together in the table: their hashes say nothing about their use. */
static void search_table(struct search *search)
{
    struct table_array array = table_array(&search->stripe->table);
    if (array.size == 0) {
        return;
    }
    uint32_t at = (uint32_t)random_below(&search->thread->dice, array.size);
    for (uint32_t seen = 0; seen < array.size && search->left > 0; seen++) {
        struct bucket *bucket = &array.buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0 && search->left > 0;
             used = match_next(used)) {
            unsigned slot = match_slot(used);
            consider(search, bucket_entry(bucket, slot), (struct table_place){ bucket, slot });
        }
        at = at + 1 < array.size ? at + 1 : 0;
    }
}

/* The key of an item of the expiry index, if it is still there. */
static void consider_item(struct search *search, uint32_t at)
{
    struct table_place place;
    struct entry *entry =
        table_find_expiring(&search->stripe->table, &search->thread->keyspace->hash_key,
                            search->stripe->expiry.items[at].hash, &place);
    if (entry != NULL) {
        consider(search, entry, place);
    }
}

/* Keys with an expiry, here and there in the index: neighbours may have come together. */
static void search_expiring(struct search *search)
{
    const struct expiry_index *index = &search->stripe->expiry;
    unsigned tries = index->len > 0 ? search->left * 2 : 0;
    for (; tries > 0 && search->left > 0; tries--) {
        consider_item(search, (uint32_t)random_below(&search->thread->dice, index->len));
    }
    for (uint32_t at = 0; at < index->len && search->victim == NULL; at++) {
        consider_item(search, at);
    }
}

/* The key of the stripe that ends first, its item being taken off, unless the index had said it
 * would end sooner: then it has been put right. */
static void search_earliest(struct search *search)
{
    struct keyspace *ks = search->thread->keyspace;
    struct expiry_index *index = &search->stripe->expiry;
    if (index->len == 0) {
        return;
    }
    struct table_place place;
    struct entry *entry =
        table_find_expiring(&search->stripe->table, &ks->hash_key, index->items[0].hash, &place);
    if (entry == NULL) {
        expiry_pop(index);
        expiry_was_stale(index);
    } else if (entry_expires_at(entry) > index->items[0].when) {
        expiry_postpone_first(index, entry_expires_at(entry));
    } else {
        expiry_pop(index);
        consider(search, entry, place);
    }
}

static void remove_victim(const struct search *search)
{
    struct store_thread *thread = search->thread;
    struct keyspace *ks = thread->keyspace;
    struct entry *entry = search->victim;
    uint32_t id = entry_database(entry);
    uint64_t hash = entry_hash(&ks->hash_key, entry);
    if (entry_is_due(entry, thread->now_ms)) {
        stripe_expire(thread, search->stripe, hash, search->place, entry);
        return;
    }
    stripe_touch(search->stripe, hash, id, entry_key(entry));
    atomic_store_explicit(&thread->evicted,
                          atomic_load_explicit(&thread->evicted, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    if (ks->hooks.evicted != NULL) {
        ks->hooks.evicted(ks->hooks.user, thread, ks->index_of[id], entry_key(entry));
    }
    stripe_remove(thread, search->stripe, hash, search->place, entry);
}

/* Looks for a victim in one stripe and removes it; the bytes freed, 0 for none. */
static size_t evict_from(struct search *search, uint32_t at, unsigned samples, bool lazily)
{
    struct store_thread *thread = search->thread;
    struct keyspace *ks = thread->keyspace;
    size_t freed = 0;
    search->stripe = &ks->stripes[at];
    search->left = samples;
    search->victim = NULL;
    stripe_write(search->stripe);
    if (search->policy == EVICT_VOLATILE_TTL) {
        search_earliest(search);
    } else if (search->policy >= EVICT_VOLATILE_LRU) {
        search_expiring(search);
    } else {
        search_table(search);
    }
    struct entry *victim = search->victim;
    if (victim != NULL) {
        bool due = entry_is_due(victim, thread->now_ms);
        freed = keyspace_entry_memory(victim, VALUE_SAMPLES);
        remove_victim(search);
        if (search->policy == EVICT_VOLATILE_TTL) {
            expiry_was_stale(&search->stripe->expiry); /* Its item is off already. */
        }
        if (!due) {
            value_free(thread, victim, lazily);
            entry_free(thread, victim);
        }
    }
    stripe_publish_expiry(ks, search->stripe);
    stripe_write_unlock(search->stripe);
    return freed;
}

/* The stripe in which the next key ends, or INDEX_NONE when none does. */
static uint32_t earliest_stripe(const struct keyspace *ks)
{
    int64_t earliest = INT64_MAX;
    uint32_t found = INDEX_NONE;
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        int64_t next = atomic_load_explicit(&ks->next_expiry[i], memory_order_relaxed);
        if (next < earliest) {
            earliest = next;
            found = i;
        }
    }
    return found;
}

static size_t evict_earliest(struct search *search, bool lazily)
{
    for (int i = 0; i < EARLIEST_TRIES; i++) {
        uint32_t at = earliest_stripe(search->thread->keyspace);
        size_t freed = at != INDEX_NONE ? evict_from(search, at, 1, lazily) : 0;
        if (freed > 0 || at == INDEX_NONE) {
            return freed;
        }
    }
    /* The indexes are far behind; whatever is in one of them will do. */
    search->policy = EVICT_VOLATILE_RANDOM;
    return 0;
}

size_t keyspace_evict(struct store_thread *thread, enum eviction_policy policy, unsigned samples,
                      bool lazily)
{
    struct keyspace *ks = thread->keyspace;
    struct search search = { .thread = thread, .policy = policy };
    if (policy == EVICT_NOTHING) {
        return 0;
    }
    if (policy == EVICT_VOLATILE_TTL) {
        size_t freed = evict_earliest(&search, lazily);
        if (freed > 0 || search.policy == EVICT_VOLATILE_TTL) {
            return freed;
        }
    }
    bool picks = search.policy == EVICT_ALL_RANDOM || search.policy == EVICT_VOLATILE_RANDOM;
    samples = picks ? 1 : (samples < SAMPLES_MAX ? samples : SAMPLES_MAX) * STRIPE_SHARE;
    uint64_t start = random_below(&thread->dice, ks->stripe_count);
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        uint32_t at = (uint32_t)(start + i) & (ks->stripe_count - 1);
        bool empty =
            policy >= EVICT_VOLATILE_LRU
                ? atomic_load_explicit(&ks->next_expiry[at], memory_order_relaxed) == INT64_MAX
                : table_array(&ks->stripes[at].table).size == 0;
        size_t freed = empty ? 0 : evict_from(&search, at, samples, lazily);
        if (freed > 0) {
            return freed;
        }
    }
    return 0;
}

uint64_t keyspace_evicted(const struct keyspace *ks)
{
    struct mutex *mutex = (struct mutex *)&ks->mutex;
    mutex_lock(mutex);
    uint64_t sum = ks->quit_evicted;
    for (const struct store_thread *thread = ks->threads; thread != NULL; thread = thread->next) {
        sum += atomic_load_explicit(&thread->evicted, memory_order_relaxed);
    }
    mutex_unlock(mutex);
    return sum;
}
