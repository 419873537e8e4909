/* The load generator behind `redis-lite-native bench`: sends commands to any RESP server
 * from threads of its own and measures how long each reply took.  It knows nothing of the
 * server beside it; the two share native/base only.
 *
 *     struct rln_load *load = rln_load_create(&options, &error);
 *     rln_load_run(load);                      one thread; others may watch or stop
 *     rln_load_result(load, &result);
 *     rln_load_destroy(load);
 *
 * Like the server it is a guest: it never prints or exits and has no mutable globals. */
#ifndef RLN_BENCH_H
#define RLN_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rln_load;

enum {
    RLN_LOAD_THREADS_MAX = 64,
    RLN_LOAD_CONNECTIONS_MAX = 50000,
    RLN_LOAD_PIPELINE_MAX = 4096,
    RLN_LOAD_DURATION_MAX_MS = 600000,
    RLN_LOAD_VALUE_MAX = 16 * 1024 * 1024,
};

/* How the keys of successive commands follow each other. */
enum rln_load_keys {
    RLN_LOAD_KEYS_UNIFORM,
    RLN_LOAD_KEYS_ZIPFIAN,    /* as YCSB: some are hot, and the hot ones lie scattered */
    RLN_LOAD_KEYS_LATEST,     /* as YCSB: the newest are hot */
    RLN_LOAD_KEYS_SEQUENTIAL, /* 0, 1, 2, ... over all threads together, then again */
};

/* Value sizes: uniform from 'min' to 'max' bytes, chosen with 'weight' among the list. */
struct rln_load_size {
    uint32_t min, max;
    double weight;
};

/* One kind of command, chosen with 'weight' among the list.  Words are terminated; in them
 *   __key__       "key:" and the twelve digits of a key chosen by 'keys'
 *   __id__        the twelve digits alone
 *   __next_key__  the key after the last one of the same command
 *   __new_key__   a key beyond all keys so far, which 'latest' will then prefer
 *   __rand_int__  twelve digits, uniform over the keys
 *   __value__     a value; a word of its own */
struct rln_load_command {
    const char *const *words;
    size_t word_count;
    double weight;
    bool as_line;       /* sent as an inline command */
    bool replies_value; /* a bulk reply must have a size that a value can have */
};

struct rln_load_options {
    const char *host; /* name or address */
    int port;
    const char *password; /* AUTH before anything else; NULL for none */
    unsigned threads, connections, pipeline;
    unsigned idle_connections; /* opened beside them and left alone */
    uint64_t commands;         /* 0: as many as the duration allows */
    int64_t duration_ms;       /* 0: RLN_LOAD_DURATION_MAX_MS */
    /* Commands a second over all connections.  0 is a closed loop: each connection sends
     * 'pipeline' commands and the next ones when all are answered.  Otherwise commands are
     * due at fixed times, and latency counts from that time, however late they are sent. */
    double rate;
    enum rln_load_keys keys;
    uint64_t key_count;
    double zipf_theta; /* 0: YCSB's 0.99 */
    const struct rln_load_size *sizes;
    size_t size_count;
    const struct rln_load_command *templates;
    size_t template_count;
    int64_t interval_ms; /* of the throughput series; 0: 100 */
    uint64_t seed;       /* 0: from the system */
};

struct rln_load_error {
    char text[256]; /* one sentence, terminated */
};

/* What has happened so far; exact once rln_load_run() has returned. */
struct rln_load_progress {
    uint64_t replies, errors;
    int64_t elapsed_ns;
    bool running;
};

struct rln_load_result {
    uint64_t sent, replies;
    uint64_t errors;     /* error replies */
    uint64_t misses;     /* null replies */
    uint64_t bad_values; /* values of a size that no command has stored */
    uint64_t unfinished; /* due or sent, but without a reply when patience ended */
    uint64_t lost_connections;
    uint64_t bytes_out, bytes_in;
    int64_t elapsed_ns; /* from the first command to the last reply */
    int64_t interval_ms;
    size_t interval_count;
    char first_error[160]; /* the first error reply, or why connections failed; or empty */
};

/* Copies the options.  NULL with '*error' filled when they make no sense or memory is
 * short. */
struct rln_load *rln_load_create(const struct rln_load_options *options,
                                 struct rln_load_error *error);

/* Connects, runs the load to its end and joins the threads.  Once per load.  Returns 0, or
 * -1 with '*error' filled when no connection could be made. */
int rln_load_run(struct rln_load *load, struct rln_load_error *error);

/* Any thread, while rln_load_run() runs and after it. */
void rln_load_progress(struct rln_load *load, struct rln_load_progress *progress);
/* Any thread: no further command is sent, and rln_load_run() returns soon. */
void rln_load_stop(struct rln_load *load);

/* After rln_load_run(). */
void rln_load_result(const struct rln_load *load, struct rln_load_result *result);
/* Replies that came in each interval; 'out' has room for interval_count numbers. */
void rln_load_intervals(const struct rln_load *load, uint64_t *out);
/* Latencies in nanoseconds as an HdrHistogram of three significant digits: up to 'room'
 * buckets that are not empty, as the bucket's lowest value and its count, in ascending
 * order from bucket '*cursor' on, which starts at 0 and moves.  0 at the end. */
size_t rln_load_latencies(const struct rln_load *load, size_t *cursor, uint64_t *values,
                          uint64_t *counts, size_t room);

/* Not while rln_load_run() runs.  NULL is fine. */
void rln_load_destroy(struct rln_load *load);

#ifdef __cplusplus
}
#endif
#endif
