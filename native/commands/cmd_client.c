/* CLIENT: a client about itself, and all rows of the container.  What looks at other clients
 * is client_list.c, client-side caching client_tracking.c. */
#include "base/num.h"
#include "commands/client_commands.h"
#include "commands/client_name.h"
#include "commands/families.h"
#include "exec/help.h"
#include "exec/pause.h"

static enum err id(struct call *call)
{
    reply_integer(call->reply, (int64_t)call->session->id);
    return OK;
}

static enum err info(struct call *call)
{
    struct buf text = { 0 };
    session_describe(call->session, call->now_ms, &text);
    buf_append_char(&text, '\n');
    reply_verbatim(call->reply, "txt", buf_bytes(&text));
    buf_release(&text);
    return OK;
}

static enum err setname(struct call *call)
{
    struct bytes name = args_next(&call->args);
    if (!client_name_is_valid(name)) {
        return client_name_refuse(call, LIT("Client names"));
    }
    client_name_store(&session_details(call->session)->name, name);
    reply_ok(call->reply);
    return OK;
}

static enum err getname(struct call *call)
{
    const struct session_details *details = call->session->details;
    if (details == NULL || details->name.len == 0) {
        reply_null(call->reply);
    } else {
        reply_bytes(call->reply, buf_bytes(&details->name));
    }
    return OK;
}

static enum err setinfo(struct call *call)
{
    struct bytes option = args_next(&call->args);
    struct bytes value = args_next(&call->args);
    bool is_name = bytes_equal_nocase(option, LIT("lib-name"));
    if (!is_name && !bytes_equal_nocase(option, LIT("lib-ver"))) {
        reply_errorf(call->reply, "ERR Unrecognized option '%.*s'", (int)option.len, option.at);
        return ERR_REPLIED;
    }
    if (!client_name_is_valid(value)) {
        return client_name_refuse(call, option);
    }
    struct session_details *details = session_details(call->session);
    client_name_store(is_name ? &details->library_name : &details->library_version, value);
    reply_ok(call->reply);
    return OK;
}

static enum err reply_mode(struct call *call)
{
    enum { SILENCE = SESSION_REPLY_OFF | SESSION_REPLY_SKIP | SESSION_REPLY_SKIP_NEXT };
    struct session *session = call->session;
    struct bytes mode = args_next(&call->args);
    if (bytes_equal_nocase(mode, LIT("on"))) {
        session->flags &= ~(uint32_t)SILENCE;
        reply_ok(call->reply);
    } else if (bytes_equal_nocase(mode, LIT("off"))) {
        session->flags |= SESSION_REPLY_OFF;
    } else if (bytes_equal_nocase(mode, LIT("skip"))) {
        if ((session->flags & SESSION_REPLY_OFF) == 0) {
            session->flags |= SESSION_REPLY_SKIP_NEXT;
        }
    } else {
        return ERR_SYNTAX;
    }
    return OK;
}

/* ON or OFF for one of the session's flags. */
static enum err switch_flag(struct call *call, uint32_t flag)
{
    struct bytes mode = args_next(&call->args);
    if (bytes_equal_nocase(mode, LIT("on"))) {
        call->session->flags |= flag;
    } else if (bytes_equal_nocase(mode, LIT("off"))) {
        call->session->flags &= ~flag;
    } else {
        return ERR_SYNTAX;
    }
    reply_ok(call->reply);
    return OK;
}

static enum err no_evict(struct call *call)
{
    return switch_flag(call, SESSION_NO_EVICT);
}

static enum err no_touch(struct call *call)
{
    return switch_flag(call, SESSION_NO_TOUCH);
}

static enum err pause(struct call *call)
{
    struct bytes text = args_next(&call->args);
    bool writes_only = false;
    int64_t timeout;

    if (args_left(&call->args) > 1) {
        return help_refuse(call, "CLIENT");
    }
    if (args_left(&call->args) == 1) {
        struct bytes mode = args_next(&call->args);
        writes_only = bytes_equal_nocase(mode, LIT("write"));
        if (!writes_only && !bytes_equal_nocase(mode, LIT("all"))) {
            reply_error(call->reply, LIT("ERR CLIENT PAUSE mode must be WRITE or ALL"));
            return ERR_REPLIED;
        }
    }
    if (!num_parse_i64(text, &timeout)) {
        reply_error(call->reply, LIT("ERR timeout is not an integer or out of range"));
        return ERR_REPLIED;
    }
    if (timeout < 0) {
        reply_error(call->reply, LIT("ERR timeout is negative"));
        return ERR_REPLIED;
    }
    int64_t now = clock_wall_ms(call->engine->clock);
    pause_begin(call->engine, timeout > INT64_MAX - now ? INT64_MAX : now + timeout, writes_only);
    reply_ok(call->reply);
    return OK;
}

static enum err unpause(struct call *call)
{
    pause_end(call->engine);
    reply_ok(call->reply);
    return OK;
}

