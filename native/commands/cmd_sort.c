/* SORT and SORT_RO: lists, sets and sorted sets in an order of their own or by what other keys
 * hold, as replies or as a list under another key. */
#include "base/mem.h"
#include "commands/families.h"
#include "commands/sort.h"
#include "rdb/payload.h"
#include "store/list.h"
#include "store/set.h"
#include "store/zset.h"

/* ---- Arguments ---------------------------------------------------------------------------------- */

static void read_by(struct sort *sort, struct bytes text)
{
    sort->by = sort_pattern_read(text);
    sort->has_by = true;
    /* Without a star there is nothing to sort by. */
    sort->unsorted = sort->unsorted || !sort->by.has_star;
    sort->leads_away = sort->leads_away || sort->by.has_star;
}

static void read_get(struct sort *sort, struct bytes text)
{
    sort->gets[sort->get_count] = sort_pattern_read(text);
    sort->leads_away = sort->leads_away || sort->gets[sort->get_count].has_star;
    sort->get_count++;
}

static MUST_CHECK enum err read_options(struct args *args, struct sort *sort, bool may_store)
{
    while (args->err == OK && sort->denied == NULL && args_left(args) > 0) {
        if (args_option(args, LIT("ASC"))) {
            sort->descending = false;
        } else if (args_option(args, LIT("DESC"))) {
            sort->descending = true;
        } else if (args_option(args, LIT("ALPHA"))) {
            sort->alpha = true;
        } else if (args_option_with(args, LIT("LIMIT"), 2)) {
            sort->offset = args_int(args);
            sort->count = args_int(args);
        } else if (may_store && args_option_with(args, LIT("STORE"), 1)) {
            sort->destination = args_next(args);
        } else if (args_option_with(args, LIT("BY"), 1)) {
            read_by(sort, args_next(args));
            sort->denied = sort->kept_in && sort->by.has_star ? "BY" : NULL;
        } else if (args_option_with(args, LIT("GET"), 1)) {
            read_get(sort, args_next(args));
            sort->denied = sort->kept_in ? "GET" : NULL;
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

/* The elements that LIMIT leaves of 'total', from '*from' on. */
static size_t limited(const struct sort *sort, uint64_t total, uint64_t *from)
{
    uint64_t offset = sort->offset > 0 ? (uint64_t)sort->offset : 0;
    *from = offset < total ? offset : total;
    uint64_t left = total - *from;
    return (size_t)(sort->count >= 0 && (uint64_t)sort->count < left ? (uint64_t)sort->count
                                                                     : left);
}

/* ---- Taking the elements ------------------------------------------------------------------------- */

static void take(struct sort *sort, struct bytes text, const char *passing)
{
    struct sort_item *item = &sort->items[sort->item_count++];
    *item = (struct sort_item){ .text = sort_keep(&sort->digits, text, passing) };
}

static MUST_CHECK bool make_room(struct sort *sort, size_t count)
{
    sort->items = mem_try_alloc((count + 1) * sizeof *sort->items);
    return sort->items != NULL && buf_reserve(&sort->digits, count * LISTPACK_TEXT_ROOM + 1);
}

/* 'count' elements from the place 'from' on, counted from the end when 'backwards'. */
static void take_list(struct sort *sort, const struct entry *entry, uint64_t from, size_t count,
                      bool backwards)
{
    struct list_cursor cursor;
    char room[LISTPACK_TEXT_ROOM];
    bool more =
        count > 0 && list_seek(entry, backwards ? -1 - (int64_t)from : (int64_t)from, &cursor);
    for (; more && count > 0; count--) {
        take(sort, list_text(&cursor, room), room);
        more = backwards ? list_previous(&cursor) : list_next(&cursor);
    }
}

static void take_zset(struct sort *sort, const struct entry *entry, uint64_t from, size_t count,
                      bool backwards)
{
    struct zset zset = zset_of(entry);
    struct zset_cursor cursor;
    struct zset_element element;
    if (count > 0) {
        zset_seek(&zset, backwards ? zset_count(&zset) - 1 - from : from, backwards, &cursor);
    }
    for (; count > 0 && zset_next(&cursor, &element); count--) {
        take(sort, element.member, cursor.room);
    }
}

static void take_set(struct sort *sort, const struct entry *entry)
{
    struct set set = set_of(entry);
    struct set_walk walk;
    struct listpack_value member;
    char room[SET_TEXT_ROOM];
    set_walk_begin(&walk, &set);
    while (set_walk_next(&walk, &member)) {
        take(sort, set_text(&member, room), room);
    }
}

/* Takes all elements, or those within the limit if nothing is to be sorted but a set.  'entry' is
 * NULL for a key that is not there.  (Redis makes a small sorted set a large one for good before
 * it sorts; OBJECT ENCODING tells.  There is no need for it here.) */
static MUST_CHECK enum err take_elements(struct sort *sort, const struct entry *entry)
{
    if (entry == NULL) {
        return make_room(sort, 0) ? OK : ERR_OUT_OF_MEMORY;
    }
    uint64_t from = 0;
    size_t total = value_elements(entry);
    bool is_set = entry->type == VALUE_SET, direct = sort->unsorted && !is_set;
    size_t count = direct ? limited(sort, total, &from) : total;
    if (!make_room(sort, count)) {
        return ERR_OUT_OF_MEMORY;
    }
    bool backwards = direct && sort->descending;
    sort->ordered = entry->type == VALUE_LIST;
    if (is_set) {
        take_set(sort, entry);
    } else if (entry->type == VALUE_LIST) {
        take_list(sort, entry, from, count, backwards);
    } else {
        take_zset(sort, entry, from, count, backwards);
    }
    if (direct) {
        sort->offset = 0; /* The limit is done with. */
        sort->count = -1;
    }
    return OK;
}

/* ---- The result ------------------------------------------------------------------------------------ */

static MUST_CHECK enum err reply_item(struct call *call, struct sort *sort,
                                      const struct sort_item *item) REQUIRES(*call->keys)
{
    struct reply *reply = call->reply;
    if (sort->get_count == 0) {
        reply_bytes(reply, item->text);
    }
    for (uint32_t i = 0; i < sort->get_count; i++) {
        struct sort_found found;
        enum err err = sort_pattern_find(call, &sort->gets[i], item->text, &sort->key, &found);
        if (err != OK) {
            return err;
        }
        if (found.found) {
            reply_bytes(reply, found.text);
        } else {
            reply_null(reply);
        }
    }
    return OK;
}

static MUST_CHECK enum err reply_items(struct call *call, struct sort *sort, size_t from,
                                       size_t count) REQUIRES(*call->keys)
{
    struct reply_mark mark = reply_mark(call->reply);
    enum err err = OK;
    reply_array(call->reply, count * (sort->get_count > 0 ? sort->get_count : 1));
    for (size_t i = 0; i < count && err == OK; i++) {
        err = reply_item(call, sort, &sort->items[from + i]);
    }
    if (err != OK) {
        reply_rewind(call->reply, mark);
    }
    return err;
}

static MUST_CHECK enum err list_item(struct call *call, struct sort *sort,
                                     const struct sort_item *item, void *list) REQUIRES(*call->keys)
{
    struct store_thread *thread = call->thread;
    if (sort->get_count == 0) {
        return list_load_element(thread, list, item->text) ? OK : ERR_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < sort->get_count; i++) {
        struct sort_found found;
        enum err err = sort_pattern_find(call, &sort->gets[i], item->text, &sort->key, &found);
        if (err != OK) {
            return err;
        }
        if (!list_load_element(thread, list, found.text)) {
            return ERR_OUT_OF_MEMORY;
        }
    }
    return OK;
}

/* What came from keys that the command does not name is logged as the list that it came to.
 * When memory is short, the command is logged itself. */
static void propagate_list(struct call *call, struct bytes key) REQUIRES(*call->keys)
{
    struct rdb_writer writer = { .version = RDB_VERSION_7_0, .compress = true };
    struct entry *entry = keyspace_peek(call->keyspace, call->keys, key);
    if (call->engine->changes.effect == NULL || entry == NULL) {
        return;
    }
    rdb_payload_write(&writer, call->thread, entry);
    if (writer.err == OK) {
        struct bytes argv[] = { LIT("RESTORE"), key, LIT("0"), buf_bytes(&writer.out),
                                LIT("REPLACE") };
        call_propagate_as(call, argv, sizeof argv / sizeof argv[0]);
    }
    buf_release(&writer.out);
}

/* Makes the destination hold the list; '*list' is the key's when that succeeds. */
static MUST_CHECK enum err store_list(struct call *call, const struct sort *sort, void **list)
    REQUIRES(*call->keys)
{
    enum encoding encoding = ENCODING_QUICKLIST;
    struct bytes key = sort->destination;
    list_load_done(call->thread, list, &encoding);
    enum err err = keyspace_replace(call->keyspace, call->keys, key, VALUE_LIST, encoding, *list,
                                    call->engine->settings.lazy_server_del);
    if (err != OK) {
        list_destroy(call->thread, encoding, *list);
    }
    *list = NULL;
    if (err == OK) {
        if (sort->leads_away) {
            propagate_list(call, key);
        }
        call_changed(call, key, "sortstore");
    }
    return err;
}

static MUST_CHECK enum err store_items(struct call *call, struct sort *sort, size_t from,
                                       size_t count) REQUIRES(*call->keys)
{
    enum err err = OK;
    void *list = list_create_long(call->thread);
    if (list == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count && err == OK; i++) {
        err = list_item(call, sort, &sort->items[from + i], list);
    }
    size_t length = list_elements(ENCODING_QUICKLIST, list);
    if (err == OK && length > 0) {
        err = store_list(call, sort, &list);
    } else if (err == OK && keyspace_delete(call->keyspace, call->keys, sort->destination,
                                            call->engine->settings.lazy_server_del)) {
        call_changed(call, sort->destination, "del");
    }
    if (list != NULL) {
        list_destroy(call->thread, ENCODING_QUICKLIST, list);
    }
    if (err == OK) {
        reply_integer(call->reply, (int64_t)length);
    }
    return err;
}

/* ---- The commands ---------------------------------------------------------------------------------- */

/* With the elements taken: the order and the result. */
static MUST_CHECK enum err finish(struct call *call, struct sort *sort) REQUIRES(*call->keys)
{
    enum err err = OK;
    if (!sort->unsorted) {
        err = sort_weigh(call, sort);
        if (err == OK && sort->stray) {
            reply_error(call->reply, LIT("ERR One or more scores can't be converted into double"));
            err = ERR_REPLIED;
        }
        if (err == OK) {
            err = sort_order(sort);
        }
    }
    if (err != OK) {
        return err;
    }
    uint64_t from;
    size_t count = limited(sort, sort->item_count, &from);
    return sort->destination.at != NULL ? store_items(call, sort, from, count)
                                        : reply_items(call, sort, from, count);
}

static bool is_of_script(const struct session *session)
{
    uint32_t both = SESSION_INTERNAL | SESSION_EXECUTING;
    return (session->flags & both) == both;
}

static MUST_CHECK enum err sort_key(struct call *call, struct sort *sort) REQUIRES(*call->keys)
{
    struct entry *entry;
    enum err err = lookup_value(call, call_argument(call, 1), VALUE_ANY, &entry);
    if (err != OK) {
        return err;
    }
    if (entry != NULL && entry->type != VALUE_LIST && entry->type != VALUE_SET &&
        entry->type != VALUE_SORTED_SET) {
        return ERR_WRONG_TYPE;
    }
    if (sort->unsorted && entry != NULL && entry->type == VALUE_SET &&
        (sort->destination.at != NULL || is_of_script(call->session))) {
        /* What is stored, or a script goes on with, must not depend on a hash table's order. */
        sort->unsorted = sort->has_by = false;
        sort->alpha = true;
    }
    err = take_elements(sort, entry);
    return err == OK ? finish(call, sort) : err;
}

/* Patterns lead to keys that the command does not name: whoever uses them must be allowed to read
 * every key. */
static bool is_kept_in(const struct call *call)
{
    const struct session *caller = call->session;
    return (session_checks(caller) & SESSION_CHECK_USER) != 0 &&
           !acl_reads_all_keys(caller->user, call->command, call->args.argv, call->args.argc);
}

static MUST_CHECK enum err sort_any(struct call *call, bool may_store) REQUIRES(*call->keys)
{
    struct sort sort = { .count = -1 };
    enum err err = ERR_OUT_OF_MEMORY;
    sort.gets = mem_try_alloc(call->args.argc * sizeof *sort.gets);
    if (sort.gets == NULL) {
        return err;
    }
    (void)args_next(&call->args); /* the key */
    sort.kept_in = is_kept_in(call);
    err = read_options(&call->args, &sort, may_store);
    if (sort.denied != NULL) {
        reply_errorf(call->reply,
                     "ERR %s option of SORT denied due to insufficient ACL permissions.",
                     sort.denied);
        err = ERR_REPLIED;
    } else if (err == OK) {
        err = sort_key(call, &sort);
    }
    mem_free(sort.gets);
    mem_free(sort.items);
    buf_release(&sort.digits);
    buf_release(&sort.kept);
    buf_release(&sort.key);
    return err;
}

static enum err sort(struct call *call) REQUIRES(*call->keys)
{
    return sort_any(call, true);
}

static enum err sort_ro(struct call *call) REQUIRES(*call->keys)
{
    return sort_any(call, false);
}

/* ---- Keys ------------------------------------------------------------------------------------------ */

/* The key and, of SORT, the last destination. */
static int find_keys(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    int count = 1;
    found[0] = (struct found_key){ 1, KEY_RO | KEY_ACCESS };
    for (uint32_t i = 2; i < argc; i++) {
        if (bytes_equal_nocase(argv[i], LIT("LIMIT"))) {
            i += 2;
        } else if (bytes_equal_nocase(argv[i], LIT("GET")) ||
                   bytes_equal_nocase(argv[i], LIT("BY"))) {
            i++;
        } else if (bytes_equal_nocase(argv[i], LIT("STORE")) && i + 1 < argc) {
            found[1] = (struct found_key){ i + 1, KEY_OW | KEY_UPDATE };
            count = 2;
        }
    }
    return count;
}

static int find_one_key(const struct bytes *argv, uint32_t argc, struct found_key *found)
{
    (void)argv;
    (void)argc;
    found[0] = (struct found_key){ 1, KEY_RO | KEY_ACCESS };
    return 1;
}

/* A pattern with a star leads to any key. */
static bool leads_away(const struct bytes *argv, uint32_t argc)
{
    for (uint32_t i = 3; i < argc; i++) {
        if (sort_pattern_leads_away(argv[i])) {
            return true;
        }
    }
    return false;
}

/* ---- Rows ------------------------------------------------------------------------------------------ */

#define KEYS_UNKNOWN(use, why)                                                                     \
    { .begin = KEYS_BEGIN_UNKNOWN, .find = KEYS_FIND_UNKNOWN, .flags = (use), .notes = (why) }
#define BY_AND_GET                                                                                 \
    KEYS_UNKNOWN(KEY_RO | KEY_ACCESS,                                                              \
                 "For the optional BY/GET keyword. It is marked 'unknown' because the key names "  \
                 "derive from the content of the key we sort")
#define DESTINATION                                                                                \
    KEYS_UNKNOWN(KEY_OW | KEY_UPDATE,                                                              \
                 "For the optional STORE keyword. It is marked 'unknown' because the keyword can " \
                 "appear anywhere in the argument array")

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "sort", .handler = sort, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .categories = CATEGORY_SET | CATEGORY_SORTED_SET | CATEGORY_LIST | CATEGORY_DANGEROUS |
                      CATEGORY_NOT_OF_GROUP,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS), BY_AND_GET, DESTINATION },
        .find_keys = find_keys, .needs_everything = leads_away,
        .since = "1.0.0",
        .complexity = "O(N*log(N)) where N is the number of elements; O(N) when they are not "
                      "sorted, or of those within LIMIT where they have an order.",
        .summary = "Sorts a list, set or sorted set, and returns or stores the result.",
        .syntax = "key:key [BY pattern:pattern] [LIMIT offset_count=(offset:int count:int)] "
                  "[GET pattern:pattern]... [order=<ASC | DESC>] [sorting=ALPHA] "
                  "[STORE destination:key]",
    },
    {
        .name = "sort_ro", .handler = sort_ro, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY,
        .categories = CATEGORY_SET | CATEGORY_SORTED_SET | CATEGORY_LIST | CATEGORY_DANGEROUS |
                      CATEGORY_NOT_OF_GROUP,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS), BY_AND_GET },
        .find_keys = find_one_key, .needs_everything = leads_away,
        .since = "7.0.0",
        .complexity = "O(N*log(N)) where N is the number of elements; O(N) when they are not "
                      "sorted, or of those within LIMIT where they have an order.",
        .summary = "Sorts a list, set or sorted set, and returns the result.",
        .syntax = "key:key [BY pattern:pattern] [LIMIT offset_count=(offset:int count:int)] "
                  "[GET pattern:pattern]... [order=<ASC | DESC>] [sorting=ALPHA]",
    },
};
/* clang-format on */

const struct command_family cmd_sort_family = { rows, sizeof rows / sizeof rows[0] };
