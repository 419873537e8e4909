/* Streams as a structure: random histories against a plain array, the map against a sorted
 * one, blocks byte by byte, and copies, freeing in steps and failing memory. */
#include "keyspace_fixture.h"

#include "base/mem.h"
#include "store/stream_group.h"

static struct fixture fixture;

static struct stream_id id_of(uint64_t ms, uint64_t seq)
{
    return (struct stream_id){ ms, seq };
}

static bool same_id(struct stream_id a, struct stream_id b)
{
    return stream_id_compare(a, b) == 0;
}

/* ---- The map ----------------------------------------------------------------------------- */

enum { MAP_MAX = 3000 };

static struct stream_id kept[MAP_MAX];
static size_t kept_count;

static size_t kept_place(struct stream_id id)
{
    size_t at = 0;
    while (at < kept_count && stream_id_compare(kept[at], id) < 0) {
        at++;
    }
    return at;
}

static void check_map(const struct stream_map *map)
{
    struct stream_place place;
    size_t at = 0;
    CHECK_INT(map->count, kept_count);
    for (bool any = stream_map_first(map, &place); any; any = stream_map_next(map, &place)) {
        CHECK(same_id(stream_map_id(map, place), kept[at++]));
    }
    CHECK_INT(at, kept_count);
    for (bool any = stream_map_last(map, &place); any; any = stream_map_previous(map, &place)) {
        CHECK(same_id(stream_map_id(map, place), kept[--at]));
    }
    CHECK_INT(at, 0);
}

static void check_seek(const struct stream_map *map, struct stream_id id)
{
    struct stream_place place;
    size_t at = kept_place(id);
    bool there = at < kept_count && same_id(kept[at], id);
    CHECK_INT(stream_map_seek(map, id, &place), at < kept_count);
    if (at < kept_count) {
        CHECK(same_id(stream_map_id(map, place), kept[at]));
    }
    CHECK_INT(stream_map_seek_back(map, id, &place), at > 0 || there);
    if (at > 0 || there) {
        CHECK(same_id(stream_map_id(map, place), there ? kept[at] : kept[at - 1]));
    }
    CHECK_INT(stream_map_find(map, id) != NULL, there);
}

static void insert_kept(struct stream_map *map, struct stream_id id)
{
    size_t at = kept_place(id);
    if (kept_count == MAP_MAX || (at < kept_count && same_id(kept[at], id))) {
        return;
    }
    CHECK(stream_map_insert(&fixture.thread, map, id, &fixture));
    memmove(&kept[at + 1], &kept[at], (kept_count - at) * sizeof kept[0]);
    kept[at] = id;
    kept_count++;
}

static void take_kept(struct stream_map *map, struct stream_id id)
{
    size_t at = kept_place(id);
    bool there = at < kept_count && same_id(kept[at], id);
    CHECK_INT(stream_map_take(&fixture.thread, map, id) != NULL, there);
    if (there) {
        kept_count--;
        memmove(&kept[at], &kept[at + 1], (kept_count - at) * sizeof kept[0]);
    }
}

static void a_map_is_a_sorted_array(void)
{
    struct random dice;
    struct stream_map map = { 0 };
    random_init(&dice, check_seed());
    fixture_open(&fixture, 2);
    kept_count = 0;
    for (int step = 0; step < 12000; step++) {
        struct stream_id id = id_of(random_below(&dice, 900), random_below(&dice, 4));
        uint64_t kind = random_below(&dice, 10);
        bool grows = step % 6000 < 3000;
        if (kind == 0 && kept_count > 0) {
            id = kept[kept_count - 1]; /* Behind everything. */
            id.ms += random_below(&dice, 2);
            id.seq++;
            insert_kept(&map, id);
        } else if (kind == 1 && kept_count > 0) {
            take_kept(&map, kept[0]);
        } else if (kind < (grows ? 8u : 3u)) {
            insert_kept(&map, id);
        } else {
            take_kept(&map,
                      kept_count > 0 && kind % 2 == 0 ? kept[random_below(&dice, kept_count)] : id);
        }
        check_seek(&map, id_of(random_below(&dice, 900), random_below(&dice, 5)));
        if (step % 500 == 0) {
            check_map(&map);
        }
    }
    check_map(&map);
    stream_map_release(&fixture.thread, &map);
    fixture_close(&fixture);
}

