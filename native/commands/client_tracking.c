/* CLIENT TRACKING and its companions: arguments are checked as Redis checks them; the work is in
 * exec/tracking.h.  Rows in cmd_client.c. */
#include "base/mem.h"
#include "base/num.h"
#include "commands/client_commands.h"

static enum err fail(struct call *call, const char *text)
{
    reply_error(call->reply, bytes_of(text));
    return ERR_REPLIED;
}

static enum err read_redirect(struct call *call, struct tracking_options *options)
{
    if (options->redirect != 0) {
        return fail(call, "ERR A client can only redirect to a single other client");
    }
    int64_t id;
    if (!num_parse_i64(args_next(&call->args), &id)) {
        return ERR_NOT_INT;
    }
    options->redirect = id > 0 ? (uint64_t)id : 0;
    return id > 0 && client_find(call->engine, (uint64_t)id) != NULL ? OK : ERR_NO_REDIRECT;
}

/* 'prefixes' has room for all arguments. */
static enum err read_options(struct call *call, struct tracking_options *options,
                             struct bytes *prefixes)
{
    struct args *args = &call->args;
    while (args_left(args) > 0) {
        if (args_option_with(args, LIT("redirect"), 1)) {
            enum err err = read_redirect(call, options);
            if (err != OK) {
                return err;
            }
        } else if (args_option(args, LIT("bcast"))) {
            options->broadcast = true;
        } else if (args_option(args, LIT("optin"))) {
            options->opt_in = true;
        } else if (args_option(args, LIT("optout"))) {
            options->opt_out = true;
        } else if (args_option_with(args, LIT("prefix"), 1)) {
            prefixes[options->prefix_count++] = args_next(args);
        } else if (args_option(args, LIT("noloop"))) {
            options->no_loop = true;
        } else {
            return ERR_SYNTAX;
        }
    }
    options->prefixes = prefixes;
    return OK;
}

static bool starts_with(struct bytes text, struct bytes start)
{
    return text.len >= start.len && (start.len == 0 || memcmp(text.at, start.at, start.len) == 0);
}

static enum err refuse_overlap(struct call *call, struct bytes prefix, const char *which,
                               struct bytes other)
{
    reply_errorf(call->reply,
                 "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. "
                 "Prefixes for a single client must not overlap.",
                 (int)prefix.len, prefix.at, which, (int)other.len, other.at);
    return ERR_REPLIED;
}

static enum err check_prefixes(struct call *call, const struct tracking_options *options)
{
    const struct bytes *prefixes = options->prefixes;
    for (uint32_t i = 0; i < options->prefix_count; i++) {
        struct bytes own = tracking_overlap(call->session, prefixes[i]);
        if (own.at != NULL) {
            return refuse_overlap(call, prefixes[i], "an existing", own);
        }
        for (uint32_t j = i + 1; j < options->prefix_count; j++) {
            if (starts_with(prefixes[i], prefixes[j]) || starts_with(prefixes[j], prefixes[i])) {
                return refuse_overlap(call, prefixes[i], "another provided", prefixes[j]);
            }
        }
    }
    return OK;
}

/* Whether the options fit each other, and how the session tracks already. */
static enum err check_options(struct call *call, const struct tracking_options *options)
{
    uint32_t flags = call->session->flags;
    bool broadcasts = (flags & SESSION_TRACKS_PREFIXES) != 0;
    if (!options->broadcast && options->prefix_count > 0) {
        return fail(call, "ERR PREFIX option requires BCAST mode to be enabled");
    }
    if ((flags & SESSION_TRACKS) != 0 && broadcasts != options->broadcast) {
        return fail(call, "ERR You can't switch BCAST mode on/off before disabling tracking for "
                          "this client, and then re-enabling it with a different mode.");
    }
    if (options->broadcast && (options->opt_in || options->opt_out)) {
        return fail(call, "ERR OPTIN and OPTOUT are not compatible with BCAST");
    }
    if (options->opt_in && options->opt_out) {
        return fail(call, "ERR You can't specify both OPTIN mode and OPTOUT mode");
    }
    if ((options->opt_in && (flags & SESSION_OPT_OUT) != 0) ||
        (options->opt_out && (flags & SESSION_OPT_IN) != 0)) {
        return fail(call, "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for "
                          "this client, and then re-enabling it with a different mode.");
    }
    return options->broadcast ? check_prefixes(call, options) : OK;
}

