/* Scripts of several threads at once, those that hold their keys alone and those that hold
 * everything, between plain commands and transactions on the same keys.  What they move stays
 * whole; what they tell as effects, frame by frame, makes the same data set again; whoever waits
 * for what they push gets it.  ThreadSanitizer looks on. */
#include <pthread.h>
#include <stdio.h>

#include "base/thread.h"
#include "data_set.h"
#include "effect_log.h"
#include "waiting_client.h"

enum { THREADS = 4, ROUNDS = 400, ACCOUNTS = 6, FUNDS = 1000 };

static struct run_server server, again;
static struct run_client one, other;
static struct effect_log effects;

#define MOVE                                                                                       \
    "local n = tonumber(redis.call('GET', KEYS[1])) "                                              \
    "redis.call('SET', KEYS[1], n - ARGV[1]) redis.call('INCRBY', KEYS[2], ARGV[1]) "

/* With their keys alone. */
static const char declared_move[] = MOVE "return redis.call('GET', KEYS[2])";
static const char declared_push[] = "return redis.call('LPUSH', KEYS[1], ARGV[1])";
static const char declared_expire[] =
    "redis.call('SET', KEYS[1], ARGV[1], 'PX', 1) return redis.call('GET', KEYS[1])";
static const char declared_sum[] =
    "local sum = 0 for i, k in ipairs(KEYS) do sum = sum + redis.call('GET', k) end return sum";
/* With everything. */
static const char other_move[] =
    "local a, b = KEYS[1] .. '', KEYS[2] .. '' local n = tonumber(redis.call('GET', a)) "
    "redis.call('SET', a, n - ARGV[1]) redis.call('INCRBY', b, ARGV[1]) return n";
static const char other_sum[] =
    "local sum = 0 for i = 0, 5 do sum = sum + redis.call('GET', 'account' .. i) end return sum";

/* The same as functions; the second one is not known to touch its keys alone. */
static const char library[] =
    "#!lua name=accounts\n"
    "redis.register_function('move', function(keys, args) "
    "local n = tonumber(redis.call('GET', keys[1])) "
    "redis.call('SET', keys[1], n - args[1]) redis.call('INCRBY', keys[2], args[1]) "
    "return redis.call('GET', keys[2]) end) "
    "local function take(key, sum) return redis.call('DECRBY', key, sum) end "
    "redis.register_function('move_by_parts', function(keys, args) take(keys[1], args[1]) "
    "return redis.call('INCRBY', keys[2], args[1]) end)";

struct player {
    pthread_t thread;
    uint64_t dice;
    struct executor *executor;
    struct waiting_client waiting;
};

static struct bytes run_words(struct player *player, const char *const *words, uint32_t count)
{
    struct bytes argv[16];
    struct run_client *client = &player->waiting.client;
    for (uint32_t i = 0; i < count; i++) {
        argv[i] = bytes_of(words[i]);
    }
    reply_clear(&client->reply);
    executor_call(player->executor, &client->session, argv, count, &client->reply);
    return run_flatten(client);
}

