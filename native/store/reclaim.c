/* Memory that goes later: tables that other threads may still prefetch, tables that a
 * flush took out, large values, and the keys of databases that were emptied lazily. */
#include "store/keyspace_internal.h"

#include "base/mem.h"

/* ---- Retired arrays ----------------------------------------------------------------- */

enum { LEAVES_BETWEEN_LOOKS = 64, OPEN_BYTES_MAX = 1024 * 1024 };

void retire_array(struct store_thread *thread, struct table_array array)
{
    if (array.buckets == NULL) {
        return;
    }
    struct retired *retired = thread->retired;
    struct retired_array *node = (struct retired_array *)(void *)array.buckets;
    *node = (struct retired_array){ retired->open, array.size };
    retired->open = node;
    retired->open_bytes += array.size * sizeof(struct bucket);
}

static void free_retired(struct store_thread *thread, struct retired_array *list)
{
    while (list != NULL) {
        struct table_array array = { (struct bucket *)(void *)list, list->size };
        list = list->next;
        note_outside(thread, -(int64_t)table_array_outside(array), 0);
        table_array_free(thread->heap, array);
    }
}

/* Seals what is open unless something is sealed already. */
static void seal(struct store_thread *thread)
{
    struct retired *retired = thread->retired;
    if (retired->sealed == NULL && retired->open != NULL) {
        retired->sealed = retired->open;
        retired->open = NULL;
        retired->open_bytes = 0;
        brlock_stamp(&thread->keyspace->brlock, &thread->reader, &retired->ticket);
    }
}

static void free_sealed(struct store_thread *thread, struct retired *retired)
{
    if (retired->sealed != NULL && brlock_passed(&thread->keyspace->brlock, &retired->ticket)) {
        free_retired(thread, retired->sealed);
        retired->sealed = NULL;
    }
}

void retired_collect(struct store_thread *thread)
{
    struct retired *retired = thread->retired;
    if (++retired->leaves < LEAVES_BETWEEN_LOOKS && retired->open_bytes < OPEN_BYTES_MAX) {
        return;
    }
    retired->leaves = 0;
    free_sealed(thread, retired);
    seal(thread);
    free_sealed(thread, retired);
}

void retired_orphan(struct store_thread *thread)
{
    struct keyspace *ks = thread->keyspace;
    struct retired *retired = thread->retired;
    thread->retired = NULL;
    if (retired->open == NULL && retired->sealed == NULL) {
        mem_free(retired);
        return;
    }
    /* One ticket for both: a later one is good for what was sealed before. */
    struct retired_array **end = &retired->open;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = retired->sealed;
    retired->sealed = retired->open;
    retired->open = NULL;
    brlock_stamp(&ks->brlock, &thread->reader, &retired->ticket);
    mutex_lock(&ks->mutex);
    retired->next = ks->orphans;
    ks->orphans = retired;
    mutex_unlock(&ks->mutex);
}

/* Frees what threads that quit have left, as far as it has become free. */
static void collect_orphans(struct store_thread *thread)
{
    struct keyspace *ks = thread->keyspace;
    mutex_lock(&ks->mutex);
    struct retired *list = ks->orphans;
    ks->orphans = NULL;
    mutex_unlock(&ks->mutex);
    while (list != NULL) {
        struct retired *retired = list;
        list = list->next;
        free_sealed(thread, retired);
        if (retired->sealed == NULL) {
            mem_free(retired);
            continue;
        }
        mutex_lock(&ks->mutex);
        retired->next = ks->orphans;
        ks->orphans = retired;
        mutex_unlock(&ks->mutex);
    }
}

/* ---- Entries ------------------------------------------------------------------------ */

static void free_bucket_entries(struct store_thread *thread, const struct bucket *bucket)
{
    for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
        struct entry *entry = bucket_entry(bucket, match_slot(used));
        value_free(thread, entry, false);
        entry_free(thread, entry);
    }
}

static void prefetch_bucket_entries(const struct bucket *bucket)
{
    for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
        __builtin_prefetch(bucket_entry(bucket, match_slot(used)));
    }
}

