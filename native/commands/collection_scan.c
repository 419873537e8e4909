/* Cursor, options and reply of scans; see collection_scan.h. */
#include "commands/collection_scan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "commands/lookup.h"

enum err scan_read_cursor(struct bytes text, uint64_t *cursor)
{
    char digits[64], *end;
    if (text.len >= sizeof digits || (text.len > 0 && strchr(" \t\n\v\f\r", text.at[0]) != NULL)) {
        return ERR_CURSOR;
    }
    if (text.len > 0) {
        memcpy(digits, text.at, text.len);
    }
    digits[text.len] = '\0';
    errno = 0;
    *cursor = strtoull(digits, &end, 10);
    return errno == ERANGE || *end != '\0' ? ERR_CURSOR : OK;
}

static MUST_CHECK enum err read_options(struct args *args, enum value_type type,
                                        struct collection_scan *scan)
{
    while (args->err == OK && args_left(args) > 0) {
        if (args_option_with(args, LIT("COUNT"), 1)) {
            int64_t wanted = args_int(args);
            if (wanted < 1) {
                args_unknown(args);
            }
            scan->count = (uint64_t)wanted;
        } else if (args_option_with(args, LIT("MATCH"), 1)) {
            scan->pattern = args_next(args);
            scan->by_pattern = !bytes_equal(scan->pattern, LIT("*"));
        } else if (type == VALUE_HASH && args_option(args, LIT("NOVALUES"))) {
            scan->no_values = true;
        } else {
            args_unknown(args);
        }
    }
    return args_end(args);
}

static void reply_begin(struct call *call, uint64_t cursor, size_t count)
{
    char digits[NUM_INT_ROOM];
    reply_array(call->reply, 2);
    reply_bytes(call->reply, (struct bytes){ digits, num_format_u64(digits, cursor) });
    reply_array(call->reply, count);
}

enum err collection_scan_begin(struct call *call, enum value_type type,
                               struct collection_scan *scan, struct entry **entry)
{
    struct args *args = &call->args;
    struct bytes key = args_next(args);
    *scan = (struct collection_scan){
        .count = 10,
        .elements = { .protocol = call->reply->protocol, .dialect = call->reply->dialect },
    };
    enum err err = scan_read_cursor(args_next(args), &scan->cursor);
    if (err == OK) {
        err = lookup_value(call, key, type, entry);
    }
    if (err != OK) {
        return err;
    }
    if (*entry == NULL) {
        reply_begin(call, 0, 0);
        return OK;
    }
    return read_options(args, type, scan);
}

enum err collection_scan_end(struct call *call, struct collection_scan *scan, uint64_t next)
{
    struct reply *elements = &scan->elements;
    if (elements->failed || !buf_reserve(&call->reply->out, elements->out.len + 64)) {
        reply_release(elements);
        return ERR_OUT_OF_MEMORY;
    }
    reply_begin(call, next, scan->found);
    buf_append(&call->reply->out, buf_bytes(&elements->out));
    reply_release(elements);
    return OK;
}
