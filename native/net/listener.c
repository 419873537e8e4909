/* socket, bind, listen; see listener.h. */
#include "net/listener.h"

#include "base/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The name that the system gives an errno value, as Node's errors have it. */
static const char *errno_name(int number)
{
    switch (number) {
    case EADDRINUSE:
        return "EADDRINUSE";
    case EADDRNOTAVAIL:
        return "EADDRNOTAVAIL";
    case EACCES:
        return "EACCES";
    case EPERM:
        return "EPERM";
    case EAFNOSUPPORT:
        return "EAFNOSUPPORT";
    case EMFILE:
        return "EMFILE";
    case ENFILE:
        return "ENFILE";
    case ENOENT:
        return "ENOENT";
    case ENOTDIR:
        return "ENOTDIR";
    case ENOMEM:
        return "ENOMEM";
    case EINVAL:
        return "EINVAL";
    case ENAMETOOLONG:
        return "ENAMETOOLONG";
    default:
        return "ELISTEN";
    }
}

/* Fills 'error' from errno: "bind 127.0.0.1:6379: Address already in use". */
static bool fail(struct rln_error *error, const char *call, const char *name, int port)
{
    int number = errno;
    error->os_error = number;
    snprintf(error->code, sizeof error->code, "%s", errno_name(number));
    if (port >= 0) {
        snprintf(error->text, sizeof error->text, "%s %s:%d: %s", call, name, port,
                 os_error(number).text);
    } else {
        snprintf(error->text, sizeof error->text, "%s %s: %s", call, name, os_error(number).text);
    }
    return false;
}

static bool prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* The socket address of 'name'; false when it is no numeric address. */
static bool resolve(const char *name, int port, struct sockaddr_storage *address, socklen_t *len)
{
    memset(address, 0, sizeof *address);
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    const char *v4_name = strcmp(name, "*") == 0 ? "0.0.0.0" : name;
    const char *v6_name = strcmp(name, "::*") == 0 ? "::" : name;
    if (strcmp(name, "localhost") == 0) {
        v4_name = "127.0.0.1";
    }
    if (inet_pton(AF_INET, v4_name, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *len = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, v6_name, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *len = sizeof *v6;
        return true;
    }
    return false;
}

/* The port that the system chose; 0 and errno when it does not say. */
static int bound_port(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        return 0;
    }
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port)
                                         : ntohs(((struct sockaddr_in *)&address)->sin_port);
}

bool listeners_add_tcp(struct listeners *listeners, struct bytes address, int port, int backlog,
                       struct rln_error *error)
{
    char name[128];
    bool optional = address.len > 0 && address.at[0] == '-';
    snprintf(name, sizeof name, "%.*s", (int)(address.len - optional), address.at + optional);
    if (listeners->count == LISTENERS_MAX - 1) {
        errno = EINVAL;
        return fail(error, "bind (too many addresses)", name, port);
    }
    struct sockaddr_storage socket_address;
    socklen_t len;
    if (!resolve(name, port, &socket_address, &len)) {
        errno = EADDRNOTAVAIL;
        return fail(error, "bind", name, port);
    }
    const char *call = "socket";
    int on = 1;
    int fd = socket(socket_address.ss_family, SOCK_STREAM, 0);
    if (fd < 0) {
        goto failed;
    }
    call = "setsockopt";
    if (!prepare(fd) || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (socket_address.ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)) {
        goto failed;
    }
    call = "bind";
    if (bind(fd, (const struct sockaddr *)&socket_address, len) < 0) {
        goto failed;
    }
    call = "listen";
    if (listen(fd, backlog) < 0) {
        goto failed;
    }
    struct listener *listener = &listeners->at[listeners->count++];
    *listener = (struct listener){ .fd = fd, .port = bound_port(fd) };
    snprintf(listener->name, sizeof listener->name, "%s", name);
    return true;

failed:
    fail(error, call, name, port);
    if (fd >= 0) {
        close(fd);
    }
    return optional && (error->os_error == EADDRNOTAVAIL || error->os_error == EAFNOSUPPORT);
}

/* True when somebody answers at the path; then its file must not be taken away. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return true;
    }
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    return alive;
}

bool listeners_add_unix(struct listeners *listeners, const char *path, unsigned permissions,
                        int backlog, struct rln_error *error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return fail(error, "bind", path, -1);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)) {
        if (is_alive(&address)) {
            errno = EADDRINUSE;
            return fail(error, "bind", path, -1);
        }
        unlink(path);
    }
    const char *call = "socket";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool bound = false;
    if (fd < 0) {
        goto failed;
    }
    call = "bind";
    if (!prepare(fd) || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        goto failed;
    }
    bound = true;
    call = "chmod";
    if (permissions != 0 && chmod(path, (mode_t)permissions) < 0) {
        goto failed;
    }
    call = "listen";
    if (listen(fd, backlog) < 0) {
        goto failed;
    }
    struct listener *listener = &listeners->at[listeners->count++];
    *listener = (struct listener){ .fd = fd, .is_unix = true };
    snprintf(listener->name, sizeof listener->name, "%s", path);
    return true;

failed:
    fail(error, call, path, -1);
    if (bound) {
        unlink(path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return false;
}

void listeners_close(struct listeners *listeners)
{
    for (unsigned i = 0; i < listeners->count; i++) {
        if (listeners->at[i].is_unix) {
            unlink(listeners->at[i].name);
        }
        close(listeners->at[i].fd);
    }
    listeners->count = 0;
}
