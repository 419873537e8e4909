/* The lives of keys: EXPIRE and its forms, TTL and its forms, PERSIST. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/lookup.h"

/* ---- EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT -------------------------------------------- */

struct conditions {
    bool if_none, if_any, if_later, if_earlier; /* NX XX GT LT */
};

static enum err fail(struct call *call, struct bytes text)
{
    reply_error(call->reply, text);
    return ERR_REPLIED;
}

static MUST_CHECK enum err read_conditions(struct call *call, struct conditions *conditions)
{
    struct args *args = &call->args;
    *conditions = (struct conditions){ 0 };
    while (args_left(args) > 0) {
        if (args_option(args, LIT("NX"))) {
            conditions->if_none = true;
        } else if (args_option(args, LIT("XX"))) {
            conditions->if_any = true;
        } else if (args_option(args, LIT("GT"))) {
            conditions->if_later = true;
        } else if (args_option(args, LIT("LT"))) {
            conditions->if_earlier = true;
        } else {
            struct bytes option = args_next(args);
            reply_errorf(call->reply, "ERR Unsupported option %.*s",
                         (int)(option.len < 1024 ? option.len : 1024), option.at);
            return ERR_REPLIED;
        }
    }
    if (conditions->if_none &&
        (conditions->if_any || conditions->if_later || conditions->if_earlier)) {
        return fail(call, LIT("ERR NX and XX, GT or LT options at the same time are not "
                              "compatible"));
    }
    if (conditions->if_later && conditions->if_earlier) {
        return fail(call, LIT("ERR GT and LT options at the same time are not compatible"));
    }
    return OK;
}

/* The Unix time in milliseconds that 'text' means; it may be in the past. */
static MUST_CHECK enum err read_end(struct bytes text, int64_t base_ms, bool seconds,
                                    int64_t *at_ms)
{
    int64_t time;
    if (!num_parse_i64(text, &time)) {
        return ERR_NOT_INT;
    }
    if (seconds && (time > INT64_MAX / 1000 || time < INT64_MIN / 1000)) {
        return ERR_EXPIRE;
    }
    time = seconds ? time * 1000 : time;
    if (time > INT64_MAX - base_ms) {
        return ERR_EXPIRE;
    }
    *at_ms = time + base_ms;
    return OK;
}

/* A key that never ends counts as ending after every time. */
static bool conditions_hold(const struct conditions *conditions, int64_t now_ends, int64_t at_ms)
{
    bool ends = now_ends != KEYSPACE_NO_EXPIRY;
    return !(conditions->if_none && ends) && !(conditions->if_any && !ends) &&
           !(conditions->if_later && (!ends || at_ms <= now_ends)) &&
           !(conditions->if_earlier && ends && at_ms >= now_ends);
}

/* Gives the key an end, or removes it when that has passed; logs the one or the other. */
static MUST_CHECK enum err end_at(struct call *call, struct bytes key, struct entry *entry,
                                  int64_t at_ms) REQUIRES(*call->keys)
{
    if (at_ms <= call->now_ms) {
        bool lazily = call->engine->settings.lazy_expire;
        keyspace_delete(call->keyspace, call->keys, key, lazily);
        call_changed(call, key, "del");
        struct bytes argv[2] = { lazily ? LIT("UNLINK") : LIT("DEL"), key };
        call_propagate_as(call, argv, 2);
        return OK;
    }
    enum err err = keyspace_expire_at(call->keyspace, call->keys, &entry, at_ms);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "expire");
    char digits[NUM_INT_ROOM];
    struct bytes argv[3] = { LIT("PEXPIREAT"), key, { digits, num_format_i64(digits, at_ms) } };
    call_propagate_as(call, argv, 3);
    return OK;
}

static MUST_CHECK enum err expire_generic(struct call *call, int64_t base_ms, bool seconds)
    REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args), time = args_next(&call->args);
    struct conditions conditions;
    enum err err = read_conditions(call, &conditions);
    if (err != OK) {
        return err;
    }
    int64_t at_ms;
    err = read_end(time, base_ms, seconds, &at_ms);
    if (err != OK) {
        return err;
    }
    struct entry *entry;
    err = keyspace_find(call->keyspace, call->keys, key, VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL || !conditions_hold(&conditions, entry_expires_at(entry), at_ms)) {
        reply_integer(call->reply, 0);
        return OK;
    }
    err = end_at(call, key, entry, at_ms);
    if (err == OK) {
        reply_integer(call->reply, 1);
    }
    return err;
}

static enum err expire(struct call *call) REQUIRES(*call->keys)
{
    return expire_generic(call, call->now_ms, true);
}

static enum err pexpire(struct call *call) REQUIRES(*call->keys)
{
    return expire_generic(call, call->now_ms, false);
}

