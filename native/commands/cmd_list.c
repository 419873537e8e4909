/* Lists: adding to and taking from their ends, and reading them.  Changes between the ends
 * are in cmd_list_edit.c, moves between lists in cmd_list_move.c. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/list_commands.h"

/* ---- Adding ----------------------------------------------------------------------------- */

static MUST_CHECK enum err push(struct call *call, enum list_end end, bool only_present)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    uint64_t length = 0;
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    if (err == OK && (entry != NULL || !only_present)) {
        err = list_add(call, key, entry, end, call->args.argv + 2, call->args.argc - 2, &length);
    }
    if (err == OK) {
        reply_integer(call->reply, (int64_t)length);
    }
    return err;
}

static enum err lpush(struct call *call) REQUIRES(*call->keys)
{
    return push(call, LIST_HEAD, false);
}

static enum err rpush(struct call *call) REQUIRES(*call->keys)
{
    return push(call, LIST_TAIL, false);
}

static enum err lpushx(struct call *call) REQUIRES(*call->keys)
{
    return push(call, LIST_HEAD, true);
}

static enum err rpushx(struct call *call) REQUIRES(*call->keys)
{
    return push(call, LIST_TAIL, true);
}

/* ---- Taking ------------------------------------------------------------------------------- */

static MUST_CHECK enum err pop(struct call *call, enum list_end end) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct entry *entry;
    int64_t count = 0;
    bool counted = call->args.argc == 3;
    if (call->args.argc > 3) {
        return ERR_ARITY;
    }
    if (counted && (!num_parse_i64(call_argument(call, 2), &count) || count < 0)) {
        return ERR_NOT_POSITIVE;
    }
    enum err err = keyspace_find(call->keyspace, call->keys, key, VALUE_LIST, &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        counted ? reply_null_array(call->reply) : reply_null(call->reply);
    } else if (!counted) {
        list_take_one(call, key, entry, end);
    } else if (count == 0) {
        reply_array(call->reply, 0);
    } else {
        (void)list_take(call, key, entry, end, (uint64_t)count);
    }
    return OK;
}

static enum err lpop(struct call *call) REQUIRES(*call->keys)
{
    return pop(call, LIST_HEAD);
}

static enum err rpop(struct call *call) REQUIRES(*call->keys)
{
    return pop(call, LIST_TAIL);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static enum err llen(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = list_lookup(call, call_argument(call, 1), &entry);
    if (err == OK) {
        reply_integer(call->reply, entry != NULL ? (int64_t)list_count(entry) : 0);
    }
    return err;
}

static enum err lrange(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    int64_t start = args_int(&call->args), stop = args_int(&call->args);
    struct entry *entry = NULL;
    enum err err = args_end(&call->args);
    if (err == OK) {
        err = list_lookup(call, key, &entry);
    }
    if (err != OK) {
        return err;
    }
    int64_t count = entry != NULL ? (int64_t)list_count(entry) : 0;
    start = start >= 0 ? start : start < -count ? 0 : start + count;
    stop = stop >= 0 ? stop : stop < -count ? -1 : stop + count;
    stop = stop < count ? stop : count - 1;
    if (start > stop) {
        reply_array(call->reply, 0);
    } else {
        list_reply_range(call->reply, entry, (uint64_t)start, (uint64_t)(stop - start + 1), false);
    }
    return OK;
}

static enum err lindex(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    struct list_cursor cursor;
    int64_t index;
    enum err err = list_lookup(call, call_argument(call, 1), &entry);
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_null(call->reply);
        return OK;
    }
    if (!num_parse_i64(call_argument(call, 2), &index)) {
        return ERR_NOT_INT;
    }
    if (list_seek(entry, index, &cursor)) {
        list_reply_element(call->reply, &cursor);
    } else {
        reply_null(call->reply);
    }
    return OK;
}

/* ---- LPOS --------------------------------------------------------------------------------------- */

struct search {
    struct bytes text;
    bool backwards;
    uint64_t rank;   /* the first match that counts; 1 is the first of all */
    int64_t count;   /* matches wanted, 0: all; -1: one, not in an array */
    uint64_t length; /* elements looked at, 0: all */
};

static MUST_CHECK enum err read_rank(struct call *call, struct bytes text, struct search *search)
{
    int64_t rank;
    if (!num_parse_i64(text, &rank)) {
        return ERR_NOT_INT;
    }
    if (rank == INT64_MIN) {
        reply_errorf(call->reply, "ERR value is out of range, value must between %lld and %lld",
                     (long long)-INT64_MAX, (long long)INT64_MAX);
        return ERR_REPLIED;
    }
    if (rank == 0) {
        reply_error(call->reply,
                    LIT("ERR RANK can't be zero: use 1 to start from the first match, 2 from the "
                        "second ... or use negative to start from the end of the list"));
        return ERR_REPLIED;
    }
    search->backwards = rank < 0;
    search->rank = (uint64_t)(rank < 0 ? -rank : rank);
    return OK;
}

/* A number that is not negative; '*number' stays as it is when there is an error. */
static MUST_CHECK enum err read_natural(struct call *call, const char *name, int64_t *number)
{
    int64_t value;
    if (!num_parse_i64(args_next(&call->args), &value) || value < 0) {
        reply_errorf(call->reply, "ERR %s can't be negative", name);
        return ERR_REPLIED;
    }
    *number = value;
    return OK;
}

