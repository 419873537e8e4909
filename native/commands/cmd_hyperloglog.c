/* HyperLogLog: PFADD, PFCOUNT, PFMERGE, and the two for tests of servers, PFDEBUG and
 * PFSELFTEST.  What the bytes mean is in store/hyperloglog.h. */
#include "store/hyperloglog.h"

#include "commands/families.h"
#include "commands/lookup.h"
#include "store/value.h"

static enum err refuse_corrupt(struct call *call)
{
    reply_error(call->reply, LIT("INVALIDOBJ Corrupted HLL object detected"));
    return ERR_REPLIED;
}

static enum err failure(struct call *call, enum hll_change change)
{
    return change == HLL_NO_MEMORY ? ERR_OUT_OF_MEMORY : refuse_corrupt(call);
}

/* Finds the value of a key that holds a HyperLogLog; no bytes for no key. */
static MUST_CHECK enum err find_value(struct call *call, struct bytes key, bool counted,
                                      struct bytes *value) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = counted ? lookup_string(call, key, &entry)
                           : keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    *value = LIT("");
    if (err == OK && entry != NULL) {
        *value = entry_string(entry);
        if (!hll_is(*value)) {
            reply_error(call->reply, LIT("WRONGTYPE Key is not a valid HyperLogLog string value."));
            return ERR_REPLIED;
        }
    }
    return err;
}

static MUST_CHECK enum err begin(struct call *call, struct bytes value, struct hll *hll)
{
    uint64_t sparse_max = atomic_load_explicit(
        &keyspace_limits(call->keyspace)->hll_sparse_max_bytes, memory_order_relaxed);
    return hll_init(hll, value, sparse_max) ? OK : ERR_OUT_OF_MEMORY;
}

/* Makes the key hold the changed value. */
static MUST_CHECK enum err store(struct call *call, struct bytes key, const struct hll *hll)
    REQUIRES(*call->keys)
{
    char *at;
    enum err err = keyspace_resize_string(call->keyspace, call->keys, key, hll->len, &at);
    if (err == OK) {
        memcpy(at, hll->at, hll->len);
    }
    return err;
}

static enum err pfadd(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), value;
    struct hll hll;
    enum err err = find_value(call, key, false, &value);
    if (err == OK) {
        err = begin(call, value, &hll);
    }
    if (err != OK) {
        return err;
    }
    bool changed = value.len == 0;
    for (uint32_t i = 2; i < call->args.argc && err == OK; i++) {
        uint32_t index;
        unsigned to = hll_place(call_argument(call, i), &index);
        enum hll_change change = hll_raise(&hll, index, to);
        if (change > HLL_CHANGED) {
            err = failure(call, change);
        }
        changed = changed || change == HLL_CHANGED;
    }
    if (err == OK && changed) {
        hll_invalidate(&hll);
        err = store(call, key, &hll);
        if (err == OK) {
            call_changed(call, key, "pfadd");
        }
    }
    hll_release(&hll);
    if (err == OK) {
        reply_integer(call->reply, changed);
    }
    return err;
}

/* Of one key: the count is kept with the value. */
static MUST_CHECK enum err count_one(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), value;
    uint64_t count = 0;
    enum err err = find_value(call, key, true, &value);
    if (err != OK) {
        return err;
    }
    if (value.len > 0 && !hll_cached(value, &count)) {
        if (!hll_count(value, &count)) {
            return refuse_corrupt(call);
        }
        char *at;
        err = keyspace_resize_string(call->keyspace, call->keys, key, value.len, &at);
        if (err != OK) {
            return err;
        }
        hll_write_cached(at, count);
        call_changed(call, key, NULL);
    }
    reply_integer(call->reply, (int64_t)count);
    return OK;
}

/* Merges the values of the keys from argument 1 on; '*dense' when one of them is dense. */
static MUST_CHECK enum err merge_keys(struct call *call, uint8_t *registers, bool *dense)
    REQUIRES(*call->keys)
{
    memset(registers, 0, HLL_REGISTERS);
    *dense = false;
    for (uint32_t i = 1; i < call->args.argc; i++) {
        struct bytes value;
        enum err err = find_value(call, call_argument(call, i), true, &value);
        if (err != OK) {
            return err;
        }
        if (value.len > 0) {
            if (!hll_merge(registers, value)) {
                return refuse_corrupt(call);
            }
            *dense = *dense || hll_is_dense(value);
        }
    }
    return OK;
}

