/* Watchers: who wants to know of changes hangs on the stripe of the key.
 *
 * Readers of a stripe may push watchers at the same time, so the head of the list is
 * atomic; it is walked and cut only under the write lock or in the exclusive section. */
#include "store/keyspace_internal.h"

static void push_watcher(struct stripe *stripe, struct watcher *watcher)
{
    struct watcher *first = atomic_load_explicit(&stripe->watchers, memory_order_relaxed);
    do {
        watcher->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&stripe->watchers, &first, watcher,
                                                    memory_order_release, memory_order_relaxed));
}

void keyspace_watch(struct keyspace *ks, struct keylock *lock, struct bytes key,
                    struct watcher *watcher)
{
    watcher->hash = held_hash(ks, lock, lock->db, key, false);
    watcher->db = database_id(ks, lock->db);
    watcher->key = key;
    atomic_fetch_add_explicit(&ks->watcher_count, 1, memory_order_relaxed);
    push_watcher(stripe_of(ks, watcher->hash), watcher);
}

void keyspace_unwatch(struct store_thread *thread, struct watcher *watcher)
{
    struct keyspace *ks = thread->keyspace;
    struct stripe *stripe = stripe_of(ks, watcher->hash);
    stripe_write(stripe);
    struct watcher *at = atomic_load_explicit(&stripe->watchers, memory_order_acquire);
    if (at == watcher) {
        atomic_store_explicit(&stripe->watchers, watcher->next, memory_order_relaxed);
    } else {
        while (at->next != watcher) {
            at = at->next;
        }
        at->next = watcher->next;
    }
    stripe_write_unlock(stripe);
    atomic_fetch_sub_explicit(&ks->watcher_count, 1, memory_order_relaxed);
}

void stripe_touch_slow(const struct stripe *stripe, uint64_t hash, uint32_t id, struct bytes key)
{
    struct watcher *next;
    struct watcher *at = atomic_load_explicit(&stripe->watchers, memory_order_acquire);
    for (; at != NULL; at = next) {
        next = at->next;
        if (at->hash == hash && at->db == id && bytes_equal(at->key, key)) {
            at->touched(at);
        }
    }
}

void keyspace_touch(struct keyspace *ks, struct keylock *lock, struct bytes key)
{
    keyspace_touch_in(ks, lock, lock->db, key);
}

void keyspace_touch_in(struct keyspace *ks, struct keylock *lock, uint32_t db, struct bytes key)
{
    uint64_t hash = held_hash(ks, lock, db, key, true);
    stripe_touch(stripe_of(ks, hash), hash, database_id(ks, db), key);
}

/* Whether the watcher's key exists in the database 'id'. */
static bool watched_exists(const struct keyspace *ks, const struct watcher *watcher, uint32_t id)
{
    uint64_t hash = hash_bytes(&ks->hash_key, watcher->key, id);
    struct table_place place;
    return table_find(&stripe_of(ks, hash)->table, hash, id, watcher->key, &place) != NULL;
}

void keyspace_touch_all(struct keyspace *ks, struct keylock *lock, uint32_t db)
{
    (void)lock;
    if (atomic_load_explicit(&ks->watcher_count, memory_order_relaxed) == 0) {
        return;
    }
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct watcher *next;
        struct watcher *at = atomic_load_explicit(&ks->stripes[i].watchers, memory_order_acquire);
        for (; at != NULL; at = next) {
            next = at->next;
            if ((db == UINT32_MAX || at->db == database_id(ks, db)) &&
                watched_exists(ks, at, at->db)) {
                at->touched(at);
            }
        }
    }
}

void watchers_touch_pair(struct keyspace *ks, uint32_t a, uint32_t b)
{
    if (atomic_load_explicit(&ks->watcher_count, memory_order_relaxed) == 0) {
        return;
    }
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct watcher *next;
        struct watcher *at = atomic_load_explicit(&ks->stripes[i].watchers, memory_order_acquire);
        for (; at != NULL; at = next) {
            next = at->next;
            if ((at->db == a || at->db == b) &&
                (watched_exists(ks, at, a) || watched_exists(ks, at, b))) {
                at->touched(at);
            }
        }
    }
}

void watchers_rehome(struct keyspace *ks, const uint32_t *moved)
{
    if (atomic_load_explicit(&ks->watcher_count, memory_order_relaxed) == 0) {
        return;
    }
    struct watcher *loose = NULL;
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct stripe *stripe = &ks->stripes[i];
        struct watcher *next, *kept = NULL;
        struct watcher *at = atomic_load_explicit(&stripe->watchers, memory_order_acquire);
        for (; at != NULL; at = next) {
            next = at->next;
            struct watcher **to = moved[at->db] != INDEX_NONE ? &loose : &kept;
            at->next = *to;
            *to = at;
        }
        atomic_store_explicit(&stripe->watchers, kept, memory_order_relaxed);
    }
    while (loose != NULL) {
        struct watcher *watcher = loose;
        loose = watcher->next;
        watcher->db = moved[watcher->db];
        watcher->hash = hash_bytes(&ks->hash_key, watcher->key, watcher->db);
        push_watcher(stripe_of(ks, watcher->hash), watcher);
    }
}
