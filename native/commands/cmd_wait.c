/* WAIT and WAITAOF: for replicas and the append-only file to have what this client wrote.  There
 * is neither: whoever asks for one waits until the time is over. */
#include "base/num.h"
#include "commands/families.h"
#include "exec/call.h"

static MUST_CHECK enum err wait_for_time(struct call *call, bool satisfied, uint8_t zeros,
                                         int64_t deadline_ms)
{
    if (!satisfied && blocking_may_wait(call)) {
        struct blocking_request request = { .type = VALUE_ANY,
                                            .deadline_ms = deadline_ms,
                                            .zeros = zeros };
        return blocking_wait(call, &request);
    }
    if (zeros > 1) {
        reply_array(call->reply, zeros);
    }
    for (uint8_t i = 0; i < zeros; i++) {
        reply_integer(call->reply, 0);
    }
    return OK;
}

static enum err wait_for_replicas(struct call *call)
{
    int64_t replicas, deadline_ms;
    if (!num_parse_i64(call_argument(call, 1), &replicas)) {
        return ERR_NOT_INT;
    }
    enum err err = blocking_read_timeout(call, call_argument(call, 2), true, &deadline_ms);
    return err != OK ? err : wait_for_time(call, replicas <= 0, 1, deadline_ms);
}

static enum err wait_for_file(struct call *call)
{
    int64_t local, replicas, deadline_ms;
    if (!num_parse_i64(call_argument(call, 1), &local) ||
        !num_parse_i64(call_argument(call, 2), &replicas)) {
        return ERR_NOT_INT;
    }
    if (local < 0 || local > 1) {
        reply_error(call->reply, LIT("ERR value is out of range, value must between 0 and 1"));
        return ERR_REPLIED;
    }
    if (replicas < 0) {
        return ERR_NOT_POSITIVE;
    }
    enum err err = blocking_read_timeout(call, call_argument(call, 3), true, &deadline_ms);
    if (err != OK) {
        return err;
    }
    if (local > 0) {
        reply_error(call->reply, LIT("ERR WAITAOF cannot be used when numlocal is set but "
                                     "appendonly is disabled."));
        return ERR_REPLIED;
    }
    return wait_for_time(call, replicas == 0, 2, deadline_ms);
}

static const char *const tips[] = { "request_policy:all_shards", "response_policy:agg_min", NULL };

static const struct command rows[] = {
    {
        .name = "wait",
        .handler = wait_for_replicas,
        .arity = 3,
        .group = GROUP_GENERIC,
        .flags = CMD_NOSCRIPT,
        .categories = CATEGORY_CONNECTION,
        .since = "3.0.0",
        .complexity = "O(1)",
        .summary = "Waits until replicas have the connection's writes.",
        .syntax = "numreplicas:int timeout:int",
        .tips = tips,
    },
    {
        .name = "waitaof",
        .handler = wait_for_file,
        .arity = 4,
        .group = GROUP_GENERIC,
        .flags = CMD_NOSCRIPT,
        .categories = CATEGORY_CONNECTION,
        .since = "7.2.0",
        .complexity = "O(1)",
        .summary = "Waits until the append-only file and replicas have the connection's writes.",
        .syntax = "numlocal:int numreplicas:int timeout:int",
        .tips = tips,
    },
};

const struct command_family cmd_wait_family = { rows, sizeof rows / sizeof rows[0] };