static enum err pfcount(struct call *call) REQUIRES(*call->keys)
{
    if (call->args.argc == 2) {
        return count_one(call);
    }
    uint8_t registers[HLL_REGISTERS];
    bool dense;
    enum err err = merge_keys(call, registers, &dense);
    if (err == OK) {
        reply_integer(call->reply, (int64_t)hll_count_registers(registers));
    }
    return err;
}

static enum err pfmerge(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), value;
    uint8_t registers[HLL_REGISTERS];
    struct hll hll;
    bool dense;
    enum err err = merge_keys(call, registers, &dense);
    if (err == OK) {
        err = find_value(call, key, false, &value);
    }
    if (err == OK) {
        err = begin(call, value, &hll);
    }
    if (err != OK) {
        return err;
    }
    enum hll_change change = dense ? hll_make_dense(&hll) : HLL_SAME;
    for (uint32_t i = 0; i < HLL_REGISTERS && change <= HLL_CHANGED; i++) {
        if (registers[i] > 0) {
            change = hll_raise(&hll, i, registers[i]);
        }
    }
    if (change > HLL_CHANGED) {
        err = failure(call, change);
    } else {
        hll_invalidate(&hll);
        err = store(call, key, &hll);
    }
    hll_release(&hll);
    if (err == OK) {
        call_changed(call, key, "pfadd");
        reply_ok(call->reply);
    }
    return err;
}

/* ---- PFDEBUG ------------------------------------------------------------------------------ */

/* Makes the key's value dense; '*changed' tells whether it was not. */
static MUST_CHECK enum err make_dense(struct call *call, struct bytes value, bool *changed)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 2);
    struct hll hll;
    enum err err = begin(call, value, &hll);
    if (err != OK) {
        return err;
    }
    enum hll_change change = hll_make_dense(&hll);
    *changed = change == HLL_CHANGED;
    if (change == HLL_CORRUPT) {
        err = refuse_corrupt(call);
    } else if (*changed) {
        err = store(call, key, &hll);
        if (err == OK) {
            call_changed(call, key, NULL);
        }
    }
    hll_release(&hll);
    return err;
}

static enum err debug_registers(struct call *call, struct bytes value) REQUIRES(*call->keys)
{
    uint8_t registers[HLL_REGISTERS] = { 0 };
    bool changed;
    enum err err = make_dense(call, value, &changed);
    if (err == OK) {
        err = find_value(call, call_argument(call, 2), false, &value);
    }
    if (err != OK) {
        return err;
    }
    if (!hll_merge(registers, value)) {
        return refuse_corrupt(call);
    }
    reply_array(call->reply, HLL_REGISTERS);
    for (uint32_t i = 0; i < HLL_REGISTERS; i++) {
        reply_integer(call->reply, registers[i]);
    }
    return OK;
}

