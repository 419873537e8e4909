/* A keyspace with a clock that stands still until a test moves it, one joined thread and
 * its keylock; and short ways to run one operation as the executor would. */
#ifndef TEST_KEYSPACE_FIXTURE_H
#define TEST_KEYSPACE_FIXTURE_H

#include "check.h"
#include "store/keyspace.h"

enum { FIXTURE_DATABASES = 3, FIXTURE_KEYS = 4 };

struct fixture {
    int64_t now_us;
    struct clock clock;
    struct keyspace *ks;
    struct store_thread thread;
    struct keylock lock;
    struct locked_key keys[FIXTURE_KEYS];
    int expired; /* calls of the hook */
};

static int64_t fixture_time(void *user)
{
    return ((struct fixture *)user)->now_us;
}

static void fixture_expired(void *user, struct store_thread *thread, uint32_t db, struct bytes key)
{
    struct fixture *fixture = user;
    CHECK(thread == &fixture->thread && db < FIXTURE_DATABASES && key.at != NULL);
    fixture->expired++;
}

static inline void fixture_open(struct fixture *fixture, unsigned stripe_bits)
{
    *fixture = (struct fixture){ .now_us = INT64_C(1700000000000000) };
    fixture->clock = (struct clock){ fixture_time, fixture_time, fixture };
    struct keyspace_options options = {
        .databases = FIXTURE_DATABASES,
        .stripe_bits = stripe_bits,
        .hash_key = { 11, 22 },
        .clock = &fixture->clock,
        .hooks = { .expired = fixture_expired, .user = fixture },
    };
    fixture->ks = keyspace_create(&options);
    CHECK(fixture->ks != NULL);
    CHECK(keyspace_join(fixture->ks, &fixture->thread));
    keylock_init(&fixture->lock, &fixture->thread);
}

static inline void fixture_close(struct fixture *fixture)
{
    keylock_release_memory(&fixture->lock);
    keyspace_quit(fixture->ks, &fixture->thread);
    keyspace_destroy(fixture->ks);
}

static inline int64_t fixture_now_ms(const struct fixture *fixture)
{
    return fixture->now_us / 1000;
}

/* Milliseconds pass. */
static inline void fixture_pass(struct fixture *fixture, int64_t ms)
{
    fixture->now_us += ms * 1000;
    fixture->thread.now_ms = fixture_now_ms(fixture);
    fixture->thread.access_now = (uint32_t)(fixture->thread.now_ms / 1000) & 0xffffff;
}

/* Enters a batch and locks one key, or two. */
static inline void fixture_lock2(struct fixture *fixture, uint32_t db_a, struct bytes a,
                                 uint32_t db_b, struct bytes b, enum keylock_mode mode)
    ACQUIRES(fixture->lock)
{
    keyspace_enter(&fixture->thread);
    fixture->keys[0] = (struct locked_key){ a, keyspace_hash(fixture->ks, db_a, a), db_a };
    fixture->keys[1] = (struct locked_key){ b, keyspace_hash(fixture->ks, db_b, b), db_b };
    keylock_acquire(&fixture->lock, db_a, fixture->keys, 2, mode);
}

static inline void fixture_lock(struct fixture *fixture, uint32_t db, struct bytes key,
                                enum keylock_mode mode) ACQUIRES(fixture->lock)
{
    keyspace_enter(&fixture->thread);
    fixture->keys[0] = (struct locked_key){ key, keyspace_hash(fixture->ks, db, key), db };
    keyspace_prefetch_stripe(fixture->ks, fixture->keys[0].hash);
    keyspace_prefetch_buckets(fixture->ks, &fixture->keys[0].hash, 1);
    keyspace_prefetch_entries(fixture->ks, &fixture->keys[0].hash, 1, ENTRY_LINES_MIN);
    keylock_acquire(&fixture->lock, db, fixture->keys, 1, mode);
}

static inline void fixture_unlock(struct fixture *fixture) RELEASES(fixture->lock)
{
    keylock_release(&fixture->lock);
    keyspace_reap(&fixture->thread, &fixture->lock);
    keyspace_leave(&fixture->thread);
}

static inline enum err fixture_set(struct fixture *fixture, uint32_t db, struct bytes key,
                                   struct bytes value, int64_t expires_at_ms)
{
    fixture_lock(fixture, db, key, KEYLOCK_WRITE);
    enum err err =
        keyspace_set_string(fixture->ks, &fixture->lock, key, value, EXPIRY_REPLACE, expires_at_ms);
    if (err == OK) {
        keyspace_touch(fixture->ks, &fixture->lock, key);
    }
    fixture_unlock(fixture);
    return err;
}

static inline bool fixture_delete(struct fixture *fixture, uint32_t db, struct bytes key)
{
    fixture_lock(fixture, db, key, KEYLOCK_WRITE);
    bool deleted = keyspace_delete(fixture->ks, &fixture->lock, key, true);
    fixture_unlock(fixture);
    return deleted;
}

/* Checks the value and expiry of a key; 'value.at' NULL: there is none. */
static inline void fixture_expect(struct fixture *fixture, uint32_t db, struct bytes key,
                                  struct bytes value, int64_t expires_at_ms)
{
    struct entry *entry;
    fixture_lock(fixture, db, key, KEYLOCK_READ);
    CHECK_INT(keyspace_find(fixture->ks, &fixture->lock, key, VALUE_STRING, &entry), OK);
    CHECK_INT(entry != NULL, value.at != NULL);
    if (entry != NULL) {
        CHECK_BYTES(entry_key(entry), key);
        CHECK_BYTES(entry_string(entry), value);
        CHECK_INT(entry_expires_at(entry), expires_at_ms);
    }
    fixture_unlock(fixture);
}

static inline int64_t fixture_flush(struct fixture *fixture, uint32_t db, bool lazily)
{
    keyspace_begin_exclusive(&fixture->thread, &fixture->lock);
    keyspace_touch_all(fixture->ks, &fixture->lock, db);
    int64_t count = keyspace_flush(fixture->ks, &fixture->lock, db, lazily);
    keyspace_end_exclusive(&fixture->thread, &fixture->lock);
    return count;
}

static inline void fixture_swap(struct fixture *fixture, uint32_t a, uint32_t b)
{
    keyspace_begin_exclusive(&fixture->thread, &fixture->lock);
    keyspace_swap(fixture->ks, &fixture->lock, a, b);
    keyspace_end_exclusive(&fixture->thread, &fixture->lock);
}

#define NO_VALUE ((struct bytes){ NULL, 0 })

#endif
