/* Sets: their encodings against a plain model, what commands on them tell, and no memory. */
#include "base/mem.h"
#include "store/intset.h"
#include "store/set.h"
#include "told_fixture.h"

/* ---- Blocks of integers ------------------------------------------------------------------ */

static int64_t any_integer(struct random *dice)
{
    static const unsigned bits[] = { 5, 12, 16, 30, 33, 63 };
    uint64_t value = random_next(dice) >> (64 - bits[random_below(dice, 6)]);
    return random_below(dice, 2) == 0 ? (int64_t)value : -(int64_t)value;
}

static void integers_stay_in_order_whatever_their_width(void)
{
    enum { ROUNDS = 200, STEPS = 300 };
    begin();
    struct store_thread *thread = &server.executor.thread;
    struct random dice;
    random_init(&dice, check_seed());
    for (int round = 0; round < ROUNDS; round++) {
        struct intset *set = intset_create(thread);
        int64_t model[STEPS];
        uint32_t count = 0, index;
        for (int step = 0; step < STEPS; step++) {
            int64_t value = any_integer(&dice);
            uint32_t known = 0;
            while (known < count && model[known] != value) {
                known++;
            }
            CHECK_INT(intset_find(set, value, &index), known < count);
            if (known < count) {
                intset_remove(thread, &set, index);
                model[known] = model[--count];
            } else {
                CHECK(intset_insert(thread, &set, index, value));
                model[count++] = value;
            }
        }
        CHECK_INT(intset_count(set), count);
        CHECK(intset_check(intset_bytes(set)));
        for (uint32_t i = 0; i < count; i++) {
            CHECK(intset_find(set, model[i], &index) && intset_at(set, index) == model[i]);
        }
        struct intset *copy = intset_load(thread, intset_bytes(set));
        CHECK_BYTES(intset_bytes(copy), intset_bytes(set));
        intset_destroy(thread, copy);
        intset_destroy(thread, set);
    }
    end();
}

static void mangled_blocks_of_integers_are_refused(void)
{
    CHECK(intset_check(LIT("\2\0\0\0\2\0\0\0\1\0\2\0")));
    CHECK(intset_check(LIT("\2\0\0\0\2\0\0\0\xff\xff\2\0")));
    CHECK(!intset_check(LIT("\2\0\0\0\2\0\0\0\2\0\1\0")));
    CHECK(!intset_check(LIT("\2\0\0\0\2\0\0\0\1\0\1\0")));
    CHECK(!intset_check(LIT("\2\0\0\0\2\0\0\0\1\0\2")));
    CHECK(!intset_check(LIT("\3\0\0\0\0\0\0\0")));
    CHECK(!intset_check(LIT("\2\0\0\0\xff\xff\xff\xff")));
    CHECK(!intset_check(LIT("\2\0\0")));
    CHECK(!intset_check(LIT("")));
}

/* ---- Encodings ------------------------------------------------------------------------------ */

static void sets_grow_out_of_their_encodings_as_in_redis_7_2(void)
{
    begin();
    run_limits(&server)->set_max_intset_entries = 4;
    run_limits(&server)->set_max_listpack_entries = 5;
    run_limits(&server)->set_max_listpack_value = 6;
    RUN_LINE(&client, "SADD a 1 2 3 4");
    CHECK_ENCODING("a", "intset");
    RUN_LINE(&client, "SADD a 4");
    CHECK_ENCODING("a", "intset");
    RUN_LINE(&client, "SADD a 5");
    CHECK_ENCODING("a", "hashtable");
    RUN_LINE(&client, "SADD b 1 2");
    RUN_LINE(&client, "SADD b x");
    CHECK_ENCODING("b", "listpack");
    RUN_LINE(&client, "SADD b 3 4");
    CHECK_ENCODING("b", "listpack");
    RUN_LINE(&client, "SADD b 5");
    CHECK_ENCODING("b", "hashtable");
    RUN_LINE(&client, "SADD c 1 1234567");
    CHECK_ENCODING("c", "intset");
    RUN_LINE(&client, "SADD c x");
    CHECK_ENCODING("c", "hashtable");
    RUN_LINE(&client, "SADD d x");
    CHECK_ENCODING("d", "listpack");
    RUN_LINE(&client, "SADD d xxxxxxx");
    CHECK_ENCODING("d", "hashtable");
    RUN_LINE(&client, "SADD e x x x x x x");
    CHECK_ENCODING("e", "hashtable");
    RUN_LINE(&client, "SADD f x");
    RUN_LINE(&client, "SADD f x x x x x x");
    CHECK_ENCODING("f", "hashtable");
    RUN_LINE(&client, "SADD g 1 1 1 1 1");
    CHECK_ENCODING("g", "listpack");
    RUN_LINE(&client, "SUNIONSTORE h b e");
    CHECK_ENCODING("h", "hashtable");
    RUN_LINE(&client, "SINTERSTORE h a b");
    CHECK_ENCODING("h", "hashtable");
    RUN_LINE(&client, "SDIFFSTORE h b a");
    CHECK_ENCODING("h", "listpack");
    end();
}

