/* The load generator's reply counter: whole streams, and streams cut anywhere. */
#include "bench/replies.h"

#include "check.h"

/* "<kind><number>" of each reply, with blanks between; a broken stream ends with "!". */
static size_t summarise(struct bytes stream, size_t step, char *out, size_t room)
{
    struct replies replies = { 0 };
    size_t used = 0;
    out[0] = '\0';
    for (size_t at = 0; at < stream.len; at += step) {
        struct bytes in = { stream.at + at, stream.len - at < step ? stream.len - at : step };
        enum replies_status status;
        while ((status = replies_next(&replies, &in)) == REPLIES_ONE) {
            used += (size_t)snprintf(out + used, room - used, "%c%" PRId64 " ", replies.kind,
                                     replies.number);
        }
        if (status == REPLIES_BROKEN) {
            return used + (size_t)snprintf(out + used, room - used, "!");
        }
        CHECK_INT(in.len, 0);
    }
    return used;
}

static void check_stream(struct bytes stream, const char *expected)
{
    char summary[512];
    for (size_t step = 1; step <= stream.len; step++) {
        summarise(stream, step, summary, sizeof summary);
        CHECK_TEXT(summary, expected);
    }
}

static void each_type_of_resp2_is_one_reply(void)
{
    check_stream(LIT("+OK\r\n:12\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n-ERR no\r\n"),
                 "+0 :12 $5 $0 $-1 *-1 *0 -7 ");
}

static void each_type_of_resp3_is_one_reply(void)
{
    check_stream(LIT("_\r\n#t\r\n,1.5\r\n(123456789012345678901234567890\r\n=7\r\ntxt:abc\r\n"
                     "~1\r\n:1\r\n%1\r\n+a\r\n+b\r\n|1\r\n+ttl\r\n:1\r\n$1\r\nx\r\n"),
                 "_-1 #0 ,0 (0 =7 ~1 %1 |1 ");
}

static void arrays_nest(void)
{
    check_stream(LIT("*3\r\n*2\r\n:1\r\n$2\r\nab\r\n*0\r\n-ERR inside\r\n+OK\r\n"), "*3 +0 ");
}

static void line_ends_inside_a_bulk_string_do_not_count(void)
{
    check_stream(LIT("$6\r\n\r\n+\r\n\n\r\n+OK\r\n"), "$6 +0 ");
}

static void an_error_keeps_its_text(void)
{
    struct replies replies = { 0 };
    struct bytes first = LIT("-ERR unknown"), second = LIT(" command\r\n");
    CHECK_INT(replies_next(&replies, &first), REPLIES_MORE);
    CHECK_INT(replies_next(&replies, &second), REPLIES_ONE);
    CHECK_BYTES(((struct bytes){ replies.line, (size_t)replies.number }),
                LIT("-ERR unknown command"));
}

static void a_very_long_error_is_cut(void)
{
    char stream[1000];
    memset(stream, 'x', sizeof stream);
    stream[0] = '-';
    memcpy(stream + 996, "\r\n+\n", 4);
    char summary[64];
    for (size_t step = 1; step <= sizeof stream; step += 37) {
        summarise((struct bytes){ stream, sizeof stream }, step, summary, sizeof summary);
        CHECK_TEXT(summary, "-160 +0 ");
    }
}

static void what_is_no_resp_breaks_the_stream(void)
{
    check_stream(LIT("+OK\r\nHTTP/1.1\r\n"), "+0 !");
    check_stream(LIT("$abc\r\n"), "!");
    check_stream(LIT("$-2\r\n"), "!");
    check_stream(LIT("\r\n"), "!");
}

int main(void)
{
    RUN_TEST(each_type_of_resp2_is_one_reply);
    RUN_TEST(each_type_of_resp3_is_one_reply);
    RUN_TEST(arrays_nest);
    RUN_TEST(line_ends_inside_a_bulk_string_do_not_count);
    RUN_TEST(an_error_keeps_its_text);
    RUN_TEST(a_very_long_error_is_cut);
    RUN_TEST(what_is_no_resp_breaks_the_stream);
    return check_done();
}
