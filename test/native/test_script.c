/* The engine of scripts through the executor: its limits, what it keeps of scripts, how a script
 * that runs for long is told of and killed, and what two threads do to each other's. */
#include "client_fixture.h"

#include <pthread.h>

#include "exec/busy.h"

#define BUSY                                                                                       \
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"
#define BUSY_FUNCTION                                                                              \
    "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN "           \
    "NOSAVE.\r\n"

static struct bytes eval(const char *script)
{
    return RUN(&client, LIT("EVAL"), bytes_of(script), LIT("0"));
}

static bool has(struct bytes text, const char *part)
{
    size_t len = strlen(part);
    for (size_t at = 0; at + len <= text.len; at++) {
        if (memcmp(text.at + at, part, len) == 0) {
            return true;
        }
    }
    return false;
}

static void check_has(struct bytes text, const char *part, int line)
{
    if (!has(text, part)) {
        fprintf(stderr, "%.*s lacks %s\n", (int)text.len, text.at, part);
        check_fail(__FILE__, line, "something is missing");
    }
}
#define CHECK_HAS(text, part) check_has((text), (part), __LINE__)

/* ---- Limits ----------------------------------------------------------------------------- */

static void a_script_that_needs_too_much_memory_ends(void)
{
    static const char *const hungry[] = {
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} for i = 1, 1e9 do t[i] = i .. 'th' end",
        "return string.rep('x', 100000000)",
        "local t = {} for i = 1, 100 do t[i] = string.rep('x', 1000000) end return table.concat(t)",
        "while true do local ok, e = pcall(string.rep, 'x', 1e8) if not ok then error(e) end end",
        "local s = cjson.encode('x') while true do s = cjson.encode({ s, s }) end",
    };
    begin();
    atomic_store(&server.engine.settings.lua_memory_limit, 8 << 20);
    for (size_t i = 0; i < sizeof hungry / sizeof hungry[0]; i++) {
        CHECK_HAS(eval(hungry[i]), "not enough memory");
        CHECK_REPLY(eval("return 1"), ":1\r\n");
        CHECK(engine_script_usage(&server.engine).machines <= 8 << 20);
    }
    end();
}

static void deep_recursion_ends(void)
{
    begin();
    CHECK_HAS(eval("local function f(n) return 1 + f(n + 1) end return f(0)"), "stack overflow");
    CHECK_HAS(eval("local function f() return pcall(f) end local function g() return 1 + g() end "
                   "f() return g()"),
              "stack overflow");
    CHECK_HAS(eval("local s = string.rep('(', 1000) return loadstring('return ' .. s)()"), "-ERR ");
    CHECK_HAS(eval("local function f(s) return (string.gsub(s, '.', f)) end return f('x')"),
              "overflow");
    CHECK_HAS(eval("local t = {} setmetatable(t, { __index = function(t, k) return t[k] end }) "
                   "return t.x"),
              "overflow");
    CHECK_HAS(eval("local t = {} for i = 1, 100000 do t = { t } end return t"),
              "reached lua stack limit");
    CHECK_HAS(eval("local t = {} for i = 1, 100000 do t = { t } end return cjson.encode(t)"),
              "nest");
    CHECK_REPLY(eval("return 1"), ":1\r\n");
    end();
}

static void a_reply_that_is_too_long_is_an_error(void)
{
    begin();
    atomic_store(&server.engine.settings.lua_reply_limit, 1 << 20);
    CHECK_REPLY(eval("local t = {} for i = 1, 100000 do t[i] = 'twenty bytes, or so' end return t"),
                "-ERR the reply of the script is larger than lua-reply-limit\r\n");
    CHECK_REPLY(eval("return string.rep('x', 2000000)"),
                "-ERR the reply of the script is larger than lua-reply-limit\r\n");
    CHECK(eval("return string.rep('x', 1000000)").len > 1000000);
    CHECK_REPLY(eval("return 1"), ":1\r\n");
    end();
}

