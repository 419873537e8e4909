/* FUNCTION and its subcommands: libraries of functions. */
#include "exec/call.h"
#include "exec/help.h"
#include "script/families.h"
#include "script/functions_payload.h"
#include "script/slow.h"

static enum err refuse(struct call *call, struct buf *error)
{
    reply_errorf(call->reply, "ERR %.*s", (int)error->len, error->at);
    buf_release(error);
    return ERR_REPLIED;
}

static enum err load(struct call *call)
{
    struct args *args = &call->args;
    struct buf error = { 0 };
    bool replace = false;
    while (args_left(args) > 1) {
        struct bytes word = args_next(args);
        if (!bytes_equal_nocase(word, LIT("replace"))) {
            buf_append(&error, LIT("Unknown option given: "));
            buf_append(&error, word);
            return refuse(call, &error);
        }
        replace = true;
    }
    struct machine *machine = machine_open(call->executor);
    if (machine == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    struct library *library = library_create(machine, args_next(args), &error);
    if (library == NULL) {
        return refuse(call, &error);
    }
    struct library_list list = { library, 1, library->count };
    struct bytes name = bytes_of(library->name);
    atomic_fetch_add_explicit(&library->references, 1, memory_order_relaxed);
    if (functions_join(machine->scripting, &list, replace ? COLLISION_REPLACES : COLLISION_FAILS,
                       &error)) {
        reply_bytes(call->reply, name);
        call->effects.changed++;
    } else if (error.len > 8 && memcmp(error.at, "Library ", 8) == 0) {
        /* This command puts the name between quotes. */
        reply_errorf(call->reply, "ERR Library '%s' already exists", library->name);
        buf_release(&error);
    } else {
        (void)refuse(call, &error);
    }
    library_list_release(&list);
    library_unref(library);
    return OK;
}

static enum err delete_library(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    if (!functions_delete(scripting, args_next(&call->args))) {
        reply_error(call->reply, LIT("ERR Library not found"));
        return ERR_REPLIED;
    }
    call->effects.changed++;
    reply_ok(call->reply);
    return OK;
}

static enum err flush(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    bool lazily; /* What nobody uses any more goes at once, or with the last who does. */
    if (args_end_lazily(&call->args, &lazily) != OK) {
        reply_error(call->reply, LIT("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
        return ERR_REPLIED;
    }
    functions_flush(scripting);
    call->effects.changed++;
    reply_ok(call->reply);
    return OK;
}

/* ---- DUMP and RESTORE ------------------------------------------------------------------------ */

static enum err dump(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    struct buf payload = { 0 };
    enum err err = scripting != NULL ? functions_dump(scripting, &payload) : ERR_OUT_OF_MEMORY;
    if (err == OK) {
        reply_bytes(call->reply, buf_bytes(&payload));
    }
    buf_release(&payload);
    return err;
}

static enum err restore(struct call *call)
{
    struct args *args = &call->args;
    struct bytes payload = args_next(args);
    enum functions_collision collision = COLLISION_FAILS;
    if (args_left(args) > 1) {
        struct bytes name = call_argument(call, 1);
        reply_errorf(call->reply,
                     "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try FUNCTION "
                     "HELP.",
                     (int)name.len, name.at);
        return ERR_REPLIED;
    }
    if (args_option(args, LIT("flush"))) {
        collision = COLLISION_FLUSHES;
    } else if (args_option(args, LIT("replace"))) {
        collision = COLLISION_REPLACES;
    } else if (args_left(args) > 0 && !args_option(args, LIT("append"))) {
        reply_error(call->reply, LIT("ERR Wrong restore policy given, value should be either "
                                     "FLUSH, APPEND or REPLACE."));
        return ERR_REPLIED;
    }
    struct machine *machine = machine_open(call->executor);
    struct buf error = { 0 };
    if (machine == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    bool skip_checksum =
        atomic_load_explicit(&call->engine->settings.checksums_skipped, memory_order_relaxed);
    if (!functions_restore(machine, payload, skip_checksum, collision, &error)) {
        return refuse(call, &error);
    }
    call->effects.changed++;
    reply_ok(call->reply);
    return OK;
}

/* ---- LIST ------------------------------------------------------------------------------------ */

static void reply_flags(struct reply *reply, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {
        { SCRIPT_NO_WRITES, "no-writes" },
        { SCRIPT_ALLOW_OOM, "allow-oom" },
        { SCRIPT_ALLOW_STALE, "allow-stale" },
        { SCRIPT_NO_CLUSTER, "no-cluster" },
        { SCRIPT_CROSS_SLOT, "allow-cross-slot-keys" },
    };
    reply_set(reply, (size_t)__builtin_popcount(flags));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].flag) != 0) {
            reply_simple(reply, bytes_of(names[i].name));
        }
    }
}

