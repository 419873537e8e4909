/* RESP commands out of a stream: whole, cut anywhere, wrong and too long.  The expected
 * errors are those of redis-server 7.0.15. */
#include "base/buf.h"
#include "base/mem.h"
#include "check.h"
#include "proto/reader.h"

enum { MAX_INLINE = 65536 };

static const struct reader_limits ordinary = { 512 * 1024 * 1024, INT32_MAX, MAX_INLINE, true };
static const struct reader_limits stranger = { 512 * 1024 * 1024, INT32_MAX, MAX_INLINE, false };

/* What came out of a stream: every command as "[a|b]", "~" before plain ones, and the error
 * as "!text". */
struct stream {
    struct buf seen;
    struct reader *reader;
    struct argument_list arguments;
    size_t used, wanted;
    bool broken;
};

static void stream_release(struct stream *stream)
{
    buf_release(&stream->seen);
    reader_destroy(stream->reader);
    argument_list_release(&stream->arguments);
}

static void note_command(struct stream *stream, const struct parsed_command *command)
{
    buf_append(&stream->seen, command->dialect == DIALECT_PLAIN ? LIT("~[") : LIT("["));
    for (uint32_t i = 0; i < command->count; i++) {
        buf_append(&stream->seen, i > 0 ? LIT("|") : LIT(""));
        buf_append(&stream->seen, stream->arguments.at[command->first + i]);
    }
    buf_append_char(&stream->seen, ']');
}

/* Reads what can be read of the first 'len' bytes of 'in', from a copy of its own, so that
 * the bytes are at another address each time and sanitizers see each overrun. */
static void stream_feed(struct stream *stream, const struct reader_limits *limits, struct bytes in,
                        size_t len)
{
    if (stream->broken || len == stream->used) {
        return;
    }
    size_t start = stream->used;
    char *copy = mem_strndup(in.at + start, len - start);
    copy = mem_realloc(copy, len - start);
    stream->arguments.count = 0;
    while (stream->used < len) {
        struct parsed_command command;
        struct read_result result;
        struct bytes rest = { copy + (stream->used - start), len - stream->used };
        uint32_t before = stream->arguments.count;
        enum read_status status =
            reader_next(&stream->reader, limits, rest, &stream->arguments, &command, &result);
        if (status == READ_INCOMPLETE) {
            CHECK_INT(stream->arguments.count, before);
            CHECK(result.wanted > rest.len);
            stream->wanted = result.wanted;
            break;
        }
        CHECK(stream->reader == NULL);
        if (status == READ_BROKEN) {
            buf_append_char(&stream->seen, '!');
            buf_append(&stream->seen, result.error);
            stream->broken = true;
            break;
        }
        CHECK_INT(command.first, before);
        CHECK_INT(command.first + command.count, stream->arguments.count);
        note_command(stream, &command);
        stream->used += result.used;
    }
    mem_free(copy);
}

/* Reads 'in' whole, byte by byte, and in two pieces cut at every place; it must be the same
 * each time. */
static void check_stream(const struct reader_limits *limits, struct bytes in, struct bytes expected)
{
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct stream stream = { 0 };
        stream_feed(&stream, limits, in, cut);
        stream_feed(&stream, limits, in, in.len);
        CHECK_BYTES(buf_bytes(&stream.seen), expected);
        stream_release(&stream);
    }
    struct stream stream = { 0 };
    for (size_t len = 1; len <= in.len; len++) {
        stream_feed(&stream, limits, in, len);
    }
    CHECK_BYTES(buf_bytes(&stream.seen), expected);
    stream_release(&stream);
}

static void commands_are_read_however_they_are_cut(void)
{
    check_stream(&ordinary, LIT("*1\r\n$4\r\nPING\r\n"), LIT("[PING]"));
    check_stream(&ordinary,
                 LIT("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n*1\r\n$4\r\nPING\r\n"),
                 LIT("[GET|key:000000000000][PING]"));
    check_stream(&ordinary, LIT("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0$\r\n"),
                 LIT("[SET||\r\n\0$]"));
    check_stream(&ordinary, LIT("PING\r\n*1\r\n$4\r\nECHO\r\nGET a\n*1\r\n$1\r\nx\r\n"),
                 LIT("[PING][ECHO]~[GET|a][x]"));
}

