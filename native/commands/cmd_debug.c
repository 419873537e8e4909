/* DEBUG: what tests need to see and do.  It runs in the exclusive section, and only where
 * enable-debug-command allows it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/num.h"
#include "commands/debug_digest.h"
#include "commands/debug_protocol.h"
#include "commands/families.h"
#include "exec/help.h"
#include "store/value.h"

static enum err sleep_for(struct call *call)
{
    struct bytes text = args_next(&call->args);
    char seconds[32];
    size_t len = text.len < sizeof seconds - 1 ? text.len : sizeof seconds - 1;
    memcpy(seconds, text.at, len);
    seconds[len] = '\0';
    double time = strtod(seconds, NULL); /* As Redis reads it: what is no number is 0. */
    if (time > 0 && time < 1e9) {
        struct timespec rest = { .tv_sec = (time_t)time };
        rest.tv_nsec = (long)((time - (double)rest.tv_sec) * 1e9);
        while (nanosleep(&rest, &rest) < 0) {}
    }
    reply_ok(call->reply);
    return OK;
}

/* The length that a snapshot file would give the string. */
static size_t saved_length(struct bytes text)
{
    int64_t number;
    if (text.len <= 11 && num_parse_i64(text, &number) && number >= INT32_MIN &&
        number <= INT32_MAX) {
        return number >= INT8_MIN && number <= INT8_MAX     ? 2
               : number >= INT16_MIN && number <= INT16_MAX ? 3
                                                            : 5;
    }
    return text.len + (text.len < 64 ? 1 : text.len < 16384 ? 2 : 5);
}

static enum err describe_object(struct call *call) REQUIRES(*call->keys)
{
    const struct entry *entry = keyspace_peek(call->keyspace, call->keys, args_next(&call->args));
    if (entry == NULL) {
        return ERR_NO_KEY;
    }
    struct bytes encoding = encoding_name((enum encoding)entry->encoding);
    struct buf line = { 0 };
    buf_printf(&line,
               "Value at:%p refcount:1 encoding:%.*s serializedlength:%zu lru:%" PRIu32
               " lru_seconds_idle:%" PRId64,
               (const void *)entry, (int)encoding.len, encoding.at,
               entry->type == VALUE_STRING ? saved_length(entry_string(entry))
                                           : value_memory(entry, 0),
               entry_access(entry), keyspace_idle_seconds(call->thread, entry));
    reply_simple(call->reply, buf_bytes(&line));
    buf_release(&line);
    return OK;
}

/* Redis's words; strings here have no room beyond their length. */
static enum err describe_string(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    const struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    struct buf line = { 0 };
    if (entry == NULL) {
        return ERR_NO_KEY;
    }
    if (entry->type != VALUE_STRING) {
        reply_error(call->reply, LIT("ERR Not an sds encoded string."));
        return ERR_REPLIED;
    }
    buf_printf(&line,
               "key_sds_len:%zu, key_sds_avail:0, key_zmalloc: %zu, val_sds_len:%zu, "
               "val_sds_avail:0, val_zmalloc: %zu",
               key.len, key.len, entry_string(entry).len, keyspace_entry_memory(entry, 0));
    reply_simple(call->reply, buf_bytes(&line));
    buf_release(&line);
    return OK;
}

static enum err describe_structures(struct call *call)
{
    struct buf line = { 0 };
    buf_printf(&line, "bits:%zu entry:%zu session:%zu executor:%zu watcher:%zu", sizeof(void *) * 8,
               sizeof(struct entry), sizeof(struct session), sizeof(struct executor),
               sizeof(struct watcher));
    reply_simple(call->reply, buf_bytes(&line));
    buf_release(&line);
    return OK;
}

static enum err change_replication_id(struct call *call)
{
    engine_change_replication_id(call->engine, &call->thread->dice);
    reply_ok(call->reply);
    return OK;
}

static enum err set_active_expire(struct call *call)
{
    int64_t on;
    bool is_number = num_parse_i64(args_next(&call->args), &on);
    keyspace_set_active_expiry(call->keyspace, is_number && on != 0);
    reply_ok(call->reply);
    return OK;
}

