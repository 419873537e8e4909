/* What the keyspace promises, one promise a test; random histories are in
 * test_keyspace_model.c, threads in test_keyspace_threads.c. */
#include "base/mem.h"
#include "keyspace_fixture.h"

static enum encoding encoding_of(struct fixture *fixture, struct bytes key)
{
    fixture_lock(fixture, 0, key, KEYLOCK_READ);
    struct entry *entry = keyspace_peek(fixture->ks, &fixture->lock, key);
    CHECK(entry != NULL);
    enum encoding encoding = entry->encoding;
    fixture_unlock(fixture);
    return encoding;
}

static void check_encoding(struct fixture *fixture, struct bytes value, enum encoding expected)
{
    CHECK_INT(fixture_set(fixture, 0, LIT("k"), value, KEYSPACE_NO_EXPIRY), OK);
    CHECK_INT(encoding_of(fixture, LIT("k")), expected);
}

static void strings_report_the_encoding_that_redis_would_use(void)
{
    struct fixture fixture;
    char *at;
    fixture_open(&fixture, 0);
    check_encoding(&fixture, LIT(""), ENCODING_EMBSTR);
    check_encoding(&fixture, LIT("12345"), ENCODING_INT);
    check_encoding(&fixture, LIT("-9223372036854775808"), ENCODING_INT);
    check_encoding(&fixture, LIT("9223372036854775808"), ENCODING_EMBSTR);
    check_encoding(&fixture, LIT("007"), ENCODING_EMBSTR);
    check_encoding(&fixture, LIT("12345678901234567890123456789012345678901234"), ENCODING_EMBSTR);
    check_encoding(&fixture, LIT("123456789012345678901234567890123456789012345"), ENCODING_RAW);
    fixture_lock(&fixture, 0, LIT("k"), KEYLOCK_WRITE);
    CHECK_INT(keyspace_resize_string(fixture.ks, &fixture.lock, LIT("k"), 3, &at), OK);
    fixture_unlock(&fixture);
    CHECK_INT(encoding_of(&fixture, LIT("k")), ENCODING_RAW);
    fixture_expect(&fixture, 0, LIT("k"), LIT("123"), KEYSPACE_NO_EXPIRY);
    CHECK_BYTES(encoding_name(ENCODING_LISTPACK), LIT("listpack"));
    CHECK_BYTES(value_type_name(VALUE_SORTED_SET), LIT("zset"));
    fixture_close(&fixture);
}

static void a_reader_does_not_see_an_expired_key_and_reaping_removes_it(void)
{
    struct fixture fixture;
    fixture_open(&fixture, 0);
    int64_t end = fixture_now_ms(&fixture) + 50;
    CHECK_INT(fixture_set(&fixture, 1, LIT("k"), LIT("v"), end), OK);
    fixture_pass(&fixture, 49);
    fixture_expect(&fixture, 1, LIT("k"), LIT("v"), end);
    fixture_pass(&fixture, 1);
    keyspace_set_active_expiry(fixture.ks, false);
    fixture_expect(&fixture, 1, LIT("k"), NO_VALUE, 0);
    CHECK_INT(keyspace_size(fixture.ks, 1), 1);
    CHECK_INT(keyspace_expire_due(&fixture.thread, 1000) > 0, 1);
    CHECK_INT(fixture.expired, 0);
    keyspace_set_active_expiry(fixture.ks, true);
    fixture_expect(&fixture, 1, LIT("k"), NO_VALUE, 0);
    CHECK_INT(keyspace_size(fixture.ks, 1), 0);
    CHECK_INT(fixture.expired, 1);
    CHECK_INT(keyspace_expired(fixture.ks), 1);
    fixture_close(&fixture);
}

static void active_expiry_removes_each_key_at_its_deadline(void)
{
    struct fixture fixture;
    char name[32];
    fixture_open(&fixture, 0);
    CHECK_INT(keyspace_expire_due(&fixture.thread, 1000), 100);
    for (int i = 0; i < 2000; i++) {
        int len = snprintf(name, sizeof(name), "key:%d", i);
        CHECK_INT(fixture_set(&fixture, 0, (struct bytes){ name, (size_t)len }, LIT("v"),
                              fixture_now_ms(&fixture) + 1 + i),
                  OK);
    }
    CHECK_INT(keyspace_expires(fixture.ks, 0), 2000);
    int64_t mean = keyspace_average_ttl(fixture.ks, 0);
    CHECK(mean > 100 && mean < 2000);
    for (int gone = 0; gone < 2000; gone += 40) {
        CHECK_INT(keyspace_expire_due(&fixture.thread, 1000), 1);
        CHECK_INT(keyspace_size(fixture.ks, 0), 2000 - gone);
        fixture_pass(&fixture, 40);
        (void)keyspace_expire_due(&fixture.thread, 1000);
        CHECK_INT(keyspace_size(fixture.ks, 0), 2000 - gone - 40);
    }
    CHECK_INT(keyspace_expire_due(&fixture.thread, 1000), 100);
    CHECK_INT(fixture.expired, 2000);
    CHECK_INT(keyspace_average_ttl(fixture.ks, 0), 0);
    fixture_close(&fixture);
}

