/* SLOWLOG: the newest commands that took longer than slowlog-log-slower-than. */
#ifndef EXEC_SLOWLOG_H
#define EXEC_SLOWLOG_H

#include "base/bytes.h"
#include "proto/reply.h"

struct engine;
struct session;
struct slowlog;

/* Empty; NULL when memory is short.  Destroying accepts NULL. */
struct slowlog *slowlog_create(void);
void slowlog_destroy(struct slowlog *slowlog);

/* Notes a command, trimmed as Redis trims it (32 arguments, 128 bytes each).  Any thread. */
void slowlog_add(struct slowlog *slowlog, struct engine *engine, const struct session *session,
                 const struct bytes *argv, uint32_t argc, int64_t microseconds);
/* SLOWLOG GET's reply of the newest 'count' (negative: all), LEN, RESET. */
void slowlog_reply(struct slowlog *slowlog, int64_t count, struct reply *reply);
uint64_t slowlog_length(struct slowlog *slowlog);
void slowlog_clear(struct slowlog *slowlog);

#endif