static void free_array_alone(struct store_thread *thread, struct table_array array)
{
    note_outside(thread, -(int64_t)table_array_outside(array), 0);
    table_array_free(thread->heap, array);
}

void free_array(struct store_thread *thread, struct table_array array)
{
    for (uint32_t at = 0; at < array.size; at++) {
        if (at + 1 < array.size) {
            prefetch_bucket_entries(&array.buckets[at + 1]);
        }
        free_bucket_entries(thread, &array.buckets[at]);
    }
    free_array_alone(thread, array);
}

void sweep_stripe(struct store_thread *thread, struct stripe *stripe)
{
    struct keyspace *ks = thread->keyspace;
    struct table_array array = table_array(&stripe->table);
    for (uint32_t at = 0; at < array.size; at++) {
        struct bucket *bucket = &array.buckets[at];
        if (at + 1 < array.size) {
            prefetch_bucket_entries(bucket + 1);
        }
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            struct table_place place = { bucket, match_slot(used) };
            struct entry *entry = bucket_entry(bucket, place.slot);
            uint8_t use =
                atomic_load_explicit(&ks->id_uses[entry_database(entry)], memory_order_relaxed);
            if (use == ID_SWEPT) {
                stripe_unlink(thread, stripe, entry_hash(&ks->hash_key, entry), place, entry);
                value_free(thread, entry, true);
                entry_free(thread, entry);
            }
        }
    }
    stripe_settle(thread, stripe);
}

/* ---- The background ----------------------------------------------------------------- */

void doom_blob(struct keyspace *ks, struct blob *blob)
{
    mutex_lock(&ks->mutex);
    memcpy(blob->at, &ks->doomed, sizeof ks->doomed);
    ks->doomed = blob;
    mutex_unlock(&ks->mutex);
    atomic_fetch_add_explicit(&ks->pending, 1, memory_order_relaxed);
}

bool doom_value(struct keyspace *ks, enum value_type type, enum encoding encoding, void *pointer)
{
    struct doomed_value *doomed = mem_try_alloc(sizeof *doomed);
    if (doomed == NULL) {
        return false;
    }
    *doomed = (struct doomed_value){ NULL, pointer, type, encoding };
    mutex_lock(&ks->mutex);
    doomed->next = ks->doomed_values;
    ks->doomed_values = doomed;
    mutex_unlock(&ks->mutex);
    atomic_fetch_add_explicit(&ks->pending, 1, memory_order_relaxed);
    return true;
}

void reclaim_later(struct keyspace *ks, struct detached *detached, size_t keys)
{
    atomic_fetch_add_explicit(&ks->pending, keys, memory_order_relaxed);
    mutex_lock(&ks->mutex);
    detached->next = ks->detached;
    ks->detached = detached;
    mutex_unlock(&ks->mutex);
}

/* Frees one doomed blob; false when there is none. */
static bool free_doomed(struct keyspace *ks)
{
    mutex_lock(&ks->mutex);
    struct blob *blob = ks->doomed;
    if (blob != NULL) {
        memcpy(&ks->doomed, blob->at, sizeof ks->doomed);
    }
    mutex_unlock(&ks->mutex);
    if (blob == NULL) {
        return false;
    }
    blob_unref(blob);
    atomic_fetch_sub_explicit(&ks->pending, 1, memory_order_relaxed);
    return true;
}

/* Frees a piece of a doomed structure; false when there is none. */
static bool free_doomed_value(struct store_thread *thread, int64_t until_us)
{
    struct keyspace *ks = thread->keyspace;
    mutex_lock(&ks->mutex);
    struct doomed_value *doomed = ks->doomed_values;
    if (doomed != NULL) {
        ks->doomed_values = doomed->next;
    }
    mutex_unlock(&ks->mutex);
    if (doomed == NULL) {
        return false;
    }
    if (value_destroy_step(thread, doomed->type, doomed->encoding, doomed->pointer, until_us)) {
        mutex_lock(&ks->mutex);
        doomed->next = ks->doomed_values;
        ks->doomed_values = doomed;
        mutex_unlock(&ks->mutex);
        return true;
    }
    mem_free(doomed);
    atomic_fetch_sub_explicit(&ks->pending, 1, memory_order_relaxed);
    return true;
}

