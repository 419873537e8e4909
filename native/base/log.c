/* Formats a line and hands it to the owner's sink (see log.h). */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

enum { LOG_LINE_ROOM = 1024 };

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    if (log == NULL || log->write == NULL ||
        (int)level < atomic_load_explicit(&log->level, memory_order_relaxed)) {
        return;
    }
    char line[LOG_LINE_ROOM];
    va_list args;
    va_start(args, format);
    int printed = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (printed < 0) {
        return;
    }
    size_t len = (size_t)printed < sizeof(line) ? (size_t)printed : sizeof(line) - 1;
    for (size_t i = 0; i < len; i++) {
        /* A client's bytes in a message must not be able to begin a line of their own. */
        if (line[i] == '\n' || line[i] == '\r') {
            line[i] = ' ';
        }
    }
    log->write(log->user, level, (struct bytes){ line, len });
}
