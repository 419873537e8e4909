/* INFO, DBSIZE, FLUSHDB, FLUSHALL, SWAPDB, TIME, LASTSAVE, SHUTDOWN: the server as a whole.  Its
 * own facts come through engine->services.  LOLWUT is lolwut.c. */
#include "base/num.h"
#include "commands/families.h"
#include "commands/lolwut.h"
#include "exec/call.h"
#include "rln.h"

static enum err info(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct buf text = { 0 };
    if (services->info != NULL) {
        services->info(services->server, call->executor, call->args.argv + call->args.next,
                       args_left(&call->args), &text);
    }
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static enum err dbsize(struct call *call)
{
    reply_integer(call->reply, keyspace_size(call->keyspace, call->session->db));
    return OK;
}

static enum err flush(struct call *call, uint32_t db) REQUIRES(*call->keys)
{
    bool lazily = call->engine->settings.lazy_user_flush;
    enum err err = args_end_lazily(&call->args, &lazily);
    if (err != OK) {
        return err;
    }
    call_changed_all(call, db);
    (void)keyspace_flush(call->keyspace, call->keys, db, lazily);
    reply_ok(call->reply);
    return OK;
}

static enum err flushdb(struct call *call) REQUIRES(*call->keys)
{
    return flush(call, call->session->db);
}

static enum err flushall(struct call *call) REQUIRES(*call->keys)
{
    return flush(call, UINT32_MAX);
}

static bool read_index(struct bytes text, int64_t *index)
{
    return num_parse_i64(text, index) && *index >= INT32_MIN && *index <= INT32_MAX;
}

static enum err swapdb(struct call *call) REQUIRES(*call->keys)
{
    int64_t a, b;
    int64_t databases = keyspace_databases(call->keyspace);
    if (!read_index(args_next(&call->args), &a)) {
        reply_error(call->reply, LIT("ERR invalid first DB index"));
        return ERR_REPLIED;
    }
    if (!read_index(args_next(&call->args), &b)) {
        reply_error(call->reply, LIT("ERR invalid second DB index"));
        return ERR_REPLIED;
    }
    if (a < 0 || a >= databases || b < 0 || b >= databases) {
        return ERR_DB_INDEX;
    }
    if (a != b) {
        call_changed_all(call, (uint32_t)a);
        keyspace_swap(call->keyspace, call->keys, (uint32_t)a, (uint32_t)b);
        blocking_note_all(&call->engine->blocking, (uint32_t)b);
    }
    reply_ok(call->reply);
    return OK;
}

static enum err tell_time(struct call *call)
{
    int64_t now_us = clock_wall_us(call->engine->clock);
    reply_array(call->reply, 2);
    reply_number_as_bytes(call->reply, now_us / 1000000);
    reply_number_as_bytes(call->reply, now_us % 1000000);
    return OK;
}

static enum err lastsave(struct call *call)
{
    reply_integer(call->reply, call->engine->last_save_s);
    return OK;
}

struct shutdown_options {
    bool save, nosave, now, force, abort;
};

static enum err read_shutdown(struct args *args, struct shutdown_options *options)
{
    while (args_left(args) > 0) {
        if (args_option(args, LIT("nosave"))) {
            options->nosave = true;
        } else if (args_option(args, LIT("save"))) {
            options->save = true;
        } else if (args_option(args, LIT("now"))) {
            options->now = true;
        } else if (args_option(args, LIT("force"))) {
            options->force = true;
        } else if (args_option(args, LIT("abort"))) {
            options->abort = true;
        } else {
            return ERR_SYNTAX;
        }
    }
    bool others = options->save || options->nosave || options->now || options->force;
    return (options->abort && others) || (options->save && options->nosave) ? ERR_SYNTAX : OK;
}

/* A stop has no phase in which it waits for somebody: it can't be taken back. */
static enum err abort_shutdown(struct call *call)
{
    reply_error(call->reply, LIT("ERR No shutdown in progress."));
    return ERR_REPLIED;
}

static enum err begin_shutdown(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct shutdown_options options = { .save = false };
    enum err err = read_shutdown(&call->args, &options);
    if (err != OK) {
        return err;
    }
    if (options.abort) {
        return abort_shutdown(call);
    }
    if (!options.nosave && busy_any(&call->engine->busy)) {
        return busy_error(&call->engine->busy);
    }
    if (services->shutdown == NULL) {
        reply_error(call->reply, LIT("ERR this store has no server to shut down"));
        return ERR_REPLIED;
    }
    struct buf error = { 0 };
    if (!services->shutdown(services->server, options.save, options.nosave, options.now,
                            options.force, &error)) {
        reply_error(call->reply, buf_bytes(&error));
        buf_release(&error);
        return ERR_REPLIED;
    }
    buf_release(&error);
    if ((call->session->flags & SESSION_INTERNAL) != 0) {
        reply_ok(call->reply);
    } else { /* The closed connection is the answer. */
        call->session->flags |= SESSION_CLOSE_AFTER_REPLY;
        call->session->close_reason = RLN_CLOSE_SERVER_STOP;
    }
    return OK;
}

static enum err show_art(struct call *call)
{
    if (args_option_with(&call->args, LIT("version"), 1)) {
        (void)args_int(&call->args); /* There is one picture for all versions. */
        if (call->args.err != OK) {
            return call->args.err;
        }
    }
    struct buf text = { 0 };
    lolwut_draw(&call->thread->dice, &text);
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static const char *const info_tips[] = { "nondeterministic_output", "request_policy:all_shards",
                                         "response_policy:special", NULL };
static const char *const sum_tips[] = { "request_policy:all_shards", "response_policy:agg_sum",
                                        NULL };
static const char *const all_tips[] = { "request_policy:all_shards",
                                        "response_policy:all_succeeded", NULL };
static const char *const time_tips[] = { "nondeterministic_output", NULL };
static const struct command_history info_history[] = {
    { "7.0.0", "Takes several sections." },
    { NULL, NULL },
};
static const struct command_history flush_history[] = {
    { "4.0.0", "Has the `ASYNC` mode." },
    { "6.2.0", "Has the `SYNC` mode." },
    { NULL, NULL },
};
static const struct command_history shutdown_history[] = {
    { "7.0.0", "Has the options `NOW`, `FORCE` and `ABORT`." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "info",
        .handler = info,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE | CMD_WALKS,
        .categories = CATEGORY_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Returns facts and statistics about the server.",
        .syntax = "[section:string...]",
        .history = info_history,
        .tips = info_tips,
    },
    {
        .name = "dbsize",
        .handler = dbsize,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_READONLY | CMD_FAST,
        .categories = CATEGORY_KEYSPACE,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Returns the number of keys in the database.",
        .tips = sum_tips,
    },
    {
        .name = "flushdb",
        .handler = flushdb,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_WRITE | CMD_KEYS_ALL,
        .categories = CATEGORY_KEYSPACE | CATEGORY_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of keys in the database",
        .summary = "Removes all keys of the database.",
        .syntax = "[async=<ASYNC@4.0.0 | SYNC@6.2.0>]",
        .history = flush_history,
        .tips = all_tips,
    },
    {
        .name = "flushall",
        .handler = flushall,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_WRITE | CMD_KEYS_ALL,
        .categories = CATEGORY_KEYSPACE | CATEGORY_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of keys in all databases",
        .summary = "Removes all keys of all databases.",
        .syntax = "[async=<ASYNC@4.0.0 | SYNC@6.2.0>]",
        .history = flush_history,
        .tips = all_tips,
    },
    {
        .name = "swapdb",
        .handler = swapdb,
        .arity = 3,
        .group = GROUP_SERVER,
        .flags = CMD_WRITE | CMD_FAST | CMD_KEYS_ALL,
        .categories = CATEGORY_KEYSPACE | CATEGORY_DANGEROUS,
        .since = "4.0.0",
        .complexity = "O(N) where N is the number of clients that watch keys of the two",
        .summary = "Exchanges two databases.",
        .syntax = "index1:integer index2:integer",
    },
    {
        .name = "time",
        .handler = tell_time,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
        .since = "2.6.0",
        .complexity = "O(1)",
        .summary = "Returns the server's time.",
        .tips = time_tips,
    },
    {
        .name = "lastsave",
        .handler = lastsave,
        .arity = 1,
        .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
        .categories = CATEGORY_ADMIN | CATEGORY_DANGEROUS,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Returns the Unix time of the newest snapshot.",
        .tips = time_tips,
    },
    {
        .name = "shutdown",
        .handler = begin_shutdown,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_NO_MULTI | CMD_ALLOW_BUSY,
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of keys to be saved, O(1) without saving",
        .summary = "Stops the server.",
        .syntax = "[nosave_save=<NOSAVE | SAVE>] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
        .history = shutdown_history,
    },
    {
        .name = "lolwut",
        .handler = show_art,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = CMD_READONLY | CMD_FAST,
        .since = "5.0.0",
        .summary = "Shows some art and the version.",
        .syntax = "[VERSION version:integer]",
    },
};

const struct command_family cmd_server_family = { rows, sizeof rows / sizeof rows[0] };
