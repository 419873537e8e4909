/* The system refuses: each call that the server makes on sockets, descriptors and threads
 * fails by plan, with every error that it may have.
 *
 * This program defines those calls itself, and so the core, which is linked into it, gets
 * these instead of the C library's.  With no plan they only pass on. */
#ifdef __linux__

#include "server_fixture.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum call {
    CALL_RECV,
    CALL_SEND,
    CALL_SENDMSG,
    CALL_ACCEPT,
    CALL_WAIT,
    CALL_SOCKET,
    CALL_BIND,
    CALL_LISTEN,
    CALL_EPOLL,
    CALL_EVENTFD,
    CALL_THREAD,
    CALL_COUNT
};

/* Fails 'left' calls of a kind with 'error', but only every 'every'th one of them. */
struct plan {
    _Atomic int error;
    _Atomic int every;
    _Atomic int64_t left;
    _Atomic int64_t seen, failed;
};

static struct plan plans[CALL_COUNT];
static _Atomic int fail_step; /* of a start: this one of its calls fails; 0: none */
static _Atomic int step_error;
static _Atomic bool drop_by_drop;

static void plan_set(enum call call, int error, int every, int64_t left)
{
    struct plan *plan = &plans[call];
    atomic_store(&plan->left, 0);
    atomic_store(&plan->error, error);
    atomic_store(&plan->every, every);
    atomic_store(&plan->seen, 0);
    atomic_store(&plan->failed, 0);
    atomic_store(&plan->left, left);
}

static void plan_nothing(void)
{
    for (int i = 0; i < CALL_COUNT; i++) {
        plan_set((enum call)i, 0, 1, 0);
    }
    atomic_store(&drop_by_drop, false);
    atomic_store(&fail_step, 0);
}

/* True, with errno set, when this call has to fail. */
static bool must_fail(enum call call)
{
    struct plan *plan = &plans[call];
    if (call >= CALL_SOCKET && atomic_load(&fail_step) > 0 &&
        atomic_fetch_sub(&fail_step, 1) == 1) {
        errno = atomic_load(&step_error);
        return true;
    }
    if (atomic_load(&plan->left) <= 0 ||
        atomic_fetch_add(&plan->seen, 1) % atomic_load(&plan->every) != 0 ||
        atomic_fetch_sub(&plan->left, 1) <= 0) {
        return false;
    }
    atomic_fetch_add(&plan->failed, 1);
    errno = atomic_load(&plan->error);
    return true;
}

/* ---- The calls ---------------------------------------------------------------------- */

/* glibc declares socket addresses as a union of all kinds. */
#ifdef __GLIBC__
#define ADDRESS       __SOCKADDR_ARG
#define CONST_ADDRESS __CONST_SOCKADDR_ARG
#else
#define ADDRESS       struct sockaddr *
#define CONST_ADDRESS const struct sockaddr *
#endif

/* The C library's (or the sanitizer's) function of this name, as 'pointer's type. */
#define FIND_REAL(pointer, name)                                                                   \
    do {                                                                                           \
        void *symbol = dlsym(RTLD_NEXT, name);                                                     \
        memcpy(&(pointer), &symbol, sizeof symbol);                                                \
    } while (0)

