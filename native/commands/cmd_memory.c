/* MEMORY: how much is used, and for what. */
#include "base/mem.h"
#include "base/os.h"
#include "commands/families.h"
#include "exec/help.h"
#include "commands/memory_facts.h"

static enum err usage(struct call *call) REQUIRES(*call->keys)
{
    enum { DEFAULT_SAMPLES = 5 };
    struct bytes key = args_next(&call->args);
    int64_t samples = DEFAULT_SAMPLES;
    while (call->args.err == OK && args_left(&call->args) > 0) {
        if (!args_option_with(&call->args, LIT("samples"), 1)) {
            return ERR_SYNTAX;
        }
        samples = args_int(&call->args);
        if (call->args.err == OK && samples < 0) {
            return ERR_SYNTAX;
        }
    }
    if (call->args.err != OK) {
        return call->args.err;
    }
    const struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    if (entry == NULL) {
        reply_null(call->reply);
    } else {
        reply_integer(call->reply, (int64_t)keyspace_entry_memory(entry, (size_t)samples));
    }
    return OK;
}

/* ---- STATS ------------------------------------------------------------------------------- */

static void tell_number(struct reply *reply, const char *name, uint64_t value)
{
    reply_bytes(reply, bytes_of(name));
    reply_integer(reply, (int64_t)value);
}

static void tell_double(struct reply *reply, const char *name, double value)
{
    reply_bytes(reply, bytes_of(name));
    reply_double(reply, value);
}

static void tell_ratio(struct reply *reply, const char *ratio, const char *bytes, uint64_t part,
                       uint64_t whole)
{
    tell_double(reply, ratio, whole > 0 ? (double)part / (double)whole : 0);
    tell_number(reply, bytes, part - whole);
}

static void tell_database(struct call *call, uint32_t db, const struct memory_facts *facts)
{
    char name[16];
    struct bytes text = { name, memory_database_name(name, sizeof name, db) };
    reply_bytes(call->reply, text);
    reply_map(call->reply, 3);
    tell_number(call->reply, "overhead.hashtable.main", memory_table_share(call, db, facts));
    tell_number(call->reply, "overhead.hashtable.expires",
                keyspace_expiry_memory(call->keyspace, db));
    tell_number(call->reply, "overhead.hashtable.slot-to-keys", 0);
}

static enum err stats(struct call *call)
{
    struct reply *reply = call->reply;
    struct memory_facts facts;
    struct script_usage scripts = engine_script_usage(call->engine);
    memory_facts_read(call, &facts);
    uint64_t dataset = facts.used > facts.overhead ? facts.used - facts.overhead : 0;
    uint64_t net = facts.used > facts.startup ? facts.used - facts.startup : 1;
    reply_map(reply, 27 + facts.databases);
    tell_number(reply, "peak.allocated", facts.peak);
    tell_number(reply, "total.allocated", facts.used);
    tell_number(reply, "startup.allocated", facts.startup);
    tell_number(reply, "replication.backlog", 0);
    tell_number(reply, "clients.slaves", 0);
    tell_number(reply, "clients.normal", facts.clients);
    tell_number(reply, "cluster.links", 0);
    tell_number(reply, "aof.buffer", 0);
    tell_number(reply, "lua.caches", scripts.scripts);
    tell_number(reply, "functions.caches", scripts.libraries);
    for (uint32_t db = 0; db < keyspace_databases(call->keyspace); db++) {
        if (keyspace_size(call->keyspace, db) > 0) {
            tell_database(call, db, &facts);
        }
    }
    tell_number(reply, "overhead.total", facts.overhead);
    tell_number(reply, "keys.count", facts.keys);
    tell_number(reply, "keys.bytes-per-key", facts.keys > 0 ? net / facts.keys : 0);
    tell_number(reply, "dataset.bytes", dataset);
    tell_double(reply, "dataset.percentage", (double)dataset * 100 / (double)net);
    tell_double(reply, "peak.percentage", (double)facts.used * 100 / (double)facts.peak);
    tell_number(reply, "allocator.allocated", facts.used);
    tell_number(reply, "allocator.active", facts.active);
    tell_number(reply, "allocator.resident", facts.resident);
    tell_ratio(reply, "allocator-fragmentation.ratio", "allocator-fragmentation.bytes",
               facts.active, facts.used);
    tell_ratio(reply, "allocator-rss.ratio", "allocator-rss.bytes", facts.resident, facts.active);
    tell_ratio(reply, "rss-overhead.ratio", "rss-overhead.bytes", facts.resident, facts.resident);
    tell_ratio(reply, "fragmentation", "fragmentation.bytes", facts.resident, facts.used);
    return OK;
}

