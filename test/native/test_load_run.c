/* Whole loads against the server of this package, and against one that stalls. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "check.h"
#include "rln.h"
#include "rln_bench.h"

#define WORDS(...)                                                                                 \
    .words = (const char *const[]){ __VA_ARGS__ },                                                 \
    .word_count = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

static const struct rln_load_command SET = { WORDS("SET", "__key__", "__value__"), .weight = 1 };
static const struct rln_load_command GET = { WORDS("GET", "__key__"), .weight = 1,
                                             .replies_value = true };
static const struct rln_load_command WRONG = { WORDS("GET"), .weight = 1 };

static struct rln_load_options options_for(int port, const struct rln_load_command *command)
{
    return (struct rln_load_options){
        .host = "127.0.0.1",
        .port = port,
        .threads = 2,
        .connections = 4,
        .pipeline = 8,
        .key_count = 100,
        .templates = command,
        .template_count = 1,
    };
}

static struct rln_load_result run_load(const struct rln_load_options *options,
                                       uint64_t *slower_than, uint64_t limit_ns)
{
    struct rln_load_error error = { "" };
    struct rln_load_result result;
    struct rln_load *load = rln_load_create(options, &error);
    CHECK_TEXT(error.text, "");
    CHECK(load != NULL);
    CHECK_INT(rln_load_run(load, &error), 0);
    rln_load_result(load, &result);
    uint64_t values[7], counts[7], total = 0, slow = 0, in_intervals = 0;
    size_t cursor = 0, count;
    while ((count = rln_load_latencies(load, &cursor, values, counts, 7)) > 0) {
        for (size_t i = 0; i < count; i++) {
            total += counts[i];
            slow += values[i] > limit_ns ? counts[i] : 0;
        }
    }
    /* What a lost connection had on its way has no latency. */
    CHECK(total <= result.replies + result.unfinished &&
          total + result.lost_connections >= result.replies + result.unfinished);
    uint64_t *intervals = calloc(result.interval_count, sizeof *intervals);
    rln_load_intervals(load, intervals);
    for (size_t i = 0; i < result.interval_count; i++) {
        in_intervals += intervals[i];
    }
    free(intervals);
    CHECK_INT(in_intervals, result.replies);
    struct rln_load_progress progress;
    rln_load_progress(load, &progress);
    CHECK(!progress.running);
    CHECK_INT(progress.replies, result.replies);
    rln_load_destroy(load);
    if (slower_than != NULL) {
        *slower_than = slow;
    }
    return result;
}

static struct rln_server *start_server(int *port)
{
    struct rln_error error;
    struct rln_options options = { 0 };
    struct rln_server *server = rln_server_create(&options);
    CHECK(server != NULL);
    CHECK_INT(rln_server_configure(server, "port", "0", &error), 0);
    CHECK_INT(rln_server_start(server, &error), 0);
    *port = rln_server_port(server);
    return server;
}

static void a_count_is_kept_exactly(int port)
{
    struct rln_load_options options = options_for(port, &SET);
    options.keys = RLN_LOAD_KEYS_SEQUENTIAL;
    options.commands = 1003;
    struct rln_load_result result = run_load(&options, NULL, 0);
    CHECK_INT(result.sent, 1003);
    CHECK_INT(result.replies, 1003);
    CHECK_INT(result.errors, 0);
    CHECK_INT(result.unfinished, 0);
}

static void all_keys_of_a_sequence_are_there_afterwards(int port)
{
    struct rln_load_options options = options_for(port, &GET);
    options.commands = 2000;
    struct rln_load_result result = run_load(&options, NULL, 0);
    CHECK_INT(result.replies, 2000);
    CHECK_INT(result.misses, 0);
    CHECK_INT(result.bad_values, 0);
}

static void values_of_another_size_are_noticed(int port)
{
    static const struct rln_load_size other = { 7, 9, 1 };
    struct rln_load_options options = options_for(port, &GET);
    options.sizes = &other;
    options.size_count = 1;
    options.commands = 500;
    CHECK_INT(run_load(&options, NULL, 0).bad_values, 500);
}

static void errors_are_counted_and_the_first_is_kept(int port)
{
    struct rln_load_options options = options_for(port, &WRONG);
    options.commands = 100;
    struct rln_load_result result = run_load(&options, NULL, 0);
    CHECK_INT(result.errors, 100);
    CHECK_TEXT(result.first_error, "-ERR wrong number of arguments for 'get' command");
}

