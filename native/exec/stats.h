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
    X(evicted_clients)                                                                             \
    X(output_buffer_limit)                                                                         \
    X(dirty)                                                                                       \
    X(denied_memory)                                                                               \
    X(acl_denied_auth)                                                                             \
    X(acl_denied_command)                                                                          \
    X(acl_denied_key)                                                                              \
    X(acl_denied_channel)

struct stats {
#define X(name) _Atomic uint64_t name;
    STATS_LIST(X)
#undef X
};

/* Of one command on one thread; INFO commandstats.  How often it was called is the sum of its
 * latencies. */
struct command_stats {
    _Atomic uint64_t ticks, rejected, failed;
};

/* How long the calls of one command on one thread took: a bucket for each quarter of a doubling
 * of ticks.  A single-precision number has exactly the bits that name the bucket on top. */
enum { LATENCY_BUCKETS = 256 };
struct command_latency {
    _Atomic uint64_t buckets[LATENCY_BUCKETS];
};

/* The bucket of a time: two bits behind its highest one tell it, so that a bucket is a quarter of
 * a power of two wide. */
static inline unsigned latency_bucket(uint64_t ticks)
{
    enum { MANTISSA_BITS_LEFT_OUT = 21, BITS_OF_ONE = 0x3f800000 };
    union {
        float number;
        uint32_t bits;
    } time = { .number = (float)(int64_t)(ticks | 1) };
    return (time.bits >> MANTISSA_BITS_LEFT_OUT) - (BITS_OF_ONE >> MANTISSA_BITS_LEFT_OUT);
}

/* The ticks with which a bucket begins; LATENCY_BUCKETS is fine too. */
static inline double latency_bucket_begin(unsigned bucket)
{
    return (double)(UINT64_C(1) << (bucket / 4 % 64)) * (1 + (double)(bucket % 4) / 4);
}

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

#endif
