/* Scripts that run for long, in a whole server on real sockets: under ThreadSanitizer, what other
 * threads do while such a script lends the exclusive section; under AddressSanitizer, what becomes
 * of the clients of its own worker.  The texts of all cases are test/e2e/busy-script.test.ts's. */
#include "server_fixture.h"

#include <pthread.h>
#include <signal.h>

#define BUSY                                                                                       \
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"
#define ENDLESS "EVAL \"while true do pcall(redis.call, 'GET', 'k') end\" 0\r\n"
#define WRITING "EVAL \"while true do pcall(redis.call, 'INCR', 'n') end\" 0\r\n"
#define KILLED  "-ERR Script killed by user"

enum { OTHERS = 12, ROUNDS = 4 };

static struct rln_server *server_of(const char *workers, const char *model)
{
    struct rln_server *server = server_create(NULL);
    server_set(server, "workers", workers);
    server_set(server, "io-model", model);
    server_set(server, "busy-reply-threshold", "20");
    server_set(server, "enable-debug-command", "yes");
    server_start(server);
    return server;
}

/* Asks until the answer is BUSY. */
static void until_busy(int fd)
{
    for (int tries = 0;; tries++) {
        char reply[sizeof BUSY];
        CHECK(tries < 10000);
        CHECK(client_send(fd, LIT("GET none\r\n")));
        CHECK_INT(client_read(fd, reply, 5), 5);
        if (memcmp(reply, BUSY, 5) == 0) {
            CHECK_INT(client_read(fd, reply + 5, sizeof BUSY - 6), sizeof BUSY - 6);
            CHECK_BYTES(((struct bytes){ reply, sizeof BUSY - 1 }), LIT(BUSY));
            return;
        }
        CHECK_BYTES(((struct bytes){ reply, 5 }), LIT("$-1\r\n"));
    }
}

static bool has_prefix(struct bytes text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.at, prefix, len) == 0;
}

static void expect_killed(int fd)
{
    char text[sizeof KILLED], byte = 0;
    CHECK_INT(client_read(fd, text, sizeof KILLED - 1), sizeof KILLED - 1);
    CHECK_BYTES(((struct bytes){ text, sizeof KILLED - 1 }), LIT(KILLED));
    while (byte != '\n') {
        CHECK_INT(client_read(fd, &byte, 1), 1);
    }
}

/* Clients come, ask, watch, and leave while a script runs; then it is killed, and all goes on. */
static void others_come_and_go(const char *workers, const char *model)
{
    struct rln_server *server = server_of(workers, model);
    int slow = client_connect(server), killer = client_connect(server), fds[OTHERS];
    CHECK_ASK(slow, "SET k v\r\n", "+OK\r\n");
    for (int round = 0; round < ROUNDS; round++) {
        CHECK(client_send(slow, LIT(ENDLESS "GET k\r\n")));
        for (int i = 0; i < OTHERS; i++) {
            fds[i] = client_connect(server);
        }
        until_busy(killer);
        for (int i = 0; i < OTHERS; i++) {
            CHECK_ASK(fds[i], "WATCH k\r\nMULTI\r\n", "+OK\r\n+OK\r\n");
            CHECK_ASK(fds[i], "SET k w\r\nPING\r\n", BUSY BUSY);
            CHECK_ASK(fds[i], "DISCARD\r\n", "+OK\r\n");
            if (i % 3 == 0) {
                client_reset(fds[i]);
            } else if (i % 3 == 1) {
                CHECK(client_send(fds[i], LIT("GET k")));
            }
        }
        CHECK_ASK(killer, "SCRIPT KILL\r\nGET k\r\n", "+OK\r\n$1\r\nv\r\n");
        expect_killed(slow);
        CHECK_ASK(slow, "", "$1\r\nv\r\n");
        for (int i = 0; i < OTHERS; i++) {
            if (i % 3 == 1) {
                CHECK_ASK(fds[i], "\r\n", "$1\r\nv\r\n");
            } else if (i % 3 == 2) {
                CHECK_ASK(fds[i], "GET k\r\n", "$1\r\nv\r\n");
            }
            if (i % 3 != 0) {
                close(fds[i]);
            }
        }
    }
    close(slow);
    close(killer);
    rln_server_destroy(server);
}

static void clients_of_the_same_worker_are_served(void)
{
    others_come_and_go("1", "events");
}

static void clients_of_other_workers_are_served(void)
{
    others_come_and_go("3", "events");
}

static void clients_with_threads_of_their_own_are_served(void)
{
    others_come_and_go("16", "blocking");
}

/* All in one packet of one worker's poll: commands that stand in the script's own step. */
static void a_step_is_left_in_its_midst(void)
{
    struct rln_server *server = server_of("1", "events");
    int fds[OTHERS];
    for (int i = 0; i < OTHERS; i++) {
        fds[i] = client_connect(server);
    }
    CHECK_ASK(fds[0], "SET k v\r\n", "+OK\r\n");
    /* The worker rests while all the others send. */
    CHECK(client_send(fds[0], LIT("DEBUG SLEEP 0.2\r\n")));
    usleep(50 * 1000);
    for (int i = 1; i < OTHERS; i++) {
        CHECK(client_send(fds[i], i == 5 ? LIT("GET k\r\n" ENDLESS "GET k\r\n")
                                         : LIT("GET k\r\nGET k\r\nGE")));
    }
    int killer = client_connect(server);
    until_busy(killer);
    CHECK_ASK(killer, "SCRIPT KILL\r\nPING\r\n", "+OK\r\n+PONG\r\n");
    CHECK_ASK(fds[0], "", "+OK\r\n");
    CHECK_ASK(fds[5], "", "$1\r\nv\r\n");
    expect_killed(fds[5]);
    CHECK_ASK(fds[5], "", "$1\r\nv\r\n");
    for (int i = 1; i < OTHERS; i++) {
        for (int reply = 0; i != 5 && reply < 2; reply++) {
            char kind;
            CHECK_INT(client_read(fds[i], &kind, 1), 1);
            struct bytes rest = kind == '-' ? bytes_of(&BUSY[1]) : LIT("1\r\nv\r\n");
            char text[sizeof BUSY];
            CHECK_INT(client_read(fds[i], text, rest.len), rest.len);
            CHECK_BYTES(((struct bytes){ text, rest.len }), rest);
        }
        if (i != 5) {
            CHECK_ASK(fds[i], "T k\r\n", "$1\r\nv\r\n");
        }
    }
    for (int i = 0; i < OTHERS; i++) {
        close(fds[i]);
    }
    close(killer);
    rln_server_destroy(server);
}

