/* Walks over a database: SCAN, KEYS, RANDOMKEY.  Their rows declare no keys; the keyspace
 * locks stripe after stripe by itself while it visits. */
#include "base/num.h"
#include "commands/collection_scan.h"
#include "commands/families.h"
#include "exec/call.h"

/* Which keys are wanted; empty bytes want all. */
struct filter {
    struct bytes pattern, type;
    bool by_pattern, by_type;
};

/* Where the wanted keys go. */
struct listing {
    const struct filter *filter;
    struct reply *reply;
    size_t visited, count; /* keys looked at, and wanted ones of them */
};

/* A call of SCAN goes on over places without keys, so that a small database takes few calls;
 * but not for ever. */
enum { SCAN_STEPS = 64 };

static void filter_pattern(struct filter *filter, struct bytes pattern)
{
    filter->pattern = pattern;
    filter->by_pattern = !bytes_equal(pattern, LIT("*"));
}

static bool list_entry(void *user, struct entry *entry)
{
    struct listing *listing = user;
    const struct filter *filter = listing->filter;
    struct bytes key = entry_key(entry);
    listing->visited++;
    if (filter->by_pattern && !bytes_match_glob(filter->pattern, key, false)) {
        return true;
    }
    if (filter->by_type &&
        !bytes_equal_nocase(filter->type, value_type_name((enum value_type)entry->type))) {
        return true;
    }
    reply_bytes(listing->reply, key);
    listing->count++;
    return !listing->reply->failed;
}

static MUST_CHECK enum err read_scan(struct args *args, struct filter *filter, size_t *count)
{
    *filter = (struct filter){ 0 };
    *count = 10;
    while (args->err == OK && args_left(args) > 0) {
        if (args_option_with(args, LIT("COUNT"), 1)) {
            int64_t wanted = args_int(args);
            if (wanted < 1) {
                args_unknown(args);
            }
            *count = (size_t)wanted;
        } else if (args_option_with(args, LIT("MATCH"), 1)) {
            filter_pattern(filter, args_next(args));
        } else if (args_option_with(args, LIT("TYPE"), 1)) {
            filter->type = args_next(args);
            filter->by_type = true;
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

static enum err scan(struct call *call)
{
    uint64_t cursor;
    enum err err = scan_read_cursor(args_next(&call->args), &cursor);
    if (err != OK) {
        return err;
    }
    struct filter filter;
    size_t count;
    err = read_scan(&call->args, &filter, &count);
    if (err != OK) {
        return err;
    }
    /* The cursor comes before the keys and is known after them: they are written aside. */
    struct reply keys = { .protocol = call->reply->protocol, .dialect = call->reply->dialect };
    struct listing listing = { .filter = &filter, .reply = &keys };
    for (unsigned step = 0; step < SCAN_STEPS; step++) {
        cursor = keyspace_scan(call->thread, call->session->db, cursor, count - listing.visited,
                               list_entry, &listing);
        if (cursor == 0 || keys.failed || listing.visited >= count) {
            break;
        }
    }
    if (keys.failed || !buf_reserve(&call->reply->out, keys.out.len + 64)) {
        reply_release(&keys);
        return ERR_OUT_OF_MEMORY;
    }
    char digits[NUM_INT_ROOM];
    reply_array(call->reply, 2);
    reply_bytes(call->reply, (struct bytes){ digits, num_format_u64(digits, cursor) });
    reply_array(call->reply, listing.count);
    buf_append(&call->reply->out, buf_bytes(&keys.out));
    reply_release(&keys);
    return OK;
}

static enum err keys_matching(struct call *call)
{
    struct filter filter = { 0 };
    filter_pattern(&filter, call_argument(call, 1));
    struct listing listing = { .filter = &filter, .reply = call->reply };
    struct reply_mark begin = reply_begin_deferred(call->reply);
    uint64_t cursor = 0;
    do {
        cursor = keyspace_scan(call->thread, call->session->db, cursor, 4096, list_entry, &listing);
    } while (cursor != 0 && !call->reply->failed);
    reply_end_array(call->reply, begin, listing.count);
    return OK;
}

static bool reply_key(void *user, struct entry *entry)
{
    reply_bytes(user, entry_key(entry));
    return false;
}

static enum err randomkey(struct call *call)
{
    if (!keyspace_random(call->thread, call->session->db, reply_key, call->reply)) {
        reply_null(call->reply);
    }
    return OK;
}

static const struct command_history scan_history[] = {
    { "6.0.0", "`TYPE` can be given." },
    { NULL, NULL },
};

static const char *const scan_tips[] = { "nondeterministic_output", "request_policy:special",
                                         NULL };
static const char *const keys_tips[] = { "request_policy:all_shards",
                                         "nondeterministic_output_order", NULL };
static const char *const random_tips[] = { "request_policy:all_shards", "nondeterministic_output",
                                           NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "scan", .handler = scan, .arity = -2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_WALKS,
        .since = "2.8.0",
        .complexity = "O(1) a call, O(N) for all calls until the cursor is 0 again, where N is "
                      "the number of keys.",
        .summary = "Goes on with a walk over the keys of a database.",
        .syntax = "cursor:int [MATCH pattern:pattern] [COUNT count:int] [TYPE type:string@6.0.0]",
        .history = scan_history, .tips = scan_tips,
    },
    {
        .name = "keys", .handler = keys_matching, .arity = 2, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_WALKS, .categories = CATEGORY_DANGEROUS,
        .since = "1.0.0", .complexity = "O(N) where N is the number of keys of the database.",
        .summary = "Returns all keys that match a pattern.",
        .syntax = "pattern:pattern", .tips = keys_tips,
    },
    {
        .name = "randomkey", .handler = randomkey, .arity = 1, .group = GROUP_GENERIC,
        .flags = CMD_READONLY | CMD_WALKS,
        .since = "1.0.0", .complexity = "O(1)",
        .summary = "Returns one of the keys, by chance.",
        .tips = random_tips,
    },
};
/* clang-format on */

const struct command_family cmd_scan_family = { rows, sizeof rows / sizeof rows[0] };