/* Frees some buckets of detached tables; false when there are none. */
static bool free_detached(struct store_thread *thread)
{
    enum { BUCKETS = 32 };
    struct keyspace *ks = thread->keyspace;
    if (ks->freeing == NULL) {
        mutex_lock(&ks->mutex);
        ks->freeing = ks->detached;
        ks->detached = NULL;
        mutex_unlock(&ks->mutex);
    }
    struct detached *detached = ks->freeing;
    if (detached == NULL) {
        return false;
    }
    struct detached_stripe *stripe = &detached->stripes[detached->stripe];
    size_t freed = 0;
    for (int left = BUCKETS; left > 0 && detached->bucket < stripe->array.size; left--) {
        struct bucket *bucket = &stripe->array.buckets[detached->bucket++];
        if (detached->bucket < stripe->array.size) {
            prefetch_bucket_entries(bucket + 1);
        }
        freed += (size_t)__builtin_popcountll(bucket_used(bucket));
        free_bucket_entries(thread, bucket);
    }
    atomic_fetch_sub_explicit(&ks->pending, freed, memory_order_relaxed);
    if (detached->bucket == stripe->array.size) {
        free_array_alone(thread, stripe->array);
        mem_free(stripe->expiry_items);
        detached->bucket = 0;
        detached->stripe++;
    }
    if (detached->stripe == detached->stripe_count) {
        ks->freeing = detached->next;
        mem_free(detached);
    }
    return true;
}

/* Sweeps one stripe; false when there is nothing to sweep. */
static bool sweep_next(struct store_thread *thread)
{
    struct keyspace *ks = thread->keyspace;
    keyspace_enter(thread); /* A batch: no flush comes between. */
    bool any = ks->sweep_left > 0;
    if (any) {
        struct stripe *stripe = &ks->stripes[ks->sweep_stripe];
        if (++ks->sweep_stripe == ks->stripe_count) {
            ks->sweep_stripe = 0;
        }
        stripe_write(stripe);
        sweep_stripe(thread, stripe);
        stripe_write_unlock(stripe);
        if (--ks->sweep_left == 0) {
            for (uint32_t id = 0; id < ks->ids; id++) {
                uint8_t swept = ID_SWEPT;
                atomic_compare_exchange_strong_explicit(&ks->id_uses[id], &swept, ID_FREE,
                                                        memory_order_relaxed, memory_order_relaxed);
            }
        }
    }
    keyspace_leave(thread);
    return any;
}

bool keyspace_background(struct store_thread *thread, int64_t budget_us)
{
    struct keyspace *ks = thread->keyspace;
    int64_t end_us = clock_monotonic_us(ks->clock) + budget_us;
    collect_orphans(thread);
    retired_collect(thread);
    slab_heap_collect(thread->heap);
    while (free_doomed(ks) || free_doomed_value(thread, end_us) || free_detached(thread) ||
           sweep_next(thread)) {
        if (clock_monotonic_us(ks->clock) >= end_us) {
            return true;
        }
    }
    return false;
}

static void free_all_doomed(struct store_thread *thread)
{
    while (free_doomed(thread->keyspace) || free_doomed_value(thread, INT64_MAX) ||
           free_detached(thread)) {}
}

void reclaim_everything(struct store_thread *thread)
{
    struct keyspace *ks = thread->keyspace;
    collect_orphans(thread);
    free_all_doomed(thread);
    /* Slab memory goes with the pool: entries need a visit only if they own something else. */
    bool visit = values_outside(ks) > 0;
#ifdef SLAB_PASSTHROUGH
    visit = true;
#endif
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct stripe *stripe = &ks->stripes[i];
        struct table_array array = table_detach(&stripe->table);
        if (visit) {
            free_array(thread, array);
        } else {
            free_array_alone(thread, array);
        }
        expiry_release(&stripe->expiry);
    }
    free_all_doomed(thread); /* Large values of the entries that were visited. */
}
