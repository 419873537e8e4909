/* Deleting entries of streams with regard to consumer groups, as Redis 8.2 has it: XDELEX,
 * XACKDEL.  XDEL is in cmd_stream.c, XACK in cmd_stream_group.c. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "commands/stream_call.h"

/* What becomes of an entry's references, its places among what is pending in groups. */
enum references {
    REFERENCES_KEPT,
    REFERENCES_DELETED,
    REFERENCES_AWAITED, /* with references, or not yet delivered to all, the entry stays */
    REFERENCES_NOT_SAID,
};

enum { RESULT_MISSING = -1, RESULT_DELETED = 1, RESULT_REFERENCED = 2 };

struct delete_options {
    enum references references;
    uint32_t ids_at, id_count;
};

static enum err refuse(struct call *call, const char *text)
{
    reply_errorf(call->reply, "ERR %s", text);
    return ERR_REPLIED;
}

/* IDS has been read: the number and as many ids, which are passed. */
static MUST_CHECK enum err read_id_count(struct call *call, struct delete_options *options)
{
    struct args *args = &call->args;
    int64_t count;
    if (!num_parse_i64(args_next(args), &count) || count < 1) {
        return refuse(call, "Number of IDs must be a positive integer");
    }
    if (count > args_left(args)) {
        return refuse(call, "The `numids` parameter must match the number of arguments");
    }
    options->ids_at = args->next;
    options->id_count = (uint32_t)count;
    args->next += options->id_count;
    return OK;
}

/* What follows the 'from' first arguments. */
static MUST_CHECK enum err read_options(struct call *call, uint32_t from,
                                        struct delete_options *options)
{
    struct args *args = &call->args;
    *options = (struct delete_options){ .references = REFERENCES_NOT_SAID };
    args->next = from;
    while (args_left(args) > 0) {
        bool unsaid = options->references == REFERENCES_NOT_SAID;
        if (unsaid && args_option(args, LIT("KEEPREF"))) {
            options->references = REFERENCES_KEPT;
        } else if (unsaid && args_option(args, LIT("DELREF"))) {
            options->references = REFERENCES_DELETED;
        } else if (unsaid && args_option(args, LIT("ACKED"))) {
            options->references = REFERENCES_AWAITED;
        } else if (args_option_with(args, LIT("IDS"), 1)) {
            enum err err = read_id_count(call, options);
            if (err != OK) {
                return err;
            }
        } else {
            return ERR_SYNTAX;
        }
    }
    return options->ids_at != 0 ? OK : refuse(call, "IDS option is required");
}

/* The ids in memory of the caller (mem_free()), or NULL with the error. */
static MUST_CHECK enum err read_ids(struct call *call, const struct delete_options *options,
                                    struct stream_id **ids)
{
    *ids = mem_try_alloc(options->id_count * sizeof **ids);
    enum err err = *ids != NULL ? OK : ERR_OUT_OF_MEMORY;
    for (uint32_t i = 0; err == OK && i < options->id_count; i++) {
        err = stream_read_id(call, call_argument(call, options->ids_at + i), &(*ids)[i]);
    }
    if (err != OK) {
        mem_free(*ids);
        *ids = NULL;
    }
    return err;
}

static void reply_all_missing(struct call *call, uint32_t count)
{
    reply_array(call->reply, count);
    for (uint32_t i = 0; i < count; i++) {
        reply_integer(call->reply, RESULT_MISSING);
    }
}

/* What one command does to a stream. */
struct deletion {
    struct call *call;
    struct stream *stream;
    struct stream_group *group; /* XACKDEL's */
    enum references references;
    uint64_t deleted, released; /* entries, references */
};

static void delete_references(struct deletion *deletion, struct stream_id id)
{
    for (uint32_t i = 0; i < deletion->stream->groups.count; i++) {
        deletion->released += stream_pending_destroy(deletion->call->thread,
                                                     stream_group_at(deletion->stream, i), id);
    }
}

/* Whether some group has not had the entry, or not acknowledged it. */
static bool is_awaited(const struct stream *stream, struct stream_id id)
{
    for (uint32_t i = 0; i < stream->groups.count; i++) {
        const struct stream_group *group = stream_group_at(stream, i);
        if (stream_id_compare(id, group->last_id) > 0 || stream_pending_find(group, id) != NULL) {
            return true;
        }
    }
    return false;
}

