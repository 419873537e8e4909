/* Replies in the three ways a client may hear them: RESP2, RESP3 and plain lines. */
#include <math.h>

#include "base/mem.h"
#include "check.h"
#include "proto/reply.h"
#include "base/blob.h"

/* Everything that 'reply' would send, with what it refers to, checked and cleared. */
static void check_sent(struct reply *reply, struct bytes expected)
{
    struct buf sent = { 0 };
    size_t from = 0;
    size_t referred = 0;
    CHECK(!reply->failed);
    for (uint32_t i = 0; i < reply->part_count; i++) {
        const struct reply_part *part = &reply->parts[i];
        CHECK(part->offset >= from && part->offset <= reply->out.len);
        buf_append(&sent, (struct bytes){ reply->out.at + from, part->offset - from });
        buf_append(&sent, (struct bytes){ blob_bytes(part->value).at + part->from, part->len });
        from = part->offset;
        referred += part->len;
    }
    buf_append(&sent, (struct bytes){ reply->out.at + from, reply->out.len - from });
    CHECK_BYTES(buf_bytes(&sent), expected);
    CHECK_INT(reply->referred, referred);
    CHECK_INT(reply_since(reply, (struct reply_mark){ 0, 0, 0 }), sent.len);
    buf_release(&sent);
    reply_clear(reply);
}

/* Runs 'write' in the three ways and checks each. */
static void check_written(void (*write)(struct reply *reply), struct bytes resp2,
                          struct bytes resp3, struct bytes plain)
{
    struct reply reply = { .protocol = 2, .dialect = DIALECT_RESP };
    for (int round = 0; round < 3;
         round++) { /* First into an empty buffer, then into a used one. */
        reply.protocol = 2;
        reply.dialect = DIALECT_RESP;
        write(&reply);
        check_sent(&reply, resp2);
        reply.protocol = 3;
        write(&reply);
        check_sent(&reply, resp3);
        reply.dialect = DIALECT_PLAIN;
        write(&reply);
        check_sent(&reply, plain);
        reply.protocol = 2;
        write(&reply);
        check_sent(&reply, plain);
    }
    reply_release(&reply);
}

static void write_simple(struct reply *reply)
{
    reply_ok(reply);
    reply_simple(reply, LIT("PONG"));
}

static void write_nulls(struct reply *reply)
{
    reply_null(reply);
    reply_null_array(reply);
}

static void write_numbers(struct reply *reply)
{
    reply_integer(reply, 0);
    reply_integer(reply, 9);
    reply_integer(reply, 10);
    reply_integer(reply, -1);
    reply_integer(reply, INT64_MIN);
    reply_number_as_bytes(reply, INT64_MAX);
}

static void write_doubles(struct reply *reply)
{
    reply_double(reply, 3.25);
    reply_double(reply, 0.1);
    reply_double(reply, (double)INFINITY);
    reply_double(reply, -(double)INFINITY);
}

static void write_others(struct reply *reply)
{
    reply_bool(reply, true);
    reply_bool(reply, false);
    reply_big_number(reply, LIT("123456789012345678901234567890"));
    reply_verbatim(reply, "txt", LIT("a\r\nb"));
    reply_bytes(reply, LIT(""));
    reply_bytes(reply, (struct bytes){ NULL, 0 });
    reply_bytes(reply, LIT("\r\n\0"));
}

static void write_aggregates(struct reply *reply)
{
    reply_array(reply, 3);
    reply_bytes(reply, LIT("a"));
    reply_map(reply, 1);
    reply_bytes(reply, LIT("k"));
    reply_set(reply, 1);
    reply_integer(reply, 1);
    reply_array(reply, 0);
    reply_push(reply, 1);
    reply_bytes(reply, LIT("p"));
    reply_map(reply, 0);
    reply_set(reply, 0);
}

static void write_deferred(struct reply *reply)
{
    struct reply_mark outer = reply_begin_deferred(reply);
    reply_bytes(reply, LIT("a"));
    struct reply_mark inner = reply_begin_deferred(reply);
    reply_bytes(reply, LIT("k"));
    reply_integer(reply, 1);
    reply_end_map(reply, inner, 1);
    inner = reply_begin_deferred(reply);
    reply_bytes(reply, LIT("m"));
    reply_end_set(reply, inner, 1);
    inner = reply_begin_deferred(reply);
    reply_end_array(reply, inner, 0);
    reply_end_array(reply, outer, 4);
}

static void write_errors(struct reply *reply)
{
    reply_error(reply, LIT("ERR one\r\ntwo"));
    reply_errorf(reply, "ERR %s %d\r\n", "formatted", 7);
    reply_err(reply, ERR_ARITY, "config|get");
    reply_err(reply, ERR_SYNTAX, "get");
    reply_err(reply, ERR_REPLIED, "get");
    reply_err(reply, OK, "get");
    CHECK_INT(reply->errors, 4);
}

