/* The seam of os.h on macOS. */
#include "base/os.h"

#ifdef __APPLE__

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <mach/mach.h>
#include <malloc/malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Sets O_NONBLOCK and FD_CLOEXEC; 0 or an errno value. */
static int set_modes(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return errno;
    }
    return 0;
}

int os_waker_open(struct os_waker *waker)
{
    int ends[2];
    waker->read_fd = -1;
    waker->write_fd = -1;
    if (pipe(ends) < 0) {
        return errno;
    }
    int error = set_modes(ends[0]);
    if (error == 0) {
        error = set_modes(ends[1]);
    }
    if (error != 0) {
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    waker->read_fd = ends[0];
    waker->write_fd = ends[1];
    return 0;
}

void os_waker_close(struct os_waker *waker)
{
    if (waker->read_fd >= 0) {
        close(waker->read_fd);
    }
    if (waker->write_fd >= 0) {
        close(waker->write_fd);
    }
    waker->read_fd = -1;
    waker->write_fd = -1;
}

void os_wake(const struct os_waker *waker)
{
    int saved = errno; /* A signal handler must not change it. */
    ssize_t written;
    do {
        written = write(waker->write_fd, "", 1);
    } while (written < 0 && errno == EINTR);
    /* EAGAIN means that the pipe is full, so the reader is awake anyway. */
    errno = saved;
}

void os_waker_drain(const struct os_waker *waker)
{
    char bytes[256];
    ssize_t got;
    do {
        got = read(waker->read_fd, bytes, sizeof(bytes));
    } while (got == (ssize_t)sizeof(bytes) || (got < 0 && errno == EINTR));
}

int os_accept(int listener, struct sockaddr *address, unsigned *address_len)
{
    int on = 1;
    int fd = accept(listener, address, address_len);
    if (fd < 0) {
        return -1;
    }
    int error = set_modes(fd);
    if (error != 0) {
        close(fd);
        errno = error;
        return -1;
    }
    /* There is no MSG_NOSIGNAL on this system: the socket itself must not raise SIGPIPE. */
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
    return fd;
}

int os_set_keepalive(int fd, int idle_seconds)
{
    int on = 1;
    int interval = idle_seconds / 3 > 0 ? idle_seconds / 3 : 1;
    int probes = 3;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPALIVE, &idle_seconds, sizeof(idle_seconds)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)) < 0) {
        return errno;
    }
    return 0;
}

static bool task_memory(struct mach_task_basic_info *info)
{
    mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
    return task_info(mach_task_self(), MACH_TASK_BASIC_INFO, (task_info_t)info, &count) ==
           KERN_SUCCESS;
}

int64_t os_backlog_limit(void)
{
    int limit = 0;
    size_t len = sizeof(limit);
    return sysctlbyname("kern.ipc.somaxconn", &limit, &len, NULL, 0) == 0 ? limit : INT32_MAX;
}

int64_t os_open_files_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return INT32_MAX;
    }
    return (int64_t)limit.rlim_cur;
}

size_t os_resident_bytes(void)
{
    struct mach_task_basic_info info;
    return task_memory(&info) ? (size_t)info.resident_size : 0;
}

size_t os_peak_resident_bytes(void)
{
    struct mach_task_basic_info info;
    return task_memory(&info) ? (size_t)info.resident_size_max : 0;
}

bool os_thread_times(int64_t *system_us, int64_t *user_us)
{
    (void)system_us;
    (void)user_us;
    return false;
}

size_t os_physical_bytes(void)
{
    uint64_t bytes = 0;
    size_t len = sizeof(bytes);
    return sysctlbyname("hw.memsize", &bytes, &len, NULL, 0) == 0 ? (size_t)bytes : 0;
}

unsigned os_processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

void os_describe(char *out, size_t room)
{
    struct utsname name;
    if (uname(&name) != 0) {
        snprintf(out, room, "Darwin");
        return;
    }
    snprintf(out, room, "%s %s %s", name.sysname, name.release, name.machine);
}

void os_name_thread(const char *name)
{
    pthread_setname_np(name);
}

void os_wait_word(_Atomic uint32_t *word, uint32_t expected)
{
    /* The system's own call for this is private, so this sleeps for a moment. */
    if (atomic_load(word) == expected) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
}

void os_wake_word(_Atomic uint32_t *word)
{
    (void)word;
}

int os_condition_init(pthread_cond_t *condition)
{
    return pthread_cond_init(condition, NULL);
}

int os_condition_wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t timeout_us)
{
    struct timespec length = {
        .tv_sec = (time_t)(timeout_us / 1000000),
        .tv_nsec = (long)(timeout_us % 1000000) * 1000,
    };
    return pthread_cond_timedwait_relative_np(condition, mutex, &length);
}

void *os_map(size_t align, size_t size)
{
    /* Mapping more and cutting both ends off is the portable way to an alignment. */
    size_t mapped = size + align;
    char *at = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    size_t head = (align - ((uintptr_t)at & (align - 1))) & (align - 1);
    if (head > 0) {
        munmap(at, head);
    }
    munmap(at + head + size, align - head);
    return at + head;
}

void os_unmap(void *at, size_t size)
{
    munmap(at, size);
}

void os_discard(void *at, size_t size)
{
    madvise(at, size, MADV_FREE);
}

size_t os_allocator_used(void)
{
    return mstats().bytes_used;
}

void os_allocator_trim(void)
{
    (void)malloc_zone_pressure_relief(NULL, 0);
}

size_t os_allocation_size(const void *at)
{
    return malloc_size(at);
}

bool os_executable(char *out, size_t room)
{
    char path[PATH_MAX];
    char resolved[PATH_MAX];
    uint32_t len = sizeof(path);
    if (_NSGetExecutablePath(path, &len) != 0 || realpath(path, resolved) == NULL ||
        strlen(resolved) >= room) {
        return false;
    }
    memcpy(out, resolved, strlen(resolved) + 1);
    return true;
}

struct os_error os_error(int number)
{
    struct os_error error = { "" };
    if (strerror_r(number, error.text, sizeof error.text) != 0) {
        snprintf(error.text, sizeof error.text, "error %d", number);
    }
    return error;
}

#endif
