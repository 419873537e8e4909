/* What the fuzzers of the two readers share: a stream that is fed piece by piece and keeps
 * a record of all that was read from it, to be compared with the record of another. */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/reader.h"

/* A claim that must hold for every input. */
#define MUST(condition) ((condition) ? (void)0 : abort())

struct stream {
    const struct reader_limits *limits;
    struct buf record;
    struct reader *reader;
    struct argument_list arguments;
    size_t used, wanted; /* bytes of the input read; that must be there, from 'used' on */
    bool broken;
};

static inline void stream_release(struct stream *stream)
{
    buf_release(&stream->record);
    reader_destroy(stream->reader);
    argument_list_release(&stream->arguments);
}

/* A number and bytes, in a way that can't be mistaken for others. */
static inline void record_number(struct buf *record, size_t number)
{
    buf_append(record, (struct bytes){ (const char *)&number, sizeof(number) });
}

static inline void record_bytes(struct buf *record, struct bytes bytes)
{
    record_number(record, bytes.len);
    buf_append(record, bytes);
}

static inline void record_command(struct buf *record, const struct bytes *argv, uint32_t argc,
                                  enum dialect dialect)
{
    record_bytes(record, LIT("command"));
    record_number(record, (size_t)dialect);
    record_number(record, argc);
    for (uint32_t i = 0; i < argc; i++) {
        record_bytes(record, argv[i]);
    }
}

/* Records what is left to be said when the stream ends or breaks. */
static inline void record_error(struct stream *stream, const struct read_result *result)
{
    record_bytes(&stream->record, LIT("error"));
    record_number(&stream->record, (size_t)result->dialect);
    record_bytes(&stream->record, result->error);
    stream->broken = true;
    stream->wanted = 0;
}

/* Reads one command from 'rest'; false when there is none. */
static inline bool stream_next(struct stream *stream, struct bytes rest)
{
    struct parsed_command command;
    struct read_result result;
    uint32_t before = stream->arguments.count;
    enum read_status status =
        reader_next(&stream->reader, stream->limits, rest, &stream->arguments, &command, &result);
    MUST(status == READ_INCOMPLETE || stream->reader == NULL);
    MUST(status == READ_INCOMPLETE || rest.len >= stream->wanted);
    if (status != READ_COMMAND) {
        MUST(stream->arguments.count == before);
        if (status == READ_BROKEN) {
            record_error(stream, &result);
        } else {
            MUST(result.wanted > rest.len && result.wanted >= stream->wanted);
            stream->wanted = result.wanted;
        }
        return false;
    }
    MUST(command.first == before && command.first + command.count == stream->arguments.count);
    MUST(result.used > 0 && result.used <= rest.len);
    const struct bytes *argv = command.count > 0 ? stream->arguments.at + command.first : NULL;
    record_command(&stream->record, argv, command.count, command.dialect);
    stream->used += result.used;
    stream->wanted = 0;
    return true;
}

/* Lets the stream have the first 'len' bytes of 'in', unread ones from an exact copy, so
 * that they are elsewhere each time and each byte read beyond is seen. */
static inline void stream_feed(struct stream *stream, struct bytes in, size_t len)
{
    if (stream->broken || len <= stream->used) {
        return;
    }
    size_t start = stream->used;
    char *copy = mem_alloc(len - start);
    memcpy(copy, in.at + start, len - start);
    stream->arguments.count = 0;
    while (stream->used < len) {
        if (!stream_next(stream,
                         (struct bytes){ copy + (stream->used - start), len - stream->used })) {
            break;
        }
    }
    mem_free(copy);
}

/* Feeds 'in' whole, or in pieces of sizes that '*dice' decides. */
static inline void stream_feed_all(struct stream *stream, struct bytes in, uint32_t *dice,
                                   bool whole)
{
    size_t len = 0;
    while (len < in.len) {
        *dice = *dice * 1664525u + 1013904223u;
        uint32_t roll = *dice >> 16;
        size_t most = roll % 2 == 0 ? 12 : in.len / 16 + 1;
        len += whole ? in.len : roll / 2 % most + 1;
        stream_feed(stream, in, len < in.len ? len : in.len);
    }
}

/* Limits that small inputs can break, as the bits of 'choice' say. */
static inline struct reader_limits choose_limits(uint8_t choice)
{
    return (struct reader_limits){
        .max_bulk_len = (choice & 1) != 0 ? 1200 : 512 * 1024 * 1024,
        .max_arguments = (choice & 2) != 0 ? 20 : INT32_MAX,
        .max_inline = (choice & 4) != 0 ? 64 : 64 * 1024,
        .authenticated = (choice & 8) == 0,
    };
}

/* The input read whole and read in pieces must give the same commands and the same error. */
static inline void check_cuts(const struct reader_limits *limits, struct bytes in, uint32_t dice)
{
    struct stream whole = { .limits = limits };
    struct stream cut = { .limits = limits };
    stream_feed_all(&whole, in, &dice, true);
    stream_feed_all(&cut, in, &dice, false);
    MUST(bytes_equal(buf_bytes(&whole.record), buf_bytes(&cut.record)));
    MUST(whole.used == cut.used && whole.broken == cut.broken && whole.wanted == cut.wanted);
    stream_release(&whole);
    stream_release(&cut);
}

/* The input, whole or in pieces, must give exactly the commands in 'expected'. */
static inline void check_commands(const struct reader_limits *limits, struct bytes in,
                                  struct bytes expected, uint32_t dice, bool whole)
{
    struct stream stream = { .limits = limits };
    stream_feed_all(&stream, in, &dice, whole);
    MUST(!stream.broken && stream.used == in.len);
    MUST(bytes_equal(buf_bytes(&stream.record), expected));
    stream_release(&stream);
}

/* The fuzzer's input as dice: one byte after the other, then zeroes. */
struct choices {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t choose(struct choices *choices)
{
    if (choices->left == 0) {
        return 0;
    }
    choices->left--;
    return *choices->at++;
}

/* Adds one command that the choices describe to 'in', and what is to be read of it to 'expected'. */
typedef void command_writer(struct choices *choices, struct buf *in, struct buf *expected);

/* Commands that were written come back as they were. */
static inline void check_written(struct choices choices, uint32_t dice, command_writer *write_one)
{
    struct reader_limits limits = choose_limits(0);
    struct buf in = { 0 };
    struct buf expected = { 0 };
    for (int i = 0; i < 8 && choices.left > 0; i++) {
        write_one(&choices, &in, &expected);
    }
    check_commands(&limits, buf_bytes(&in), buf_bytes(&expected), dice, true);
    check_commands(&limits, buf_bytes(&in), buf_bytes(&expected), dice, false);
    buf_release(&in);
    buf_release(&expected);
}

/* Both properties of an input: as bytes off the network, and as choices of what is written. */
static inline void check_input(const uint8_t *data, size_t size, command_writer *write_one)
{
    struct choices choices = { data, size };
    struct reader_limits limits = choose_limits(choose(&choices));
    uint32_t dice = (uint32_t)choose(&choices) << 8 | choose(&choices);
    check_cuts(&limits, (struct bytes){ (const char *)choices.at, choices.left }, dice);
    check_written(choices, dice, write_one);
}

#endif
