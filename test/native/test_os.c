/* The seam to the system: wakers, accepting, mapped memory and what it tells of itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/os.h"
#include "check.h"

static bool readable(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    return poll(&poll_fd, 1, 0) == 1;
}

static void a_waker_wakes_until_it_is_drained(void)
{
    struct os_waker waker;
    CHECK_INT(os_waker_open(&waker), 0);
    CHECK(!readable(waker.read_fd));
    for (int i = 0; i < 100000; i++) {
        os_wake(&waker); /* never blocks, whatever piles up */
    }
    CHECK(readable(waker.read_fd));
    os_waker_drain(&waker);
    CHECK(!readable(waker.read_fd));
    os_waker_drain(&waker);
    os_waker_close(&waker);
    os_waker_close(&waker);
    CHECK_INT(waker.read_fd, -1);
}

static void an_accepted_socket_does_not_block_and_is_not_inherited(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listener >= 0 && client >= 0);
    CHECK_INT(bind(listener, (struct sockaddr *)&address, len), 0);
    CHECK_INT(listen(listener, 1), 0);
    CHECK_INT(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    CHECK_INT(connect(client, (struct sockaddr *)&address, len), 0);
    int fd = os_accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_INT(os_set_keepalive(fd, 300), 0);
    CHECK_INT(os_set_keepalive(fd, 1), 0);
    int on = 0;
    len = sizeof(on);
    CHECK_INT(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
    CHECK(on != 0);
    close(fd);
    close(client);
    close(listener);
    CHECK_INT(os_set_keepalive(-1, 300), EBADF);
    CHECK_INT(os_accept(-1, NULL, NULL), -1);
}

static void mapped_memory_is_zeroed_and_aligned(void)
{
    const size_t size = 4 << 20;
    for (int i = 0; i < 3; i++) {
        char *at = os_map(size, size);
        CHECK(at != NULL && (uintptr_t)at % size == 0);
        CHECK(at[0] == 0 && at[size - 1] == 0);
        memset(at, 1, size);
        os_discard(at, size);
        at[size - 1] = 2;
        CHECK(at[size - 1] == 2);
        os_unmap(at, size);
    }
}

static void the_system_tells_of_itself(void)
{
    char text[256];
    os_describe(text, sizeof(text));
    CHECK(strlen(text) > 5 && strchr(text, ' ') != NULL);
    os_describe(text, 4);
    CHECK_INT(strlen(text), 3);
    CHECK(os_executable(text, sizeof(text)) && text[0] == '/');
    CHECK(!os_executable(text, 3));
    CHECK(os_processors() >= 1);
    CHECK(os_backlog_limit() >= 1);
    CHECK(os_open_files_limit() >= 16);
    CHECK(os_resident_bytes() > 100000);
    CHECK(os_peak_resident_bytes() + (8 << 20) >= os_resident_bytes());
    CHECK(os_physical_bytes() > os_resident_bytes());
}

int main(void)
{
    RUN_TEST(a_waker_wakes_until_it_is_drained);
    RUN_TEST(an_accepted_socket_does_not_block_and_is_not_inherited);
    RUN_TEST(mapped_memory_is_zeroed_and_aligned);
    RUN_TEST(the_system_tells_of_itself);
    return check_done();
}
