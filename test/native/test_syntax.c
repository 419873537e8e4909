/* syntax.c: what COMMAND DOCS tells and which arity follows, from the small language of a
 * row. */
#include "check.h"
#include "exec/syntax.h"

static int arity_of(const char *name, const char *syntax)
{
    struct command command = { .name = name, .syntax = syntax };
    return syntax_arity(&command);
}

static void arity_counts_what_must_be_there(void)
{
    CHECK_INT(arity_of("ping", ""), 1);
    CHECK_INT(arity_of("ping", NULL), 1);
    CHECK_INT(arity_of("get", "key:key"), 2);
    CHECK_INT(arity_of("config|get", "parameter:string"), 3);
    CHECK_INT(arity_of("del", "key:key ..."), -2);
    CHECK_INT(arity_of("set", "key:key value:string [NX]"), -3);
    CHECK_INT(arity_of("mset", "pair=(key:key value:string) ..."), -3);
    CHECK_INT(arity_of("ping", "[message:string]"), -1);
    CHECK_INT(arity_of("client|kill", "ip:port:string"), 3);
}

static void a_token_is_an_argument_of_its_own(void)
{
    CHECK_INT(arity_of("a", "TYPE type:string"), 3);
    CHECK_INT(arity_of("a", "TYPE"), 2);
    CHECK_INT(arity_of("a", "<ON | OFF>"), 2);
    CHECK_INT(arity_of("a", "sorting=ALPHA"), 2);
    CHECK_INT(arity_of("a", "<ON | LIMIT limit=(offset:int count:int)>"), -2);
    CHECK_INT(arity_of("a", "LIMIT (offset:int count:int)"), 4);
}

static void what_can_not_be_read_has_no_arity(void)
{
    CHECK_INT(arity_of("a", "key:"), 0);
    CHECK_INT(arity_of("a", "key:colour"), 0);
    CHECK_INT(arity_of("a", "[key:key"), 0);
    CHECK_INT(arity_of("a", "<A | >"), 0);
    CHECK_INT(arity_of("a", "<>"), 0);
    CHECK_INT(arity_of("a", "()"), 0);
    CHECK_INT(arity_of("a", "key:key )"), 0);
    CHECK_INT(arity_of("a", "name="), 0);
    CHECK_INT(arity_of("a", "[[[[[[[[[[[[[[[[[[[[A]]]]]]]]]]]]]]]]]]]]"), 0);
}

static void the_arguments_are_told_as_redis_tells_them(void)
{
    struct reply reply = { .protocol = 2 };
    struct command command = {
        .name = "sort",
        .keys = { KEY_AT(1, KEY_RO) },
        .syntax = "key:key [GET pattern:pattern]... [order=<ASC | DESC>]",
    };
    CHECK(syntax_reply(&command, &reply));
    CHECK_BYTES(buf_bytes(&reply.out),
                LIT("*3\r\n"
                    "*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
                    "$14\r\nkey_spec_index\r\n:0\r\n"
                    "*8\r\n$4\r\nname\r\n$7\r\npattern\r\n$4\r\ntype\r\n$7\r\npattern\r\n"
                    "$5\r\ntoken\r\n$3\r\nGET\r\n"
                    "$5\r\nflags\r\n*3\r\n+optional\r\n+multiple\r\n+multiple_token\r\n"
                    "*8\r\n$4\r\nname\r\n$5\r\norder\r\n$4\r\ntype\r\n$5\r\noneof\r\n"
                    "$5\r\nflags\r\n*1\r\n+optional\r\n$9\r\narguments\r\n*2\r\n"
                    "*6\r\n$4\r\nname\r\n$3\r\nasc\r\n$4\r\ntype\r\n$10\r\npure-token\r\n"
                    "$5\r\ntoken\r\n$3\r\nASC\r\n"
                    "*6\r\n$4\r\nname\r\n$4\r\ndesc\r\n$4\r\ntype\r\n$10\r\npure-token\r\n"
                    "$5\r\ntoken\r\n$4\r\nDESC\r\n"));
    reply_release(&reply);
}

static void a_syntax_that_can_not_be_read_replies_nothing(void)
{
    struct reply reply = { .protocol = 2 };
    struct command command = { .name = "a", .syntax = "key:" };
    CHECK(!syntax_reply(&command, &reply));
    CHECK_INT(reply.out.len, 0);
    reply_release(&reply);
}

int main(void)
{
    RUN_TEST(arity_counts_what_must_be_there);
    RUN_TEST(a_token_is_an_argument_of_its_own);
    RUN_TEST(what_can_not_be_read_has_no_arity);
    RUN_TEST(the_arguments_are_told_as_redis_tells_them);
    RUN_TEST(a_syntax_that_can_not_be_read_replies_nothing);
    return check_done();
}