static void a_stop_ends_scripts(void)
{
    static const char *const endless[] = {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(redis.call, 'SET', 'k', 'v') end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "while true do string.gsub('x', '.', function() while true do end end) end",
        "table.sort({ 3, 2, 1 }, function() while true do end end)",
        "string.find(string.rep('a', 40), string.rep('a*', 20) .. 'b')",
        "string.match(string.rep('a', 40), string.rep('a-', 20) .. 'b')",
        "string.gsub(string.rep('a', 40), string.rep('a?', 40) .. string.rep('a', 40) .. 'b', '')",
        "for word in string.gmatch(string.rep('a', 40), string.rep('a*', 20) .. 'b') do end",
        "pcall(string.find, string.rep('a', 40), string.rep('a*', 20) .. 'b')",
        "string.gsub(string.rep('(', 300000), '%b()', '')",
        "string.find(string.rep('a', 300000), '(.-)%1b')",
    };
    begin();
    atomic_store(&server.engine.stopping, true);
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++) {
        CHECK_HAS(eval(endless[i]), "-ERR The server is stopping.");
    }
    atomic_store(&server.engine.stopping, false);
    CHECK_REPLY(eval("return 1"), ":1\r\n");
    end();
}

/* ---- Scripts that run for long ------------------------------------------------------------- */

static struct run_client other;
static unsigned turns;

/* On the thread of a slow script: what another client is told by and by. */
static void ask_others(void *user, struct session *running)
{
    const char *const *lines = user;
    struct bytes argv[RUN_ARGUMENTS_MAX];
    size_t argc = 0;
    struct request request;
    CHECK(running == &client.session);
    if (lines[2 * turns] == NULL) {
        return;
    }
    for (const char *at = lines[2 * turns]; *at != '\0';) {
        size_t len = strcspn(at, " ");
        argv[argc++] = (struct bytes){ at, len };
        at += at[len] == ' ' ? len + 1 : len;
    }
    reply_clear(&other.reply);
    executor_begin_round(&server.executor);
    executor_prepare(&server.executor, &other.session, argv, (uint32_t)argc, DIALECT_RESP,
                     &request);
    executor_run(&server.executor, &other.session, &request, &other.reply);
    CHECK_HAS(run_flatten(&other), lines[2 * turns + 1]);
    turns++;
}

/* Runs a command of 'client' that runs for long, while 'other' asks 'lines'. */
static struct bytes run_slowly(const char *const *lines, const struct bytes *argv, size_t argc)
{
    turns = 0;
    atomic_store(&server.engine.settings.busy_reply_threshold, 0);
    server.executor.serve_others = ask_others;
    server.executor.serve_user = (void *)(uintptr_t)lines;
    struct bytes reply = run_command(&client, argv, argc);
    CHECK(lines[2 * turns] == NULL);
    CHECK(!busy_any(&server.engine.busy));
    CHECK_INT(atomic_load(&server.engine.holdups), 0);
    server.executor.serve_others = NULL;
    return reply;
}

static void a_slow_script_is_told_of_and_killed(void)
{
    static const char *const lines[] = {
        "GET k",
        BUSY,
        "NOSUCH",
        "-ERR unknown command",
        "GET",
        "-ERR wrong number",
        "WATCH k",
        "+OK",
        "MULTI",
        "+OK",
        "GET k",
        BUSY,
        "EXEC",
        "-EXECABORT",
        "MULTI",
        "+OK",
        "DISCARD",
        "+OK",
        "FUNCTION STATS",
        BUSY,
        "FUNCTION KILL",
        BUSY,
        "SHUTDOWN",
        BUSY,
        "SCRIPT KILL",
        "+OK",
        NULL,
    };
    struct bytes argv[] = { LIT("EVAL"), LIT("while true do pcall(redis.call, 'GET', 'k') end"),
                            LIT("0") };
    begin();
    run_client_init(&other, &server);
    CHECK_HAS(run_slowly(lines, argv, 3), "-ERR Script killed by user with SCRIPT KILL");
    CHECK_REPLY(RUN_LINE(&other, "SCRIPT KILL"), "-NOTBUSY No scripts in execution right now.\r\n");
    CHECK_REPLY(RUN_LINE(&other, "SET k v"), "+OK\r\n");
    run_client_release(&other);
    end();
}