static enum err debug_decode(struct call *call, struct bytes value)
{
    if (hll_is_dense(value)) {
        reply_error(call->reply, LIT("ERR HLL encoding is not sparse"));
        return ERR_REPLIED;
    }
    struct buf text = { 0 };
    struct hll_run run;
    size_t at = HLL_HEADER;
    while (hll_next_run(value, &at, &run)) {
        const char *gap = text.len > 0 ? " " : "";
        if (run.value > 0) {
            buf_printf(&text, "%sv:%u,%u", gap, run.value, run.len);
        } else {
            buf_printf(&text, "%s%c:%u", gap, run.size == 2 ? 'Z' : 'z', run.len);
        }
    }
    reply_bytes(call->reply, buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static enum err pfdebug(struct call *call) REQUIRES(*call->keys)
{
    struct bytes word = call_argument(call, 1), value;
    enum err err = find_value(call, call_argument(call, 2), false, &value);
    if (err != OK) {
        return err;
    }
    if (value.len == 0) {
        reply_error(call->reply, LIT("ERR The specified key does not exist"));
        return ERR_REPLIED;
    }
    if (bytes_equal_nocase(word, LIT("GETREG"))) {
        return debug_registers(call, value);
    }
    if (bytes_equal_nocase(word, LIT("DECODE"))) {
        return debug_decode(call, value);
    }
    if (bytes_equal_nocase(word, LIT("ENCODING"))) {
        reply_simple(call->reply, hll_is_dense(value) ? LIT("dense") : LIT("sparse"));
        return OK;
    }
    if (bytes_equal_nocase(word, LIT("TODENSE"))) {
        bool changed;
        err = make_dense(call, value, &changed);
        if (err == OK) {
            reply_integer(call->reply, changed);
        }
        return err;
    }
    reply_errorf(call->reply, "ERR Unknown PFDEBUG subcommand '%.*s'", (int)word.len, word.at);
    return ERR_REPLIED;
}

/* ---- PFSELFTEST ---------------------------------------------------------------------------- */

/* Adds the numbers up to 'count' to a sparse value and to a dense one; both must agree and be
 * within five standard errors. */
static bool estimates_well(struct hll *sparse, struct hll *dense, uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < count; i++) {
        uint32_t index;
        unsigned to = hll_place((struct bytes){ (const char *)&i, sizeof i }, &index);
        if (hll_raise(sparse, index, to) > HLL_CHANGED ||
            hll_raise(dense, index, to) > HLL_CHANGED) {
            return false;
        }
    }
    uint64_t one, other;
    if (!hll_count(hll_bytes(sparse), &one) || !hll_count(hll_bytes(dense), &other)) {
        return false;
    }
    double wrong = (double)one - (double)count, most = 5 * 1.04 / 128 * (double)count + 10;
    return one == other && wrong <= most && wrong >= -most;
}

static enum err pfselftest(struct call *call)
{
    enum { LAST = 100000 };
    struct hll sparse, dense;
    if (!hll_init(&sparse, LIT(""), 3000) || !hll_init(&dense, LIT(""), 3000)) {
        return ERR_OUT_OF_MEMORY; /* Neither has memory of its own. */
    }
    bool good = hll_make_dense(&dense) == HLL_CHANGED;
    uint64_t from = 0;
    for (uint64_t count = 1; good && count <= LAST; from = count, count *= 10) {
        good = estimates_well(&sparse, &dense, from, count);
    }
    hll_release(&sparse);
    hll_release(&dense);
    if (!good) {
        reply_error(call->reply, LIT("TESTFAILED Too high error"));
        return ERR_REPLIED;
    }
    reply_ok(call->reply);
    return OK;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "pfadd", .handler = pfadd, .arity = -2, .group = GROUP_HYPERLOGLOG,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "2.8.9", .complexity = "O(1) for each element.",
        .summary = "Adds elements to a HyperLogLog, creating it when there is none.",
        .syntax = "key:key [element:string ...]",
    },
    {
        .name = "pfcount", .handler = pfcount, .arity = -2, .group = GROUP_HYPERLOGLOG,
        .flags = CMD_READONLY | CMD_MAY_REPLICATE,
        .keys = { { .begin = KEYS_BEGIN_INDEX,
                    .find = KEYS_FIND_RANGE,
                    .index = 1,
                    .last = -1,
                    .step = 1,
                    .flags = KEY_RW | KEY_ACCESS,
                    .notes = "RW because it may change the internal representation of the key, "
                             "and propagate to replicas" } },
        .since = "2.8.9",
        .complexity = "O(1) for one key; O(N) for N keys, whose registers are merged.",
        .summary = "Estimates how many different elements were added to HyperLogLogs.",
        .syntax = "key:key ...",
    },
    {
        .name = "pfmerge", .handler = pfmerge, .arity = -2, .group = GROUP_HYPERLOGLOG,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_INSERT),
                  KEYS_FROM(2, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.9", .complexity = "O(N) where N is the number of keys.",
        .summary = "Adds to a HyperLogLog all that others have seen.",
        .syntax = "destkey:key [sourcekey:key ...]",
    },
    {
        .name = "pfdebug", .handler = pfdebug, .arity = 3, .group = GROUP_HYPERLOGLOG,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_ADMIN | CMD_SYSTEM,
        .keys = { KEY_AT(2, KEY_RW | KEY_ACCESS) },
        .since = "2.8.9", .complexity = "O(1)",
        .summary = "Shows how a HyperLogLog is kept; for tests of servers.",
        .syntax = "subcommand:string key:key",
    },
    {
        .name = "pfselftest", .handler = pfselftest, .arity = 1, .group = GROUP_HYPERLOGLOG,
        .flags = CMD_ADMIN | CMD_SYSTEM,
        .since = "2.8.9", .complexity = "O(1)",
        .summary = "Checks that HyperLogLogs estimate well; for tests of servers.",
    },
};
/* clang-format on */

const struct command_family cmd_hyperloglog_family = { rows, sizeof rows / sizeof rows[0] };
