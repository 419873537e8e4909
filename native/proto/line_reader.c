/* Commands as a person types them: "SET user:1 'a b'".  A line that ends in CRLF is an
 * inline command with RESP replies; one that ends in a bare LF is answered in plain lines
 * (Redis makes no difference here, this server does). */
#include "base/mem.h"
#include "proto/reader.h"
#include "proto/reader_state.h"

enum split_status { SPLIT_DONE, SPLIT_UNBALANCED, SPLIT_NO_MEMORY };

/* A line being split; 'out' is where the next unescaped byte goes. */
struct splitter {
    const char *at, *end;
    char *out;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Ends an argument outside quotes: fewer characters than are skipped before one. */
static bool is_separator(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char folded = (char)(c | 0x20);
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return c;
    }
}

/* Takes one escape or one plain byte within quotes of the kind 'quote'. */
static void take_quoted(struct splitter *split, char quote)
{
    const char *at = split->at;
    ptrdiff_t left = split->end - at;
    char taken = *at;
    ptrdiff_t used = 1;
    if (taken == '\\' && quote == '\'' && left > 1 && at[1] == '\'') {
        taken = '\'';
        used = 2;
    } else if (taken == '\\' && quote == '"' && left > 1) {
        int high = left > 3 && at[1] == 'x' ? hex_value(at[2]) : -1;
        int low = high >= 0 ? hex_value(at[3]) : -1;
        taken = low >= 0 ? (char)(high * 16 + low) : unescape(at[1]);
        used = low >= 0 ? 4 : 2;
    }
    *split->out++ = taken;
    split->at += used;
}

/* Takes a quoted piece, from its first quote to its last.  False when the last is missing,
 * or when something other than space follows it. */
static bool take_quotes(struct splitter *split)
{
    char quote = *split->at++;
    while (split->at < split->end && *split->at != quote) {
        take_quoted(split, quote);
    }
    if (split->at == split->end) {
        return false;
    }
    split->at++;
    return split->at == split->end || is_space(*split->at);
}

/* An argument that is one quoted piece without escapes stands in the line as it is. */
static bool take_bare_quotes(struct splitter *split, struct bytes *argument)
{
    const char *start = split->at + 1;
    const char *last = memchr(start, split->at[0], (size_t)(split->end - start));
    if (last == NULL || (last + 1 < split->end && !is_space(last[1])) ||
        memchr(start, '\\', (size_t)(last - start)) != NULL) {
        return false;
    }
    *argument = (struct bytes){ start, (size_t)(last - start) };
    split->at = last + 1;
    return true;
}

/* Takes one argument, which begins at 'at' with something that is not space. */
static bool take_argument(struct splitter *split, struct bytes *argument)
{
    const char *start = split->at;
    const char *at = start;
    while (at < split->end && !is_separator(*at) && *at != '"' && *at != '\'') {
        at++;
    }
    split->at = at;
    size_t plain = (size_t)(at - start);
    if (at == split->end || is_separator(*at)) {
        *argument = (struct bytes){ start, plain };
        return true;
    }
    if (plain == 0 && take_bare_quotes(split, argument)) {
        return true;
    }
    /* Quotes in the middle, or escapes: an argument ends behind its first quoted piece. */
    char *copy = split->out;
    memcpy(copy, start, plain);
    split->out += plain;
    if (!take_quotes(split)) {
        return false;
    }
    *argument = (struct bytes){ copy, (size_t)(split->out - copy) };
    return true;
}

/* line_split() that tells why not. */
static enum split_status split_line(struct bytes line, char *scratch,
                                    struct argument_list *arguments)
{
    if (line.len == 0) {
        return SPLIT_DONE;
    }
    struct splitter split = { line.at, line.at + line.len, scratch };
    uint32_t first = arguments->count;
    while (true) {
        while (split.at < split.end && is_space(*split.at)) {
            split.at++;
        }
        if (split.at == split.end) {
            return SPLIT_DONE;
        }
        enum split_status failed = SPLIT_NO_MEMORY;
        if (argument_list_reserve(arguments, 1)) {
            failed = SPLIT_UNBALANCED;
            if (take_argument(&split, &arguments->at[arguments->count])) {
                arguments->count++;
                continue;
            }
        }
        arguments->count = first;
        return failed;
    }
}

bool line_split(struct bytes line, char *scratch, struct argument_list *arguments)
{
    return split_line(line, scratch, arguments) == SPLIT_DONE;
}

/* Room for the unescaped pieces of a line; none is needed for a line without quotes. */
static bool find_scratch(struct bytes line, struct argument_list *arguments, char **scratch)
{
    *scratch = NULL;
    if (line.len == 0 ||
        (memchr(line.at, '"', line.len) == NULL && memchr(line.at, '\'', line.len) == NULL)) {
        return true;
    }
    *scratch = argument_list_scratch(arguments, line.len);
    return *scratch != NULL;
}

/* Looks for the line's end.  NULL when there is none yet, or too late. */
static const char *find_end(const struct reader *reader, const struct reader_limits *limits,
                            struct bytes in)
{
    size_t scanned = reader != NULL ? reader->scanned : 0;
    size_t look = in.len <= limits->max_inline ? in.len : limits->max_inline + 1;
    return look > scanned ? memchr(in.at + scanned, '\n', look - scanned) : NULL;
}

/* The input holds no line end. */
static enum read_status end_missing(struct reader **reader, const struct reader_limits *limits,
                                    struct bytes in, struct read_result *result)
{
    if (in.len > limits->max_inline) {
        reader_destroy(*reader);
        *reader = NULL;
        return reader_break(result, DIALECT_RESP,
                            LIT("ERR Protocol error: too big inline request"));
    }
    result->wanted = in.len + 1;
    if (*reader != NULL) {
        (*reader)->scanned = in.len;
        return READ_INCOMPLETE;
    }
    struct reader fresh;
    reader_init(&fresh);
    fresh.scanned = in.len;
    return reader_keep(reader, &fresh) ? READ_INCOMPLETE
                                       : reader_break_memory(result, DIALECT_RESP);
}

enum read_status line_reader_next(struct reader **reader, const struct reader_limits *limits,
                                  struct bytes in, struct argument_list *arguments,
                                  struct parsed_command *command, struct read_result *result)
{
    const char *end = find_end(*reader, limits, in);
    if (end == NULL) {
        return end_missing(reader, limits, in, result);
    }
    reader_destroy(*reader);
    *reader = NULL;

    struct bytes line = { in.at, (size_t)(end - in.at) };
    enum dialect dialect = DIALECT_PLAIN;
    result->used = line.len + 1;
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
        dialect = DIALECT_RESP;
    }
    char *scratch;
    uint32_t first = arguments->count;
    if (!find_scratch(line, arguments, &scratch)) {
        return reader_break_memory(result, dialect);
    }
    enum split_status status = split_line(line, scratch, arguments);
    if (status == SPLIT_NO_MEMORY) {
        return reader_break_memory(result, dialect);
    }
    if (status == SPLIT_UNBALANCED) {
        return reader_break(result, dialect,
                            LIT("ERR Protocol error: unbalanced quotes in request"));
    }
    *command = (struct parsed_command){ first, arguments->count - first, dialect };
    return READ_COMMAND;
}
