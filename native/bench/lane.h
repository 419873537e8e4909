/* A thread of the load generator with its connections, its dice and its counts.  Nothing
 * is shared between lanes but the workload's keys and the start signal; load.c adds the
 * counts up when all have ended. */
#ifndef BENCH_LANE_H
#define BENCH_LANE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bench/histogram.h"
#include "bench/link.h"
#include "bench/poller.h"
#include "bench/template.h"

enum { LANE_INTERVALS_MAX = 6000, LANE_READ = 256 * 1024 };

/* What all lanes of a load look at. */
struct lane_plan {
    struct workload workload;
    const struct sockaddr *address;
    unsigned address_len;
    const char *password;
    unsigned threads, pipeline;
    int64_t duration_ns, interval_ns;
    double rate; /* of one lane; 0: closed loop */
    uint32_t interval_count;
    _Atomic bool stop;
    _Atomic int64_t start_ns; /* monotonic; 0: not yet; negative: never */
    _Atomic uint32_t ready;   /* lanes that have connected or given up */
};

struct lane {
    struct lane_plan *plan;
    pthread_t thread;
    unsigned index;
    uint32_t link_count, open_links, idle_count;
    struct link *links;
    struct link *idle;
    struct poller *poller;
    struct key_walk walk;
    char *input;
    uint64_t quota;              /* commands still to be sent */
    int64_t due_ns, due_step_ns; /* open loop: the next command's time, and the way to the next */
    double due_fraction;         /* of a nanosecond, so that the rate is exact */
    uint32_t next_link;
    int64_t start_ns, end_ns, last_reply_ns;
    struct histogram latencies;
    uint64_t *intervals;
    uint64_t sent, misses, bad_values, unfinished, lost, bytes_out, bytes_in;
    _Atomic uint64_t replies, errors; /* read by others while it runs */
    int os_error;                     /* why it has no connection; 0 when it has */
    char first_error[160];
};

/* False when memory is short; release it then too. */
MUST_CHECK bool lane_init(struct lane *lane, struct lane_plan *plan, unsigned index,
                          uint32_t link_count, uint32_t idle_count, uint64_t quota, uint64_t seed);
void lane_release(struct lane *lane);

/* The thread: connects, waits for the start, runs to the end.  'lane' is a struct lane. */
void *lane_run(void *lane);

/* Nanoseconds of the monotonic clock. */
int64_t lane_now_ns(void);

#endif
