/* What the commands on lists share; see list_commands.h. */
#include "commands/list_commands.h"

#include "base/buf.h"
#include "base/num.h"

enum err list_read_end(struct bytes word, enum list_end *end)
{
    if (bytes_equal_nocase(word, LIT("LEFT"))) {
        *end = LIST_HEAD;
    } else if (bytes_equal_nocase(word, LIT("RIGHT"))) {
        *end = LIST_TAIL;
    } else {
        return ERR_SYNTAX;
    }
    return OK;
}

/* ---- Replies -------------------------------------------------------------------------- */

static void reply_element(struct reply *reply, const struct listpack_value *value)
{
    if (value->string.at != NULL) {
        reply_bytes(reply, value->string);
    } else {
        reply_number_as_bytes(reply, value->integer);
    }
}

void list_reply_element(struct reply *reply, const struct list_cursor *cursor)
{
    struct blob *blob = list_blob(cursor);
    if (__builtin_expect(blob != NULL, 0)) {
        reply_blob(reply, blob, 0, blob->len);
        return;
    }
    struct listpack_value value = list_get(cursor);
    reply_element(reply, &value);
}

/* Elements from the cursor's on, 'count' of which are there. */
static void reply_forwards(struct reply *reply, struct list_cursor *cursor, uint64_t count)
{
    enum { AT_ONCE = 32 };
    struct listpack_value values[AT_ONCE];
    bool more = count > 0;
    while (more && count > 0) {
        uint32_t taken =
            list_read(cursor, values, count < AT_ONCE ? (uint32_t)count : AT_ONCE, &more);
        for (uint32_t i = 0; i < taken; i++) {
            reply_element(reply, &values[i]);
        }
        count -= taken;
        if (taken == 0) { /* A large one. */
            list_reply_element(reply, cursor);
            count--;
            more = list_next(cursor);
        }
    }
}

void list_reply_range(struct reply *reply, const struct entry *entry, uint64_t start,
                      uint64_t count, bool backwards)
{
    struct list_cursor cursor;
    reply_array(reply, count);
    bool there = count > 0 && list_seek(entry, (int64_t)start, &cursor);
    if (there && !backwards) {
        reply_forwards(reply, &cursor, count);
        return;
    }
    while (there) {
        list_reply_element(reply, &cursor);
        there = --count > 0 && list_previous(&cursor);
    }
}

/* ---- Adding ------------------------------------------------------------------------------ */

static MUST_CHECK enum err add_to(struct call *call, struct entry *entry, enum list_end end,
                                  const struct bytes *texts, uint32_t count)
{
    if (!list_prepare(call->thread, entry, texts, count)) {
        return ERR_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!list_push(call->thread, entry, end, texts[i])) {
            list_pop(call->thread, entry, end, i);
            return ERR_OUT_OF_MEMORY;
        }
    }
    return OK;
}

enum err list_add(struct call *call, struct bytes key, struct entry *entry, enum list_end end,
                  const struct bytes *texts, uint32_t count, uint64_t *length)
{
    enum err err;
    if (entry == NULL) {
        void *list = list_create(call->thread);
        if (list == NULL) {
            return ERR_OUT_OF_MEMORY;
        }
        err = keyspace_add(call->keyspace, call->keys, key, VALUE_LIST, ENCODING_LISTPACK, list,
                           &entry);
        if (err != OK) {
            list_destroy(call->thread, ENCODING_LISTPACK, list);
            return err;
        }
    }
    err = add_to(call, entry, end, texts, count);
    *length = list_count(entry);
    if (err != OK) {
        if (*length == 0) {
            (void)keyspace_delete(call->keyspace, call->keys, key, false);
        }
        return err;
    }
    call_changed(call, key, end == LIST_HEAD ? "lpush" : "rpush");
    return OK;
}

/* ---- Taking -------------------------------------------------------------------------------- */

void list_removed(struct call *call, struct bytes key, struct entry *entry, const char *event,
                  uint64_t left)
{
    call_changed(call, key, event);
    if (left > 0) {
        list_settle(call->thread, entry);
        return;
    }
    (void)keyspace_delete(call->keyspace, call->keys, key, false);
    call_changed(call, key, "del");
}

void list_take_one(struct call *call, struct bytes key, struct entry *entry, enum list_end end)
{
    struct list_cursor cursor;
    uint64_t count = list_count(entry);
    if (list_seek(entry, end == LIST_HEAD ? 0 : -1, &cursor)) {
        list_reply_element(call->reply, &cursor);
    }
    if (count > 1) {
        list_pop(call->thread, entry, end, 1);
    }
    list_removed(call, key, entry, end == LIST_HEAD ? "lpop" : "rpop", count - 1);
}

uint64_t list_take(struct call *call, struct bytes key, struct entry *entry, enum list_end end,
                   uint64_t count)
{
    uint64_t there = list_count(entry);
    count = count < there ? count : there;
    list_reply_range(call->reply, entry, end == LIST_HEAD ? 0 : there - 1, count, end == LIST_TAIL);
    if (count < there) {
        list_pop(call->thread, entry, end, count);
    }
    list_removed(call, key, entry, end == LIST_HEAD ? "lpop" : "rpop", there - count);
    return count;
}

