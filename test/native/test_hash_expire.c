/* Fields of hashes that end by themselves: commands, what they tell, lazy and active removal. */
#include "base/mem.h"
#include "store/hash.h"
#include "told_fixture.h"

/* As the server's clockwork does. */
static void remove_due(void)
{
    (void)keyspace_expire_due(&server.executor.thread, 1000 * 1000);
}

static void ends_are_set_told_and_taken_away(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1 b 2 c 3");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 100 FIELDS 2 a x"), "*2\r\n:1\r\n:-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPEXPIRE h 1500 FIELDS 1 b"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 4 a b c x"), "*4\r\n:100\r\n:2\r\n:-1\r\n:-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPTTL h FIELDS 2 a b"), "*2\r\n:100000\r\n:1500\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRETIME h FIELDS 2 a b"),
                "*2\r\n:1700000100\r\n:1700000002\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPEXPIRETIME h FIELDS 1 b"), "*1\r\n:1700000001500\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPERSIST h FIELDS 3 a c x"), "*3\r\n:1\r\n:-1\r\n:-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 1 a"), "*1\r\n:-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIREAT h 1 FIELDS 1 c"), "*1\r\n:2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HLEN h"), ":2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE missing 100 FIELDS 2 a b"), "*2\r\n:-2\r\n:-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL missing FIELDS 1 a"), "*1\r\n:-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPERSIST missing FIELDS 1 a"), "*1\r\n:-2\r\n");
    end();
}

static void conditions_are_kept(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 100 XX FIELDS 1 a"), "*1\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 100 GT FIELDS 1 a"), "*1\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 100 NX FIELDS 1 a"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 50 NX FIELDS 1 a"), "*1\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 50 GT FIELDS 1 a"), "*1\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 200 LT FIELDS 1 a"), "*1\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 200 gt FIELDS 1 a"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 20 LT FIELDS 1 a"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 30 XX FIELDS 1 a"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 1 a"), "*1\r\n:30\r\n");
    end();
}

static void bad_arguments_are_refused(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1");
    RUN_LINE(&client, "SET s 1");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE s x FIELDS 1 a"),
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h x FIELDS 1 a"),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h -1 FIELDS 1 a"),
                "-ERR invalid expire time, must be >= 0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 9223372036854775807 FIELDS 1 a"),
                "-ERR invalid expire time in 'hexpire' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPEXPIRE h 70368744177663 FIELDS 1 a"),
                "-ERR invalid expire time in 'hpexpire' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPEXPIREAT h 70368744177663 FIELDS 1 a"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 1 FIELD 1 a"),
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 1 FIELDS 0 a"),
                "-ERR Parameter `numFields` should be greater than 0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXPIRE h 1 FIELDS 2 a"),
                "-ERR The `numfields` parameter must match the number of arguments\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 0 a"),
                "-ERR Number of fields must be a positive integer\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 1 a b"),
                "-ERR The `numfields` parameter must match the number of arguments\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HSETEX h FNX FXX FIELDS 1 a 1"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HSETEX h EX 1 KEEPTTL FIELDS 1 a 1"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HSETEX h EX -1 FIELDS 1 a 1"),
                "-ERR invalid expire time, must be >= 0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HSETEX h PXAT 70368744177664 FIELDS 1 a 1"),
                "-ERR invalid expire time in 'hsetex' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HGETEX h EX 70368744178 FIELDS 1 a"),
                "-ERR invalid expire time in 'hgetex' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HGETEX h EX x FIELDS 1 a"),
                "-ERR value is not an integer or out of range\r\n");
    end();
}

static void what_commands_came_to_is_told(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1 b 2 c 3");
    CHECK_TOLD(&told, &client, "HEXPIRE h 1 FIELDS 3 a x b",
               "0 HPEXPIREAT h 1700000001000 FIELDS 2 a b;", "0 h=hexpire;");
    CHECK_TOLD(&told, &client, "HEXPIRE h 1 NX FIELDS 2 a x", "", "");
    CHECK_TOLD(&told, &client, "HPERSIST h FIELDS 3 a x c", "0 HPERSIST h FIELDS 1 a;",
               "0 h=hpersist;");
    CHECK_TOLD(&told, &client, "HGETEX h PX 5 FIELDS 2 x b",
               "0 HPEXPIREAT h 1700000000005 FIELDS 1 b;", "0 h=hexpire;");
    CHECK_TOLD(&told, &client, "HGETEX h FIELDS 2 x b", "", "");
    CHECK_TOLD(&told, &client, "HGETEX h PERSIST FIELDS 2 a b", "0 HPERSIST h FIELDS 1 b;",
               "0 h=hpersist;");
    CHECK_TOLD(&told, &client, "HGETEX h PXAT 5 FIELDS 1 c", "0 HDEL h c;", "0 h=hdel;");
    CHECK_TOLD(&told, &client, "HEXPIREAT h 5 FIELDS 2 a b", "0 HDEL h a b;", "0 h=hdel;0 h=del;");
    CHECK_TOLD(&told, &client, "HSETEX h FXX FIELDS 1 a 1", "", "");
    CHECK_TOLD(&told, &client, "HSETEX h EX 0 FIELDS 1 a 1", "", "");
    CHECK_TOLD(&told, &client, "HSETEX h EX 1 FIELDS 2 a 1 b 2",
               "0 HSET h a 1 b 2;0 HPEXPIREAT h 1700000001000 FIELDS 2 a b;",
               "0 h=hset;0 h=hexpire;");
    CHECK_TOLD(&told, &client, "HSETEX h FNX FIELDS 2 a 1 c 2", "", "");
    CHECK_TOLD(&told, &client, "HSETEX h KEEPTTL FIELDS 1 a 5", "0 HSETEX h KEEPTTL FIELDS 1 a 5;",
               "0 h=hset;");
    CHECK_REPLY(RUN_LINE(&client, "HPTTL h FIELDS 1 a"), "*1\r\n:1000\r\n");
    CHECK_TOLD(&told, &client, "HGETDEL h FIELDS 2 a a", "0 HDEL h a;", "0 h=hdel;");
    CHECK_TOLD(&told, &client, "HGETDEL h FIELDS 2 b x", "0 HDEL h b;", "0 h=hdel;0 h=del;");
    CHECK_TOLD(&told, &client, "HGETDEL h FIELDS 1 b", "", "");
    end();
}

