/* LATENCY GRAPH and DOCTOR; see latency_report.h. */
#include "commands/latency_report.h"

#include <inttypes.h>

enum { COLUMNS = 80, ROWS = 4, AGE_ROOM = 16 };

/* "12s", "3m", "2h", "1d": how long ago. */
static size_t format_age(char *out, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        char unit;
    } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
    size_t unit = 0;
    while (unit < 3 && seconds < units[unit].seconds) {
        unit++;
    }
    int64_t count = seconds > 0 ? seconds / units[unit].seconds : 0;
    char digits[AGE_ROOM];
    size_t len = 0, at = 0;
    do {
        digits[len++] = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0 && len < sizeof digits - 1);
    while (len > 0) {
        out[at++] = digits[--len];
    }
    out[at++] = units[unit].unit;
    return at;
}

/* The sign at a height of a column: filled below its top, which has three steps in a row. */
static char sign_at(const struct latency_sample *sample, int64_t low, int64_t high, int row)
{
    enum { STEPS = 3 };
    int64_t range = high > low ? high - low : 1;
    int64_t height = (sample->ms - low) * (ROWS * STEPS - 1) / range;
    int64_t base = (int64_t)row * STEPS;
    return height >= base + STEPS ? '|' : height >= base ? "_o#"[height - base] : ' ';
}

void latency_draw(struct bytes name, const struct latency_series *series, int64_t now_s,
                  struct buf *out)
{
    uint32_t first = series->count > COLUMNS ? series->count - COLUMNS : 0;
    int64_t low = INT64_MAX, high = 0;
    size_t longest = 0;
    for (uint32_t i = first; i < series->count; i++) {
        char age[AGE_ROOM + 1];
        size_t len = format_age(age, now_s - series->samples[i].at_s);
        low = series->samples[i].ms < low ? series->samples[i].ms : low;
        high = series->samples[i].ms > high ? series->samples[i].ms : high;
        longest = len > longest ? len : longest;
    }
    buf_append(out, name);
    buf_printf(out,
               " - high %" PRId64 " ms, low %" PRId64 " ms (all time high %" PRId64 " ms)\n"
               "----------------------------------------"
               "----------------------------------------\n",
               high, low, series->max_ms);
    for (int row = ROWS - 1; row >= 0; row--) {
        for (uint32_t i = first; i < series->count; i++) {
            buf_append_char(out, sign_at(&series->samples[i], low, high, row));
        }
        buf_append_char(out, '\n');
    }
    for (size_t line = 0; line <= longest; line++) {
        for (uint32_t i = first; i < series->count; i++) {
            char age[AGE_ROOM + 1];
            size_t len = format_age(age, now_s - series->samples[i].at_s);
            buf_append_char(out, line > 0 && line <= len ? age[line - 1] : ' ');
        }
        buf_append_char(out, '\n');
    }
}

/* ---- DOCTOR ------------------------------------------------------------------------------ */

/* Mean and mean deviation of a series with at least one sample. */
static void describe(unsigned number, struct bytes name, const struct latency_series *series,
                     struct buf *out)
{
    double mean = 0, deviation = 0;
    for (uint32_t i = 0; i < series->count; i++) {
        mean += (double)series->samples[i].ms / series->count;
    }
    for (uint32_t i = 0; i < series->count; i++) {
        double distance = (double)series->samples[i].ms - mean;
        deviation += (distance < 0 ? -distance : distance) / series->count;
    }
    int64_t span = series->samples[series->count - 1].at_s - series->samples[0].at_s;
    buf_printf(out, "%u. ", number);
    buf_append(out, name);
    buf_printf(out,
               ": %u slow seconds (average %.0f ms, mean deviation %.0f ms, one in %.1f s), the "
               "longest ever %" PRId64 " ms.\n",
               series->count, mean, deviation,
               series->count > 1 ? (double)span / (series->count - 1) : 0.0, series->max_ms);
}

static const char *const advice[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "- SLOWLOG GET names the commands that took long. Their cost grows with "
                        "the elements they touch: prefer the SCAN family, and ranges.\n",
    [LATENCY_FAST_COMMAND] = "- Commands that take constant time were slow, so the processor was "
                             "not there for them: look for other processes, swapping and virtual "
                             "machines that wait for the host.\n",
    [LATENCY_EXPIRE_CYCLE] = "- Removing expired keys took long: large values expire; see "
                             "lazyfree-lazy-expire.\n",
    [LATENCY_EVICTION_CYCLE] = "- Evicting keys took long: see lazyfree-lazy-eviction, "
                               "maxmemory-samples, and whether maxmemory fits the load.\n",
};

void latency_diagnose(struct engine *engine, struct buf *out)
{
    struct latency_series series;
    unsigned count = 0;
    bool known[LATENCY_EVENTS];
    if (atomic_load_explicit(&engine->latency.threshold_ms, memory_order_relaxed) == 0) {
        buf_append(out, LIT("The latency monitor is off. CONFIG SET latency-monitor-threshold "
                            "<milliseconds> switches it on.\n"));
        return;
    }
    for (unsigned i = 0; i < LATENCY_EVENTS; i++) {
        latency_read(&engine->latency, (enum latency_event)i, &series);
        known[i] = series.count > 0;
        if (known[i]) {
            describe(++count, latency_event_name((enum latency_event)i), &series, out);
        }
    }
    if (count == 0) {
        buf_append(out, LIT("Nothing was slow: no event has reached the threshold.\n"));
        return;
    }
    buf_append(out, LIT("\nAdvice:\n\n"));
    for (unsigned i = 0; i < LATENCY_EVENTS; i++) {
        if (known[i]) {
            buf_append(out, bytes_of(advice[i]));
        }
    }
}
