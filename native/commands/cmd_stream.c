/* Streams as logs: XADD, XLEN, XDEL, XTRIM, XSETID.  Ranges are in cmd_stream_range.c, reading
 * on in cmd_stream_read.c, groups in cmd_stream_group.c, cmd_stream_pending.c and
 * cmd_stream_claim.c, XDELEX in cmd_stream_delete.c, XINFO in cmd_stream_info.c. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/stream_call.h"

/* ---- Options of XADD and XTRIM ------------------------------------------------------------------ */

/* Blocks that a trim without a limit of its own looks at, and the bounds of what follows. */
enum { TRIMMED_BLOCKS = 100, LIMIT_DEFAULT = 10000, LIMIT_MAX = 1000000 };

struct add_options {
    struct stream_trim trim;
    struct stream_id id;
    bool no_create, id_given, any_seq, limit_given;
    uint32_t trim_at;  /* the argument that says how far */
    uint32_t limit_at; /* the word LIMIT, or 0 */
    uint32_t id_at;    /* XADD's id */
};

static enum err refuse(struct call *call, const char *text)
{
    reply_errorf(call->reply, "ERR %s", text);
    return ERR_REPLIED;
}

/* MAXLEN or MINID, with what follows; '*at' moves to the last of it. */
static MUST_CHECK enum err read_strategy(struct call *call, struct add_options *options,
                                         bool by_length, uint32_t *at)
{
    if (options->trim.by != STREAM_TRIM_NONE) {
        return refuse(call, "syntax error, MAXLEN and MINID options at the same time are not "
                            "compatible");
    }
    uint32_t more = call->args.argc - 1 - *at;
    struct bytes next = call_argument(call, *at + 1);
    options->trim.roughly = more >= 2 && bytes_equal(next, LIT("~"));
    if (options->trim.roughly || (more >= 2 && bytes_equal(next, LIT("=")))) {
        (*at)++;
    }
    struct bytes text = call_argument(call, ++*at);
    options->trim.by = by_length ? STREAM_TRIM_LENGTH : STREAM_TRIM_ID;
    options->trim_at = *at;
    if (!by_length) {
        return stream_read_id(call, text, &options->trim.min_id);
    }
    int64_t length;
    if (!num_parse_i64(text, &length)) {
        return ERR_NOT_INT;
    }
    if (length < 0) {
        return refuse(call, "The MAXLEN argument must be >= 0.");
    }
    options->trim.max_length = (uint64_t)length;
    return OK;
}

static MUST_CHECK enum err read_limit(struct call *call, struct add_options *options, uint32_t at)
{
    if (!num_parse_i64(call_argument(call, at + 1), &options->trim.limit)) {
        return ERR_NOT_INT;
    }
    if (options->trim.limit < 0) {
        return refuse(call, "The LIMIT argument must be >= 0.");
    }
    options->limit_given = true;
    options->limit_at = at;
    return OK;
}

static MUST_CHECK enum err check_options(struct call *call, struct add_options *options, bool adds)
{
    struct stream_trim *trim = &options->trim;
    if (trim->limit != 0 && trim->by == STREAM_TRIM_NONE) {
        return refuse(call, "syntax error, LIMIT cannot be used without specifying a trimming "
                            "strategy");
    }
    if (!adds && trim->by == STREAM_TRIM_NONE) {
        return refuse(call, "syntax error, XTRIM must be called with a trimming strategy");
    }
    if (options->limit_given && !trim->roughly) {
        return refuse(call, "syntax error, LIMIT cannot be used without the special ~ option");
    }
    if (!options->limit_given && trim->roughly) {
        uint64_t entries = atomic_load_explicit(
            &keyspace_limits(call->keyspace)->stream_node_max_entries, memory_order_relaxed);
        trim->limit = entries == 0                           ? LIMIT_DEFAULT
                      : entries > LIMIT_MAX / TRIMMED_BLOCKS ? LIMIT_MAX
                                                             : (int64_t)entries * TRIMMED_BLOCKS;
    }
    return OK;
}

