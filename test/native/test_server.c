/* The whole server through its public interface, in this process and over real sockets:
 * what lives at once, what a stop leaves behind (LeakSanitizer and ThreadSanitizer look on),
 * and that time and dice are those of its owner. */
#include "server_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/mem.h"

/* ---- Lifecycle ---------------------------------------------------------------------- */

static void a_server_that_never_ran_can_be_used_and_destroyed(void)
{
    rln_server_destroy(NULL);
    rln_server_destroy(server_create(NULL));
    struct rln_server *server = server_create(NULL);
    rln_server_stop(server);
    struct rln_client *client = rln_client_create(server);
    CHECK_BYTES(run_words(client, "SET k v"), LIT("+OK\r\n"));
    CHECK_BYTES(run_words(client, "GET k"), LIT("$1\r\nv\r\n"));
    rln_client_destroy(client);
    rln_server_destroy(server);
}

static void the_store_outlives_the_run(void)
{
    struct rln_server *server = server_create(NULL);
    struct rln_client *client = rln_client_create(server);
    CHECK_BYTES(run_words(client, "SET before x"), LIT("+OK\r\n"));
    server_start(server);
    int fd = client_connect(server);
    CHECK_ASK(fd, "GET before\r\nSET during y\r\n", "$1\r\nx\r\n+OK\r\n");
    rln_server_stop(server);
    rln_server_stop(server);
    CHECK(!rln_server_running(server));
    CHECK_BYTES(run_words(client, "GET during"), LIT("$1\r\ny\r\n"));
    CHECK(client_ended(fd));
    close(fd);
    rln_client_destroy(client);
    rln_server_destroy(server);
}

static void thirty_runs_leave_no_descriptor_behind(void)
{
    static const char *const models[] = { "events", "blocking" };
    int before = open_descriptors();
    for (int run = 0; run < 30; run++) {
        struct rln_server *server = server_create(NULL);
        server_set(server, "io-model", models[run % 2]);
        server_set(server, "workers", run % 3 == 0 ? "1" : "3");
        server_start(server);
        int fds[8];
        for (int i = 0; i < 8; i++) {
            fds[i] = client_connect(server);
            /* Whole commands, halves, and nothing at all. */
            CHECK(client_send(fds[i], i % 3 == 0   ? LIT("SET k v\r\n")
                                      : i % 3 == 1 ? LIT("*2\r\n$3\r\nGET\r\n$1")
                                                   : LIT("")));
        }
        if (run % 4 == 0) {
            usleep(1000);
        }
        rln_server_destroy(server);
        for (int i = 0; i < 8; i++) {
            close(fds[i]);
        }
    }
    CHECK_INT(open_descriptors(), before);
}

static void a_thousand_clients_are_let_go_within_a_second(void)
{
    enum { CLIENTS = 1000 };
    static int fds[CLIENTS];
    struct rlimit limit;
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    int count = limit.rlim_cur >= 2 * CLIENTS + 100 ? CLIENTS : 100;
    int before = open_descriptors();

    struct rln_server *server = server_create(NULL);
    server_start(server);
    for (int i = 0; i < count; i++) {
        fds[i] = client_connect(server);
        CHECK_ASK(fds[i], "MULTI\nSET k v\n", "OK\nQUEUED\n");
    }
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    rln_server_stop(server);
    clock_gettime(CLOCK_MONOTONIC, &to);
    int64_t took_ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
    struct rln_client *client = rln_client_create(server);
    CHECK_INT(run_number(client, "STRLEN k"), 0); /* EXEC never came. */
    rln_client_destroy(client);
    rln_server_destroy(server);
    for (int i = 0; i < count; i++) {
        close(fds[i]);
    }
    CHECK(took_ms < 1000);
    CHECK_INT(open_descriptors(), before);
}