/* A switch, as Redis reads it: what is no number is 0. */
static enum err set_switch(struct call *call, _Atomic bool *is_on)
{
    int64_t on;
    bool is_number = num_parse_i64(args_next(&call->args), &on);
    atomic_store_explicit(is_on, is_number && on != 0, memory_order_relaxed);
    reply_ok(call->reply);
    return OK;
}

static enum err skip_checksums(struct call *call)
{
    return set_switch(call, &call->engine->settings.checksums_skipped);
}

static enum err pause_cron(struct call *call)
{
    return set_switch(call, &call->engine->settings.cron_paused);
}

static enum err reply_an_error(struct call *call)
{
    reply_error(call->reply, args_next(&call->args));
    return ERR_REPLIED;
}

static enum err write_log(struct call *call)
{
    struct bytes text = args_next(&call->args);
    if (call->engine->log != NULL) {
        log_warning(call->engine->log, "DEBUG LOG: %.*s", (int)text.len, text.at);
    }
    reply_ok(call->reply);
    return OK;
}

static enum err match_string(struct call *call)
{
    struct bytes pattern = args_next(&call->args);
    reply_integer(call->reply, bytes_match_glob(pattern, args_next(&call->args), false));
    return OK;
}

static enum err describe_table(struct call *call)
{
    enum { ROOM = 4096 };
    int64_t db = args_int(&call->args);
    if (call->args.err != OK) {
        return call->args.err;
    }
    if (db < 0 || db >= keyspace_databases(call->keyspace)) {
        reply_error(call->reply, LIT("ERR Out of range database"));
        return ERR_REPLIED;
    }
    char *text = mem_alloc(ROOM);
    size_t len = keyspace_describe(call->keyspace, (uint32_t)db, text, ROOM);
    reply_verbatim(call->reply, "txt", (struct bytes){ text, len });
    mem_free(text);
    return OK;
}

static enum err describe_value_table(struct call *call) REQUIRES(*call->keys)
{
    if (keyspace_peek(call->keyspace, call->keys, args_next(&call->args)) == NULL) {
        return ERR_NO_KEY;
    }
    reply_error(call->reply, LIT("ERR The value stored at the specified key is not represented "
                                 "using an hash table"));
    return ERR_REPLIED;
}

/* What Redis prints on its standard output goes to the log, as a line. */
static enum err describe_encoded(struct call *call, enum encoding encoding, const char *other,
                                 const char *reply) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    const struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    if (entry == NULL) {
        return ERR_NO_KEY;
    }
    if (entry->type == VALUE_STRING || entry->encoding != encoding) {
        reply_error(call->reply, bytes_of(other));
        return ERR_REPLIED;
    }
    if (call->engine->log != NULL) {
        log_warning(call->engine->log, "DEBUG %.*s: %zu elements in %zu bytes", (int)key.len,
                    key.at, value_elements(entry), value_memory(entry, 0));
    }
    reply_simple(call->reply, bytes_of(reply));
    return OK;
}

/* In Redis, when the buffer that each client has for its replies shrinks; here it has one only
 * while there is something in it. */