static MUST_CHECK enum err read_search(struct call *call, struct search *search)
{
    struct args *args = &call->args;
    int64_t length = 0;
    enum err err = OK;
    *search = (struct search){ .text = args_next(args), .rank = 1, .count = -1 };
    while (err == OK && args_left(args) > 0) {
        if (args_option_with(args, LIT("RANK"), 1)) {
            err = read_rank(call, args_next(args), search);
        } else if (args_option_with(args, LIT("COUNT"), 1)) {
            err = read_natural(call, "COUNT", &search->count);
        } else if (args_option_with(args, LIT("MAXLEN"), 1)) {
            err = read_natural(call, "MAXLEN", &length);
        } else {
            err = ERR_SYNTAX;
        }
    }
    search->length = (uint64_t)length;
    return err;
}

/* Calls for each match that counts, as often as wanted; the last one's index is in '*found'. */
static uint64_t run_search(struct call *call, const struct search *search,
                           const struct entry *entry, int64_t *found)
{
    struct list_cursor cursor;
    uint64_t wanted = search->count < 0    ? 1
                      : search->count == 0 ? UINT64_MAX
                                           : (uint64_t)search->count;
    uint64_t matches = 0, replied = 0, seen = 0;
    bool there = list_seek(entry, search->backwards ? -1 : 0, &cursor);
    while (there && (search->length == 0 || seen < search->length)) {
        if (list_is(&cursor, search->text) && ++matches >= search->rank) {
            *found = (int64_t)(search->backwards ? list_count(entry) - seen - 1 : seen);
            if (search->count >= 0) {
                reply_integer(call->reply, *found);
            }
            if (++replied == wanted) {
                break;
            }
        }
        seen++;
        there = search->backwards ? list_previous(&cursor) : list_next(&cursor);
    }
    return replied;
}

static enum err lpos(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = args_next(&call->args);
    struct search search;
    struct entry *entry;
    enum err err = read_search(call, &search);
    if (err == OK) {
        err = list_lookup(call, key, &entry);
    }
    if (err != OK) {
        return err;
    }
    int64_t found = 0;
    if (search.count >= 0) {
        struct reply_mark mark = reply_begin_deferred(call->reply);
        uint64_t count = entry != NULL ? run_search(call, &search, entry, &found) : 0;
        reply_end_array(call->reply, mark, count);
    } else if (entry != NULL && run_search(call, &search, entry, &found) > 0) {
        reply_integer(call->reply, found);
    } else {
        reply_null(call->reply);
    }
    return OK;
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

static const struct command_history push_history[] = {
    { "2.4.0", "Several elements can be given." },
    { NULL, NULL },
};

static const struct command_history pushx_history[] = {
    { "4.0.0", "Several elements can be given." },
    { NULL, NULL },
};

static const struct command_history pop_history[] = {
    { "6.2.0", "The argument `count`." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "lpush",
        .handler = lpush,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of elements added.",
        .summary = "Adds elements before the first one of a list, which is made if need be.",
        .syntax = "key:key element:string ...",
        .history = push_history,
    },
    {
        .name = "rpush",
        .handler = rpush,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of elements added.",
        .summary = "Adds elements behind the last one of a list, which is made if need be.",
        .syntax = "key:key element:string ...",
        .history = push_history,
    },
    {
        .name = "lpushx",
        .handler = lpushx,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "2.2.0",
        .complexity = "O(N) where N is the number of elements added.",
        .summary = "Adds elements before the first one of a list that exists.",
        .syntax = "key:key element:string ...",
        .history = pushx_history,
    },
    {
        .name = "rpushx",
        .handler = rpushx,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_INSERT) },
        .since = "2.2.0",
        .complexity = "O(N) where N is the number of elements added.",
        .summary = "Adds elements behind the last one of a list that exists.",
        .syntax = "key:key element:string ...",
        .history = pushx_history,
    },
    {
        .name = "lpop",
        .handler = lpop,
        .arity = -2,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of elements returned.",
        .summary = "Returns and removes the first elements of a list.",
        .syntax = "key:key [count:int@6.2.0]",
        .history = pop_history,
    },
    {
        .name = "rpop",
        .handler = rpop,
        .arity = -2,
        .group = GROUP_LIST,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_DELETE) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of elements returned.",
        .summary = "Returns and removes the last elements of a list, the last one first.",
        .syntax = "key:key [count:int@6.2.0]",
        .history = pop_history,
    },
    {
        .name = "llen",
        .handler = llen,
        .arity = 2,
        .group = GROUP_LIST,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO) },
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Returns the number of elements of a list.",
        .syntax = "key:key",
    },
    {
        .name = "lrange",
        .handler = lrange,
        .arity = 4,
        .group = GROUP_LIST,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0",
        .complexity = "O(S+N) where S is the number of pieces of a few kilobytes between the "
                      "range and the nearer end, and N the number of elements returned.",
        .summary = "Returns a range of the elements of a list.",
        .syntax = "key:key start:int stop:int",
    },
    {
        .name = "lindex",
        .handler = lindex,
        .arity = 3,
        .group = GROUP_LIST,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of pieces of a few kilobytes between the "
                      "element and the nearer end.",
        .summary = "Returns an element of a list by its index.",
        .syntax = "key:key index:int",
    },
    {
        .name = "lpos",
        .handler = lpos,
        .arity = -3,
        .group = GROUP_LIST,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "6.0.6",
        .complexity = "O(N) where N is the number of elements looked at.",
        .summary = "Returns the indexes of elements of a list that match.",
        .syntax = "key:key element:string [RANK rank:int] [COUNT num-matches:int] "
                  "[MAXLEN len:int]",
    },
};

const struct command_family cmd_list_family = { rows, sizeof rows / sizeof rows[0] };