static void empty_commands_are_skipped(void)
{
    check_stream(&ordinary, LIT("*0\r\n*-1\r\n*-10\r\n\r\n\n*1\r\n$1\r\na\r\n"),
                 LIT("[][][][]~[][a]"));
}

static void line_ends_are_as_lax_as_in_redis(void)
{
    check_stream(&ordinary, LIT("*1\rX$4\rXPINGXX*1\r\n$4\r\nPING\n\n"), LIT("[PING][PING]"));
}

static void wrong_lengths_end_the_stream(void)
{
    struct bytes count = LIT("!ERR Protocol error: invalid multibulk length");
    struct bytes bulk = LIT("!ERR Protocol error: invalid bulk length");
    check_stream(&ordinary, LIT("*\r\n"), count);
    check_stream(&ordinary, LIT("*01\r\n"), count);
    check_stream(&ordinary, LIT("*+1\r\n"), count);
    check_stream(&ordinary, LIT("*-0\r\n"), count);
    check_stream(&ordinary, LIT("* 1\r\n"), count);
    check_stream(&ordinary, LIT("*a\r\n$1\r\na\r\n"), count);
    check_stream(&ordinary, LIT("*2147483648\r\n"), count);
    check_stream(&ordinary, LIT("*99999999999999999999999\r\n"), count);
    check_stream(&ordinary, LIT("*2147483647\r\n"), LIT(""));
    check_stream(&ordinary, LIT("*1\r\n$-1\r\nabcdef\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$\r\nabcdef\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$04\r\nPING\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$4x\r\nPING\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$12x\r\nPING\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$123x\r\nPING\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$536870913\r\n"), bulk);
    check_stream(&ordinary, LIT("*1\r\n$536870912\r\n"), LIT(""));
}

static void something_else_where_a_bulk_should_be_is_named(void)
{
    check_stream(&ordinary, LIT("*1\r\nabc\r\nabcdef"),
                 LIT("!ERR Protocol error: expected '$', got 'a'"));
    check_stream(&ordinary, LIT("*1\r\n\r\nabcdef"),
                 LIT("!ERR Protocol error: expected '$', got ' '"));
    check_stream(&ordinary, LIT("*1\r\n\nabc\r\n"),
                 LIT("!ERR Protocol error: expected '$', got ' '"));
    check_stream(&ordinary, LIT("*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n*1\r\n"),
                 LIT("[a]!ERR Protocol error: expected '$', got '*'"));
}

static void strangers_have_smaller_limits(void)
{
    struct buf in = { 0 };
    check_stream(&stranger, LIT("*11\r\n$1\r\na\r\n"),
                 LIT("!ERR Protocol error: unauthenticated multibulk length"));
    check_stream(&stranger, LIT("*10\r\n$1\r\na\r\n"), LIT(""));
    check_stream(&stranger, LIT("*1\r\n$16384\r\n"), LIT(""));
    check_stream(&stranger, LIT("*1\r\n$16385\r\n"),
                 LIT("!ERR Protocol error: unauthenticated bulk length"));
    for (int i = 0; i < 11; i++) {
        buf_append(&in, i == 0 ? LIT("*11\r\n$1\r\na\r\n") : LIT("$1\r\na\r\n"));
    }
    check_stream(&stranger, buf_bytes(&in),
                 LIT("!ERR Protocol error: unauthenticated multibulk length"));
    check_stream(&ordinary, buf_bytes(&in), LIT("[a|a|a|a|a|a|a|a|a|a|a]"));
    buf_release(&in);
}

static void configured_limits_hold_for_small_commands_too(void)
{
    struct reader_limits small = { 5, 2, MAX_INLINE, true };
    check_stream(&small, LIT("*2\r\n$5\r\nabcde\r\n$1\r\na\r\n"), LIT("[abcde|a]"));
    check_stream(&small, LIT("*2\r\n$6\r\nabcdef\r\n$1\r\na\r\n"),
                 LIT("!ERR Protocol error: invalid bulk length"));
    check_stream(&small, LIT("*3\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"),
                 LIT("!ERR Protocol error: invalid multibulk length"));
}