static MUST_CHECK enum err read_options(struct call *call, struct add_options *options, bool adds)
{
    uint32_t argc = call->args.argc, at = 2;
    *options = (struct add_options){ 0 };
    for (; at < argc; at++) {
        struct bytes word = call_argument(call, at);
        bool more = at + 1 < argc;
        enum err err = OK;
        if (adds && bytes_equal(word, LIT("*"))) {
            break;
        }
        if (more && bytes_equal_nocase(word, LIT("MAXLEN"))) {
            err = read_strategy(call, options, true, &at);
        } else if (more && bytes_equal_nocase(word, LIT("MINID"))) {
            err = read_strategy(call, options, false, &at);
        } else if (more && bytes_equal_nocase(word, LIT("LIMIT"))) {
            err = read_limit(call, options, at++);
        } else if (adds && bytes_equal_nocase(word, LIT("NOMKSTREAM"))) {
            options->no_create = true;
        } else if (!adds) {
            return ERR_SYNTAX;
        } else {
            options->id_given = true;
            if (!stream_parse_id(word, 0, true, &options->id, &options->any_seq)) {
                return stream_refuse_id(call);
            }
            break;
        }
        if (err != OK) {
            return err;
        }
    }
    options->id_at = at;
    return check_options(call, options, adds);
}

/* ---- What is told of them ------------------------------------------------------------------------ */

/* Tells the command with the id that an entry got ('id', or NULL) and, since a rough trim
 * depends on blocks, with what the trim came to. */
static void tell(struct call *call, const struct add_options *options, const struct stream *stream,
                 const struct stream_id *id)
{
    if (call->engine->changes.effect == NULL) {
        return;
    }
    char id_text[STREAM_ID_ROOM], trim_text[STREAM_ID_ROOM];
    uint32_t argc = call->args.argc, told = 0;
    struct bytes *argv = mem_alloc(argc * sizeof *argv);
    for (uint32_t i = 0; i < argc; i++) {
        struct bytes word = call_argument(call, i);
        if (options->trim.roughly && options->limit_at != 0 &&
            (i == options->limit_at || i == options->limit_at + 1)) {
            continue;
        }
        if (options->trim.roughly && i + 1 == options->trim_at) {
            word = LIT("=");
        } else if (options->trim.roughly && i == options->trim_at) {
            size_t len = options->trim.by == STREAM_TRIM_LENGTH
                             ? num_format_u64(trim_text, stream->length)
                             : stream_format_id(trim_text, stream_first_block_id(stream));
            word = (struct bytes){ trim_text, len };
        } else if (id != NULL && i == options->id_at) {
            word = (struct bytes){ id_text, stream_format_id(id_text, *id) };
        }
        argv[told++] = word;
    }
    call_propagate_as(call, argv, told);
    mem_free(argv);
}

/* ---- XADD ------------------------------------------------------------------------------------------ */

/* The id of the new entry; false when it would not be above all others. */
static bool choose_id(const struct call *call, const struct add_options *options,
                      struct stream_id last, struct stream_id *id)
{
    *id = options->id;
    if (!options->id_given) {
        uint64_t now = (uint64_t)call->now_ms;
        *id = (struct stream_id){ now, 0 };
        if (now <= last.ms) {
            *id = last;
            return stream_id_increment(id);
        }
    } else if (options->any_seq && last.ms == id->ms) {
        if (last.seq == UINT64_MAX) {
            return false;
        }
        id->seq = last.seq + 1;
    }
    return stream_id_compare(*id, last) > 0;
}

static bool is_too_large(const struct bytes *pairs, uint32_t count)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        len += pairs[i].len;
    }
    return len > STREAM_ENTRY_MAX;
}

/* Appends the entry to the stream of 'key', or to a new one. */
static MUST_CHECK enum err append(struct call *call, const struct add_options *options,
                                  struct bytes key, struct stream **stream, struct stream_id *id)
    REQUIRES(*call->keys)
{
    uint32_t first = options->id_at + 1, count = call->args.argc - first;
    const struct bytes *pairs = call->args.argv + first;
    struct stream_id last = *stream != NULL ? (*stream)->last_id : STREAM_ID_MIN;
    if (stream_id_compare(last, STREAM_ID_MAX) == 0) {
        return refuse(call, "The stream has exhausted the last possible ID, unable to add more "
                            "items");
    }
    if (!choose_id(call, options, last, id)) {
        return refuse(call, "The ID specified in XADD is equal or smaller than the target stream "
                            "top item");
    }
    if (is_too_large(pairs, count)) {
        return refuse(call, "Elements are too large to be stored");
    }
    bool created = *stream == NULL;
    enum err err = created ? stream_add_key(call, key, stream) : OK;
    if (err == OK && !stream_append(call->thread, *stream, keyspace_limits(call->keyspace), *id,
                                    pairs, count / 2)) {
        err = ERR_OUT_OF_MEMORY;
        if (created) {
            (void)keyspace_delete(call->keyspace, call->keys, key, false);
        }
    }
    return err;
}