struct marked {
    struct watcher watcher;
    int marks;
};

static void mark(struct watcher *watcher)
{
    ((struct marked *)watcher)->marks++;
}

static void watch(struct fixture *fixture, uint32_t db, struct bytes key, struct marked *marked)
{
    *marked = (struct marked){ .watcher = { .touched = mark } };
    fixture_lock(fixture, db, key, KEYLOCK_READ);
    keyspace_watch(fixture->ks, &fixture->lock, key, &marked->watcher);
    fixture_unlock(fixture);
}

static void watchers_follow_their_database_and_hear_of_every_change(void)
{
    struct fixture fixture;
    struct marked missing, other, same;
    fixture_open(&fixture, 2);
    CHECK_INT(fixture_set(&fixture, 0, LIT("k"), LIT("v"), KEYSPACE_NO_EXPIRY), OK);
    watch(&fixture, 0, LIT("k"), &same);
    watch(&fixture, 0, LIT("missing"), &missing);
    watch(&fixture, 1, LIT("k"), &other);
    CHECK_INT(fixture_set(&fixture, 0, LIT("k"), LIT("w"), KEYSPACE_NO_EXPIRY), OK);
    CHECK_INT(same.marks, 1);
    fixture_swap(&fixture, 0, 1);
    CHECK_INT(same.marks, 2);
    CHECK_INT(other.marks, 1);
    CHECK_INT(missing.marks, 0);
    /* They still mean the client's number. */
    CHECK_INT(fixture_set(&fixture, 0, LIT("missing"), LIT("w"), KEYSPACE_NO_EXPIRY), OK);
    CHECK_INT(missing.marks, 1);
    fixture_flush(&fixture, 0, true);
    CHECK_INT(missing.marks, 2);
    CHECK_INT(other.marks, 1);
    CHECK_INT(fixture_set(&fixture, 0, LIT("missing"), LIT("w"), fixture_now_ms(&fixture) + 5), OK);
    CHECK_INT(missing.marks, 3);
    fixture_pass(&fixture, 6);
    (void)keyspace_expire_due(&fixture.thread, 1000);
    CHECK_INT(missing.marks, 4);
    keyspace_enter(&fixture.thread);
    keyspace_unwatch(&fixture.thread, &missing.watcher);
    keyspace_unwatch(&fixture.thread, &same.watcher);
    keyspace_unwatch(&fixture.thread, &other.watcher);
    keyspace_leave(&fixture.thread);
    CHECK_INT(fixture_set(&fixture, 0, LIT("missing"), LIT("w"), KEYSPACE_NO_EXPIRY), OK);
    CHECK_INT(missing.marks, 4);
    fixture_close(&fixture);
}

static void a_held_blob_is_never_changed(void)
{
    struct fixture fixture;
    char text[5000], *at;
    memset(text, 'a', sizeof(text));
    fixture_open(&fixture, 0);
    CHECK_INT(fixture_set(&fixture, 0, LIT("k"), (struct bytes){ text, sizeof(text) },
                          KEYSPACE_NO_EXPIRY),
              OK);
    size_t memory = keyspace_memory(fixture.ks);
    fixture_lock(&fixture, 0, LIT("k"), KEYLOCK_WRITE);
    struct entry *entry = keyspace_peek(fixture.ks, &fixture.lock, LIT("k"));
    struct blob *held = blob_ref(entry_blob(entry));
    CHECK_INT(keyspace_resize_string(fixture.ks, &fixture.lock, LIT("k"), 5001, &at), OK);
    CHECK(at != held->at);
    at[0] = 'b';
    CHECK_BYTES(blob_bytes(held), ((struct bytes){ text, sizeof(text) }));
    CHECK(keyspace_memory(fixture.ks) > memory);
    CHECK(keyspace_entry_memory(entry, 0) > 5000);
    CHECK(keyspace_delete(fixture.ks, &fixture.lock, LIT("k"), false));
    fixture_unlock(&fixture);
    CHECK(keyspace_memory(fixture.ks) < memory);
    CHECK_BYTES(blob_bytes(held), ((struct bytes){ text, sizeof(text) }));
    blob_unref(held);
    fixture_close(&fixture);
}

