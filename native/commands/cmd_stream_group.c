/* Consumer groups: XGROUP with its subcommands, and XACK.  Who owns what is pending is in
 * cmd_stream_claim.c. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/families.h"
#include "exec/help.h"
#include "commands/stream_call.h"
#include "exec/blocking.h"

struct group_options {
    bool create_stream;
    int64_t entries_read;
};

/* What follows the id of CREATE and SETID. */
static MUST_CHECK enum err read_options(struct call *call, bool creates,
                                        struct group_options *options)
{
    struct args *args = &call->args;
    *options = (struct group_options){ .entries_read = STREAM_READ_UNKNOWN };
    args->next = 5;
    while (args_left(args) > 0) {
        if (creates && args_option(args, LIT("MKSTREAM"))) {
            options->create_stream = true;
        } else if (args_option_with(args, LIT("ENTRIESREAD"), 1)) {
            options->entries_read = args_int(args);
            if (args->err != OK) {
                return args->err;
            }
            if (options->entries_read < 0 && options->entries_read != STREAM_READ_UNKNOWN) {
                reply_error(call->reply, LIT("ERR value for ENTRIESREAD must be positive or -1"));
                return ERR_REPLIED;
            }
        } else {
            return help_refuse(call, "XGROUP");
        }
    }
    return OK;
}

static MUST_CHECK enum err find_stream(struct call *call, struct stream **stream)
    REQUIRES(*call->keys)
{
    enum err err = stream_find_key(call, call_argument(call, 2), stream);
    if (err == OK && *stream == NULL) {
        reply_error(call->reply,
                    LIT("ERR The XGROUP subcommand requires the key to exist. Note that for "
                        "CREATE you may want to use the MKSTREAM option to create an empty "
                        "stream automatically."));
        return ERR_REPLIED;
    }
    return err;
}

/* The stream and its group; without one an error. */
static MUST_CHECK enum err find_group(struct call *call, struct stream **stream,
                                      struct stream_group **group) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 2), name = call_argument(call, 3);
    enum err err = find_stream(call, stream);
    if (err != OK) {
        return err;
    }
    *group = stream_group_find(*stream, name);
    if (*group == NULL) {
        reply_errorf(call->reply, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                     (int)name.len, name.at, (int)key.len, key.at);
        return ERR_REPLIED;
    }
    return OK;
}

/* Makes the group, and before it the stream when there is none. */
static MUST_CHECK enum err create_group(struct call *call, struct stream *stream,
                                        struct stream_id id, int64_t entries_read)
    REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 2), name = call_argument(call, 3);
    bool created = stream == NULL;
    enum err err = created ? stream_add_key(call, key, &stream) : OK;
    if (err != OK) {
        return err;
    }
    if (stream_group_create(call->thread, stream, name, id, entries_read) == NULL) {
        if (created) {
            (void)keyspace_delete(call->keyspace, call->keys, key, false);
        }
        return ERR_OUT_OF_MEMORY;
    }
    reply_ok(call->reply);
    if (created) {
        call_changed(call, key, "xgroup-create");
    } else {
        stream_group_changed(call, key, "xgroup-create");
    }
    return OK;
}

static enum err xgroup_create(struct call *call) REQUIRES(*call->keys)
{
    enum { ARGUMENTS_MAX = 8 };
    struct group_options options;
    struct stream *stream;
    enum err err = read_options(call, true, &options);
    if (err == OK) {
        err = options.create_stream ? stream_find_key(call, call_argument(call, 2), &stream)
                                    : find_stream(call, &stream);
    }
    if (err != OK) {
        return err;
    }
    if (call->args.argc > ARGUMENTS_MAX) {
        return help_refuse(call, "XGROUP");
    }
    struct stream_id id = stream != NULL ? stream->last_id : STREAM_ID_MIN;
    if (!bytes_equal(call_argument(call, 4), LIT("$"))) {
        err = stream_read_id(call, call_argument(call, 4), &id);
        if (err != OK) {
            return err;
        }
    }
    if (stream != NULL && stream_group_find(stream, call_argument(call, 3)) != NULL) {
        reply_error(call->reply, LIT("BUSYGROUP Consumer Group name already exists"));
        return ERR_REPLIED;
    }
    return create_group(call, stream, id, options.entries_read);
}

static enum err xgroup_setid(struct call *call) REQUIRES(*call->keys)
{
    struct group_options options;
    struct stream *stream;
    struct stream_group *group;
    enum err err = read_options(call, false, &options);
    if (err == OK) {
        err = find_group(call, &stream, &group);
    }
    if (err != OK) {
        return err;
    }
    if (call->args.argc != 5 && call->args.argc != 7) {
        return help_refuse(call, "XGROUP");
    }
    struct stream_id id = stream->last_id;
    if (!bytes_equal(call_argument(call, 4), LIT("$")) &&
        !stream_parse_id(call_argument(call, 4), 0, false, &id, NULL)) {
        return stream_refuse_id(call);
    }
    group->last_id = id;
    group->entries_read = options.entries_read;
    reply_ok(call->reply);
    stream_group_changed(call, call_argument(call, 2), "xgroup-setid");
    return OK;
}

static enum err xgroup_destroy(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 2);
    struct stream *stream;
    enum err err = find_stream(call, &stream);
    if (err != OK) {
        return err;
    }
    struct stream_group *group = stream_group_find(stream, call_argument(call, 3));
    reply_integer(call->reply, group != NULL);
    if (group != NULL) {
        stream_group_destroy(call->thread, stream, group);
        stream_group_changed(call, key, "xgroup-destroy");
        if (blocking_any(&call->engine->blocking)) {
            blocking_note(&call->engine->blocking, call->session->db, key);
        }
    }
    return OK;
}

