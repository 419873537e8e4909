/* Commands as RESP writes them: "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n".  A command that is whole
 * and ordinary, as nearly all are, goes by read_whole(); everything else, be it cut or
 * wrong, by read_bulks(), which can stop anywhere and go on later.  As in Redis, a line
 * end is a '\r' and any byte, and the two bytes behind a bulk may be anything. */
#include "base/num.h"
#include "proto/reader.h"
#include "proto/reader_state.h"

/* What clients that are not authenticated may send. */
enum { UNAUTHENTICATED_ARGUMENTS = 10, UNAUTHENTICATED_BULK = 16384 };

enum {
    SHORTEST_BULK = 6,     /* "$0\r\n\r\n" */
    SHORTEST_COMMAND = 10, /* "*1\r\n$0\r\n\r\n" */
    ORDINARY_LENGTH = 999, /* three digits */
};

static inline unsigned digit_value(char c)
{
    return (unsigned)(unsigned char)c - (unsigned)'0';
}

/* Reads a length of one to three digits and its line end; 'at' has one byte behind each
 * that is looked at.  Returns how many bytes that took, or 0 when it is something else. */
static inline size_t read_length(const char *at, uint32_t *length)
{
    unsigned number = digit_value(at[0]);
    if (number > 9) {
        return 0;
    }
    if (at[1] == '\r') {
        *length = number;
        return 3;
    }
    unsigned second = digit_value(at[1]);
    if (second > 9 || number == 0) {
        return 0;
    }
    number = number * 10 + second;
    if (at[2] == '\r') {
        *length = number;
        return 4;
    }
    unsigned third = digit_value(at[2]);
    if (third > 9 || at[3] != '\r') {
        return 0;
    }
    *length = number * 10 + third;
    return 5;
}

/* Reads a command that is whole, has lengths of at most three digits and breaks no limit.
 * False when it may not be so; then nothing has changed.  A good part of what a small
 * command costs is spent here, so nothing is called and nothing is checked twice. */
static inline bool read_whole(const struct reader_limits *limits, struct bytes in,
                              struct argument_list *arguments, struct parsed_command *command,
                              struct read_result *result)
{
    if (in.len < SHORTEST_COMMAND || limits->max_bulk_len < ORDINARY_LENGTH) {
        return false;
    }
    uint32_t count = 0;
    size_t used = read_length(in.at + 1, &count);
    uint32_t most = limits->authenticated ? limits->max_arguments : UNAUTHENTICATED_ARGUMENTS;
    if (used == 0 || count == 0 || count > most || count > arguments->room - arguments->count) {
        return false;
    }
    size_t at = 1 + used;
    struct bytes *argument = arguments->at + arguments->count;
    const struct bytes *last = argument + count;
    do {
        /* This also tells that the bulk before ended within the input. */
        if (at + SHORTEST_BULK > in.len || in.at[at] != '$') {
            return false;
        }
        uint32_t len = 0;
        used = read_length(in.at + at + 1, &len);
        if (used == 0) {
            return false;
        }
        at += 1 + used;
        *argument++ = (struct bytes){ in.at + at, len };
        at += (size_t)len + 2;
    } while (argument != last);
    if (at > in.len) {
        return false;
    }
    *command = (struct parsed_command){ arguments->count, count, DIALECT_RESP };
    arguments->count += count;
    result->used = at;
    return true;
}

/* Finds the header line that begins at the reader's position: '*line' without its end. */
static enum read_status find_header(struct reader *reader, const struct reader_limits *limits,
                                    struct bytes in, struct bytes too_big, struct bytes *line,
                                    struct read_result *result)
{
    const char *start = in.at + reader->position;
    size_t there = in.len - reader->position;
    size_t look = there <= limits->max_inline ? there : limits->max_inline + 1;
    const char *end = NULL;
    if (look > reader->scanned) {
        end = memchr(start + reader->scanned, '\r', look - reader->scanned);
    }
    if (end == NULL && there > limits->max_inline) {
        return reader_break(result, DIALECT_RESP, too_big);
    }
    reader->scanned = end == NULL ? look : (size_t)(end - start);
    if (end == NULL || there - reader->scanned < 2) {
        result->wanted = in.len + 1;
        return READ_INCOMPLETE;
    }
    *line = (struct bytes){ start, reader->scanned };
    reader->position += reader->scanned + 2;
    reader->scanned = 0;
    return READ_COMMAND;
}

/* The number behind the first byte of a header line. */
static bool header_number(struct bytes line, int64_t *number)
{
    return line.len > 0 && num_parse_i64((struct bytes){ line.at + 1, line.len - 1 }, number);
}

/* Reads "*n": leaves n, or 0, in 'remaining'. */
static enum read_status read_count(struct reader *reader, const struct reader_limits *limits,
                                   struct bytes in, struct read_result *result)
{
    struct bytes line;
    enum read_status status = find_header(
        reader, limits, in, LIT("ERR Protocol error: too big mbulk count string"), &line, result);
    if (status != READ_COMMAND) {
        return status;
    }
    int64_t count;
    if (!header_number(line, &count) || count > (int64_t)limits->max_arguments) {
        return reader_break(result, DIALECT_RESP,
                            LIT("ERR Protocol error: invalid multibulk length"));
    }
    if (count > UNAUTHENTICATED_ARGUMENTS && !limits->authenticated) {
        return reader_break(result, DIALECT_RESP,
                            LIT("ERR Protocol error: unauthenticated multibulk length"));
    }
    reader->remaining = count > 0 ? (uint32_t)count : 0;
    return READ_COMMAND;
}