static enum err xadd(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct add_options options;
    struct stream_id id;
    struct stream *stream;
    enum err err = read_options(call, &options, true);
    if (err != OK) {
        return err;
    }
    uint32_t words = call->args.argc - options.id_at;
    if (options.id_at >= call->args.argc || words < 3 || words % 2 == 0) {
        return ERR_ARITY;
    }
    if (options.id_given && !options.any_seq && stream_id_is_zero(options.id)) {
        return refuse(call, "The ID specified in XADD must be greater than 0-0");
    }
    err = stream_find_key(call, key, &stream);
    if (err == OK && stream == NULL && options.no_create) {
        reply_null(call->reply);
        return OK;
    }
    err = err == OK ? append(call, &options, key, &stream, &id) : err;
    if (err != OK) {
        return err;
    }
    stream_reply_id(call, id);
    call_changed(call, key, "xadd");
    if (options.trim.by != STREAM_TRIM_NONE &&
        stream_trim(call->thread, stream, &options.trim) > 0) {
        stream_group_changed(call, key, "xtrim");
    }
    if (!options.id_given || options.any_seq || options.trim.roughly) {
        tell(call, &options, stream, &id);
    }
    return OK;
}

/* ---- The others -------------------------------------------------------------------------------------- */

static enum err xlen(struct call *call) REQUIRES(*call->keys)
{
    struct stream *stream;
    enum err err = stream_look_up(call, call_argument(call, 1), &stream);
    if (err == OK) {
        reply_integer(call->reply, stream != NULL ? (int64_t)stream->length : 0);
    }
    return err;
}

static enum err xdel(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct stream *stream;
    struct stream_id *ids;
    int64_t deleted = 0;
    enum err err = stream_find_key(call, key, &stream);
    if (err != OK || stream == NULL) {
        if (err == OK) {
            reply_integer(call->reply, 0);
        }
        return err;
    }
    err = stream_read_ids(call, 2, &ids);
    if (err != OK) {
        return err;
    }
    for (uint32_t i = 2; i < call->args.argc; i++) {
        deleted += stream_delete(call->thread, stream, ids[i - 2]);
    }
    mem_free(ids);
    if (deleted > 0) {
        stream_refresh_first(stream);
        call_changed(call, key, "xdel");
    }
    reply_integer(call->reply, deleted);
    return OK;
}

static enum err xtrim(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct add_options options;
    struct stream *stream;
    enum err err = read_options(call, &options, false);
    if (err == OK) {
        err = stream_find_key(call, key, &stream);
    }
    if (err != OK) {
        return err;
    }
    int64_t deleted = stream != NULL ? stream_trim(call->thread, stream, &options.trim) : 0;
    if (deleted > 0) {
        call_changed(call, key, "xtrim");
        if (options.trim.roughly) {
            tell(call, &options, stream, NULL);
        }
    }
    reply_integer(call->reply, deleted);
    return OK;
}

struct setid_options {
    struct stream_id id, max_deleted;
    int64_t entries_added; /* -1: not given */
};

static MUST_CHECK enum err read_setid_options(struct call *call, struct setid_options *options)
{
    struct args *args = &call->args;
    *options = (struct setid_options){ .entries_added = -1 };
    enum err err = stream_read_id(call, args->argv[2], &options->id);
    args->next = 3;
    while (err == OK && args_left(args) > 0) {
        if (args_option_with(args, LIT("ENTRIESADDED"), 1)) {
            options->entries_added = args_int(args);
            if (args->err == OK && options->entries_added < 0) {
                return refuse(call, "entries_added must be positive");
            }
        } else if (args_option_with(args, LIT("MAXDELETEDID"), 1)) {
            err = stream_read_id(call, args_next(args), &options->max_deleted);
            if (err == OK && stream_id_compare(options->id, options->max_deleted) < 0) {
                return refuse(call, "The ID specified in XSETID is smaller than the provided "
                                    "max_deleted_entry_id");
            }
        } else {
            args_unknown(args);
        }
        err = err == OK ? args->err : err;
    }
    return err;
}

