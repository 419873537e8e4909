/* CL.THROTTLE, the interface of the redis-cell module: limits the rate of something, by the
 * generic cell rate algorithm.
 *
 * A key holds the time at which all that was let through will have been used up (in
 * nanoseconds; GCRA's theoretical arrival time), and ends then. */
#include "base/num.h"
#include "commands/families.h"
#include "exec/call.h"

enum { NS_PER_MS = 1000 * 1000, NS_PER_S = 1000 * 1000 * 1000 };

struct rate {
    int64_t limit;     /* at once */
    int64_t interval;  /* of one, nanoseconds */
    int64_t tolerance; /* of all at once */
    int64_t increment; /* of those that are asked for */
};

/* max_burst, count, period, quantity. */
static MUST_CHECK enum err read_rate(struct call *call, struct rate *rate)
{
    struct args *args = &call->args;
    int64_t burst = args_int_in(args, 0, INT64_MAX - 1, ERR_NOT_POSITIVE);
    int64_t count = args_int_in(args, 1, INT64_MAX, ERR_NOT_POSITIVE);
    int64_t period = args_int_in(args, 1, INT64_MAX, ERR_NOT_POSITIVE);
    int64_t quantity = args_left(args) > 0 ? args_int_in(args, 0, INT64_MAX, ERR_NOT_POSITIVE) : 1;
    int64_t whole;
    enum err err = args_end(args);
    if (err != OK) {
        return err;
    }
    rate->limit = burst + 1;
    if (__builtin_mul_overflow(period, (int64_t)NS_PER_S, &whole)) {
        return ERR_OUT_OF_RANGE;
    }
    rate->interval = whole / count > 0 ? whole / count : 1;
    if (__builtin_mul_overflow(rate->interval, rate->limit, &rate->tolerance) ||
        __builtin_mul_overflow(rate->interval, quantity, &rate->increment) ||
        rate->tolerance > INT64_MAX / 4 || rate->increment > INT64_MAX / 4) {
        return ERR_OUT_OF_RANGE;
    }
    return OK;
}

static MUST_CHECK enum err store(struct call *call, struct bytes key, int64_t arrival)
    REQUIRES(*call->keys)
{
    char number[NUM_INT_ROOM], end[NUM_INT_ROOM];
    int64_t at_ms = arrival / NS_PER_MS + (arrival % NS_PER_MS > 0);
    struct bytes argv[] = { LIT("SET"),
                            key,
                            { number, num_format_i64(number, arrival) },
                            LIT("PXAT"),
                            { end, num_format_i64(end, at_ms) } };
    enum err err =
        keyspace_set_string(call->keyspace, call->keys, key, argv[2], EXPIRY_REPLACE, at_ms);
    if (err == OK) {
        call_changed(call, key, "set");
        call_changed(call, key, "expire");
        call_propagate_as(call, argv, 5);
    }
    return err;
}

/* Whole seconds, never too few. */
static int64_t seconds(int64_t ns)
{
    return ns / NS_PER_S + (ns % NS_PER_S > 0);
}

static enum err throttle(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct rate rate;
    struct entry *entry;
    int64_t now = call->now_ms * NS_PER_MS, arrival = now, retry = -1;
    enum err err = read_rate(call, &rate);
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry != NULL && (!num_parse_i64(entry_string(entry), &arrival) || arrival < 0)) {
        return ERR_NOT_INT;
    }
    /* A value that another limit has left may be further away than this one ever gets. */
    arrival = arrival < now ? now : arrival > INT64_MAX / 2 ? INT64_MAX / 2 : arrival;
    int64_t next = arrival + rate.increment;
    bool limited = next - now > rate.tolerance;
    if (!limited && next > now && rate.increment > 0) {
        err = store(call, key, next);
    }
    if (err != OK) {
        return err;
    }
    if (limited && rate.increment <= rate.tolerance) {
        retry = seconds(next - now - rate.tolerance);
    }
    int64_t used = (limited ? arrival : next) - now;
    int64_t left = rate.tolerance > used ? (rate.tolerance - used) / rate.interval : 0;
    reply_array(call->reply, 5);
    reply_integer(call->reply, limited);
    reply_integer(call->reply, rate.limit);
    reply_integer(call->reply, left);
    reply_integer(call->reply, retry);
    reply_integer(call->reply, seconds(used));
    return OK;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "cl.throttle", .handler = throttle, .arity = -5, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "4.0.0", .complexity = "O(1)",
        .summary = "Limits a rate: count in period seconds, and max-burst more at once. Returns "
                   "whether it is passed, the limit, what is left, and the seconds until it may "
                   "be tried again (-1: now) and until all is there again.",
        .syntax = "key:key max-burst:integer count:integer period:integer [quantity:integer]",
    },
};
/* clang-format on */

const struct command_family cmd_throttle_family = { rows, sizeof rows / sizeof rows[0] };
