/* Commands on strings: replies, what they log, what they count, and no memory. */
#include "base/mem.h"
#include "told_fixture.h"

static void set_keeps_any_bytes(void)
{
    begin();
    CHECK_REPLY(RUN(&client, LIT("SET"), LIT("k\0y"), LIT("\0\r\n\xff")), "+OK\r\n");
    CHECK_BYTES(RUN(&client, LIT("GET"), LIT("k\0y")), LIT("$4\r\n\0\r\n\xff\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "SET '' ''"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET ''"), "$0\r\n\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    end();
}

static void set_reads_its_options_in_any_order(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "SET k a XX"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k a ex 100 NX"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRETIME k"), ":1700000100000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k b GET KEEPTTL"), "$1\r\na\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRETIME k"), ":1700000100000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k c NX GET"), "$1\r\nb\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k c EX 1 PX 1"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k c PX 0"), "-ERR invalid expire time in 'set' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k c PX x"),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nb\r\n");
    end();
}

static void getex_reports_the_first_bad_argument(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "GETEX k EX ten"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETEX k EX ten"),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETEX k EX 9223372036854775807"),
                "-ERR invalid expire time in 'getex' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETEX k WHEN"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETEX k EX 5 PERSIST"), "-ERR syntax error\r\n");
    end();
}

static void what_depends_on_the_moment_is_logged_as_what_it_came_to(void)
{
    begin();
    CHECK_TOLD(&told, &client, "SET k v", "0 SET k v;", "0 k=set;");
    CHECK_TOLD(&told, &client, "SET k v NX", "", "");
    CHECK_TOLD(&told, &client, "SET k v XX", "0 SET k v XX;", "0 k=set;");
    CHECK_TOLD(&told, &client, "SET k v EX 1", "0 SET k v PXAT 1700000001000;",
               "0 k=set;0 k=expire;");
    CHECK_TOLD(&told, &client, "SET k v GET KEEPTTL", "0 SET k v KEEPTTL;", "0 k=set;");
    CHECK_TOLD(&told, &client, "SET k v GET XX", "0 SET k v;", "0 k=set;");
    CHECK_TOLD(&told, &client, "SETEX k 2 v", "0 SET k v PXAT 1700000002000;",
               "0 k=set;0 k=expire;");
    CHECK_TOLD(&told, &client, "PSETEX k 5 v", "0 SET k v PXAT 1700000000005;",
               "0 k=set;0 k=expire;");
    CHECK_TOLD(&told, &client, "GETSET k w", "0 SET k w;", "0 k=set;");
    CHECK_TOLD(&told, &client, "GETEX k", "", "");
    CHECK_TOLD(&told, &client, "GETEX k PERSIST", "", "");
    CHECK_TOLD(&told, &client, "GETEX k PX 7", "0 PEXPIREAT k 1700000000007;", "0 k=expire;");
    CHECK_TOLD(&told, &client, "GETEX k PERSIST", "0 PERSIST k;", "0 k=persist;");
    CHECK_TOLD(&told, &client, "GETEX k EXAT 1", "0 DEL k;", "0 k=del;");
    CHECK_TOLD(&told, &client, "GETDEL k", "", "");
    CHECK_TOLD(&told, &client, "INCRBYFLOAT k 1.5", "0 SET k 1.5 KEEPTTL;", "0 k=incrbyfloat;");
    CHECK_TOLD(&told, &client, "GETDEL k", "0 DEL k;", "0 k=del;");
    CHECK_TOLD(&told, &client, "MSET a 1 b 2", "0 MSET a 1 b 2;", "0 a=set;0 b=set;");
    CHECK_TOLD(&told, &client, "MSETNX c 1 b 2", "", "");
    CHECK_TOLD(&told, &client, "INCR a", "0 INCR a;", "0 a=incrby;");
    CHECK_TOLD(&told, &client, "APPEND a 1", "0 APPEND a 1;", "0 a=append;");
    CHECK_TOLD(&told, &client, "SETRANGE a 1 1", "0 SETRANGE a 1 1;", "0 a=setrange;");
    CHECK_TOLD(&told, &client, "SETRANGE a 1 ''", "", "");
    end();
}

