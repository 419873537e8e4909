/* Lines: inline commands, the plain dialect, and the splitting of both (and of directives)
 * into arguments, which is Redis's sdssplitargs() to the letter. */
#include "base/buf.h"
#include "base/mem.h"
#include "check.h"
#include "proto/reader.h"

enum { MAX_INLINE = 65536 };

static const struct reader_limits ordinary = { 512 * 1024 * 1024, INT32_MAX, MAX_INLINE, true };

/* Splits 'line' and joins what comes out by '|'; "unbalanced" when it can't be split. */
static void check_split(struct bytes line, struct bytes expected)
{
    struct argument_list list = { 0 };
    struct buf seen = { 0 };
    /* Exact copies on the heap: sanitizers see each overrun. */
    char *copy = mem_realloc(mem_strndup(line.at, line.len), line.len > 0 ? line.len : 1);
    char *scratch = mem_alloc(line.len > 0 ? line.len : 1);
    if (line_split((struct bytes){ copy, line.len }, scratch, &list)) {
        for (uint32_t i = 0; i < list.count; i++) {
            buf_append(&seen, i > 0 ? LIT("|") : LIT(""));
            buf_append(&seen, list.at[i]);
        }
    } else {
        CHECK_INT(list.count, 0);
        buf_append(&seen, LIT("unbalanced"));
    }
    CHECK_BYTES(buf_bytes(&seen), expected);
    mem_free(copy);
    mem_free(scratch);
    argument_list_release(&list);
    buf_release(&seen);
}

static void words_are_split_at_space(void)
{
    check_split(LIT(""), LIT(""));
    check_split(LIT("  \t \v\f "), LIT(""));
    check_split(LIT("PING"), LIT("PING"));
    check_split(LIT(" SET  user:1\talice \r"), LIT("SET|user:1|alice"));
    check_split(LIT("a\rb"), LIT("a|b"));
    check_split(LIT("ECHO a\vb \vc"), LIT("ECHO|a\vb|c"));
    check_split(LIT("a\0b c"), LIT("a\0b|c"));
    check_split(LIT("a\\n \\x41"), LIT("a\\n|\\x41"));
}

static void quotes_hold_words_together(void)
{
    check_split(LIT("a 'b c' \"d e\" f"), LIT("a|b c|d e|f"));
    check_split(LIT("\"\" '' x"), LIT("||x"));
    check_split(LIT("foo\"bar baz\" q'u x'"), LIT("foobar baz|qu x"));
    check_split(LIT("\"it's\" '\"'"), LIT("it's|\""));
    check_split(LIT("\"a\"\v'b'"), LIT("a|b"));
}

static void escapes_are_those_of_redis(void)
{
    check_split(LIT("\"\\n\\r\\t\\b\\a\\q\\\\\\\"\""), LIT("\n\r\t\b\aq\\\""));
    check_split(LIT("\"\\x41\\x00\\xfF\\xg0\\x4\""), LIT("A\0\xffxg0x4"));
    check_split(LIT("'\\n\\'\\x41'"), LIT("\\n'\\x41"));
    check_split(LIT("\"\\x4"), LIT("unbalanced"));
    check_split(LIT("a \"\\x41\" b \"c\\\"\" d"), LIT("a|A|b|c\"|d"));
}

static void unbalanced_quotes_are_refused(void)
{
    check_split(LIT("\""), LIT("unbalanced"));
    check_split(LIT("a 'b"), LIT("unbalanced"));
    check_split(LIT("a \"b\\"), LIT("unbalanced"));
    check_split(LIT("a \"b\\\""), LIT("unbalanced"));
    check_split(LIT("a 'b\\'"), LIT("unbalanced"));
    check_split(LIT("\"a\"b"), LIT("unbalanced"));
    check_split(LIT("'a''b'"), LIT("unbalanced"));
}

/* Reads the one command of 'in' and checks its arguments, joined by '|', and its dialect. */
static void check_line(struct bytes in, struct bytes expected, enum dialect dialect)
{
    struct argument_list list = { 0 };
    struct reader *reader = NULL;
    struct parsed_command command;
    struct read_result result;
    struct buf seen = { 0 };
    for (size_t len = 0; len < in.len; len++) {
        enum read_status status =
            reader_next(&reader, &ordinary, (struct bytes){ in.at, len }, &list, &command, &result);
        CHECK_INT(status, READ_INCOMPLETE);
        CHECK_INT(result.wanted, len + 1);
    }
    CHECK_INT(reader_next(&reader, &ordinary, in, &list, &command, &result), READ_COMMAND);
    CHECK_INT(result.used, in.len);
    CHECK_INT(command.dialect, dialect);
    CHECK_INT(command.first + command.count, list.count);
    for (uint32_t i = 0; i < command.count; i++) {
        buf_append(&seen, i > 0 ? LIT("|") : LIT(""));
        buf_append(&seen, list.at[i]);
    }
    CHECK_BYTES(buf_bytes(&seen), expected);
    buf_release(&seen);
    argument_list_release(&list);
}

