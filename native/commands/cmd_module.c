/* MODULE: there are none, and none can be loaded. */
#include "commands/families.h"
#include "exec/help.h"

static enum err list(struct call *call)
{
    reply_array(call->reply, 0);
    return OK;
}

/* As Redis says with enable-module-command no, the only value that the directive takes. */
static enum err refuse(struct call *call)
{
    reply_error(call->reply,
                LIT("ERR MODULE command not allowed. If the enable-module-command option is set to "
                    "\"local\", you can run it from a local connection, otherwise you need to set "
                    "this option in the configuration file, and then restart the server."));
    return ERR_REPLIED;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "LIST",
        "    The modules that are loaded: none, for this server takes no modules.",
        "LOAD <path> [<arg> ...]",
        "    Refused.",
        "LOADEX <path> [CONFIG <name> <value> ...] [ARGS <arg> ...]",
        "    Refused.",
        "UNLOAD <name>",
        "    Refused.",
        NULL,
    };
    help_reply(call, "MODULE", lines);
    return OK;
}

enum { LOADS = CMD_ADMIN | CMD_NOSCRIPT | CMD_NO_ASYNC_LOADING };

static const char *const list_tips[] = { "nondeterministic_output_order", NULL };

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "module", .arity = -2, .group = GROUP_SERVER,
        .since = "4.0.0", .complexity = "Depends on subcommand.",
        .summary = "A container of commands for modules.",
    },
    {
        .name = "module|help", .handler = help, .arity = 2, .group = GROUP_SERVER,
        .flags = CMD_LOADING | CMD_STALE,
        .since = "5.0.0", .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        .name = "module|list", .handler = list, .arity = 2, .group = GROUP_SERVER,
        .flags = CMD_ADMIN | CMD_NOSCRIPT,
        .since = "4.0.0", .complexity = "O(N) where N is the number of modules",
        .summary = "Returns the modules that are loaded.", .tips = list_tips,
    },
    {
        .name = "module|load", .handler = refuse, .arity = -3, .group = GROUP_SERVER,
        .flags = LOADS,
        .since = "4.0.0", .complexity = "O(1)",
        .summary = "Loads a module.",
        .syntax = "path:string [arg:string...]",
    },
    {
        .name = "module|loadex", .handler = refuse, .arity = -3, .group = GROUP_SERVER,
        .flags = LOADS,
        .since = "7.0.0", .complexity = "O(1)",
        .summary = "Loads a module and configures it.",
        .syntax = "path:string [CONFIG configs=(name:string value:string)]... "
                  "[ARGS args=(arg:string)...]",
    },
    {
        .name = "module|unload", .handler = refuse, .arity = 3, .group = GROUP_SERVER,
        .flags = LOADS,
        .since = "4.0.0", .complexity = "O(1)",
        .summary = "Unloads a module.",
        .syntax = "name:string",
    },
};
/* clang-format on */

const struct command_family cmd_module_family = { rows, sizeof rows / sizeof rows[0] };
