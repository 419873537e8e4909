/* Keys that go from server to server while others change them: both servers in this process, all
 * clients on real sockets.  What the replies are, test/e2e/migrate.test.ts tells. */
#include "server_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { WRITERS = 3, KEYS = 3, MOVES = 60 };

struct writer {
    struct rln_server *server;
    pthread_t thread;
    const _Atomic bool *over;
    int64_t added;
    unsigned turn;
};

/* INCR in the ways in which a key can be changed: by itself, in a transaction, in a script that
 * is known and in one that may touch anything. */
static void *add(void *argument)
{
    struct writer *writer = argument;
    int fd = client_connect(writer->server);
    while (!atomic_load(writer->over)) {
        char line[160], reply[64];
        int key = (int)(writer->turn / 4 % KEYS);
        size_t expected = 1;
        switch (writer->turn++ % 4) {
        case 0:
            snprintf(line, sizeof line, "INCR k%d\r\n", key);
            break;
        case 1:
            snprintf(line, sizeof line, "MULTI\r\nINCR k%d\r\nEXEC\r\n", key);
            expected = sizeof "+OK\r\n+QUEUED\r\n*1\r\n:" - 1;
            break;
        case 2:
            snprintf(line, sizeof line, "EVAL \"return redis.call('INCR', KEYS[1])\" 1 k%d\r\n",
                     key);
            break;
        default:
            snprintf(line, sizeof line, "EVAL \"return redis.call('INCR', 'k%d')\" 0\r\n", key);
        }
        CHECK(client_send(fd, (struct bytes){ line, strlen(line) }));
        CHECK_INT(client_read(fd, reply, expected), expected);
        CHECK(reply[expected - 1] == ':');
        do {
            CHECK_INT(client_read(fd, reply, 1), 1);
        } while (reply[0] != '\n');
        writer->added++;
    }
    close(fd);
    return NULL;
}

static int64_t take_number(struct rln_client *client, const char *key)
{
    char line[32];
    snprintf(line, sizeof line, "GETDEL %s", key);
    struct bytes reply = run_words(client, line);
    if (reply.at[0] == '_') {
        return 0;
    }
    const char *digits = memchr(reply.at, '\n', reply.len);
    CHECK(reply.at[0] == '$' && digits != NULL);
    return strtoll(digits + 1, NULL, 10);
}

static int64_t take_all(struct rln_client *client)
{
    int64_t sum = 0;
    for (int i = 0; i < KEYS; i++) {
        static const char *const keys[KEYS] = { "k0", "k1", "k2" };
        sum += take_number(client, keys[i]);
    }
    return sum;
}

/* Counters go away while they are counted up, and begin anew: what has gone and what is left is
 * what was added. */
static void no_change_is_lost(void)
{
    struct rln_server *from = server_create(NULL), *to = server_create(NULL);
    _Atomic bool over = false;
    struct writer writers[WRITERS];
    server_start(from);
    server_start(to);
    struct rln_client *here = rln_client_create(from), *there = rln_client_create(to);
    int mover = client_connect(from);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){ .server = from, .over = &over, .turn = i };
        CHECK_INT(pthread_create(&writers[i].thread, NULL, add, &writers[i]), 0);
    }
    int64_t sum = 0;
    for (int i = 0; i < MOVES; i++) {
        char line[128], reply[8];
        snprintf(line, sizeof line, "MIGRATE 127.0.0.1 %d \"\" 0 20000 KEYS k0 k1 k2\r\n",
                 rln_server_port(to));
        CHECK(client_send(mover, (struct bytes){ line, strlen(line) }));
        CHECK_INT(client_read(mover, reply, 1), 1);
        CHECK(reply[0] == '+'); /* OK, or NOKEY. */
        do {
            CHECK_INT(client_read(mover, reply, 1), 1);
        } while (reply[0] != '\n');
        sum += take_all(there);
    }
    atomic_store(&over, true);
    int64_t added = 0;
    for (int i = 0; i < WRITERS; i++) {
        CHECK_INT(pthread_join(writers[i].thread, NULL), 0);
        added += writers[i].added;
    }
    sum += take_all(here) + take_all(there);
    CHECK(added > 0);
    CHECK_INT(sum, added);
    close(mover);
    rln_client_destroy(here);
    rln_client_destroy(there);
    rln_server_destroy(from);
    rln_server_destroy(to);
}

/* A client of the same process can't wait: it moves its keys itself. */
static void clients_without_a_socket_move_keys(void)
{
    struct rln_server *from = server_create(NULL), *to = server_create(NULL);
    char line[128];
    server_start(to);
    struct rln_client *here = rln_client_create(from), *there = rln_client_create(to);
    CHECK_BYTES(run_words(here, "RPUSH l a b c"), LIT(":3\r\n"));
    snprintf(line, sizeof line, "MIGRATE 127.0.0.1 %d l 0 1000", rln_server_port(to));
    CHECK_BYTES(run_words(here, line), LIT("+OK\r\n"));
    CHECK_BYTES(run_words(here, line), LIT("+NOKEY\r\n"));
    CHECK_BYTES(run_words(there, "LLEN l"), LIT(":3\r\n"));
    rln_client_destroy(here);
    rln_client_destroy(there);
    rln_server_destroy(from);
    rln_server_destroy(to);
}

/* With migrations waiting and one that goes nowhere. */
static void a_server_stops_in_the_middle(void)
{
    struct rln_server *server = server_create(NULL);
    server_start(server);
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int silent = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(bind(silent, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_INT(listen(silent, 8), 0);
    CHECK_INT(getsockname(silent, (struct sockaddr *)&address, &len), 0);
    int fds[4];
    for (int i = 0; i < 4; i++) {
        char line[128];
        fds[i] = client_connect(server);
        snprintf(line, sizeof line, "SET k v\r\nMIGRATE 127.0.0.1 %d k 0 60000\r\n",
                 ntohs(address.sin_port));
        CHECK_ASK(fds[i], line, "+OK\r\n");
    }
    client_reset(fds[3]);
    rln_server_stop(server);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
    close(silent);
    rln_server_destroy(server);
}

int main(void)
{
    RUN_TEST(no_change_is_lost);
    RUN_TEST(clients_without_a_socket_move_keys);
    RUN_TEST(a_server_stops_in_the_middle);
    return check_done();
}