static void the_line_end_tells_the_dialect(void)
{
    check_line(LIT("SET user:1 alice\r\n"), LIT("SET|user:1|alice"), DIALECT_RESP);
    check_line(LIT("SET user:1 alice\n"), LIT("SET|user:1|alice"), DIALECT_PLAIN);
    check_line(LIT("\r\n"), LIT(""), DIALECT_RESP);
    check_line(LIT("\n"), LIT(""), DIALECT_PLAIN);
    check_line(LIT("$3\r\n"), LIT("$3"), DIALECT_RESP);
    check_line(LIT("ECHO \"a\\x41 b\" 'c'\n"), LIT("ECHO|aA b|c"), DIALECT_PLAIN);
}

static void unescaped_arguments_live_as_long_as_the_batch(void)
{
    struct argument_list list = { 0 };
    struct reader *reader = NULL;
    for (int batch = 0; batch < 3; batch++) {
        list.count = 0;
        for (uint32_t i = 0; i < 100; i++) {
            char line[32];
            struct parsed_command command;
            struct read_result result;
            int len = snprintf(line, sizeof(line), "a\"\\x41%u\"\r\n", i);
            CHECK_INT(reader_next(&reader, &ordinary, (struct bytes){ line, (size_t)len }, &list,
                                  &command, &result),
                      READ_COMMAND);
        }
        for (uint32_t i = 0; i < 100; i++) {
            char word[32];
            snprintf(word, sizeof(word), "aA%u", i);
            CHECK_BYTES(list.at[i], bytes_of(word));
        }
    }
    argument_list_release(&list);
}

static void unbalanced_quotes_end_the_stream_in_the_lines_dialect(void)
{
    struct argument_list list = { 0 };
    struct reader *reader = NULL;
    struct parsed_command command;
    struct read_result result;
    struct bytes text = LIT("ERR Protocol error: unbalanced quotes in request");
    CHECK_INT(reader_next(&reader, &ordinary, LIT("SET \"a\r\n"), &list, &command, &result),
              READ_BROKEN);
    CHECK_BYTES(result.error, text);
    CHECK_INT(result.dialect, DIALECT_RESP);
    CHECK_INT(reader_next(&reader, &ordinary, LIT("SET a 'b'c\n"), &list, &command, &result),
              READ_BROKEN);
    CHECK_BYTES(result.error, text);
    CHECK_INT(result.dialect, DIALECT_PLAIN);
    CHECK_INT(list.count, 0);
    argument_list_release(&list);
}

static void lines_have_an_end(void)
{
    static char in[MAX_INLINE + 2];
    struct argument_list list = { 0 };
    struct reader *reader = NULL;
    struct parsed_command command;
    struct read_result result;
    memset(in, 'A', sizeof(in));
    for (size_t len = 1; len <= MAX_INLINE; len++) {
        CHECK_INT(
            reader_next(&reader, &ordinary, (struct bytes){ in, len }, &list, &command, &result),
            READ_INCOMPLETE);
        CHECK(reader_memory(reader) < 1024);
    }
    CHECK(reader != NULL);
    CHECK_INT(reader_next(&reader, &ordinary, (struct bytes){ in, MAX_INLINE + 1 }, &list, &command,
                          &result),
              READ_BROKEN);
    CHECK_BYTES(result.error, LIT("ERR Protocol error: too big inline request"));
    CHECK(reader == NULL);
    in[MAX_INLINE] = '\n';
    CHECK_INT(reader_next(&reader, &ordinary, (struct bytes){ in, MAX_INLINE + 1 }, &list, &command,
                          &result),
              READ_COMMAND);
    CHECK_INT(list.at[0].len, MAX_INLINE);
    argument_list_release(&list);
}

#ifdef RLN_TEST
static void short_memory_is_told(void)
{
    struct bytes in = LIT("SET \"a\\n\"\n");
    for (long n = 1; n <= 2; n++) {
        struct argument_list list = { 0 };
        struct reader *reader = NULL;
        struct parsed_command command;
        struct read_result result;
        mem_fail_after(n);
        CHECK_INT(reader_next(&reader, &ordinary, in, &list, &command, &result), READ_BROKEN);
        mem_fail_after(0);
        CHECK_BYTES(result.error, LIT("ERR out of memory"));
        CHECK_INT(result.dialect, DIALECT_PLAIN);
        argument_list_release(&list);
    }
}
#endif

int main(void)
{
    RUN_TEST(words_are_split_at_space);
    RUN_TEST(quotes_hold_words_together);
    RUN_TEST(escapes_are_those_of_redis);
    RUN_TEST(unbalanced_quotes_are_refused);
    RUN_TEST(the_line_end_tells_the_dialect);
    RUN_TEST(unescaped_arguments_live_as_long_as_the_batch);
    RUN_TEST(unbalanced_quotes_end_the_stream_in_the_lines_dialect);
    RUN_TEST(lines_have_an_end);
#ifdef RLN_TEST
    RUN_TEST(short_memory_is_told);
#endif
    return check_done();
}
