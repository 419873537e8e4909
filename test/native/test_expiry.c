/* The expiry index against a plain list: the first deadline is never later than that of
 * any key, nothing is lost, and what is stale does not pile up. */
#include "base/mem.h"
#include "check.h"
#include "store/expiry.h"

enum { KEYS = 200, STEPS = 30000 };

struct bench {
    struct slab_pool *pool;
    struct slab_heap *heap;
    struct hash_key key;
    struct table table;
    struct expiry_index index;
    struct entry *entries[KEYS];
    uint64_t hashes[KEYS];
    int64_t when[KEYS]; /* -1: no such key */
};

static struct entry *create_entry(struct bench *bench, unsigned number, int64_t when)
{
    struct entry *entry = slab_alloc(bench->heap, sizeof(*entry) + sizeof(when) + sizeof(number));
    CHECK(entry != NULL);
    memset(entry, 0, sizeof(*entry));
    entry->flags = ENTRY_EXPIRES;
    entry->short_key_len = sizeof(number);
    entry_write_expiry(entry, when);
    memcpy(entry->tail + sizeof(when), &number, sizeof(number));
    return entry;
}

static void set_key(struct bench *bench, unsigned number, int64_t when)
{
    int64_t before = bench->when[number];
    if (expiry_needs_item(before, when)) {
        CHECK(expiry_reserve(&bench->index));
    }
    if (before < 0) {
        struct table_array old;
        bench->entries[number] = create_entry(bench, number, when);
        bench->hashes[number] = entry_hash(&bench->key, bench->entries[number]);
        CHECK(table_reserve(&bench->table, &bench->key, bench->heap, &old));
        table_array_free(bench->heap, old);
        table_insert(&bench->table, bench->hashes[number], bench->entries[number]);
    }
    entry_write_expiry(bench->entries[number], when);
    bench->when[number] = when;
    expiry_changed(&bench->index, bench->hashes[number], before, when);
}

static void remove_key(struct bench *bench, unsigned number)
{
    struct table_place place;
    struct entry *entry = bench->entries[number];
    CHECK(table_find_expiring(&bench->table, &bench->key, bench->hashes[number], &place) == entry);
    table_remove(&bench->table, bench->hashes[number], place);
    slab_free(bench->heap, entry, entry_size(entry));
    expiry_changed(&bench->index, bench->hashes[number], bench->when[number], -1);
    bench->when[number] = -1;
}

/* Takes off what is due, as the keyspace does it. */
static void expire(struct bench *bench, int64_t now)
{
    while (expiry_first(&bench->index) <= now) {
        struct table_place place;
        uint64_t hash = bench->index.items[0].hash;
        struct entry *entry = table_find_expiring(&bench->table, &bench->key, hash, &place);
        if (entry == NULL) {
            expiry_pop(&bench->index);
            expiry_was_stale(&bench->index);
        } else if (entry_expires_at(entry) > now) {
            expiry_postpone_first(&bench->index, entry_expires_at(entry));
        } else {
            unsigned number;
            memcpy(&number, entry_key(entry).at, sizeof(number));
            expiry_pop(&bench->index);
            remove_key(bench, number);
            expiry_was_stale(&bench->index);
        }
    }
}

static void check_index(const struct bench *bench, int64_t now)
{
    uint32_t live = 0;
    int64_t earliest = INT64_MAX;
    for (unsigned i = 0; i < KEYS; i++) {
        if (bench->when[i] >= 0) {
            CHECK(bench->when[i] > now);
            earliest = bench->when[i] < earliest ? bench->when[i] : earliest;
            live++;
        }
    }
    CHECK_INT(bench->index.live, live);
    CHECK(expiry_first(&bench->index) <= earliest);
    CHECK(bench->index.len <= bench->index.live + bench->index.stale);
    CHECK(bench->index.len <= live + live / 2 + 17);
    for (uint32_t at = 1; at < bench->index.len; at++) {
        CHECK(bench->index.items[(at - 1) / 4].when <= bench->index.items[at].when);
    }
}

static void a_random_history_loses_no_deadline(void)
{
    struct bench *bench = mem_zalloc(sizeof(*bench));
    uint64_t dice = check_seed();
    int64_t now = 1000;
    bench->key = (struct hash_key){ 7, 8 };
    bench->pool = slab_pool_create();
    bench->heap = slab_heap_take(bench->pool);
    CHECK(bench->heap != NULL);
    for (unsigned i = 0; i < KEYS; i++) {
        bench->when[i] = -1;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned number = (unsigned)check_random_below(&dice, KEYS);
        uint64_t action = check_random_below(&dice, 10);
        if (action < 6) {
            set_key(bench, number, now + 1 + (int64_t)check_random_below(&dice, 60));
        } else if (action < 9 && bench->when[number] >= 0) {
            remove_key(bench, number);
        } else {
            now += (int64_t)check_random_below(&dice, 3);
            expire(bench, now);
        }
        expiry_tidy(&bench->index, &bench->table, &bench->key);
        check_index(bench, now);
    }
    expire(bench, INT64_MAX - 1);
    CHECK_INT(bench->index.live, 0);
    CHECK_INT(bench->index.len, 0);
    expiry_release(&bench->index);
    table_array_free(bench->heap, table_detach(&bench->table));
    slab_heap_leave(bench->pool, bench->heap);
    slab_pool_destroy(bench->pool);
    mem_free(bench);
}

int main(void)
{
    RUN_TEST(a_random_history_loses_no_deadline);
    return check_done();
}
