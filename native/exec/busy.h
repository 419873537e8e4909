/* Scripts that have been running for longer than busy-reply-threshold.  While there is one, the
 * commands of all clients are refused, but for those whose row has CMD_ALLOW_BUSY.
 *
 * Such a script may have the exclusive section, so that nobody else could even be told so.  From
 * time to time it lends it: ends the section and enters a plain batch, in which its own thread
 * serves its other clients, as other threads serve theirs, and then takes the section again.  What
 * the script has seen stays true: commands that touch data are refused, nobody else gets the
 * exclusive section, no key expires or is evicted, and the time of data stands still. */
#ifndef EXEC_BUSY_H
#define EXEC_BUSY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct engine;
struct executor;
struct session;

/* In the engine. */
struct busy {
    _Atomic uint32_t count;     /* of busy scripts and functions: a part of engine->holdups */
    _Atomic uint32_t functions; /* of these, functions */
    _Atomic uint32_t doomed;    /* of these, those that were killed and end presently */
    _Atomic int64_t now_ms;     /* at which the time of data stands still; 0: it goes on */
};

/* How many scripts run for longer than they should, and whether any does.  Any thread. */
static inline uint32_t busy_count(const struct busy *busy)
{
    return atomic_load_explicit(&busy->count, memory_order_relaxed);
}
static inline bool busy_any(const struct busy *busy)
{
    return __builtin_expect(busy_count(busy) != 0, 0);
}
static inline int64_t busy_now_ms(const struct busy *busy)
{
    return atomic_load_explicit(&busy->now_ms, memory_order_relaxed);
}

/* Whether none is left but those that end presently: commands wait for that. */
static inline bool busy_ends(const struct busy *busy)
{
    return atomic_load_explicit(&busy->doomed, memory_order_relaxed) >= busy_count(busy);
}

/* What a refused command is told: which kind of script it is. */
enum err busy_error(const struct busy *busy);

/* The script that 'executor' runs is busy, until the end. */
void busy_begin(struct executor *executor, bool is_function);
void busy_end(struct executor *executor, bool is_function, bool doomed);

/* One of them was killed.  Any thread. */
void busy_doom(struct busy *busy);

/* Between two steps of a busy script of the client 'running', which holds the exclusive section:
 * lends it. */
void busy_lend(struct executor *executor, struct session *running);

#endif
