/* executor.c, refusal.c, perform.c: from a request to its reply, and what stands in the way. */
#include "base/mem.h"
#include "exec/pause.h"
#include "client_fixture.h"

static void commands_run_and_reply(void)
{
    begin();
    CHECK_REPLY(RUN(&client, LIT("SET"), LIT("k"), LIT("a value")), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "get k"), "$7\r\na value\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSET a 1 b 2 c 3"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MGET a b c d"),
                "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEL a b c d"), ":3\r\n");
    end();
}

static void many_keys_are_locked_together(void)
{
    enum { KEYS = 3000 };
    static char text[KEYS][16];
    static struct bytes argv[KEYS + 1];
    begin();
    argv[0] = LIT("DEL");
    for (int i = 0; i < KEYS; i++) {
        snprintf(text[i], sizeof text[i], "k%d", i);
        argv[i + 1] = bytes_of(text[i]);
        CHECK_REPLY(RUN(&client, LIT("SET"), argv[i + 1], LIT("v")), "+OK\r\n");
    }
    CHECK_REPLY(run_command(&client, argv, KEYS + 1), ":3000\r\n");
    end();
}

static void unknown_commands_get_the_exact_error(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "foo a b"),
                "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n");
    CHECK_REPLY(RUN_LINE(&client, "foo"),
                "-ERR unknown command 'foo', with args beginning with: \r\n");
    CHECK_REPLY(RUN(&client, LIT(""), LIT("a\r\nb")),
                "-ERR unknown command '', with args beginning with: 'a  b' \r\n");
    CHECK_REPLY(RUN(&client, LIT("f\0o"), LIT("x\0y")),
                "-ERR unknown command 'f', with args beginning with: 'x' \r\n");
    end();
}

static void long_unknown_commands_are_cut(void)
{
    char long_text[300], expected[600];
    memset(long_text, 'x', sizeof long_text);
    struct bytes word = { long_text, sizeof long_text };
    begin();
    snprintf(expected, sizeof expected,
             "-ERR unknown command '%.128s', with args beginning with: '%.128s' \r\n", long_text,
             long_text);
    CHECK_REPLY(RUN(&client, word, word, word), expected);
    snprintf(expected, sizeof expected,
             "-ERR unknown command 'f', with args beginning with: '%.100s' '%.25s' \r\n", long_text,
             long_text);
    CHECK_REPLY(RUN(&client, LIT("f"), ((struct bytes){ long_text, 100 }), word), expected);
    end();
}

static void unknown_subcommands_point_to_help(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "config NoSuch x"),
                "-ERR unknown subcommand 'NoSuch'. Try CONFIG HELP.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT"),
                "-ERR wrong number of arguments for 'object' command\r\n");
    end();
}

static void a_wrong_number_of_arguments_names_the_command(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "GET"), "-ERR wrong number of arguments for 'get' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET a b"),
                "-ERR wrong number of arguments for 'get' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CONFIG GET"),
                "-ERR wrong number of arguments for 'config|get' command\r\n");
    end();
}

static void a_client_that_is_not_authenticated_is_refused(void)
{
    begin();
    atomic_store(&server.engine.settings.password_needed, true);
    client.session.flags &= ~(uint32_t)SESSION_AUTHENTICATED;
    session_set_check(&client.session, SESSION_CHECK_LOGIN, true);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "-NOAUTH Authentication required.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET"), "-ERR wrong number of arguments for 'get' command\r\n");
    acl_assume(&client.session, server.engine.acl.standard);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    end();
}

static void writes_are_refused_when_memory_is_short(void)
{
    begin();
    atomic_store(&server.engine.settings.maxmemory, 1);
    CHECK_REPLY(RUN_LINE(&client, "SET k v"),
                "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEL k"), ":0\r\n");
    atomic_store(&server.engine.settings.maxmemory, UINT64_C(1) << 40);
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "+OK\r\n");
    end();
}

/* An executor's statistics in one number. */
static uint64_t rejected(const char *name)
{
    struct command_totals totals;
    const struct command *command = registry_find_name(server.engine.registry, bytes_of(name));
    engine_command_stats(&server.engine, registry_index(server.engine.registry, command), &totals);
    return totals.rejected;
}

static void count_word(void *user, struct bytes word, uint64_t count)
{
    char *out = user;
    size_t len = strlen(out);
    snprintf(out + len, 200 - len, "%.*s=%llu ", (int)word.len, word.at, (unsigned long long)count);
}