static void a_start_that_fails_says_why_and_may_be_tried_again(void)
{
    int before = open_descriptors();
    struct rln_server *first = server_create(NULL), *second = server_create(NULL);
    struct rln_error error;
    server_start(first);
    char port[16];
    snprintf(port, sizeof port, "%d", rln_server_port(first));
    server_set(second, "port", port);
    for (int tries = 0; tries < 3; tries++) {
        CHECK_INT(rln_server_start(second, &error), -1);
        CHECK_TEXT(error.code, "EADDRINUSE");
        CHECK_INT(error.os_error, EADDRINUSE);
        CHECK(strstr(error.text, strerror(EADDRINUSE)) != NULL);
        CHECK(!rln_server_running(second));
    }
    int fd = client_connect(first);
    CHECK_ASK(fd, "PING\r\n", "+PONG\r\n");
    close(fd);
    rln_server_destroy(first);
    server_start(second);
    CHECK_INT(rln_server_start(second, &error), -1);
    CHECK_TEXT(error.code, "ALREADY_STARTED");
    fd = client_connect(second);
    CHECK_ASK(fd, "PING\r\n", "+PONG\r\n");
    close(fd);
    rln_server_destroy(second);
    CHECK_INT(open_descriptors(), before);
}

static void two_servers_live_side_by_side(void)
{
    struct rln_server *servers[2] = { server_create(NULL), server_create(NULL) };
    server_set(servers[1], "maxclients", "77");
    server_start(servers[0]);
    server_start(servers[1]);
    int fds[2] = { client_connect(servers[0]), client_connect(servers[1]) };
    CHECK_ASK(fds[0], "SET who first\nCONFIG SET hz 50\n", "OK\nOK\n");
    CHECK_ASK(fds[1], "GET who\nCONFIG GET hz\n", "(nil)\nhz\n10\n");
    CHECK_ASK(fds[0], "CONFIG GET maxclients\n", "maxclients\n10000\n");
    rln_server_destroy(servers[0]);
    CHECK_ASK(fds[1], "CONFIG GET maxclients\n", "maxclients\n77\n");
    rln_server_destroy(servers[1]);
    close(fds[0]);
    close(fds[1]);
}

/* ---- Many threads ------------------------------------------------------------------- */

struct crowd {
    struct rln_server *server;
    _Atomic bool over;
    _Atomic int64_t rounds;
};

/* One connection's rounds; replies are checked where no neighbour can change them. */
static void *ask_without_end(void *argument)
{
    struct crowd *crowd = argument;
    static _Atomic int numbers;
    int number = atomic_fetch_add(&numbers, 1);
    enum { ROOM = 1024 * 1024 }; /* CLIENT LIST is long while many come and go */
    char request[512], expected[128], *reply = mem_alloc(ROOM);
    snprintf(
        request, sizeof request,
        "SET own:%d %d\r\nGET own:%d\r\nAPPEND own:%d x\r\nINCR shared\r\nMULTI\r\nSET a %d\r\n"
        "SET b %d\r\nEXEC\r\nMGET a b\r\nSET short x PX 1\r\nRENAME own:%d renamed:%d\r\n"
        "DEL renamed:%d\r\nSCAN 0\r\nINFO\r\nCLIENT LIST\r\nOBJECT ENCODING a\r\nPING\r\n",
        number, number, number, number, number, number, number, number, number);
    snprintf(expected, sizeof expected, "%d", number);
    int fd = client_try_connect(rln_server_port(crowd->server));
    while (fd >= 0 && !atomic_load(&crowd->over) && client_send(fd, bytes_of(request))) {
        size_t len = 0;
        ssize_t count = 0;
        while (len < ROOM && (len < 7 || memcmp(reply + len - 7, "+PONG\r\n", 7) != 0) &&
               (count = read(fd, reply + len, ROOM - len)) > 0) {
            len += (size_t)count;
        }
        if (count <= 0) {
            break;
        }
        CHECK(memcmp(reply, "+OK\r\n$", 6) == 0);
        /* Nothing, when somebody has flushed since; never the value of a neighbour. */
        const char *value = reply + 6 + strcspn(reply + 6, "\n") + 1;
        CHECK(reply[6] == '-' || memcmp(value, expected, strlen(expected)) == 0);
        atomic_fetch_add(&crowd->rounds, 1);
    }
    if (fd >= 0) {
        close(fd);
    }
    mem_free(reply);
    return NULL;
}

