/* LATENCY: what exec/latency.c has noted of slow events, and how long calls of each command
 * took.  The texts of GRAPH and DOCTOR are latency_report.c. */
#include "base/mem.h"
#include "commands/families.h"
#include "exec/help.h"
#include "commands/latency_report.h"

static enum err latest(struct call *call)
{
    struct latency_monitor *monitor = &call->engine->latency;
    struct latency_series series;
    struct reply_mark begin = reply_begin_deferred(call->reply);
    size_t count = 0;
    for (unsigned i = 0; i < LATENCY_EVENTS; i++) {
        latency_read(monitor, (enum latency_event)i, &series);
        if (series.count > 0) {
            reply_array(call->reply, 4);
            reply_bytes(call->reply, latency_event_name((enum latency_event)i));
            reply_integer(call->reply, series.samples[series.count - 1].at_s);
            reply_integer(call->reply, series.samples[series.count - 1].ms);
            reply_integer(call->reply, series.max_ms);
            count++;
        }
    }
    reply_end_array(call->reply, begin, count);
    return OK;
}

static enum err history(struct call *call)
{
    enum latency_event event = latency_event_find(args_next(&call->args));
    struct latency_series series = { .count = 0 };
    if (event != LATENCY_EVENTS) {
        latency_read(&call->engine->latency, event, &series);
    }
    reply_array(call->reply, series.count);
    for (uint32_t i = 0; i < series.count; i++) {
        reply_array(call->reply, 2);
        reply_integer(call->reply, series.samples[i].at_s);
        reply_integer(call->reply, series.samples[i].ms);
    }
    return OK;
}

static enum err reset(struct call *call)
{
    struct latency_monitor *monitor = &call->engine->latency;
    int64_t forgotten = 0;
    for (unsigned i = 0; i < LATENCY_EVENTS && args_left(&call->args) == 0; i++) {
        forgotten += latency_forget(monitor, (enum latency_event)i);
    }
    while (args_left(&call->args) > 0) {
        enum latency_event event = latency_event_find(args_next(&call->args));
        forgotten += event != LATENCY_EVENTS && latency_forget(monitor, event);
    }
    reply_integer(call->reply, forgotten);
    return OK;
}

static enum err graph(struct call *call)
{
    struct bytes name = args_next(&call->args);
    enum latency_event event = latency_event_find(name);
    struct latency_series series = { .count = 0 };
    struct buf text = { 0 };
    if (event != LATENCY_EVENTS) {
        latency_read(&call->engine->latency, event, &series);
    }
    if (series.count == 0) {
        reply_errorf(call->reply, "ERR No samples available for event '%.*s'", (int)name.len,
                     name.at);
        return ERR_REPLIED;
    }
    latency_draw(name, &series, clock_wall_us(call->engine->clock) / 1000000, &text);
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static enum err doctor(struct call *call)
{
    struct buf text = { 0 };
    latency_diagnose(call->engine, &text);
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

/* ---- HISTOGRAM -------------------------------------------------------------------------- */

/* Redis's buckets: each ends at twice the one before, from 1,024 ns on, and is named by the
 * microseconds of the last nanosecond that its histogram takes for the same. */
enum { STEPS = 21, FIRST_STEP_BITS = 10, PRECISION_BITS = 7 };

static int64_t step_end_ns(unsigned step)
{
    int64_t begin = INT64_C(1) << (FIRST_STEP_BITS + step);
    return begin + (begin >> PRECISION_BITS) - 1;
}

/* Adds up the calls by Redis's buckets; returns the count of all. */
static uint64_t count_by_step(struct call *call, const struct command *command, uint64_t *steps)
{
    uint64_t buckets[LATENCY_BUCKETS], calls = 0;
    double ticks_per_ns = call->engine->ticks.per_us / 1000;
    unsigned step = 0;
    engine_command_latency(call->engine, command->derived.index, buckets);
    memset(steps, 0, STEPS * sizeof steps[0]);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        if (buckets[i] > 0) {
            double middle = (latency_bucket_begin(i) + latency_bucket_begin(i + 1)) / 2;
            while (step < STEPS - 1 && middle / ticks_per_ns > (double)step_end_ns(step)) {
                step++;
            }
            steps[step] += buckets[i];
            calls += buckets[i];
        }
    }
    return calls;
}

/* The command's entry of the reply; false when it was never called. */
static bool reply_histogram(struct call *call, const struct command *command)
{
    uint64_t steps[STEPS], sum = 0;
    uint64_t calls = count_by_step(call, command, steps);
    size_t told = 0;
    if (calls == 0 || !call->engine->settings.latency_tracking) {
        return false;
    }
    reply_bytes(call->reply, bytes_of(command->name));
    reply_map(call->reply, 2);
    reply_bytes(call->reply, LIT("calls"));
    reply_integer(call->reply, (int64_t)calls);
    reply_bytes(call->reply, LIT("histogram_usec"));
    struct reply_mark begin = reply_begin_deferred(call->reply);
    for (unsigned step = 0; step < STEPS; step++) {
        if (steps[step] > 0) {
            sum += steps[step];
            reply_integer(call->reply, step_end_ns(step) / 1000);
            reply_integer(call->reply, (int64_t)sum);
            told++;
        }
    }
    reply_end_map(call->reply, begin, told);
    return true;
}

static enum err histogram(struct call *call)
{
    const struct registry *registry = call->engine->registry;
    struct reply_mark begin = reply_begin_deferred(call->reply);
    bool all = args_left(&call->args) == 0;
    size_t told = 0;
    for (uint32_t i = 0; all && i < registry_count(registry); i++) {
        told += reply_histogram(call, registry_at(registry, i));
    }
    while (args_left(&call->args) > 0) {
        const struct command *named = registry_find_name(registry, args_next(&call->args));
        if (named == NULL) {
            continue;
        }
        told += reply_histogram(call, named);
        for (uint32_t i = 0; named->derived.container && i < registry_count(registry); i++) {
            const struct command *command = registry_at(registry, i);
            told += registry_parent(registry, command) == named && reply_histogram(call, command);
        }
    }
    reply_end_map(call->reply, begin, told);
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "DOCTOR",
        "    A report on what was slow, in words.",
        "GRAPH <event>",
        "    A picture of the samples of <event>.",
        "HISTOGRAM [<command> ...]",
        "    How many calls of these commands, or of all, took how many microseconds at most.",
        "HISTORY <event>",
        "    The samples of <event>: Unix time and milliseconds.",
        "LATEST",
        "    The newest sample of each event, with its Unix time and the longest ever.",
        "RESET [<event> ...]",
        "    Forgets the samples of these events, or of all.",
        NULL,
    };
    help_reply(call, "LATENCY", lines);
    return OK;
}

