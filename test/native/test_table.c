/* A stripe's table against a list: find, insert, remove at random while it grows and
 * shrinks, with short keys, long ones and other databases; and without memory. */
#include "base/mem.h"
#include "check.h"
#include "store/table.h"

enum { ENTRIES = 3000, STEPS = 40000 };

struct item {
    struct entry *entry;
    uint64_t hash;
    uint32_t id;
    char name[300];
    size_t len;
    bool inside;
};

struct bench {
    struct slab_pool *pool;
    struct slab_heap *heap;
    struct hash_key key;
    struct table table;
    struct item *items;
    size_t inside;
};

static size_t item_size(const struct item *item)
{
    return sizeof(struct entry) + sizeof(struct entry_wide) + item->len;
}

static void create_item(struct bench *bench, struct item *item, unsigned number)
{
    item->id = number % 7 == 0 ? 2 : 0;
    item->len = (size_t)snprintf(item->name, sizeof(item->name), "key %u", number);
    if (number % 11 == 0) {
        memset(item->name + item->len, '.', sizeof(item->name) - item->len);
        item->len = sizeof(item->name);
    }
    bool wide = item->id != 0 || item->len > ENTRY_SHORT_KEY_MAX;
    struct bytes name = { item->name, item->len };
    item->hash = hash_bytes(&bench->key, name, item->id);
    item->entry = slab_alloc(bench->heap, item_size(item));
    CHECK(item->entry != NULL);
    memset(item->entry, 0, item_size(item));
    item->entry->flags = wide ? ENTRY_WIDE : 0;
    item->entry->short_key_len = wide ? 255 : (uint8_t)item->len;
    struct entry_wide part = { item->id, (uint32_t)item->len };
    memcpy(item->entry->tail, &part, wide ? sizeof(part) : 0);
    memcpy(item->entry->tail + (wide ? sizeof(part) : 0), item->name, item->len);
}

static void open_bench(struct bench *bench)
{
    *bench = (struct bench){ .key = { 3, 4 } };
    bench->pool = slab_pool_create();
    CHECK(bench->pool != NULL);
    bench->heap = slab_heap_take(bench->pool);
    CHECK(bench->heap != NULL);
    bench->items = mem_zalloc(ENTRIES * sizeof(*bench->items));
    for (unsigned i = 0; i < ENTRIES; i++) {
        create_item(bench, &bench->items[i], i);
    }
}

static void close_bench(struct bench *bench)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        slab_free(bench->heap, bench->items[i].entry, item_size(&bench->items[i]));
    }
    table_array_free(bench->heap, table_detach(&bench->table));
    mem_free(bench->items);
    slab_heap_leave(bench->pool, bench->heap);
    slab_pool_destroy(bench->pool);
}

static void check_item(const struct bench *bench, const struct item *item)
{
    struct table_place place;
    struct bytes name = { item->name, item->len };
    struct entry *found = table_find(&bench->table, item->hash, item->id, name, &place);
    CHECK(found == (item->inside ? item->entry : NULL));
    CHECK(table_find(&bench->table, item->hash, item->id + 1, name, &place) == NULL);
}

static bool insert_item(struct bench *bench, struct item *item)
{
    struct table_array old;
    bool room = table_reserve(&bench->table, &bench->key, bench->heap, &old);
    table_array_free(bench->heap, old);
    if (room) {
        table_insert(&bench->table, item->hash, item->entry);
        item->inside = true;
        bench->inside++;
    }
    return room;
}

static void remove_item(struct bench *bench, struct item *item)
{
    struct table_place place;
    struct table_array old;
    CHECK(table_find(&bench->table, item->hash, item->id, (struct bytes){ item->name, item->len },
                     &place) == item->entry);
    table_remove(&bench->table, item->hash, place);
    table_shrink(&bench->table, &bench->key, bench->heap, &old);
    table_array_free(bench->heap, old);
    item->inside = false;
    bench->inside--;
}

