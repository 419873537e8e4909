/* PING, ECHO, HELLO, AUTH, SELECT, QUIT, RESET: the client's own connection.  CLIENT is
 * cmd_client.c. */
#include "base/num.h"
#include "commands/client_name.h"
#include "commands/families.h"
#include "exec/call.h"
#include "rln.h"

static enum err ping(struct call *call)
{
    if (call->args.argc > 2) {
        return ERR_ARITY;
    }
    if ((call->session->flags & SESSION_SUBSCRIBED) != 0 && call->session->protocol == 2) {
        reply_array(call->reply, 2);
        reply_bytes(call->reply, LIT("pong"));
        reply_bytes(call->reply, call->args.argc == 2 ? args_next(&call->args) : LIT(""));
    } else if (call->args.argc == 2) {
        reply_bytes(call->reply, args_next(&call->args));
    } else {
        reply_simple(call->reply, LIT("PONG"));
    }
    return OK;
}

static enum err echo(struct call *call)
{
    reply_bytes(call->reply, args_next(&call->args));
    return OK;
}

/* Lets the session in when user and password are good. */
static enum err authenticate(struct call *call, struct bytes user, struct bytes password)
{
    const struct acl_user *found = acl_authenticate(&call->engine->acl, user, password);
    if (found == NULL) {
        bool queued = (call->session->flags & SESSION_EXECUTING) != 0;
        acl_log_add(call->executor, call->session, ACL_DENIED_AUTH,
                    queued ? ACL_IN_MULTI : ACL_TOP_LEVEL, user, call_argument(call, 0));
        return ERR_WRONG_PASSWORD;
    }
    acl_assume(call->session, found);
    return OK;
}

static enum err auth(struct call *call)
{
    if (call->args.argc > 3) {
        return ERR_SYNTAX;
    }
    if (call->args.argc == 2 && call->engine->acl.open) {
        reply_error(call->reply,
                    LIT("ERR AUTH <password> called without any password configured for the "
                        "default user. Are you sure your configuration is correct?"));
        return ERR_REPLIED;
    }
    struct bytes user = call->args.argc == 3 ? args_next(&call->args) : LIT("default");
    enum err err = authenticate(call, user, args_next(&call->args));
    if (err == OK) {
        reply_ok(call->reply);
    }
    return err;
}

struct hello_options {
    int64_t protocol; /* 0: as it is */
    bool has_user, has_name;
    struct bytes user, password, name;
};

static enum err read_hello(struct call *call, struct hello_options *options)
{
    struct args *args = &call->args;
    if (args_left(args) == 0) {
        return OK;
    }
    if (!num_parse_i64(args_next(args), &options->protocol)) {
        reply_error(call->reply, LIT("ERR Protocol version is not an integer or out of range"));
        return ERR_REPLIED;
    }
    if (options->protocol < 2 || options->protocol > 3) {
        return ERR_NO_PROTO;
    }
    while (args_left(args) > 0) {
        if (args_option_with(args, LIT("auth"), 2)) {
            options->has_user = true;
            options->user = args_next(args);
            options->password = args_next(args);
        } else if (args_option_with(args, LIT("setname"), 1)) {
            options->has_name = true;
            options->name = args_next(args);
            if (!client_name_is_valid(options->name)) {
                return client_name_refuse(call, LIT("Client names"));
            }
        } else {
            struct bytes word = args_next(args);
            reply_errorf(call->reply, "ERR Syntax error in HELLO option '%.*s'", (int)word.len,
                         word.at);
            return ERR_REPLIED;
        }
    }
    return OK;
}

static void reply_hello(struct call *call)
{
    struct reply *reply = call->reply;
    reply_map(reply, 7);
    reply_bytes(reply, LIT("server"));
    reply_bytes(reply, LIT("redis"));
    reply_bytes(reply, LIT("version"));
    reply_bytes(reply, LIT(REDIS_COMPAT_VERSION));
    reply_bytes(reply, LIT("proto"));
    reply_integer(reply, call->session->protocol);
    reply_bytes(reply, LIT("id"));
    reply_integer(reply, (int64_t)call->session->id);
    reply_bytes(reply, LIT("mode"));
    reply_bytes(reply, LIT("standalone"));
    reply_bytes(reply, LIT("role"));
    reply_bytes(reply, LIT("master"));
    reply_bytes(reply, LIT("modules"));
    reply_array(reply, 0);
}

