/* Eviction: which keys go, what is told of it, and who is refused. */
#include "store/eviction.h"

#include "exec/memory_limit.h"
#include "keyspace_fixture.h"
#include "tell.h"

enum { KEYS = 2000, NAME_ROOM = 32, SAMPLES = 5, STRIPE_BITS = 4 };

static struct bytes name_of(char *room, int i)
{
    return (struct bytes){ room, (size_t)snprintf(room, NAME_ROOM, "key:%d", i) };
}

static void set_key(struct fixture *fixture, int i, int64_t expires_at_ms)
{
    char room[NAME_ROOM];
    CHECK(fixture_set(fixture, 0, name_of(room, i), LIT("value"), expires_at_ms) == OK);
}

static bool is_there(struct fixture *fixture, int i)
{
    char room[NAME_ROOM];
    struct bytes key = name_of(room, i);
    fixture_lock(fixture, 0, key, KEYLOCK_READ);
    bool there = keyspace_peek(fixture->ks, &fixture->lock, key) != NULL;
    fixture_unlock(fixture);
    return there;
}

static void use_key(struct fixture *fixture, int i)
{
    char room[NAME_ROOM];
    struct bytes key = name_of(room, i);
    struct entry *entry;
    fixture_lock(fixture, 0, key, KEYLOCK_READ);
    CHECK(keyspace_find(fixture->ks, &fixture->lock, key, VALUE_STRING, &entry) == OK);
    CHECK(entry != NULL);
    fixture_unlock(fixture);
}

static size_t evict(struct fixture *fixture, enum eviction_policy policy)
{
    keyspace_enter(&fixture->thread);
    size_t freed = keyspace_evict(&fixture->thread, policy, SAMPLES, true);
    keyspace_leave(&fixture->thread);
    return freed;
}

static int count_keys(struct fixture *fixture, int from, int to)
{
    int count = 0;
    for (int i = from; i < to; i++) {
        count += is_there(fixture, i);
    }
    return count;
}

static void the_key_that_ends_next_goes_first(void)
{
    struct fixture fixture;
    fixture_open(&fixture, STRIPE_BITS);
    fixture_pass(&fixture, 1000);
    int64_t now_ms = fixture_now_ms(&fixture);
    for (int i = 0; i < KEYS; i++) {
        set_key(&fixture, i, now_ms + 1000 + (i * 7919) % KEYS);
    }
    set_key(&fixture, KEYS, KEYSPACE_NO_EXPIRY);
    /* Later than their items in the index, or gone. */
    for (int i = 0; i < KEYS; i += 10) {
        char room[NAME_ROOM];
        set_key(&fixture, i, now_ms + 100000);
        CHECK(i % 20 != 0 || fixture_delete(&fixture, 0, name_of(room, i)));
    }
    int after = 0, gone = 0;
    for (int at = 0; at < KEYS / 5; at++) {
        /* The key whose end is 'at' milliseconds after the first one's. */
        while ((after * 7919) % KEYS != at) {
            after = (after + 1) % KEYS;
        }
        if (after % 10 != 0) {
            CHECK(is_there(&fixture, after));
            CHECK(evict(&fixture, EVICT_VOLATILE_TTL) > 0);
            CHECK(!is_there(&fixture, after));
            gone++;
        }
    }
    CHECK(gone > 0);
    while (evict(&fixture, EVICT_VOLATILE_TTL) > 0) {}
    CHECK_INT(keyspace_size(fixture.ks, 0), 1);
    CHECK(is_there(&fixture, KEYS));
    fixture_close(&fixture);
}

static void volatile_policies_leave_keys_without_an_end(void)
{
    static const enum eviction_policy policies[] = { EVICT_VOLATILE_LRU, EVICT_VOLATILE_LFU,
                                                     EVICT_VOLATILE_RANDOM, EVICT_VOLATILE_TTL };
    for (size_t p = 0; p < sizeof policies / sizeof policies[0]; p++) {
        struct fixture fixture;
        fixture_open(&fixture, STRIPE_BITS);
        fixture_pass(&fixture, 1000);
        for (int i = 0; i < KEYS; i++) {
            set_key(&fixture, i, i % 2 == 0 ? fixture_now_ms(&fixture) + 1000 + i : -1);
        }
        for (int i = 0; i < KEYS / 2; i++) {
            CHECK(evict(&fixture, policies[p]) > 0);
        }
        CHECK_INT(evict(&fixture, policies[p]), 0);
        CHECK_INT(keyspace_size(fixture.ks, 0), KEYS / 2);
        CHECK_INT(keyspace_evicted(fixture.ks), KEYS / 2);
        CHECK_INT(evict(&fixture, EVICT_NOTHING), 0);
        for (int i = 0; i < KEYS / 2; i++) {
            CHECK(evict(&fixture, EVICT_ALL_RANDOM) > 0);
        }
        CHECK_INT(keyspace_size(fixture.ks, 0), 0);
        CHECK_INT(evict(&fixture, EVICT_ALL_LRU), 0);
        fixture_close(&fixture);
    }
}

