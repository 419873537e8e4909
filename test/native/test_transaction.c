/* transaction.c and exec.c: MULTI queues, EXEC runs the queue as one, WATCH calls it off. */
#include "base/mem.h"
#include "exec/transaction.h"
#include "run.h"

#include <pthread.h>

static struct run_server server;
static struct run_client client, other;

static void begin(void)
{
    run_server_init(&server);
    run_client_init(&client, &server);
    run_client_init(&other, &server);
}

static void end(void)
{
    run_client_release(&client);
    run_client_release(&other);
    run_server_release(&server);
}

static void a_transaction_runs_what_was_queued(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "MULTI"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET a 1"), "+QUEUED\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCR a"), "+QUEUED\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MGET a b"), "+QUEUED\r\n");
    CHECK_INT(transaction_length(&client.session), 3);
    CHECK(transaction_memory(&client.session) > 0);
    CHECK_REPLY(RUN_LINE(&other, "GET a"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*3\r\n+OK\r\n:2\r\n*2\r\n$1\r\n2\r\n$-1\r\n");
    CHECK_INT(transaction_length(&client.session), -1);
    CHECK(client.session.transaction == NULL);
    end();
}

static void an_error_inside_leaves_the_others(void)
{
    begin();
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a x");
    RUN_LINE(&client, "INCR a");
    RUN_LINE(&client, "SET b 1");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"),
                "*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET b"), "$1\r\n1\r\n");
    end();
}

static void a_refused_command_aborts_the_transaction(void)
{
    begin();
    static const char *const wrong[] = { "GET", "nosuch a", "CONFIG nosuch" };
    for (size_t i = 0; i < 3; i++) {
        RUN_LINE(&client, "MULTI");
        RUN_LINE(&client, wrong[i]);
        CHECK_REPLY(RUN_LINE(&client, "SET a 1"), "+QUEUED\r\n");
        CHECK_REPLY(RUN_LINE(&client, "EXEC"),
                    "-EXECABORT Transaction discarded because of previous errors.\r\n");
        CHECK_REPLY(RUN_LINE(&client, "GET a"), "$-1\r\n");
    }
    end();
}

static void an_exec_with_arguments_ends_the_transaction(void)
{
    const char *expected = "-EXECABORT Transaction discarded because of: "
                           "wrong number of arguments for 'exec' command\r\n";
    begin();
    CHECK_REPLY(RUN_LINE(&client, "EXEC a"), expected);
    RUN_LINE(&client, "MULTI");
    CHECK_REPLY(RUN_LINE(&client, "EXEC a"), expected);
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "-ERR EXEC without MULTI\r\n");
    end();
}

static void multi_exec_and_discard_know_their_place(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "-ERR EXEC without MULTI\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DISCARD"), "-ERR DISCARD without MULTI\r\n");
    RUN_LINE(&client, "MULTI");
    CHECK_REPLY(RUN_LINE(&client, "MULTI"), "-ERR MULTI calls can not be nested\r\n");
    CHECK_REPLY(RUN_LINE(&client, "WATCH a"), "-ERR WATCH inside MULTI is not allowed\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PING"), "+QUEUED\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*1\r\n+PONG\r\n");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 1");
    CHECK_REPLY(RUN_LINE(&client, "DISCARD"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET a"), "$-1\r\n");
    RUN_LINE(&client, "MULTI");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*0\r\n");
    end();
}

static void a_change_of_a_watched_key_calls_it_off(void)
{
    begin();
    RUN_LINE(&client, "SET a 1");
    CHECK_REPLY(RUN_LINE(&client, "WATCH a b a"), "+OK\r\n");
    CHECK_INT(transaction_watched(&client.session), 2);
    RUN_LINE(&other, "SET b 1");
    CHECK(transaction_dirty(&client.session));
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 2");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET a"), "$1\r\n1\r\n");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 2");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*1\r\n+OK\r\n");
    end();
}

static void what_changes_nothing_does_not_call_it_off(void)
{
    begin();
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&other, "GET a");
    RUN_LINE(&other, "DEL b");
    RUN_LINE(&other, "SETNX a 2");
    RUN_LINE(&other, "SELECT 1");
    RUN_LINE(&other, "SET a 2");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*1\r\n+PONG\r\n");
    end();
}

static void unwatch_and_discard_forget_the_watched_keys(void)
{
    begin();
    RUN_LINE(&client, "WATCH a");
    CHECK_REPLY(RUN_LINE(&client, "UNWATCH"), "+OK\r\n");
    CHECK(client.session.transaction == NULL);
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "DISCARD");
    RUN_LINE(&other, "SET a 1");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "UNWATCH");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*1\r\n+OK\r\n");
    end();
}

static void one_s_own_change_of_a_watched_key_counts(void)
{
    begin();
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 2");
    RUN_LINE(&client, "SET a 3");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*2\r\n+OK\r\n+OK\r\n");
    end();
}

static void a_watched_key_that_ends_calls_it_off(void)
{
    begin();
    RUN_LINE(&client, "SET a 1 PX 10");
    RUN_LINE(&client, "WATCH a");
    run_advance_ms(&server, 20);
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    end();
}