static void reply_function(struct reply *reply, const struct function *function)
{
    reply_map(reply, 3);
    reply_bytes(reply, LIT("name"));
    reply_bytes(reply, bytes_of(function->name));
    reply_bytes(reply, LIT("description"));
    if (function->description != NULL) {
        reply_bytes(reply, bytes_of(function->description));
    } else {
        reply_null(reply);
    }
    reply_bytes(reply, LIT("flags"));
    reply_flags(reply, function->flags);
}

static void reply_library(struct reply *reply, const struct library *library, bool with_code)
{
    reply_map(reply, with_code ? 4 : 3);
    reply_bytes(reply, LIT("library_name"));
    reply_bytes(reply, bytes_of(library->name));
    reply_bytes(reply, LIT("engine"));
    reply_bytes(reply, LIT("LUA"));
    reply_bytes(reply, LIT("functions"));
    reply_array(reply, library->count);
    for (uint32_t i = 0; i < library->count; i++) {
        reply_function(reply, &library->functions[i]);
    }
    if (with_code) {
        reply_bytes(reply, LIT("library_code"));
        reply_bytes(reply, buf_bytes(&library->code));
    }
}

static enum err list(struct call *call)
{
    struct args *args = &call->args;
    struct scripting *scripting = scripting_of(call->engine);
    bool with_code = false, named = false;
    struct bytes pattern = LIT("");
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    while (args_left(args) > 0) {
        struct bytes word = args_next(args);
        if (!with_code && bytes_equal_nocase(word, LIT("withcode"))) {
            with_code = true;
        } else if (!named && bytes_equal_nocase(word, LIT("libraryname"))) {
            if (args_left(args) == 0) {
                reply_error(call->reply, LIT("ERR library name argument was not given"));
                return ERR_REPLIED;
            }
            named = true;
            pattern = args_next(args);
        } else {
            reply_errorf(call->reply, "ERR Unknown argument %.*s", (int)word.len, word.at);
            return ERR_REPLIED;
        }
    }
    size_t count = 0;
    struct reply_mark begin = reply_begin_deferred(call->reply);
    mutex_lock(&scripting->mutex);
    for (const struct library *at = scripting->libraries.first; at != NULL; at = at->next) {
        if (!named || bytes_match_glob(pattern, bytes_of(at->name), true)) {
            reply_library(call->reply, at, with_code);
            count++;
        }
    }
    mutex_unlock(&scripting->mutex);
    reply_end_array(call->reply, begin, count);
    return OK;
}

