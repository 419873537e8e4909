/* Lists: random histories against a plain array, through every limit of a piece, with memory
 * that fails; the change between short and long lists; copies, and what freeing leaves. */
#include "keyspace_fixture.h"

#include "base/mem.h"
#include "list_model.h"
#include "store/list.h"

static struct fixture fixture;
static const struct bytes key = { "list", 4 };

enum { TEXT_MAX = 20000 };

/* ---- A list under a key ---------------------------------------------------------------------- */

static struct entry *open_list(void) UNCHECKED_LOCKING
{
    struct entry *entry;
    fixture_lock(&fixture, 0, key, KEYLOCK_WRITE);
    void *list = list_create(&fixture.thread);
    CHECK(list != NULL);
    CHECK_INT(
        keyspace_add(fixture.ks, &fixture.lock, key, VALUE_LIST, ENCODING_LISTPACK, list, &entry),
        OK);
    return entry;
}

static void close_list(void) UNCHECKED_LOCKING
{
    CHECK(keyspace_delete(fixture.ks, &fixture.lock, key, true));
    fixture_unlock(&fixture);
    while (keyspace_background(&fixture.thread, 1000)) {}
    CHECK_INT(keyspace_pending_frees(fixture.ks), 0);
    CHECK_INT(fixture.thread.owners, 0);
    CHECK_INT(fixture.thread.outside, 0);
}

static void fail_sometimes(uint64_t *dice, bool on)
{
#ifdef RLN_TEST
    mem_fail_after(on && check_random_below(dice, 5) == 0 ? 1 + (long)check_random_below(dice, 3)
                                                          : 0);
#else
    (void)dice;
    (void)on;
#endif
}

static struct bytes random_text(uint64_t *dice, char *room, size_t most)
{
    uint64_t kind = check_random_below(dice, 20);
    if (kind < 6) {
        int len = snprintf(room, 32, "%lld",
                           (long long)(check_random(dice) >> check_random_below(dice, 64)));
        return (struct bytes){ room, (size_t)len };
    }
    size_t len = check_random_below(dice, kind < 17 ? 40 : kind < 19 ? 900 : most);
    for (size_t i = 0; i < len; i++) {
        room[i] = (char)('a' + check_random_below(dice, 2));
    }
    return (struct bytes){ room, len };
}

static void expect_same(const struct entry *entry, const struct model *model)
{
    char room[LISTPACK_TEXT_ROOM];
    struct list_cursor cursor;
    CHECK_INT(list_count(entry), model->count);
    CHECK_INT(value_elements(entry), model->count);
    for (size_t i = 0; i < model->count; i++) {
        CHECK(i == 0 ? list_seek(entry, 0, &cursor) : list_next(&cursor));
        CHECK_BYTES(list_text(&cursor, room), model->at[i]);
        CHECK(list_is(&cursor, model->at[i]));
    }
    CHECK(model->count == 0 || !list_next(&cursor));
    for (size_t i = 0; i < model->count; i++) {
        CHECK(i == 0 ? list_seek(entry, -1, &cursor) : list_previous(&cursor));
        CHECK_BYTES(list_text(&cursor, room), model->at[model->count - 1 - i]);
    }
    CHECK(model->count == 0 || !list_previous(&cursor));
    uint64_t elements = 0;
    for (const struct list_node *node = list_first_node(entry); node != NULL;
         node = list_next_node(node)) {
        bool plain;
        struct bytes content = list_node_content(node, &plain);
        CHECK(plain || listpack_check(content, true));
        const struct listpack *lp = (const struct listpack *)(const void *)content.at;
        elements += plain ? 1 : listpack_count(lp);
    }
    CHECK_INT(elements, list_first_node(entry) != NULL ? model->count : 0);
}