enum { MODEL = 400 };

/* Half of the members are integers. */
static struct bytes member_of(uint32_t number, char room[32])
{
    int len = number % 2 == 0 ? snprintf(room, 32, "%d", (int)number * 977 - 150000)
                              : snprintf(room, 32, "m%u", number);
    return (struct bytes){ room, (size_t)len };
}

static void members_come_and_go_as_in_a_plain_model(void)
{
    begin();
    struct store_thread *thread = &server.executor.thread;
    struct random dice;
    random_init(&dice, check_seed());
    for (int round = 0; round < 60; round++) {
        uint32_t range = (uint32_t)(1 + random_below(&dice, MODEL));
        uint32_t only = (uint32_t)random_below(&dice, 2); /* 1: integers alone */
        bool model[MODEL] = { false };
        uint64_t count = 0;
        char room[32];
        struct set set;
        CHECK(set_create(thread, LIT("0"), 0, &set) == OK);
        for (int step = 0; step < 1500; step++) {
            uint32_t number = (uint32_t)random_below(&dice, range) & ~only;
            struct bytes member = member_of(number, room);
            bool added;
            if (random_below(&dice, 3) > 0) {
                CHECK(set_add(thread, &set, member, &added) == OK);
                CHECK_INT(added, !model[number]);
                count += added;
                model[number] = true;
            } else {
                CHECK_INT(set_remove(thread, &set, member), model[number]);
                count -= model[number];
                model[number] = false;
            }
        }
        CHECK_INT(set_count(&set), count);
        for (uint32_t number = 0; number < range; number++) {
            CHECK_INT(set_contains(thread, &set, member_of(number, room)), model[number]);
        }
        struct set copy = { set_copy(thread, set.encoding, set.pointer), set.encoding };
        struct set_walk walk;
        struct listpack_value member;
        uint64_t walked = 0;
        set_walk_begin(&walk, &copy);
        for (; set_walk_next(&walk, &member); walked++) {
            CHECK(set_contains_value(thread, &set, &member));
        }
        CHECK_INT(walked, count);
        for (; count > 0; count--) {
            struct set_place place;
            (void)set_random(thread, &copy, &place);
            set_remove_at(thread, &copy, &place);
        }
        CHECK_INT(set_count(&copy), 0);
        set_release(thread, &copy);
        set_release(thread, &set);
    }
    end();
}

/* ---- Commands ---------------------------------------------------------------------------------- */

