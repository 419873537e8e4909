/* INCREX of Redis 8.8: adds to a number, within bounds, and sets its lifetime. */
#include <math.h>

#include "base/num.h"
#include "commands/families.h"
#include "commands/lifetime.h"

struct increx {
    bool by_float, saturate, only_without_end;
    bool has_step, has_lower, has_upper;
    struct bytes step, lower, upper; /* texts, integers unless 'by_float' */
    struct lifetime lifetime;
    int64_t at_ms;
};

static MUST_CHECK enum err read_options(struct call *call, struct increx *options)
{
    struct args *args = &call->args;
    while (args->err == OK && args_left(args) > 0) {
        if (!options->has_step && args_option_with(args, LIT("BYINT"), 1)) {
            options->has_step = true;
            options->step = args_next(args);
        } else if (!options->has_step && args_option_with(args, LIT("BYFLOAT"), 1)) {
            options->has_step = options->by_float = true;
            options->step = args_next(args);
        } else if (!options->has_lower && args_option_with(args, LIT("LBOUND"), 1)) {
            options->has_lower = true;
            options->lower = args_next(args);
        } else if (!options->has_upper && args_option_with(args, LIT("UBOUND"), 1)) {
            options->has_upper = true;
            options->upper = args_next(args);
        } else if (args_option(args, LIT("SATURATE"))) {
            options->saturate = true;
        } else if (args_option(args, LIT("ENX"))) {
            options->only_without_end = true;
        } else if (!lifetime_read_time(args, &options->lifetime) &&
                   !lifetime_read(args, LIFETIME_PERSIST, LIT("PERSIST"), &options->lifetime)) {
            args_unknown(args);
        }
    }
    if (options->only_without_end && !lifetime_has_time(&options->lifetime)) {
        args_unknown(args);
    }
    enum err err = args_end(args);
    return err == OK && lifetime_has_time(&options->lifetime)
               ? lifetime_end(call, &options->lifetime, &options->at_ms)
               : err;
}

static enum err refuse_bounds(struct call *call)
{
    reply_error(call->reply, LIT("ERR LBOUND can't be greater than UBOUND"));
    return ERR_REPLIED;
}

/* Stores the new number, with the end that the options say, and tells it as a SET. */
static MUST_CHECK enum err store(struct call *call, const struct increx *options,
                                 const struct entry *entry, struct bytes text) REQUIRES(*call->keys)
{
    char digits[NUM_INT_ROOM];
    struct bytes key = call_argument(call, 1);
    int64_t end = entry != NULL ? entry_expires_at(entry) : KEYSPACE_NO_EXPIRY;
    bool ended = end != KEYSPACE_NO_EXPIRY;
    bool sets_end = lifetime_has_time(&options->lifetime) && !(options->only_without_end && ended);
    end = sets_end                                     ? options->at_ms
          : options->lifetime.kind == LIFETIME_PERSIST ? KEYSPACE_NO_EXPIRY
                                                       : end;
    enum err err = keyspace_set_string(call->keyspace, call->keys, key, text, EXPIRY_REPLACE, end);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, options->by_float ? "incrbyfloat" : "incrby");
    if (sets_end) {
        call_changed(call, key, "expire");
    } else if (ended && end == KEYSPACE_NO_EXPIRY) {
        call_changed(call, key, "persist");
    }
    struct bytes argv[5] = { LIT("SET"), key, text, LIT("PXAT") };
    argv[4] = (struct bytes){ digits, num_format_i64(digits, end) };
    call_propagate_as(call, argv, end != KEYSPACE_NO_EXPIRY ? 5 : 3);
    return OK;
}

/* ---- Integers ---------------------------------------------------------------------------- */

