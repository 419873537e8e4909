/* CLIENT TRACKING and its companions on a server without client-side caching: arguments are
 * checked as Redis checks them, and tracking is always off.  Rows in cmd_client.c. */
#include "base/num.h"
#include "commands/client_commands.h"

struct tracking_options {
    bool broadcast, opt_in, opt_out;
    int64_t redirect;
    uint32_t first_prefix; /* index into argv of the first PREFIX; 0: none */
};

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
    if (!num_parse_i64(args_next(&call->args), &options->redirect)) {
        return ERR_NOT_INT;
    }
    return options->redirect > 0 && client_find(call->engine, (uint64_t)options->redirect) != NULL
               ? OK
               : fail(call, "ERR The client ID you want redirect to does not exist");
}

static enum err read_options(struct call *call, struct tracking_options *options)
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
            options->first_prefix = options->first_prefix != 0 ? options->first_prefix : args->next;
            (void)args_next(args);
        } else if (!args_option(args, LIT("noloop"))) {
            return ERR_SYNTAX;
        }
    }
    return OK;
}

/* The index in argv of the next prefix from 'at' on, or 0. */
static uint32_t next_prefix(const struct call *call, uint32_t at)
{
    for (; at > 0 && at < call->args.argc; at++) {
        if (bytes_equal_nocase(call_argument(call, at - 1), LIT("prefix"))) {
            return at;
        }
    }
    return 0;
}

static bool starts_with(struct bytes text, struct bytes start)
{
    return text.len >= start.len && (start.len == 0 || memcmp(text.at, start.at, start.len) == 0);
}

static enum err check_prefixes(struct call *call, uint32_t first)
{
    for (uint32_t i = next_prefix(call, first); i != 0; i = next_prefix(call, i + 2)) {
        for (uint32_t j = next_prefix(call, i + 2); j != 0; j = next_prefix(call, j + 2)) {
            struct bytes one = call_argument(call, i), other = call_argument(call, j);
            if (starts_with(one, other) || starts_with(other, one)) {
                reply_errorf(call->reply,
                             "ERR Prefix '%.*s' overlaps with another provided prefix '%.*s'. "
                             "Prefixes for a single client must not overlap.",
                             (int)one.len, one.at, (int)other.len, other.at);
                return ERR_REPLIED;
            }
        }
    }
    return OK;
}

enum err client_tracking(struct call *call)
{
    struct tracking_options options = { .redirect = 0 };
    struct bytes status = args_next(&call->args);
    enum err err = read_options(call, &options);
    if (err != OK) {
        return err;
    }
    if (bytes_equal_nocase(status, LIT("off"))) {
        reply_ok(call->reply);
        return OK;
    }
    if (!bytes_equal_nocase(status, LIT("on"))) {
        return ERR_SYNTAX;
    }
    if (!options.broadcast && options.first_prefix != 0) {
        return fail(call, "ERR PREFIX option requires BCAST mode to be enabled");
    }
    if (options.broadcast && (options.opt_in || options.opt_out)) {
        return fail(call, "ERR OPTIN and OPTOUT are not compatible with BCAST");
    }
    if (options.opt_in && options.opt_out) {
        return fail(call, "ERR You can't specify both OPTIN mode and OPTOUT mode");
    }
    err = check_prefixes(call, options.first_prefix);
    return err != OK ? err : fail(call, "ERR this server has no client-side caching");
}

enum err client_trackinginfo(struct call *call)
{
    struct reply *reply = call->reply;
    reply_map(reply, 3);
    reply_bytes(reply, LIT("flags"));
    reply_set(reply, 1);
    reply_bytes(reply, LIT("off"));
    reply_bytes(reply, LIT("redirect"));
    reply_integer(reply, -1);
    reply_bytes(reply, LIT("prefixes"));
    reply_array(reply, 0);
    return OK;
}

enum err client_caching(struct call *call)
{
    return fail(call, "ERR CLIENT CACHING can be called only when the client is in tracking mode "
                      "with OPTIN or OPTOUT mode enabled");
}

enum err client_getredir(struct call *call)
{
    reply_integer(call->reply, -1);
    return OK;
}
