/* The loop of a load thread.
 *
 * Closed loop: a connection that waits for nothing sends 'pipeline' commands in one write.
 * Open loop: commands fall due at fixed times and go to whichever connection has fewer than
 * 'pipeline' on their way; a command that has to wait keeps its due time, from which its
 * latency counts, so that a server that stalls cannot hide what the stall cost. */
#include "bench/lane.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

#define CONNECT_PATIENCE_MS 5000
#define NS_PER_MS           INT64_C(1000000)
/* How long replies are waited for after the end. */
#define PATIENCE_NS         (2000 * NS_PER_MS)
/* No command falls due more often; what a lane notes of commands it never sent is bounded. */
#define UNSENT_MAX          UINT64_C(100000000)

enum { EVENTS = 256 };

int64_t lane_now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

bool lane_init(struct lane *lane, struct lane_plan *plan, unsigned index, uint32_t link_count,
               uint32_t idle_count, uint64_t quota, uint64_t seed)
{
    memset(lane, 0, sizeof *lane);
    lane->plan = plan;
    lane->index = index;
    lane->link_count = link_count;
    lane->idle_count = idle_count;
    lane->quota = quota;
    key_walk_init(&lane->walk, seed, index, plan->threads);
    lane->links = mem_try_alloc((link_count + 1) * sizeof *lane->links);
    lane->idle = mem_try_alloc((idle_count + 1) * sizeof *lane->idle);
    lane->input = mem_try_alloc(LANE_READ);
    lane->intervals = mem_try_alloc(plan->interval_count * sizeof *lane->intervals);
    if (lane->links == NULL || lane->idle == NULL || lane->input == NULL ||
        lane->intervals == NULL || !histogram_init(&lane->latencies)) {
        lane->link_count = lane->idle_count = 0;
        return false;
    }
    memset(lane->intervals, 0, plan->interval_count * sizeof *lane->intervals);
    for (uint32_t i = 0; i < link_count; i++) {
        lane->links[i] = (struct link){ .fd = -1 };
    }
    for (uint32_t i = 0; i < idle_count; i++) {
        lane->idle[i] = (struct link){ .fd = -1 };
    }
    return true;
}

static void close_all(struct lane *lane)
{
    for (uint32_t i = 0; i < lane->link_count; i++) {
        link_close(&lane->links[i]);
    }
    for (uint32_t i = 0; i < lane->idle_count; i++) {
        link_close(&lane->idle[i]);
    }
}

void lane_release(struct lane *lane)
{
    close_all(lane);
    poller_destroy(lane->poller);
    histogram_release(&lane->latencies);
    mem_free(lane->links);
    mem_free(lane->idle);
    mem_free(lane->input);
    mem_free(lane->intervals);
}

/* ---- replies ------------------------------------------------------------------------- */