static void a_key_that_had_ended_before_watch_does_not(void)
{
    begin();
    RUN_LINE(&client, "SET a 1 PX 10");
    run_advance_ms(&server, 20);
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&other, "GET a");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*1\r\n+PONG\r\n");
    end();
}

static void flushing_and_swapping_call_it_off(void)
{
    begin();
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "WATCH a nothing");
    RUN_LINE(&other, "FLUSHALL");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&other, "FLUSHALL");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*1\r\n+PONG\r\n");
    RUN_LINE(&other, "SELECT 1");
    RUN_LINE(&other, "SET a 1");
    RUN_LINE(&client, "WATCH a");
    RUN_LINE(&other, "SWAPDB 0 1");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "PING");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    end();
}

static void a_transaction_may_change_the_database(void)
{
    begin();
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SELECT 1");
    RUN_LINE(&client, "SET a one");
    RUN_LINE(&client, "SWAPDB 1 2");
    RUN_LINE(&client, "GET a");
    RUN_LINE(&client, "SELECT 2");
    RUN_LINE(&client, "GET a");
    RUN_LINE(&client, "FLUSHDB");
    RUN_LINE(&client, "DBSIZE");
    RUN_LINE(&client, "KEYS *");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*9\r\n+OK\r\n+OK\r\n+OK\r\n$-1\r\n+OK\r\n$3\r\none\r\n"
                                           "+OK\r\n:0\r\n*0\r\n");
    CHECK_INT(client.session.db, 2);
    end();
}

static void walks_and_moves_run_inside_too(void)
{
    begin();
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "RENAME a b");
    RUN_LINE(&client, "MOVE b 3");
    RUN_LINE(&client, "KEYS *");
    RUN_LINE(&client, "SCAN 0 COUNT 5000");
    RUN_LINE(&client, "RANDOMKEY");
    RUN_LINE(&client, "INFO");
    struct bytes reply = RUN_LINE(&client, "EXEC");
    const char *expected = "*6\r\n+OK\r\n:1\r\n*0\r\n*2\r\n$1\r\n0\r\n*0\r\n$-1\r\n";
    CHECK(reply.len > strlen(expected));
    CHECK_BYTES(((struct bytes){ reply.at, strlen(expected) }), bytes_of(expected));
    end();
}

/* Its handler has nothing locked but with everything. */
static void a_command_whose_keys_cannot_be_told_runs_inside_too(void)
{
    begin();
    RUN_LINE(&client, "SADD set a");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SINTERCARD 3 set");
    RUN_LINE(&client, "LMPOP x set LEFT");
    RUN_LINE(&client, "ZUNIONSTORE to 2 set");
    RUN_LINE(&client, "XREAD COUNT 1 set 0");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"),
                "*4\r\n-ERR Number of keys can't be greater than number of args\r\n"
                "-ERR numkeys should be greater than 0\r\n-ERR syntax error\r\n"
                "-ERR syntax error\r\n");
    end();
}

static void memory_that_is_short_is_told_at_the_queue(void)
{
    begin();
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 1");
    atomic_store(&server.engine.settings.maxmemory, 1);
    CHECK_REPLY(RUN_LINE(&client, "EXEC"),
                "-EXECABORT Transaction discarded because of: "
                "OOM command not allowed when used memory > 'maxmemory'.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MULTI"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET a"),
                "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DISCARD"), "+OK\r\n");
    end();
}

static void a_queue_that_gets_no_memory_aborts(void)
{
#ifdef RLN_TEST
    begin();
    RUN_LINE(&client, "MULTI");
    mem_fail_after(1);
    CHECK_REPLY(RUN_LINE(&client, "SET a 1"), "-ERR out of memory\r\n");
    mem_fail_after(0);
    CHECK_REPLY(RUN_LINE(&client, "EXEC"),
                "-EXECABORT Transaction discarded because of previous errors.\r\n");
    mem_fail_after(1);
    CHECK_REPLY(RUN_LINE(&client, "WATCH a"), "-ERR out of memory\r\n");
    mem_fail_after(0);
    end();
#endif
}

static void a_client_may_leave_with_everything_open(void)
{
    begin();
    RUN_LINE(&client, "SET a 1");
    RUN_LINE(&client, "WATCH a b c");
    RUN_LINE(&client, "MULTI");
    RUN_LINE(&client, "SET a 2");
    end();
}

/* ---- Several threads --------------------------------------------------------------- */

enum { THREADS = 3, ROUNDS = 400, ACCOUNTS = 4, FUNDS = 1000 };

struct teller {
    pthread_t thread;
    uint64_t dice;
    int done, called_off;
};

static struct bytes ask(struct executor *executor, struct run_client *at, const char *line)
{
    struct bytes argv[8];
    uint32_t argc = 0;
    for (const char *word = line; *word != '\0'; argc++) {
        argv[argc] = (struct bytes){ word, strcspn(word, " ") };
        word += argv[argc].len;
        word += *word == ' ';
    }
    reply_clear(&at->reply);
    executor_call(executor, &at->session, argv, argc, &at->reply);
    return run_flatten(at);
}

