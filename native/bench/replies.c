/* The counter of replies.h: lines are looked at, bulk strings are stepped over. */
#include "bench/replies.h"

#include "base/num.h"

/* Takes the next line, without its end, or what there is of it; true when it is whole. */
static bool take_line(struct replies *replies, struct bytes *in, struct bytes *line)
{
    const char *end = memchr(in->at, '\n', in->len);
    size_t here = end == NULL ? in->len : (size_t)(end - in->at);
    if (end != NULL && replies->line_len == 0) {
        *line = (struct bytes){ in->at, here };
    } else {
        /* The rest of an error that is too long to keep is let go. */
        size_t room = sizeof replies->line - replies->line_len;
        size_t kept = here < room ? here : room;
        memcpy(replies->line + replies->line_len, in->at, kept);
        replies->line_len += kept;
        *line = (struct bytes){ replies->line, replies->line_len };
    }
    in->at += end == NULL ? here : here + 1;
    in->len -= end == NULL ? here : here + 1;
    if (end == NULL) {
        return false;
    }
    replies->line_len = 0;
    if (line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    return true;
}

/* One value's first line; false when it is none of RESP. */
static bool begin_value(struct replies *replies, struct bytes line)
{
    if (line.len == 0) {
        return false;
    }
    char kind = line.at[0];
    int64_t number = 0;
    bool counted = strchr("$=!*>~%|:", kind) != NULL;
    if (counted && !num_parse_i64((struct bytes){ line.at + 1, line.len - 1 }, &number)) {
        return false;
    }
    if (!replies->inside) {
        replies->inside = true;
        replies->kind = kind;
        replies->number = kind == '_' ? -1 : number;
        replies->values_left = 1;
    }
    switch (kind) {
    case '+':
    case ':':
    case ',':
    case '#':
    case '_':
    case '(':
        replies->values_left--;
        return true;
    case '-':
        replies->values_left--;
        if (replies->kind == '-') {
            size_t kept = line.len < sizeof replies->line ? line.len : sizeof replies->line;
            memmove(replies->line, line.at, kept);
            replies->number = (int64_t)kept;
        }
        return true;
    case '$':
    case '=':
    case '!':
        replies->values_left--;
        replies->skip = number < 0 ? 0 : (uint64_t)number + 2;
        return number >= -1;
    case '*':
    case '>':
    case '~':
        replies->values_left += number < 0 ? 0 : (uint64_t)number;
        replies->values_left--;
        return number >= -1;
    case '%':
        replies->values_left += 2 * (uint64_t)(number < 0 ? 0 : number);
        replies->values_left--;
        return number >= 0;
    case '|': /* Comes before the value that it describes. */
        replies->values_left += 2 * (uint64_t)(number < 0 ? 0 : number);
        return number >= 0;
    default:
        return false;
    }
}

enum replies_status replies_next(struct replies *replies, struct bytes *in)
{
    for (;;) {
        if (replies->skip > 0) {
            size_t step = replies->skip < in->len ? (size_t)replies->skip : in->len;
            in->at += step;
            in->len -= step;
            replies->skip -= step;
            if (replies->skip > 0) {
                return REPLIES_MORE;
            }
        }
        if (replies->inside && replies->values_left == 0) {
            replies->inside = false;
            return REPLIES_ONE;
        }
        struct bytes line;
        if (in->len == 0 || !take_line(replies, in, &line)) {
            return REPLIES_MORE;
        }
        if (!begin_value(replies, line)) {
            return REPLIES_BROKEN;
        }
    }
}
