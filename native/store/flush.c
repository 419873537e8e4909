/* FLUSHDB, FLUSHALL and SWAPDB: what becomes of whole databases, in the exclusive section.
 *
 * A database's keys carry its internal id.  Emptying everything takes the tables out as
 * they are; emptying one of several databases gives it another id, and the background
 * sweeps the former one's keys; or they are swept at once. */
#include "store/keyspace_internal.h"

#include "base/mem.h"

static void map_database(struct keyspace *ks, uint32_t db, uint32_t id)
{
    atomic_store_explicit(&ks->id_of[db], id, memory_order_relaxed);
    atomic_store_explicit(&ks->id_uses[id], ID_MAPPED, memory_order_relaxed);
    ks->index_of[id] = db;
    atomic_fetch_add_explicit(&ks->mapping, 1, memory_order_relaxed);
}

static uint32_t *create_moves(const struct keyspace *ks)
{
    uint32_t *moved = mem_alloc(ks->ids * sizeof *moved);
    for (uint32_t id = 0; id < ks->ids; id++) {
        moved[id] = INDEX_NONE;
    }
    return moved;
}

/* With no key left, every database can have its own number as id again: entries of id 0
 * are the smallest. */
static void reset_databases(struct keyspace *ks)
{
    uint32_t *moved = create_moves(ks);
    bool any = false;
    for (uint32_t db = 0; db < ks->databases; db++) {
        if (database_id(ks, db) != db) {
            moved[database_id(ks, db)] = db;
            any = true;
        }
    }
    for (uint32_t id = 0; id < ks->ids; id++) {
        id_counts_reset(ks, id);
        ks->index_of[id] = INDEX_NONE;
        atomic_store_explicit(&ks->id_uses[id], ID_FREE, memory_order_relaxed);
    }
    for (uint32_t db = 0; db < ks->databases; db++) {
        map_database(ks, db, db);
    }
    ks->sweep_left = 0;
    if (any) {
        watchers_rehome(ks, moved);
    }
    mem_free(moved);
}

/* Takes out all tables. */
static void empty_everything(struct store_thread *thread, bool lazily, size_t keys)
{
    struct keyspace *ks = thread->keyspace;
    struct detached *detached = NULL;
    if (lazily) {
        size_t bytes = sizeof *detached + ks->stripe_count * sizeof detached->stripes[0];
        detached = mem_try_alloc(bytes); /* Without it, all is freed at once. */
    }
    if (detached != NULL) {
        *detached = (struct detached){ .stripe_count = ks->stripe_count };
    }
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        struct stripe *stripe = &ks->stripes[i];
        struct table_array array = table_detach(&stripe->table);
        struct expiry_item *items = stripe->expiry.items;
        stripe->expiry = (struct expiry_index){ 0 };
        atomic_store_explicit(&ks->next_expiry[i], INT64_MAX, memory_order_relaxed);
        if (detached != NULL) {
            detached->stripes[i].array = array;
            detached->stripes[i].expiry_items = items;
        } else {
            free_array(thread, array);
            mem_free(items);
        }
    }
    field_ends_release(ks);
    if (detached != NULL) {
        reclaim_later(ks, detached, keys);
    }
    reset_databases(ks);
}

static uint32_t find_free_id(const struct keyspace *ks)
{
    for (uint32_t id = 0; id < ks->ids; id++) {
        if (atomic_load_explicit(&ks->id_uses[id], memory_order_relaxed) == ID_FREE) {
            return id;
        }
    }
    return INDEX_NONE;
}

/* Empties one of several databases that hold keys. */
static void empty_one(struct store_thread *thread, uint32_t db, bool lazily)
{
    struct keyspace *ks = thread->keyspace;
    uint32_t former = database_id(ks, db);
    uint32_t fresh = lazily ? find_free_id(ks) : INDEX_NONE;
    atomic_store_explicit(&ks->id_uses[former], ID_SWEPT, memory_order_relaxed);
    if (fresh != INDEX_NONE) {
        ks->index_of[former] = INDEX_NONE;
        map_database(ks, db, fresh);
        uint32_t *moved = create_moves(ks);
        moved[former] = fresh;
        watchers_rehome(ks, moved);
        mem_free(moved);
        ks->sweep_left = ks->stripe_count;
        return;
    }
    for (uint32_t i = 0; i < ks->stripe_count; i++) {
        sweep_stripe(thread, &ks->stripes[i]); /* Takes out other swept ids too. */
    }
    atomic_store_explicit(&ks->id_uses[former], ID_MAPPED, memory_order_relaxed);
}

int64_t keyspace_flush(struct keyspace *ks, struct keylock *lock, uint32_t db, bool lazily)
{
    int64_t keys = 0, others = 0, swept = 0;
    for (uint32_t id = 0; id < ks->ids; id++) {
        int64_t count = id_keys(ks, id);
        if (ks->index_of[id] == INDEX_NONE) {
            swept += count;
        } else if (db == UINT32_MAX || ks->index_of[id] == db) {
            keys += count;
        } else {
            others += count;
        }
    }
    if (db == UINT32_MAX ? keys + swept == 0 : keys == 0) {
        return 0;
    }
    if (others == 0) {
        empty_everything(lock->thread, lazily, (size_t)(keys + swept));
    } else {
        empty_one(lock->thread, db, lazily);
    }
    return keys;
}

void keyspace_swap(struct keyspace *ks, struct keylock *lock, uint32_t a, uint32_t b)
{
    (void)lock;
    uint32_t id_a = database_id(ks, a), id_b = database_id(ks, b);
    if (id_a == id_b) {
        return;
    }
    watchers_touch_pair(ks, id_a, id_b);
    map_database(ks, a, id_b);
    map_database(ks, b, id_a);
    /* Watchers mean the client's number: they follow it to its new id. */
    uint32_t *moved = create_moves(ks);
    moved[id_a] = id_b;
    moved[id_b] = id_a;
    watchers_rehome(ks, moved);
    mem_free(moved);
}