static enum err expireat(struct call *call) REQUIRES(*call->keys)
{
    return expire_generic(call, 0, true);
}

static enum err pexpireat(struct call *call) REQUIRES(*call->keys)
{
    return expire_generic(call, 0, false);
}

/* ---- PERSIST and the TTL family --------------------------------------------------------- */

static enum err persist(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL || entry_expires_at(entry) == KEYSPACE_NO_EXPIRY) {
        reply_integer(call->reply, 0);
        return OK;
    }
    err = keyspace_expire_at(call->keyspace, call->keys, &entry, KEYSPACE_NO_EXPIRY);
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "persist");
    reply_integer(call->reply, 1);
    return OK;
}

/* Replies when the key ends, from 'base_ms' on: -2 when there is no key, -1 when it does not
 * end. */
static enum err reply_end(struct call *call, int64_t base_ms, bool seconds) REQUIRES(*call->keys)
{
    struct entry *entry = lookup_peek(call, call_argument(call, 1));
    int64_t at_ms = entry != NULL ? entry_expires_at(entry) : KEYSPACE_NO_EXPIRY;
    if (at_ms == KEYSPACE_NO_EXPIRY) {
        reply_integer(call->reply, entry != NULL ? -1 : -2);
        return OK;
    }
    int64_t left = at_ms > base_ms ? at_ms - base_ms : 0;
    int64_t rounded = left > INT64_MAX - 500 ? left / 1000 : (left + 500) / 1000;
    reply_integer(call->reply, seconds ? rounded : left);
    return OK;
}

static enum err ttl(struct call *call) REQUIRES(*call->keys)
{
    return reply_end(call, call->now_ms, true);
}

static enum err pttl(struct call *call) REQUIRES(*call->keys)
{
    return reply_end(call, call->now_ms, false);
}

static enum err expiretime(struct call *call) REQUIRES(*call->keys)
{
    return reply_end(call, 0, true);
}

static enum err pexpiretime(struct call *call) REQUIRES(*call->keys)
{
    return reply_end(call, 0, false);
}

/* ---- Rows --------------------------------------------------------------------------------- */

#define CONDITION " [condition=<NX | XX | GT | LT>@7.0.0]"

static const struct command_history condition_history[] = {
    { "7.0.0", "`NX`, `XX`, `GT` and `LT` can be given." },
    { NULL, NULL },
};

static const struct command_history ttl_history[] = {
    { "2.8.0", "Replies -2 for a missing key." },
    { NULL, NULL },
};

static const char *const varying[] = { "nondeterministic_output", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "expire", .handler = expire, .arity = -3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Lets a key live for a number of seconds from now.",
        .syntax = "key:key seconds:int" CONDITION, .history = condition_history,
    },
    {
        .name = "pexpire", .handler = pexpire, .arity = -3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "2.6.0", .complexity = "O(1)",
        .summary = "Lets a key live for a number of milliseconds from now.",
        .syntax = "key:key milliseconds:int" CONDITION, .history = condition_history,
    },
    {
        .name = "expireat", .handler = expireat, .arity = -3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "1.2.0", .complexity = "O(1)",
        .summary = "Lets a key live until a Unix time in seconds.",
        .syntax = "key:key unix-time-seconds:time" CONDITION, .history = condition_history,
    },
    {
        .name = "pexpireat", .handler = pexpireat, .arity = -3, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "2.6.0", .complexity = "O(1)",
        .summary = "Lets a key live until a Unix time in milliseconds.",
        .syntax = "key:key unix-time-milliseconds:time" CONDITION, .history = condition_history,
    },
    {
        .name = "ttl", .handler = ttl, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Returns how many seconds a key has to live.",
        .syntax = "key:key", .history = ttl_history, .tips = varying,
    },
    {
        .name = "pttl", .handler = pttl, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.6.0", .complexity = "O(1)",
        .summary = "Returns how many milliseconds a key has to live.",
        .syntax = "key:key", .history = ttl_history, .tips = varying,
    },
    {
        .name = "expiretime", .handler = expiretime, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "7.0.0", .complexity = "O(1)",
        .summary = "Returns the Unix time in seconds at which a key ends.",
        .syntax = "key:key",
    },
    {
        .name = "pexpiretime", .handler = pexpiretime, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "7.0.0", .complexity = "O(1)",
        .summary = "Returns the Unix time in milliseconds at which a key ends.",
        .syntax = "key:key",
    },
    {
        .name = "persist", .handler = persist, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "2.2.0", .complexity = "O(1)",
        .summary = "Lets a key live for ever.",
        .syntax = "key:key",
    },
};
/* clang-format on */

const struct command_family cmd_expire_family = { rows, sizeof rows / sizeof rows[0] };
