/* Strings as numbers: INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT. */
#include <math.h>

#include "base/num.h"
#include "commands/families.h"
#include "commands/lookup.h"

/* Adds 'step' to the integer of the command's key, which counts from 0. */
static MUST_CHECK enum err add(struct call *call, int64_t step) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    if (err != OK) {
        return err;
    }
    int64_t value = 0;
    if (entry != NULL && !num_parse_i64(entry_string(entry), &value)) {
        return ERR_NOT_INT;
    }
    if (__builtin_add_overflow(value, step, &value)) {
        return ERR_OVERFLOW;
    }
    err = keyspace_set_counter(call->keyspace, call->keys, key, entry, value);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "incrby");
    reply_integer(call->reply, value);
    return OK;
}

static enum err incr(struct call *call) REQUIRES(*call->keys)
{
    return add(call, 1);
}

static enum err decr(struct call *call) REQUIRES(*call->keys)
{
    return add(call, -1);
}

static enum err incrby(struct call *call) REQUIRES(*call->keys)
{
    int64_t step;
    if (!num_parse_i64(call_argument(call, 2), &step)) {
        return ERR_NOT_INT;
    }
    return add(call, step);
}

static enum err decrby(struct call *call) REQUIRES(*call->keys)
{
    int64_t step;
    if (!num_parse_i64(call_argument(call, 2), &step)) {
        return ERR_NOT_INT;
    }
    if (step == INT64_MIN) {
        return ERR_DECREMENT_OVERFLOW;
    }
    return add(call, -step);
}

static enum err incrbyfloat(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    if (err != OK) {
        return err;
    }
    long double value = 0, step;
    if ((entry != NULL && !num_parse_long_double(entry_string(entry), &value)) ||
        !num_parse_long_double(call_argument(call, 2), &step)) {
        return ERR_NOT_FLOAT;
    }
    value += step;
    if (isnan(value) || isinf(value)) {
        return ERR_NAN_OR_INFINITY;
    }
    char digits[NUM_FLOAT_ROOM];
    struct bytes text = { digits, num_format_long_double(digits, sizeof digits, value) };
    err =
        keyspace_set_string(call->keyspace, call->keys, key, text, EXPIRY_KEEP, KEYSPACE_NO_EXPIRY);
    if (err != OK) {
        return err;
    }
    /* A sum that happens to be whole is still reported as text by OBJECT ENCODING. */
    entry = keyspace_peek(call->keyspace, call->keys, key);
    if (entry != NULL && entry->encoding == ENCODING_INT) {
        entry->encoding = ENCODING_EMBSTR;
    }
    call_changed(call, key, "incrbyfloat");
    /* Replicas and files get the sum: their floating point might add differently. */
    struct bytes argv[4] = { LIT("SET"), key, text, LIT("KEEPTTL") };
    call_propagate_as(call, argv, 4);
    reply_bytes(call->reply, text);
    return OK;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "incr", .handler = incr, .arity = 2, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Adds one to the integer of a key; a missing key counts as 0.",
        .syntax = "key:key",
    },
    {
        .name = "decr", .handler = decr, .arity = 2, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Takes one from the integer of a key; a missing key counts as 0.",
        .syntax = "key:key",
    },
    {
        .name = "incrby", .handler = incrby, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Adds a number to the integer of a key; a missing key counts as 0.",
        .syntax = "key:key increment:int",
    },
    {
        .name = "decrby", .handler = decrby, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Takes a number from the integer of a key; a missing key counts as 0.",
        .syntax = "key:key decrement:int",
    },
    {
        .name = "incrbyfloat", .handler = incrbyfloat, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "2.6.0", .complexity = "O(1)",
        .summary = "Adds a floating-point number to the number of a key.",
        .syntax = "key:key increment:double",
    },
};
/* clang-format on */

const struct command_family cmd_counter_family = { rows, sizeof rows / sizeof rows[0] };
