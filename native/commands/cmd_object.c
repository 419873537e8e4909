/* OBJECT: how a value is kept and when it was used. */
#include "base/num.h"
#include "commands/families.h"
#include "exec/help.h"
#include "commands/lookup.h"

/* Integers below this are one shared object in Redis, unless maxmemory needs to know when
 * each key was used; OBJECT REFCOUNT tells the number that Redis gives shared objects. */
enum { SHARED_INTEGERS = 10000 };

static const char adjusts[] = "Please note that when switching between policies at runtime LRU "
                              "and LFU data will take some time to adjust.";

/* The entry of the subcommand's key; replies null and gives NULL when there is none. */
static struct entry *find_or_null(struct call *call) REQUIRES(*call->keys)
{
    /* Counted, but without the event of a miss. */
    struct entry *entry = keyspace_peek(call->keyspace, call->keys, call_argument(call, 2));
    struct stats *stats = &call->executor->stats;
    stat_add(entry != NULL ? &stats->keyspace_hits : &stats->keyspace_misses, 1);
    if (entry == NULL) {
        reply_null(call->reply);
    }
    return entry;
}

static enum err object_encoding(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry = find_or_null(call);
    if (entry != NULL) {
        reply_bytes(call->reply, encoding_name((enum encoding)entry->encoding));
    }
    return OK;
}

static bool is_shared(const struct call *call, const struct entry *entry)
{
    const struct engine_settings *settings = &call->engine->settings;
    int64_t value;
    return entry->type == VALUE_STRING && entry->encoding == ENCODING_INT &&
           num_parse_i64(entry_string(entry), &value) && value >= 0 && value < SHARED_INTEGERS &&
           (settings->maxmemory == 0 || settings->maxmemory_denies);
}

static enum err object_refcount(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry = find_or_null(call);
    if (entry != NULL) {
        reply_integer(call->reply, is_shared(call, entry) ? INT32_MAX : 1);
    }
    return OK;
}

static enum err object_idletime(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry = find_or_null(call);
    if (entry == NULL) {
        return OK;
    }
    if (keyspace_is_lfu(call->keyspace)) {
        reply_errorf(call->reply,
                     "ERR An LFU maxmemory policy is selected, idle time not tracked. %s", adjusts);
        return ERR_REPLIED;
    }
    reply_integer(call->reply, keyspace_idle_seconds(call->thread, entry));
    return OK;
}

static enum err object_freq(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry = find_or_null(call);
    if (entry == NULL) {
        return OK;
    }
    if (!keyspace_is_lfu(call->keyspace)) {
        reply_errorf(call->reply,
                     "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                     "%s",
                     adjusts);
        return ERR_REPLIED;
    }
    reply_integer(call->reply, keyspace_frequency(call->keyspace, call->thread, entry));
    return OK;
}

static enum err object_help(struct call *call)
{
    static const char *const lines[] = {
        "ENCODING <key>",
        "    Tells in which form the value of <key> is kept.",
        "FREQ <key>",
        "    Tells how often <key> is used, on a logarithmic scale; needs an LFU policy.",
        "IDLETIME <key>",
        "    Tells for how many seconds <key> has not been used.",
        "REFCOUNT <key>",
        "    Tells how many references to the value of <key> there are.",
        NULL,
    };
    help_reply(call, "OBJECT", lines);
    return OK;
}

static const char *const varying[] = { "nondeterministic_output", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "object", .arity = -2, .group = GROUP_GENERIC,
        .since = "2.2.3", .complexity = "As the subcommand says.",
        .summary = "A container of commands that tell how a value is kept.",
    },
    {
        .name = "object|encoding", .handler = object_encoding, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO) },
        .since = "2.2.3", .complexity = "O(1)",
        .summary = "Returns the form in which a value is kept.",
        .syntax = "key:key", .tips = varying,
    },
    {
        .name = "object|freq", .handler = object_freq, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO) },
        .since = "4.0.0", .complexity = "O(1)",
        .summary = "Returns how often a key is used, on a logarithmic scale.",
        .syntax = "key:key", .tips = varying,
    },
    {
        .name = "object|help", .handler = object_help, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "6.2.0", .complexity = "O(1)",
        .summary = "Returns a short text about the subcommands.",
    },
    {
        .name = "object|idletime", .handler = object_idletime, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO) },
        .since = "2.2.3", .complexity = "O(1)",
        .summary = "Returns for how many seconds a key has not been used.",
        .syntax = "key:key", .tips = varying,
    },
    {
        .name = "object|refcount", .handler = object_refcount, .arity = 3, .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO) },
        .since = "2.2.3", .complexity = "O(1)",
        .summary = "Returns the number of references to a value.",
        .syntax = "key:key", .tips = varying,
    },
};
/* clang-format on */

const struct command_family cmd_object_family = { rows, sizeof rows / sizeof rows[0] };