static void change(struct entry *entry, struct model *model, uint64_t *dice, bool grow)
{
    static char room[TEXT_MAX];
    struct store_thread *thread = &fixture.thread;
    struct bytes text = random_text(dice, room, TEXT_MAX);
    size_t index = model->count > 0 ? check_random_below(dice, model->count) : 0;
    bool tail = check_random_below(dice, 2) == 0;
    uint64_t what = check_random_below(dice, grow ? 7 : 12);
    struct list_cursor cursor;
    if (model->count == 0 || (what < 5 && model->count == MODEL_MAX)) {
        what = model->count == 0 ? 0 : 11;
    }
    if (what < 6 && !list_prepare(thread, entry, &text, 1)) {
        return;
    }
    switch (what) {
    case 0:
    case 1:
    case 2:
        if (list_push(thread, entry, tail ? LIST_TAIL : LIST_HEAD, text)) {
            model_insert(model, tail ? model->count : 0, text);
        }
        break;
    case 3:
    case 4:
        CHECK(list_seek(entry, (int64_t)index, &cursor));
        if (list_insert(thread, entry, &cursor, tail, text)) {
            model_insert(model, index + tail, text);
        }
        break;
    case 5:
        CHECK(list_seek(entry, (int64_t)index - (tail ? (int64_t)model->count : 0), &cursor));
        if (list_replace(thread, entry, &cursor, text)) {
            model_delete(model, index, 1);
            model_insert(model, index, text);
        }
        break;
    case 6:
    case 7: {
        CHECK(list_seek(entry, (int64_t)index, &cursor));
        bool more = list_delete(thread, entry, &cursor, tail);
        model_delete(model, index, 1);
        CHECK_INT(more, tail ? index > 0 : index < model->count);
        if (more) {
            CHECK(list_is(&cursor, model->at[tail ? index - 1 : index]));
        }
        break;
    }
    case 8:
    case 9: {
        size_t count = check_random_below(dice, 4);
        list_pop(thread, entry, tail ? LIST_TAIL : LIST_HEAD, count);
        count = count < model->count ? count : model->count;
        model_delete(model, tail ? model->count - count : 0, count);
        break;
    }
    default: {
        size_t count = check_random_below(dice, 120);
        list_delete_range(thread, entry, index, count);
        model_delete(model, index, count < model->count - index ? count : model->count - index);
        break;
    }
    }
    if (model->count > 0) {
        list_settle(thread, entry);
    }
}

static void run_history(int64_t size, uint64_t threshold)
{
    uint64_t dice = check_seed() + (uint64_t)size;
    struct value_limits *limits = keyspace_limits(fixture.ks);
    limits->list_max_listpack_size = size;
    limits->list_packed_threshold = threshold;
    struct model *model = mem_zalloc(sizeof *model);
    struct entry *entry = open_list();
    for (int step = 0; step < 1500; step++) {
        fail_sometimes(&dice, true);
        change(entry, model, &dice, step / 400 % 2 == 0);
        fail_sometimes(&dice, false);
        if (step % 4 == 0) {
            expect_same(entry, model);
        }
        if (step % 200 == 0) {
            fail_sometimes(&dice, true);
            void *copy = value_copy(&fixture.thread, entry);
            fail_sometimes(&dice, false);
            if (copy != NULL) {
                void *original = entry_pointer(entry);
                entry_set_pointer(entry, copy);
                expect_same(entry, model);
                CHECK(value_memory(entry, 0) > 0);
                value_destroy(&fixture.thread, VALUE_LIST, (enum encoding)entry->encoding,
                              original);
            }
        }
    }
    close_list();
    model_delete(model, 0, model->count);
    mem_free(model);
    value_limits_init(limits);
}

static void random_histories_read_as_the_model(void)
{
    run_history(-2, 0);
    run_history(-1, 0);
    run_history(-5, 0);
    run_history(128, 0);
    run_history(3, 0);
    run_history(1, 0);
    run_history(0, 20);
    run_history(-2, 30);
}

/* ---- Short and long ---------------------------------------------------------------------------- */

static void push(struct entry *entry, enum list_end end, struct bytes text)
{
    CHECK(list_prepare(&fixture.thread, entry, &text, 1));
    CHECK(list_push(&fixture.thread, entry, end, text));
}

static void a_list_is_long_beyond_the_limit_and_short_again_at_half_of_it(void)
{
    struct value_limits *limits = keyspace_limits(fixture.ks);
    limits->list_max_listpack_size = 4;
    struct entry *entry = open_list();
    for (int i = 0; i < 4; i++) {
        push(entry, LIST_TAIL, LIT("x"));
    }
    CHECK_INT(entry->encoding, ENCODING_LISTPACK);
    push(entry, LIST_TAIL, LIT("x"));
    CHECK_INT(entry->encoding, ENCODING_QUICKLIST);
    CHECK_INT(list_nodes(entry), 2);
    list_pop(&fixture.thread, entry, LIST_TAIL, 2);
    list_settle(&fixture.thread, entry);
    CHECK_INT(entry->encoding, ENCODING_QUICKLIST); /* Three are more than half of four. */
    list_pop(&fixture.thread, entry, LIST_HEAD, 1);
    list_settle(&fixture.thread, entry);
    CHECK_INT(entry->encoding, ENCODING_LISTPACK);
    value_limits_init(limits);
    close_list();
}

static void a_million_elements_take_little_more_than_their_bytes(void)
{
    enum { COUNT = 200 * 1000, ELEMENT = 18 }; /* 16 bytes, and two of the format */
    struct entry *entry = open_list();
    for (int i = 0; i < COUNT; i++) {
        push(entry, i % 2 == 0 ? LIST_HEAD : LIST_TAIL, LIT("abcdefghijklmnop"));
    }
    CHECK(value_memory(entry, 0) < (size_t)COUNT * ELEMENT * 102 / 100);
    struct list_cursor cursor;
    CHECK(list_seek(entry, COUNT / 3, &cursor));
    CHECK(!list_seek(entry, COUNT, &cursor));
    close_list();
}

