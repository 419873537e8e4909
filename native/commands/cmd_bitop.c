/* BITOP: strings combined bit by bit; the loops are base/bits.h's. */
#include "base/bits.h"
#include "base/mem.h"
#include "commands/families.h"
#include "commands/lookup.h"

/* Sources up to so many need no memory of their own. */
enum { FEW_SOURCES = 16, FIRST_SOURCE = 3 };

static MUST_CHECK enum err read_operation(struct call *call, enum bits_operation *operation)
{
    static const struct {
        const char *name;
        enum bits_operation operation;
    } names[] = {
        { "AND", BITS_AND },     { "OR", BITS_OR },     { "XOR", BITS_XOR },
        { "NOT", BITS_NOT },     { "DIFF", BITS_DIFF }, { "DIFF1", BITS_DIFF1 },
        { "ANDOR", BITS_ANDOR }, { "ONE", BITS_ONE },
    };
    struct bytes word = call_argument(call, 1);
    size_t at = 0;
    while (at < sizeof names / sizeof names[0] &&
           !bytes_equal_nocase(bytes_of(names[at].name), word)) {
        at++;
    }
    if (at == sizeof names / sizeof names[0]) {
        return ERR_SYNTAX;
    }
    *operation = names[at].operation;
    uint32_t sources = call->args.argc - FIRST_SOURCE;
    if (*operation == BITS_NOT && sources != 1) {
        reply_error(call->reply, LIT("ERR BITOP NOT must be called with a single source key."));
        return ERR_REPLIED;
    }
    if ((*operation == BITS_DIFF || *operation == BITS_DIFF1 || *operation == BITS_ANDOR) &&
        sources < 2) {
        reply_errorf(call->reply, "ERR BITOP %s must be called with at least two source keys.",
                     names[at].name);
        return ERR_REPLIED;
    }
    return OK;
}

/* The values of all sources, and the longest one's length. */
static MUST_CHECK enum err find_sources(struct call *call, struct bytes *sources, size_t *len)
    REQUIRES(*call->keys)
{
    *len = 0;
    for (uint32_t i = FIRST_SOURCE; i < call->args.argc; i++) {
        struct entry *entry;
        enum err err = lookup_string(call, call_argument(call, i), &entry);
        if (err != OK) {
            return err;
        }
        struct bytes value = entry != NULL ? entry_string(entry) : LIT("");
        sources[i - FIRST_SOURCE] = value;
        *len = value.len > *len ? value.len : *len;
    }
    return OK;
}

/* Puts the result, or no key where it would be empty, in the place of what is there. */
static MUST_CHECK enum err store_result(struct call *call, struct bytes result)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 2);
    if (result.len == 0) {
        if (keyspace_delete(call->keyspace, call->keys, key,
                            call->engine->settings.lazy_server_del)) {
            call_changed(call, key, "del");
        }
        return OK;
    }
    enum err err = keyspace_set_string(call->keyspace, call->keys, key, result, EXPIRY_REPLACE,
                                       KEYSPACE_NO_EXPIRY);
    if (err != OK) {
        return err;
    }
    struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    if (entry != NULL) {
        entry_set_encoding(entry, ENCODING_RAW);
    }
    call_changed(call, key, "set");
    return OK;
}

static enum err bitop(struct call *call) REQUIRES(*call->keys)
{
    enum bits_operation operation;
    struct bytes few[FEW_SOURCES], *sources = few;
    uint32_t count = call->args.argc - FIRST_SOURCE;
    size_t len;
    char *out = NULL;
    enum err err = read_operation(call, &operation);
    if (err != OK) {
        return err;
    }
    if (count > FEW_SOURCES) {
        sources = mem_try_alloc(count * sizeof *sources);
        if (sources == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
    }
    err = find_sources(call, sources, &len);
    if (err != OK) {
        goto out;
    }
    if (len > 0) {
        out = mem_try_alloc(len);
        if (out == NULL) {
            err = ERR_OUT_OF_MEMORY;
            goto out;
        }
        bits_combine(operation, out, len, sources, count);
    }
    err = store_result(call, (struct bytes){ out, len });
    if (err == OK) {
        reply_integer(call->reply, (int64_t)len);
    }

out:
    mem_free(out);
    if (sources != few) {
        mem_free(sources);
    }
    return err;
}

static const struct command_history bitop_history[] = {
    { "8.2.0", "`DIFF`, `DIFF1`, `ANDOR` and `ONE` can be given." },
    { NULL, NULL },
};

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "bitop", .handler = bitop, .arity = -4, .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(2, KEY_OW | KEY_UPDATE), KEYS_FROM(3, -1, 1, KEY_RO | KEY_ACCESS) },
        .since = "2.6.0", .complexity = "O(N)",
        .summary = "Combines strings bit by bit and stores the result.",
        .syntax = "operation=<AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey:key "
                  "key:key ...",
        .history = bitop_history,
    },
};
/* clang-format on */

const struct command_family cmd_bitop_family = { rows, sizeof rows / sizeof rows[0] };
