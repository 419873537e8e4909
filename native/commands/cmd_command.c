/* COMMAND: what the commands of this server are.  The description of one command is
 * command_reply.c. */
#include "base/mem.h"
#include "commands/command_reply.h"
#include "commands/families.h"
#include "exec/categories.h"
#include "exec/help.h"

static uint32_t count_commands(const struct registry *registry)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        count += registry_parent(registry, registry_at(registry, i)) == NULL;
    }
    return count;
}

static enum err all(struct call *call)
{
    const struct registry *registry = call->engine->registry;
    reply_array(call->reply, count_commands(registry));
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *command = registry_at(registry, i);
        if (registry_parent(registry, command) == NULL) {
            command_reply_info(registry, command, call->reply);
        }
    }
    return OK;
}

static enum err info(struct call *call)
{
    const struct registry *registry = call->engine->registry;
    if (args_left(&call->args) == 0) {
        return all(call);
    }
    reply_array(call->reply, args_left(&call->args));
    while (args_left(&call->args) > 0) {
        const struct command *command = registry_find_name(registry, args_next(&call->args));
        if (command == NULL) {
            reply_null(call->reply);
        } else {
            command_reply_info(registry, command, call->reply);
        }
    }
    return OK;
}

static enum err docs(struct call *call)
{
    const struct registry *registry = call->engine->registry;
    struct reply_mark begin = reply_begin_deferred(call->reply);
    size_t count = 0;
    if (args_left(&call->args) == 0) {
        for (uint32_t i = 0; i < registry_count(registry); i++) {
            const struct command *command = registry_at(registry, i);
            if (registry_parent(registry, command) == NULL) {
                command_reply_docs(registry, command, call->reply);
                count++;
            }
        }
    }
    while (args_left(&call->args) > 0) {
        const struct command *command = registry_find_name(registry, args_next(&call->args));
        if (command != NULL) {
            command_reply_docs(registry, command, call->reply);
            count++;
        }
    }
    reply_end_map(call->reply, begin, count);
    return OK;
}

static enum err count(struct call *call)
{
    reply_integer(call->reply, count_commands(call->engine->registry));
    return OK;
}

/* ---- LIST ------------------------------------------------------------------------------ */

enum filter_kind { FILTER_NONE, FILTER_MODULE, FILTER_CATEGORY, FILTER_PATTERN };

static bool is_listed(const struct registry *registry, const struct command *command,
                      enum filter_kind kind, struct bytes text)
{
    switch (kind) {
    case FILTER_MODULE:
        return false; /* There are no modules. */
    case FILTER_CATEGORY:
        return (registry_categories(registry, command) & category_find(text)) != 0;
    case FILTER_PATTERN:
        return bytes_match_glob(text, bytes_of(command->name), true);
    case FILTER_NONE:
        break;
    }
    return true;
}

static enum err list(struct call *call)
{
    const struct registry *registry = call->engine->registry;
    enum filter_kind kind = FILTER_NONE;
    struct bytes text = { 0 };
    if (args_option_with(&call->args, LIT("filterby"), 2)) {
        kind = args_option(&call->args, LIT("module"))    ? FILTER_MODULE
               : args_option(&call->args, LIT("aclcat"))  ? FILTER_CATEGORY
               : args_option(&call->args, LIT("pattern")) ? FILTER_PATTERN
                                                          : FILTER_NONE;
        if (kind == FILTER_NONE) {
            return ERR_SYNTAX;
        }
        text = args_next(&call->args);
    }
    enum err err = args_end(&call->args);
    if (err != OK) {
        return err;
    }
    struct reply_mark begin = reply_begin_deferred(call->reply);
    size_t listed = 0;
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *command = registry_at(registry, i);
        if (is_listed(registry, command, kind, text)) {
            reply_bytes(call->reply, bytes_of(command->name));
            listed++;
        }
    }
    reply_end_array(call->reply, begin, listed);
    return OK;
}

/* ---- GETKEYS --------------------------------------------------------------------------- */

static enum err fail(struct call *call, const char *text)
{
    reply_error(call->reply, bytes_of(text));
    return ERR_REPLIED;
}

