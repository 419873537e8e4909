/* The seam of os.h on Linux, for glibc and musl. */
#include "base/os.h"

#ifdef __linux__

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

int os_waker_open(struct os_waker *waker)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    waker->read_fd = fd;
    waker->write_fd = fd;
    return fd < 0 ? errno : 0;
}

void os_waker_close(struct os_waker *waker)
{
    if (waker->read_fd >= 0) {
        close(waker->read_fd);
    }
    waker->read_fd = -1;
    waker->write_fd = -1;
}

void os_wake(const struct os_waker *waker)
{
    int saved = errno; /* A signal handler must not change it. */
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(waker->write_fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    /* EAGAIN means that the counter is full, so the reader is awake anyway. */
    errno = saved;
}

void os_waker_drain(const struct os_waker *waker)
{
    uint64_t count;
    ssize_t got;
    do {
        got = read(waker->read_fd, &count, sizeof(count));
    } while (got < 0 && errno == EINTR);
}

int os_accept(int listener, struct sockaddr *address, unsigned *address_len)
{
    return accept4(listener, address, address_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int os_set_keepalive(int fd, int idle_seconds)
{
    int on = 1;
    int interval = idle_seconds / 3 > 0 ? idle_seconds / 3 : 1;
    int probes = 3;
    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof(idle_seconds)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)) < 0) {
        return errno;
    }
    return 0;
}

int64_t os_backlog_limit(void)
{
    char text[32];
    int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return INT32_MAX;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    int64_t limit = 0;
    return sscanf(text, "%" SCNd64, &limit) == 1 ? limit : INT32_MAX;
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
    char text[128];
    unsigned long total = 0;
    unsigned long resident = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0) {
        return 0;
    }
    text[len] = '\0';
    if (sscanf(text, "%lu %lu", &total, &resident) != 2) {
        return 0;
    }
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

size_t os_peak_resident_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0;
}

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

bool os_thread_times(int64_t *system_us, int64_t *user_us)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0) {
        return false;
    }
    *system_us = microseconds(usage.ru_stime);
    *user_us = microseconds(usage.ru_utime);
    return true;
}

size_t os_physical_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    return pages > 0 ? (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

unsigned os_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) {
        return (unsigned)CPU_COUNT(&set);
    }
    /* The set is too small for this machine: count what is online. */
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

void os_describe(char *out, size_t room)
{
    struct utsname name;
    if (uname(&name) != 0) {
        snprintf(out, room, "Linux");
        return;
    }
    snprintf(out, room, "%s %s %s", name.sysname, name.release, name.machine);
}

void os_name_thread(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

void os_wait_word(_Atomic uint32_t *word, uint32_t expected)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void os_wake_word(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

int os_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attr;
    int result = pthread_condattr_init(&attr);
    if (result != 0) {
        return result;
    }
    result = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (result == 0) {
        result = pthread_cond_init(condition, &attr);
    }
    pthread_condattr_destroy(&attr);
    return result;
}

int os_condition_wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t timeout_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_us / 1000000);
    until.tv_nsec += (long)(timeout_us % 1000000) * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(condition, mutex, &until);
}

void *os_map(size_t align, size_t size)
{
    /* Mapping more and cutting both ends off is the portable way to an alignment. */
    size_t mapped = size + align;
    char *at = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    size_t head = (align - ((uintptr_t)at & (align - 1))) & (align - 1);
    if (head > 0) {
        munmap(at, head);
    }
    munmap(at + head + size, align - head);
#ifdef MADV_HUGEPAGE
    /* Entries are reached at random, so that most of the cost of a lookup in a large store
     * is address translation: 2 MiB pages took 10 to 15 % off it, for no more memory. */
    (void)madvise(at + head, size, MADV_HUGEPAGE);
#endif
    return at + head;
}

void os_unmap(void *at, size_t size)
{
    munmap(at, size);
}

void os_discard(void *at, size_t size)
{
    madvise(at, size, MADV_DONTNEED);
}

size_t os_allocator_used(void)
{
#ifdef __GLIBC__
    /* mallinfo2() came with glibc 2.33; one build serves older ones too, so it is looked
     * up.  Its fields, all size_t: 4 is space in mappings, 7 is space handed out. */
    struct numbers {
        size_t field[10];
    };
    union {
        void *symbol;
        struct numbers (*call)(void);
    } info = { .symbol = dlsym(RTLD_DEFAULT, "mallinfo2") };
    if (info.symbol != NULL) {
        struct numbers numbers = info.call();
        return numbers.field[4] + numbers.field[7];
    }
#endif
    /* musl keeps no account: the resident set is the nearest number there is. */
    return os_resident_bytes();
}

void os_allocator_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

size_t os_allocation_size(const void *at)
{
    return malloc_usable_size((void *)(uintptr_t)at);
}

bool os_executable(char *out, size_t room)
{
    ssize_t len = room > 0 ? readlink("/proc/self/exe", out, room - 1) : -1;
    if (len < 0 || (size_t)len >= room - 1) {
        return false;
    }
    out[len] = '\0';
    return true;
}

struct os_error os_error(int number)
{
    struct os_error error = { "" };
#ifdef __GLIBC__
    /* The GNU form may return a constant of its own instead of filling the room. */
    const char *text = strerror_r(number, error.text, sizeof error.text);
    if (text != error.text) {
        snprintf(error.text, sizeof error.text, "%s", text);
    }
#else
    if (strerror_r(number, error.text, sizeof error.text) != 0) {
        snprintf(error.text, sizeof error.text, "error %d", number);
    }
#endif
    return error;
}

#endif