static void lookups_of_reading_commands_are_counted(void)
{
    begin();
    struct stats sum;
    RUN_LINE(&client, "MSET a 1 b 2");
    RUN_LINE(&client, "GET a");
    RUN_LINE(&client, "GET missing");
    RUN_LINE(&client, "MGET a b missing");
    RUN_LINE(&client, "STRLEN a");
    RUN_LINE(&client, "GETRANGE missing 0 1");
    RUN_LINE(&client, "GETEX a");
    RUN_LINE(&client, "SET a 1 GET");
    RUN_LINE(&client, "INCR a");
    RUN_LINE(&client, "APPEND missing x");
    engine_stats(&server.engine, &sum);
    CHECK_INT(stat_read(&sum.keyspace_hits), 6);
    CHECK_INT(stat_read(&sum.keyspace_misses), 3);
    end();
}

static void a_long_value_is_replied_as_it_is_then(void)
{
    begin();
    RUN_LINE(&client, "SETRANGE k 99999 x");
    CHECK_REPLY(RUN_LINE(&client, "STRLEN k"), ":100000\r\n");
    CHECK_INT(RUN_LINE(&client, "GET k").len, 100000 + strlen("$100000\r\n\r\n"));
    CHECK_BYTES(RUN_LINE(&client, "GETRANGE k 99998 -1"), LIT("$2\r\n\0x\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "SETRANGE k 99998 y"), ":100000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETRANGE k -2 200000"), "$2\r\nyx\r\n");
    struct bytes taken = RUN_LINE(&client, "GETDEL k");
    CHECK_BYTES(((struct bytes){ taken.at + taken.len - 4, 4 }), LIT("yx\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "EXISTS k"), ":0\r\n");
    end();
}

static void integers_stop_at_their_limits(void)
{
    begin();
    RUN_LINE(&client, "SET k 9223372036854775806");
    CHECK_REPLY(RUN_LINE(&client, "INCR k"), ":9223372036854775807\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCR k"), "-ERR increment or decrement would overflow\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DECRBY k -9223372036854775808"),
                "-ERR decrement would overflow\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCRBY k -9223372036854775808"), ":-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k 01"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCR k"), "-ERR value is not an integer or out of range\r\n");
    end();
}

static void strings_stop_at_the_configured_length(void)
{
    begin();
    server.engine.settings.max_bulk_len = 10;
    RUN_LINE(&client, "SET k 12345678");
    CHECK_REPLY(RUN_LINE(&client, "APPEND k 90"), ":10\r\n");
    CHECK_REPLY(RUN_LINE(&client, "APPEND k 1"),
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SETRANGE k 9 ab"),
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SETRANGE k 9223372036854775807 ab"),
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LCS k k"),
                "-ERR Insufficient memory, transient memory for LCS exceeds "
                "proto-max-bulk-len\r\n");
    end();
}

static void lcs_finds_the_longest_common_subsequence(void)
{
    begin();
    RUN_LINE(&client, "MSET a ohmytext b mynewtext");
    CHECK_REPLY(RUN_LINE(&client, "LCS a b"), "$6\r\nmytext\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LCS a b LEN"), ":6\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"),
                "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n"
                "$3\r\nlen\r\n:6\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LCS a missing"), "$0\r\n\r\n");
    end();
}

/* Lets the n-th request for memory of a growing command fail, for every n. */
static void without_memory_nothing_has_changed(void)
{
    begin();
    RUN_LINE(&client, "SET k 123");
    for (long n = 1; n <= 3; n++) {
        mem_fail_after(n);
        struct bytes reply = RUN_LINE(&client, "SETRANGE k 200000 x");
        mem_fail_after(0);
        if (reply.len > 0 && reply.at[0] == ':') {
            break;
        }
        CHECK_REPLY(reply, "-ERR out of memory\r\n");
        CHECK_REPLY(RUN_LINE(&client, "GET k"), "$3\r\n123\r\n");
    }
    CHECK_REPLY(RUN_LINE(&client, "SETRANGE k 200000 x"), ":200001\r\n");
    end();
}

int main(void)
{
    RUN_TEST(set_keeps_any_bytes);
    RUN_TEST(set_reads_its_options_in_any_order);
    RUN_TEST(getex_reports_the_first_bad_argument);
    RUN_TEST(what_depends_on_the_moment_is_logged_as_what_it_came_to);
    RUN_TEST(lookups_of_reading_commands_are_counted);
    RUN_TEST(a_long_value_is_replied_as_it_is_then);
    RUN_TEST(integers_stop_at_their_limits);
    RUN_TEST(strings_stop_at_the_configured_length);
    RUN_TEST(lcs_finds_the_longest_common_subsequence);
    RUN_TEST(without_memory_nothing_has_changed);
    return check_done();
}
