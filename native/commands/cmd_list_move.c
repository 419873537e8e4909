/* Lists, from one to another and from the first of several: LMOVE, RPOPLPUSH, LMPOP. */
#include "commands/families.h"
#include "commands/list_commands.h"

static MUST_CHECK enum err move(struct call *call, enum list_end from, enum list_end to)
    REQUIRES(*call->keys)
{
    struct entry *entry;
    struct bytes key = call_argument(call, 1);
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_null(call->reply);
        return OK;
    }
    return list_move(call, key, entry, from, call_argument(call, 2), to);
}

static enum err lmove(struct call *call) REQUIRES(*call->keys)
{
    enum list_end from, to;
    enum err err = list_read_end(call_argument(call, 3), &from);
    if (err == OK) {
        err = list_read_end(call_argument(call, 4), &to);
    }
    return err != OK ? err : move(call, from, to);
}

static enum err rpoplpush(struct call *call) REQUIRES(*call->keys)
{
    return move(call, LIST_TAIL, LIST_HEAD);
}

static enum err lmpop(struct call *call) REQUIRES(*call->keys)
{
    struct list_take_arguments arguments;
    bool found = false;
    enum err err = list_read_take_arguments(call, &arguments);
    if (err == OK) {
        err = list_take_from_first(call, arguments.keys, arguments.key_count, arguments.end,
                                   arguments.count, &found);
    }
    if (err == OK && !found) {
        reply_null_array(call->reply);
    }
    return err;
}

/* ---- Rows -------------------------------------------------------------------------------- */

static const struct command rows[] = {
    {
        .name = "lmove",
        .handler = lmove,
        .arity = 5,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Moves an element from an end of a list to an end of another one, and "
                   "returns it.",
        .syntax = "source:key destination:key wherefrom=<LEFT | RIGHT> "
                  "whereto=<LEFT | RIGHT>",
    },
    {
        .name = "rpoplpush",
        .handler = rpoplpush,
        .arity = 3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE), KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "1.2.0",
        .complexity = "O(1)",
        .summary = "Moves the last element of a list before the first one of another, and "
                   "returns it.",
        .syntax = "source:key destination:key",
        .deprecated_since = "6.2.0",
        .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments",
    },
    {
        .name = "lmpop",
        .handler = lmpop,
        .arity = -4,
        .group = GROUP_LIST,
        .flags = CMD_WRITE,
        .keys = { KEYS_COUNTED(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "7.0.0",
        .complexity = "O(N+M) where N is the number of keys and M the number of elements "
                      "returned.",
        .summary = "Returns and removes elements of the first list that exists.",
        .syntax = "numkeys:int key:key ... where=<LEFT | RIGHT> [COUNT count:int]",
    },
};

const struct command_family cmd_list_move_family = { rows, sizeof rows / sizeof rows[0] };
