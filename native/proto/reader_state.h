/* What reader.c, resp_reader.c and line_reader.c share; nobody else includes this. */
#ifndef PROTO_READER_STATE_H
#define PROTO_READER_STATE_H

#include "proto/reader.h"

enum {
    READER_FEW = 16,          /* so many arguments are rather read again than remembered */
    READER_SHORT_SCAN = 1024, /* and so many bytes of a line rather looked through again */
};

/* An argument by its place in the input, which may have moved by the next call. */
struct reader_span {
    size_t offset, len;
};

struct reader {
    size_t position;          /* the input before it has been read */
    size_t scanned;           /* bytes of the line from 'position' on that hold no line end */
    int64_t bulk_len;         /* of the bulk that begins at 'position'; -1: its header does */
    uint32_t remaining;       /* bulks still to come, this one included; 0: the '*' header is */
    uint32_t count, room;     /* of the spans */
    struct reader_span *many; /* all spans, once they are more than a few; owned */
    struct reader_span few[READER_FEW];
};

/* At the start of a command. */
void reader_init(struct reader *reader);
/* Frees what it owns, but not itself. */
void reader_release(struct reader *reader);
/* Remembers one more argument; false when memory is short. */
MUST_CHECK bool reader_add(struct reader *reader, size_t offset, size_t len);
/* Makes 'local' the place to go on from, moving it to the heap, unless it already is, or it
 * is cheaper to read the beginning again.  When memory is short: false, and what 'local' owns
 * is released. */
MUST_CHECK bool reader_keep(struct reader **reader, struct reader *local);

/* Makes room for 'more' arguments; false when memory is short. */
MUST_CHECK bool argument_list_grow(struct argument_list *list, size_t more);
static inline MUST_CHECK bool argument_list_reserve(struct argument_list *list, size_t more)
{
    return list->room - list->count >= more || argument_list_grow(list, more);
}
/* 'len' bytes that live as long as the batch's arguments; NULL when memory is short. */
MUST_CHECK char *argument_list_scratch(struct argument_list *list, size_t len);

/* Ends the stream with 'error', constant or from the list's scratch. */
static inline enum read_status reader_break(struct read_result *result, enum dialect dialect,
                                            struct bytes error)
{
    result->error = error;
    result->dialect = dialect;
    return READ_BROKEN;
}
static inline enum read_status reader_break_memory(struct read_result *result, enum dialect dialect)
{
    return reader_break(result, dialect, bytes_of(err_text(ERR_OUT_OF_MEMORY)));
}

/* reader_next() for an input that begins with '*', and for one that does not. */
enum read_status resp_reader_next(struct reader **reader, const struct reader_limits *limits,
                                  struct bytes in, struct argument_list *arguments,
                                  struct parsed_command *command, struct read_result *result);
enum read_status line_reader_next(struct reader **reader, const struct reader_limits *limits,
                                  struct bytes in, struct argument_list *arguments,
                                  struct parsed_command *command, struct read_result *result);

#endif