static enum err switch_on(struct call *call, const struct tracking_options *options)
{
    enum err err = check_options(call, options);
    if (err != OK) {
        return err;
    }
    if (call->executor->mailbox == NULL && options->redirect == 0) {
        return fail(call, "ERR CLIENT TRACKING isn't allowed for DENY BLOCKING client");
    }
    return tracking_begin(call->engine, call->session, call->executor->mailbox, options);
}

enum err client_tracking(struct call *call)
{
    struct tracking_options options = { .redirect = 0 };
    struct bytes status = args_next(&call->args);
    struct bytes *prefixes = mem_try_alloc(call->args.argc * sizeof *prefixes);
    if (prefixes == NULL) {
        return ERR_OUT_OF_MEMORY;
    }
    enum err err = read_options(call, &options, prefixes);
    if (err == OK && bytes_equal_nocase(status, LIT("on"))) {
        err = switch_on(call, &options);
    } else if (err == OK && bytes_equal_nocase(status, LIT("off"))) {
        tracking_end(call->engine, call->session);
    } else if (err == OK) {
        err = ERR_SYNTAX;
    }
    if (err == OK) {
        reply_ok(call->reply);
    }
    mem_free(prefixes);
    return err;
}

static void tell_prefix(void *user, struct bytes prefix)
{
    reply_bytes(user, prefix);
}

static void tell_flags(struct reply *reply, uint32_t flags)
{
    static const struct {
        uint32_t all; /* these flags together */
        const char *name;
    } names[] = {
        { SESSION_TRACKS_PREFIXES, "bcast" },
        { SESSION_OPT_IN, "optin" },
        { SESSION_OPT_IN | SESSION_CACHING, "caching-yes" },
        { SESSION_OPT_OUT, "optout" },
        { SESSION_OPT_OUT | SESSION_CACHING, "caching-no" },
        { SESSION_NO_LOOP, "noloop" },
        { SESSION_REDIRECT_BROKEN, "broken_redirect" },
    };
    size_t count = 1;
    struct reply_mark mark = reply_begin_deferred(reply);
    reply_bytes(reply, (flags & SESSION_TRACKS) != 0 ? LIT("on") : LIT("off"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].all) == names[i].all) {
            reply_bytes(reply, bytes_of(names[i].name));
            count++;
        }
    }
    reply_end_set(reply, mark, count);
}

enum err client_trackinginfo(struct call *call)
{
    struct reply *reply = call->reply;
    reply_map(reply, 3);
    reply_bytes(reply, LIT("flags"));
    tell_flags(reply, call->session->flags);
    reply_bytes(reply, LIT("redirect"));
    reply_integer(reply, tracking_redirection(call->session));
    reply_bytes(reply, LIT("prefixes"));
    reply_array(reply, tracking_prefix_count(call->session));
    tracking_each_prefix(call->session, tell_prefix, reply);
    return OK;
}

enum err client_caching(struct call *call)
{
    struct bytes mode = args_next(&call->args);
    struct session *session = call->session;
    if ((session->flags & SESSION_TRACKS) == 0) {
        return fail(call, "ERR CLIENT CACHING can be called only when the client is in tracking "
                          "mode with OPTIN or OPTOUT mode enabled");
    }
    if (bytes_equal_nocase(mode, LIT("yes"))) {
        if ((session->flags & SESSION_OPT_IN) == 0) {
            return fail(call, "ERR CLIENT CACHING YES is only valid when tracking is enabled in "
                              "OPTIN mode.");
        }
    } else if (bytes_equal_nocase(mode, LIT("no"))) {
        if ((session->flags & SESSION_OPT_OUT) == 0) {
            return fail(call, "ERR CLIENT CACHING NO is only valid when tracking is enabled in "
                              "OPTOUT mode.");
        }
    } else {
        return ERR_SYNTAX;
    }
    session->flags |= SESSION_CACHING;
    reply_ok(call->reply);
    return OK;
}

enum err client_getredir(struct call *call)
{
    reply_integer(call->reply, tracking_redirection(call->session));
    return OK;
}