static void an_ended_field_is_gone_at_once_for_all_commands(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1 b 2");
    RUN_LINE(&client, "HPEXPIRE h 10 FIELDS 1 a");
    run_advance_ms(&server, 9);
    CHECK_REPLY(RUN_LINE(&client, "HGET h a"), "$1\r\n1\r\n");
    run_advance_ms(&server, 1);
    CHECK_REPLY(RUN_LINE(&client, "HGET h a"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HMGET h a b"), "*2\r\n$-1\r\n$1\r\n2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HGETALL h"), "*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HKEYS h"), "*1\r\n$1\r\nb\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HEXISTS h a"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HSTRLEN h a"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HRANDFIELD h 5"), "*1\r\n$1\r\nb\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HSCAN h 0"), "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 1 a"), "*1\r\n:-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HDEL h a"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HINCRBY h a 5"), ":5\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HTTL h FIELDS 1 a"), "*1\r\n:-1\r\n");
    end();
}

static void writing_a_field_ends_its_end_but_for_sums(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1 b 2");
    RUN_LINE(&client, "HPEXPIRE h 1000 FIELDS 2 a b");
    RUN_LINE(&client, "HSET h a 1");
    RUN_LINE(&client, "HINCRBY h b 1");
    CHECK_REPLY(RUN_LINE(&client, "HPTTL h FIELDS 2 a b"), "*2\r\n:-1\r\n:1000\r\n");
    RUN_LINE(&client, "HSETEX h FIELDS 1 b 7");
    CHECK_REPLY(RUN_LINE(&client, "HPTTL h FIELDS 1 b"), "*1\r\n:-1\r\n");
    end();
}

static void the_background_removes_ended_fields_and_empty_hashes(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1 b 2 c 3");
    RUN_LINE(&client, "HPEXPIRE h 10 FIELDS 1 a");
    RUN_LINE(&client, "HPEXPIRE h 20 FIELDS 1 b");
    RUN_LINE(&client, "HPEXPIRE h 30 FIELDS 1 c");
    RUN_LINE(&client, "COPY h copy");
    RUN_LINE(&client, "RENAME h moved");
    told.effects.len = told.events.len = 0;
    run_advance_ms(&server, 10);
    remove_due();
    CHECK_REPLY(RUN_LINE(&client, "HLEN moved"), ":2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HLEN copy"), ":2\r\n");
    run_advance_ms(&server, 10);
    remove_due();
    RUN_LINE(&client, "DEL copy");
    told.effects.len = told.events.len = 0;
    CHECK_REPLY(RUN_LINE(&client, "HLEN moved"), ":1\r\n");
    RUN_LINE(&client, "WATCH moved");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    run_advance_ms(&server, 10);
    remove_due();
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXISTS moved"), ":0\r\n");
    CHECK_BYTES(buf_bytes(&told.effects), LIT("0 HDEL moved c;"));
    CHECK_BYTES(buf_bytes(&told.events), LIT("0 moved=hexpired;0 moved=del;"));
    end();
}

