/* ACL: the users of the server, and what was refused to them.  What they may do is exec/acl.h's. */
#include "base/random.h"
#include "commands/command_reply.h"
#include "commands/families.h"
#include "exec/acl_user.h"
#include "exec/categories.h"
#include "exec/help.h"
#include "rln.h"

static void reply_buf(struct reply *reply, struct buf *text)
{
    reply_bytes(reply, buf_bytes(text));
    buf_release(text);
}

/* ---- Users --------------------------------------------------------------------------------- */

static enum err whoami(struct call *call)
{
    reply_bytes(call->reply, acl_user_name(call->session->user));
    return OK;
}

struct listing {
    struct reply *reply;
    size_t count;
};

static void list_name(void *user, const struct acl_user *of)
{
    struct listing *listing = user;
    reply_bytes(listing->reply, acl_user_name(of));
    listing->count++;
}

static void list_rules(void *user, const struct acl_user *of)
{
    struct listing *listing = user;
    struct buf line = { 0 };
    buf_append(&line, LIT("user "));
    buf_append(&line, acl_user_name(of));
    buf_append_char(&line, ' ');
    acl_user_describe(of, &line);
    reply_buf(listing->reply, &line);
    listing->count++;
}

static enum err list_with(struct call *call, void (*each)(void *user, const struct acl_user *of))
{
    struct listing listing = { call->reply, 0 };
    struct reply_mark begin = reply_begin_deferred(call->reply);
    acl_each(&call->engine->acl, each, &listing);
    reply_end_array(call->reply, begin, listing.count);
    return OK;
}

static enum err users(struct call *call)
{
    return list_with(call, list_name);
}

static enum err list(struct call *call)
{
    return list_with(call, list_rules);
}

static void reply_flags(struct reply *reply, const struct acl_user *user)
{
    bool on = (user->flags & ACL_USER_ON) != 0;
    bool nopass = (user->flags & ACL_USER_NO_PASSWORD) != 0;
    bool unchecked = (user->flags & ACL_USER_UNCHECKED_PAYLOADS) != 0;
    bool checked = (user->flags & ACL_USER_CHECKED_PAYLOADS) != 0;
    reply_bytes(reply, LIT("flags"));
    reply_set(reply, 1 + (size_t)nopass + (size_t)unchecked + (size_t)checked);
    reply_bytes(reply, on ? LIT("on") : LIT("off"));
    if (nopass) {
        reply_bytes(reply, LIT("nopass"));
    }
    if (unchecked) {
        reply_bytes(reply, LIT("skip-sanitize-payload"));
    }
    if (checked) {
        reply_bytes(reply, LIT("sanitize-payload"));
    }
}

static void reply_selector(struct reply *reply, const struct acl_selector *selector)
{
    struct buf commands = { 0 }, keys = { 0 }, channels = { 0 };
    acl_selector_describe_commands(selector, &commands);
    acl_selector_describe_keys(selector, &keys);
    acl_selector_describe_channels(selector, &channels);
    reply_bytes(reply, LIT("commands"));
    reply_buf(reply, &commands);
    reply_bytes(reply, LIT("keys"));
    reply_buf(reply, &keys);
    reply_bytes(reply, LIT("channels"));
    reply_buf(reply, &channels);
}

static enum err getuser(struct call *call)
{
    struct reply *reply = call->reply;
    struct acl *acl = &call->engine->acl;
    const struct acl_user *user = acl_find(acl, args_next(&call->args));
    if (user == NULL) {
        reply_null(reply);
        return OK;
    }
    reply_map(reply, 6);
    mutex_lock(&acl->mutex); /* requirepass may be set at this moment. */
    reply_flags(reply, user);
    reply_bytes(reply, LIT("passwords"));
    reply_array(reply, user->password_count);
    for (uint32_t i = 0; i < user->password_count; i++) {
        reply_bytes(reply, (struct bytes){ user->passwords[i].hex, SHA256_HEX_LEN });
    }
    mutex_unlock(&acl->mutex);
    reply_selector(reply, &user->selectors[0]);
    reply_bytes(reply, LIT("selectors"));
    reply_array(reply, user->selector_count - 1);
    for (uint32_t i = 1; i < user->selector_count; i++) {
        reply_map(reply, 3);
        reply_selector(reply, &user->selectors[i]);
    }
    return OK;
}