/* Looks at another session, and touches it: in the exclusive section. */
static bool unblock_session(struct engine *engine, int64_t id, bool with_error)
{
    struct session *session = id > 0 ? client_find(engine, (uint64_t)id) : NULL;
    if (session == NULL || (session->flags & SESSION_BLOCKED) == 0 ||
        session->blocked->ticket != 0) {
        return false;
    }
    if (with_error) {
        blocking_fail(&engine->blocking, session,
                      LIT("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
    } else {
        blocking_time_out(&engine->blocking, session);
    }
    session->carrier->answered(session);
    return true;
}

static enum err unblock(struct call *call)
{
    int64_t number;
    bool with_error = false;
    struct bytes text = args_next(&call->args);
    if (args_left(&call->args) > 1) {
        return help_refuse(call, "CLIENT");
    }
    if (args_left(&call->args) == 1) {
        struct bytes reason = args_next(&call->args);
        with_error = bytes_equal_nocase(reason, LIT("error"));
        if (!with_error && !bytes_equal_nocase(reason, LIT("timeout"))) {
            reply_error(call->reply, LIT("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"));
            return ERR_REPLIED;
        }
    }
    if (!num_parse_i64(text, &number)) {
        return ERR_NOT_INT;
    }
    reply_integer(call->reply, unblock_session(call->engine, number, with_error) ? 1 : 0);
    return OK;
}

static enum err help(struct call *call)
{
    static const char *const lines[] = {
        "CACHING (YES|NO)",
        "    Says whether the next command's keys are tracked.",
        "GETREDIR",
        "    The client to which tracking messages go, or -1.",
        "GETNAME",
        "    The connection's name.",
        "ID",
        "    The connection's number.",
        "INFO",
        "    The connection's line of CLIENT LIST.",
        "KILL <ip:port>",
        "    Closes the connection from <ip:port>.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Closes the connections that all options fit:",
        "    * ADDR (<ip:port>|<unixsocket>:0)",
        "      The other end's address.",
        "    * ID <client-id>",
        "      The number.",
        "    * LADDR (<ip:port>|<unixsocket>:0)",
        "      This end's address.",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      The type.",
        "    * USER <username>",
        "      The user.",
        "    * MAXAGE <seconds>",
        "      At least so old.",
        "    * SKIPME (YES|NO)",
        "      Whether the caller's own connection stays (it does without this).",
        "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)|ID <client-id> [...]]",
        "    A line about each connection.",
        "NO-EVICT (ON|OFF)",
        "    Keeps the connection from being closed when memory is short.",
        "NO-TOUCH (ON|OFF)",
        "    Keeps the connection's commands from counting as use of their keys.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Lets clients' commands, or only their writes, wait for <timeout> milliseconds.",
        "REPLY (ON|OFF|SKIP)",
        "    Switches replies of this connection on or off, or drops the next one.",
        "SETINFO (LIB-NAME|LIB-VER) <value>",
        "    Says which client library this is.",
        "SETNAME <name>",
        "    Names the connection.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Switches messages about changed keys.",
        "TRACKINGINFO",
        "    How tracking is switched for this connection.",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
        "    Ends the waiting of a blocked client.",
        "UNPAUSE",
        "    Ends a pause.",
        NULL,
    };
    help_reply(call, "CLIENT", lines);
    return OK;
}

enum {
    OWN = CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
    ADMIN = CMD_ADMIN | CMD_NOSCRIPT | CMD_LOADING | CMD_STALE,
};

static const char *const changing_tips[] = { "nondeterministic_output", NULL };
static const struct command_history kill_history[] = {
    { "2.8.12", "Takes filters." },
    { "2.8.12", "Has the `ID` filter." },
    { "3.2.0", "`TYPE` knows `master`." },
    { "5.0.0", "`TYPE` knows `replica`, which says the same as `slave`." },
    { "6.2.0", "Has the `LADDR` filter." },
    { NULL, NULL },
};
static const struct command_history list_history[] = {
    { "2.8.12", "Tells each client's `id`." },
    { "5.0.0", "Takes `TYPE`." },
    { "6.0.0", "Tells `user`." },
    { "6.2.0", "Tells `argv-mem`, `tot-mem`, `laddr` and `redir`, and takes `ID`." },
    { "7.0.0", "Tells `resp`, `multi-mem`, `rbs` and `rbp`." },
    { "7.0.3", "Tells `ssub`." },
    { NULL, NULL },
};
static const struct command_history pause_history[] = {
    { "6.2.0", "Takes a mode, of which `WRITE` is new." },
    { NULL, NULL },
};

#define CLIENT_ROW(subcommand, function, count)                                                    \
    .name = "client|" subcommand, .handler = (function), .arity = (count), .group = GROUP_CONNECTION

static const struct command rows[] = {
    {
        .name = "client",
        .arity = -2,
        .group = GROUP_CONNECTION,
        .since = "2.4.0",
        .complexity = "Depends on subcommand.",
        .summary = "The clients of this server.",
    },
    {
        CLIENT_ROW("caching", client_caching, 3),
        .flags = OWN,
        .since = "6.0.0",
        .complexity = "O(1)",
        .summary = "Says whether the keys of the next command are tracked.",
        .syntax = "mode=<YES | NO>",
    },
    {
        CLIENT_ROW("getname", getname, 2),
        .flags = OWN,
        .since = "2.6.9",
        .complexity = "O(1)",
        .summary = "Returns the connection's name.",
    },
    {
        CLIENT_ROW("getredir", client_getredir, 2),
        .flags = OWN,
        .since = "6.0.0",
        .complexity = "O(1)",
        .summary = "Returns the client to which tracking messages go.",
    },
    {
        CLIENT_ROW("help", help, 2),
        .flags = CMD_LOADING | CMD_STALE,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Returns a text about the subcommands.",
    },
    {
        CLIENT_ROW("id", id, 2),
        .flags = OWN,
        .since = "5.0.0",
        .complexity = "O(1)",
        .summary = "Returns the connection's number.",
    },
    {
        CLIENT_ROW("info", info, 2),
        .flags = OWN,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Returns a line about the connection.",
        .tips = changing_tips,
    },
    {
        CLIENT_ROW("kill", client_kill, -3),
        .flags = ADMIN | CMD_KEYS_ALL,
        .since = "2.4.0",
        .complexity = "O(N) where N is the number of clients",
        .summary = "Closes connections.",
        .syntax = "filter=<old-format:string | new-format=<[ID client-id:integer] | [TYPE "
                  "normal_master_slave_pubsub=<NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | "
                  "[USER username:string] | [ADDR addr:string] | [LADDR laddr:string] | "
                  "[SKIPME yes/no:string] | [MAXAGE maxage:integer]>...>",
        .history = kill_history,
    },
    {
        CLIENT_ROW("list", client_list, -2),
        .flags = ADMIN | CMD_KEYS_ALL,
        .since = "2.4.0",
        .complexity = "O(N) where N is the number of clients",
        .summary = "Returns a line about each connection.",
        .syntax = "[TYPE normal_master_replica_pubsub=<NORMAL | MASTER | REPLICA | PUBSUB>@5.0.0] "
                  "[ID id=(client-id:integer...)@6.2.0]",
        .history = list_history,
        .tips = changing_tips,
    },
    {
        CLIENT_ROW("no-evict", no_evict, 3),
        .flags = ADMIN,
        .since = "7.0.0",
        .complexity = "O(1)",
        .summary = "Keeps the connection from being closed when memory is short.",
        .syntax = "enabled=<ON | OFF>",
    },
    {
        CLIENT_ROW("no-touch", no_touch, 3),
        .flags = OWN,
        .since = "7.2.0",
        .complexity = "O(1)",
        .summary = "Keeps the connection's commands from counting as use of their keys.",
        .syntax = "enabled=<ON | OFF>",
    },
    {
        CLIENT_ROW("pause", pause, -3),
        .flags = ADMIN,
        .since = "2.9.50",
        .complexity = "O(1)",
        .summary = "Lets the clients' commands wait for some time.",
        .syntax = "timeout:integer [mode=<WRITE | ALL>@6.2.0]",
        .history = pause_history,
    },
    {
        CLIENT_ROW("reply", reply_mode, 3),
        .flags = OWN,
        .since = "3.2.0",
        .complexity = "O(1)",
        .summary = "Switches the replies of the connection on or off.",
        .syntax = "on_off_skip=<ON | OFF | SKIP>",
    },
    {
        CLIENT_ROW("setinfo", setinfo, 4),
        .flags = OWN,
        .since = "7.2.0",
        .complexity = "O(1)",
        .summary = "Says which client library the connection uses.",
        .syntax = "attr=<LIB-NAME libname:string | LIB-VER libver:string>",
    },
    {
        CLIENT_ROW("setname", setname, 3),
        .flags = OWN,
        .since = "2.6.9",
        .complexity = "O(1)",
        .summary = "Names the connection.",
        .syntax = "connection-name:string",
    },
    {
        CLIENT_ROW("tracking", client_tracking, -3),
        .flags = OWN,
        .since = "6.0.0",
        .complexity = "O(1), more for some options",
        .summary = "Switches messages about changed keys.",
        .syntax = "status=<ON | OFF> [REDIRECT client-id:integer] [PREFIX prefix:string]... "
                  "[BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    },
    {
        CLIENT_ROW("trackinginfo", client_trackinginfo, 2),
        .flags = OWN,
        .since = "6.2.0",
        .complexity = "O(1)",
        .summary = "Returns how tracking is switched for the connection.",
    },
    {
        CLIENT_ROW("unblock", unblock, -3),
        .flags = ADMIN | CMD_KEYS_ALL,
        .since = "5.0.0",
        .complexity = "O(log N) where N is the number of clients",
        .summary = "Ends the waiting of a blocked client.",
        .syntax = "client-id:integer [timeout_error=<TIMEOUT | ERROR>]",
    },
    {
        CLIENT_ROW("unpause", unpause, 2),
        .flags = ADMIN,
        .since = "6.2.0",
        .complexity = "O(N) where N is the number of paused clients",
        .summary = "Ends a pause of the clients.",
    },
};

const struct command_family cmd_client_family = { rows, sizeof rows / sizeof rows[0] };