ssize_t recv(int fd, void *out, size_t room, int flags)
{
    ssize_t (*real)(int, void *, size_t, int);
    FIND_REAL(real, "recv");
    return must_fail(CALL_RECV) ? -1 : real(fd, out, atomic_load(&drop_by_drop) ? 3 : room, flags);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    ssize_t (*real)(int, const void *, size_t, int);
    FIND_REAL(real, "send");
    bool few = atomic_load(&drop_by_drop) && len > 2;
    return must_fail(CALL_SEND) ? -1 : real(fd, bytes, few ? 2 : len, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t (*real)(int, const struct msghdr *, int);
    FIND_REAL(real, "sendmsg");
    return must_fail(CALL_SENDMSG) ? -1 : real(fd, message, flags);
}

int accept4(int fd, ADDRESS address, socklen_t *len, int flags)
{
    int (*real)(int, ADDRESS, socklen_t *, int);
    FIND_REAL(real, "accept4");
    return must_fail(CALL_ACCEPT) ? -1 : real(fd, address, len, flags);
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout_ms)
{
    int (*real)(int, struct epoll_event *, int, int);
    FIND_REAL(real, "epoll_wait");
    return must_fail(CALL_WAIT) ? -1 : real(fd, events, room, timeout_ms);
}

int socket(int family, int type, int protocol)
{
    int (*real)(int, int, int);
    FIND_REAL(real, "socket");
    return must_fail(CALL_SOCKET) ? -1 : real(family, type, protocol);
}

int bind(int fd, CONST_ADDRESS address, socklen_t len)
{
    int (*real)(int, CONST_ADDRESS, socklen_t);
    FIND_REAL(real, "bind");
    return must_fail(CALL_BIND) ? -1 : real(fd, address, len);
}

int listen(int fd, int backlog)
{
    int (*real)(int, int);
    FIND_REAL(real, "listen");
    return must_fail(CALL_LISTEN) ? -1 : real(fd, backlog);
}

int epoll_create1(int flags)
{
    int (*real)(int);
    FIND_REAL(real, "epoll_create1");
    return must_fail(CALL_EPOLL) ? -1 : real(flags);
}

int eventfd(unsigned count, int flags)
{
    int (*real)(unsigned, int);
    FIND_REAL(real, "eventfd");
    return must_fail(CALL_EVENTFD) ? -1 : real(count, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    FIND_REAL(real, "pthread_create");
    return must_fail(CALL_THREAD) ? errno : real(thread, attributes, run, argument);
}

/* ---- Transient errors --------------------------------------------------------------- */

static void talk(int fd, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        char request[256], expected[256];
        snprintf(request, sizeof request,
                 "SET k%d %d\r\nGET k%d\r\nMULTI\r\nAPPEND k%d x\r\nEXEC\r\nDEL k%d\r\n", fd,
                 1000 + i, fd, fd, fd);
        snprintf(expected, sizeof expected,
                 "+OK\r\n$4\r\n%d\r\n+OK\r\n+QUEUED\r\n*1\r\n:5\r\n:1\r\n", 1000 + i);
        client_expect(__FILE__, __LINE__, fd, bytes_of(request), bytes_of(expected));
    }
}

static void *talk_on_thread(void *argument)
{
    const struct rln_server *server = argument;
    for (int i = 0; i < 3; i++) {
        int fd = client_connect(server);
        talk(fd, 20);
        /* Large enough to be sent from where it stands, by sendmsg(). */
        CHECK(client_send(fd, LIT("SETRANGE large 199999 x\r\nGET large\r\nPING\r\n")));
        static const size_t len = sizeof ":200000\r\n$200000\r\n\r\n+PONG\r\n" - 1 + 200000;
        char *reply = malloc(len);
        CHECK_INT(client_read(fd, reply, len), len);
        CHECK(memcmp(reply + len - 7, "+PONG\r\n", 7) == 0);
        free(reply);
        close(fd);
    }
    return NULL;
}

static void talk_with_many(const char *model)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct rln_server *server = server_create(NULL);
    server_set(server, "io-model", model);
    server_set(server, "workers", "4");
    server_start(server);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, talk_on_thread, server), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    rln_server_destroy(server);
}

static void interrupted_calls_are_made_again(void)
{
    static const enum call calls[] = { CALL_RECV, CALL_SEND, CALL_SENDMSG, CALL_ACCEPT, CALL_WAIT };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        plan_set(calls[i], EINTR, 2, INT64_MAX / 2);
    }
    talk_with_many("events");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        CHECK(atomic_load(&plans[calls[i]].failed) > 0);
    }
    talk_with_many("blocking");
    plan_nothing();
}