static void large_values_are_freed_by_the_background_when_asked(void)
{
    struct fixture fixture;
    char *text = mem_zalloc(100000);
    struct bytes long_key = { text, 20000 };
    fixture_open(&fixture, 0);
    CHECK_INT(
        fixture_set(&fixture, 0, long_key, (struct bytes){ text, 100000 }, KEYSPACE_NO_EXPIRY), OK);
    fixture_expect(&fixture, 0, long_key, (struct bytes){ text, 100000 }, KEYSPACE_NO_EXPIRY);
    CHECK(fixture_delete(&fixture, 0, long_key));
    CHECK_INT(keyspace_pending_frees(fixture.ks), 1);
    CHECK(!keyspace_background(&fixture.thread, 1000));
    CHECK_INT(keyspace_pending_frees(fixture.ks), 0);
    fixture_close(&fixture);
    mem_free(text);
}

enum { SCAN_KEYS = 3000 };

static bool count_seen(void *user, struct entry *entry)
{
    unsigned number = (unsigned)atoi(entry_key(entry).at);
    ((unsigned char *)user)[number] = 1;
    return true;
}

static void numbered(struct fixture *fixture, unsigned number, bool there)
{
    char name[32];
    int len = snprintf(name, sizeof(name), "%u:k", number);
    struct bytes key = { name, (size_t)len };
    if (there) {
        CHECK_INT(fixture_set(fixture, 0, key, LIT("v"), KEYSPACE_NO_EXPIRY), OK);
    } else {
        fixture_delete(fixture, 0, key);
    }
}

static void a_scan_meets_every_key_that_stays_whatever_else_comes_and_goes(void)
{
    uint64_t dice = check_seed();
    unsigned char *seen = mem_alloc(2 * SCAN_KEYS);
    for (int round = 0; round < 12; round++) {
        struct fixture fixture;
        uint64_t cursor = 0;
        fixture_open(&fixture, 2);
        memset(seen, 0, 2 * SCAN_KEYS);
        bool shrinking = round % 2 == 0;
        /* The first tenth stays; the others go while it shrinks, come while it grows. */
        for (unsigned i = 0; i < (shrinking ? SCAN_KEYS : SCAN_KEYS / 10); i++) {
            numbered(&fixture, i, true);
        }
        do {
            keyspace_enter(&fixture.thread);
            cursor = keyspace_scan(&fixture.thread, 0, cursor, 1 + check_random_below(&dice, 20),
                                   count_seen, seen);
            keyspace_leave(&fixture.thread);
            for (int i = 0; i < 30; i++) {
                numbered(&fixture, SCAN_KEYS / 10 + (unsigned)check_random_below(&dice, SCAN_KEYS),
                         !shrinking || i < 3);
            }
        } while (cursor != 0);
        for (unsigned i = 0; i < SCAN_KEYS / 10; i++) {
            CHECK_INT(seen[i], 1);
        }
        fixture_close(&fixture);
    }
    mem_free(seen);
}

static void one_step_is_enough_for_a_small_database_beside_a_large_one(void)
{
    struct fixture fixture;
    unsigned char *seen = mem_zalloc(SCAN_KEYS);
    fixture_open(&fixture, 0);
    keyspace_enter(&fixture.thread);
    CHECK_INT(keyspace_scan(&fixture.thread, 0, 0, 10, count_seen, seen), 0);
    keyspace_leave(&fixture.thread);
    for (unsigned i = 0; i < SCAN_KEYS; i++) {
        numbered(&fixture, i, true);
    }
    CHECK_INT(fixture_set(&fixture, 2, LIT("7:k"), LIT("v"), KEYSPACE_NO_EXPIRY), OK);
    keyspace_enter(&fixture.thread);
    CHECK_INT(keyspace_scan(&fixture.thread, 2, 0, 10, count_seen, seen), 0);
    CHECK_INT(seen[7], 1);
    CHECK_INT(keyspace_scan(&fixture.thread, 0, UINT64_C(5000) << 32, 10, count_seen, seen), 0);
    CHECK(keyspace_scan(&fixture.thread, 0, 0, 10, count_seen, seen) != 0);
    keyspace_leave(&fixture.thread);
    fixture_close(&fixture);
    mem_free(seen);
}

static bool tally(void *user, struct entry *entry)
{
    ((unsigned *)user)[atoi(entry_key(entry).at)]++;
    return true;
}