static void a_pattern_that_matches_without_end_is_killed(void)
{
    static const char *const lines[] = { "GET k", BUSY, "SCRIPT KILL", "+OK", NULL };
    struct bytes argv[] = {
        LIT("EVAL"), LIT("return string.find(string.rep('a', 40), string.rep('a*', 20) .. 'b')"),
        LIT("0")
    };
    begin();
    run_client_init(&other, &server);
    for (int i = 0; i < 2; i++) {
        CHECK_HAS(run_slowly(lines, argv, 3), "-ERR Script killed by user with SCRIPT KILL");
    }
    run_client_release(&other);
    end();
}

/* Such a script cannot be told from those that end soon, and runs with its keys alone. */
static void a_pattern_of_a_function_without_a_name_ends_by_itself(void)
{
    static const char script[] = "redis.call('SET', KEYS[1], 'v') local text = string.rep('a', 40) "
                                 "return text['fi' .. 'nd'](text, string.rep('a*', 20) .. 'b')";
    begin();
    atomic_store(&server.engine.settings.busy_reply_threshold, 20);
    (void)RUN(&client, LIT("SCRIPT"), LIT("LOAD"), bytes_of(script));
    for (int i = 0; i < 2; i++) {
        CHECK_HAS(RUN(&client, LIT("EVAL"), bytes_of(script), LIT("1"), LIT("k")),
                  "-ERR Matching a pattern has taken too long.");
    }
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nv\r\n");
    end();
}

static void a_text_that_is_looked_for_is_found_or_not_in_time(void)
{
    static const char script[] = "return string.find(string.rep('a', 1000000), "
                                 "string.rep('a', 500000) .. 'b', 1, true)";
    begin();
    CHECK_REPLY(eval(script), "$-1\r\n");
    end();
}

static void a_slow_script_that_has_written_is_not_killed(void)
{
    static const char *const lines[] = {
        "SCRIPT KILL", "-UNKILLABLE Sorry", "FUNCTION KILL", "-UNKILLABLE Sorry", "GET n", BUSY,
        NULL
    };
    struct bytes argv[] = { LIT("EVAL"),
                            LIT("for i = 1, 400000 do redis.call('INCR', 'n') end "
                                "return redis.call('GET', 'n')"),
                            LIT("0") };
    begin();
    run_client_init(&other, &server);
    CHECK_REPLY(run_slowly(lines, argv, 3), "$6\r\n400000\r\n");
    CHECK_REPLY(RUN_LINE(&other, "GET n"), "$6\r\n400000\r\n");
    run_client_release(&other);
    end();
}

static void a_slow_function_is_told_of_and_killed(void)
{
    static const char *const lines[] = {
        "GET k",
        BUSY_FUNCTION,
        "SCRIPT KILL",
        BUSY_FUNCTION,
        "FUNCTION STATS",
        "running_script\r\n*6\r\n$4\r\nname\r\n$4\r\nloop\r\n",
        "FUNCTION KILL",
        "+OK",
        NULL,
    };
    struct bytes argv[] = { LIT("FCALL"), LIT("loop"), LIT("1"), LIT("key") };
    begin();
    run_client_init(&other, &server);
    CHECK_REPLY(RUN(&client, LIT("FUNCTION"), LIT("LOAD"),
                    LIT("#!lua name=lib\nredis.register_function('loop', function() "
                        "while true do end end)")),
                "$3\r\nlib\r\n");
    CHECK_HAS(run_slowly(lines, argv, 4), "-ERR Script killed by user with SCRIPT KILL");
    CHECK_HAS(RUN_LINE(&client, "FUNCTION STATS"), "running_script\r\n$-1\r\n");
    run_client_release(&other);
    end();
}

/* ---- What is kept of scripts ---------------------------------------------------------------- */