/* Behind a change that the caller's own session did not outlive. */
static void note_own_end(const struct call *call)
{
    if ((call->session->flags & SESSION_CLOSE_AFTER_REPLY) != 0) {
        call->session->close_reason = RLN_CLOSE_KILLED;
    }
}

/* The error line, which is released, or OK. */
static enum err reply_result(struct call *call, bool fine, struct buf *error)
{
    note_own_end(call);
    if (fine) {
        reply_ok(call->reply);
    } else {
        reply_error(call->reply, buf_bytes(error));
    }
    buf_release(error);
    return fine ? OK : ERR_REPLIED;
}

static enum err setuser(struct call *call)
{
    struct buf error = { 0 };
    struct bytes name = args_next(&call->args);
    bool fine = acl_set(call->engine, call->session, name, call->args.argv + call->args.next,
                        args_left(&call->args), &error);
    return reply_result(call, fine, &error);
}

static enum err deluser(struct call *call)
{
    int64_t count = 0;
    for (uint32_t i = call->args.next; i < call->args.argc; i++) {
        if (bytes_equal(call_argument(call, i), LIT("default"))) {
            reply_error(call->reply, LIT("ERR The 'default' user cannot be removed"));
            return ERR_REPLIED;
        }
    }
    while (args_left(&call->args) > 0) {
        count += acl_delete(call->engine, call->session, args_next(&call->args));
    }
    note_own_end(call);
    reply_integer(call->reply, count);
    return OK;
}

static enum err load(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct buf error = { 0 };
    if (services->load_users == NULL) {
        return ERR_INTERNAL;
    }
    return reply_result(call, services->load_users(services->server, call->session, &error),
                        &error);
}

static enum err save(struct call *call)
{
    const struct engine_services *services = &call->engine->services;
    struct buf error = { 0 };
    if (services->save_users == NULL) {
        return ERR_INTERNAL;
    }
    return reply_result(call, services->save_users(services->server, &error), &error);
}

static enum err dryrun(struct call *call)
{
    struct bytes name = args_next(&call->args);
    const struct bytes *argv = call->args.argv + call->args.next;
    uint32_t argc = args_left(&call->args);
    const struct command *container;
    const struct acl_user *user = acl_find(&call->engine->acl, name);
    if (user == NULL) {
        reply_errorf(call->reply, "ERR User '%.*s' not found", (int)name.len, name.at);
        return ERR_REPLIED;
    }
    const struct command *command = registry_find(call->engine->registry, argv, argc, &container);
    if (command == NULL && container != NULL && argc == 1) {
        reply_err(call->reply, ERR_ARITY, container->name);
        return ERR_REPLIED;
    }
    if (command == NULL) {
        reply_errorf(call->reply, "ERR Command '%.*s' not found", (int)argv[0].len, argv[0].at);
        return ERR_REPLIED;
    }
    if (!command_arity_fits(command, argc)) {
        reply_err(call->reply, ERR_ARITY, command->name);
        return ERR_REPLIED;
    }
    struct acl_verdict verdict = acl_check(user, command, argv, argc);
    struct buf text = { 0 };
    if (verdict.denial == ACL_ALLOWED) {
        reply_ok(call->reply);
        return OK;
    }
    if (verdict.denial == ACL_DENIED_COMMAND) {
        buf_printf(&text, "This user has no permissions to run the '%s' command", command->name);
    } else {
        buf_append(&text, LIT("This user has no permissions to access the '"));
        buf_append(&text, argv[verdict.at]);
        buf_append(&text, verdict.denial == ACL_DENIED_KEY ? LIT("' key") : LIT("' channel"));
    }
    reply_buf(call->reply, &text);
    return OK;
}

/* ---- The log ------------------------------------------------------------------------------- */