static void a_map_that_is_appended_to_is_full(void)
{
    enum { ITEMS = 100000 };
    struct stream_map map = { 0 };
    fixture_open(&fixture, 2);
    for (uint64_t i = 0; i < ITEMS; i++) {
        CHECK(stream_map_insert(&fixture.thread, &map, id_of(i, 0), &fixture));
    }
    CHECK(stream_map_memory(&map) < ITEMS * 25);
    for (uint64_t i = 0; i < ITEMS; i++) {
        CHECK(stream_map_take(&fixture.thread, &map, id_of(i, 0)) != NULL);
    }
    CHECK_INT(stream_map_memory(&map), 0);
    fixture_close(&fixture);
}

/* ---- Blocks -------------------------------------------------------------------------------- */

static void blocks_have_redis_s_layout(void)
{
    static const char expected[] = "\x2c\x00\x00\x00\x11\x00"
                                   "\x02\x01\x00\x01\x01\x01\x81"
                                   "f\x02\x00\x01" /* master */
                                   "\x02\x01\x00\x01\x00\x01\x81"
                                   "v\x02\x04\x01" /* the same fields */
                                   "\x00\x01\x01\x01\x02\x01\x01\x01\x81"
                                   "g\x02\x05\x01\x06\x01" /* another one */
                                   "\xff";
    struct bytes first[] = { LIT("f"), LIT("v") }, second[] = { LIT("g"), LIT("5") };
    fixture_open(&fixture, 2);
    struct stream_block *block = stream_block_create(&fixture.thread, first, 1);
    CHECK(block != NULL);
    CHECK(stream_block_append(&fixture.thread, &block, id_of(5, 1), id_of(6, 3), second, 1));
    CHECK_BYTES(stream_block_bytes(block), ((struct bytes){ expected, sizeof expected - 1 }));
    CHECK(stream_block_check(stream_block_bytes(block), id_of(5, 1)));
    stream_block_destroy(&fixture.thread, block);
    fixture_close(&fixture);
}

/* Whatever bytes are changed, checking and then walking a block stays inside of it. */
static void mangled_blocks_are_refused_or_sound(void)
{
    struct random dice;
    struct bytes pairs[] = { LIT("field"), LIT("value"), LIT("n"), LIT("70000") };
    random_init(&dice, check_seed());
    fixture_open(&fixture, 2);
    struct stream_block *block = stream_block_create(&fixture.thread, pairs, 2);
    for (uint64_t i = 1; i < 5; i++) {
        CHECK(stream_block_append(&fixture.thread, &block, id_of(1, 0), id_of(1, i * 100), pairs,
                                  i % 2 == 0 ? 2 : 1));
    }
    struct bytes pack = stream_block_bytes(block);
    char *copy = mem_alloc(pack.len);
    for (int round = 0; round < 20000; round++) {
        memcpy(copy, pack.at, pack.len);
        for (uint64_t n = random_below(&dice, 3) + 1; n > 0; n--) {
            copy[random_below(&dice, pack.len)] = (char)random_below(&dice, 256);
        }
        if (!stream_block_check((struct bytes){ copy, pack.len }, id_of(1, 0))) {
            continue;
        }
        struct stream *stream = stream_create(&fixture.thread);
        CHECK(stream_add_block(&fixture.thread, stream, id_of(1, 0),
                               (struct bytes){ copy, pack.len }));
        struct stream_walk walk;
        struct stream_entry entry;
        uint64_t forwards = 0, backwards = 0;
        for (int back = 0; back < 2; back++) {
            stream_walk_begin(&walk, stream, STREAM_ID_MIN, STREAM_ID_MAX, back == 1);
            while (stream_walk_next(&walk, &entry)) {
                char a[LISTPACK_TEXT_ROOM], b[LISTPACK_TEXT_ROOM];
                struct bytes field, value;
                for (uint32_t i = entry.field_count; i > 0; i--) {
                    stream_entry_pair(&entry, &field, a, &value, b);
                }
                *(back == 1 ? &backwards : &forwards) += 1;
            }
        }
        CHECK(forwards <= stream->length && backwards <= stream->length);
        stream_free(&fixture.thread, stream);
    }
    mem_free(copy);
    stream_block_destroy(&fixture.thread, block);
    fixture_close(&fixture);
}