/* Feeds 'in' byte by byte around its end and checks what came out. */
static void check_long(struct bytes in, struct bytes expected)
{
    struct stream whole = { 0 };
    stream_feed(&whole, &ordinary, in, in.len);
    CHECK_BYTES(buf_bytes(&whole.seen), expected);
    stream_release(&whole);
    struct stream cut = { 0 };
    for (size_t len = 1000; len < in.len; len += len + 40 < in.len ? 1000 : 1) {
        stream_feed(&cut, &ordinary, in, len);
        CHECK(reader_memory(cut.reader) < 4096);
    }
    stream_feed(&cut, &ordinary, in, in.len);
    CHECK_BYTES(buf_bytes(&cut.seen), expected);
    stream_release(&cut);
}

static void header_lines_have_an_end(void)
{
    static char in[MAX_INLINE + 100];
    const size_t most = MAX_INLINE;
    memset(in, '1', sizeof(in));
    in[0] = '*';
    check_long((struct bytes){ in, most }, LIT(""));
    check_long((struct bytes){ in, most + 1 },
               LIT("!ERR Protocol error: too big mbulk count string"));
    memcpy(in, "*1\r\n$", 5);
    check_long((struct bytes){ in, 4 + most }, LIT(""));
    check_long((struct bytes){ in, 4 + most + 1 },
               LIT("!ERR Protocol error: too big bulk count string"));
    memcpy(in + 4 + most, "\r\n", 2);
    check_long((struct bytes){ in, 4 + most + 2 }, LIT("!ERR Protocol error: invalid bulk length"));
}

static void a_big_bulk_says_how_much_is_wanted(void)
{
    struct stream stream = { 0 };
    struct bytes in = LIT("*2\r\n$3\r\nSET\r\n$1000000\r\nabc");
    size_t header = in.len - 3;
    stream_feed(&stream, &ordinary, in, in.len);
    CHECK_INT(stream.wanted, header + 1000000 + 2);
    stream_feed(&stream, &ordinary, in, in.len);
    CHECK_INT(stream.wanted, header + 1000000 + 2);
    CHECK_INT(reader_memory(stream.reader), 0);
    stream_release(&stream);

    struct stream early = { 0 };
    stream_feed(&early, &ordinary, LIT("*2\r\n$3"), 6);
    CHECK_INT(early.wanted, 7);
    stream_release(&early);
}

static void a_long_command_takes_one_step_per_piece(void)
{
    enum { COUNT = 100000 };
    struct buf in = { 0 };
    struct buf expected = { 0 };
    buf_printf(&in, "*%d\r\n", COUNT);
    for (int i = 0; i < COUNT; i++) {
        buf_printf(&in, "$%d\r\n%d\r\n",
                   i < 10      ? 1
                   : i < 100   ? 2
                   : i < 1000  ? 3
                   : i < 10000 ? 4
                               : 5,
                   i);
        buf_printf(&expected, "%s%d", i == 0 ? "[" : "|", i);
    }
    buf_append_char(&expected, ']');

    struct argument_list arguments = { 0 };
    struct reader *reader = NULL;
    struct parsed_command command;
    struct read_result result;
    enum read_status status = READ_INCOMPLETE;
    for (size_t len = 0; len <= in.len && status == READ_INCOMPLETE; len += 7) {
        size_t given = len + 7 > in.len ? in.len : len;
        status = reader_next(&reader, &ordinary, (struct bytes){ in.at, given }, &arguments,
                             &command, &result);
        CHECK(reader_memory(reader) < 64 * given + 4096);
    }
    CHECK_INT(status, READ_COMMAND);
    CHECK_INT(command.count, COUNT);
    CHECK_INT(result.used, in.len);
    CHECK(reader == NULL);
    CHECK_BYTES(arguments.at[COUNT - 1], LIT("99999"));
    argument_list_release(&arguments);

    struct stream whole = { 0 };
    stream_feed(&whole, &ordinary, buf_bytes(&in), in.len);
    CHECK_BYTES(buf_bytes(&whole.seen), buf_bytes(&expected));
    stream_release(&whole);
    buf_release(&in);
    buf_release(&expected);
}