static void calls_that_would_block_are_waited_for(void)
{
    plan_set(CALL_RECV, EAGAIN, 2, INT64_MAX / 2);
    plan_set(CALL_SEND, EAGAIN, 2, INT64_MAX / 2);
    plan_set(CALL_SENDMSG, EAGAIN, 2, INT64_MAX / 2);
    plan_set(CALL_ACCEPT, EAGAIN, 2, INT64_MAX / 2);
    talk_with_many("events");
    CHECK(atomic_load(&plans[CALL_RECV].failed) > 0 && atomic_load(&plans[CALL_SEND].failed) > 0 &&
          atomic_load(&plans[CALL_ACCEPT].failed) > 0);
    talk_with_many("blocking");
    plan_nothing();
}

static void bytes_may_go_drop_by_drop(void)
{
    struct rln_server *server = server_create(NULL);
    server_start(server);
    int fd = client_connect(server);
    atomic_store(&drop_by_drop, true);
    talk(fd, 20);
    CHECK_ASK(fd, "SET user:1 alice\nGET user:1\nGET nobody\n", "OK\nalice\n(nil)\n");
    plan_nothing();
    close(fd);
    rln_server_destroy(server);
}

/* ---- One client's errors ------------------------------------------------------------ */

static void events_ready(void *user)
{
    (void)user;
}

/* The next event of 'type'; it has to come. */
static struct rln_event wait_for_event(struct rln_server *server, enum rln_event_type type)
{
    struct rln_event event;
    for (int tries = 0; tries < PATIENCE_SECONDS * 1000; tries++) {
        while (rln_server_next_event(server, &event)) {
            if (event.type == type) {
                return event;
            }
        }
        usleep(1000);
    }
    check_fail(__FILE__, __LINE__, "the event did not come");
}

static void lose_a_client(enum call call, int error, const char *request, const char *verb)
{
    struct rln_options options = { .on_events = events_ready, .random_seed = 1 };
    struct rln_server *server = server_create(&options);
    server_start(server);
    int victim = client_connect(server), other = client_connect(server);
    CHECK_ASK(victim, "SETRANGE large 199999 x\nPING\n", "200000\nPONG\n");
    CHECK_ASK(other, "PING\n", "PONG\n");

    plan_set(call, error, 1, 1);
    CHECK(client_send(victim, bytes_of(request)));
    CHECK(client_ended(victim));
    CHECK_INT(atomic_load(&plans[call].failed), 1);
    struct rln_event event = wait_for_event(server, RLN_EVENT_CLIENT_ERROR);
    char text[256];
    snprintf(text, sizeof text, "%s client: %s", verb, strerror(error));
    CHECK_BYTES(((struct bytes){ event.text.at, event.text.len }), bytes_of(text));
    event = wait_for_event(server, RLN_EVENT_CLIENT_DISCONNECTED);
    CHECK_INT(event.reason, RLN_CLOSE_SOCKET_ERROR);
    talk(other, 3);

    struct rln_client *client = rln_client_create(server);
    struct bytes info = run_words(client, "INFO");
    char *copy = malloc(info.len + 1);
    memcpy(copy, info.at, info.len);
    copy[info.len] = '\0';
    CHECK(strstr(copy, "connected_clients:1\r\n") != NULL);
    CHECK(strstr(copy, "client_errors:1\r\n") != NULL);
    free(copy);
    rln_client_destroy(client);
    close(victim);
    close(other);
    rln_server_destroy(server);
    plan_nothing();
}

static void an_error_of_one_client_ends_that_client_alone(void)
{
    lose_a_client(CALL_RECV, ECONNRESET, "PING\n", "Reading from");
    lose_a_client(CALL_RECV, ETIMEDOUT, "PING\n", "Reading from");
    lose_a_client(CALL_SEND, EPIPE, "PING\n", "Writing to");
    lose_a_client(CALL_SEND, ECONNRESET, "PING\n", "Writing to");
    lose_a_client(CALL_SENDMSG, EPIPE, "GET large\r\n", "Writing to");
}

