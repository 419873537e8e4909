/* Work that is due by time; see cron.h. */
#include "server/cron.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"
#include "exec/memory_limit.h"
#include "exec/pause.h"
#include "server/client_eviction.h"
#include "server/server.h"
#include "store/eviction.h"

enum {
    BURST_US = 500,         /* of work, before others get the processor */
    PAUSE_MS = 1,           /* after a burst that did not finish */
    SAMPLE_US = 100 * 1000, /* between two samples of the rates */
    TELL_US = 100 * 1000,   /* between two events about expired keys */
    LOOK_US = 100 * 1000,   /* between two looks for a client to close, when there was none */
    TRIM = 1000,            /* keys of client-side caching, in one burst */
};

bool cron_init(struct cron *cron, struct rln_server *server)
{
    memset(cron, 0, sizeof *cron);
    cron->server = server;
    int err = os_waker_open(&cron->waker);
    if (err != 0) {
        errno = err;
        return false;
    }
    if (!executor_init(&cron->executor, &server->engine)) {
        os_waker_close(&cron->waker);
        errno = ENOMEM;
        return false;
    }
    return true;
}

void cron_request_stop(struct cron *cron)
{
    atomic_store_explicit(&cron->stopping, true, memory_order_release);
    os_wake(&cron->waker);
}

void cron_wake_for_clients(struct cron *cron)
{
    if (!atomic_exchange_explicit(&cron->clients_too_large, true, memory_order_acq_rel)) {
        os_wake(&cron->waker);
    }
}

void cron_release(struct cron *cron)
{
    if (cron->started) {
        pthread_join(cron->thread, NULL);
        cron->started = false;
    }
    executor_release(&cron->executor);
    os_waker_close(&cron->waker);
}

/* Tells how many keys have expired, and how many were evicted, since the last time. */
static void tell_gone(struct cron *cron, int64_t now_us)
{
    struct rln_server *server = cron->server;
    if (now_us - cron->told_us < TELL_US) {
        return;
    }
    uint64_t expired = keyspace_expired(server->engine.keyspace);
    if (expired > cron->told_expired) {
        server_tell(server, (struct rln_event){
                                .type = RLN_EVENT_KEYS_EXPIRED,
                                .count = (int64_t)(expired - cron->told_expired),
                            });
        cron->told_us = now_us;
    }
    cron->told_expired = expired;
    uint64_t evicted = keyspace_evicted(server->engine.keyspace);
    if (evicted > cron->told_evicted) {
        server_tell(server, (struct rln_event){
                                .type = RLN_EVENT_KEYS_EVICTED,
                                .count = (int64_t)(evicted - cron->told_evicted),
                            });
        cron->told_us = now_us;
    }
    cron->told_evicted = evicted;
}

/* Writers evict for themselves; this is for when the limit was lowered.  True when there is more
 * to evict. */
static bool keep_limit(struct executor *executor)
{
    if (!memory_limit_passed(executor->engine) ||
        pause_lasts(executor->engine, executor->thread.now_ms)) {
        return false;
    }
    executor_enter(executor);
    bool kept = !busy_any(&executor->engine->busy) && memory_limit_keep(executor);
    executor_leave(executor);
    return kept && memory_limit_passed(executor->engine);
}

/* Closes the largest clients above maxmemory-clients; true when there is more to do.  While
 * nobody may be closed, the note of those who wake stays, so that they need not do it again. */
static bool keep_client_limit(struct cron *cron, int64_t now_us)
{
    struct rln_server *server = cron->server;
    if (now_us - cron->evicted_nobody_us < LOOK_US && cron->evicted_nobody_us != 0) {
        return false;
    }
    atomic_store_explicit(&cron->clients_too_large, false, memory_order_release);
    if (!net_clients_too_large(&server->net)) {
        cron->evicted_nobody_us = 0;
        return false;
    }
    bool any = client_eviction_run(&cron->executor, &server->net);
    if (!any) {
        cron->evicted_nobody_us = now_us;
        atomic_store_explicit(&cron->clients_too_large, true, memory_order_release);
    }
    return any;
}

/* One burst; returns the milliseconds until the next. */
static int64_t work(struct cron *cron)
{
    struct rln_server *server = cron->server;
    int64_t hz = atomic_load_explicit(&server->config.live.hz, memory_order_relaxed);
    if (atomic_load_explicit(&server->engine.settings.cron_paused, memory_order_relaxed)) {
        return LOOK_US / 1000;
    }
    int64_t now_us = clock_monotonic_us(&server->clock);
    cron->executor.thread.now_ms = clock_wall_ms(&server->clock);
    int64_t wait_ms = hz > 0 ? 1000 / hz : 100;
    if (!pause_lasts(&server->engine, cron->executor.thread.now_ms)) {
        wait_ms = keyspace_expire_due(&cron->executor.thread, BURST_US);
        tracking_broadcast(&cron->executor);
        latency_note(&server->engine.latency, LATENCY_EXPIRE_CYCLE, &server->clock,
                     clock_monotonic_us(&server->clock) - now_us);
    }
    if (blocking_pending(&server->engine.blocking) && !busy_any(&server->engine.busy)) {
        executor_enter(&cron->executor); /* Clients that waited for a key which is gone. */
        executor_leave(&cron->executor);
    }
    bool more = keyspace_background(&cron->executor.thread, BURST_US);
    more = keep_limit(&cron->executor) || more;
    more = keep_client_limit(cron, now_us) || more;
    more = tracking_trim(&cron->executor, TRIM) || more;
    if (now_us - cron->sampled_us >= SAMPLE_US) {
        cron->sampled_us = now_us;
        info_meter_sample(&server->meter, &server->engine);
    }
    tell_gone(cron, now_us);
    if (more || wait_ms <= 0) {
        return PAUSE_MS;
    }
    int64_t period = hz > 0 ? 1000 / hz : 100;
    return wait_ms < period ? wait_ms : period;
}

static void *run(void *argument)
{
    struct cron *cron = argument;
    while (!atomic_load_explicit(&cron->stopping, memory_order_acquire)) {
        int64_t wait_ms = work(cron);
        struct pollfd fd = { .fd = cron->waker.read_fd, .events = POLLIN };
        if (poll(&fd, 1, (int)wait_ms) > 0) {
            os_waker_drain(&cron->waker);
        }
    }
    return NULL;
}

int cron_start(struct cron *cron)
{
    int err = thread_start(&cron->thread, "rln-cron", run, cron);
    cron->started = err == 0;
    return err;
}
