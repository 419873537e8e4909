/* CLIENT LIST and KILL: commands on other sessions, in the exclusive section.  Rows in
 * cmd_client.c. */
#include "base/num.h"
#include "commands/client_commands.h"
#include "rln.h"

/* Redis's types of clients; ours are normal ones, and those that listen. */
enum client_type { TYPE_ANY, TYPE_NORMAL, TYPE_REPLICA, TYPE_PUBSUB, TYPE_MASTER, TYPE_UNKNOWN };

static enum client_type find_type(struct bytes name)
{
    static const struct {
        const char *name;
        enum client_type type;
    } types[] = { { "normal", TYPE_NORMAL },
                  { "slave", TYPE_REPLICA },
                  { "replica", TYPE_REPLICA },
                  { "pubsub", TYPE_PUBSUB },
                  { "master", TYPE_MASTER } };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (bytes_equal_nocase(name, bytes_of(types[i].name))) {
            return types[i].type;
        }
    }
    return TYPE_UNKNOWN;
}

static enum err read_type(struct call *call, struct bytes name, enum client_type *type)
{
    *type = find_type(name);
    if (*type == TYPE_UNKNOWN) {
        reply_errorf(call->reply, "ERR Unknown client type '%.*s'", (int)name.len, name.at);
        return ERR_REPLIED;
    }
    return OK;
}

static bool is_of_type(const struct session *session, enum client_type type)
{
    bool listens = (session->flags & SESSION_SUBSCRIBED) != 0;
    return type == TYPE_ANY || type == (listens ? TYPE_PUBSUB : TYPE_NORMAL);
}

static bool is_client(const struct session *session)
{
    return (session->flags & SESSION_INTERNAL) == 0;
}

struct session *client_find(struct engine *engine, uint64_t id)
{
    mutex_lock(&engine->sessions_lock);
    struct session *at = engine->sessions;
    while (at != NULL && at->id != id) {
        at = at->next;
    }
    mutex_unlock(&engine->sessions_lock);
    return at;
}

/* ---- LIST ----------------------------------------------------------------------------- */

static void append_line(struct call *call, const struct session *session, struct buf *text)
{
    session_describe(session, call->now_ms, text);
    buf_append_char(text, '\n');
}

/* The clients with the ids that are the remaining arguments. */
static enum err list_ids(struct call *call, struct buf *text)
{
    while (args_left(&call->args) > 0) {
        int64_t id;
        if (!num_parse_i64(args_next(&call->args), &id)) {
            reply_error(call->reply, LIT("ERR Invalid client ID"));
            return ERR_REPLIED;
        }
        const struct session *session = id > 0 ? client_find(call->engine, (uint64_t)id) : NULL;
        if (session != NULL && is_client(session)) {
            append_line(call, session, text);
        }
    }
    return OK;
}

/* Sessions come newest first in the engine's list; clients expect the oldest first. */
static void list_all(struct call *call, enum client_type type, struct buf *text)
{
    mutex_lock(&call->engine->sessions_lock);
    const struct session *at = call->engine->sessions;
    while (at != NULL && at->next != NULL) {
        at = at->next;
    }
    for (; at != NULL; at = at->previous) {
        if (is_client(at) && is_of_type(at, type)) {
            append_line(call, at, text);
        }
    }
    mutex_unlock(&call->engine->sessions_lock);
}

enum err client_list(struct call *call)
{
    struct buf text = { 0 };
    enum client_type type = TYPE_ANY;
    enum err err = OK;

    if (args_left(&call->args) == 2 && args_option(&call->args, LIT("type"))) {
        err = read_type(call, args_next(&call->args), &type);
    } else if (args_option_with(&call->args, LIT("id"), 1)) {
        err = list_ids(call, &text);
        type = TYPE_UNKNOWN; /* All that were asked for are there. */
    } else {
        err = args_end(&call->args);
    }
    if (err == OK) {
        if (type != TYPE_UNKNOWN) {
            list_all(call, type, &text);
        }
        reply_verbatim(call->reply, "txt", buf_bytes(&text));
    }
    buf_release(&text);
    return err;
}

/* ---- KILL ----------------------------------------------------------------------------- */

struct kill_filter {
    uint64_t id;     /* 0: any */
    int64_t max_age; /* seconds; 0: any */
    enum client_type type;
    const struct acl_user *user; /* NULL: any */
    struct bytes peer, ours;     /* empty: any */
    bool skip_me;
};