static enum err add_integer(struct call *call, const struct increx *options, struct entry *entry)
    REQUIRES(*call->keys)
{
    int64_t value = 0, step = 1, lower = INT64_MIN, upper = INT64_MAX, sum, applied;
    if ((entry != NULL && !num_parse_i64(entry_string(entry), &value)) ||
        (options->has_step && !num_parse_i64(options->step, &step)) ||
        (options->has_lower && !num_parse_i64(options->lower, &lower)) ||
        (options->has_upper && !num_parse_i64(options->upper, &upper))) {
        return ERR_NOT_INT;
    }
    if (lower > upper) {
        return refuse_bounds(call);
    }
    bool over = __builtin_add_overflow(value, step, &sum);
    bool high = over ? step > 0 : sum > upper, low = over ? step < 0 : sum < lower;
    if (high || low) {
        sum = !options->saturate ? value : high ? upper : lower;
    }
    if (__builtin_sub_overflow(sum, value, &applied)) {
        applied = sum > value ? INT64_MAX : INT64_MIN;
    }
    if (options->saturate || (!high && !low)) {
        char digits[NUM_INT_ROOM];
        struct bytes text = { digits, num_format_i64(digits, sum) };
        enum err err = store(call, options, entry, text);
        if (err != OK) {
            return err;
        }
    }
    reply_array(call->reply, 2);
    reply_integer(call->reply, sum);
    reply_integer(call->reply, applied);
    return OK;
}

/* ---- Floating point ------------------------------------------------------------------------ */

static void reply_float(struct call *call, long double value)
{
    char digits[NUM_FLOAT_ROOM];
    reply_double_text(call->reply, (struct bytes){ digits, num_format_long_double(
                                                               digits, sizeof digits, value) });
}

static enum err add_float(struct call *call, const struct increx *options, struct entry *entry)
    REQUIRES(*call->keys)
{
    long double value = 0, step = 1, lower = -INFINITY, upper = INFINITY;
    if ((entry != NULL && !num_parse_long_double(entry_string(entry), &value)) ||
        (options->has_step && !num_parse_long_double(options->step, &step)) ||
        (options->has_lower && !num_parse_long_double(options->lower, &lower)) ||
        (options->has_upper && !num_parse_long_double(options->upper, &upper))) {
        return ERR_NOT_FLOAT;
    }
    if (lower > upper) {
        return refuse_bounds(call);
    }
    long double sum = value + step;
    bool high = sum > upper, low = sum < lower;
    if (high || low) {
        sum = !options->saturate ? value : high ? upper : lower;
    }
    if (isnan(sum) || isinf(sum)) {
        return ERR_NAN_OR_INFINITY;
    }
    if (options->saturate || (!high && !low)) {
        char digits[NUM_FLOAT_ROOM];
        struct bytes text = { digits, num_format_long_double(digits, sizeof digits, sum) };
        enum err err = store(call, options, entry, text);
        if (err != OK) {
            return err;
        }
    }
    reply_array(call->reply, 2);
    reply_float(call, sum);
    reply_float(call, sum - value);
    return OK;
}

static enum err increx(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct increx options = { .lifetime = { .kind = LIFETIME_NONE } };
    struct entry *entry;
    enum err err = read_options(call, &options);
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    }
    if (err != OK) {
        return err;
    }
    return options.by_float ? add_float(call, &options, entry) : add_integer(call, &options, entry);
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "increx", .handler = increx, .arity = -2, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "8.8.0", .complexity = "O(1)",
        .summary = "Adds to the number of a key, which may have bounds, and sets its lifetime. "
                   "Returns the number and what was added: 0 when a bound forbids it.",
        .syntax = "key:key [increment=<BYFLOAT float:double | BYINT integer:integer>] [SATURATE] "
                  "[LBOUND lowerbound:string] [UBOUND upperbound:string] "
                  "[expiration=<EX seconds:int | PX milliseconds:int | "
                  "EXAT unix-time-seconds:time | PXAT unix-time-milliseconds:time | PERSIST>] "
                  "[ENX]",
    },
};
/* clang-format on */

const struct command_family cmd_increx_family = { rows, sizeof rows / sizeof rows[0] };