static void *come_and_go(void *argument)
{
    struct crowd *crowd = argument;
    while (!atomic_load(&crowd->over)) {
        int fd = client_try_connect(rln_server_port(crowd->server));
        if (fd < 0) {
            break;
        }
        (void)client_send(fd, LIT("WATCH a\r\nGET a\r\nPI"));
        client_reset(fd);
        usleep(500);
    }
    return NULL;
}

static void *govern(void *argument)
{
    static const char *const lines[] = {
        "FLUSHALL ASYNC",
        "SWAPDB 0 1",
        "SWAPDB 1 0",
        "CONFIG SET maxclients 9000",
        "CONFIG SET timeout 100",
        "DBSIZE",
        "RANDOMKEY",
        "INFO everything",
        "CONFIG RESETSTAT",
        "CLIENT NO-EVICT on",
        "SLOWLOG GET",
        "KEYS *",
        "CLIENT LIST",
        "FLUSHDB",
    };
    struct crowd *crowd = argument;
    struct rln_client *client = rln_client_create(crowd->server);
    for (size_t i = 0; !atomic_load(&crowd->over); i++) {
        struct bytes reply = run_words(client, lines[i % (sizeof lines / sizeof *lines)]);
        CHECK(reply.len > 0 && reply.at[0] != '-');
        usleep(200);
    }
    rln_client_destroy(client);
    return NULL;
}

static void *hear_events(void *argument)
{
    struct crowd *crowd = argument;
    struct rln_event event = { .type = RLN_EVENT_STARTING };
    while (event.type != RLN_EVENT_STOPPED) {
        if (!rln_server_next_event(crowd->server, &event)) {
            usleep(1000);
        }
    }
    return NULL;
}

static void events_ready(void *user)
{
    (void)user;
}

static void serve_a_crowd(const char *model, const char *poller)
{
    enum { CLIENTS = 6, THREADS = CLIENTS + 3 };
    struct rln_options options = { .on_events = events_ready, .event_capacity = 16 };
    struct crowd crowd = { .server = server_create(&options) };
    server_set(crowd.server, "io-model", model);
    server_set(crowd.server, "io-poller", poller);
    server_set(crowd.server, "workers", "4");
    server_start(crowd.server);
    void *(*const roles[THREADS])(void *) = { ask_without_end, ask_without_end, ask_without_end,
                                              ask_without_end, ask_without_end, ask_without_end,
                                              come_and_go,     govern,          hear_events };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, roles[i], &crowd), 0);
    }
    for (int tries = 0; atomic_load(&crowd.rounds) < 200; tries++) {
        CHECK(tries < PATIENCE_SECONDS * 100);
        usleep(10 * 1000);
    }
    rln_server_stop(crowd.server); /* In the middle of everything. */
    atomic_store(&crowd.over, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    rln_server_destroy(crowd.server);
}

static void a_crowd_is_served_and_stopped_in_the_middle(void)
{
    serve_a_crowd("events", "auto");
    serve_a_crowd("events", "poll");
    serve_a_crowd("blocking", "auto");
}

/* ---- Events and signals ------------------------------------------------------------- */