static enum err stats(struct call *call)
{
    struct scripting *scripting = scripting_of(call->engine);
    if (scripting == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    struct reply_mark mark = reply_mark(call->reply);
    reply_map(call->reply, 2);
    reply_bytes(call->reply, LIT("running_script"));
    enum err err = slow_describe(call);
    if (err != OK) {
        reply_rewind(call->reply, mark);
        return err;
    }
    reply_bytes(call->reply, LIT("engines"));
    reply_map(call->reply, 1);
    reply_bytes(call->reply, LIT("LUA"));
    reply_map(call->reply, 2);
    reply_bytes(call->reply, LIT("libraries_count"));
    reply_integer(call->reply, atomic_load(&scripting->library_count));
    reply_bytes(call->reply, LIT("functions_count"));
    reply_integer(call->reply, atomic_load(&scripting->function_count));
    return OK;
}

static enum err kill(struct call *call)
{
    return slow_kill(call, true);
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Makes a library of the code, whose first line has its name.",
        "DELETE <LIBRARY NAME>",
        "    Removes a library with its functions.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Tells of all libraries, or those whose names match: name, engine, functions, code.",
        "STATS",
        "    Tells of the running function, and how many there are.",
        "KILL",
        "    Ends the function that is running, unless it has written.",
        "FLUSH [ASYNC|SYNC]",
        "    Removes all libraries.",
        "DUMP",
        "    Gives all libraries as one payload.",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "    Takes the libraries of such a payload: in the place of all that there are, or beside",
        "    them, where one of the same name is an error (APPEND, the default) or goes.",
        NULL,
    };
    help_reply(call, "FUNCTION", lines);
    return OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static const char *const change_tips[] = { "request_policy:all_shards",
                                           "response_policy:all_succeeded", NULL };
static const char *const list_tips[] = { "nondeterministic_output_order", NULL };
static const char *const kill_tips[] = { "request_policy:all_shards",
                                         "response_policy:one_succeeded", NULL };
static const char *const stats_tips[] = { "nondeterministic_output", "request_policy:all_shards",
                                          "response_policy:special", NULL };

static const struct command rows[] = {
    {
        .name = "function",
        .arity = -2,
        .group = GROUP_SCRIPTING,
        .since = "7.0.0",
        .complexity = "Depends on subcommand.",
        .summary = "Libraries of functions.",
    },
    {
        .name = "function|load",
        .handler = load,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_WRITE | CMD_DENYOOM | CMD_KEYS_ALL,
        .since = "7.0.0",
        .complexity = "O(1) (considering compilation time is redundant)",
        .summary = "Makes a library.",
        .syntax = "[REPLACE] function-code:string",
        .tips = change_tips,
    },
    {
        .name = "function|delete",
        .handler = delete_library,
        .arity = 3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_WRITE | CMD_KEYS_ALL,
        .since = "7.0.0",
        .complexity = "O(1)",
        .summary = "Removes a library.",
        .syntax = "library-name:string",
        .tips = change_tips,
    },
    {
        .name = "function|flush",
        .handler = flush,
        .arity = -2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_WRITE | CMD_KEYS_ALL,
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of functions deleted",
        .summary = "Removes all libraries.",
        .syntax = "[async=<ASYNC | SYNC>]",
        .tips = change_tips,
    },
    {
        .name = "function|dump",
        .handler = dump,
        .arity = 2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT,
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of functions",
        .summary = "Gives all libraries as one payload.",
    },
    {
        .name = "function|restore",
        .handler = restore,
        .arity = -3,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_WRITE | CMD_DENYOOM | CMD_KEYS_ALL,
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of functions on the payload",
        .summary = "Takes the libraries of a payload.",
        .syntax = "serialized-value:string [policy=<FLUSH | APPEND | REPLACE>]",
        .tips = change_tips,
    },
    {
        .name = "function|list",
        .handler = list,
        .arity = -2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT,
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of functions",
        .summary = "Lists libraries and their functions.",
        .syntax = "[LIBRARYNAME library-name-pattern:string] [WITHCODE]",
        .tips = list_tips,
    },
    {
        .name = "function|stats",
        .handler = stats,
        .arity = 2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_ALLOW_BUSY,
        .since = "7.0.0",
        .complexity = "O(1)",
        .summary = "Tells of the running function.",
        .tips = stats_tips,
    },
    {
        .name = "function|kill",
        .handler = kill,
        .arity = 2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_NOSCRIPT | CMD_ALLOW_BUSY,
        .since = "7.0.0",
        .complexity = "O(1)",
        .summary = "Ends the running function.",
        .tips = kill_tips,
    },
    {
        .name = "function|help",
        .handler = help,
        .arity = 2,
        .group = GROUP_SCRIPTING,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "7.0.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
};

const struct command_family cmd_function_family = { rows, sizeof rows / sizeof rows[0] };