#define SAY(player, ...)                                                                           \
    run_words((player), (const char *const[]){ __VA_ARGS__ },                                      \
              sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void check_sum(struct bytes reply)
{
    char expected[32];
    snprintf(expected, sizeof expected, ":%d\r\n", FUNDS * ACCOUNTS);
    CHECK_REPLY(reply, expected);
}

static void move(struct player *player)
{
    char from[16], to[16];
    uint64_t first = check_random_below(&player->dice, ACCOUNTS);
    uint64_t second = (first + 1 + check_random_below(&player->dice, ACCOUNTS - 1)) % ACCOUNTS;
    snprintf(from, sizeof from, "account%d", (int)first);
    snprintf(to, sizeof to, "account%d", (int)second);
    switch (check_random_below(&player->dice, 10)) {
    case 0:
        CHECK(SAY(player, "EVAL", other_move, "2", from, to, "3").at[0] == ':');
        break;
    case 1:
        (void)SAY(player, "MULTI");
        (void)SAY(player, "EVAL", declared_move, "2", from, to, "5");
        (void)SAY(player, "DECRBY", to, "5");
        (void)SAY(player, "INCRBY", from, "5");
        CHECK(SAY(player, "EXEC").at[0] == '*');
        break;
    case 2:
        (void)SAY(player, "MULTI");
        (void)SAY(player, "DECRBY", to, "2");
        (void)SAY(player, "INCRBY", from, "2");
        CHECK(SAY(player, "EXEC").at[0] == '*');
        break;
    case 3:
        CHECK(SAY(player, "FCALL", "move", "2", from, to, "4").at[0] == '$');
        break;
    case 4:
        CHECK(SAY(player, "FCALL", "move_by_parts", "2", from, to, "6").at[0] == ':');
        break;
    default:
        CHECK(SAY(player, "EVAL", declared_move, "2", from, to, "7").at[0] == '$');
    }
}

/* As a worker does it: looks at the session in a batch.  False while it waits. */
static bool is_free(struct player *player)
{
    struct session *session = &player->waiting.client.session;
    executor_enter(player->executor);
    bool waits = waiting_waits(&player->waiting);
    if (waits && check_random_below(&player->dice, 4) == 0) {
        blocking_fail(&server.engine.blocking, session, LIT("UNBLOCKED"));
        waits = false;
    }
    if (!waits && blocking_holds(session)) {
        (void)waiting_take(&player->waiting);
    }
    executor_leave(player->executor);
    return !waits;
}

static void step(struct player *player)
{
    char name[16];
    snprintf(name, sizeof name, "key%d", (int)check_random_below(&player->dice, 4));
    switch (check_random_below(&player->dice, 8)) {
    case 0:
        check_sum(SAY(player, "EVAL", other_sum, "0"));
        break;
    case 1:
        check_sum(SAY(player, "EVAL", declared_sum, "6", "account0", "account1", "account2",
                      "account3", "account4", "account5"));
        break;
    case 2:
        CHECK(SAY(player, "EVAL", declared_push, "1", "list", "element").at[0] == ':');
        break;
    case 3:
        (void)SAY(player, "BLPOP", "list", "0");
        break;
    case 4:
        CHECK_REPLY(SAY(player, "EVAL", declared_expire, "1", name, "v"), "$1\r\nv\r\n");
        break;
    default:
        move(player);
    }
}

static void *play(void *argument)
{
    struct player *player = argument;
    struct run_client *client = &player->waiting.client;
    player->executor = mem_try_aligned(CACHE_LINE, sizeof *player->executor);
    CHECK(player->executor != NULL && executor_init(player->executor, &server.engine));
    waiting_init(&player->waiting, &server);
    for (int i = 0; i < ROUNDS; i++) {
        if (is_free(player)) {
            step(player);
        }
    }
    executor_enter(player->executor);
    session_release(&client->session, &server.engine, player->executor);
    executor_leave(player->executor);
    executor_release(player->executor);
    reply_release(&client->reply);
    buf_release(&client->flat);
    mem_free(player->executor);
    return NULL;
}

static void compare(void)
{
    run_server_init(&again);
    effect_log_check(&effects, &server, &again);
    run_server_release(&again);
}

static void what_scripts_of_many_threads_move_stays_whole(void)
{
    static struct player players[THREADS];
    uint64_t seed = check_seed();
    run_server_init(&server);
    run_client_init(&one, &server);
    effect_log_init(&effects, &server);
    for (int i = 0; i < ACCOUNTS; i++) {
        char line[32];
        snprintf(line, sizeof line, "SET account%d %d", i, FUNDS);
        CHECK_REPLY(RUN_LINE(&one, line), "+OK\r\n");
    }
    CHECK_REPLY(RUN(&one, LIT("FUNCTION"), LIT("LOAD"), bytes_of(library)), "$8\r\naccounts\r\n");
    for (int i = 0; i < THREADS; i++) {
        players[i].dice = check_random(&seed);
        CHECK_INT(thread_start(&players[i].thread, "player", play, &players[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(players[i].thread, NULL);
    }
    CHECK_INT(server.engine.blocking.sessions, 0);
    check_sum(RUN(&one, bytes_of("EVAL"), bytes_of(other_sum), LIT("0")));
    compare();
    effect_log_release(&effects);
    run_client_release(&one);
    run_server_release(&server);
}

/* ---- One at a time ------------------------------------------------------------------------- */

static void begin(void)
{
    run_server_init(&server);
    run_client_init(&one, &server);
    run_client_init(&other, &server);
}

static void end(void)
{
    run_client_release(&other);
    run_client_release(&one);
    run_server_release(&server);
}

/* Compiled by now, so that it runs with its keys alone. */
static struct bytes run_declared(const char *text, struct bytes key, struct bytes argument)
{
    (void)RUN(&one, LIT("SCRIPT"), LIT("LOAD"), bytes_of(text));
    return RUN(&one, LIT("EVAL"), bytes_of(text), LIT("1"), key, argument);
}

static void who_waits_is_served_by_what_a_script_pushes(void)
{
    struct waiting_client waiting = { 0 };
    begin();
    waiting_init(&waiting, &server);
    (void)RUN_LINE(&waiting.client, "BLPOP list 0");
    CHECK(waiting_waits(&waiting));
    CHECK_REPLY(run_declared(declared_push, LIT("list"), LIT("element")), ":1\r\n");
    CHECK(!waiting_waits(&waiting));
    CHECK_REPLY(waiting_take(&waiting), "*2\r\n$4\r\nlist\r\n$7\r\nelement\r\n");
    CHECK_REPLY(RUN_LINE(&one, "EXISTS list"), ":0\r\n");
    run_client_release(&waiting.client);
    end();
}

static void a_script_breaks_the_watch_of_its_key_alone(void)
{
    begin();
    (void)RUN_LINE(&other, "WATCH list");
    CHECK_REPLY(run_declared(declared_push, LIT("apart"), LIT("element")), ":1\r\n");
    (void)RUN_LINE(&other, "MULTI");
    CHECK_REPLY(RUN_LINE(&other, "EXEC"), "*0\r\n");
    (void)RUN_LINE(&other, "WATCH list");
    CHECK_REPLY(run_declared(declared_push, LIT("list"), LIT("element")), ":1\r\n");
    (void)RUN_LINE(&other, "MULTI");
    CHECK_REPLY(RUN_LINE(&other, "EXEC"), "*-1\r\n");
    end();
}

static void a_key_past_its_time_is_gone_for_scripts_that_read_or_write(void)
{
    static const char reads[] = "return redis.call('EXISTS', KEYS[1])";
    static const char writes[] = "return redis.call('SET', KEYS[1], ARGV[1], 'XX')";
    begin();
    CHECK_REPLY(RUN_LINE(&one, "SET key v PX 10"), "+OK\r\n");
    CHECK_REPLY(run_declared(reads, LIT("key"), LIT("v")), ":1\r\n");
    run_advance_ms(&server, 11);
    CHECK_REPLY(run_declared(reads, LIT("key"), LIT("v")), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&one, "DBSIZE"), ":0\r\n"); /* Seen, and so removed. */
    CHECK_REPLY(RUN_LINE(&one, "SET key v PX 10"), "+OK\r\n");
    run_advance_ms(&server, 11);
    CHECK_REPLY(run_declared(writes, LIT("key"), LIT("v")), "$-1\r\n");
    end();
}

static void keys_are_those_of_the_session_s_database(void)
{
    begin();
    (void)RUN_LINE(&one, "SELECT 3");
    CHECK_REPLY(run_declared(declared_push, LIT("list"), LIT("element")), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&one, "SWAPDB 3 4"), "+OK\r\n");
    CHECK_REPLY(run_declared(declared_push, LIT("list"), LIT("element")), ":1\r\n");
    (void)RUN_LINE(&one, "SELECT 4");
    CHECK_REPLY(run_declared(declared_push, LIT("list"), LIT("element")), ":2\r\n");
    CHECK_REPLY(RUN_LINE(&other, "EXISTS list"), ":0\r\n");
    end();
}

static void a_script_that_holds_everything_may_exchange_databases(void)
{
    static const char swaps[] =
        "redis.call('SET', KEYS[1], 'a') redis.call('SWAPDB', 0, 1) "
        "redis.call('SET', KEYS[1], 'b') redis.call('FLUSHDB') redis.call('SET', KEYS[1], 'c') "
        "return redis.call('GET', KEYS[1])";
    begin();
    CHECK_REPLY(run_declared(swaps, LIT("key"), LIT("")), "$1\r\nc\r\n");
    CHECK_REPLY(RUN_LINE(&one, "GET key"), "$1\r\nc\r\n");
    (void)RUN_LINE(&one, "SELECT 1");
    CHECK_REPLY(RUN_LINE(&one, "GET key"), "$1\r\na\r\n");
    end();
}

static void scripts_without_keys_hold_none(void)
{
    begin();
    for (int i = 0; i < 2; i++) {
        CHECK_REPLY(RUN(&one, LIT("EVAL"), LIT("return ARGV[1]"), LIT("0"), LIT("a")),
                    "$1\r\na\r\n");
        CHECK_REPLY(RUN(&one, LIT("EVAL"), LIT("return redis.call('PING')"), LIT("0")),
                    "+PONG\r\n");
        CHECK(RUN(&one, LIT("EVAL"), LIT("return redis.call('GET', KEYS[1])"), LIT("0")).at[0] ==
              '-');
        CHECK(RUN(&one, LIT("EVAL"), LIT("return 1"), LIT("2"), LIT("a")).at[0] == '-');
    }
    end();
}

int main(void)
{
    RUN_TEST(who_waits_is_served_by_what_a_script_pushes);
    RUN_TEST(a_script_breaks_the_watch_of_its_key_alone);
    RUN_TEST(a_key_past_its_time_is_gone_for_scripts_that_read_or_write);
    RUN_TEST(keys_are_those_of_the_session_s_database);
    RUN_TEST(a_script_that_holds_everything_may_exchange_databases);
    RUN_TEST(scripts_without_keys_hold_none);
    RUN_TEST(what_scripts_of_many_threads_move_stays_whole);
    return check_done();
}
