/* Hashes: their encodings, what commands on them tell, counts, chance, and no memory. */
#include "base/mem.h"
#include "store/hash.h"
#include "told_fixture.h"

static void hashes_grow_out_of_a_listpack_as_in_redis(void)
{
    begin();
    run_limits(&server)->hash_max_listpack_entries = 3;
    run_limits(&server)->hash_max_listpack_value = 5;
    RUN_LINE(&client, "HSET a 1 1 2 2 3 3");
    CHECK_ENCODING("a", "listpack");
    RUN_LINE(&client, "HSET a 3 4");
    CHECK_ENCODING("a", "listpack");
    RUN_LINE(&client, "HSETNX a 4 4");
    CHECK_ENCODING("a", "hashtable");
    CHECK_REPLY(RUN_LINE(&client, "HMGET a 1 2 3 4 5"),
                "*5\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n4\r\n$1\r\n4\r\n$-1\r\n");
    RUN_LINE(&client, "HSET b f 123456");
    CHECK_ENCODING("b", "hashtable");
    RUN_LINE(&client, "HSET c 123456 f");
    CHECK_ENCODING("c", "hashtable");
    RUN_LINE(&client, "HSET d f 12345");
    RUN_LINE(&client, "HINCRBY d f 99999");
    CHECK_ENCODING("d", "hashtable");
    CHECK_REPLY(RUN_LINE(&client, "HGET d f"), "$6\r\n112344\r\n");
    RUN_LINE(&client, "HSET e 1 1 1 1 1 1 1 1");
    CHECK_ENCODING("e", "hashtable");
    end();
}

static void what_commands_came_to_is_told(void)
{
    begin();
    CHECK_TOLD(&told, &client, "HSET h a 1 b 2", "0 HSET h a 1 b 2;", "0 h=hset;");
    CHECK_TOLD(&told, &client, "HMSET h a 1", "0 HMSET h a 1;", "0 h=hset;");
    CHECK_TOLD(&told, &client, "HSETNX h a 2", "", "");
    CHECK_TOLD(&told, &client, "HSETNX h c 2", "0 HSETNX h c 2;", "0 h=hset;");
    CHECK_TOLD(&told, &client, "HINCRBY h a 5", "0 HINCRBY h a 5;", "0 h=hincrby;");
    CHECK_TOLD(&told, &client, "HINCRBYFLOAT h a 0.5", "0 HSET h a 6.5;", "0 h=hincrbyfloat;");
    CHECK_TOLD(&told, &client, "HINCRBY h a 5", "", "");
    CHECK_TOLD(&told, &client, "HDEL h x", "", "");
    CHECK_TOLD(&told, &client, "HDEL h a x", "0 HDEL h a x;", "0 h=hdel;");
    CHECK_TOLD(&told, &client, "HDEL h b c", "0 HDEL h b c;", "0 h=hdel;0 h=del;");
    CHECK_TOLD(&told, &client, "HDEL h b c", "", "");
    end();
}

static void lookups_of_reading_commands_are_counted(void)
{
    static const char *const lines[] = { "HGET h a",    "HMGET h a b", "HGETALL h",
                                         "HKEYS h",     "HVALS h",     "HLEN h",
                                         "HEXISTS h x", "HSTRLEN h a", "HRANDFIELD h",
                                         "HSCAN h 0",   "SMEMBERS h" };
    begin();
    struct stats sum;
    RUN_LINE(&client, "HSET h a 1");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        RUN_LINE(&client, lines[i]);
    }
    RUN_LINE(&client, "HGET missing a");
    RUN_LINE(&client, "HINCRBY h a 1");
    RUN_LINE(&client, "HDEL missing a");
    engine_stats(&server.engine, &sum);
    CHECK_INT(stat_read(&sum.keyspace_hits), sizeof lines / sizeof lines[0]);
    CHECK_INT(stat_read(&sum.keyspace_misses), 1);
    end();
}

static void a_large_hash_is_scanned_whole(void)
{
    begin();
    for (int i = 0; i < 2000; i++) {
        char line[64];
        snprintf(line, sizeof line, "HSET h %04d. v", i);
        RUN_LINE(&client, line);
    }
    static bool seen[2000];
    char cursor[32] = "0";
    int steps = 0;
    do {
        char line[64];
        snprintf(line, sizeof line, "HSCAN h %s COUNT 20 NOVALUES", cursor);
        struct bytes reply = RUN_LINE(&client, line);
        const char *digits = strchr(strchr(reply.at, '$'), '\n') + 1;
        size_t len = strcspn(digits, "\r");
        memcpy(cursor, digits, len);
        cursor[len] = '\0';
        for (size_t at = 0; at < reply.len; at++) {
            if (reply.at[at] == '.') {
                seen[atoi(reply.at + at - 4)] = true;
            }
        }
        steps++;
    } while (strcmp(cursor, "0") != 0);
    CHECK(steps > 50 && steps <= 101);
    for (int i = 0; i < 2000; i++) {
        CHECK(seen[i]);
    }
    end();
}

static void several_draws_meet_no_field_twice(void)
{
    begin();
    for (int size = 50; size <= 1000; size += 950) {
        for (int i = 0; i < size; i++) {
            char line[64];
            snprintf(line, sizeof line, "HSET h %04d. v", i);
            RUN_LINE(&client, line);
        }
        for (int wanted = 1; wanted <= 2 * size; wanted += size / 7) {
            bool seen[1000] = { false };
            char line[64];
            snprintf(line, sizeof line, "HRANDFIELD h %d", wanted);
            struct bytes reply = RUN_LINE(&client, line);
            int count = 0;
            for (size_t at = 0; at < reply.len; at++) {
                if (reply.at[at] == '.') {
                    int number = atoi(reply.at + at - 4);
                    CHECK(!seen[number]);
                    seen[number] = true;
                    count++;
                }
            }
            CHECK_INT(count, wanted < size ? wanted : size);
        }
    }
    end();
}

static void without_memory_hashes_stay_whole(void)
{
    begin();
    run_limits(&server)->hash_max_listpack_entries = 8;
    for (long n = 1; n < 60; n++) {
        for (int i = 0; i < 30; i++) {
            char line[64];
            snprintf(line, sizeof line, "HSET h f%d %d", i, i);
            mem_fail_after((n + i) % 9);
            struct bytes reply = RUN_LINE(&client, line);
            bool done = reply.len > 0 && reply.at[0] == ':';
            mem_fail_after(0);
            snprintf(line, sizeof line, "HEXISTS h f%d", i);
            CHECK_REPLY(RUN_LINE(&client, line), done ? ":1\r\n" : ":0\r\n");
        }
        mem_fail_after(n);
        RUN_LINE(&client, "COPY h copy");
        mem_fail_after(n);
        RUN_LINE(&client, "HINCRBYFLOAT h f1 0.5");
        mem_fail_after(0);
        RUN_LINE(&client, "DEL h copy");
    }
    end();
}

int main(void)
{
    RUN_TEST(hashes_grow_out_of_a_listpack_as_in_redis);
    RUN_TEST(what_commands_came_to_is_told);
    RUN_TEST(lookups_of_reading_commands_are_counted);
    RUN_TEST(a_large_hash_is_scanned_whole);
    RUN_TEST(several_draws_meet_no_field_twice);
    RUN_TEST(without_memory_hashes_stay_whole);
    return check_done();
}