static void keys_that_were_not_used_for_long_go_first(void)
{
    static const enum eviction_policy policies[] = { EVICT_ALL_LRU, EVICT_VOLATILE_LRU };
    for (size_t p = 0; p < sizeof policies / sizeof policies[0]; p++) {
        struct fixture fixture;
        fixture_open(&fixture, STRIPE_BITS);
        fixture_pass(&fixture, 1000);
        for (int i = 0; i < KEYS; i++) {
            set_key(&fixture, i, fixture_now_ms(&fixture) + 1000000);
        }
        fixture_pass(&fixture, 100000);
        for (int i = 0; i < KEYS / 2; i++) {
            use_key(&fixture, i);
        }
        for (int i = 0; i < KEYS / 4; i++) {
            CHECK(evict(&fixture, policies[p]) > 0);
        }
        CHECK(count_keys(&fixture, 0, KEYS / 2) >= KEYS / 2 - KEYS / 100);
        fixture_close(&fixture);
    }
}

static void keys_that_are_seldom_used_go_first(void)
{
    struct fixture fixture;
    fixture_open(&fixture, STRIPE_BITS);
    keyspace_set_lfu(fixture.ks, true, 10, 1);
    fixture_pass(&fixture, 1000);
    for (int i = 0; i < KEYS; i++) {
        set_key(&fixture, i, KEYSPACE_NO_EXPIRY);
    }
    for (int times = 0; times < 50; times++) {
        for (int i = 0; i < KEYS / 2; i++) {
            use_key(&fixture, i);
        }
    }
    for (int i = 0; i < KEYS / 4; i++) {
        CHECK(evict(&fixture, EVICT_ALL_LFU) > 0);
    }
    CHECK(count_keys(&fixture, 0, KEYS / 2) >= KEYS / 2 - KEYS / 100);
    fixture_close(&fixture);
}

/* ---- Commands under a limit ------------------------------------------------------------- */

static struct run_server server;
static struct run_client client, watching;
static struct told told;

static void begin(enum eviction_policy policy, size_t room)
{
    run_server_init(&server);
    run_client_init(&client, &server);
    run_client_init(&watching, &server);
    told_listen(&told, &server);
    RUN_LINE(&client, "SET first value");
    struct engine_settings *settings = &server.engine.settings;
    settings->maxmemory_policy = (uint8_t)policy;
    settings->maxmemory_denies = policy == EVICT_NOTHING;
    settings->maxmemory_samples = SAMPLES;
    settings->eviction_us = INT64_MAX;
    settings->maxmemory = engine_memory(&server.engine) + room;
}

static void end(void)
{
    told_release(&told, &server);
    run_client_release(&client);
    run_client_release(&watching);
    run_server_release(&server);
}

static void writers_keep_within_the_limit(void)
{
    /* The tables of all stripes are to fit, too. */
    begin(EVICT_ALL_LRU, 2000000);
    char room[NAME_ROOM], value[500];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < 10 * KEYS; i++) {
        CHECK_REPLY(
            RUN(&client, LIT("SET"), name_of(room, i), (struct bytes){ value, sizeof value }),
            "+OK\r\n");
        CHECK(engine_memory(&server.engine) <=
              server.engine.settings.maxmemory + MEMORY_LIMIT_SLACK + 5000);
    }
    uint64_t evicted = keyspace_evicted(server.engine.keyspace);
    CHECK(evicted > 10 * KEYS / 2 && evicted < 10 * KEYS);
    CHECK_INT(keyspace_size(server.engine.keyspace, 0), 10 * KEYS + 1 - (int64_t)evicted);
    end();
}

static void an_eviction_is_told_as_a_deletion(void)
{
    begin(EVICT_ALL_RANDOM, 0);
    server.engine.settings.maxmemory--;
    RUN_LINE(&watching, "WATCH first");
    CHECK_TOLD(&told, &client, "SET k v", "0 DEL first;0 SET k v;", "0 first=evicted;0 k=set;");
    server.engine.settings.maxmemory = 0;
    RUN_LINE(&watching, "MULTI");
    RUN_LINE(&watching, "PING");
    CHECK_REPLY(RUN_LINE(&watching, "EXEC"), "*-1\r\n");
    end();
}

static void without_a_key_to_evict_writers_are_refused(void)
{
    static const char refusal[] = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    static const enum eviction_policy policies[] = { EVICT_NOTHING, EVICT_VOLATILE_LRU };
    for (size_t p = 0; p < sizeof policies / sizeof policies[0]; p++) {
        begin(policies[p], 0);
        server.engine.settings.maxmemory--;
        CHECK_REPLY(RUN_LINE(&client, "SET k v"), refusal);
        CHECK_REPLY(RUN_LINE(&client, "SETBIT k 0 1"), refusal);
        CHECK_REPLY(RUN_LINE(&client, "GET first"), "$5\r\nvalue\r\n");
        CHECK_REPLY(RUN_LINE(&client, "EXPIRE first 100"), ":1\r\n");
        CHECK_REPLY(RUN_LINE(&client, "SET k v"),
                    policies[p] == EVICT_NOTHING ? refusal : "+OK\r\n");
        CHECK_REPLY(RUN_LINE(&client, "DEL first"),
                    policies[p] == EVICT_NOTHING ? ":1\r\n" : ":0\r\n");
        end();
    }
}

int main(void)
{
    RUN_TEST(the_key_that_ends_next_goes_first);
    RUN_TEST(volatile_policies_leave_keys_without_an_end);
    RUN_TEST(keys_that_were_not_used_for_long_go_first);
    RUN_TEST(keys_that_are_seldom_used_go_first);
    RUN_TEST(writers_keep_within_the_limit);
    RUN_TEST(an_eviction_is_told_as_a_deletion);
    RUN_TEST(without_a_key_to_evict_writers_are_refused);
    return check_done();
}