static int64_t balance(struct bytes reply)
{
    return strtoll(reply.at + 4, NULL, 10); /* "$n\r\n", with a one-digit n. */
}

/* Moves money between accounts under WATCH, as clients do it. */
static void transfer(struct executor *executor, struct run_client *at, struct teller *teller)
{
    char line[64];
    uint64_t from = check_random_below(&teller->dice, ACCOUNTS);
    uint64_t to = (from + 1) % ACCOUNTS;
    snprintf(line, sizeof line, "WATCH account%d account%d", (int)from, (int)to);
    ask(executor, at, line);
    snprintf(line, sizeof line, "GET account%d", (int)from);
    int64_t a = balance(ask(executor, at, line));
    snprintf(line, sizeof line, "GET account%d", (int)to);
    int64_t b = balance(ask(executor, at, line));
    ask(executor, at, "MULTI");
    snprintf(line, sizeof line, "SET account%d %lld", (int)from, (long long)(a - 1));
    ask(executor, at, line);
    snprintf(line, sizeof line, "SET account%d %lld", (int)to, (long long)(b + 1));
    ask(executor, at, line);
    if (bytes_equal(ask(executor, at, "EXEC"), LIT("*-1\r\n"))) {
        teller->called_off++;
    } else {
        teller->done++;
    }
}

/* All accounts at one instant, now and then in the exclusive section. */
static void audit(struct executor *executor, struct run_client *at, bool everything)
{
    int64_t sum = 0;
    ask(executor, at, "MULTI");
    if (everything) {
        ask(executor, at, "SELECT 0");
    }
    ask(executor, at, "MGET account0 account1 account2 account3");
    struct bytes reply = ask(executor, at, "EXEC");
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)reply.len, reply.at);
    for (const char *line = strstr(text, "$"); line != NULL; line = strstr(line + 1, "$")) {
        sum += strtoll(strchr(line, '\n') + 1, NULL, 10);
    }
    CHECK_INT(sum, FUNDS * ACCOUNTS);
}

static void *serve(void *arg)
{
    struct teller *teller = arg;
    static _Thread_local struct executor executor;
    struct run_client at = { 0 };
    CHECK(executor_init(&executor, &server.engine));
    session_init(&at.session, &server.engine, NULL, RUN_START_MS);
    for (int i = 0; i < ROUNDS; i++) {
        transfer(&executor, &at, teller);
        if (i % 8 == 0) {
            audit(&executor, &at, i % 32 == 0);
        }
    }
    executor_enter(&executor);
    session_release(&at.session, &server.engine, &executor);
    executor_leave(&executor);
    executor_release(&executor);
    reply_release(&at.reply);
    buf_release(&at.flat);
    return NULL;
}

static void money_moved_by_threads_is_conserved(void)
{
    struct teller tellers[THREADS];
    begin();
    for (int i = 0; i < ACCOUNTS; i++) {
        char line[32];
        snprintf(line, sizeof line, "SET account%d %d", i, FUNDS);
        RUN_LINE(&client, line);
    }
    for (int i = 0; i < THREADS; i++) {
        tellers[i] = (struct teller){ .dice = check_seed() + (uint64_t)i };
        CHECK_INT(thread_start(&tellers[i].thread, "teller", serve, &tellers[i]), 0);
    }
    int done = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(tellers[i].thread, NULL);
        CHECK_INT(tellers[i].done + tellers[i].called_off, ROUNDS);
        done += tellers[i].done;
    }
    CHECK(done > 0);
    audit(&server.executor, &client, false);
    end();
}

int main(void)
{
    RUN_TEST(a_transaction_runs_what_was_queued);
    RUN_TEST(an_error_inside_leaves_the_others);
    RUN_TEST(a_refused_command_aborts_the_transaction);
    RUN_TEST(an_exec_with_arguments_ends_the_transaction);
    RUN_TEST(multi_exec_and_discard_know_their_place);
    RUN_TEST(a_change_of_a_watched_key_calls_it_off);
    RUN_TEST(what_changes_nothing_does_not_call_it_off);
    RUN_TEST(unwatch_and_discard_forget_the_watched_keys);
    RUN_TEST(one_s_own_change_of_a_watched_key_counts);
    RUN_TEST(a_watched_key_that_ends_calls_it_off);
    RUN_TEST(a_key_that_had_ended_before_watch_does_not);
    RUN_TEST(flushing_and_swapping_call_it_off);
    RUN_TEST(a_transaction_may_change_the_database);
    RUN_TEST(walks_and_moves_run_inside_too);
    RUN_TEST(a_command_whose_keys_cannot_be_told_runs_inside_too);
    RUN_TEST(memory_that_is_short_is_told_at_the_queue);
    RUN_TEST(a_queue_that_gets_no_memory_aborts);
    RUN_TEST(a_client_may_leave_with_everything_open);
    RUN_TEST(money_moved_by_threads_is_conserved);
    return check_done();
}