/* A random command, appended as RESP to 'in' and as check_stream() sees it to 'expected'. */
static void append_random(uint64_t *dice, struct buf *in, struct buf *expected)
{
    static const uint32_t sizes[] = { 0, 3, 12, 150, 1200, 20000 };
    uint64_t count = 1 + check_random_below(dice, check_random_below(dice, 8) == 0 ? 60 : 4);
    buf_printf(in, "*%" PRIu64 "\r\n", count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t kind = check_random_below(dice, 64) == 0 ? 6 : check_random_below(dice, 3) + 1;
        size_t len = (size_t)check_random_below(dice, sizes[kind - 1] + 1u);
        buf_printf(in, "$%zu\r\n", len);
        buf_append_char(expected, i == 0 ? '[' : '|');
        for (size_t k = 0; k < len; k++) {
            char c = (char)check_random(dice);
            buf_append_char(in, c);
            buf_append_char(expected, c);
        }
        buf_append(in, LIT("\r\n"));
    }
    buf_append_char(expected, ']');
}

static void random_commands_come_back_as_they_were(void)
{
    uint64_t dice = check_seed();
    for (int round = 0; round < 300; round++) {
        struct buf in = { 0 };
        struct buf expected = { 0 };
        uint64_t commands = 1 + check_random_below(&dice, 12);
        for (uint64_t i = 0; i < commands; i++) {
            append_random(&dice, &in, &expected);
        }
        struct stream stream = { 0 };
        size_t step = 1 + (size_t)check_random_below(&dice, round % 2 == 0 ? 100 : 5000);
        for (size_t len = 0; len < in.len;) {
            len += 1 + (size_t)check_random_below(&dice, step);
            stream_feed(&stream, &ordinary, buf_bytes(&in), len < in.len ? len : in.len);
        }
        CHECK_BYTES(buf_bytes(&stream.seen), buf_bytes(&expected));
        stream_release(&stream);
        buf_release(&in);
        buf_release(&expected);
    }
}

#ifdef RLN_TEST
static void short_memory_breaks_the_stream_and_leaks_nothing(void)
{
    struct buf in = { 0 };
    buf_append(&in, LIT("*40\r\n"));
    for (int i = 0; i < 40; i++) {
        buf_append(&in, LIT("$1\r\na\r\n"));
    }
    for (long n = 1; n <= 4; n++) {
        for (size_t cut = in.len - 30; cut <= in.len; cut += 30) {
            struct stream stream = { 0 };
            mem_fail_after(n);
            struct parsed_command command;
            struct read_result result = { 0 };
            enum read_status status =
                reader_next(&stream.reader, &ordinary, (struct bytes){ in.at, cut },
                            &stream.arguments, &command, &result);
            mem_fail_after(0);
            if (status == READ_BROKEN) {
                CHECK_BYTES(result.error, LIT("ERR out of memory"));
                CHECK(stream.reader == NULL);
            }
            CHECK(n > 1 || status == READ_BROKEN);
            stream_release(&stream);
        }
    }
    buf_release(&in);
}
#endif

int main(void)
{
    RUN_TEST(commands_are_read_however_they_are_cut);
    RUN_TEST(empty_commands_are_skipped);
    RUN_TEST(line_ends_are_as_lax_as_in_redis);
    RUN_TEST(wrong_lengths_end_the_stream);
    RUN_TEST(something_else_where_a_bulk_should_be_is_named);
    RUN_TEST(strangers_have_smaller_limits);
    RUN_TEST(configured_limits_hold_for_small_commands_too);
    RUN_TEST(header_lines_have_an_end);
    RUN_TEST(a_big_bulk_says_how_much_is_wanted);
    RUN_TEST(a_long_command_takes_one_step_per_piece);
    RUN_TEST(random_commands_come_back_as_they_were);
#ifdef RLN_TEST
    RUN_TEST(short_memory_breaks_the_stream_and_leaks_nothing);
#endif
    return check_done();
}