static void a_full_event_queue_holds_nobody_up(void)
{
    struct rln_options options = { .on_events = events_ready, .event_capacity = 4 };
    struct rln_server *server = server_create(&options);
    server_start(server);
    struct rln_client *client = rln_client_create(server);
    for (int i = 0; i < 500; i++) {
        CHECK_BYTES(run_words(client, i % 2 == 0 ? "CONFIG SET timeout 7" : "CONFIG SET timeout 8"),
                    LIT("+OK\r\n"));
    }
    rln_client_destroy(client);
    rln_server_stop(server);
    struct rln_event event, last = { .type = RLN_EVENT_STARTING };
    int64_t dropped = 0, kept = 0;
    bool listening = false, stopping = false, stopped = false;
    while (rln_server_next_event(server, &event)) {
        CHECK(event.at_ms > 0);
        CHECK(event.at_ms >= last.at_ms || event.type == RLN_EVENT_EVENTS_DROPPED);
        last = event;
        last.name = last.text = (struct rln_bytes){ NULL, 0 };
        kept++;
        listening = listening || event.type == RLN_EVENT_LISTENING;
        stopping = stopping || event.type == RLN_EVENT_STOPPING;
        stopped = stopped || event.type == RLN_EVENT_STOPPED;
        dropped += event.type == RLN_EVENT_EVENTS_DROPPED ? event.count : 0;
    }
    CHECK(kept < 20);
    CHECK(dropped > 480);
    CHECK(listening && stopping && stopped);
    rln_server_destroy(server);
}

/* How many events of a type wait; takes them all. */
static int count_events(struct rln_server *server, enum rln_event_type type)
{
    struct rln_event event;
    int count = 0;
    while (rln_server_next_event(server, &event)) {
        count += event.type == type;
    }
    return count;
}

static void muted_events_are_not_told(void)
{
    struct rln_options options = { .on_events = events_ready };
    struct rln_server *server = server_create(&options);
    rln_server_mute_events(server, UINT32_MAX);
    server_start(server);
    struct rln_client *client = rln_client_create(server);
    CHECK_INT(count_events(server, RLN_EVENT_LISTENING), 1); /* Of its life it tells always. */
    run_words(client, "CONFIG SET timeout 7");
    CHECK_INT(count_events(server, RLN_EVENT_CONFIG_CHANGED), 0);
    rln_server_mute_events(server, UINT32_MAX & ~(1u << RLN_EVENT_CONFIG_CHANGED));
    run_words(client, "CONFIG SET timeout 8");
    CHECK_INT(count_events(server, RLN_EVENT_CONFIG_CHANGED), 1);
    rln_server_mute_events(server, 1u << RLN_EVENT_CONFIG_CHANGED);
    run_words(client, "CONFIG SET timeout 7");
    CHECK_INT(count_events(server, RLN_EVENT_CONFIG_CHANGED), 0);
    rln_client_destroy(client);
    rln_server_stop(server);
    CHECK_INT(count_events(server, RLN_EVENT_STOPPED), 1);
    rln_server_destroy(server);
}

static _Atomic int earlier_signals;

static void note_signal(int number)
{
    (void)number;
    atomic_fetch_add(&earlier_signals, 1);
}

static void signals_stop_the_one_that_asked_for_them_and_are_given_back(void)
{
    struct sigaction ours, before, after;
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = note_signal;
    sigemptyset(&ours.sa_mask);
    CHECK_INT(sigaction(SIGTERM, &ours, &before), 0);

    struct rln_options options = { .install_signal_handlers = true };
    struct rln_server *server = server_create(&options), *other = server_create(&options);
    struct rln_server *guest = server_create(NULL);
    struct rln_error error;
    server_start(server);
    server_start(guest);
    CHECK_INT(rln_server_start(other, &error), -1);
    CHECK_TEXT(error.code, "SIGNALS_TAKEN");
    CHECK_INT(raise(SIGTERM), 0);
    for (int tries = 0; rln_server_running(server); tries++) {
        CHECK(tries < PATIENCE_SECONDS * 100);
        usleep(10 * 1000);
    }
    CHECK(rln_server_running(guest));
    rln_server_destroy(server);
    CHECK_INT(atomic_load(&earlier_signals), 0);

    CHECK_INT(sigaction(SIGTERM, NULL, &after), 0);
    CHECK(after.sa_handler == note_signal);
    CHECK_INT(raise(SIGTERM), 0);
    CHECK_INT(atomic_load(&earlier_signals), 1);
    server_start(other);
    rln_server_destroy(other);
    rln_server_destroy(guest);
    CHECK_INT(sigaction(SIGTERM, &before, NULL), 0);
}

