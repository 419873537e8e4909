/* Keys whose time has come: removal by writers that meet them, by the executor for
 * readers that met them, and by the background that waits for deadlines. */
#include "store/keyspace_internal.h"

enum {
    CHUNK = 16,           /* keys removed in one hold of a stripe */
    LONGEST_WAIT_MS = 100 /* a deadline may be set while the caller waits */
};

void stripe_expire(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                   struct table_place place, struct entry *entry)
{
    struct keyspace *ks = thread->keyspace;
    uint32_t id = entry_database(entry);
    uint32_t db = ks->index_of[id];
    stripe_touch(stripe, hash, id, entry_key(entry));
    if (db != INDEX_NONE) { /* Else it was flushed, and only waits to be swept. */
        atomic_store_explicit(&thread->expired,
                              atomic_load_explicit(&thread->expired, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        if (ks->hooks.expired != NULL) {
            ks->hooks.expired(ks->hooks.user, thread, db, entry_key(entry));
        }
    }
    stripe_remove(thread, stripe, hash, place, entry);
    value_free(thread, entry, true);
    entry_free(thread, entry);
}

struct entry *stripe_drop_ended(struct store_thread *thread, struct stripe *stripe, uint64_t hash,
                                struct table_place place, struct entry *entry)
{
    if (entry_is_due(entry, thread->now_ms)) {
        stripe_expire(thread, stripe, hash, place, entry);
        return NULL;
    }
    if ((entry->flags & ENTRY_FIELDS_END) != 0 &&
        !field_ends_drop(thread, stripe, hash, place, entry)) {
        return NULL;
    }
    return entry;
}

/* Removes up to CHUNK keys of a stripe, held for writing, that are due. */
static void expire_chunk(struct store_thread *thread, struct stripe *stripe)
{
    struct keyspace *ks = thread->keyspace;
    struct expiry_index *index = &stripe->expiry;
    for (int left = CHUNK; left > 0 && expiry_first(index) <= thread->now_ms; left--) {
        struct table_place place;
        uint64_t hash = index->items[0].hash;
        struct entry *entry = table_find_expiring(&stripe->table, &ks->hash_key, hash, &place);
        if (entry == NULL) {
            expiry_pop(index);
            expiry_was_stale(index);
        } else if (entry_expires_at(entry) > thread->now_ms) {
            expiry_postpone_first(index, entry_expires_at(entry));
        } else {
            expiry_pop(index);
            stripe_expire(thread, stripe, hash, place, entry);
            expiry_was_stale(index); /* The removal took the popped item for one left behind. */
        }
    }
    field_ends_expire(thread, stripe);
    stripe_publish_expiry(ks, stripe);
}

int64_t keyspace_expire_due(struct store_thread *thread, int64_t budget_us)
{
    struct keyspace *ks = thread->keyspace;
    if (!atomic_load_explicit(&ks->active_expiry, memory_order_relaxed)) {
        return LONGEST_WAIT_MS;
    }
    int64_t end_us = clock_monotonic_us(ks->clock) + budget_us;
    int64_t earliest = INT64_MAX;
    thread->now_ms = clock_wall_ms(ks->clock);
    for (uint32_t left = ks->stripe_count; left > 0;) {
        uint32_t at = ks->expire_position;
        int64_t next = atomic_load_explicit(&ks->next_expiry[at], memory_order_relaxed);
        if (next > thread->now_ms) {
            earliest = next < earliest ? next : earliest;
            ks->expire_position = at + 1 < ks->stripe_count ? at + 1 : 0;
            left--;
            continue;
        }
        keyspace_enter(thread);
        if (atomic_load_explicit(&ks->expiry_holds, memory_order_relaxed) != 0) {
            keyspace_leave(thread);
            return LONGEST_WAIT_MS;
        }
        stripe_write(&ks->stripes[at]);
        expire_chunk(thread, &ks->stripes[at]);
        stripe_write_unlock(&ks->stripes[at]);
        keyspace_leave(thread);
        if (clock_monotonic_us(ks->clock) >= end_us) {
            return 0;
        }
    }
    if (earliest == INT64_MAX || earliest - thread->now_ms > LONGEST_WAIT_MS) {
        return LONGEST_WAIT_MS;
    }
    return earliest - thread->now_ms;
}

void keyspace_reap(struct store_thread *thread, struct keylock *lock)
{
    struct keyspace *ks = thread->keyspace;
    if (LIKELY(!lock->met_expired)) {
        return;
    }
    lock->met_expired = false;
    if (!atomic_load_explicit(&ks->active_expiry, memory_order_relaxed) ||
        atomic_load_explicit(&ks->expiry_holds, memory_order_relaxed) != 0) {
        return;
    }
    for (uint32_t i = 0; i < lock->key_count; i++) {
        const struct locked_key *key = &lock->keys[i];
        struct stripe *stripe = stripe_of(ks, key->hash);
        struct table_place place;
        stripe_write(stripe);
        (void)find_for_write(thread, stripe, key->hash, database_id(ks, key->db), key->name,
                             &place);
        stripe_write_unlock(stripe);
    }
}

void keyspace_set_active_expiry(struct keyspace *ks, bool on)
{
    atomic_store_explicit(&ks->active_expiry, on, memory_order_relaxed);
}

void keyspace_hold_expiry(struct keyspace *ks, bool hold)
{
    /* A decrement is the addition of UINT32_MAX. */
    atomic_fetch_add_explicit(&ks->expiry_holds, hold ? 1 : UINT32_MAX, memory_order_relaxed);
}
