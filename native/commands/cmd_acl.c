/* ACL, with the one user that there is: "default", who may do everything, behind requirepass.
 * What would make other users, or take something from this one, is refused. */
#include "base/random.h"
#include "base/sha256.h"
#include "commands/command_reply.h"
#include "commands/families.h"
#include "exec/help.h"

static bool is_default(struct bytes user)
{
    return bytes_equal(user, LIT("default"));
}

static enum err whoami(struct call *call)
{
    reply_bytes(call->reply, LIT("default"));
    return OK;
}

static enum err users(struct call *call)
{
    reply_array(call->reply, 1);
    reply_bytes(call->reply, LIT("default"));
    return OK;
}

/* ---- The user ---------------------------------------------------------------------------- */

struct password {
    bool there;
    char digest[SHA256_HEX_LEN];
};

static void take_password(void *user, struct bytes name, struct bytes value)
{
    struct password *password = user;
    (void)name;
    password->there = value.len > 0;
    if (password->there) {
        sha256_hex(value, password->digest);
    }
}

static void read_password(struct call *call, struct password *password)
{
    const struct engine_services *services = &call->engine->services;
    struct bytes directive = LIT("requirepass");
    password->there = false;
    if (services->config_get != NULL) {
        services->config_get(services->server, &directive, 1, take_password, password);
    }
}

static struct bytes digest_of(const struct password *password)
{
    return (struct bytes){ password->digest, SHA256_HEX_LEN };
}

static enum err list(struct call *call)
{
    struct password password;
    struct buf line = { 0 };
    read_password(call, &password);
    buf_append(&line, LIT("user default on "));
    if (password.there) {
        buf_append_char(&line, '#');
        buf_append(&line, digest_of(&password));
    } else {
        buf_append(&line, LIT("nopass"));
    }
    buf_append(&line, LIT(" ~* &* +@all"));
    reply_array(call->reply, 1);
    reply_bytes(call->reply, buf_bytes(&line));
    buf_release(&line);
    return OK;
}

static enum err getuser(struct call *call)
{
    struct reply *reply = call->reply;
    struct password password;
    if (!is_default(args_next(&call->args))) {
        reply_null(reply);
        return OK;
    }
    read_password(call, &password);
    reply_map(reply, 6);
    reply_bytes(reply, LIT("flags"));
    reply_set(reply, password.there ? 1 : 2);
    reply_bytes(reply, LIT("on"));
    if (!password.there) {
        reply_bytes(reply, LIT("nopass"));
    }
    reply_bytes(reply, LIT("passwords"));
    reply_array(reply, password.there);
    if (password.there) {
        reply_bytes(reply, digest_of(&password));
    }
    reply_bytes(reply, LIT("commands"));
    reply_bytes(reply, LIT("+@all"));
    reply_bytes(reply, LIT("keys"));
    reply_bytes(reply, LIT("~*"));
    reply_bytes(reply, LIT("channels"));
    reply_bytes(reply, LIT("&*"));
    reply_bytes(reply, LIT("selectors"));
    reply_array(reply, 0);
    return OK;
}

/* Rules that leave the user as it is. */
static bool changes_nothing(struct bytes rule)
{
    static const char *const rules[] = {
        "on",    "~*",          "allkeys",       "&*",
        "+@all", "allchannels", "allcommands",   "sanitize-payload",
        "%RW~*", "%R~*",        "clearselectors"
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (bytes_equal_nocase(rule, bytes_of(rules[i]))) {
            return true;
        }
    }
    return false;
}

static enum err setuser(struct call *call)
{
    if (!is_default(args_next(&call->args))) {
        reply_error(call->reply, LIT("ERR there are no users beside 'default' in this server"));
        return ERR_REPLIED;
    }
    while (args_left(&call->args) > 0) {
        struct bytes rule = args_next(&call->args);
        if (!changes_nothing(rule)) {
            reply_errorf(call->reply,
                         "ERR Error in ACL SETUSER modifier '%.*s': the default user of this "
                         "server may do everything; its password is the directive requirepass",
                         (int)rule.len, rule.at);
            return ERR_REPLIED;
        }
    }
    reply_ok(call->reply);
    return OK;
}