static enum err xgroup_createconsumer(struct call *call) REQUIRES(*call->keys)
{
    struct stream *stream;
    struct stream_group *group;
    struct stream_consumer *consumer;
    bool created = false;
    enum err err = find_group(call, &stream, &group);
    if (err == OK) {
        err = stream_need_consumer(call, call_argument(call, 2), group, call_argument(call, 4),
                                   &consumer, &created);
    }
    if (err == OK) {
        reply_integer(call->reply, created);
    }
    return err;
}

static enum err xgroup_delconsumer(struct call *call) REQUIRES(*call->keys)
{
    struct stream *stream;
    struct stream_group *group;
    int64_t pending = 0;
    enum err err = find_group(call, &stream, &group);
    if (err != OK) {
        return err;
    }
    struct stream_consumer *consumer = stream_consumer_find(group, call_argument(call, 4));
    if (consumer != NULL) {
        pending = (int64_t)consumer->pending.count;
        stream_consumer_destroy(call->thread, group, consumer);
        stream_group_changed(call, call_argument(call, 2), "xgroup-delconsumer");
    }
    reply_integer(call->reply, pending);
    return OK;
}

static enum err xgroup_help(struct call *call)
{
    static const char *const lines[] = {
        "CREATE <key> <groupname> <id|$> [option]",
        "    Makes a group that is given what comes behind <id>, or ($) from now on. Options:",
        "    * MKSTREAM",
        "      Makes an empty stream when the key has none.",
        "    * ENTRIESREAD <entries-read>",
        "      Sets how many entries the group has read.",
        "CREATECONSUMER <key> <groupname> <consumer>",
        "    Makes a consumer of a group.",
        "DELCONSUMER <key> <groupname> <consumer>",
        "    Removes a consumer with what is pending for it.",
        "DESTROY <key> <groupname>",
        "    Removes a group.",
        "SETID <key> <groupname> <id|$> [ENTRIESREAD <entries-read>]",
        "    Sets how far a group has got.",
        NULL,
    };
    help_reply(call, "XGROUP", lines);
    return OK;
}

static enum err xack(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1);
    struct stream *stream;
    struct stream_id *ids;
    int64_t acknowledged = 0;
    enum err err = stream_look_up(call, key, &stream);
    if (err != OK) {
        return err;
    }
    struct stream_group *group =
        stream != NULL ? stream_group_find(stream, call_argument(call, 2)) : NULL;
    if (group == NULL) {
        reply_integer(call->reply, 0);
        return OK;
    }
    err = stream_read_ids(call, 3, &ids);
    if (err != OK) {
        return err;
    }
    for (uint32_t i = 3; i < call->args.argc; i++) {
        acknowledged += stream_pending_destroy(call->thread, group, ids[i - 3]);
    }
    mem_free(ids);
    if (acknowledged > 0) {
        stream_group_changed(call, key, NULL);
    }
    reply_integer(call->reply, acknowledged);
    return OK;
}

/* ---- Rows -------------------------------------------------------------------------------------------- */

static const struct command_history entries_read_history[] = {
    { "7.0.0", "ENTRIESREAD came to be." },
    { NULL, NULL },
};

#define POSITION "id-selector=<id:string | $ new-id:token>"

static const struct command rows[] = {
    {
        .name = "xgroup",
        .arity = -2,
        .group = GROUP_STREAM,
        .since = "5.0.0",
        .complexity = "As the subcommand says.",
        .summary = "The commands on consumer groups.",
    },
    {
        .name = "xgroup|create",
        .handler = xgroup_create,
        .arity = -5,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Makes a consumer group.",
        .syntax = "key:key groupname:string " POSITION " [MKSTREAM] [ENTRIESREAD entries-read:int]",
        .history = entries_read_history,
    },
    {
        .name = "xgroup|setid",
        .handler = xgroup_setid,
        .arity = -5,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(2, KEY_RW | KEY_UPDATE) },
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Sets the id that a consumer group was given last.",
        .syntax = "key:key groupname:string " POSITION " [ENTRIESREAD entries-read:int]",
        .history = entries_read_history,
    },
    {
        .name = "xgroup|destroy",
        .handler = xgroup_destroy,
        .arity = 4,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(2, KEY_RW | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(N) where N is the number of entries pending in the group.",
        .summary = "Removes a consumer group.",
        .syntax = "key:key groupname:string",
    },
    {
        .name = "xgroup|createconsumer",
        .handler = xgroup_createconsumer,
        .arity = 5,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(2, KEY_RW | KEY_INSERT) },
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Makes a consumer of a group.",
        .syntax = "key:key groupname:string consumername:string",
    },
    {
        .name = "xgroup|delconsumer",
        .handler = xgroup_delconsumer,
        .arity = 5,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE,
        .keys = { KEY_AT(2, KEY_RW | KEY_DELETE) },
        .since = "5.0.0",
        .complexity = "O(N) where N is the number of entries pending for the consumer.",
        .summary = "Removes a consumer of a group.",
        .syntax = "key:key groupname:string consumername:string",
    },
    {
        .name = "xgroup|help",
        .handler = xgroup_help,
        .arity = 2,
        .group = GROUP_STREAM,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Tells what the subcommands do.",
    },
    {
        .name = "xack",
        .handler = xack,
        .arity = -4,
        .group = GROUP_STREAM,
        .flags = CMD_WRITE | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RW | KEY_UPDATE) },
        .since = "5.0.0",
        .complexity = "O(1) for each id.",
        .summary = "Acknowledges entries: they are pending no more; counts those that were.",
        .syntax = "key:key group:string id:string ...",
    },
};

const struct command_family cmd_stream_group_family = { rows, sizeof rows / sizeof rows[0] };