static void check_whole(const struct bench *bench)
{
    struct table_array array = table_array(&bench->table);
    size_t count = 0;
    for (unsigned i = 0; i < ENTRIES; i++) {
        check_item(bench, &bench->items[i]);
    }
    for (uint32_t at = 0; at < array.size; at++) {
        const struct bucket *bucket = &array.buckets[at];
        for (uint64_t used = bucket_used(bucket); used != 0; used = match_next(used)) {
            struct entry *entry = bucket_entry(bucket, match_slot(used));
            CHECK_INT(slot_home(&bench->key, bucket, match_slot(used), array.size),
                      table_home(entry_hash(&bench->key, entry), array.size));
            count++;
        }
    }
    CHECK_INT(count, bench->inside);
    CHECK_INT(bench->table.count, bench->inside);
}

static void a_random_history_finds_what_is_inside_and_nothing_else(void)
{
    struct bench bench;
    uint64_t dice = check_seed();
    open_bench(&bench);
    for (unsigned step = 0; step < STEPS; step++) {
        struct item *item = &bench.items[check_random_below(&dice, ENTRIES)];
        bool growing = step / 8000 % 2 == 0;
        check_item(&bench, item);
        if (!item->inside && (growing || check_random_below(&dice, 8) == 0)) {
            CHECK(insert_item(&bench, item));
        } else if (item->inside && (!growing || check_random_below(&dice, 8) == 0)) {
            remove_item(&bench, item);
        }
        if (step % 4000 == 3999) {
            check_whole(&bench);
        }
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (bench.items[i].inside) {
            remove_item(&bench, &bench.items[i]);
        }
    }
    check_whole(&bench);
    CHECK_INT(table_array(&bench.table).size, 1);
    close_bench(&bench);
}

static void without_memory_the_table_fills_up_and_then_refuses(void)
{
#if defined(RLN_TEST) && defined(SLAB_PASSTHROUGH)
    struct bench bench;
    open_bench(&bench);
    CHECK(insert_item(&bench, &bench.items[0]));
    for (unsigned i = 1; i < TABLE_SLOTS; i++) {
        mem_fail_after(1);
        CHECK(insert_item(&bench, &bench.items[i]));
        mem_fail_after(0);
    }
    mem_fail_after(1);
    CHECK(!insert_item(&bench, &bench.items[TABLE_SLOTS]));
    mem_fail_after(0);
    check_whole(&bench);
    CHECK(insert_item(&bench, &bench.items[TABLE_SLOTS]));
    check_whole(&bench);
    close_bench(&bench);
#endif
}

static void a_table_is_mostly_full_at_every_size(void)
{
    struct bench bench;
    open_bench(&bench);
    for (unsigned i = 0; i < ENTRIES; i++) {
        CHECK(insert_item(&bench, &bench.items[i]));
        uint32_t slots = table_array(&bench.table).size * TABLE_SLOTS;
        CHECK(bench.table.count <= slots);
        CHECK(i < 200 || bench.table.count * 100 >= slots * 70);
    }
    check_whole(&bench);
    close_bench(&bench);
}

static void tags_match_one_bit_for_each_equal_byte(void)
{
    uint64_t dice = check_seed();
    for (int i = 0; i < 2000; i++) {
        uint64_t tags = check_random(&dice) & UINT64_C(0x0301030103010301);
        uint8_t tag = (uint8_t)check_random_below(&dice, 4);
        uint64_t expected = 0;
        for (unsigned slot = 0; slot < 8; slot++) {
            if ((uint8_t)(tags >> (8 * slot)) == tag) {
                expected |= UINT64_C(0x80) << (8 * slot);
            }
        }
        CHECK(tags_match(tags, tag) == expected);
    }
}

int main(void)
{
    RUN_TEST(a_random_history_finds_what_is_inside_and_nothing_else);
    RUN_TEST(without_memory_the_table_fills_up_and_then_refuses);
    RUN_TEST(a_table_is_mostly_full_at_every_size);
    RUN_TEST(tags_match_one_bit_for_each_equal_byte);
    return check_done();
}