static enum err deluser(struct call *call)
{
    while (args_left(&call->args) > 0) {
        if (is_default(args_next(&call->args))) {
            reply_error(call->reply, LIT("ERR The 'default' user cannot be removed"));
            return ERR_REPLIED;
        }
    }
    reply_integer(call->reply, 0);
    return OK;
}

static enum err refuse_file(struct call *call)
{
    reply_error(call->reply,
                LIT("ERR This Redis instance is not configured to use an ACL file. You may want to "
                    "specify users via the ACL SETUSER command and then issue a CONFIG REWRITE "
                    "(assuming you have a Redis configuration file set) in order to store users "
                    "in the Redis configuration."));
    return ERR_REPLIED;
}

static enum err dryrun(struct call *call)
{
    struct bytes user = args_next(&call->args);
    const struct bytes *argv = call->args.argv + call->args.next;
    uint32_t argc = args_left(&call->args);
    const struct command *container;
    if (!is_default(user)) {
        reply_errorf(call->reply, "ERR User '%.*s' not found", (int)user.len, user.at);
        return ERR_REPLIED;
    }
    const struct command *command = registry_find(call->engine->registry, argv, argc, &container);
    if (command == NULL) {
        reply_errorf(call->reply, "ERR Command '%.*s' not found", (int)argv[0].len, argv[0].at);
        return ERR_REPLIED;
    }
    if (!command_arity_fits(command, argc)) {
        reply_err(call->reply, ERR_ARITY, command->name);
        return ERR_REPLIED;
    }
    reply_ok(call->reply);
    return OK;
}

/* ---- What needs no user ------------------------------------------------------------------ */

static enum err cat(struct call *call)
{
    const struct registry *registry = call->engine->registry;
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "ACL");
    }
    if (args_left(&call->args) == 0) {
        command_reply_categories(call->reply);
        return OK;
    }
    struct bytes name = args_next(&call->args);
    uint32_t category = command_find_category(name);
    if (category == 0) {
        reply_errorf(call->reply, "ERR Unknown category '%.*s'", (int)name.len, name.at);
        return ERR_REPLIED;
    }
    struct reply_mark begin = reply_begin_deferred(call->reply);
    size_t count = 0;
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *command = registry_at(registry, i);
        bool is_plain_container = command->derived.container && command->handler == NULL;
        if (!is_plain_container && (registry_categories(registry, command) & category) != 0) {
            reply_bytes(call->reply, bytes_of(command->name));
            count++;
        }
    }
    reply_end_array(call->reply, begin, count);
    return OK;
}

static enum err genpass(struct call *call)
{
    enum { DEFAULT_BITS = 256, MOST_BITS = 4096, DIGITS = MOST_BITS / 4 };
    unsigned char bytes[DIGITS / 2];
    char digits[DIGITS];
    int64_t bits = DEFAULT_BITS;
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "ACL");
    }
    if (args_left(&call->args) == 1) {
        bits = args_int(&call->args);
        if (call->args.err != OK) {
            return call->args.err;
        }
    }
    if (bits <= 0 || bits > MOST_BITS) {
        reply_error(call->reply, LIT("ERR ACL GENPASS argument must be the number of bits for the "
                                     "output password, a positive number up to 4096"));
        return ERR_REPLIED;
    }
    size_t len = (size_t)(bits + 3) / 4;
    random_system(bytes, sizeof bytes);
    for (size_t i = 0; i < len; i++) {
        digits[i] = "0123456789abcdef"[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15];
    }
    reply_bytes(call->reply, (struct bytes){ digits, len });
    return OK;
}