/* ---- Streams against a model --------------------------------------------------------------- */

enum { MODEL_MAX = 4000, VALUES = 6 };

struct model_entry {
    struct stream_id id;
    unsigned value;
    uint32_t fields;
};

struct model {
    struct model_entry at[MODEL_MAX];
    size_t count;
};

static struct model model;
static char long_value[300];

static struct bytes value_of(unsigned number)
{
    struct bytes values[VALUES] = { LIT(""),     LIT("7"),
                                    LIT("-129"), LIT("99999999999"),
                                    LIT("text"), { long_value, sizeof long_value } };
    return values[number % VALUES];
}

static struct bytes field_of(unsigned number)
{
    return number % 7 == 0 ? LIT("other") : LIT("f");
}

static void check_range(const struct stream *stream, struct stream_id from, struct stream_id to)
{
    struct stream_walk walk;
    struct stream_entry entry;
    size_t first = 0, behind;
    while (first < model.count && stream_id_compare(model.at[first].id, from) < 0) {
        first++;
    }
    behind = first;
    stream_walk_begin(&walk, stream, from, to, false);
    while (stream_walk_next(&walk, &entry)) {
        CHECK(behind < model.count && same_id(entry.id, model.at[behind].id));
        CHECK_INT(entry.field_count, model.at[behind].fields);
        for (uint32_t i = 0; i < model.at[behind].fields; i++) {
            char a[LISTPACK_TEXT_ROOM], b[LISTPACK_TEXT_ROOM];
            struct bytes field, value;
            stream_entry_pair(&entry, &field, a, &value, b);
            CHECK_BYTES(field, field_of(model.at[behind].value));
            CHECK_BYTES(value, value_of(model.at[behind].value + i));
        }
        behind++;
    }
    CHECK(behind == model.count || stream_id_compare(model.at[behind].id, to) > 0);
    stream_walk_begin(&walk, stream, from, to, true);
    while (stream_walk_next(&walk, &entry)) {
        CHECK(behind > first && same_id(entry.id, model.at[--behind].id));
    }
    CHECK_INT(behind, first);
}

static void check_stream(const struct stream *stream)
{
    struct stream_place place;
    struct stream_id last;
    CHECK_INT(stream->length, model.count);
    check_range(stream, STREAM_ID_MIN, STREAM_ID_MAX);
    for (bool any = stream_map_first(&stream->blocks, &place); any;
         any = stream_map_next(&stream->blocks, &place)) {
        CHECK(stream_block_check(stream_block_bytes(stream_map_value(&stream->blocks, place)),
                                 stream_map_id(&stream->blocks, place)));
    }
    CHECK_INT(stream_last_entry_id(stream, &last), model.count > 0);
    CHECK(same_id(stream->first_id, model.count > 0 ? model.at[0].id : STREAM_ID_MIN));
    if (model.count > 0) {
        CHECK(same_id(last, model.at[model.count - 1].id));
    }
}

static bool append_both(struct stream *stream, const struct value_limits *limits,
                        struct stream_id id, unsigned value)
{
    struct bytes pairs[4] = { field_of(value), value_of(value), field_of(value),
                              value_of(value + 1) };
    uint32_t fields = value % 5 == 0 ? 2 : 1;
    if (model.count == MODEL_MAX ||
        !stream_append(&fixture.thread, stream, limits, id, pairs, fields)) {
        return false;
    }
    model.at[model.count++] = (struct model_entry){ id, value, fields };
    return true;
}

static void delete_both(struct stream *stream, size_t at)
{
    CHECK(stream_delete(&fixture.thread, stream, model.at[at].id));
    CHECK(!stream_delete(&fixture.thread, stream, model.at[at].id));
    stream_refresh_first(stream);
    model.count--;
    memmove(&model.at[at], &model.at[at + 1], (model.count - at) * sizeof model.at[0]);
}