/* ---- Moving ---------------------------------------------------------------------------------- */

/* From one end of a list to an end of the same one; 'text' does not lie in it.  The list is no
 * larger afterwards, so that it stays as short or long as it is. */
static MUST_CHECK enum err rotate(struct call *call, struct bytes key, struct entry *entry,
                                  enum list_end from, enum list_end to, struct bytes text)
    REQUIRES(*call->keys)
{
    if (!list_push(call->thread, entry, to, text)) {
        return ERR_OUT_OF_MEMORY;
    }
    if (from != to) {
        list_pop(call->thread, entry, from, 1);
    } else {
        /* It is the neighbour of its copy. */
        uint64_t count = list_count(entry);
        list_delete_range(call->thread, entry, to == LIST_HEAD ? 1 : count - 2, 1);
    }
    call_changed(call, key, to == LIST_HEAD ? "lpush" : "rpush");
    list_removed(call, key, entry, from == LIST_HEAD ? "lpop" : "rpop", list_count(entry));
    return OK;
}

enum err list_move(struct call *call, struct bytes from, struct entry *source,
                   enum list_end from_end, struct bytes to, enum list_end to_end)
{
    struct entry *target = source;
    struct list_cursor cursor;
    struct buf copy = { 0 };
    char room[LISTPACK_TEXT_ROOM];
    bool same = bytes_equal(from, to);
    struct reply_mark mark = reply_mark(call->reply);
    enum err err = OK;

    if (!same) {
        err = keyspace_find(call->keyspace, call->keys, to, VALUE_LIST, &target);
        if (err != OK) {
            return err;
        }
    }
    if (!list_seek(source, from_end == LIST_HEAD ? 0 : -1, &cursor)) {
        return ERR_INTERNAL; /* Lists are never empty. */
    }
    list_reply_element(call->reply, &cursor);
    struct bytes text = list_text(&cursor, room);
    if (same) {
        if (!buf_reserve(&copy, text.len + 1)) {
            err = ERR_OUT_OF_MEMORY;
            goto out;
        }
        buf_append(&copy, text);
        err = rotate(call, from, source, from_end, to_end, (struct bytes){ copy.at, text.len });
    } else {
        uint64_t length;
        err = list_add(call, to, target, to_end, &text, 1, &length);
        if (err == OK) {
            /* The table may have moved, entries stay. */
            list_pop(call->thread, source, from_end, 1);
            list_removed(call, from, source, from_end == LIST_HEAD ? "lpop" : "rpop",
                         list_count(source));
        }
    }

out:
    if (err != OK) {
        reply_rewind(call->reply, mark);
    }
    buf_release(&copy);
    return err;
}

/* ---- From the first of several keys -------------------------------------------------------------- */

enum err list_take_from_first(struct call *call, const struct bytes *keys, uint32_t key_count,
                              enum list_end end, uint64_t count, bool *found)
{
    *found = false;
    for (uint32_t i = 0; i < key_count; i++) {
        struct entry *entry;
        enum err err = keyspace_find(call->keyspace, call->keys, keys[i], VALUE_LIST, &entry);
        if (err != OK) {
            return err;
        }
        if (entry == NULL) {
            continue;
        }
        char digits[NUM_INT_ROOM];
        reply_array(call->reply, 2);
        reply_bytes(call->reply, keys[i]);
        uint64_t taken = list_take(call, keys[i], entry, end, count);
        struct bytes argv[] = { end == LIST_HEAD ? LIT("LPOP") : LIT("RPOP"),
                                keys[i],
                                { digits, num_format_u64(digits, taken) } };
        call_propagate_as(call, argv, 3);
        *found = true;
        return OK;
    }
    return OK;
}

enum err list_read_take_arguments(struct call *call, struct list_take_arguments *arguments)
{
    struct args *args = &call->args;
    int64_t number;
    if (!num_parse_i64(args_next(args), &number) || number < 1) {
        reply_error(call->reply, LIT("ERR numkeys should be greater than 0"));
        return ERR_REPLIED;
    }
    if (number >= args_left(args)) {
        return ERR_SYNTAX;
    }
    arguments->keys = args->argv + args->next;
    arguments->key_count = (uint32_t)number;
    arguments->count = 1;
    args->next += arguments->key_count;
    enum err err = list_read_end(args_next(args), &arguments->end);
    if (err != OK || args_left(args) == 0) {
        return err;
    }
    if (!args_option_with(args, LIT("COUNT"), 1)) {
        return ERR_SYNTAX;
    }
    if (!num_parse_i64(args_next(args), &number) || number < 1) {
        reply_error(call->reply, LIT("ERR count should be greater than 0"));
        return ERR_REPLIED;
    }
    arguments->count = (uint64_t)number;
    return args_end(args);
}