static void keys_are_those_of_this_time(void)
{
    static const char script[] = "local all = table.concat(KEYS, ',') KEYS[1] = 'x' KEYS[5] = 'y' "
                                 "return all";
    static const char long_key[] = "a key that is longer than those that Lua has only once";
    begin();
    struct bytes text = bytes_of(script);
    for (int i = 0; i < 3; i++) {
        CHECK_REPLY(RUN(&client, LIT("EVAL"), text, LIT("2"), LIT("a"), LIT("b")), "$3\r\na,b\r\n");
        CHECK_REPLY(RUN(&client, LIT("EVAL"), text, LIT("2"), LIT("a"), LIT("c")), "$3\r\na,c\r\n");
        CHECK_REPLY(RUN(&client, LIT("EVAL"), text, LIT("1"), LIT("b")), "$1\r\nb\r\n");
        CHECK_REPLY(RUN(&client, LIT("EVAL"), text, LIT("0")), "$0\r\n\r\n");
        CHECK_REPLY(
            RUN(&client, LIT("EVAL"), text, LIT("4"), LIT(""), LIT("b"), LIT("c"), LIT("d")),
            "$6\r\n,b,c,d\r\n");
        CHECK_HAS(RUN(&client, LIT("EVAL"), text, LIT("1"), bytes_of(long_key)), long_key);
    }
    end();
}

static void scripts_are_kept_once_and_counted(void)
{
    begin();
    CHECK_INT(engine_script_usage(&server.engine).machines, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_REPLY(eval("return 1"), ":1\r\n");
        CHECK_INT(engine_script_usage(&server.engine).script_count, 1);
    }
    uint64_t before = engine_script_usage(&server.engine).scripts;
    CHECK_HAS(RUN(&client, LIT("SCRIPT"), LIT("LOAD"), LIT("return 2")), "$40\r\n");
    CHECK(engine_script_usage(&server.engine).scripts > before);
    CHECK(engine_script_usage(&server.engine).machines > 10000);
    CHECK_HAS(RUN(&client, LIT("FUNCTION"), LIT("LOAD"),
                  LIT("#!lua name=lib\nredis.register_function('f', function() end)")),
              "lib");
    struct script_usage usage = engine_script_usage(&server.engine);
    CHECK_INT(usage.script_count, 2);
    CHECK_INT(usage.library_count, 1);
    CHECK_INT(usage.function_count, 1);
    CHECK(usage.libraries > 50);
    CHECK_REPLY(RUN_LINE(&client, "FUNCTION FLUSH async"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SCRIPT FLUSH SYNC"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SCRIPT FLUSH ASYNC SYNC"),
                "-ERR SCRIPT FLUSH only support SYNC|ASYNC option\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FUNCTION FLUSH later"),
                "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option\r\n");
    usage = engine_script_usage(&server.engine);
    CHECK_INT(usage.script_count + usage.library_count + usage.function_count, 0);
    CHECK_INT(usage.libraries, 0);
    end();
}

static void of_scripts_that_come_by_eval_the_newest_are_kept(void)
{
    char text[64], digest[64];
    begin();
    struct bytes loaded = RUN(&client, LIT("SCRIPT"), LIT("LOAD"), LIT("return 'loaded'"));
    snprintf(digest, sizeof digest, "EVALSHA %.*s 0", 40, loaded.at + 5);
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "return %d", i);
        snprintf(text + 32, 32, ":%d\r\n", i);
        CHECK_REPLY(eval(text), text + 32);
    }
    CHECK_INT(engine_script_usage(&server.engine).script_count, 501);
    CHECK_REPLY(run_line(&client, digest), "$6\r\nloaded\r\n");
    end();
}

static void refusals_are_counted_once(void)
{
    begin();
    CHECK_HAS(eval("return redis.call('NOSUCH')"), "-ERR Unknown");
    CHECK_HAS(RUN(&client, LIT("EVAL_RO"), LIT("return redis.call('SET', 'k', 'v')"), LIT("0")),
              "-ERR Write commands");
    CHECK_REPLY(eval("redis.pcall('GET') return 1"), ":1\r\n");
    CHECK_HAS(eval("error('x')"), "-ERR user_script:1: x");
    struct stats stats;
    struct command_totals totals;
    engine_stats(&server.engine, &stats);
    CHECK_INT(stats.error_replies, 4);
    const struct registry *registry = server.engine.registry;
    const struct command *container;
    struct bytes names[] = { LIT("eval"), LIT("set"), LIT("eval_ro"), LIT("get") };
    static const uint64_t failed[] = { 2, 0, 1, 0 }, rejected[] = { 0, 1, 0, 1 };
    for (int i = 0; i < 4; i++) {
        const struct command *command = registry_find(registry, &names[i], 1, &container);
        engine_command_stats(&server.engine, command->derived.index, &totals);
        CHECK_INT(totals.failed, failed[i]);
        CHECK_INT(totals.rejected, rejected[i]);
    }
    end();
}