/* In the middle of a transaction nobody sees half of it, and no key of it goes by its time. */
static void what_a_script_has_seen_stays_true(void)
{
    struct rln_server *server = server_of("2", "events");
    int slow = client_connect(server), other = client_connect(server);
    CHECK_ASK(slow, "SET a 1 PX 60\r\n", "+OK\r\n");
    CHECK(client_send(slow, LIT("MULTI\r\nINCR n\r\n"
                                "EVAL \"while redis.call('GET', 'a') do end\" 0\r\n"
                                "INCR n\r\nEXEC\r\n")));
    CHECK_ASK(slow, "", "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    until_busy(other);
    usleep(150 * 1000);
    CHECK_ASK(other, "WATCH a\r\nGET n\r\n", "+OK\r\n" BUSY);
    CHECK_ASK(other, "SCRIPT KILL\r\nUNWATCH\r\n", "+OK\r\n+OK\r\n");
    CHECK_ASK(slow, "", "*3\r\n:1\r\n");
    expect_killed(slow);
    CHECK_ASK(slow, "", ":2\r\n");
    CHECK_ASK(other, "GET a\r\nGET n\r\n", "$-1\r\n$1\r\n2\r\n");
    close(slow);
    close(other);
    rln_server_destroy(server);
}

static void a_stop_does_not_wait_for_scripts(void)
{
    static const char *const models[] = { "events", "blocking" };
    for (int i = 0; i < 4; i++) {
        struct rln_server *server = server_of(i % 2 == 0 ? "2" : "4", models[i / 2]);
        int slow = client_connect(server), other = client_connect(server);
        CHECK(client_send(slow, LIT(WRITING)));
        until_busy(other);
        if (i % 2 == 0) {
            CHECK(client_send(other, LIT("SHUTDOWN NOSAVE\r\n")));
            CHECK(client_ended(other));
        }
        rln_server_destroy(server);
        close(slow);
        close(other);
    }
}

static void in_process_clients_are_told(void)
{
    struct rln_server *server = server_of("1", "events");
    struct rln_client *client = rln_client_create(server);
    int slow = client_connect(server), other = client_connect(server);
    for (int round = 0; round < ROUNDS; round++) {
        CHECK(client_send(slow, LIT(ENDLESS)));
        until_busy(other);
        CHECK_BYTES(run_words(client, "GET k"), LIT(BUSY));
        CHECK_BYTES(run_words(client, "SCRIPT KILL"), LIT("+OK\r\n"));
        CHECK_BYTES(run_words(client, "SET k v"), LIT("+OK\r\n"));
        expect_killed(slow);
    }
    close(slow);
    close(other);
    rln_client_destroy(client);
    rln_server_destroy(server);
}

static void *run_endlessly(void *user)
{
    CHECK(has_prefix(run_words(user, "FCALL loop 0"), KILLED));
    return NULL;
}

/* The thread of such a client has no others to serve: the workers serve theirs all the same. */
static void a_script_of_an_in_process_client_is_killed(void)
{
    static const char load[] =
        "FUNCTION LOAD \"#!lua name=lib\\nredis.register_function('loop', function() "
        "while true do end end)\"\r\n";
    struct rln_server *server = server_of("2", "events");
    struct rln_client *client = rln_client_create(server);
    int other = client_connect(server);
    pthread_t thread;
    CHECK_ASK(other, load, "$3\r\nlib\r\n");
    CHECK_INT(pthread_create(&thread, NULL, run_endlessly, client), 0);
    char reply[5] = "";
    for (int tries = 0; memcmp(reply, "-BUSY", 5) != 0; tries++) {
        char byte = 0;
        CHECK(tries < 10000);
        CHECK(client_send(other, LIT("GET none\r\n")));
        CHECK_INT(client_read(other, reply, 5), 5);
        while (reply[0] == '-' && byte != '\n') {
            CHECK_INT(client_read(other, &byte, 1), 1);
        }
    }
    CHECK_ASK(other, "FUNCTION KILL\r\nGET none\r\n", "+OK\r\n$-1\r\n");
    CHECK_INT(pthread_join(thread, NULL), 0);
    close(other);
    rln_client_destroy(client);
    rln_server_destroy(server);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN_TEST(clients_of_the_same_worker_are_served);
    RUN_TEST(clients_of_other_workers_are_served);
    RUN_TEST(clients_with_threads_of_their_own_are_served);
    RUN_TEST(a_step_is_left_in_its_midst);
    RUN_TEST(what_a_script_has_seen_stays_true);
    RUN_TEST(a_stop_does_not_wait_for_scripts);
    RUN_TEST(in_process_clients_are_told);
    RUN_TEST(a_script_of_an_in_process_client_is_killed);
    return check_done();
}
