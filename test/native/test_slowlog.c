/* slowlog.c: the newest slow commands, trimmed as Redis trims them. */
#include "exec/slowlog.h"
#include "client_fixture.h"

static struct bytes log_of(int64_t count)
{
    reply_clear(&client.reply);
    slowlog_reply(server.engine.slowlog, count, &client.reply);
    return run_flatten(&client);
}

static void note(const struct bytes *argv, uint32_t argc, int64_t microseconds)
{
    slowlog_add(server.engine.slowlog, &server.engine, &client.session, argv, argc, microseconds);
}

static void the_newest_commands_come_first(void)
{
    struct bytes get[] = { LIT("get"), LIT("k") };
    struct bytes ping[] = { LIT("ping") };
    begin();
    note(get, 2, 20000);
    run_advance_ms(&server, 1000);
    buf_append(&session_details(&client.session)->name, LIT("me"));
    note(ping, 1, 30000);
    CHECK_INT(slowlog_length(server.engine.slowlog), 2);
    CHECK_REPLY(log_of(-1),
                "*2\r\n"
                "*6\r\n:1\r\n:1700000001\r\n:30000\r\n*1\r\n$4\r\nping\r\n$0\r\n\r\n$2\r\nme\r\n"
                "*6\r\n:0\r\n:1700000000\r\n:20000\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n"
                "$0\r\n\r\n$0\r\n\r\n");
    CHECK_BYTES(((struct bytes){ log_of(1).at, 8 }), LIT("*1\r\n*6\r\n"));
    slowlog_clear(server.engine.slowlog);
    CHECK_REPLY(log_of(10), "*0\r\n");
    end();
}

static void the_log_is_kept_to_its_length(void)
{
    struct bytes ping[] = { LIT("ping") };
    begin();
    atomic_store(&server.engine.settings.slowlog_max_len, 3);
    for (int i = 0; i < 10; i++) {
        note(ping, 1, 1);
    }
    CHECK_INT(slowlog_length(server.engine.slowlog), 3);
    atomic_store(&server.engine.settings.slowlog_max_len, 0);
    note(ping, 1, 1);
    CHECK_INT(slowlog_length(server.engine.slowlog), 0);
    end();
}

static void long_commands_are_trimmed(void)
{
    struct bytes argv[40];
    char long_text[200], expected[200];
    memset(long_text, 'x', sizeof long_text);
    begin();
    for (int i = 0; i < 40; i++) {
        argv[i] = LIT("a");
    }
    argv[1] = (struct bytes){ long_text, sizeof long_text };
    note(argv, 40, 1);
    struct bytes reply = log_of(-1);
    char text[2000];
    snprintf(text, sizeof text, "%.*s", (int)reply.len, reply.at);
    snprintf(expected, sizeof expected, "$147\r\n%.128s... (72 more bytes)\r\n", long_text);
    CHECK(strstr(text, "*32\r\n") != NULL);
    CHECK(strstr(text, expected) != NULL);
    CHECK(strstr(text, "$22\r\n... (9 more arguments)\r\n$0") != NULL);
    end();
}

static void commands_over_the_threshold_are_noted(void)
{
    begin();
    atomic_store(&server.engine.settings.slowlog_log_slower_than, 0);
    RUN_LINE(&client, "PING");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "GET k");
    RUN_LINE(&client, "EXEC"); /* The commands inside are noted, EXEC is not. */
    CHECK_INT(slowlog_length(server.engine.slowlog), 3);
    atomic_store(&server.engine.settings.slowlog_log_slower_than, -1);
    RUN_LINE(&client, "PING");
    CHECK_INT(slowlog_length(server.engine.slowlog), 3);
    end();
}

int main(void)
{
    RUN_TEST(the_newest_commands_come_first);
    RUN_TEST(the_log_is_kept_to_its_length);
    RUN_TEST(long_commands_are_trimmed);
    RUN_TEST(commands_over_the_threshold_are_noted);
    return check_done();
}