enum { ADMIN = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE };

static const char *const special_tips[] = { "nondeterministic_output", "request_policy:all_nodes",
                                            "response_policy:special", NULL };
static const char *const reset_tips[] = { "request_policy:all_nodes",
                                          "response_policy:all_succeeded", NULL };

#define ROW(subcommand, function, count, use)                                                      \
    .name = "latency|" subcommand, .handler = (function), .arity = (count), .group = GROUP_SERVER, \
    .flags = (use)

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "latency", .arity = -2, .group = GROUP_SERVER,
        .since = "2.8.13", .complexity = "Depends on subcommand.",
        .summary = "A container of commands about what was slow.",
    },
    {
        ROW("doctor", doctor, 2, ADMIN), .since = "2.8.13", .complexity = "O(1)",
        .summary = "Returns a report on what was slow, in words.", .tips = special_tips,
    },
    {
        ROW("graph", graph, 3, ADMIN), .since = "2.8.13", .complexity = "O(1)",
        .summary = "Returns a picture of the latency of an event.",
        .syntax = "event:string", .tips = special_tips,
    },
    {
        ROW("help", help, 2, CMD_LOADING | CMD_STALE), .since = "2.8.13", .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        ROW("histogram", histogram, -2, ADMIN), .since = "7.0.0",
        .complexity = "O(N) where N is the number of commands that are told about",
        .summary = "Returns how long calls of commands took.",
        .syntax = "[command:string...]", .tips = special_tips,
    },
    {
        ROW("history", history, 3, ADMIN), .since = "2.8.13", .complexity = "O(1)",
        .summary = "Returns the samples of an event.",
        .syntax = "event:string", .tips = special_tips,
    },
    {
        ROW("latest", latest, 2, ADMIN), .since = "2.8.13", .complexity = "O(1)",
        .summary = "Returns the newest sample of each event.", .tips = special_tips,
    },
    {
        ROW("reset", reset, -2, ADMIN), .since = "2.8.13", .complexity = "O(1)",
        .summary = "Forgets the samples of events.",
        .syntax = "[event:string...]", .tips = reset_tips,
    },
};
/* clang-format on */

const struct command_family cmd_latency_family = { rows, sizeof rows / sizeof rows[0] };