struct log_listing {
    struct reply *reply;
    int64_t now_ms;
    size_t count;
};

static void reply_entry(void *user, const struct acl_entry *entry)
{
    static const char *const reasons[] = {
        "", "command", "key", "channel", "auth",
    };
    static const char *const contexts[] = { "toplevel", "multi", "lua" };
    struct log_listing *listing = user;
    struct reply *reply = listing->reply;
    listing->count++;
    reply_map(reply, 10);
    reply_bytes(reply, LIT("count"));
    reply_integer(reply, (int64_t)entry->count);
    reply_bytes(reply, LIT("reason"));
    reply_bytes(reply, bytes_of(reasons[entry->reason]));
    reply_bytes(reply, LIT("context"));
    reply_bytes(reply, bytes_of(contexts[entry->context]));
    reply_bytes(reply, LIT("object"));
    reply_bytes(reply, buf_bytes(&entry->object));
    reply_bytes(reply, LIT("username"));
    reply_bytes(reply, buf_bytes(&entry->user));
    reply_bytes(reply, LIT("age-seconds"));
    reply_double(reply, (double)(listing->now_ms - entry->updated_ms) / 1000);
    reply_bytes(reply, LIT("client-info"));
    reply_bytes(reply, buf_bytes(&entry->client));
    reply_bytes(reply, LIT("entry-id"));
    reply_integer(reply, (int64_t)entry->id);
    reply_bytes(reply, LIT("timestamp-created"));
    reply_integer(reply, entry->created_ms);
    reply_bytes(reply, LIT("timestamp-last-updated"));
    reply_integer(reply, entry->updated_ms);
}

static enum err tell_log(struct call *call)
{
    enum { DEFAULT_COUNT = 10 };
    struct log_listing listing = { call->reply, call->now_ms, 0 };
    int64_t count = DEFAULT_COUNT;
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "ACL");
    }
    if (args_option(&call->args, LIT("reset"))) {
        acl_log_reset(&call->engine->acl);
        reply_ok(call->reply);
        return OK;
    }
    if (args_left(&call->args) == 1) {
        count = args_int(&call->args);
        if (call->args.err != OK) {
            return call->args.err;
        }
    }
    struct reply_mark begin = reply_begin_deferred(call->reply);
    (void)acl_log_each(&call->engine->acl, count > 0 ? (uint64_t)count : 0, reply_entry, &listing);
    reply_end_array(call->reply, begin, listing.count);
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
    uint32_t category = category_find(name);
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

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "CAT [<category>]",
        "    The categories of commands, or the commands of <category>.",
        "DELUSER <username> [<username> ...]",
        "    Removes users and closes their connections.",
        "DRYRUN <username> <command> [<arg> ...]",
        "    Whether the user may run the command, which does not run.",
        "GENPASS [<bits>]",
        "    A password of <bits> random bits (256 without it), in hexadecimal digits.",
        "GETUSER <username>",
        "    What a user may do.",
        "LIST",
        "    All users, as a file of them would have them.",
        "LOAD",
        "    Reads all users from their file anew.",
        "LOG [<count> | RESET]",
        "    The newest commands that were refused, or forgets them.",
        "SAVE",
        "    Writes all users to their file.",
        "SETUSER <username> <attribute> [<attribute> ...]",
        "    Makes a user, or changes what it may do.",
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
    ALONE = ADMIN | CMD_KEYS_ALL, /* Permissions change while nobody uses them. */
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
        ROW("deluser", deluser, -3, ALONE), .since = "6.0.0", .complexity = "O(1)",
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
        ROW("load", load, 2, ALONE), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Reads the users from their file.",
    },
    {
        ROW("log", tell_log, -2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Returns the commands that were refused.",
        .syntax = "[operation=<count:integer | RESET>]",
    },
    {
        ROW("save", save, 2, ADMIN), .since = "6.0.0", .complexity = "O(1)",
        .summary = "Writes the users to their file.",
    },
    {
        ROW("setuser", setuser, -3, ALONE), .since = "6.0.0", .complexity = "O(1)",
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