static void trim_both(struct stream *stream, struct random *dice)
{
    struct stream_trim trim = { .by = STREAM_TRIM_LENGTH,
                                .max_length = model.count - random_below(dice, model.count / 8 + 1),
                                .roughly = random_below(dice, 2) == 0 };
    if (random_below(dice, 2) == 0) {
        trim.by = STREAM_TRIM_ID;
        trim.min_id = model.at[random_below(dice, model.count / 8 + 1)].id;
    }
    int64_t deleted = stream_trim(&fixture.thread, stream, &trim);
    CHECK(deleted >= 0 && (size_t)deleted <= model.count);
    model.count -= (size_t)deleted;
    memmove(&model.at[0], &model.at[deleted], model.count * sizeof model.at[0]);
    if (!trim.roughly && trim.by == STREAM_TRIM_LENGTH) {
        CHECK_INT(model.count, trim.max_length);
    }
    if (!trim.roughly && trim.by == STREAM_TRIM_ID) {
        CHECK(model.count == 0 || stream_id_compare(model.at[0].id, trim.min_id) >= 0);
    }
}

static void run_history(uint64_t max_entries, uint64_t max_bytes)
{
    struct random dice;
    struct value_limits limits;
    struct stream_id last = { 100, 0 };
    value_limits_init(&limits);
    limits.stream_node_max_entries = max_entries;
    limits.stream_node_max_bytes = max_bytes;
    random_init(&dice, check_seed() + max_entries);
    struct stream *stream = stream_create(&fixture.thread);
    model.count = 0;
    for (int step = 0; step < 6000; step++) {
        uint64_t kind = random_below(&dice, 100);
        if (kind < 70 || model.count == 0) {
            last.ms += random_below(&dice, 3) == 0 ? random_below(&dice, 100000) : 0;
            last.seq += 1 + random_below(&dice, 200);
            (void)append_both(stream, &limits, last, (unsigned)random_below(&dice, 1000));
        } else if (kind < 94) {
            delete_both(stream, random_below(&dice, model.count));
        } else if (kind < 96) {
            trim_both(stream, &dice);
        } else {
            struct stream_id from = model.at[random_below(&dice, model.count)].id;
            struct stream_id to = model.at[random_below(&dice, model.count)].id;
            from.seq += random_below(&dice, 3) - 1;
            check_range(stream, from, stream_id_compare(from, to) > 0 ? STREAM_ID_MAX : to);
        }
        if (step % 1000 == 0) {
            check_stream(stream);
        }
    }
    check_stream(stream);
    stream_free(&fixture.thread, stream);
}

static void a_stream_is_an_array_of_entries(void)
{
    memset(long_value, 'v', sizeof long_value);
    fixture_open(&fixture, 2);
    run_history(100, 4096);
    run_history(1, 4096);
    run_history(7, 0);
    run_history(0, 100000);
    run_history(0, 200);
    fixture_close(&fixture);
}

/* ---- Copies, freeing, failing memory ------------------------------------------------------- */

/* A stream with groups, so many entries and as many pending ones; NULL when memory is short. */
static struct stream *make_grouped(uint64_t entries)
{
    struct value_limits limits;
    value_limits_init(&limits);
    struct stream *stream = stream_create(&fixture.thread);
    bool whole = stream != NULL;
    struct stream_group *group =
        whole ? stream_group_create(&fixture.thread, stream, LIT("g"), STREAM_ID_MIN, 0) : NULL;
    whole = group != NULL &&
            stream_group_create(&fixture.thread, stream, LIT("a"), STREAM_ID_MIN, 0) != NULL;
    struct stream_consumer *one =
        whole ? stream_consumer_create(&fixture.thread, group, LIT("one"), 5) : NULL;
    struct stream_consumer *two =
        one != NULL ? stream_consumer_create(&fixture.thread, group, LIT("two"), 6) : NULL;
    whole = two != NULL;
    for (uint64_t i = 1; whole && i <= entries; i++) {
        struct bytes pairs[] = { LIT("f"), LIT("value") };
        struct stream_id id = id_of(i, 0);
        whole = stream_append(&fixture.thread, stream, &limits, id, pairs, 1) &&
                stream_pending_create(&fixture.thread, group, i % 3 == 0 ? two : one, id,
                                      (int64_t)i) != NULL;
    }
    if (!whole) {
        stream_free(&fixture.thread, stream);
        return NULL;
    }
    CHECK_INT(group->pending.count, one->pending.count + two->pending.count);
    return stream;
}