static enum err tune_reply_buffer(struct call *call)
{
    struct args *args = &call->args;
    if (args_option(args, LIT("PEAK-RESET-TIME"))) {
        if (!args_option(args, LIT("NEVER")) && !args_option(args, LIT("RESET"))) {
            (void)args_int(args);
        }
    } else if (args_option(args, LIT("RESIZING"))) {
        (void)args_next(args);
    } else {
        return help_refuse(call, "DEBUG");
    }
    enum err err = args_end(args);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

static enum err describe_listpack(struct call *call) REQUIRES(*call->keys)
{
    return describe_encoded(call, ENCODING_LISTPACK, "ERR Not a listpack encoded object.",
                            "Listpack structure printed on stdout");
}

static enum err describe_quicklist(struct call *call) REQUIRES(*call->keys)
{
    return describe_encoded(call, ENCODING_QUICKLIST, "ERR Not a quicklist encoded object.",
                            "Quicklist structure printed on stdout");
}

static enum err set_packed_threshold(struct call *call)
{
    uint64_t size;
    if (!num_parse_memory(args_next(&call->args), &size) ||
        size > (UINT64_C(1) << 32) - (UINT64_C(1) << 20)) {
        reply_error(call->reply, LIT("ERR argument must be a memory value bigger than 1 and "
                                     "smaller than 4gb"));
        return ERR_REPLIED;
    }
    keyspace_limits(call->keyspace)->list_packed_threshold = size;
    reply_ok(call->reply);
    return OK;
}

/* DEBUG POPULATE's key and value number 'i'; the value is cut or filled to 'size'. */
static enum err add_key(struct call *call, struct bytes prefix, int64_t i, int64_t size,
                        char *value) REQUIRES(*call->keys)
{
    struct buf key = { 0 };
    enum err err = OK;
    char number[32];

    buf_append(&key, prefix);
    buf_printf(&key, ":%" PRId64, i);
    if (keyspace_peek(call->keyspace, call->keys, buf_bytes(&key)) == NULL) {
        int len = snprintf(number, sizeof number, "value:%" PRId64, i);
        if (size > 0) {
            memset(value, 0, (size_t)size);
            memcpy(value, number, size < len ? (size_t)size : (size_t)len);
        }
        struct bytes text = size > 0 ? (struct bytes){ value, (size_t)size }
                                     : (struct bytes){ number, (size_t)len };
        err = keyspace_set_string(call->keyspace, call->keys, buf_bytes(&key), text, EXPIRY_REPLACE,
                                  KEYSPACE_NO_EXPIRY);
        if (err == OK) {
            call_changed(call, buf_bytes(&key), NULL);
        }
    }
    buf_release(&key);
    return err;
}

static enum err populate(struct call *call) REQUIRES(*call->keys)
{
    struct args *args = &call->args;
    int64_t count = args_int_in(args, 0, INT64_MAX, ERR_NOT_POSITIVE);
    struct bytes prefix = args_left(args) > 0 ? args_next(args) : LIT("key");
    int64_t size = args_left(args) > 0 ? args_int_in(args, 0, INT32_MAX, ERR_NOT_POSITIVE) : 0;
    enum err err = args_end(args);
    if (err != OK) {
        return err;
    }
    char *value = mem_try_alloc((size_t)size + 1);
    if (value == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < count && err == OK; i++) {
        err = add_key(call, prefix, i, size, value);
    }
    mem_free(value);
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "CHANGE-REPL-ID",
        "    Gives the data another replication id.",
        "DIGEST",
        "    A digest of all data: the same for the same data.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    Digests of the values of these keys.",
        "ERROR <string>",
        "    Answers with <string> as an error.",
        "HTSTATS <dbid>",
        "    How full the tables of a database are.",
        "HTSTATS-KEY <key>",
        "    The same of a value that is a table.",
        "LISTPACK <key>",
        "    Tells the log about a value that is one listpack.",
        "LOG <message>",
        "    Writes <message> to the log.",
        "OBJECT <key>",
        "    How the value of <key> is kept.",
        "PAUSE-CRON <0|1>",
        "    Stops what the server does in the background: expiry, eviction, freeing, samples.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Makes <count> keys <prefix>:<number> (\"key\" without it), with values of <size>",
        "    bytes; keys that are there stay.",
        "PROTOCOL <type>",
        "    Answers with a value of a type: string, integer, double, bignum, null, array, set,",
        "    map, attrib, push, verbatim, true, false.",
        "QUICKLIST <key> [<0|1>]",
        "    Tells the log about a list of several pieces.",
        "QUICKLIST-PACKED-THRESHOLD <size>",
        "    List elements from this size on stand alone; 0: as list-max-listpack-size says.",
        "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>, REPLYBUFFER RESIZING <0|1>",
        "    Nothing: no client keeps a buffer for its replies.",
        "SDSLEN <key>",
        "    How long a key and its string are.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Switches the removal of expired keys in the background.",
        "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
        "    RESTORE and FUNCTION RESTORE take payloads whose checksum is wrong.",
        "SLEEP <seconds>",
        "    Stops the whole server for <seconds>, which may be a fraction.",
        "STRINGMATCH-LEN <pattern> <string>",
        "    Whether a glob-style <pattern> matches.",
        "STRUCTSIZE",
        "    The sizes of some structures.",
        NULL,
    };
    help_reply(call, "DEBUG", lines);
    return OK;
}