/* ---- accept() ----------------------------------------------------------------------- */

static void who_cannot_be_accepted_now_is_accepted_later(void)
{
    static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EPERM };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct rln_options options = { .on_events = events_ready, .random_seed = 1 };
        struct rln_server *server = server_create(&options);
        server_start(server);
        int before = client_connect(server);
        CHECK_ASK(before, "PING\n", "PONG\n");
        plan_set(CALL_ACCEPT, errors[i], 1, 3);
        int later = client_connect(server);
        CHECK(client_send(later, LIT("PING\n")));
        talk(before, 3);
        CHECK_ASK(later, "", "PONG\n");
        CHECK_INT(atomic_load(&plans[CALL_ACCEPT].failed), 3);
        /* It stood back between the tries instead of spinning. */
        struct rln_client *client = rln_client_create(server);
        struct bytes info = run_words(client, "INFO everything");
        CHECK(memmem(info.at, info.len, "accept_pauses:3", 15) != NULL);
        rln_client_destroy(client);
        if (errors[i] == EMFILE || errors[i] == ENFILE) {
            struct rln_event event = wait_for_event(server, RLN_EVENT_LIMIT_REACHED);
            CHECK_BYTES(((struct bytes){ event.name.at, event.name.len }), LIT("open-files"));
        }
        close(before);
        close(later);
        rln_server_destroy(server);
        plan_nothing();
    }
}

static void who_left_before_accept_holds_nobody_up(void)
{
    struct rln_server *server = server_create(NULL);
    server_start(server);
    plan_set(CALL_ACCEPT, ECONNABORTED, 2, 50);
    for (int i = 0; i < 20; i++) {
        int fd = client_connect(server);
        CHECK_ASK(fd, "PING\n", "PONG\n");
        close(fd);
    }
    CHECK(atomic_load(&plans[CALL_ACCEPT].failed) >= 20);
    plan_nothing();
    rln_server_destroy(server);
}

/* ---- The start ---------------------------------------------------------------------- */

/* Starts over and over; each time another one of its system calls fails. */
static void fail_each_step(const char *model)
{
    int before = open_descriptors();
    struct rln_server *server = server_create(NULL);
    server_set(server, "io-model", model);
    int step = 1;
    for (;; step++) {
        struct rln_error error;
        atomic_store(&step_error, EAGAIN);
        atomic_store(&fail_step, step);
        int result = rln_server_start(server, &error);
        if (result == 0) {
            break;
        }
        CHECK_INT(error.os_error, EAGAIN);
        CHECK(error.code[0] != '\0');
        CHECK(strstr(error.text, strerror(EAGAIN)) != NULL);
        CHECK(!rln_server_running(server));
        CHECK(step < 100);
    }
    /* socket, bind, listen, a poller and a waker for each worker, threads, ... */
    CHECK(step > 8);
    plan_nothing();
    int fd = client_connect(server);
    talk(fd, 3);
    close(fd);
    rln_server_destroy(server);
    CHECK_INT(open_descriptors(), before);
}

static void a_start_that_fails_at_any_step_leaves_nothing_behind(void)
{
    fail_each_step("events");
    fail_each_step("blocking");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    plan_nothing();
    RUN_TEST(interrupted_calls_are_made_again);
    RUN_TEST(calls_that_would_block_are_waited_for);
    RUN_TEST(bytes_may_go_drop_by_drop);
    RUN_TEST(an_error_of_one_client_ends_that_client_alone);
    RUN_TEST(who_cannot_be_accepted_now_is_accepted_later);
    RUN_TEST(who_left_before_accept_holds_nobody_up);
    RUN_TEST(a_start_that_fails_at_any_step_leaves_nothing_behind);
    return check_done();
}

#else

#include "check.h"

/* Other systems bind the core's calls to the C library's, not to this program's. */
int main(void)
{
    puts("skipped: this takes the place of Linux's system calls");
    return 0;
}

#endif