static void statistics_tell_calls_failures_and_refusals(void)
{
    struct command_totals totals;
    struct stats stats;
    char errors[200] = "";
    begin();
    uint32_t set = registry_index(server.engine.registry,
                                  registry_find_name(server.engine.registry, LIT("set")));
    RUN_LINE(&client, "SET k v");
    RUN_LINE(&client, "SET k");
    RUN_LINE(&client, "SET k v WHAT");
    RUN_LINE(&client, "nosuch");
    atomic_store(&server.engine.settings.maxmemory, 1);
    RUN_LINE(&client, "SET k v");
    engine_command_stats(&server.engine, set, &totals);
    CHECK_INT(totals.calls, 2);
    CHECK_INT(totals.failed, 1);
    CHECK_INT(totals.rejected, 2);
    CHECK_INT(rejected("get"), 0);
    engine_error_stats(&server.engine, count_word, errors);
    CHECK_TEXT(errors, "ERR=3 OOM=1 ");
    engine_stats(&server.engine, &stats);
    CHECK_INT(stats.commands, 2);
    CHECK_INT(stats.error_replies, 4);
    CHECK_INT(stats.dirty, 1);

    engine_reset_stats(&server.engine);
    engine_command_stats(&server.engine, set, &totals);
    CHECK_INT(totals.calls, 0);
    engine_stats(&server.engine, &stats);
    CHECK_INT(stats.commands, 0);
    end();
}

static void statistics_of_an_ended_executor_are_kept(void)
{
    struct stats stats;
    begin();
    RUN_LINE(&client, "SET k v");
    executor_release(&server.executor);
    engine_stats(&server.engine, &stats);
    CHECK_INT(stats.commands, 1);
    CHECK(executor_init(&server.executor, &server.engine));
    RUN_LINE(&client, "SET k v");
    engine_stats(&server.engine, &stats);
    CHECK_INT(stats.commands, 2);
    end();
}

static void replies_can_be_switched_off_and_skipped(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY OFF"), "");
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "");
    CHECK_REPLY(RUN_LINE(&client, "nosuch"), "");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY ON"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY SKIP"), "");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nv\r\n");
    end();
}

static void a_paused_client_keeps_its_command(void)
{
    begin();
    client.session.flags &= ~(uint32_t)SESSION_INTERNAL;
    pause_begin(&server.engine, RUN_START_MS + 100, false);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "");
    CHECK((client.session.flags & SESSION_POSTPONED) != 0);
    client.session.flags &= ~(uint32_t)SESSION_POSTPONED;
    atomic_store(&server.engine.pause_writes_only, true);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "");
    CHECK((client.session.flags & SESSION_POSTPONED) != 0);
    client.session.flags &= ~(uint32_t)SESSION_POSTPONED;
    run_advance_ms(&server, 100);
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "+OK\r\n");
    end();
}

static void a_killed_client_gets_no_reply(void)
{
    begin();
    client.session.carrier->kill(&client.session);
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "");
    CHECK((client.session.flags & SESSION_CLOSE_NOW) != 0);
    end();
}

/* A hash that was computed before SELECT or SWAPDB ran is not used after it. */
static void a_pipeline_sees_the_database_that_it_selects(void)
{
    static const struct bytes words[][3] = {
        { { "SELECT", 6 }, { "1", 1 } },
        { { "SET", 3 }, { "k", 1 }, { "one", 3 } },
        { { "SWAPDB", 6 }, { "0", 1 }, { "1", 1 } },
        { { "GET", 3 }, { "k", 1 } },
        { { "SELECT", 6 }, { "0", 1 } },
        { { "GET", 3 }, { "k", 1 } },
    };
    static const uint32_t lengths[] = { 2, 3, 3, 2, 2, 2 };
    struct request requests[6];
    begin();
    executor_enter(&server.executor);
    executor_begin_round(&server.executor);
    for (int i = 0; i < 6; i++) {
        executor_prepare(&server.executor, &client.session, words[i], lengths[i], DIALECT_RESP,
                         &requests[i]);
    }
    for (int i = 0; i < 6; i++) {
        executor_prefetch(&server.executor, &requests[i]);
        executor_run(&server.executor, &client.session, &requests[i], &client.reply);
    }
    executor_leave(&server.executor);
    CHECK_REPLY(run_flatten(&client), "+OK\r\n+OK\r\n+OK\r\n$-1\r\n+OK\r\n$3\r\none\r\n");
    end();
}

static void expired_keys_are_reaped_after_a_read(void)
{
    begin();
    RUN_LINE(&client, "SET k v PX 10");
    run_advance_ms(&server, 11);
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    CHECK_INT(keyspace_expired(server.engine.keyspace), 1);
    CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":0\r\n");
    end();
}

struct told {
    char effects[400], events[400];
};

static void note_effect(void *user, uint32_t db, const struct bytes *argv, uint32_t argc)
{
    struct told *told = user;
    size_t len = strlen(told->effects);
    len += (size_t)snprintf(told->effects + len, sizeof told->effects - len, "%u:", db);
    for (uint32_t i = 0; i < argc; i++) {
        len += (size_t)snprintf(told->effects + len, sizeof told->effects - len, "%s%.*s",
                                i > 0 ? " " : "", (int)argv[i].len, argv[i].at);
    }
    snprintf(told->effects + len, sizeof told->effects - len, "; ");
}

static void note_event(void *user, uint32_t db, struct bytes key, struct bytes event)
{
    struct told *told = user;
    size_t len = strlen(told->events);
    snprintf(told->events + len, sizeof told->events - len, "%u:%.*s %.*s; ", db, (int)key.len,
             key.at, (int)event.len, event.at);
}