static void a_random_key_is_any_key(void)
{
    struct fixture fixture;
    unsigned tallies[32] = { 0 };
    fixture_open(&fixture, 4);
    keyspace_enter(&fixture.thread);
    CHECK(!keyspace_random(&fixture.thread, 0, tally, tallies));
    keyspace_leave(&fixture.thread);
    for (unsigned i = 0; i < 32; i++) {
        numbered(&fixture, i, true);
    }
    for (int i = 0; i < 32 * 100; i++) {
        keyspace_enter(&fixture.thread);
        CHECK(keyspace_random(&fixture.thread, 0, tally, tallies));
        keyspace_leave(&fixture.thread);
    }
    for (unsigned i = 0; i < 32; i++) {
        CHECK(tallies[i] > 5);
    }
    fixture_close(&fixture);
}

static void accesses_are_noted_as_time_or_as_a_decaying_count(void)
{
    struct fixture fixture;
    struct entry *entry;
    fixture_open(&fixture, 0);
    fixture_pass(&fixture, 0);
    CHECK_INT(fixture_set(&fixture, 0, LIT("k"), LIT("v"), KEYSPACE_NO_EXPIRY), OK);
    fixture_pass(&fixture, 7000);
    fixture_lock(&fixture, 0, LIT("k"), KEYLOCK_READ);
    entry = keyspace_peek(fixture.ks, &fixture.lock, LIT("k"));
    CHECK_INT(keyspace_idle_seconds(&fixture.thread, entry), 7);
    CHECK_INT(keyspace_find(fixture.ks, &fixture.lock, LIT("k"), VALUE_ANY, &entry), OK);
    CHECK_INT(keyspace_idle_seconds(&fixture.thread, entry), 0);
    CHECK_INT(keyspace_find(fixture.ks, &fixture.lock, LIT("k"), VALUE_LIST, &entry),
              ERR_WRONG_TYPE);
    fixture_unlock(&fixture);

    keyspace_set_lfu(fixture.ks, true, 0, 1);
    CHECK_INT(fixture_set(&fixture, 0, LIT("n"), LIT("v"), KEYSPACE_NO_EXPIRY), OK);
    fixture_lock(&fixture, 0, LIT("n"), KEYLOCK_READ);
    for (int i = 0; i < 20; i++) {
        CHECK_INT(keyspace_find(fixture.ks, &fixture.lock, LIT("n"), VALUE_ANY, &entry), OK);
    }
    CHECK_INT(keyspace_frequency(fixture.ks, &fixture.thread, entry), 25);
    fixture_pass(&fixture, 10 * 60000);
    CHECK_INT(keyspace_frequency(fixture.ks, &fixture.thread, entry), 15);
    fixture_unlock(&fixture);
    fixture_close(&fixture);
}

/* The bars of the project: 16-byte keys. */
static void keys_take_few_bytes(void)
{
    enum { KEYS = 200000 };
    static const size_t lens[] = { 32, 8 };
    static const size_t bars[] = { 70, 46 };
    for (int i = 0; i < 2; i++) {
        struct fixture fixture;
        char name[32], value[32] = { 0 };
        fixture_open(&fixture, 0);
        size_t before = keyspace_memory(fixture.ks);
        for (unsigned key = 0; key < KEYS; key++) {
            snprintf(name, sizeof(name), "key:%012u", key);
            CHECK_INT(fixture_set(&fixture, 0, (struct bytes){ name, 16 },
                                  (struct bytes){ value, lens[i] }, KEYSPACE_NO_EXPIRY),
                      OK);
        }
        CHECK((keyspace_memory(fixture.ks) - before) / KEYS <= bars[i]);
        char text[300];
        CHECK(keyspace_describe(fixture.ks, 0, text, sizeof(text)) > 50);
        CHECK_INT(fixture_flush(&fixture, 0, true), KEYS);
        CHECK_INT(keyspace_pending_frees(fixture.ks), KEYS);
        while (keyspace_background(&fixture.thread, 100000)) {}
        CHECK(keyspace_memory(fixture.ks) < before + 100000);
        fixture_close(&fixture);
    }
}

int main(void)
{
    RUN_TEST(strings_report_the_encoding_that_redis_would_use);
    RUN_TEST(a_reader_does_not_see_an_expired_key_and_reaping_removes_it);
    RUN_TEST(active_expiry_removes_each_key_at_its_deadline);
    RUN_TEST(watchers_follow_their_database_and_hear_of_every_change);
    RUN_TEST(a_held_blob_is_never_changed);
    RUN_TEST(large_values_are_freed_by_the_background_when_asked);
    RUN_TEST(a_scan_meets_every_key_that_stays_whatever_else_comes_and_goes);
    RUN_TEST(one_step_is_enough_for_a_small_database_beside_a_large_one);
    RUN_TEST(a_random_key_is_any_key);
    RUN_TEST(accesses_are_noted_as_time_or_as_a_decaying_count);
    RUN_TEST(keys_take_few_bytes);
    return check_done();
}