/* Nobody is ever refused but by a wrong password, which INFO counts. */
static enum err tell_log(struct call *call)
{
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "ACL");
    }
    if (args_option(&call->args, LIT("reset"))) {
        reply_ok(call->reply);
        return OK;
    }
    if (args_left(&call->args) == 1) {
        (void)args_int(&call->args);
        if (call->args.err != OK) {
            return call->args.err;
        }
    }
    reply_array(call->reply, 0);
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "CAT [<category>]",
        "    The categories of commands, or the commands of <category>.",
        "DELUSER <username> [<username> ...]",
        "    Removes users; there are none but the one who can't be removed.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Whether the user may run the command, which does not run.",
        "GENPASS [<bits>]",
        "    A password of <bits> random bits (256 without it), in hexadecimal digits.",
        "GETUSER <username>",
        "    What a user may do.",
        "LIST",
        "    All users, as a file of them would have them.",
        "LOAD",
        "    Refused: there is no file of users.",
        "LOG [<count> | RESET]",
        "    Commands that were refused: none, for the user may do everything.",
        "SAVE",
        "    Refused: there is no file of users.",
        "SETUSER <username> <attribute> [<attribute> ...]",
        "    Refused, unless it leaves the user \"default\" as it is.",
        "USERS",
        "    The names of all users.",
        "WHOAMI",
        "    The name of this connection's user.",
        NULL,
    };
    help_reply(call, "ACL", lines);
    return OK;
}

enum {
    ADMIN = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
    OPEN = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
};

static const struct command_history getuser_history[] = {
    { "6.2.0", "The reply has patterns of channels." },
    { "7.0.0", "The reply has selectors, and patterns as rules." },
    { NULL, NULL },
};
static const struct command_history setuser_history[] = {
    { "6.2.0", "Takes patterns of channels." },
    { "7.0.0", "Takes selectors, and permissions by key." },
    { NULL, NULL },
};

#define ROW(subcommand, function, count, use)                                                      \
    .name = "acl|" subcommand, .handler = (function), .arity = (count), .group = GROUP_SERVER,     \
    .flags = (use)

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "acl", .arity = -2, .group = GROUP_SERVER,
        .since = "6.0.0", .complexity = "Depends on subcommand.",
        .summary = "A container of commands about users and what they may do.",
    },
    {
        ROW("cat", cat, -2, OPEN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns the categories of commands, or the commands of one.",
        .syntax = "[categoryname:string]",
    },
    {
        ROW("deluser", deluser, -3, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Removes users.", .syntax = "username:string...",
    },
    {
        ROW("dryrun", dryrun, -4, ADMIN), .since = "7.0.0", .complexity = "O(1)",
        .summary = "Returns whether a user may run a command, which does not run.",
        .syntax = "username:string command:string [arg:string...]",
    },
    {
        ROW("genpass", genpass, -2, OPEN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns a random password.", .syntax = "[bits:integer]",
    },
    {
        ROW("getuser", getuser, 3, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns what a user may do.", .syntax = "username:string",
        .history = getuser_history,
    },
    {
        ROW("help", help, 2, CMD_LOADING | CMD_STALE), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        ROW("list", list, 2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns all users, as a file of them would have them.",
    },
    {
        ROW("load", refuse_file, 2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Reads the users from their file.",
    },
    {
        ROW("log", tell_log, -2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns the commands that were refused.",
        .syntax = "[operation=<count:integer | RESET>]",
    },
    {
        ROW("save", refuse_file, 2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Writes the users to their file.",
    },
    {
        ROW("setuser", setuser, -3, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Makes or changes a user.", .syntax = "username:string [rule:string...]",
        .history = setuser_history,
    },
    {
        ROW("users", users, 2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns the names of all users.",
    },
    {
        ROW("whoami", whoami, 2, OPEN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns the name of this connection's user.",
    },
};
/* clang-format on */

const struct command_family cmd_acl_family = { rows, sizeof rows / sizeof rows[0] };
