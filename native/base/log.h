/* Log lines go to a sink that the owner of the server passes in; the core never prints. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>

#include "base/bytes.h"

enum log_level { LOG_DEBUG, LOG_VERBOSE, LOG_NOTICE, LOG_WARNING, LOG_NOTHING };

struct log {
    void (*write)(void *user, enum log_level level, struct bytes line); /* any thread */
    void *user;
    _Atomic int level; /* the lowest level that is written */
};

/* One line without a newline, at most 1,023 bytes; longer ones are cut. */
void log_line(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(log, ...)   log_line((log), LOG_DEBUG, __VA_ARGS__)
#define log_verbose(log, ...) log_line((log), LOG_VERBOSE, __VA_ARGS__)
#define log_notice(log, ...)  log_line((log), LOG_NOTICE, __VA_ARGS__)
#define log_warning(log, ...) log_line((log), LOG_WARNING, __VA_ARGS__)

#endif