static void a_copy_is_equal_and_independent(void)
{
    fixture_open(&fixture, 2);
    struct stream *stream = make_grouped(1000);
    struct stream *copy = stream_copy(&fixture.thread, ENCODING_STREAM, stream);
    CHECK(copy != NULL);
    CHECK_INT(stream_elements(ENCODING_STREAM, copy), 1000);
    CHECK(stream_memory(ENCODING_STREAM, copy, 0) <= stream_memory(ENCODING_STREAM, stream, 0));
    CHECK(stream_memory(ENCODING_STREAM, stream, 5) > 0);
    stream_free(&fixture.thread, stream);
    struct stream_group *group = stream_group_find(copy, LIT("g"));
    CHECK(group != NULL && stream_group_at(copy, 0) != group);
    struct stream_consumer *two = stream_consumer_find(group, LIT("two"));
    CHECK_INT(two->pending.count, 333);
    CHECK_INT(stream_pending_find(group, id_of(3, 0))->delivered_ms, 3);
    stream_consumer_destroy(&fixture.thread, group, two);
    CHECK_INT(group->pending.count, 667);
    CHECK(!stream_pending_destroy(&fixture.thread, group, id_of(3, 0)));
    CHECK(stream_pending_destroy(&fixture.thread, group, id_of(4, 0)));
    stream_group_destroy(&fixture.thread, copy, group);
    CHECK_INT(copy->groups.count, 1);
    stream_free(&fixture.thread, copy);
    fixture_close(&fixture);
}

static void a_large_stream_is_freed_in_steps(void)
{
    fixture_open(&fixture, 2);
    struct stream *stream = make_grouped(5000);
    int steps = 1;
    while (stream_destroy_step(&fixture.thread, ENCODING_STREAM, stream, 0)) {
        steps++;
    }
    CHECK(steps > 50);
    fixture_close(&fixture);
}

static void without_memory_nothing_leaks_and_nothing_changes(void)
{
    fixture_open(&fixture, 2);
    struct stream *stream = NULL;
    long n = 0;
    while (stream == NULL) {
        mem_fail_after(++n);
        stream = make_grouped(150);
        mem_fail_after(0);
    }
#ifdef RLN_TEST
    CHECK(n > 20);
#endif
    struct stream *copy = NULL;
    for (n = 0; copy == NULL;) {
        mem_fail_after(++n);
        copy = stream_copy(&fixture.thread, ENCODING_STREAM, stream);
        mem_fail_after(0);
    }
    stream_free(&fixture.thread, copy);
    stream_free(&fixture.thread, stream);
    fixture_close(&fixture);
}

/* ---- What Redis tells of its tree ------------------------------------------------------------ */

static uint64_t nodes_of(const struct stream_id *ids, size_t count)
{
    struct value_limits limits;
    struct bytes pairs[] = { LIT("f"), LIT("v") };
    value_limits_init(&limits);
    limits.stream_node_max_entries = 1;
    struct stream *stream = stream_create(&fixture.thread);
    for (size_t i = 0; i < count; i++) {
        CHECK(stream_append(&fixture.thread, stream, &limits, ids[i], pairs, 1));
    }
    uint64_t nodes = stream_tree_nodes(stream);
    stream_free(&fixture.thread, stream);
    return nodes;
}

static void nodes_are_those_of_a_radix_tree(void)
{
    struct stream_id ids[] = { { 1, 1 }, { 1, 2 }, { 1, 300 }, { 256, 0 }, { UINT64_MAX, 5 } };
    fixture_open(&fixture, 2);
    CHECK_INT(nodes_of(ids, 0), 1);
    CHECK_INT(nodes_of(ids, 1), 2);
    CHECK_INT(nodes_of(ids, 2), 4);
    CHECK_INT(nodes_of(ids, 3), 7);
    CHECK_INT(nodes_of(ids, 4), 11);
    CHECK_INT(nodes_of(ids, 5), 14);
    fixture_close(&fixture);
}

int main(void)
{
    RUN_TEST(a_map_is_a_sorted_array);
    RUN_TEST(a_map_that_is_appended_to_is_full);
    RUN_TEST(blocks_have_redis_s_layout);
    RUN_TEST(mangled_blocks_are_refused_or_sound);
    RUN_TEST(a_stream_is_an_array_of_entries);
    RUN_TEST(a_copy_is_equal_and_independent);
    RUN_TEST(a_large_stream_is_freed_in_steps);
    RUN_TEST(without_memory_nothing_leaks_and_nothing_changes);
    RUN_TEST(nodes_are_those_of_a_radix_tree);
    return check_done();
}