static void add(_Atomic uint64_t *counter, uint64_t count)
{
    /* One writer: no read-modify-write of the bus is needed. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

static void lose_link(struct lane *lane, uint32_t index)
{
    struct link *link = &lane->links[index];
    lane->unfinished += link->waiting;
    lane->lost++;
    lane->open_links--;
    poller_remove(lane->poller, index, link->fd);
    link_close(link);
}

static void note_reply(struct lane *lane, struct link *link, int64_t now_ns)
{
    struct sent sent = link_pop(link);
    const struct replies *replies = &link->replies;
    int64_t took = now_ns - sent.since_ns;
    histogram_record(&lane->latencies, took > 0 ? (uint64_t)took : 0);
    if (replies->kind == '-' || replies->kind == '!') {
        add(&lane->errors, 1);
        if (lane->first_error[0] == '\0' && replies->kind == '-') {
            snprintf(lane->first_error, sizeof lane->first_error, "%.*s", (int)replies->number,
                     replies->line);
        }
    } else if (replies->number < 0) {
        lane->misses++;
    } else if (lane->plan->workload.templates[sent.template].replies_value &&
               !workload_has_size(&lane->plan->workload, replies->number)) {
        lane->bad_values++;
    }
}

/* Reads what has come; false when the connection is lost. */
static bool read_link(struct lane *lane, struct link *link)
{
    ssize_t count;
    do {
        count = recv(link->fd, lane->input, LANE_READ, 0);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
    int64_t now_ns = lane_now_ns();
    struct bytes in = { lane->input, (size_t)count };
    uint64_t replies = 0;
    enum replies_status status;
    lane->bytes_in += (uint64_t)count;
    while ((status = replies_next(&link->replies, &in)) == REPLIES_ONE && link->waiting > 0) {
        note_reply(lane, link, now_ns);
        replies++;
    }
    if (replies > 0) {
        int64_t interval = (now_ns - lane->start_ns) / lane->plan->interval_ns;
        if (interval < lane->plan->interval_count) {
            lane->intervals[interval] += replies;
        }
        lane->last_reply_ns = now_ns;
        add(&lane->replies, replies);
    }
    return status == REPLIES_MORE; /* One reply too many is a broken stream too. */
}

/* ---- sending ------------------------------------------------------------------------- */

/* Sends what stands in the buffer; false when the connection is lost. */
static bool flush(struct lane *lane, uint32_t index)
{
    struct link *link = &lane->links[index];
    enum link_status status = link_flush(link, &lane->bytes_out);
    if (status == LINK_LOST) {
        return false;
    }
    if (link->blocked != (status == LINK_BLOCKED)) {
        link->blocked = status == LINK_BLOCKED;
        poller_want_write(lane->poller, index, link->fd, link->blocked);
    }
    return true;
}

/* Appends one command; false when memory is short. */
static bool write_command(struct lane *lane, struct link *link, int64_t since_ns)
{
    struct workload *workload = &lane->plan->workload;
    size_t template = workload_choose(workload, &lane->walk.dice);
    if (!workload_write(workload, template, &lane->walk, &link->out)) {
        return false;
    }
    link_push(link, since_ns, (uint32_t)template);
    lane->quota--;
    lane->sent++;
    return true;
}

/* Closed loop: the next commands of a connection whose last ones are all answered. */
static void send_batch(struct lane *lane, uint32_t index)
{
    struct link *link = &lane->links[index];
    int64_t now_ns = lane_now_ns();
    if (now_ns >= lane->end_ns) {
        lane->quota = 0;
    }
    for (unsigned i = 0; i < lane->plan->pipeline && lane->quota > 0; i++) {
        if (!write_command(lane, link, now_ns)) {
            lose_link(lane, index);
            return;
        }
    }
    if (!flush(lane, index)) {
        lose_link(lane, index);
    }
}

/* Open loop: an open connection that may take one more command, or NULL. */
static struct link *find_room(struct lane *lane)
{
    for (uint32_t i = 0; i < lane->link_count; i++) {
        struct link *link = &lane->links[lane->next_link];
        lane->next_link = lane->next_link + 1 < lane->link_count ? lane->next_link + 1 : 0;
        if (link->fd >= 0 && link->waiting < lane->plan->pipeline) {
            return link;
        }
    }
    return NULL;
}

static void move_due(struct lane *lane)
{
    double step = 1e9 / lane->plan->rate;
    lane->due_fraction += step - (double)lane->due_step_ns;
    lane->due_ns += lane->due_step_ns;
    if (lane->due_fraction >= 1) {
        lane->due_fraction -= 1;
        lane->due_ns++;
    }
}

/* Open loop: sends what is due. */
static void send_due(struct lane *lane)
{
    int64_t now_ns = lane_now_ns();
    struct link *link;
    while (lane->quota > 0 && lane->due_ns <= now_ns && (link = find_room(lane)) != NULL) {
        if (lane->due_ns >= lane->end_ns) {
            lane->quota = 0;
        } else if (write_command(lane, link, lane->due_ns)) {
            move_due(lane);
        } else {
            lane->quota = 0;
        }
    }
    for (uint32_t i = 0; i < lane->link_count; i++) {
        struct link *each = &lane->links[i];
        if (each->fd >= 0 && each->out.len > each->out_sent && !each->blocked && !flush(lane, i)) {
            lose_link(lane, i);
        }
    }
}

/* ---- the loop ------------------------------------------------------------------------ */

static bool waits_for_replies(const struct lane *lane)
{
    for (uint32_t i = 0; i < lane->link_count; i++) {
        if (lane->links[i].fd >= 0 && lane->links[i].waiting > 0) {
            return true;
        }
    }
    return false;
}

/* How long the poller may sleep.  Below a millisecond it does not: the lane spins, and sends
 * in time. */
static int sleep_ms(const struct lane *lane, int64_t now_ns)
{
    if (lane->plan->rate <= 0 || lane->quota == 0) {
        return 50;
    }
    int64_t left = lane->due_ns - now_ns;
    if (left <= 0) {
        return 1; /* All connections are full: a reply will wake the lane. */
    }
    return left / NS_PER_MS < 50 ? (int)(left / NS_PER_MS) : 50;
}

static void serve(struct lane *lane, const struct poller_event *event)
{
    struct link *link = &lane->links[event->index];
    bool fine = link->fd >= 0;
    if (fine && event->writable) {
        fine = flush(lane, event->index);
    }
    if (fine && event->readable) {
        fine = read_link(lane, link);
    }
    if (!fine) {
        if (link->fd >= 0) {
            lose_link(lane, event->index);
        }
    } else if (lane->plan->rate <= 0 && link->waiting == 0 && lane->quota > 0) {
        send_batch(lane, event->index);
    }
}

/* Commands that were due and never sent are as late as the end. */
static void note_unsent(struct lane *lane, int64_t now_ns)
{
    if (lane->plan->rate <= 0) {
        return;
    }
    uint64_t most = lane->quota < UNSENT_MAX ? lane->quota : UNSENT_MAX;
    for (uint64_t i = 0; i < most && lane->due_ns < lane->end_ns && lane->due_ns < now_ns; i++) {
        histogram_record(&lane->latencies, (uint64_t)(now_ns - lane->due_ns));
        lane->unfinished++;
        move_due(lane);
    }
}

/* The same for those that were sent and have no reply. */
static void note_unanswered(struct lane *lane, int64_t now_ns)
{
    for (uint32_t i = 0; i < lane->link_count; i++) {
        struct link *link = &lane->links[i];
        while (link->fd >= 0 && link->waiting > 0) {
            struct sent sent = link_pop(link);
            histogram_record(&lane->latencies, (uint64_t)(now_ns - sent.since_ns));
            lane->unfinished++;
        }
    }
}

static void run_loop(struct lane *lane)
{
    struct poller_event events[EVENTS];
    bool open_loop = lane->plan->rate > 0;
    bool stopped = false;
    int64_t now_ns = lane_now_ns();
    for (uint32_t i = 0; i < lane->link_count && !open_loop; i++) {
        if (lane->quota > 0 && lane->links[i].fd >= 0) {
            send_batch(lane, i);
        }
    }
    while (lane->open_links > 0) {
        now_ns = lane_now_ns();
        if (!stopped && atomic_load_explicit(&lane->plan->stop, memory_order_relaxed)) {
            stopped = true;
            lane->end_ns = now_ns;
        }
        if (now_ns >= lane->end_ns && (!open_loop || lane->due_ns >= lane->end_ns || stopped)) {
            lane->quota = 0;
        }
        if ((lane->quota == 0 && !waits_for_replies(lane)) || now_ns - lane->end_ns > PATIENCE_NS) {
            break;
        }
        if (open_loop && lane->quota > 0) {
            send_due(lane);
        }
        size_t count = poller_wait(lane->poller, events, EVENTS, sleep_ms(lane, now_ns));
        for (size_t i = 0; i < count; i++) {
            serve(lane, &events[i]);
        }
    }
    note_unsent(lane, now_ns);
    note_unanswered(lane, now_ns);
}

/* ---- start --------------------------------------------------------------------------- */

static bool open_link(struct lane *lane, struct link *link, uint32_t ring_room)
{
    const struct lane_plan *plan = lane->plan;
    int err = link_open(link, plan->address, plan->address_len, plan->password, ring_room,
                        CONNECT_PATIENCE_MS, lane->first_error, sizeof lane->first_error);
    if (err != 0) {
        link->fd = -1;
        lane->os_error = err;
    }
    return err == 0;
}

/* All or nothing. */
static bool connect_all(struct lane *lane)
{
    lane->poller = poller_create(lane->link_count);
    if (lane->poller == NULL) {
        lane->os_error = ENOMEM;
        return false;
    }
    for (uint32_t i = 0; i < lane->link_count; i++) {
        if (!open_link(lane, &lane->links[i], lane->plan->pipeline)) {
            return false;
        }
        if (!poller_add(lane->poller, i, lane->links[i].fd)) {
            lane->os_error = ENOSPC;
            return false;
        }
        lane->open_links++;
    }
    for (uint32_t i = 0; i < lane->idle_count; i++) {
        if (!open_link(lane, &lane->idle[i], 0)) {
            return false;
        }
    }
    return true;
}

void *lane_run(void *at)
{
    struct lane *lane = at;
    struct lane_plan *plan = lane->plan;
    (void)connect_all(lane);
    atomic_fetch_add_explicit(&plan->ready, 1, memory_order_release);
    unsigned turn = 0;
    while ((lane->start_ns = atomic_load_explicit(&plan->start_ns, memory_order_acquire)) == 0) {
        thread_pause(turn++);
    }
    if (lane->start_ns > 0) {
        lane->end_ns = lane->start_ns + plan->duration_ns;
        lane->last_reply_ns = lane->start_ns;
        if (plan->rate > 0) {
            /* Lanes take turns, so that the commands of all are evenly spread. */
            lane->due_step_ns = (int64_t)(1e9 / plan->rate);
            lane->due_ns =
                lane->start_ns + (int64_t)(1e9 / plan->rate * lane->index / plan->threads);
        }
        run_loop(lane);
    }
    /* Here, and not when its owner lets go of the load: the server is to see the end. */
    close_all(lane);
    return NULL;
}
