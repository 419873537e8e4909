/* Parts of strings: APPEND, STRLEN, GETRANGE, SUBSTR, SETRANGE. */
#include "commands/families.h"
#include "commands/lookup.h"

/* True when a string of 'len' bytes and 'more' after them may be stored. */
static bool length_fits(const struct call *call, uint64_t len, uint64_t more)
{
    uint64_t max = call->engine->settings.max_bulk_len;
    return len <= max && more <= max - len;
}

static enum err append(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), tail = call_argument(call, 2);
    struct entry *entry;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    if (err != OK) {
        return err;
    }
    size_t len = entry != NULL ? entry_string(entry).len : 0;
    if (entry == NULL) {
        err = keyspace_set_string(call->keyspace, call->keys, key, tail, EXPIRY_REPLACE,
                                  KEYSPACE_NO_EXPIRY);
    } else if (!length_fits(call, len, tail.len)) {
        return ERR_STRING_TOO_LONG;
    } else {
        char *at;
        err = keyspace_resize_string(call->keyspace, call->keys, key, len + tail.len, &at);
        if (err == OK && tail.len > 0) {
            memcpy(at + len, tail.at, tail.len);
        }
    }
    if (err != OK) {
        return err;
    }
    call_changed(call, key, "append");
    reply_integer(call->reply, (int64_t)(len + tail.len));
    return OK;
}

static enum err string_length(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_string(call, call_argument(call, 1), &entry);
    if (err == OK) {
        reply_integer(call->reply, entry != NULL ? (int64_t)entry_string(entry).len : 0);
    }
    return err;
}

/* Turns 'start' and 'end' (inclusive, negative from the end) into a range of a string of
 * 'len' bytes; its length is returned, 0 when nothing is in it. */
static size_t clip_range(int64_t start, int64_t end, size_t len, size_t *from)
{
    int64_t whole = (int64_t)len;
    *from = 0;
    if (start < 0 && end < 0 && start > end) {
        return 0;
    }
    start = start < 0 ? start + whole : start;
    end = end < 0 ? end + whole : end;
    start = start < 0 ? 0 : start;
    end = end < 0 ? 0 : end;
    if (end >= whole) {
        end = whole - 1;
    }
    if (start > end) {
        return 0;
    }
    *from = (size_t)start;
    return (size_t)(end - start + 1);
}

static enum err getrange(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    int64_t start = args_int(&call->args), end = args_int(&call->args);
    enum err err = args_end(&call->args);
    if (err != OK) {
        return err;
    }
    struct entry *entry;
    err = lookup_string(call, key, &entry);
    if (err != OK) {
        return err;
    }
    struct bytes value = entry != NULL ? entry_string(entry) : LIT("");
    size_t from, len = clip_range(start, end, value.len, &from);
    struct blob *blob = entry != NULL ? entry_blob(entry) : NULL;
    if (blob != NULL) {
        reply_blob(call->reply, blob, from, len);
    } else {
        reply_bytes(call->reply, (struct bytes){ value.at + from, len });
    }
    return OK;
}

static enum err setrange(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    int64_t offset = args_int(&call->args);
    struct bytes part = args_next(&call->args);
    enum err err = args_end(&call->args);
    if (err != OK) {
        return err;
    }
    if (offset < 0) {
        return ERR_OFFSET;
    }
    struct entry *entry;
    err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    if (err != OK) {
        return err;
    }
    size_t len = entry != NULL ? entry_string(entry).len : 0;
    if (part.len == 0) {
        reply_integer(call->reply, (int64_t)len);
        return OK;
    }
    if (!length_fits(call, (uint64_t)offset, part.len)) {
        return ERR_STRING_TOO_LONG;
    }
    size_t end = (size_t)offset + part.len;
    len = end > len ? end : len;
    char *at;
    err = keyspace_resize_string(call->keyspace, call->keys, key, len, &at);
    if (err != OK) {
        return err;
    }
    memcpy(at + offset, part.at, part.len);
    call_changed(call, key, "setrange");
    reply_integer(call->reply, (int64_t)len);
    return OK;
}

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "append", .handler = append, .arity = 3, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "2.0.0",
        .complexity = "O(1) amortised for short values: a growing string gets room to grow again.",
        .summary = "Adds bytes to the end of a string, creating it when there is none.",
        .syntax = "key:key value:string",
    },
    {
        .name = "strlen", .handler = string_length, .arity = 2, .group = GROUP_STRING,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO) },
        .since = "2.2.0", .complexity = "O(1)",
        .summary = "Returns the number of bytes of a string.",
        .syntax = "key:key",
    },
    {
        .name = "getrange", .handler = getrange, .arity = 4, .group = GROUP_STRING,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.4.0",
        .complexity = "O(N) where N is the length of the reply; long ones are not copied.",
        .summary = "Returns a part of a string.",
        .syntax = "key:key start:int end:int",
    },
    {
        .name = "substr", .handler = getrange, .arity = 4, .group = GROUP_STRING,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the length of the reply; long ones are not copied.",
        .summary = "Returns a part of a string.",
        .syntax = "key:key start:int end:int",
        .deprecated_since = "2.0.0", .replaced_by = "`GETRANGE`",
    },
    {
        .name = "setrange", .handler = setrange, .arity = 4, .group = GROUP_STRING,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "2.2.0",
        .complexity =
            "O(M) where M is the length of the new part, or of the string if it must grow.",
        .summary = "Overwrites a part of a string, filling a gap before it with zero bytes.",
        .syntax = "key:key offset:int value:string",
    },
};
/* clang-format on */

const struct command_family cmd_substring_family = { rows, sizeof rows / sizeof rows[0] };
