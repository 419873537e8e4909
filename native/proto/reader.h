/* Commands out of a stream of bytes, however the network cuts it.  reader_next() looks
 * at the first byte and hands over to resp_reader.c or line_reader.c.
 *
 * Nothing is copied: arguments point into the input.  A command that is not whole yet
 * leaves its place in a 'struct reader' that the caller keeps, so that a million
 * arguments in a million packets cost a million steps.  Short beginnings leave nothing
 * behind: reading them again costs less than remembering them.
 *
 * Errors and limits are Redis's, with two differences.  A NUL is a byte like any other,
 * where Redis waits for more input until the line is too long.  And whether a line is too
 * long depends on its bytes alone, not on how many of them came at once. */
#ifndef PROTO_READER_H
#define PROTO_READER_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"
#include "proto/dialect.h"

/* Limits, each a directive.  Those of clients that are not authenticated are Redis's:
 * 10 arguments, bulks of 16,384 bytes. */
struct reader_limits {
    size_t max_bulk_len;    /* proto-max-bulk-len */
    uint32_t max_arguments; /* proto-max-multibulk-len */
    size_t max_inline;      /* proto-inline-max-size; a line and a header line */
    bool authenticated;
};

/* A growable run of arguments, shared by the commands of one batch.  Zero-initialised is
 * empty; a batch begins by setting 'count' to 0. */
struct argument_list {
    struct bytes *at;
    uint32_t count, room;
    struct argument_scratch *scratch; /* what unescaped arguments and error texts point into;
                                         freed when the first scratch of a new batch is needed */
};
void argument_list_release(struct argument_list *list);

/* Arguments 'first' .. 'first + count - 1' of the list.  'count' may be 0: an empty line or
 * "*0", which is skipped without a reply. */
struct parsed_command {
    uint32_t first, count;
    enum dialect dialect;
};

/* The place inside a command that is not whole; NULL at a command's start, and after a short
 * beginning. */
struct reader;
/* NULL is fine. */
void reader_destroy(struct reader *reader);
/* Bytes the reader itself holds; CLIENT LIST's argv-mem. */
size_t reader_memory(const struct reader *reader);

enum read_status {
    READ_COMMAND,    /* '*used' bytes were one command */
    READ_INCOMPLETE, /* more bytes are needed */
    READ_BROKEN,     /* the stream can't be followed any more: send '*error', then close */
};

/* What a call gives besides the command. */
struct read_result {
    size_t used;          /* READ_COMMAND: bytes of the input that it took */
    size_t wanted;        /* READ_INCOMPLETE: at least this many bytes must be in the input in all
                           before it can go on; a bulk's end when that is known, else len + 1 */
    struct bytes error;   /* READ_BROKEN: the whole error line without '-' and CRLF, as
                           "ERR Protocol error: invalid bulk length"; constant or in the list's
                           memory, borrowed until the next call */
    enum dialect dialect; /* of the error, as far as it is known */
};

/* Reads one command from the start of 'in'.  After READ_INCOMPLETE the next call must bring
 * the same bytes again, at any address, with more behind them, and the same '*reader'. */
enum read_status reader_next(struct reader **reader, const struct reader_limits *limits,
                             struct bytes in, struct argument_list *arguments,
                             struct parsed_command *command, struct read_result *result);

/* Splits a line as Redis's sdssplitargs() does ("quotes", 'quotes', \xhh); used for inline
 * commands and for directives.  Quoted pieces with escapes are written to 'scratch' (room
 * for line.len bytes); the others point into the line.  Arguments are appended to the list.
 * False for unbalanced quotes, or when memory is short; then the list is as it was. */
MUST_CHECK bool line_split(struct bytes line, char *scratch, struct argument_list *arguments);

#endif