static void each_value_is_written_as_each_client_hears_it(void)
{
    check_written(write_simple, LIT("+OK\r\n+PONG\r\n"), LIT("+OK\r\n+PONG\r\n"),
                  LIT("OK\nPONG\n"));
    check_written(write_nulls, LIT("$-1\r\n*-1\r\n"), LIT("_\r\n_\r\n"), LIT("(nil)\n(nil)\n"));
    check_written(write_numbers,
                  LIT(":0\r\n:9\r\n:10\r\n:-1\r\n:-9223372036854775808\r\n"
                      "$19\r\n9223372036854775807\r\n"),
                  LIT(":0\r\n:9\r\n:10\r\n:-1\r\n:-9223372036854775808\r\n"
                      "$19\r\n9223372036854775807\r\n"),
                  LIT("0\n9\n10\n-1\n-9223372036854775808\n9223372036854775807\n"));
    check_written(write_doubles,
                  LIT("$4\r\n3.25\r\n$19\r\n0.10000000000000001\r\n$3\r\ninf\r\n$4\r\n-inf\r\n"),
                  LIT(",3.25\r\n,0.10000000000000001\r\n,inf\r\n,-inf\r\n"),
                  LIT("3.25\n0.10000000000000001\ninf\n-inf\n"));
    check_written(write_others,
                  LIT(":1\r\n:0\r\n$30\r\n123456789012345678901234567890\r\n$4\r\na\r\nb\r\n"
                      "$0\r\n\r\n$0\r\n\r\n$3\r\n\r\n\0\r\n"),
                  LIT("#t\r\n#f\r\n(123456789012345678901234567890\r\n=8\r\ntxt:a\r\nb\r\n"
                      "$0\r\n\r\n$0\r\n\r\n$3\r\n\r\n\0\r\n"),
                  LIT("1\n0\n123456789012345678901234567890\na\r\nb\n\n\n\r\n\0\n"));
}

static void aggregates_are_written_as_each_client_hears_them(void)
{
    check_written(write_aggregates,
                  LIT("*3\r\n$1\r\na\r\n*2\r\n$1\r\nk\r\n*1\r\n:1\r\n*0\r\n*1\r\n$1\r\np\r\n"
                      "*0\r\n*0\r\n"),
                  LIT("*3\r\n$1\r\na\r\n%1\r\n$1\r\nk\r\n~1\r\n:1\r\n*0\r\n>1\r\n$1\r\np\r\n"
                      "%0\r\n~0\r\n"),
                  LIT("a\nk\n1\n(empty)\np\n(empty)\n(empty)\n"));
    check_written(write_deferred,
                  LIT("*4\r\n$1\r\na\r\n*2\r\n$1\r\nk\r\n:1\r\n*1\r\n$1\r\nm\r\n*0\r\n"),
                  LIT("*4\r\n$1\r\na\r\n%1\r\n$1\r\nk\r\n:1\r\n~1\r\n$1\r\nm\r\n*0\r\n"),
                  LIT("a\nk\n1\nm\n(empty)\n"));
}

static void errors_stay_one_line(void)
{
    struct bytes resp = LIT("-ERR one  two\r\n-ERR formatted 7\r\n"
                            "-ERR wrong number of arguments for 'config|get' command\r\n"
                            "-ERR syntax error\r\n");
    check_written(write_errors, resp, resp,
                  LIT("ERR one  two\nERR formatted 7\n"
                      "ERR wrong number of arguments for 'config|get' command\n"
                      "ERR syntax error\n"));
}

static void long_errors_are_whole(void)
{
    struct reply reply = { .protocol = 2 };
    char text[2000];
    memset(text, 'x', sizeof(text));
    reply_errorf(&reply, "%.*s", (int)sizeof(text), text);
    CHECK_INT(reply.out.len, sizeof(text) + 3);
    CHECK_INT(reply.errors, 1);
    reply_release(&reply);
}

static void bytes_of_every_small_length_are_copied_whole(void)
{
    struct reply reply = { .protocol = 2 };
    char text[300];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)('a' + i % 23);
    }
    for (size_t len = 0; len <= sizeof(text); len++) {
        struct buf expected = { 0 };
        char *exact = mem_alloc(len > 0 ? len : 1); /* Sanitizers see each byte read beyond. */
        memcpy(exact, text, len);
        buf_printf(&expected, "$%zu\r\n%.*s\r\n", len, (int)len, text);
        reply_bytes(&reply, (struct bytes){ exact, len });
        check_sent(&reply, buf_bytes(&expected));
        mem_free(exact);
        buf_release(&expected);
    }
    reply_release(&reply);
}