/* ---- Who may ---------------------------------------------------------------------------- */

static bool starts_with(struct bytes text, struct bytes start)
{
    return text.len >= start.len && memcmp(text.at, start.at, start.len) == 0;
}

/* In-process clients, Unix sockets, and the loopback addresses. */
static bool is_local(const struct session *session)
{
    if ((session->flags & SESSION_INTERNAL) != 0 || session->carrier->kind == 'U') {
        return true;
    }
    struct buf peer = { 0 }, ours = { 0 };
    session->carrier->addresses(session, &peer, &ours);
    struct bytes address = buf_bytes(&peer);
    bool local = starts_with(address, LIT("127.0.0.1:")) || starts_with(address, LIT("[::1]:")) ||
                 starts_with(address, LIT("::1:"));
    buf_release(&peer);
    buf_release(&ours);
    return local;
}

static bool is_allowed(const struct call *call)
{
    switch ((enum command_access)call->engine->settings.debug_command) {
    case ACCESS_YES:
        return true;
    case ACCESS_LOCAL:
        return is_local(call->session);
    case ACCESS_NO:
        break;
    }
    return false;
}

static enum err debug(struct call *call) REQUIRES(*call->keys)
{
    static const struct {
        const char *name;
        enum err (*run)(struct call *call);
        uint32_t least, most; /* arguments behind the name */
    } subcommands[] = {
        { "change-repl-id", change_replication_id, 0, 0 },
        { "digest", debug_digest, 0, 0 },
        { "digest-value", debug_digest_values, 0, UINT32_MAX },
        { "error", reply_an_error, 1, 1 },
        { "help", help, 0, 0 },
        { "htstats", describe_table, 1, 1 },
        { "htstats-key", describe_value_table, 1, 1 },
        { "listpack", describe_listpack, 1, 1 },
        { "log", write_log, 1, 1 },
        { "object", describe_object, 1, 2 },
        { "pause-cron", pause_cron, 1, 1 },
        { "populate", populate, 1, 3 },
        { "protocol", debug_protocol, 1, 1 },
        { "quicklist", describe_quicklist, 1, 2 },
        { "quicklist-packed-threshold", set_packed_threshold, 1, 1 },
        { "replybuffer", tune_reply_buffer, 2, 2 },
        { "sdslen", describe_string, 1, 1 },
        { "set-active-expire", set_active_expire, 1, 1 },
        { "set-skip-checksum-validation", skip_checksums, 1, 1 },
        { "sleep", sleep_for, 1, 1 },
        { "stringmatch-len", match_string, 2, 2 },
        { "structsize", describe_structures, 0, 0 },
    };
    if (!is_allowed(call)) {
        reply_error(call->reply,
                    LIT("ERR DEBUG command not allowed. If the enable-debug-command option is set "
                        "to \"local\", you can run it from a local connection, otherwise you need "
                        "to set this option in the configuration file, and then restart the "
                        "server."));
        return ERR_REPLIED;
    }
    struct bytes name = args_next(&call->args);
    uint32_t left = args_left(&call->args);
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
        if (left >= subcommands[i].least && left <= subcommands[i].most &&
            bytes_equal_nocase(name, bytes_of(subcommands[i].name))) {
            return subcommands[i].run(call);
        }
    }
    return help_refuse(call, "DEBUG");
}

static const struct command rows[] = {
    {
        .name = "debug",
        .handler = debug,
        .arity = -2,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_KEYS_ALL | CMD_SYSTEM,
        .since = "1.0.0",
        .complexity = "Depends on subcommand.",
        .summary = "Looks inside the server, for tests.",
        .syntax = "subcommand:string [arg:string...]",
    },
};

const struct command_family cmd_debug_family = { rows, sizeof rows / sizeof rows[0] };