static void changes_are_told_as_deterministic_effects(void)
{
    struct told told = { "", "" };
    begin();
    server.engine.changes = (struct change_sink){ note_effect, note_event, &told };
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "GET a");
    RUN_LINE(&client, "DEL nothing");
    RUN_LINE(&client, "SELECT 2");
    RUN_LINE(&client, "SET b 2 PX 5");
    run_advance_ms(&server, 10);
    RUN_LINE(&client, "GET b");
    CHECK_TEXT(told.effects, "0:SET a 1; 2:SET b 2 PXAT 1700000000005; 2:DEL b; ");
    CHECK_TEXT(told.events, "0:a set; 2:b set; 2:b expire; 2:b expired; ");
    end();
}

static void a_transaction_is_told_in_a_frame(void)
{
    struct told told = { "", "" };
    begin();
    server.engine.changes = (struct change_sink){ note_effect, note_event, &told };
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "GET a");
    RUN_LINE(&client, "INCR a");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*3\r\n+OK\r\n$1\r\n1\r\n:2\r\n");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "GET a");
    RUN_LINE(&client, "EXEC");
    CHECK_TEXT(told.effects, "0:MULTI; 0:SET a 1; 0:INCR a; 0:EXEC; ");
    end();
}

static void a_session_describes_itself_as_redis_does(void)
{
    struct buf line = { 0 };
    begin();
    RUN_LINE(&client, "GET k");
    run_advance_ms(&server, 2500);
    session_describe(&client.session, RUN_START_MS + 2500, &line);
    char expected[400];
    snprintf(expected, sizeof expected,
             "id=1 addr= laddr= fd=-1 name= age=2 idle=2 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 "
             "qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=%zu "
             "events=r cmd=get user=default redir=-1 resp=2 lib-name= lib-ver=",
             sizeof(struct session));
    CHECK_BYTES(buf_bytes(&line), bytes_of(expected));
    buf_release(&line);
    end();
}

static void a_reset_session_is_like_a_new_one(void)
{
    begin();
    RUN_LINE(&client, "SELECT 3");
    RUN_LINE(&client, "WATCH k");
    RUN_LINE(&client, "MULTI");
    buf_append(&session_details(&client.session)->name, LIT("me"));
    client.session.protocol = 3;
    executor_enter(&server.executor);
    session_reset(&client.session, &server.engine, &server.executor);
    executor_leave(&server.executor);
    CHECK_INT(client.session.db, 0);
    CHECK_INT(client.session.protocol, 2);
    CHECK(client.session.transaction == NULL);
    CHECK_INT(session_details(&client.session)->name.len, 0);
    CHECK((client.session.flags & (SESSION_AUTHENTICATED | SESSION_INTERNAL)) ==
          (SESSION_AUTHENTICATED | SESSION_INTERNAL));
    end();
}

static void an_engine_that_can_not_get_memory_leaves_nothing(void)
{
#ifdef RLN_TEST
    uint32_t count;
    const struct command_family *const *families = command_families(&count);
    struct clock clock = { run_clock, run_clock, &server };
    struct log log = { .write = run_log_nothing };
    struct engine_options options = { &clock, &log, families, count, RUN_DATABASES, 1 };
    bool made = false;
    for (long n = 1; !made && n < 1000; n++) {
        static struct engine engine;
        static struct executor executor;
        mem_fail_after(n);
        if (engine_init(&engine, &options)) {
            if (executor_init(&executor, &engine)) {
                made = true;
                executor_release(&executor);
            }
            engine_release(&engine);
        }
        mem_fail_after(0);
    }
    CHECK(made);
#endif
}

int main(void)
{
    RUN_TEST(commands_run_and_reply);
    RUN_TEST(many_keys_are_locked_together);
    RUN_TEST(unknown_commands_get_the_exact_error);
    RUN_TEST(long_unknown_commands_are_cut);
    RUN_TEST(unknown_subcommands_point_to_help);
    RUN_TEST(a_wrong_number_of_arguments_names_the_command);
    RUN_TEST(a_client_that_is_not_authenticated_is_refused);
    RUN_TEST(writes_are_refused_when_memory_is_short);
    RUN_TEST(statistics_tell_calls_failures_and_refusals);
    RUN_TEST(statistics_of_an_ended_executor_are_kept);
    RUN_TEST(replies_can_be_switched_off_and_skipped);
    RUN_TEST(a_paused_client_keeps_its_command);
    RUN_TEST(a_killed_client_gets_no_reply);
    RUN_TEST(a_pipeline_sees_the_database_that_it_selects);
    RUN_TEST(expired_keys_are_reaped_after_a_read);
    RUN_TEST(changes_are_told_as_deterministic_effects);
    RUN_TEST(a_transaction_is_told_in_a_frame);
    RUN_TEST(a_session_describes_itself_as_redis_does);
    RUN_TEST(a_reset_session_is_like_a_new_one);
    RUN_TEST(an_engine_that_can_not_get_memory_leaves_nothing);
    return check_done();
}
