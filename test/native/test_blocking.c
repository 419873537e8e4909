/* Clients that wait for keys: served in the order of arrival, whoever feeds the keys, and on
 * several threads at once. */
#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "waiting_client.h"

static struct run_server server;

/* ---- On one thread ------------------------------------------------------------------------- */

static void the_first_to_wait_is_the_first_to_be_served(void)
{
    struct waiting_client first, second;
    struct run_client other;
    run_server_init(&server);
    waiting_init(&first, &server);
    waiting_init(&second, &server);
    run_client_init(&other, &server);

    CHECK_REPLY(RUN_LINE(&first.client, "BLPOP k 0"), "");
    CHECK_REPLY(RUN_LINE(&second.client, "BLPOP j k 0"), "");
    CHECK(waiting_waits(&first) && waiting_waits(&second));
    CHECK_REPLY(RUN_LINE(&other, "RPUSH k a"), ":1\r\n");
    CHECK_REPLY(waiting_take(&first), "*2\r\n$1\r\nk\r\n$1\r\na\r\n");
    CHECK(waiting_waits(&second));
    CHECK_REPLY(RUN_LINE(&other, "RPUSH j b c"), ":2\r\n");
    CHECK_REPLY(waiting_take(&second), "*2\r\n$1\r\nj\r\n$1\r\nb\r\n");
    CHECK_REPLY(RUN_LINE(&other, "LRANGE j 0 -1"), "*1\r\n$1\r\nc\r\n");
    CHECK_REPLY(RUN_LINE(&other, "EXISTS k"), ":0\r\n");
    CHECK_INT(server.engine.blocking.sessions, 0);
    CHECK_INT(server.engine.blocking.key_count, 0);

    run_client_release(&first.client);
    run_client_release(&second.client);
    run_client_release(&other);
    run_server_release(&server);
}

static void an_answer_may_feed_another_client(void)
{
    struct waiting_client mover, popper;
    struct run_client other;
    run_server_init(&server);
    waiting_init(&mover, &server);
    waiting_init(&popper, &server);
    run_client_init(&other, &server);

    CHECK_REPLY(RUN_LINE(&mover.client, "BLMOVE a b LEFT RIGHT 0"), "");
    CHECK_REPLY(RUN_LINE(&popper.client, "BRPOP b 0"), "");
    RUN_LINE(&other, "MULTI");
    RUN_LINE(&other, "LPUSH a x");
    RUN_LINE(&other, "LPUSH a y");
    CHECK_REPLY(RUN_LINE(&other, "EXEC"), "*2\r\n:1\r\n:2\r\n");
    CHECK_REPLY(waiting_take(&mover), "$1\r\ny\r\n");
    CHECK_REPLY(waiting_take(&popper), "*2\r\n$1\r\nb\r\n$1\r\ny\r\n");
    CHECK_REPLY(RUN_LINE(&other, "LRANGE a 0 -1"), "*1\r\n$1\r\nx\r\n");

    run_client_release(&mover.client);
    run_client_release(&popper.client);
    run_client_release(&other);
    run_server_release(&server);
}

/* As Redis since 7.2: what a client may do is looked at when it wakes, too. */
static void who_may_no_more_is_told_so_when_it_wakes(void)
{
    struct waiting_client popper, mover, reader;
    struct run_client other;
    run_server_init(&server);
    waiting_init(&popper, &server);
    waiting_init(&mover, &server);
    waiting_init(&reader, &server);
    run_client_init(&other, &server);
    struct run_client *waiting[] = { &popper.client, &mover.client, &reader.client };
    CHECK_REPLY(RUN_LINE(&other, "ACL SETUSER u on >p ~* +@all"), "+OK\r\n");
    for (int i = 0; i < 3; i++) {
        CHECK_REPLY(RUN_LINE(waiting[i], "AUTH u p"), "+OK\r\n");
    }
    CHECK_REPLY(RUN_LINE(&popper.client, "BLPOP k 0"), "");
    CHECK_REPLY(RUN_LINE(&mover.client, "BLMOVE k other LEFT LEFT 0"), "");
    CHECK_REPLY(RUN_LINE(&reader.client, "BRPOP k 0"), "");

    CHECK_REPLY(RUN_LINE(&other, "ACL SETUSER u -blpop resetkeys ~k"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "RPUSH k a"), ":1\r\n");
    CHECK_REPLY(waiting_take(&popper),
                "-NOPERM this user has no permissions to run the 'blpop' command\r\n");
    CHECK_REPLY(waiting_take(&mover), "-NOPERM this user has no permissions to access one of the "
                                      "keys used as arguments\r\n");
    CHECK_REPLY(waiting_take(&reader), "*2\r\n$1\r\nk\r\n$1\r\na\r\n");
    CHECK_REPLY(RUN_LINE(&other, "EXISTS k other"), ":0\r\n");
    CHECK_INT(server.engine.blocking.sessions, 0);
    CHECK_INT(server.engine.blocking.key_count, 0);

    for (int i = 0; i < 3; i++) {
        run_client_release(waiting[i]);
    }
    run_client_release(&other);
    run_server_release(&server);
}

