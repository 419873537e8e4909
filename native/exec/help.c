/* HELP of containers of subcommands; see help.h. */
#include "exec/help.h"

/* As much of a client's word as Redis tells. */
enum { TOLD = 128 };

void help_reply(struct call *call, const char *container, const char *const *lines)
{
    size_t count = 0;
    while (lines[count] != NULL) {
        count++;
    }
    struct buf heading = { 0 };
    buf_printf(&heading, "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container);
    reply_array(call->reply, count + 3);
    reply_simple(call->reply, buf_bytes(&heading));
    for (size_t i = 0; i < count; i++) {
        reply_simple(call->reply, bytes_of(lines[i]));
    }
    reply_simple(call->reply, LIT("HELP"));
    reply_simple(call->reply, LIT("    Prints this help."));
    buf_release(&heading);
}

enum err help_refuse(struct call *call, const char *container)
{
    struct bytes word = call_argument(call, 1);
    reply_errorf(call->reply,
                 "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
                 (int)(word.len < TOLD ? word.len : TOLD), word.at, container);
    return ERR_REPLIED;
}