static void many_ends_come_and_go_as_in_a_plain_model(void)
{
    enum { KEYS = 20, FIELDS = 40 };
    static int64_t ends[KEYS][FIELDS]; /* 0: no field, INT64_MAX: it stays */
    begin();
    memset(ends, 0, sizeof ends);
    struct random dice;
    random_init(&dice, check_seed());
    for (int step = 0; step < 30000; step++) {
        int key = (int)random_below(&dice, KEYS), field = (int)random_below(&dice, FIELDS);
        int64_t now = server.now_us / 1000, life = (int64_t)random_below(&dice, 300) + 1;
        int64_t *ends_at = &ends[key][field];
        char line[128];
        bool live = *ends_at > now;
        switch (random_below(&dice, 8)) {
        case 0:
        case 1:
            snprintf(line, sizeof line, "HSET k%d f%d v%" PRId64, key, field, life);
            CHECK_REPLY(RUN_LINE(&client, line), live ? ":0\r\n" : ":1\r\n");
            *ends_at = INT64_MAX;
            break;
        case 2:
        case 3:
        case 4:
            snprintf(line, sizeof line, "HPEXPIRE k%d %" PRId64 " FIELDS 1 f%d", key, life, field);
            CHECK_REPLY(RUN_LINE(&client, line), live ? "*1\r\n:1\r\n" : "*1\r\n:-2\r\n");
            *ends_at = live ? now + life : *ends_at;
            break;
        case 5:
            snprintf(line, sizeof line, "HDEL k%d f%d", key, field);
            CHECK_REPLY(RUN_LINE(&client, line), live ? ":1\r\n" : ":0\r\n");
            *ends_at = live ? 0 : *ends_at;
            break;
        case 6:
            snprintf(line, sizeof line, "HEXISTS k%d f%d", key, field);
            CHECK_REPLY(RUN_LINE(&client, line), live ? ":1\r\n" : ":0\r\n");
            break;
        default:
            run_advance_ms(&server, (int64_t)random_below(&dice, 10));
            if (random_below(&dice, 2) == 0) {
                remove_due();
            }
        }
    }
    run_advance_ms(&server, 1000);
    for (int round = 0; round < 100; round++) {
        remove_due();
    }
    for (int key = 0; key < KEYS; key++) {
        int stay = 0;
        char line[32], reply[32];
        for (int field = 0; field < FIELDS; field++) {
            stay += ends[key][field] == INT64_MAX;
        }
        snprintf(line, sizeof line, "HLEN k%d", key);
        snprintf(reply, sizeof reply, ":%d\r\n", stay);
        CHECK_REPLY(RUN_LINE(&client, line), reply);
    }
    end();
}

static void without_memory_ends_stay_as_they_were(void)
{
    begin();
    for (long n = 1; n < 30; n++) {
        RUN_LINE(&client, "HSET h a 1 b 2");
        mem_fail_after(n);
        struct bytes reply = RUN_LINE(&client, "HPEXPIRE h 100 FIELDS 1 a");
        mem_fail_after(0);
        bool done = reply.len > 0 && reply.at[0] == '*';
        CHECK_REPLY(RUN_LINE(&client, "HPTTL h FIELDS 1 a"),
                    done ? "*1\r\n:100\r\n" : "*1\r\n:-1\r\n");
        mem_fail_after(n);
        RUN_LINE(&client, "HSETEX h PX 100 FIELDS 2 b 1 c 1");
        mem_fail_after(n);
        RUN_LINE(&client, "COPY h copy");
        mem_fail_after(0);
        RUN_LINE(&client, "DEL h copy");
    }
    end();
}

/* Or who does a write again without knowing the time would write to them. */
static void a_write_first_tells_of_fields_that_have_ended(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1 b 2");
    RUN_LINE(&client, "HPEXPIRE h 10 FIELDS 1 a");
    CHECK_TOLD(&told, &client, "HINCRBYFLOAT h a 1.5", "0 HSETEX h KEEPTTL FIELDS 1 a 2.5;",
               "0 h=hincrbyfloat;");
    run_advance_ms(&server, 10);
    CHECK_TOLD(&told, &client, "HGET h a", "", "");
    CHECK_TOLD(&told, &client, "HINCRBY h a 5", "0 HDEL h a;0 HINCRBY h a 5;",
               "0 h=hexpired;0 h=hincrby;");
    RUN_LINE(&client, "HPEXPIRE h 9 FIELDS 1 a");
    RUN_LINE(&client, "HPEXPIRE h 10 FIELDS 1 b");
    run_advance_ms(&server, 10);
    CHECK_TOLD(&told, &client, "RENAME h j", "0 HDEL h a;0 HDEL h b;",
               "0 h=hexpired;0 h=hexpired;0 h=del;");
    CHECK_REPLY(RUN_LINE(&client, "EXISTS h"), ":0\r\n");
    end();
}

int main(void)
{
    RUN_TEST(ends_are_set_told_and_taken_away);
    RUN_TEST(conditions_are_kept);
    RUN_TEST(bad_arguments_are_refused);
    RUN_TEST(what_commands_came_to_is_told);
    RUN_TEST(an_ended_field_is_gone_at_once_for_all_commands);
    RUN_TEST(writing_a_field_ends_its_end_but_for_sums);
    RUN_TEST(the_background_removes_ended_fields_and_empty_hashes);
    RUN_TEST(many_ends_come_and_go_as_in_a_plain_model);
    RUN_TEST(without_memory_ends_stay_as_they_were);
    RUN_TEST(a_write_first_tells_of_fields_that_have_ended);
    return check_done();
}