/* ---- Clocks and dice ---------------------------------------------------------------- */

static int64_t frozen_clock(void *user)
{
    return atomic_load((_Atomic int64_t *)user);
}

static void time_is_the_owners(void)
{
    _Atomic int64_t now_us = 1700000000000000;
    struct rln_options options = { .wall_clock_us = frozen_clock,
                                   .monotonic_clock_us = frozen_clock,
                                   .user = &now_us };
    struct rln_server *server = server_create(&options);
    server_start(server);
    int fd = client_connect(server);
    CHECK_ASK(fd, "TIME\n", "1700000000\n0\n");
    CHECK_ASK(fd, "SET k v PX 1000\nSET other v EX 1\nSET stays v\n", "OK\nOK\nOK\n");
    usleep(1200 * 1000); /* Real time is not its business. */
    CHECK_ASK(fd, "PTTL k\nEXPIRETIME k\nDBSIZE\n", "1000\n1700000001\n3\n");
    atomic_fetch_add(&now_us, 999 * 1000);
    CHECK_ASK(fd, "PTTL k\nGET k\n", "1\nv\n");
    atomic_fetch_add(&now_us, 1 * 1000);
    CHECK_ASK(fd, "GET k\nPTTL k\n", "(nil)\n-2\n");
    /* The one that nobody looks at goes too. */
    struct rln_client *client = rln_client_create(server);
    run_until(client, "DBSIZE", 1);
    rln_client_destroy(client);
    close(fd);
    rln_server_destroy(server);
}

/* What chance decides about 500 keys: the order of a walk, and drawn keys. */
static void draw(uint64_t seed, struct buf *out)
{
    struct rln_options options = { .random_seed = seed };
    struct rln_server *server = server_create(&options);
    struct rln_client *client = rln_client_create(server);
    char line[64];
    for (int i = 0; i < 500; i++) {
        snprintf(line, sizeof line, "SET key:%d %d", i, i);
        CHECK_BYTES(run_words(client, line), LIT("+OK\r\n"));
    }
    buf_append(out, run_words(client, "SCAN 0 COUNT 1000"));
    for (int i = 0; i < 50; i++) {
        buf_append(out, run_words(client, "RANDOMKEY"));
    }
    rln_client_destroy(client);
    rln_server_destroy(server);
}

static void the_same_seed_gives_the_same_dice(void)
{
    struct buf first = { 0 }, again = { 0 }, other = { 0 };
    draw(42, &first);
    draw(42, &again);
    draw(43, &other);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&first));
    CHECK(!bytes_equal(buf_bytes(&other), buf_bytes(&first)));
    buf_release(&first);
    buf_release(&again);
    buf_release(&other);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN_TEST(a_server_that_never_ran_can_be_used_and_destroyed);
    RUN_TEST(the_store_outlives_the_run);
    RUN_TEST(thirty_runs_leave_no_descriptor_behind);
    RUN_TEST(a_thousand_clients_are_let_go_within_a_second);
    RUN_TEST(a_start_that_fails_says_why_and_may_be_tried_again);
    RUN_TEST(two_servers_live_side_by_side);
    RUN_TEST(a_crowd_is_served_and_stopped_in_the_middle);
    RUN_TEST(a_full_event_queue_holds_nobody_up);
    RUN_TEST(muted_events_are_not_told);
    RUN_TEST(signals_stop_the_one_that_asked_for_them_and_are_given_back);
    RUN_TEST(time_is_the_owners);
    RUN_TEST(the_same_seed_gives_the_same_dice);
    return check_done();
}
