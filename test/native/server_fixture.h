/* A whole server inside the test program, through rln.h alone, and clients of it on real
 * sockets of this machine: for test_server.c and test_server_faults.c.
 *
 * The clients use read() and write(), which the core does not use on sockets, so that a test
 * may put calls of its own in the place of recv() and send(). */
#ifndef TEST_SERVER_FIXTURE_H
#define TEST_SERVER_FIXTURE_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"
#include "rln.h"

enum { PATIENCE_SECONDS = 30, REPLY_ROOM = 64 * 1024 };

/* ---- Servers ------------------------------------------------------------------------ */

static inline void server_set(struct rln_server *server, const char *name, const char *value)
{
    struct rln_error error;
    if (rln_server_configure(server, name, value, &error) != 0) {
        check_fail(__FILE__, __LINE__, error.text);
    }
}

/* A server that does not run yet: a free port of the loopback interface, two workers. */
static inline struct rln_server *server_create(const struct rln_options *options)
{
    static const struct rln_options none = { .random_seed = 1 };
    struct rln_server *server = rln_server_create(options != NULL ? options : &none);
    CHECK(server != NULL);
    server_set(server, "bind", "127.0.0.1");
    server_set(server, "port", "0");
    server_set(server, "workers", "2");
    return server;
}

static inline void server_start(struct rln_server *server)
{
    struct rln_error error;
    if (rln_server_start(server, &error) != 0) {
        check_fail(__FILE__, __LINE__, error.text);
    }
    CHECK(rln_server_port(server) > 0);
}

/* Descriptors that this process has open. */
static inline int open_descriptors(void)
{
    DIR *folder = opendir("/dev/fd");
    CHECK(folder != NULL);
    int count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* ---- Clients ------------------------------------------------------------------------ */

/* A connected socket; -1 when nobody listens there. */
static inline int client_try_connect(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    int on = 1;
    struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    CHECK_INT(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int client_connect(const struct rln_server *server)
{
    int fd = client_try_connect(rln_server_port(server));
    CHECK(fd >= 0);
    return fd;
}

/* Closes with RST instead of FIN. */
static inline void client_reset(int fd)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(fd);
}

/* False when the server has closed. */
static inline bool client_send(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t count = write(fd, bytes.at, bytes.len);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes = (struct bytes){ bytes.at + count, bytes.len - (size_t)count };
    }
    return true;
}

/* Reads up to 'room' bytes and stops early only at the end of the connection. */
static inline size_t client_read(int fd, char *out, size_t room)
{
    size_t len = 0;
    while (len < room) {
        ssize_t count = read(fd, out + len, room - len);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        len += (size_t)count;
    }
    return len;
}

/* True when the connection has ended, by FIN or RST, and nothing came before that. */
static inline bool client_ended(int fd)
{
    char byte;
    ssize_t count = read(fd, &byte, 1);
    return count == 0 || (count < 0 && errno == ECONNRESET);
}

/* Sends 'request' and reads exactly what is expected. */
static inline void client_expect(const char *file, int line, int fd, struct bytes request,
                                 struct bytes expected)
{
    static _Thread_local char reply[REPLY_ROOM];
    CHECK(expected.len <= sizeof reply);
    CHECK(client_send(fd, request));
    size_t len = client_read(fd, reply, expected.len);
    check_bytes(file, line, "reply", (struct bytes){ reply, len }, expected);
}

#define CHECK_ASK(fd, request, expected)                                                           \
    client_expect(__FILE__, __LINE__, fd, bytes_of(request), bytes_of(expected))

/* Runs a line of words in this process; the reply is borrowed until the client's next call. */
static inline struct bytes run_words(struct rln_client *client, const char *line)
{
    struct rln_bytes words[32];
    size_t count = 0;
    while (*line != '\0') {
        size_t len = strcspn(line, " ");
        CHECK(count < sizeof words / sizeof *words);
        words[count++] = (struct rln_bytes){ line, len };
        line += len + (line[len] == ' ');
    }
    struct rln_bytes reply = rln_client_call(client, words, count);
    return (struct bytes){ reply.at, reply.len };
}

/* As run_words(), where the reply is an integer. */
static inline int64_t run_number(struct rln_client *client, const char *line)
{
    struct bytes reply = run_words(client, line);
    CHECK(reply.len > 3 && reply.at[0] == ':');
    return strtoll(reply.at + 1, NULL, 10);
}

/* Waits until the line's reply is 'expected'. */
static inline void run_until(struct rln_client *client, const char *line, int64_t expected)
{
    for (int tries = 0; run_number(client, line) != expected; tries++) {
        CHECK(tries < PATIENCE_SECONDS * 100);
        usleep(10 * 1000);
    }
}

#endif