/* ---- Two threads ----------------------------------------------------------------------------- */

enum { ROUNDS = 300 };

static void *run_and_flush(void *user)
{
    const uint64_t *number = user;
    struct executor executor;
    struct session session;
    struct reply reply = { 0 };
    CHECK(executor_init(&executor, &server.engine));
    executor_enter(&executor);
    session_init(&session, &server.engine, NULL, server.now_us / 1000);
    executor_leave(&executor);
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];
        snprintf(text, sizeof text, "return redis.call('INCR', 'n') and %d", i % 7);
        struct bytes run[] = { LIT("EVAL"), bytes_of(text), LIT("0") };
        struct bytes flush[] = { LIT("SCRIPT"), LIT("FLUSH") };
        struct bytes load[] = { LIT("FUNCTION"), LIT("LOAD"), LIT("REPLACE"),
                                LIT("#!lua name=lib\nredis.register_function('f', function() "
                                    "return redis.call('INCR', 'n') and 1 end)") };
        struct bytes fcall[] = { LIT("FCALL"), LIT("f"), LIT("0") };
        char expected[8];
        snprintf(expected, sizeof expected, ":%d\r\n", i % 7);
        reply_clear(&reply);
        executor_call(&executor, &session, run, 3, &reply);
        CHECK_BYTES(buf_bytes(&reply.out), bytes_of(expected));
        reply_clear(&reply);
        if (*number == 0 && i % 5 == 0) {
            executor_call(&executor, &session, flush, 2, &reply);
            CHECK_BYTES(buf_bytes(&reply.out), LIT("+OK\r\n"));
        } else if (i % 11 == 0) {
            executor_call(&executor, &session, load, 4, &reply);
            CHECK_BYTES(buf_bytes(&reply.out), LIT("$3\r\nlib\r\n"));
        } else if (i > 0) {
            executor_call(&executor, &session, fcall, 3, &reply);
            CHECK(reply.out.at[0] == ':' || i < 11);
        }
    }
    executor_enter(&executor);
    session_release(&session, &server.engine, &executor);
    executor_leave(&executor);
    executor_release(&executor);
    reply_release(&reply);
    return NULL;
}

static void flushes_and_loads_of_one_thread_are_seen_by_the_other(void)
{
    pthread_t threads[2];
    uint64_t numbers[2] = { 0, 1 };
    begin();
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, run_and_flush, &numbers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    end();
}

int main(void)
{
    RUN_TEST(a_script_that_needs_too_much_memory_ends);
    RUN_TEST(deep_recursion_ends);
    RUN_TEST(a_reply_that_is_too_long_is_an_error);
    RUN_TEST(a_stop_ends_scripts);
    RUN_TEST(a_slow_script_is_told_of_and_killed);
    RUN_TEST(a_pattern_that_matches_without_end_is_killed);
    RUN_TEST(a_pattern_of_a_function_without_a_name_ends_by_itself);
    RUN_TEST(a_text_that_is_looked_for_is_found_or_not_in_time);
    RUN_TEST(a_slow_script_that_has_written_is_not_killed);
    RUN_TEST(a_slow_function_is_told_of_and_killed);
    RUN_TEST(keys_are_those_of_this_time);
    RUN_TEST(scripts_are_kept_once_and_counted);
    RUN_TEST(of_scripts_that_come_by_eval_the_newest_are_kept);
    RUN_TEST(refusals_are_counted_once);
    RUN_TEST(flushes_and_loads_of_one_thread_are_seen_by_the_other);
    return check_done();
}
