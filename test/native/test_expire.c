/* EXPIRE, TTL and their forms on a clock that stands still until the test moves it. */
#include "told_fixture.h"

static void begin_with_a_key(void)
{
    begin();
    RUN_LINE(&client, "SET k v");
}

static void seconds_are_rounded_to_the_nearest(void)
{
    begin_with_a_key();
    CHECK_REPLY(RUN_LINE(&client, "TTL missing"), ":-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "TTL k"), ":-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRE k 1500"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "TTL k"), ":2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRETIME k"), ":1700000002\r\n");
    run_advance_ms(&server, 1);
    CHECK_REPLY(RUN_LINE(&client, "TTL k"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":1499\r\n");
    run_advance_ms(&server, 1100);
    CHECK_REPLY(RUN_LINE(&client, "TTL k"), ":0\r\n");
    end();
}

static void a_key_is_gone_at_its_very_millisecond(void)
{
    begin_with_a_key();
    RUN_LINE(&client, "PEXPIRE k 100");
    run_advance_ms(&server, 99);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nv\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":1\r\n");
    run_advance_ms(&server, 2);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":-2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PERSIST k"), ":0\r\n");
    end();
}

static void every_form_is_logged_as_a_moment(void)
{
    begin_with_a_key();
    CHECK_TOLD(&told, &client, "EXPIRE k 10", "0 PEXPIREAT k 1700000010000;", "0 k=expire;");
    CHECK_TOLD(&told, &client, "PEXPIRE k 10", "0 PEXPIREAT k 1700000000010;", "0 k=expire;");
    CHECK_TOLD(&told, &client, "EXPIREAT k 1800000000 GT", "0 PEXPIREAT k 1800000000000;",
               "0 k=expire;");
    CHECK_TOLD(&told, &client, "EXPIREAT k 1800000000 GT", "", "");
    CHECK_TOLD(&told, &client, "PERSIST k", "0 PERSIST k;", "0 k=persist;");
    CHECK_TOLD(&told, &client, "PERSIST k", "", "");
    CHECK_TOLD(&told, &client, "EXPIRE k 0", "0 DEL k;", "0 k=del;");
    server.engine.settings.lazy_expire = true;
    RUN_LINE(&client, "SET k v");
    CHECK_TOLD(&told, &client, "PEXPIREAT k 1", "0 UNLINK k;", "0 k=del;");
    CHECK_TOLD(&told, &client, "EXPIRE k 10", "", "");
    end();
}

static void conditions_compare_with_the_end_that_is_there(void)
{
    begin_with_a_key();
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 10 XX"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 10 GT"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 10 LT"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 10 LT"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 11 XX GT"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 11 NX"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 11 NX GT"),
                "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 11 GT LT"),
                "-ERR GT and LT options at the same time are not compatible\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 11 nope"), "-ERR Unsupported option nope\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRETIME k"), ":1700000011000\r\n");
    end();
}

static void a_time_beyond_the_calendar_is_refused(void)
{
    begin_with_a_key();
    CHECK_REPLY(RUN_LINE(&client, "EXPIRE k 9223372036854775807"),
                "-ERR invalid expire time in 'expire' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRE k 9223372036854775807"),
                "-ERR invalid expire time in 'pexpire' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIREAT k 9223372036854775807"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRETIME k"), ":9223372036854775807\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nv\r\n");
    end();
}

int main(void)
{
    RUN_TEST(seconds_are_rounded_to_the_nearest);
    RUN_TEST(a_key_is_gone_at_its_very_millisecond);
    RUN_TEST(every_form_is_logged_as_a_moment);
    RUN_TEST(conditions_compare_with_the_end_that_is_there);
    RUN_TEST(a_time_beyond_the_calendar_is_refused);
    return check_done();
}