/* ---- The rest ---------------------------------------------------------------------------- */

static enum err doctor(struct call *call)
{
    struct memory_facts facts;
    struct buf text = { 0 };
    memory_facts_read(call, &facts);
    memory_diagnose(&facts, &text);
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static enum err malloc_stats(struct call *call)
{
    size_t used, held;
    struct buf text = { 0 };
    keyspace_slab_memory(call->keyspace, &used, &held);
    buf_printf(&text,
               "Slabs (keys and values up to 8 kB): %zu bytes live, %zu bytes of pages\n"
               "General allocator (the whole process): %zu bytes handed out\n"
               "Resident (the whole process): %zu bytes now, %zu bytes at most\n",
               used, held, os_allocator_used(), os_resident_bytes(), os_peak_resident_bytes());
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static enum err purge(struct call *call)
{
    (void)keyspace_trim(call->thread);
    os_allocator_trim();
    reply_ok(call->reply);
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "DOCTOR",
        "    A report on how memory is used, in words.",
        "MALLOC-STATS",
        "    What the allocators have handed out.",
        "PURGE",
        "    Gives unused memory back to the system.",
        "STATS",
        "    How much memory is used for what.",
        "USAGE <key> [SAMPLES <count>]",
        "    The bytes of <key> and its value. Large values are estimated from <count> elements",
        "    (5 without it, all for 0).",
        NULL,
    };
    help_reply(call, "MEMORY", lines);
    return OK;
}

static const char *const shards_tips[] = { "nondeterministic_output", "request_policy:all_shards",
                                           "response_policy:special", NULL };
static const char *const purge_tips[] = { "request_policy:all_shards",
                                          "response_policy:all_succeeded", NULL };

#define ROW(subcommand, function, count)                                                           \
    .name = "memory|" subcommand, .handler = (function), .arity = (count), .group = GROUP_SERVER

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "memory", .arity = -2, .group = GROUP_SERVER,
        .since = "4.0.0", .complexity = "Depends on subcommand.",
        .summary = "A container of commands about memory.",
    },
    {
        ROW("doctor", doctor, 2), .flags = CMD_KEYS_ALL, /* It looks at all clients. */
        .since = "4.0.0", .complexity = "O(N) where N is the number of clients",
        .summary = "Returns a report on how memory is used, in words.", .tips = shards_tips,
    },
    {
        ROW("help", help, 2), .flags = CMD_LOADING | CMD_STALE,
        .since = "4.0.0", .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        ROW("malloc-stats", malloc_stats, 2),
        .since = "4.0.0", .complexity = "Depends on the allocator",
        .summary = "Returns what the allocators have handed out.", .tips = shards_tips,
    },
    {
        ROW("purge", purge, 2),
        .since = "4.0.0", .complexity = "Depends on how much memory is unused",
        .summary = "Gives unused memory back to the system.", .tips = purge_tips,
    },
    {
        ROW("stats", stats, 2), .flags = CMD_KEYS_ALL,
        .since = "4.0.0", .complexity = "O(N) where N is the number of clients",
        .summary = "Returns how much memory is used for what.", .tips = shards_tips,
    },
    {
        ROW("usage", usage, -3), .flags = CMD_READONLY,
        .keys = { KEY_AT(2, KEY_RO) },
        .since = "4.0.0", .complexity = "O(N) where N is the number of samples",
        .summary = "Returns how many bytes a key and its value take.",
        .syntax = "key:key [SAMPLES count:integer]",
    },
};
/* clang-format on */

const struct command_family cmd_memory_family = { rows, sizeof rows / sizeof rows[0] };
