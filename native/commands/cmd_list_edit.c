/* Lists, changes between their ends: LSET, LINSERT, LREM, LTRIM.  The ends are in cmd_list.c. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/list_commands.h"

static enum err lset(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), text = call_argument(call, 3);
    struct entry *entry;
    struct list_cursor cursor;
    int64_t index;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        return ERR_NO_KEY;
    }
    if (!num_parse_i64(call_argument(call, 2), &index)) {
        return ERR_NOT_INT;
    }
    if (!list_prepare(call->thread, entry, &text, 1)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (!list_seek(entry, index, &cursor)) {
        reply_error(call->reply, LIT("ERR index out of range"));
        return ERR_REPLIED;
    }
    if (!list_replace(call->thread, entry, &cursor, text)) {
        return ERR_OUT_OF_MEMORY;
    }
    list_settle(call->thread, entry);
    call_changed(call, key, "lset");
    reply_ok(call->reply);
    return OK;
}

/* Puts the cursor on the first element that is 'text'. */
static bool find(const struct entry *entry, struct bytes text, struct list_cursor *cursor)
{
    bool there = list_seek(entry, 0, cursor);
    while (there && !list_is(cursor, text)) {
        there = list_next(cursor);
    }
    return there;
}

static enum err linsert(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), where = call_argument(call, 2);
    struct bytes text = call_argument(call, 4);
    bool behind = bytes_equal_nocase(where, LIT("AFTER"));
    struct entry *entry;
    struct list_cursor cursor;
    if (!behind && !bytes_equal_nocase(where, LIT("BEFORE"))) {
        return ERR_SYNTAX;
    }
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_integer(call->reply, 0);
        return OK;
    }
    if (!list_prepare(call->thread, entry, &text, 1)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (!find(entry, call_argument(call, 3), &cursor)) {
        reply_integer(call->reply, -1);
        return OK;
    }
    if (!list_insert(call->thread, entry, &cursor, behind, text)) {
        return ERR_OUT_OF_MEMORY;
    }
    call_changed(call, key, "linsert");
    reply_integer(call->reply, (int64_t)list_count(entry));
    return OK;
}

static enum err lrem(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), text = call_argument(call, 3);
    struct entry *entry;
    struct list_cursor cursor;
    int64_t count, removed = 0;
    if (!num_parse_i64(call_argument(call, 2), &count)) {
        return ERR_NOT_INT;
    }
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_integer(call->reply, 0);
        return OK;
    }
    bool backwards = count < 0;
    uint64_t most = count == 0 ? UINT64_MAX : backwards ? 0 - (uint64_t)count : (uint64_t)count;
    bool there = list_seek(entry, backwards ? -1 : 0, &cursor);
    while (there && (uint64_t)removed < most) {
        if (list_is(&cursor, text)) {
            there = list_delete(call->thread, entry, &cursor, backwards);
            removed++;
        } else {
            there = backwards ? list_previous(&cursor) : list_next(&cursor);
        }
    }
    if (removed > 0) {
        list_removed(call, key, entry, "lrem", list_count(entry));
    }
    reply_integer(call->reply, removed);
    return OK;
}

static enum err ltrim(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    int64_t start = args_int(&call->args), stop = args_int(&call->args);
    struct entry *entry = NULL;
    enum err err = args_end(&call->args);
    if (err == OK) {
        err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_ok(call->reply);
        return OK;
    }
    int64_t count = (int64_t)list_count(entry);
    start = start >= 0 ? start : start < -count ? 0 : start + count;
    stop = stop >= 0 ? stop : stop < -count ? -1 : stop + count;
    stop = stop < count ? stop : count - 1;
    uint64_t left = start <= stop ? (uint64_t)(stop - start + 1) : 0;
    if (left > 0) {
        list_pop(call->thread, entry, LIST_TAIL, (uint64_t)(count - 1 - stop));
        list_pop(call->thread, entry, LIST_HEAD, (uint64_t)start);
    }
    list_removed(call, key, entry, "ltrim", left);
    if (left == (uint64_t)count) {
        call_propagate_nothing(call);
    }
    reply_ok(call->reply);
    return OK;
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const struct command rows[] = {
    {
        .name = "lset",
        .handler = lset,
        .arity = 4,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of pieces of a few kilobytes between the "
                      "element and the nearer end.",
        .summary = "Sets an element of a list by its index.",
        .syntax = "key:key index:int element:string",
    },
    {
        .name = "linsert",
        .handler = linsert,
        .arity = 5,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "2.2.0",
        .complexity = "O(N) where N is the number of elements before the pivot.",
        .summary = "Inserts an element into a list before or behind another one.",
        .syntax = "key:key where=<BEFORE | AFTER> pivot:string element:string",
    },
    {
        .name = "lrem",
        .handler = lrem,
        .arity = 4,
        .group = GROUP_LIST,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "1.0.0",
        .complexity = "O(N+M) where N is the length of the list and M the number of elements "
                      "removed.",
        .summary = "Removes the elements of a list that match.",
        .syntax = "key:key count:int element:string",
    },
    {
        .name = "ltrim",
        .handler = ltrim,
        .arity = 4,
        .group = GROUP_LIST,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of elements removed.",
        .summary = "Removes the elements of a list that are outside of a range.",
        .syntax = "key:key start:int stop:int",
    },
};

const struct command_family cmd_list_edit_family = { rows, sizeof rows / sizeof rows[0] };
