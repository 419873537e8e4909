/* Commands on bits and on HyperLogLogs: what they log and tell, and no memory.  Their replies
 * are compared with redis-server's elsewhere. */
#include "base/mem.h"
#include "told_fixture.h"

static void a_bit_that_stays_as_it_is_is_no_change(void)
{
    begin();
    CHECK_TOLD(&told, &client, "SETBIT k 5 0", "0 SETBIT k 5 0;", "0 k=setbit;");
    CHECK_TOLD(&told, &client, "SETBIT k 5 0", "", "");
    CHECK_TOLD(&told, &client, "SETBIT k 5 1", "0 SETBIT k 5 1;", "0 k=setbit;");
    CHECK_TOLD(&told, &client, "SETBIT k 5 1", "", "");
    CHECK_TOLD(&told, &client, "SETBIT k 8 0", "0 SETBIT k 8 0;", "0 k=setbit;");
    CHECK_TOLD(&told, &client, "GETBIT k 8", "", "");
    end();
}

static void fields_are_logged_when_one_has_changed(void)
{
    begin();
    CHECK_TOLD(&told, &client, "BITFIELD k GET u8 0", "", "");
    CHECK_TOLD(&told, &client, "BITFIELD k SET u8 0 0", "0 BITFIELD k SET u8 0 0;", "0 k=setbit;");
    CHECK_TOLD(&told, &client, "BITFIELD k SET u8 0 0 INCRBY u8 0 0", "", "");
    CHECK_TOLD(&told, &client, "BITFIELD k SET u8 0 0 INCRBY u8 0 1",
               "0 BITFIELD k SET u8 0 0 INCRBY u8 0 1;", "0 k=setbit;");
    /* Every step fails, but the string is longer. */
    CHECK_TOLD(&told, &client, "BITFIELD k OVERFLOW FAIL SET u2 20 9",
               "0 BITFIELD k OVERFLOW FAIL SET u2 20 9;", "");
    CHECK_REPLY(RUN_LINE(&client, "STRLEN k"), ":3\r\n");
    end();
}

static void a_combination_replaces_what_is_there(void)
{
    begin();
    RUN(&client, LIT("SET"), LIT("a"), LIT("\xf0\xff"));
    RUN(&client, LIT("SET"), LIT("b"), LIT("\x3c"));
    RUN(&client, LIT("SET"), LIT("c"), LIT("\x0f\x01"));
    RUN_LINE(&client, "SET out x EX 100");
    CHECK_TOLD(&told, &client, "BITOP DIFF out a b c", "0 BITOP DIFF out a b c;", "0 out=set;");
    CHECK_BYTES(RUN_LINE(&client, "GET out"), LIT("$2\r\n\xc0\xfe\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "TTL out"), ":-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "BITOP diff1 out a b c"), ":2\r\n");
    CHECK_BYTES(RUN_LINE(&client, "GET out"), LIT("$2\r\n\x0f\x00\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "BITOP ANDOR out a b c"), ":2\r\n");
    CHECK_BYTES(RUN_LINE(&client, "GET out"), LIT("$2\r\n\x30\x01\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "BITOP ONE out a b c"), ":2\r\n");
    CHECK_BYTES(RUN_LINE(&client, "GET out"), LIT("$2\r\n\xc3\xfe\r\n"));
    CHECK_REPLY(RUN_LINE(&client, "BITOP DIFF out a"),
                "-ERR BITOP DIFF must be called with at least two source keys.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "BITOP andor out a"),
                "-ERR BITOP ANDOR must be called with at least two source keys.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "BITOP ONE out a"), ":2\r\n");
    CHECK_TOLD(&told, &client, "BITOP AND out none", "0 BITOP AND out none;", "0 out=del;");
    CHECK_TOLD(&told, &client, "BITOP AND out none", "", "");
    end();
}

static void arguments_are_looked_at_before_the_key(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "BITCOUNT none 0"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "BITCOUNT none 0 x"),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "BITPOS none 0 0 1 NIBBLE"), "-ERR syntax error\r\n");
    end();
}

static void a_count_that_is_written_down_is_logged(void)
{
    begin();
    CHECK_TOLD(&told, &client, "PFADD k a b", "0 PFADD k a b;", "0 k=pfadd;");
    CHECK_TOLD(&told, &client, "PFADD k a", "", "");
    CHECK_TOLD(&told, &client, "PFCOUNT k", "0 PFCOUNT k;", "");
    CHECK_TOLD(&told, &client, "PFCOUNT k", "", "");
    CHECK_TOLD(&told, &client, "PFCOUNT k k", "", "");
    CHECK_TOLD(&told, &client, "PFMERGE m k", "0 PFMERGE m k;", "0 m=pfadd;");
    CHECK_TOLD(&told, &client, "PFDEBUG TODENSE m", "0 PFDEBUG TODENSE m;", "");
    CHECK_TOLD(&told, &client, "PFDEBUG TODENSE m", "", "");
    end();
}

/* Fails each allocation in turn, until the command goes through. */
static void check_without_memory(const char *command, const char *reply, const char *look,
                                 const char *before)
{
    for (long failing = 1;; failing++) {
        CHECK(failing < 20);
        mem_fail_after(failing);
        struct bytes got = RUN_LINE(&client, command);
        mem_fail_after(0);
        if (got.len > 0 && got.at[0] != '-') {
            check_bytes(__FILE__, __LINE__, command, got, bytes_of(reply));
            return;
        }
        CHECK_REPLY(got, "-ERR out of memory\r\n");
        CHECK_REPLY(RUN_LINE(&client, look), before);
    }
}

static void without_memory_nothing_has_changed(void)
{
    begin();
    RUN_LINE(&client, "SETBIT long 100000 1");
    check_without_memory("SETBIT k 100000 1", ":0\r\n", "EXISTS k", ":0\r\n");
    check_without_memory("BITFIELD f SET u8 100000 1", "*1\r\n:0\r\n", "EXISTS f", ":0\r\n");
    check_without_memory("BITOP NOT out long", ":12501\r\n", "EXISTS out", ":0\r\n");
    check_without_memory("PFADD p a b c", ":1\r\n", "EXISTS p", ":0\r\n");
    RUN_LINE(&client, "PFDEBUG TODENSE p");
    check_without_memory("PFMERGE q p", "+OK\r\n", "EXISTS q", ":0\r\n");
    end();
}

int main(void)
{
    RUN_TEST(a_bit_that_stays_as_it_is_is_no_change);
    RUN_TEST(fields_are_logged_when_one_has_changed);
    RUN_TEST(a_combination_replaces_what_is_there);
    RUN_TEST(arguments_are_looked_at_before_the_key);
    RUN_TEST(a_count_that_is_written_down_is_logged);
    RUN_TEST(without_memory_nothing_has_changed);
    return check_done();
}