static void what_commands_came_to_is_told(void)
{
    begin();
    CHECK_TOLD(&told, &client, "SADD s a b", "0 SADD s a b;", "0 s=sadd;");
    CHECK_TOLD(&told, &client, "SADD s a b", "", "");
    CHECK_TOLD(&told, &client, "SREM s x", "", "");
    CHECK_TOLD(&told, &client, "SREM s a x", "0 SREM s a x;", "0 s=srem;");
    CHECK_TOLD(&told, &client, "SPOP s", "0 SREM s b;", "0 s=spop;0 s=del;");
    CHECK_TOLD(&told, &client, "SPOP s", "", "");
    CHECK_TOLD(&told, &client, "SADD s 1 2", "0 SADD s 1 2;", "0 s=sadd;");
    CHECK_TOLD(&told, &client, "SPOP s 0", "", "");
    CHECK_TOLD(&told, &client, "SPOP s 2", "0 DEL s;", "0 s=spop;0 s=del;");
    CHECK_TOLD(&told, &client, "SADD s a a a", "0 SADD s a a a;", "0 s=sadd;");
    CHECK_TOLD(&told, &client, "SMOVE s t x", "", "");
    CHECK_TOLD(&told, &client, "SMOVE s s a", "", "");
    CHECK_TOLD(&told, &client, "SMOVE s t a", "0 SMOVE s t a;", "0 s=srem;0 s=del;0 t=sadd;");
    CHECK_TOLD(&told, &client, "SADD s a b", "0 SADD s a b;", "0 s=sadd;");
    CHECK_TOLD(&told, &client, "SMOVE s t a", "0 SMOVE s t a;", "0 s=srem;");
    CHECK_TOLD(&told, &client, "SUNIONSTORE d s t", "0 SUNIONSTORE d s t;", "0 d=sunionstore;");
    CHECK_TOLD(&told, &client, "SINTERSTORE d s t", "0 SINTERSTORE d s t;", "0 d=del;");
    CHECK_TOLD(&told, &client, "SINTERSTORE d s t", "", "");
    CHECK_TOLD(&told, &client, "SDIFFSTORE d s t", "0 SDIFFSTORE d s t;", "0 d=sdiffstore;");
    CHECK_TOLD(&told, &client, "SREM s b", "0 SREM s b;", "0 s=srem;0 s=del;");
    end();
}

static void popping_many_tells_every_one_of_them(void)
{
    begin();
    for (int i = 0; i < 2000; i++) {
        char line[64];
        snprintf(line, sizeof line, "SADD s m%d", i);
        RUN_LINE(&client, line);
    }
    told.effects.len = 0;
    RUN_LINE(&client, "SPOP s 1999");
    CHECK_REPLY(RUN_LINE(&client, "SCARD s"), ":1\r\n");
    uint32_t words = 0;
    for (size_t i = 0; i < told.effects.len; i++) {
        words += told.effects.at[i] == 'm';
    }
    CHECK_INT(words, 1999);
    end();
}

static void several_draws_meet_no_member_twice(void)
{
    begin();
    for (int i = 0; i < 1000; i++) {
        char line[64];
        snprintf(line, sizeof line, "SADD s %04d.", i);
        RUN_LINE(&client, line);
    }
    static const char *const lines[] = { "SRANDMEMBER s 1",    "SRANDMEMBER s 300",
                                         "SRANDMEMBER s 700",  "SRANDMEMBER s 999",
                                         "SRANDMEMBER s 1000", "SRANDMEMBER s 5000" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        bool seen[1000] = { false };
        struct bytes reply = RUN_LINE(&client, lines[i]);
        int count = 0, wanted = atoi(lines[i] + 14);
        for (size_t at = 0; at < reply.len; at++) {
            if (reply.at[at] == '.') {
                int number = atoi(reply.at + at - 4);
                CHECK(!seen[number]);
                seen[number] = true;
                count++;
            }
        }
        CHECK_INT(count, wanted < 1000 ? wanted : 1000);
    }
    end();
}

static void without_memory_sets_stay_whole(void)
{
    begin();
    run_limits(&server)->set_max_intset_entries = 8;
    run_limits(&server)->set_max_listpack_entries = 16;
    for (long n = 1; n < 40; n++) {
        for (int i = 0; i < 40; i++) {
            char line[64];
            snprintf(line, sizeof line, i < 6 ? "SADD s %d" : "SADD s m%d", i);
            mem_fail_after((n + i) % 7);
            RUN_LINE(&client, line);
            mem_fail_after(0);
        }
        mem_fail_after(n);
        RUN_LINE(&client, "SUNIONSTORE d s");
        mem_fail_after(n);
        RUN_LINE(&client, "SDIFF s d");
        mem_fail_after(n);
        RUN_LINE(&client, "SPOP s 10");
        mem_fail_after(0);
        RUN_LINE(&client, "DEL s d");
    }
    end();
}

int main(void)
{
    RUN_TEST(integers_stay_in_order_whatever_their_width);
    RUN_TEST(mangled_blocks_of_integers_are_refused);
    RUN_TEST(sets_grow_out_of_their_encodings_as_in_redis_7_2);
    RUN_TEST(members_come_and_go_as_in_a_plain_model);
    RUN_TEST(what_commands_came_to_is_told);
    RUN_TEST(popping_many_tells_every_one_of_them);
    RUN_TEST(several_draws_meet_no_member_twice);
    RUN_TEST(without_memory_sets_stay_whole);
    return check_done();
}