/* Finds the keys of the command that the arguments are; '*found' is the caller's to free. */
static enum err find_keys(struct call *call, struct found_key **found, int *key_count)
{
    const struct bytes *argv = call->args.argv + call->args.next;
    uint32_t argc = args_left(&call->args);
    const struct command *container;
    const struct command *command = registry_find(call->engine->registry, argv, argc, &container);
    if (command == NULL) {
        return fail(call, "ERR Invalid command specified");
    }
    if (command->keys[0].begin == KEYS_NONE && command->find_keys == NULL) {
        return fail(call, "ERR The command has no key arguments");
    }
    if (!command_arity_fits(command, argc)) {
        return fail(call, "ERR Invalid number of arguments specified for command");
    }
    *found = mem_try_alloc(argc * sizeof **found);
    if (*found == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    *key_count = command_keys(command, argv, argc, *found);
    if (*key_count <= 0 && command->group == GROUP_SCRIPTING) {
        *key_count = 0; /* A script may go without keys. */
        return OK;
    }
    return *key_count > 0 ? OK : fail(call, "ERR Invalid arguments specified for command");
}

static enum err reply_keys(struct call *call, bool with_flags)
{
    const struct bytes *argv = call->args.argv + call->args.next;
    struct found_key *found = NULL;
    int key_count = 0;
    enum err err = find_keys(call, &found, &key_count);
    if (err == OK) {
        reply_array(call->reply, (size_t)key_count);
        for (int i = 0; i < key_count; i++) {
            if (with_flags) {
                reply_array(call->reply, 2);
            }
            reply_bytes(call->reply, argv[found[i].at]);
            if (with_flags) {
                command_reply_key_flags(found[i].flags, call->reply);
            }
        }
    }
    mem_free(found);
    return err;
}

static enum err getkeys(struct call *call)
{
    return reply_keys(call, false);
}

static enum err getkeysandflags(struct call *call)
{
    return reply_keys(call, true);
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "(no subcommand)",
        "    Details about all commands.",
        "COUNT",
        "    How many commands there are.",
        "DOCS [<command-name> ...]",
        "    The documentation of these commands, or of all.",
        "GETKEYS <full-command>",
        "    The keys among the arguments of a command.",
        "GETKEYSANDFLAGS <full-command>",
        "    The keys among the arguments of a command, and how it uses them.",
        "INFO [<command-name> ...]",
        "    Details about these commands, or about all.",
        "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
        "    The names of the commands.",
        NULL,
    };
    help_reply(call, "COMMAND", lines);
    return OK;
}

enum { ANYTIME = CMD_LOADING | CMD_STALE };

static const char *const order_tips[] = { "nondeterministic_output_order", NULL };
static const struct command_history info_history[] = {
    { "7.0.0", "Without names it tells of all commands." },
    { NULL, NULL },
};

#define COMMAND_ROW(subcommand, function, count)                                                   \
    .name = "command|" subcommand, .handler = (function), .arity = (count), .group = GROUP_SERVER, \
    .flags = ANYTIME, .categories = CATEGORY_CONNECTION

static const struct command rows[] = {
    {
        .name = "command",
        .handler = all,
        .arity = -1,
        .group = GROUP_SERVER,
        .flags = ANYTIME,
        .categories = CATEGORY_CONNECTION,
        .since = "2.8.13",
        .complexity = "O(N) where N is the number of commands",
        .summary = "Returns details about all commands.",
        .tips = order_tips,
    },
    {
        COMMAND_ROW("count", count, 2),
        .since = "2.8.13",
        .complexity = "O(1)",
        .summary = "Returns how many commands there are.",
    },
    {
        COMMAND_ROW("docs", docs, -2),
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of commands asked for",
        .summary = "Returns the documentation of commands.",
        .syntax = "[command-name:string...]",
        .tips = order_tips,
    },
    {
        COMMAND_ROW("getkeys", getkeys, -4),
        .since = "2.8.13",
        .complexity = "O(N) where N is the number of arguments",
        .summary = "Returns the keys among the arguments of a command.",
        .syntax = "command:string arg:string...",
    },
    {
        COMMAND_ROW("getkeysandflags", getkeysandflags, -4),
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of arguments",
        .summary = "Returns the keys among the arguments of a command, and their use.",
        .syntax = "command:string arg:string...",
    },
    {
        COMMAND_ROW("help", help, 2),
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        COMMAND_ROW("info", info, -2),
        .since = "2.8.13",
        .complexity = "O(N) where N is the number of commands asked for",
        .summary = "Returns details about commands.",
        .syntax = "[command-name:string...]",
        .history = info_history,
        .tips = order_tips,
    },
    {
        COMMAND_ROW("list", list, -2),
        .since = "7.0.0",
        .complexity = "O(N) where N is the number of commands",
        .summary = "Returns the names of the commands.",
        .syntax = "[FILTERBY filterby=<MODULE module-name:string | ACLCAT category:string | "
                  "PATTERN pattern:pattern>]",
        .tips = order_tips,
    },
};

const struct command_family cmd_command_family = { rows, sizeof rows / sizeof rows[0] };
