/* Several strings at once: MGET, MSET, MSETNX.  MSETEX is in cmd_string_conditional.c. */
#include "commands/families.h"
#include "commands/lookup.h"

static enum err mget(struct call *call) REQUIRES(*call->keys)
{
    uint32_t argc = call->args.argc;
    reply_array(call->reply, argc - 1);
    for (uint32_t i = 1; i < argc; i++) {
        struct entry *entry;
        enum err err =
            keyspace_find(call->keyspace, call->keys, call_argument(call, i), VALUE_ANY, &entry);
        lookup_count(call, err == OK && entry != NULL);
        if (err == OK && entry != NULL && entry->type == VALUE_STRING) {
            lookup_reply(call, entry);
        } else {
            reply_null(call->reply);
        }
    }
    return OK;
}

/* Stores all pairs.  When memory ends in between, the pairs before are stored and logged. */
static MUST_CHECK enum err store_pairs(struct call *call) REQUIRES(*call->keys)
{
    uint32_t argc = call->args.argc;
    for (uint32_t i = 1; i < argc; i += 2) {
        struct bytes key = call_argument(call, i);
        enum err err =
            keyspace_set_string(call->keyspace, call->keys, key, call_argument(call, i + 1),
                                EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY);
        if (__builtin_expect(err != OK, 0)) {
            if (i > 1) {
                call_propagate_as(call, call->args.argv, i);
            }
            return err;
        }
        call_changed(call, key, "set");
    }
    return OK;
}

static enum err mset(struct call *call) REQUIRES(*call->keys)
{
    if (call->args.argc % 2 == 0) {
        return ERR_ARITY;
    }
    enum err err = store_pairs(call);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

static enum err msetnx(struct call *call) REQUIRES(*call->keys)
{
    uint32_t argc = call->args.argc;
    if (argc % 2 == 0) {
        return ERR_ARITY;
    }
    for (uint32_t i = 1; i < argc; i += 2) {
        struct entry *entry;
        enum err err =
            keyspace_find(call->keyspace, call->keys, call_argument(call, i), VALUE_ANY, &entry);
        if (err != OK) {
            return err;
        }
        if (entry != NULL) {
            reply_integer(call->reply, 0);
            return OK;
        }
    }
    enum err err = store_pairs(call);
    if (err == OK) {
        reply_integer(call->reply, 1);
    }
    return err;
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const char *const many_shards[] = { "request_policy:multi_shard", NULL };
static const char *const all_must_succeed[] = { "request_policy:multi_shard",
                                                "response_policy:all_succeeded", NULL };
static const char *const least_of_all[] = { "request_policy:multi_shard", "response_policy:agg_min",
                                            NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "mget", .handler = mget, .arity = -2, .group = GROUP_STRING,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEYS_FROM(1, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0", .complexity = "O(N) where N is the number of keys.",
        .summary = "Returns the strings of several keys, at one instant.",
        .syntax = "key:key ...", .tips = many_shards,
    },
    {
        .name = "mset", .handler = mset, .arity = -3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEYS_FROM(1, -1, 2, KEY_OW | KEY_UPDATE) },
        .since = "1.0.1", .complexity = "O(N) where N is the number of keys.",
        .summary = "Stores several strings under their keys, all at once.",
        .syntax = "key_value=(key:key value:string) ...", .tips = all_must_succeed,
    },
    {
        .name = "msetnx", .handler = msetnx, .arity = -3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEYS_FROM(1, -1, 2, KEY_OW | KEY_INSERT) },
        .since = "1.0.1", .complexity = "O(N) where N is the number of keys.",
        .summary = "Stores several strings, provided that none of their keys exists.",
        .syntax = "key_value=(key:key value:string) ...", .tips = least_of_all,
    },
};
/* clang-format on */

const struct command_family cmd_string_many_family = { rows, sizeof rows / sizeof rows[0] };