/* The entry, its references in other groups minded. */
static int64_t delete_entry(struct deletion *deletion, struct stream_id id)
{
    struct stream_entry entry;
    if (deletion->references == REFERENCES_DELETED) {
        delete_references(deletion, id);
    }
    if (!stream_find(deletion->stream, id, &entry)) {
        return RESULT_MISSING;
    }
    if (deletion->references == REFERENCES_AWAITED && is_awaited(deletion->stream, id)) {
        return RESULT_REFERENCED;
    }
    (void)stream_delete(deletion->call->thread, deletion->stream, id);
    deletion->deleted++;
    return RESULT_DELETED;
}

static int64_t acknowledge_and_delete(struct deletion *deletion, struct stream_id id)
{
    if (!stream_pending_destroy(deletion->call->thread, deletion->group, id)) {
        return RESULT_MISSING;
    }
    deletion->released++;
    return delete_entry(deletion, id) == RESULT_REFERENCED ? RESULT_REFERENCED : RESULT_DELETED;
}

static MUST_CHECK enum err delete_ids(struct call *call, struct deletion *deletion,
                                      const struct delete_options *options) REQUIRES(*call->keys)
{
    struct stream_id *ids;
    enum err err = read_ids(call, options, &ids);
    if (err != OK) {
        return err;
    }
    reply_array(call->reply, options->id_count);
    for (uint32_t i = 0; i < options->id_count; i++) {
        reply_integer(call->reply, deletion->group != NULL
                                       ? acknowledge_and_delete(deletion, ids[i])
                                       : delete_entry(deletion, ids[i]));
    }
    mem_free(ids);
    struct bytes key = call_argument(call, 1);
    if (deletion->deleted > 0) {
        stream_refresh_first(deletion->stream);
        call_changed(call, key, "xdel");
    } else if (deletion->released > 0) {
        stream_group_changed(call, key, NULL);
    }
    return OK;
}

static enum err xdelex(struct call *call) REQUIRES(*call->keys)
{
    struct delete_options options;
    struct deletion deletion = { .call = call };
    enum err err = read_options(call, 2, &options);
    err = err == OK ? stream_find_key(call, call_argument(call, 1), &deletion.stream) : err;
    if (err != OK) {
        return err;
    }
    if (deletion.stream == NULL) {
        reply_all_missing(call, options.id_count);
        return OK;
    }
    deletion.references = options.references;
    return delete_ids(call, &deletion, &options);
}

static enum err xackdel(struct call *call) REQUIRES(*call->keys)
{
    struct delete_options options;
    struct deletion deletion = { .call = call };
    enum err err = read_options(call, 3, &options);
    err = err == OK ? stream_find_key(call, call_argument(call, 1), &deletion.stream) : err;
    if (err != OK) {
        return err;
    }
    if (deletion.stream != NULL) {
        deletion.group = stream_group_find(deletion.stream, call_argument(call, 2));
    }
    if (deletion.group == NULL) {
        reply_all_missing(call, options.id_count);
        return OK;
    }
    deletion.references = options.references;
    return delete_ids(call, &deletion, &options);
}

/* ---- Rows ---------------------------------------------------------------------------------------------- */

#define CONDITION "[condition=<KEEPREF | DELREF | ACKED>] IDS ids=(numids:int id:string ...)"

static const struct command rows[] = {
    {
        .name = "xdelex",
        .handler = xdelex,
        .arity = -5,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_DELETE) },
        .since = "8.2.0",
        .complexity = "O(1) for each entry and group.",
        .summary = "Deletes entries of a stream, with regard to what is pending in groups.",
        .syntax = "key:key " CONDITION,
    },
    {
        .name = "xackdel",
        .handler = xackdel,
        .arity = -6,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE | KEY_DELETE) },
        .since = "8.2.0",
        .complexity = "O(1) for each entry and group.",
        .summary = "Acknowledges entries in a group and deletes them, with regard to other groups.",
        .syntax = "key:key group:string " CONDITION,
    },
};

const struct command_family cmd_stream_delete_family = { rows, sizeof rows / sizeof rows[0] };
