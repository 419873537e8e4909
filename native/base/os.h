/* The whole seam to the operating system where Linux and macOS differ: os_linux.c and
 * os_darwin.c implement the same functions, and nothing else has an #ifdef for it. */
#ifndef BASE_OS_H
#define BASE_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The system's text of an errno value, in memory of its own; strerror() is not for threads. */
struct os_error {
    char text[96];
};
struct os_error os_error(int number);

/* A descriptor that wakes a poller: eventfd on Linux, a pipe elsewhere.  Non-blocking,
 * close-on-exec.  os_wake() is async-signal-safe. */
struct os_waker {
    int read_fd, write_fd; /* the same for an eventfd; -1 when not open */
};
MUST_CHECK int os_waker_open(struct os_waker *waker); /* 0 or an errno value */
void os_waker_close(struct os_waker *waker);
void os_wake(const struct os_waker *waker);
void os_waker_drain(const struct os_waker *waker);

/* accept4(SOCK_NONBLOCK | SOCK_CLOEXEC) or its equivalent; -1 and errno.  'address' may be NULL. */
struct sockaddr;
int os_accept(int listener, struct sockaddr *address, unsigned *address_len);

/* TCP keep-alive after 'idle_seconds'; 0 or an errno value. */
int os_set_keepalive(int fd, int idle_seconds);

/* The longest backlog that listen() gets, and how many files this process may open; INT_MAX
 * or more where the system sets no bound or does not tell. */
int64_t os_backlog_limit(void);
int64_t os_open_files_limit(void);

/* Resident bytes of this process now, and at most so far. */
size_t os_resident_bytes(void);
size_t os_peak_resident_bytes(void);
/* Processor time of the calling thread, in microseconds; false where the system does not tell. */
MUST_CHECK bool os_thread_times(int64_t *system_us, int64_t *user_us);
/* Physical memory of the machine. */
size_t os_physical_bytes(void);
/* Processors this process may use. */
unsigned os_processors(void);
/* "Linux 6.1.0 x86_64". */
void os_describe(char *out, size_t room);
/* Name of the calling thread, as ps and debuggers show it. */
void os_name_thread(const char *name);
/* Waits until '*word' may have changed from 'expected', or a wake-up, or about a
 * millisecond where the system has no such call.  os_wake_word() wakes all waiters. */
void os_wait_word(_Atomic uint32_t *word, uint32_t expected);
void os_wake_word(_Atomic uint32_t *word);

/* A condition that waits by the monotonic clock; 0 or an errno value.  The wait's
 * ETIMEDOUT tells that 'timeout_us' passed. */
MUST_CHECK int os_condition_init(pthread_cond_t *condition);
MUST_CHECK int os_condition_wait_for(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                     int64_t timeout_us);

/* Zeroed memory from the kernel, aligned to 'align', a power of two that divides 'size';
 * NULL when there is none.  It counts as resident only where it was touched. */
void *os_map(size_t align, size_t size);
void os_unmap(void *at, size_t size);
/* The contents are no longer needed; the memory stays mapped and may be used again. */
void os_discard(void *at, size_t size);

/* What the system's allocator has handed out in all, and behind one pointer. */
size_t os_allocator_used(void);
size_t os_allocation_size(const void *at);
/* Asks the allocator to give unused memory back. */
void os_allocator_trim(void);

/* The path of the running program into 'out'; false when unknown. */
bool os_executable(char *out, size_t room);

#endif