static void who_leaves_while_waiting_leaves_nothing_behind(void)
{
    struct waiting_client leaver, stayer;
    struct run_client other;
    run_server_init(&server);
    waiting_init(&leaver, &server);
    waiting_init(&stayer, &server);
    run_client_init(&other, &server);

    RUN_LINE(&leaver.client, "BLPOP a b c a 0");
    RUN_LINE(&stayer.client, "BLPOP b 0");
    run_client_release(&leaver.client);
    CHECK_INT(server.engine.blocking.sessions, 1);
    CHECK_INT(server.engine.blocking.key_count, 1);
    RUN_LINE(&other, "RPUSH b 1 2");
    CHECK_REPLY(waiting_take(&stayer), "*2\r\n$1\r\nb\r\n$1\r\n1\r\n");
    CHECK_REPLY(RUN_LINE(&other, "LLEN b"), ":1\r\n");

    /* With an answer that nobody takes. */
    RUN_LINE(&stayer.client, "BLPOP z 0");
    RUN_LINE(&other, "RPUSH z 1");
    run_client_release(&stayer.client);
    CHECK_INT(server.engine.blocking.sessions, 0);
    CHECK_INT(server.engine.blocking.key_count, 0);
    run_client_release(&other);
    run_server_release(&server);
}

static void the_time_of_a_wait_may_be_over(void)
{
    struct waiting_client client;
    run_server_init(&server);
    waiting_init(&client, &server);

    RUN_LINE(&client.client, "BLPOP k 0.25");
    CHECK_INT(blocking_deadline(&client.client.session), RUN_START_MS + 250);
    blocking_time_out(&server.engine.blocking, &client.client.session);
    CHECK_REPLY(waiting_take(&client), "*-1\r\n");
    RUN_LINE(&client.client, "WAIT 3 100");
    blocking_time_out(&server.engine.blocking, &client.client.session);
    CHECK_REPLY(waiting_take(&client), ":0\r\n");
    RUN_LINE(&client.client, "BLPOP k 0");
    CHECK_INT(blocking_deadline(&client.client.session), 0);
    blocking_fail(&server.engine.blocking, &client.client.session, LIT("UNBLOCKED enough"));
    CHECK_REPLY(waiting_take(&client), "-UNBLOCKED enough\r\n");

    run_client_release(&client.client);
    run_server_release(&server);
}

static void inside_a_transaction_nobody_waits(void)
{
    struct waiting_client client;
    run_server_init(&server);
    waiting_init(&client, &server);

    RUN_LINE(&client.client, "MULTI");
    RUN_LINE(&client.client, "BLPOP k 0");
    RUN_LINE(&client.client, "BLMOVE k j LEFT LEFT 0");
    RUN_LINE(&client.client, "BZPOPMIN k 0");
    CHECK_REPLY(RUN_LINE(&client.client, "EXEC"), "*3\r\n*-1\r\n$-1\r\n*-1\r\n");
    CHECK(!waiting_waits(&client));

    run_client_release(&client.client);
    run_server_release(&server);
}

static void memory_that_is_short_leaves_nobody_waiting(void)
{
    struct waiting_client client;
    run_server_init(&server);
    waiting_init(&client, &server);
    for (long n = 1; n <= 6; n++) {
        mem_fail_after(n);
        struct bytes reply = RUN_LINE(&client.client, "BLPOP one two three 0");
        mem_fail_after(0);
        if (reply.len == 0) {
            CHECK(waiting_waits(&client));
            blocking_forget(&server.engine.blocking, &client.client.session);
            client.client.session.flags &= ~(uint32_t)SESSION_BLOCKED;
        }
        CHECK_INT(server.engine.blocking.sessions, 0);
        CHECK_INT(server.engine.blocking.key_count, 0);
    }
    run_client_release(&client.client);
    run_server_release(&server);
}

/* ---- On several threads -------------------------------------------------------------------------- */

/* A turn of thread_pause() that gives the processor to others. */
enum { CONSUMERS = 4, PRODUCERS = 3, ITEMS = 2000, WAIT_TURN = 110 };

static _Atomic uint32_t popped[PRODUCERS * ITEMS];
static _Atomic uint32_t popped_count;

/* Owns one client: as a worker does it, touches it only in a batch.  Each line names both keys:
 * once the producers are done, a client that waits for one of them would wait for ever beside
 * what is left in the other. */
