/* Keylocks: any number of keys in any order, several times the same, read and write. */
#include "base/mem.h"
#include "keyspace_fixture.h"

enum { MANY = 3000 };

static void check_stripes(const struct keylock *lock, const struct locked_key *keys, uint32_t count,
                          unsigned bits)
{
    for (uint32_t i = 1; i < lock->stripe_count; i++) {
        CHECK(lock->stripes[i - 1] < lock->stripes[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool held = false;
        for (uint32_t at = 0; at < lock->stripe_count; at++) {
            held = held || lock->stripes[at] == keys[i].hash >> (64 - bits);
        }
        CHECK(held);
    }
}

static void stripes_are_taken_once_and_ascending(void)
{
    struct fixture fixture;
    uint64_t dice = check_seed();
    struct locked_key *keys = mem_alloc(MANY * sizeof(*keys));
    char(*names)[16] = mem_alloc(MANY * sizeof(*names));
    fixture_open(&fixture, 6);
    for (int round = 0; round < 300; round++) {
        uint32_t count = (uint32_t)check_random_below(&dice, round % 50 == 0 ? MANY : 20);
        keyspace_enter(&fixture.thread);
        for (uint32_t i = 0; i < count; i++) {
            int len = snprintf(names[i], sizeof(names[i]), "%u",
                               (unsigned)check_random_below(&dice, 1000));
            struct bytes name = { names[i], (size_t)len };
            keys[i] = (struct locked_key){ name, keyspace_hash(fixture.ks, 1, name), 1 };
        }
        enum keylock_mode mode = round % 2 == 0 ? KEYLOCK_READ : KEYLOCK_WRITE;
        keylock_acquire(&fixture.lock, 1, keys, count, mode);
        check_stripes(&fixture.lock, keys, count, 6);
        for (uint32_t i = 0; i < count; i++) {
            const struct locked_key *key = &keys[check_random_below(&dice, count)];
            if (mode == KEYLOCK_WRITE) {
                CHECK_INT(keyspace_set_string(fixture.ks, &fixture.lock, key->name, key->name,
                                              EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY),
                          OK);
            }
            struct entry *entry = keyspace_peek(fixture.ks, &fixture.lock, key->name);
            CHECK(entry == NULL || bytes_equal(entry_string(entry), key->name));
        }
        keylock_release(&fixture.lock);
        keyspace_leave(&fixture.thread);
    }
    fixture_close(&fixture);
    mem_free(names);
    mem_free(keys);
}

static void a_lock_without_keys_holds_nothing(void)
{
    struct fixture fixture;
    fixture_open(&fixture, 0);
    keyspace_enter(&fixture.thread);
    keylock_acquire(&fixture.lock, 0, NULL, 0, KEYLOCK_WRITE);
    CHECK_INT(fixture.lock.stripe_count, 0);
    keylock_release(&fixture.lock);
    keyspace_leave(&fixture.thread);
    fixture_close(&fixture);
}

static void the_exclusive_section_holds_every_key(void)
{
    struct fixture fixture;
    fixture_open(&fixture, 0);
    CHECK_INT(fixture_set(&fixture, 2, LIT("there"), LIT("x"), KEYSPACE_NO_EXPIRY), OK);
    keyspace_begin_exclusive(&fixture.thread, &fixture.lock);
    fixture.lock.db = 2;
    CHECK(keyspace_peek(fixture.ks, &fixture.lock, LIT("there")) != NULL);
    CHECK(keyspace_delete(fixture.ks, &fixture.lock, LIT("there"), false));
    keyspace_end_exclusive(&fixture.thread, &fixture.lock);
    fixture_expect(&fixture, 2, LIT("there"), NO_VALUE, 0);
    fixture_close(&fixture);
}

int main(void)
{
    RUN_TEST(stripes_are_taken_once_and_ascending);
    RUN_TEST(a_lock_without_keys_holds_nothing);
    RUN_TEST(the_exclusive_section_holds_every_key);
    return check_done();
}