static enum err hello(struct call *call)
{
    struct session *session = call->session;
    struct hello_options options = { .protocol = 0 };
    enum err err = read_hello(call, &options);
    if (err == OK && options.has_user) {
        err = authenticate(call, options.user, options.password);
    }
    if (err != OK) {
        return err;
    }
    if (call->engine->settings.password_needed && (session->flags & SESSION_AUTHENTICATED) == 0) {
        reply_error(call->reply,
                    LIT("NOAUTH HELLO must be called with the client already authenticated, "
                        "otherwise the HELLO AUTH <user> <pass> option can be used to "
                        "authenticate the client and select the RESP protocol version at the "
                        "same time"));
        return ERR_REPLIED;
    }
    if (options.has_name) {
        client_name_store(&session_details(session)->name, options.name);
    }
    if (options.protocol != 0) {
        session->protocol = (uint8_t)options.protocol;
        call->reply->protocol = session->protocol;
    }
    reply_hello(call);
    return OK;
}

static enum err select_database(struct call *call)
{
    int64_t index = args_int(&call->args);
    enum err err = args_end(&call->args);
    if (err != OK) {
        return err;
    }
    if (index < INT32_MIN || index > INT32_MAX) {
        reply_error(call->reply, LIT("ERR value is out of range, value must between -2147483648 "
                                     "and 2147483647"));
        return ERR_REPLIED;
    }
    if (index < 0 || index >= keyspace_databases(call->keyspace)) {
        return ERR_DB_INDEX;
    }
    call->session->db = (uint32_t)index;
    reply_ok(call->reply);
    return OK;
}

static enum err quit(struct call *call)
{
    call->session->flags |= SESSION_CLOSE_AFTER_REPLY;
    call->session->close_reason = RLN_CLOSE_QUIT;
    reply_ok(call->reply);
    return OK;
}

static enum err reset(struct call *call)
{
    session_reset(call->session, call->engine, call->executor);
    call->reply->protocol = call->session->protocol;
    reply_simple(call->reply, LIT("RESET"));
    return OK;
}

enum {
    OPEN_TO_ALL = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE | CMD_FAST | CMD_NO_AUTH | CMD_ALLOW_BUSY,
};

static const char *const ping_tips[] = { "request_policy:all_shards",
                                         "response_policy:all_succeeded", NULL };
static const struct command_history hello_history[] = {
    { "6.2.0", "The protocol version became optional: without it the reply tells the "
               "connection's present state." },
    { NULL, NULL },
};
static const struct command_history auth_history[] = {
    { "6.0.0", "A user name may come before the password." },
    { NULL, NULL },
};

static const struct command rows[] = {
    {
        .name = "ping",
        .handler = ping,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = CMD_FAST,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Answers PONG, or with the message it was given.",
        .syntax = "[message:string]",
        .tips = ping_tips,
    },
    {
        .name = "echo",
        .handler = echo,
        .arity = 2,
        .group = GROUP_CONNECTION,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Answers with the message it was given.",
        .syntax = "message:string",
    },
    {
        .name = "hello",
        .handler = hello,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = OPEN_TO_ALL,
        .since = "6.0.0",
        .complexity = "O(1)",
        .summary = "Chooses the protocol, and may authenticate and name the client.",
        .syntax = "[arguments=(protover:integer [AUTH username_password=(username:string "
                  "password:string)] [SETNAME clientname:string])]",
        .history = hello_history,
    },
    {
        .name = "auth",
        .handler = auth,
        .arity = -2,
        .group = GROUP_CONNECTION,
        .flags = OPEN_TO_ALL,
        .since = "1.0.0",
        .complexity = "O(N) where N is the number of the user's passwords",
        .summary = "Authenticates the connection.",
        .syntax = "[username:string@6.0.0] password:string",
        .history = auth_history,
    },
    {
        .name = "select",
        .handler = select_database,
        .arity = 2,
        .group = GROUP_CONNECTION,
        .flags = CMD_LOADING | CMD_STALE | CMD_FAST | CMD_SELECTS,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Changes the connection's database.",
        .syntax = "index:integer",
    },
    {
        .name = "quit",
        .handler = quit,
        .arity = -1,
        .group = GROUP_CONNECTION,
        .flags = OPEN_TO_ALL | CMD_IMMEDIATE_IN_MULTI,
        .since = "1.0.0",
        .complexity = "O(1)",
        .summary = "Closes the connection.",
    },
    {
        .name = "reset",
        .handler = reset,
        .arity = 1,
        .group = GROUP_CONNECTION,
        .flags = OPEN_TO_ALL | CMD_IMMEDIATE_IN_MULTI,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Brings the connection back to the state of a new one.",
    },
};

const struct command_family cmd_connection_family = { rows, sizeof rows / sizeof rows[0] };