static void *consume(void *unused)
{
    static const char *const lines[] = { "BLPOP q0 q1 0", "BRPOP q1 q0 0", "BRPOP q0 q1 0" };
    struct executor *executor = mem_try_aligned(CACHE_LINE, sizeof *executor);
    struct waiting_client waiting;
    struct reply reply = { 0 };
    unsigned turn = 0;
    (void)unused;
    CHECK(executor != NULL && executor_init(executor, &server.engine));
    waiting_init(&waiting, &server);
    while (atomic_load(&popped_count) < PRODUCERS * ITEMS) {
        struct session *session = &waiting.client.session;
        executor_enter(executor);
        bool answered = blocking_holds(session) && (session->flags & SESSION_BLOCKED) == 0;
        if (answered) {
            reply_clear(&reply);
            blocking_take_answer(session, &reply);
        } else if (!blocking_holds(session)) {
            struct bytes argv[8];
            uint32_t argc = 0;
            for (const char *at = lines[turn++ % 3]; *at != '\0';) {
                size_t len = strcspn(at, " ");
                argv[argc++] = (struct bytes){ at, len };
                at += at[len] == ' ' ? len + 1 : len;
            }
            struct request request;
            reply_clear(&reply);
            executor_prepare(executor, session, argv, argc, DIALECT_RESP, &request);
            executor_run(executor, session, &request, &reply);
            answered = reply.out.len > 0;
        }
        executor_leave(executor);
        if (answered) {
            unsigned item = 0;
            char text[64] = "";
            CHECK(reply.out.len < sizeof text);
            memcpy(text, reply.out.at, reply.out.len);
            CHECK(sscanf(text, "*2 $2 q%*d $%*d %u", &item) == 1);
            CHECK(item < PRODUCERS * ITEMS);
            CHECK_INT(atomic_fetch_add(&popped[item], 1), 0);
            atomic_fetch_add(&popped_count, 1);
        } else {
            thread_pause(WAIT_TURN);
        }
    }
    executor_enter(executor);
    session_release(&waiting.client.session, &server.engine, executor);
    executor_leave(executor);
    executor_release(executor);
    reply_release(&reply);
    mem_free(executor);
    return NULL;
}

static void *produce(void *argument)
{
    unsigned number = *(unsigned *)argument;
    struct executor *executor = mem_try_aligned(CACHE_LINE, sizeof *executor);
    struct session session;
    struct reply reply = { 0 };
    CHECK(executor != NULL && executor_init(executor, &server.engine));
    session_init(&session, &server.engine, NULL, 0);
    for (unsigned i = 0; i < ITEMS; i++) {
        char item[16];
        int len = snprintf(item, sizeof item, "%u", number * ITEMS + i);
        struct bytes argv[] = { i % 2 == 0 ? LIT("RPUSH") : LIT("LPUSH"),
                                i % 3 == 0 ? LIT("q0") : LIT("q1"),
                                { item, (size_t)len } };
        reply_clear(&reply);
        executor_call(executor, &session, argv, 3, &reply);
    }
    executor_enter(executor);
    session_release(&session, &server.engine, executor);
    executor_leave(executor);
    executor_release(executor);
    reply_release(&reply);
    mem_free(executor);
    return NULL;
}

static void each_element_is_popped_once_by_waiting_threads(void)
{
    pthread_t consumers[CONSUMERS], producers[PRODUCERS];
    unsigned numbers[PRODUCERS];
    run_server_init(&server);
    for (unsigned i = 0; i < CONSUMERS; i++) {
        CHECK_INT(thread_start(&consumers[i], "consumer", consume, NULL), 0);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        numbers[i] = i;
        CHECK_INT(thread_start(&producers[i], "producer", produce, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i], NULL);
    }
    for (unsigned i = 0; i < CONSUMERS; i++) {
        pthread_join(consumers[i], NULL);
    }
    CHECK_INT(popped_count, PRODUCERS * ITEMS);
    CHECK_INT(server.engine.blocking.sessions, 0);
    run_server_release(&server);
}

int main(void)
{
    RUN_TEST(the_first_to_wait_is_the_first_to_be_served);
    RUN_TEST(an_answer_may_feed_another_client);
    RUN_TEST(who_may_no_more_is_told_so_when_it_wakes);
    RUN_TEST(who_leaves_while_waiting_leaves_nothing_behind);
    RUN_TEST(the_time_of_a_wait_may_be_over);
    RUN_TEST(inside_a_transaction_nobody_waits);
    RUN_TEST(memory_that_is_short_leaves_nobody_waiting);
    RUN_TEST(each_element_is_popped_once_by_waiting_threads);
    return check_done();
}