static void long_values_are_referred_to(void)
{
    enum { LEN = 100000 };
    struct blob *blob = blob_create(LEN, LEN);
    CHECK(blob != NULL);
    memset(blob->at, 'v', LEN);
    struct reply reply = { .protocol = 2 };
    reply_blob(&reply, blob, 5, 10);
    check_sent(&reply, LIT("$10\r\nvvvvvvvvvv\r\n"));
    CHECK(blob_is_mine(blob));

    struct buf expected = { 0 };
    reply_ok(&reply);
    struct reply_mark begin = reply_begin_deferred(&reply);
    buf_append(&expected, LIT("+OK\r\n*20\r\n"));
    for (size_t i = 0; i < 20; i++) {
        reply_blob(&reply, blob, i, LEN - 20);
        buf_append(&expected, LIT("$99980\r\n"));
        buf_append(&expected, (struct bytes){ blob->at, LEN - 20 });
        buf_append(&expected, LIT("\r\n"));
    }
    CHECK_INT(reply.out.len, 5 + 20 * 10);
    CHECK_INT(reply_since(&reply, begin), 20 * (10 + (LEN - 20)));
    reply_end_array(&reply, begin, 20);
    CHECK(!blob_is_mine(blob));
    check_sent(&reply, buf_bytes(&expected));
    CHECK(blob_is_mine(blob));
    buf_release(&expected);

    reply.dialect = DIALECT_PLAIN;
    reply_blob(&reply, blob, 0, LEN);
    CHECK_BYTES(buf_bytes(&reply.out), LIT("\n"));
    reply_release(&reply);
    CHECK(blob_is_mine(blob));
    blob_unref(blob);
}

static void a_rewind_takes_everything_back(void)
{
    enum { LEN = 50000 };
    struct blob *blob = blob_create(LEN, LEN);
    CHECK(blob != NULL);
    memset(blob->at, 'v', LEN);
    struct reply reply = { .protocol = 2 };
    reply_error(&reply, LIT("ERR first"));
    struct reply_mark mark = reply_mark(&reply);
    reply_error(&reply, LIT("ERR second"));
    reply_blob(&reply, blob, 0, LEN);
    CHECK_INT(reply_since(&reply, mark), 13 + 8 + LEN + 2);
    reply_rewind(&reply, mark);
    CHECK_INT(reply.errors, 1);
    CHECK(blob_is_mine(blob));
    CHECK_INT(reply_since(&reply, mark), 0);
    check_sent(&reply, LIT("-ERR first\r\n"));
    reply_release(&reply);
    blob_unref(blob);
}

static void a_deferred_header_moves_the_last_error(void)
{
    struct reply reply = { .protocol = 2 };
    reply_error(&reply, LIT("ERR before"));
    struct reply_mark begin = reply_begin_deferred(&reply);
    reply_end_array(&reply, begin, 0);
    CHECK_INT(reply.last_error, 0);
    begin = reply_begin_deferred(&reply);
    reply_integer(&reply, 1);
    reply_error(&reply, LIT("ERR inside"));
    reply_end_array(&reply, begin, 2);
    CHECK_BYTES(((struct bytes){ reply.out.at + reply.last_error, 11 }), LIT("-ERR inside"));
    CHECK_INT(reply.errors, 2);
    reply_release(&reply);
}

static void clearing_keeps_memory_up_to_a_bound(void)
{
    struct reply reply = { .protocol = 2 };
    static char big[4 * 1024 * 1024];
    reply_bytes(&reply, LIT("small"));
    size_t cap = reply.out.cap;
    reply_clear(&reply);
    CHECK_INT(reply.out.cap, cap);
    reply_bytes(&reply, (struct bytes){ big, sizeof(big) });
    reply_clear(&reply);
    CHECK(reply.out.cap <= 1024 * 1024);
    reply_release(&reply);
}

#ifdef RLN_TEST
static void short_memory_fails_the_reply(void)
{
    struct blob *blob = blob_create(REPLY_REFER_MIN, REPLY_REFER_MIN);
    CHECK(blob != NULL);
    memset(blob->at, 'v', REPLY_REFER_MIN);
    static char big[100000];
    struct reply reply = { .protocol = 2 };
    mem_fail_after(1);
    reply_bytes(&reply, (struct bytes){ big, sizeof(big) });
    mem_fail_after(0);
    CHECK(reply.failed);
    CHECK_INT(reply.out.len, 0);
    reply_clear(&reply);
    CHECK(!reply.failed);

    reply_ok(&reply);
    mem_fail_after(1);
    reply_blob(&reply, blob, 0, REPLY_REFER_MIN); /* The list of parts. */
    mem_fail_after(0);
    CHECK(reply.failed);
    CHECK_BYTES(buf_bytes(&reply.out), LIT("+OK\r\n"));
    CHECK(blob_is_mine(blob));
    reply_release(&reply);
    blob_unref(blob);
}
#endif

int main(void)
{
    RUN_TEST(each_value_is_written_as_each_client_hears_it);
    RUN_TEST(aggregates_are_written_as_each_client_hears_them);
    RUN_TEST(errors_stay_one_line);
    RUN_TEST(long_errors_are_whole);
    RUN_TEST(bytes_of_every_small_length_are_copied_whole);
    RUN_TEST(long_values_are_referred_to);
    RUN_TEST(a_rewind_takes_everything_back);
    RUN_TEST(a_deferred_header_moves_the_last_error);
    RUN_TEST(clearing_keeps_memory_up_to_a_bound);
#ifdef RLN_TEST
    RUN_TEST(short_memory_fails_the_reply);
#endif
    return check_done();
}