/* A bulk begins with 'got'. */
static enum read_status break_unexpected(struct argument_list *arguments, char got,
                                         struct read_result *result)
{
    static const char text[] = "ERR Protocol error: expected '$', got ' '";
    enum { LEN = sizeof(text) - 1 };
    struct bytes error = LIT("ERR Protocol error: expected '$'");
    char *copy = argument_list_scratch(arguments, LEN);
    if (copy != NULL) {
        memcpy(copy, text, LEN);
        if (got != '\r' && got != '\n') {
            copy[LEN - 2] = got;
        }
        error = (struct bytes){ copy, LEN };
    }
    return reader_break(result, DIALECT_RESP, error);
}

/* Reads "$n" into 'bulk_len'. */
static enum read_status read_bulk_len(struct reader *reader, const struct reader_limits *limits,
                                      struct bytes in, struct argument_list *arguments,
                                      struct read_result *result)
{
    struct bytes line;
    enum read_status status = find_header(
        reader, limits, in, LIT("ERR Protocol error: too big bulk count string"), &line, result);
    if (status != READ_COMMAND) {
        return status;
    }
    if (line.at[0] != '$') { /* Of an empty line it is the '\r'. */
        return break_unexpected(arguments, line.at[0], result);
    }
    int64_t len;
    if (!header_number(line, &len) || len < 0 || (uint64_t)len > limits->max_bulk_len) {
        return reader_break(result, DIALECT_RESP, LIT("ERR Protocol error: invalid bulk length"));
    }
    if (len > UNAUTHENTICATED_BULK && !limits->authenticated) {
        return reader_break(result, DIALECT_RESP,
                            LIT("ERR Protocol error: unauthenticated bulk length"));
    }
    reader->bulk_len = len;
    return READ_COMMAND;
}

/* Reads on from the reader's place to the command's end, or as far as the input goes. */
static enum read_status read_bulks(struct reader *reader, const struct reader_limits *limits,
                                   struct bytes in, struct argument_list *arguments,
                                   struct read_result *result)
{
    enum read_status status = READ_COMMAND;
    if (reader->remaining == 0) {
        status = read_count(reader, limits, in, result);
    }
    while (status == READ_COMMAND && reader->remaining > 0) {
        if (reader->bulk_len < 0) {
            status = read_bulk_len(reader, limits, in, arguments, result);
            continue;
        }
        size_t len = (size_t)reader->bulk_len;
        if (in.len - reader->position < len + 2) {
            result->wanted = reader->position + len + 2;
            return READ_INCOMPLETE;
        }
        if (!reader_add(reader, reader->position, len)) {
            return reader_break_memory(result, DIALECT_RESP);
        }
        reader->position += len + 2;
        reader->bulk_len = -1;
        reader->remaining--;
    }
    return status;
}

/* Appends what the reader remembers to the list. */
static bool hand_over(const struct reader *reader, struct bytes in, struct argument_list *arguments,
                      struct parsed_command *command)
{
    *command = (struct parsed_command){ arguments->count, reader->count, DIALECT_RESP };
    if (!argument_list_reserve(arguments, reader->count)) {
        return false;
    }
    const struct reader_span *spans = reader->many != NULL ? reader->many : reader->few;
    for (uint32_t i = 0; i < reader->count; i++) {
        arguments->at[arguments->count++] = (struct bytes){ in.at + spans[i].offset, spans[i].len };
    }
    return true;
}

/* The whole of reader_next() for what read_whole() does not take. */
static __attribute__((noinline)) enum read_status read_any(
    struct reader **reader, const struct reader_limits *limits, struct bytes in,
    struct argument_list *arguments, struct parsed_command *command, struct read_result *result)
{
    struct reader fresh;
    struct reader *at = *reader;
    if (at == NULL) {
        at = &fresh;
        reader_init(at);
    }
    enum read_status status = read_bulks(at, limits, in, arguments, result);
    if (status == READ_INCOMPLETE) {
        return reader_keep(reader, at) ? status : reader_break_memory(result, DIALECT_RESP);
    }
    if (status == READ_COMMAND) {
        result->used = at->position;
        if (!hand_over(at, in, arguments, command)) {
            status = reader_break_memory(result, DIALECT_RESP);
        }
    }
    if (at == &fresh) {
        reader_release(at);
    } else {
        reader_destroy(at);
        *reader = NULL;
    }
    return status;
}

enum read_status resp_reader_next(struct reader **reader, const struct reader_limits *limits,
                                  struct bytes in, struct argument_list *arguments,
                                  struct parsed_command *command, struct read_result *result)
{
    if (*reader == NULL && read_whole(limits, in, arguments, command, result)) {
        return READ_COMMAND;
    }
    return read_any(reader, limits, in, arguments, command, result);
}