static void a_duration_is_kept(int port)
{
    struct rln_load_options options = options_for(port, &GET);
    options.duration_ms = 200;
    options.interval_ms = 50;
    options.idle_connections = 5;
    struct rln_load_result result = run_load(&options, NULL, 0);
    CHECK(result.replies > 100);
    CHECK(result.elapsed_ns > 150 * INT64_C(1000000) && result.elapsed_ns < INT64_C(2000000000));
}

static void an_open_loop_keeps_its_rate(int port)
{
    struct rln_load_options options = options_for(port, &GET);
    options.duration_ms = 300;
    options.rate = 2000;
    struct rln_load_result result = run_load(&options, NULL, 0);
    CHECK(result.replies + result.unfinished >= 598 && result.replies + result.unfinished <= 602);
}

static void nobody_listening_is_an_error(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, not listening */
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    struct rln_load_options options = options_for(ntohs(address.sin_port), &GET);
    struct rln_load_error error;
    struct rln_load *load = rln_load_create(&options, &error);
    CHECK(load != NULL);
    CHECK_INT(rln_load_run(load, &error), -1);
    CHECK_TEXT(error.text, "cannot connect: Connection refused");
    rln_load_destroy(load);
    close(fd);
    options.pipeline = 0;
    CHECK(rln_load_create(&options, &error) == NULL);
}

/* ---- a server that stalls ------------------------------------------------------------- */

struct staller {
    int listener;
    int64_t stall_ms;
    bool closes; /* leaves instead of going on */
};

/* Serves one connection: a "+OK" for each line "PING"; stops for a while after the 100th. */
static void *stall(void *user)
{
    struct staller *staller = user;
    int fd = accept(staller->listener, NULL, NULL);
    CHECK(fd >= 0);
    char in[4096];
    int64_t lines = 0;
    ssize_t count;
    while ((count = recv(fd, in, sizeof in, 0)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (in[i] != '\n') {
                continue;
            }
            if (++lines == 100) {
                struct timespec pause = { 0, staller->stall_ms * 1000000 };
                nanosleep(&pause, NULL);
                if (staller->closes) {
                    close(fd);
                    return NULL;
                }
            }
            if (send(fd, "+OK\r\n", 5, MSG_NOSIGNAL) != 5) {
                break;
            }
        }
    }
    close(fd);
    return NULL;
}

static struct rln_load_result run_stalled(double rate, bool closes, uint64_t *slow)
{
    struct rln_load_command ping = { WORDS("PING"), .weight = 1, .as_line = true };
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    struct staller staller = { socket(AF_INET, SOCK_STREAM, 0), 200, closes };
    CHECK(staller.listener >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(staller.listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(staller.listener, 5) == 0);
    CHECK(getsockname(staller.listener, (struct sockaddr *)&address, &len) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, stall, &staller) == 0);
    struct rln_load_options options = options_for(ntohs(address.sin_port), &ping);
    options.threads = options.connections = options.pipeline = 1;
    options.commands = 1000;
    options.duration_ms = 5000;
    options.rate = rate;
    struct rln_load_result result = run_load(&options, slow, 100000000);
    CHECK(pthread_join(thread, NULL) == 0);
    close(staller.listener);
    return result;
}

static void an_open_loop_counts_every_command_that_a_stall_delayed(void)
{
    /* At 1000 a second some hundred commands fall due in the first half of 200 ms. */
    uint64_t slow = 0;
    struct rln_load_result result = run_stalled(1000, false, &slow);
    CHECK_INT(result.replies, 1000);
    CHECK(slow >= 80);
    /* A closed loop sends nothing meanwhile, and sees one slow command. */
    run_stalled(0, false, &slow);
    CHECK(slow >= 1 && slow < 40);
}

static void a_lost_connection_ends_the_load(void)
{
    uint64_t slow = 0;
    struct rln_load_result result = run_stalled(0, true, &slow);
    CHECK_INT(result.lost_connections, 1);
    CHECK_INT(result.replies, 99);
}

int main(void)
{
    int port;
    struct rln_server *server = start_server(&port);
    RUN_TEST_WITH(a_count_is_kept_exactly, port);
    RUN_TEST_WITH(all_keys_of_a_sequence_are_there_afterwards, port);
    RUN_TEST_WITH(values_of_another_size_are_noticed, port);
    RUN_TEST_WITH(errors_are_counted_and_the_first_is_kept, port);
    RUN_TEST_WITH(a_duration_is_kept, port);
    RUN_TEST_WITH(an_open_loop_keeps_its_rate, port);
    rln_server_destroy(server);
    RUN_TEST(nobody_listening_is_an_error);
    RUN_TEST(an_open_loop_counts_every_command_that_a_stall_delayed);
    RUN_TEST(a_lost_connection_ends_the_load);
    return check_done();
}
