/* SORT: what it logs and tells, an order that never depends on a hash table's, and no memory. */
#include "base/mem.h"
#include "values.h"

#include "told_fixture.h"

static void what_is_stored_is_told(void)
{
    begin();
    RUN_LINE(&client, "RPUSH l 3 1 2");
    CHECK_TOLD(&told, &client, "SORT l", "", "");
    CHECK_TOLD(&told, &client, "SORT_RO l BY w_*", "", "");
    CHECK_TOLD(&told, &client, "SORT l STORE d", "0 SORT l STORE d;", "0 d=sortstore;");
    CHECK_TOLD(&told, &client, "SORT l LIMIT 9 9 STORE d", "0 SORT l LIMIT 9 9 STORE d;",
               "0 d=del;");
    CHECK_TOLD(&told, &client, "SORT l LIMIT 9 9 STORE d", "", "");
    CHECK_TOLD(&told, &client, "SORT missing STORE d", "", "");
    end();
}

/* A replay may not find the other keys as they were. */
static void what_came_from_other_keys_is_logged_as_the_list(void)
{
    begin();
    RUN_LINE(&client, "RPUSH l 1 2 3");
    RUN_LINE(&client, "MSET w_1 20 w_2 30 w_3 10");
    told.effects.len = 0;
    CHECK_REPLY(RUN_LINE(&client, "SORT l BY w_* GET # STORE d"), ":3\r\n");
    struct bytes effect = buf_bytes(&told.effects);
    CHECK(effect.len > 30);
    CHECK_BYTES(((struct bytes){ effect.at, 14 }), LIT("0 RESTORE d 0 "));
    CHECK_BYTES(((struct bytes){ effect.at + effect.len - 9, 9 }), LIT(" REPLACE;"));
    struct bytes payload = { effect.at + 14, effect.len - 23 };
    server.engine.changes.effect = NULL;
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("copy"), LIT("0"), payload), "+OK\r\n");
    values_expect_same(&client, LIT("d"), LIT("copy"));
    CHECK_REPLY(RUN_LINE(&client, "LRANGE d 0 -1"), "*3\r\n$1\r\n3\r\n$1\r\n1\r\n$1\r\n2\r\n");
    end();
}

/* The same members in tables of another history. */
static void equal_members_of_a_table_have_one_order(void)
{
    begin();
    char name[32];
    for (int i = 0; i < 700; i++) {
        RUN(&client, LIT("SADD"), LIT("s"), bytes_of((snprintf(name, 32, "m%d", i), name)));
    }
    for (int i = 1999; i >= 0; i--) {
        RUN(&client, LIT("SADD"), LIT("t"), bytes_of((snprintf(name, 32, "m%d", i), name)));
    }
    for (int i = 700; i < 2000; i++) {
        RUN(&client, LIT("SREM"), LIT("t"), bytes_of((snprintf(name, 32, "m%d", i), name)));
    }
    RUN_LINE(&client, "MSET w_m1 a w_m2 a w_m3 b");
    values_alike(&client, "SORT KEY BY w_* ALPHA", LIT("s"), LIT("t"));
    values_alike(&client, "SORT KEY ALPHA DESC", LIT("s"), LIT("t"));
    values_alike(&client, "SORT KEY BY w_* ALPHA DESC LIMIT 10 20", LIT("s"), LIT("t"));
    end();
}

static void many_elements_are_in_order(void)
{
    uint64_t dice = check_seed();
    begin();
    for (int round = 0; round < 60; round++) {
        char digits[32];
        uint64_t count = values_count(&dice), seen = 0;
        bool tail = check_random_below(&dice, 2) == 0;
        for (uint64_t i = 0; i < count; i++) {
            RUN(&client, tail ? LIT("RPUSH") : LIT("LPUSH"), LIT("l"),
                values_number(digits, check_random_below(&dice, 500)));
        }
        struct bytes rest = RUN_LINE(&client, round % 2 == 0 ? "SORT l" : "SORT l DESC");
        long before = round % 2 == 0 ? -1 : 1000;
        (void)values_next(&rest);
        for (; rest.len > 0; seen++) {
            long value = strtol(values_next(&rest).at, NULL, 10);
            CHECK(round % 2 == 0 ? value >= before : value <= before);
            before = value;
        }
        CHECK_INT(seen, count);
        RUN_LINE(&client, "DEL l");
    }
    end();
}

static void short_memory_changes_nothing(void)
{
    static const char *const commands[] = {
        "SORT l ALPHA GET # GET o_*->f STORE d",
        "SORT l BY w_* STORE d",
        "SORT l BY o_*->f ALPHA",
        "SORT l ALPHA STORE d",
        "SORT s STORE d",
        "SORT z BY nosort STORE d",
    };
    begin();
    RUN_LINE(&client, "RPUSH l a b c 1 2 3");
    RUN_LINE(&client, "SADD s 5 3 4");
    RUN_LINE(&client, "ZADD z 1 a 2 7");
    RUN_LINE(&client, "HSET o_a f 12");
    RUN_LINE(&client, "MSET w_a 3 w_b 2 d before");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        bool done = false;
        for (long n = 1; !done; n++) {
            mem_fail_after(n);
            struct bytes reply = RUN_LINE(&client, commands[i]);
            mem_fail_after(0);
            done = reply.at[0] != '-';
            if (!done) {
                CHECK_REPLY(reply, "-ERR out of memory\r\n");
                CHECK_REPLY(RUN_LINE(&client, "GET d"), "$6\r\nbefore\r\n");
            }
        }
        RUN_LINE(&client, "SET d before");
    }
    end();
}

int main(void)
{
    RUN_TEST(what_is_stored_is_told);
    RUN_TEST(what_came_from_other_keys_is_logged_as_the_list);
    RUN_TEST(equal_members_of_a_table_have_one_order);
    RUN_TEST(many_elements_are_in_order);
    RUN_TEST(short_memory_changes_nothing);
    return check_done();
}