static enum err xsetid(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct setid_options options;
    struct stream *stream;
    struct stream_id last;
    enum err err = read_setid_options(call, &options);
    if (err == OK) {
        err = stream_find_key(call, key, &stream);
    }
    if (err != OK || stream == NULL) {
        return err != OK ? err : ERR_NO_KEY;
    }
    if (stream_id_compare(options.id, stream->max_deleted_id) < 0) {
        return refuse(call, "The ID specified in XSETID is smaller than current "
                            "max_deleted_entry_id");
    }
    if (stream_last_entry_id(stream, &last)) {
        if (stream_id_compare(options.id, last) < 0) {
            return refuse(call, "The ID specified in XSETID is smaller than the target stream top "
                                "item");
        }
        if (options.entries_added != -1 && stream->length > (uint64_t)options.entries_added) {
            return refuse(call, "The entries_added specified in XSETID is smaller than the target "
                                "stream length");
        }
    }
    stream->last_id = options.id;
    if (options.entries_added != -1) {
        stream->entries_added = (uint64_t)options.entries_added;
    }
    if (!stream_id_is_zero(options.max_deleted)) {
        stream->max_deleted_id = options.max_deleted;
    }
    reply_ok(call->reply);
    stream_group_changed(call, key, "xsetid");
    return OK;
}

/* ---- Rows ---------------------------------------------------------------------------------------------- */

static const char *const varying[] = { "nondeterministic_output", NULL };

static const struct command_history xadd_history[] = {
    { "6.2.0", "NOMKSTREAM, MINID and LIMIT came to be." },
    { "7.0.0", "An id may be of the form ms-*." },
    { NULL, NULL },
};

static const struct command_history xtrim_history[] = {
    { "6.2.0", "MINID and LIMIT came to be." },
    { NULL, NULL },
};

static const struct command_history xsetid_history[] = {
    { "7.0.0", "ENTRIESADDED and MAXDELETEDID came to be." },
    { NULL, NULL },
};

#define TRIMMING                                                                                   \
    "trim=(strategy=<MAXLEN | MINID@6.2.0> [operator=<= equal:token | ~ approximately:token>] "    \
    "threshold:string [LIMIT count:int@6.2.0])"

static const struct command rows[] = {
    {
        .name = "xadd",
        .handler = xadd,
        .arity = -5,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { { .begin = KEYS_BEGIN_INDEX,
                    .find = KEYS_FIND_RANGE,
                    .flags = KEY_RW | KEY_UPDATE,
                    .index = 1,
                    .step = 1,
                    .notes = "UPDATE instead of INSERT because of the optional trimming "
                             "feature" } },
        .since = "5.0.0",
        .complexity = "O(1), and with trimming O(N) where N is the number of entries evicted.",
        .summary = "Appends an entry to a stream, which is made when the key has none.",
        .syntax =
            "key:key [NOMKSTREAM@6.2.0] [" TRIMMING "] id-selector=<* auto-id:token | id:string> "
            "data=(field:string value:string) ...",
        .history = xadd_history,
        .tips = varying,
    },
    {
        .name = "xlen",
        .handler = xlen,
        .arity = 2,
        .group = GROUP_STREAM,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO) },
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Counts the entries of a stream.",
        .syntax = "key:key",
    },
    {
        .name = "xdel",
        .handler = xdel,
        .arity = -3,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(1) for each entry, whatever the stream's length.",
        .summary = "Deletes entries of a stream and counts those that were there.",
        .syntax = "key:key id:string ...",
    },
    {
        .name = "xtrim",
        .handler = xtrim,
        .arity = -4,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(N) where N is the number of entries evicted, whole blocks at a time.",
        .summary = "Deletes the oldest entries of a stream.",
        .syntax = "key:key " TRIMMING,
        .history = xtrim_history,
        .tips = varying,
    },
    {
        .name = "xsetid",
        .handler = xsetid,
        .arity = -3,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_DENYOOM | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Sets the last id of a stream; what replicas are told.",
        .syntax = "key:key last-id:string [ENTRIESADDED entries-added:int@7.0.0] "
                  "[MAXDELETEDID max-deleted-id:string@7.0.0]",
        .history = xsetid_history,
    },
};

const struct command_family cmd_stream_family = { rows, sizeof rows / sizeof rows[0] };