static enum err read_id(struct call *call, struct bytes text, struct kill_filter *filter)
{
    int64_t id;
    if (!num_parse_i64(text, &id) || id < 1) {
        reply_error(call->reply, LIT("ERR client-id should be greater than 0"));
        return ERR_REPLIED;
    }
    filter->id = (uint64_t)id;
    return OK;
}

static enum err read_max_age(struct call *call, struct bytes text, struct kill_filter *filter)
{
    if (!num_parse_i64(text, &filter->max_age)) {
        reply_error(call->reply, LIT("ERR maxage is not an integer or out of range"));
        return ERR_REPLIED;
    }
    if (filter->max_age <= 0) {
        reply_error(call->reply, LIT("ERR maxage should be greater than 0"));
        return ERR_REPLIED;
    }
    return OK;
}

static enum err read_user(struct call *call, struct bytes name, struct kill_filter *filter)
{
    filter->user = acl_find(&call->engine->acl, name);
    if (filter->user == NULL) {
        reply_errorf(call->reply, "ERR No such user '%.*s'", (int)name.len, name.at);
        return ERR_REPLIED;
    }
    return OK;
}

static enum err read_skip_me(struct bytes text, struct kill_filter *filter)
{
    filter->skip_me = bytes_equal_nocase(text, LIT("yes"));
    return filter->skip_me || bytes_equal_nocase(text, LIT("no")) ? OK : ERR_SYNTAX;
}

static enum err read_filters(struct call *call, struct kill_filter *filter)
{
    struct args *args = &call->args;
    while (args_left(args) > 0) {
        enum err err = OK;
        if (args_option_with(args, LIT("id"), 1)) {
            err = read_id(call, args_next(args), filter);
        } else if (args_option_with(args, LIT("type"), 1)) {
            err = read_type(call, args_next(args), &filter->type);
        } else if (args_option_with(args, LIT("addr"), 1)) {
            filter->peer = args_next(args);
        } else if (args_option_with(args, LIT("laddr"), 1)) {
            filter->ours = args_next(args);
        } else if (args_option_with(args, LIT("user"), 1)) {
            err = read_user(call, args_next(args), filter);
        } else if (args_option_with(args, LIT("maxage"), 1)) {
            err = read_max_age(call, args_next(args), filter);
        } else if (args_option_with(args, LIT("skipme"), 1)) {
            err = read_skip_me(args_next(args), filter);
        } else {
            err = ERR_SYNTAX;
        }
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

static bool is_meant(const struct call *call, const struct kill_filter *filter,
                     const struct session *session)
{
    if (!is_client(session) || (filter->id != 0 && session->id != filter->id) ||
        (filter->max_age != 0 && (call->now_ms - session->created_ms) / 1000 < filter->max_age) ||
        (filter->user != NULL && session->user != filter->user) ||
        !is_of_type(session, filter->type) || (filter->skip_me && session == call->session)) {
        return false;
    }
    if (filter->peer.len == 0 && filter->ours.len == 0) {
        return true;
    }
    struct buf peer = { 0 }, ours = { 0 };
    session->carrier->addresses(session, &peer, &ours);
    bool meant = (filter->peer.len == 0 || bytes_equal(buf_bytes(&peer), filter->peer)) &&
                 (filter->ours.len == 0 || bytes_equal(buf_bytes(&ours), filter->ours));
    buf_release(&peer);
    buf_release(&ours);
    return meant;
}

static int64_t kill_all(struct call *call, const struct kill_filter *filter)
{
    int64_t count = 0;
    mutex_lock(&call->engine->sessions_lock);
    for (struct session *at = call->engine->sessions; at != NULL; at = at->next) {
        if (!is_meant(call, filter, at)) {
            continue;
        }
        count++;
        at->close_reason = RLN_CLOSE_KILLED;
        if (at == call->session) {
            at->flags |= SESSION_CLOSE_AFTER_REPLY;
        } else {
            session_kill(at);
        }
    }
    mutex_unlock(&call->engine->sessions_lock);
    return count;
}

enum err client_kill(struct call *call)
{
    struct kill_filter filter = { .skip_me = true };
    if (args_left(&call->args) == 1) {
        filter.peer = args_next(&call->args);
        filter.skip_me = false;
        if (filter.peer.len == 0 || kill_all(call, &filter) == 0) {
            return ERR_NO_CLIENT;
        }
        reply_ok(call->reply);
        return OK;
    }
    enum err err = read_filters(call, &filter);
    if (err == OK) {
        reply_integer(call->reply, kill_all(call, &filter));
    }
    return err;
}
