/* A load from its options to its result: see rln_bench.h. */
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/thread.h"
#include "bench/lane.h"
#include "rln_bench.h"

struct rln_load {
    struct lane_plan plan;
    struct lane *lanes;
    unsigned lane_count;
    struct sockaddr_storage address;
    char *password;
    struct histogram latencies; /* of all lanes, after the run */
    _Atomic bool running;
    _Atomic int64_t elapsed_ns;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct rln_load_error *error,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

static bool resolve(struct rln_load *load, const char *host, int port, struct rln_load_error *error)
{
    char service[16];
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    snprintf(service, sizeof service, "%d", port);
    int err = getaddrinfo(host, service, &hints, &found);
    if (err != 0 || found == NULL || found->ai_addrlen > sizeof load->address) {
        if (found != NULL) {
            freeaddrinfo(found);
        }
        return fail(error, "cannot resolve %.100s: %s", host, gai_strerror(err));
    }
    memcpy(&load->address, found->ai_addr, found->ai_addrlen);
    load->plan.address = (const struct sockaddr *)&load->address;
    load->plan.address_len = (unsigned)found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool check(const struct rln_load_options *options, struct rln_load_error *error)
{
    if (options->threads < 1 || options->threads > RLN_LOAD_THREADS_MAX ||
        options->connections < options->threads ||
        options->connections + options->idle_connections > RLN_LOAD_CONNECTIONS_MAX) {
        return fail(error,
                    "a load needs 1 to %d threads and at least as many connections, %d at most",
                    RLN_LOAD_THREADS_MAX, RLN_LOAD_CONNECTIONS_MAX);
    }
    if (options->pipeline < 1 || options->pipeline > RLN_LOAD_PIPELINE_MAX) {
        return fail(error, "the pipeline must be from 1 to %d", RLN_LOAD_PIPELINE_MAX);
    }
    if (options->duration_ms < 0 || options->duration_ms > RLN_LOAD_DURATION_MAX_MS) {
        return fail(error, "the duration must be from 0 to %d ms", RLN_LOAD_DURATION_MAX_MS);
    }
    if (!(options->rate >= 0) || options->rate > 1e8 || options->interval_ms < 0) {
        return fail(error, "the rate must be from 0 to 10^8 and the interval not negative");
    }
    return true;
}

static void make_plan(struct lane_plan *plan, const struct rln_load_options *options)
{
    int64_t duration_ms =
        options->duration_ms > 0 ? options->duration_ms : RLN_LOAD_DURATION_MAX_MS;
    int64_t interval_ms = options->interval_ms > 0 ? options->interval_ms : 100;
    int64_t count = duration_ms / interval_ms + 1;
    if (count > LANE_INTERVALS_MAX) {
        interval_ms = duration_ms / (LANE_INTERVALS_MAX - 1) + 1;
        count = duration_ms / interval_ms + 1;
    }
    plan->threads = options->threads;
    plan->pipeline = options->pipeline;
    plan->duration_ns = duration_ms * 1000000;
    plan->interval_ns = interval_ms * 1000000;
    plan->interval_count = (uint32_t)count;
    plan->rate = options->rate / options->threads;
}

/* The part of 'whole' that falls to one of 'lanes'. */
static uint64_t share(uint64_t whole, unsigned lanes, unsigned index)
{
    return whole / lanes + (index < whole % lanes ? 1 : 0);
}

static bool create_lanes(struct rln_load *load, const struct rln_load_options *options,
                         uint64_t seed)
{
    unsigned threads = options->threads;
    load->lanes = mem_zalloc(threads * sizeof *load->lanes);
    for (unsigned i = 0; i < threads; i++) {
        uint64_t quota = options->commands > 0 ? share(options->commands, threads, i) : UINT64_MAX;
        load->lane_count++;
        if (!lane_init(&load->lanes[i], &load->plan, i,
                       (uint32_t)share(options->connections, threads, i),
                       (uint32_t)share(options->idle_connections, threads, i), quota, seed)) {
            return false;
        }
    }
    return histogram_init(&load->latencies);
}

struct rln_load *rln_load_create(const struct rln_load_options *options,
                                 struct rln_load_error *error)
{
    if (!check(options, error)) {
        return NULL;
    }
    struct rln_load *load = mem_zalloc(sizeof *load);
    uint64_t seed = options->seed;
    if (seed == 0) {
        random_system(&seed, sizeof seed);
    }
    make_plan(&load->plan, options);
    if (!workload_init(&load->plan.workload, options, seed, error) ||
        !resolve(load, options->host, options->port, error)) {
        rln_load_destroy(load);
        return NULL;
    }
    if (options->password != NULL) {
        load->password = mem_strndup(options->password, strlen(options->password));
        load->plan.password = load->password;
    }
    if (!create_lanes(load, options, seed)) {
        fail(error, "out of memory");
        rln_load_destroy(load);
        return NULL;
    }
    return load;
}

void rln_load_destroy(struct rln_load *load)
{
    if (load == NULL) {
        return;
    }
    for (unsigned i = 0; i < load->lane_count; i++) {
        lane_release(&load->lanes[i]);
    }
    mem_free(load->lanes);
    workload_release(&load->plan.workload);
    histogram_release(&load->latencies);
    mem_free(load->password);
    mem_free(load);
}

/* ---- run ----------------------------------------------------------------------------- */

/* Why a lane has no connection, or NULL. */
static const struct lane *failed_lane(const struct rln_load *load)
{
    for (unsigned i = 0; i < load->lane_count; i++) {
        if (load->lanes[i].os_error != 0) {
            return &load->lanes[i];
        }
    }
    return NULL;
}

static void finish(struct rln_load *load, int64_t start_ns)
{
    int64_t last_ns = start_ns;
    for (unsigned i = 0; i < load->lane_count; i++) {
        struct lane *lane = &load->lanes[i];
        histogram_add(&load->latencies, &lane->latencies);
        last_ns = lane->last_reply_ns > last_ns ? lane->last_reply_ns : last_ns;
    }
    atomic_store(&load->elapsed_ns, last_ns - start_ns);
}

int rln_load_run(struct rln_load *load, struct rln_load_error *error)
{
    struct lane_plan *plan = &load->plan;
    unsigned started = 0, turn = 0;
    int err = 0;
    while (started < load->lane_count && err == 0) {
        struct lane *lane = &load->lanes[started];
        err = thread_start(&lane->thread, "rln-load", lane_run, lane);
        started += err == 0;
    }
    while (atomic_load_explicit(&plan->ready, memory_order_acquire) < started) {
        thread_pause(turn++);
    }
    const struct lane *failed = failed_lane(load);
    bool runs = err == 0 && failed == NULL;
    int64_t start_ns = lane_now_ns();
    atomic_store(&load->running, runs);
    atomic_store_explicit(&plan->start_ns, runs ? start_ns : -1, memory_order_release);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(load->lanes[i].thread, NULL);
    }
    if (runs) {
        finish(load, start_ns);
        atomic_store(&load->running, false);
        return 0;
    }
    if (failed != NULL && failed->os_error < 0) {
        fail(error, "the server refused the connection: %s", failed->first_error);
    } else {
        fail(error, "cannot connect: %s", os_error(failed != NULL ? failed->os_error : err).text);
    }
    return -1;
}

void rln_load_stop(struct rln_load *load)
{
    atomic_store(&load->plan.stop, true);
}

void rln_load_progress(struct rln_load *load, struct rln_load_progress *progress)
{
    int64_t start_ns = atomic_load(&load->plan.start_ns);
    memset(progress, 0, sizeof *progress);
    progress->running = atomic_load(&load->running);
    progress->elapsed_ns = !progress->running ? atomic_load(&load->elapsed_ns)
                           : start_ns > 0     ? lane_now_ns() - start_ns
                                              : 0;
    for (unsigned i = 0; i < load->lane_count; i++) {
        progress->replies += atomic_load_explicit(&load->lanes[i].replies, memory_order_relaxed);
        progress->errors += atomic_load_explicit(&load->lanes[i].errors, memory_order_relaxed);
    }
}

/* ---- result -------------------------------------------------------------------------- */

void rln_load_result(const struct rln_load *load, struct rln_load_result *result)
{
    memset(result, 0, sizeof *result);
    result->elapsed_ns = atomic_load(&load->elapsed_ns);
    result->interval_ms = load->plan.interval_ns / 1000000;
    result->interval_count = load->plan.interval_count;
    int64_t used = result->elapsed_ns / load->plan.interval_ns + 1;
    if (used < (int64_t)result->interval_count) {
        result->interval_count = (size_t)used;
    }
    for (unsigned i = 0; i < load->lane_count; i++) {
        const struct lane *lane = &load->lanes[i];
        result->sent += lane->sent;
        result->replies += atomic_load(&lane->replies);
        result->errors += atomic_load(&lane->errors);
        result->misses += lane->misses;
        result->bad_values += lane->bad_values;
        result->unfinished += lane->unfinished;
        result->lost_connections += lane->lost;
        result->bytes_out += lane->bytes_out;
        result->bytes_in += lane->bytes_in;
        if (result->first_error[0] == '\0') {
            memcpy(result->first_error, lane->first_error, sizeof result->first_error);
        }
    }
}

void rln_load_intervals(const struct rln_load *load, uint64_t *out)
{
    struct rln_load_result result;
    rln_load_result(load, &result);
    for (size_t n = 0; n < result.interval_count; n++) {
        out[n] = 0;
        for (unsigned i = 0; i < load->lane_count; i++) {
            out[n] += load->lanes[i].intervals[n];
        }
    }
}

size_t rln_load_latencies(const struct rln_load *load, size_t *cursor, uint64_t *values,
                          uint64_t *counts, size_t room)
{
    size_t count = 0;
    for (; *cursor < HISTOGRAM_BUCKETS && count < room; ++*cursor) {
        if (load->latencies.counts[*cursor] > 0) {
            values[count] = histogram_value(*cursor);
            counts[count++] = load->latencies.counts[*cursor];
        }
    }
    return count;
}
