/* Always-on statistics.  Each executing thread writes its own; readers add them up. No
 * line is written by two threads. */
#ifndef EXEC_STATS_H
#define EXEC_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"

/* A counter with one writer: a plain add, that others may read at any time. */
static inline void stat_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}
static inline uint64_t stat_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#define STATS_LIST(X)                                                                              \
    X(commands)                                                                                    \
    X(connections)                                                                                 \
    X(rejected_connections)                                                                        \
    X(net_in)                                                                                      \
    X(net_out)                                                                                     \
    X(keyspace_hits)                                                                               \
    X(keyspace_misses)                                                                             \
    X(error_replies)                                                                               \
    X(unexpected_errors)                                                                           \
    X(protocol_errors)                                                                             \
    X(reads)                                                                                       \
    X(writes)                                                                                      \
    X(steps)                                                                                       \
    X(client_disconnects)                                                                          \
    X(query_buffer_limit)                                                                          \
    X(output_buffer_limit)                                                                         \
    X(dirty)                                                                                       \
    X(denied_memory)                                                                               \
    X(acl_denied_auth)

struct stats {
#define X(name) _Atomic uint64_t name;
    STATS_LIST(X)
#undef X
};

/* Of one command on one thread; INFO commandstats. */
struct command_stats {
    _Atomic uint64_t calls, ticks, rejected, failed;
};

/* Counts of error replies by their first word, "ERR" "WRONGTYPE" ...; INFO errorstats.  At
 * most ERROR_KINDS per thread; more go to "ERR". */
enum { ERROR_KINDS = 32, ERROR_KIND_LEN = 24 };
struct error_stats {
    struct {
        char word[ERROR_KIND_LEN]; /* set once, then published by 'count' of kinds */
        _Atomic uint64_t count;
    } kinds[ERROR_KINDS];
    _Atomic uint32_t used;
};

/* Log-scale histogram of a command's latency could stand here; see LATENCY HISTOGRAM. */

#endif