static void a_queue_stays_in_its_room(void)
{
    struct entry *entry = open_list();
    for (int i = 0; i < 100; i++) {
        push(entry, LIST_TAIL, LIT("abcdefghijklmnopqrstuvwxyz"));
    }
    size_t memory = value_memory(entry, 0);
    for (int i = 0; i < 20000; i++) {
        push(entry, LIST_TAIL, LIT("abcdefghijklmnopqrstuvwxyz"));
        list_pop(&fixture.thread, entry, LIST_HEAD, 1);
        list_settle(&fixture.thread, entry);
    }
    CHECK(value_memory(entry, 0) <= memory * 2);
    close_list();
}

static void pieces_go_into_another_list(void)
{
    struct entry *entry = open_list();
    for (int i = 0; i < 2000; i++) {
        push(entry, LIST_TAIL, LIT("abcdefghijklmnopqrstuvwxyz"));
    }
    void *loaded = list_create_long(&fixture.thread);
    CHECK(loaded != NULL);
    uint64_t nodes = 0;
    for (const struct list_node *node = list_first_node(entry); node != NULL;
         node = list_next_node(node)) {
        bool plain;
        struct bytes content = list_node_content(node, &plain);
        CHECK(list_load_node(&fixture.thread, loaded, content, plain));
        nodes++;
    }
    CHECK(list_load_node(&fixture.thread, loaded, LIT("plain"), true));
    CHECK_INT(nodes, list_nodes(entry));
    CHECK_INT(list_elements(ENCODING_QUICKLIST, loaded), 2001);
    CHECK(!list_destroy_step(&fixture.thread, ENCODING_QUICKLIST, loaded, INT64_MAX));
    close_list();
}

/* A list of some hundred pieces, of which the background frees the larger part. */
static void make_large(uint32_t db)
{
    struct entry *entry;
    fixture_lock(&fixture, db, key, KEYLOCK_WRITE);
    void *list = list_create(&fixture.thread);
    CHECK_INT(
        keyspace_add(fixture.ks, &fixture.lock, key, VALUE_LIST, ENCODING_LISTPACK, list, &entry),
        OK);
    for (int i = 0; i < 20000; i++) {
        push(entry, LIST_TAIL, LIT("abcdefghijklmnopqrstuvwxyz"));
    }
    CHECK(keyspace_entry_memory(entry, 5) > (size_t)20000 * 26);
    fixture_unlock(&fixture);
}

static void drain(void)
{
    while (keyspace_background(&fixture.thread, 0)) {}
    CHECK_INT(keyspace_pending_frees(fixture.ks), 0);
    CHECK_INT(fixture.thread.owners, 0);
}

static void nothing_is_left_of_a_list_however_its_key_ends(void)
{
    struct entry *entry;
    make_large(0);
    CHECK_INT(fixture_set(&fixture, 0, key, LIT("text"), KEYSPACE_NO_EXPIRY), OK);
    fixture_expect(&fixture, 0, key, LIT("text"), KEYSPACE_NO_EXPIRY);
    CHECK_INT(keyspace_pending_frees(fixture.ks), 1);
    drain();
    CHECK(fixture_delete(&fixture, 0, key));

    make_large(0);
    fixture_lock(&fixture, 0, key, KEYLOCK_WRITE);
    CHECK_INT(keyspace_find(fixture.ks, &fixture.lock, key, VALUE_LIST, &entry), OK);
    CHECK_INT(keyspace_expire_at(fixture.ks, &fixture.lock, &entry, fixture_now_ms(&fixture) + 5),
              OK);
    CHECK_INT(list_count(entry), 20000);
    fixture_unlock(&fixture);
    fixture_pass(&fixture, 10);
    while (keyspace_expire_due(&fixture.thread, 1000) == 0) {}
    CHECK_INT(keyspace_size(fixture.ks, 0), 0);
    drain();

    make_large(0);
    make_large(1);
    fixture_lock2(&fixture, 0, key, 1, LIT("to"), KEYLOCK_WRITE);
    CHECK_INT(keyspace_move(fixture.ks, &fixture.lock, 0, key, 1, LIT("to")), OK);
    fixture_unlock(&fixture);
    CHECK_INT(fixture_flush(&fixture, 1, true), 2);
    drain();
    make_large(0);
    CHECK_INT(fixture_flush(&fixture, 0, false), 1);
    drain();
    make_large(2); /* It goes with the keyspace. */
}

int main(void)
{
    fixture_open(&fixture, 1);
    RUN_TEST(random_histories_read_as_the_model);
    RUN_TEST(a_list_is_long_beyond_the_limit_and_short_again_at_half_of_it);
    RUN_TEST(a_million_elements_take_little_more_than_their_bytes);
    RUN_TEST(a_queue_stays_in_its_room);
    RUN_TEST(pieces_go_into_another_list);
    RUN_TEST(nothing_is_left_of_a_list_however_its_key_ends);
    fixture_close(&fixture);
    return check_done();
}
