/* Commands on lists: what they log and tell, the encodings that they leave, and no memory. */
#include "base/mem.h"
#include "store/value.h"
#include "told_fixture.h"

static void each_change_is_told_once_and_an_empty_list_is_gone(void)
{
    begin();
    CHECK_TOLD(&told, &client, "LPUSH l a b", "0 LPUSH l a b;", "0 l=lpush;");
    CHECK_TOLD(&told, &client, "RPUSHX l c", "0 RPUSHX l c;", "0 l=rpush;");
    CHECK_TOLD(&told, &client, "LPUSHX nothing c", "", "");
    CHECK_TOLD(&told, &client, "LSET l 0 x", "0 LSET l 0 x;", "0 l=lset;");
    CHECK_TOLD(&told, &client, "LSET l 9 x", "", "");
    CHECK_TOLD(&told, &client, "LINSERT l BEFORE a y", "0 LINSERT l BEFORE a y;", "0 l=linsert;");
    CHECK_TOLD(&told, &client, "LINSERT l BEFORE nothing y", "", "");
    CHECK_TOLD(&told, &client, "LREM l 0 nothing", "", "");
    CHECK_TOLD(&told, &client, "LREM l 0 y", "0 LREM l 0 y;", "0 l=lrem;");
    CHECK_TOLD(&told, &client, "LTRIM l 0 -1", "", "0 l=ltrim;");
    CHECK_TOLD(&told, &client, "LTRIM l 0 -2", "0 LTRIM l 0 -2;", "0 l=ltrim;");
    CHECK_TOLD(&told, &client, "LPOP l 0", "", "");
    CHECK_TOLD(&told, &client, "LPOP l", "0 LPOP l;", "0 l=lpop;");
    CHECK_TOLD(&told, &client, "RPOP l 5", "0 RPOP l 5;", "0 l=rpop;0 l=del;");
    CHECK_TOLD(&told, &client, "RPOP l 5", "", "");
    CHECK_REPLY(RUN_LINE(&client, "EXISTS l"), ":0\r\n");
    end();
}

static void moves_are_told_of_both_lists(void)
{
    begin();
    RUN_LINE(&client, "RPUSH l a b");
    CHECK_TOLD(&told, &client, "LMOVE l m LEFT RIGHT", "0 LMOVE l m LEFT RIGHT;",
               "0 m=rpush;0 l=lpop;");
    CHECK_TOLD(&told, &client, "RPOPLPUSH l m", "0 RPOPLPUSH l m;", "0 m=lpush;0 l=rpop;0 l=del;");
    CHECK_TOLD(&told, &client, "LMOVE m m LEFT RIGHT", "0 LMOVE m m LEFT RIGHT;",
               "0 m=rpush;0 m=lpop;");
    CHECK_TOLD(&told, &client, "LMOVE l m LEFT RIGHT", "", "");
    CHECK_TOLD(&told, &client, "LMPOP 2 l m RIGHT COUNT 10", "0 RPOP m 2;", "0 m=rpop;0 m=del;");
    CHECK_TOLD(&told, &client, "LMPOP 2 l m RIGHT", "", "");
    end();
}

static void reads_count_as_hits_and_misses_and_writes_do_not(void)
{
    begin();
    const struct stats *stats = &server.executor.stats;
    RUN_LINE(&client, "RPUSH l a");
    RUN_LINE(&client, "LPOP nothing");
    CHECK_INT(stats->keyspace_hits + stats->keyspace_misses, 0);
    RUN_LINE(&client, "LLEN l");
    RUN_LINE(&client, "LRANGE l 0 -1");
    RUN_LINE(&client, "LINDEX l 0");
    RUN_LINE(&client, "LPOS l a");
    CHECK_INT(stats->keyspace_hits, 4);
    RUN_LINE(&client, "LPOS nothing a");
    CHECK_INT(stats->keyspace_misses, 1);
    end();
}

static void expect_encoding(const char *expected)
{
    char reply[64];
    snprintf(reply, sizeof reply, "$%zu\r\n%s\r\n", strlen(expected), expected);
    CHECK_REPLY(RUN_LINE(&client, "OBJECT ENCODING l"), reply);
}

static void a_rotation_leaves_the_encoding(void)
{
    begin();
    run_limits(&server)->list_max_listpack_size = 3;
    RUN_LINE(&client, "RPUSH l a b c");
    expect_encoding("listpack");
    CHECK_REPLY(RUN_LINE(&client, "LMOVE l l LEFT RIGHT"), "$1\r\na\r\n");
    expect_encoding("listpack");
    RUN_LINE(&client, "RPUSH l d");
    expect_encoding("quicklist");
    CHECK_REPLY(RUN_LINE(&client, "LMOVE l l RIGHT RIGHT"), "$1\r\nd\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LPOP l 3"), "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n");
    expect_encoding("listpack");
    end();
}

/* A list of pieces with one element that stands alone, larger than a reply copies. */
static void large_elements_go_through_every_command(void)
{
    enum { LARGE = 40000 };
    begin();
    struct bytes large = { mem_zalloc(LARGE), LARGE };
    RUN(&client, LIT("RPUSH"), LIT("l"), LIT("a"), large, LIT("b"));
    expect_encoding("quicklist");
    CHECK_REPLY(RUN(&client, LIT("LPOS"), LIT("l"), large), ":1\r\n");
    CHECK_INT(RUN_LINE(&client, "LINDEX l 1").len, LARGE + 10);
    CHECK_INT(RUN_LINE(&client, "LRANGE l 0 -1").len, LARGE + 10 + 4 + 14);
    CHECK_REPLY(RUN_LINE(&client, "COPY l m"), ":1\r\n");
    CHECK_REPLY(RUN(&client, LIT("LSET"), LIT("l"), LIT("0"), large), "+OK\r\n");
    CHECK_REPLY(RUN(&client, LIT("LREM"), LIT("l"), LIT("0"), large), ":2\r\n");
    expect_encoding("listpack");
    CHECK_REPLY(RUN_LINE(&client, "LRANGE l 0 -1"), "*1\r\n$1\r\nb\r\n");
    CHECK_INT(RUN_LINE(&client, "LMOVE m l RIGHT LEFT").len, 7);
    CHECK_INT(RUN_LINE(&client, "LMOVE m l RIGHT LEFT").len, LARGE + 10);
    CHECK_INT(RUN_LINE(&client, "LMOVE l l LEFT LEFT").len, LARGE + 10);
    CHECK_INT(RUN_LINE(&client, "RPOP l 9").len, 4 + 7 + 7 + LARGE + 10);
    mem_free((char *)(uintptr_t)large.at);
    end();
}

static void debug_knows_lists(void)
{
    begin();
    server.engine.settings.debug_command = ACCESS_YES;
    RUN_LINE(&client, "RPUSH l a b");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG LISTPACK l"), "+Listpack structure printed on stdout\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG QUICKLIST l"), "-ERR Not a quicklist encoded object.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG QUICKLIST-PACKED-THRESHOLD 5gb"),
                "-ERR argument must be a memory value bigger than 1 and smaller than 4gb\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG QUICKLIST-PACKED-THRESHOLD 20b"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG QUICKLIST-PACKED-THRESHOLD 0"), "+OK\r\n");
    end();
}

#ifdef RLN_TEST
/* Runs a line with every allocation failing in turn: it is refused as a whole, or done. */
static void refuse_or_do(const char *line, const char *check, const char *before, const char *after)
{
    for (long nth = 1;; nth++) {
        mem_fail_after(nth);
        struct bytes reply = RUN_LINE(&client, line);
        bool refused = bytes_equal(reply, LIT("-ERR out of memory\r\n"));
        mem_fail_after(0);
        CHECK_REPLY(RUN_LINE(&client, check), refused ? before : after);
        if (!refused) {
            return;
        }
    }
}

static void short_memory_changes_nothing(void)
{
    begin();
    memset(&server.engine.changes, 0, sizeof server.engine.changes);
    run_limits(&server)->list_max_listpack_size = 2;
    refuse_or_do("RPUSH l a b c d e", "LRANGE l 0 -1", "*0\r\n",
                 "*5\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n");
    refuse_or_do("LINSERT l BEFORE b x", "LINDEX l 1", "$1\r\nb\r\n", "$1\r\nx\r\n");
    refuse_or_do("LSET l 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                 "LLEN l", ":6\r\n", ":6\r\n");
    refuse_or_do("LMOVE l m RIGHT LEFT", "LLEN l", ":6\r\n", ":5\r\n");
    refuse_or_do("LMOVE l l RIGHT LEFT", "LLEN l", ":5\r\n", ":5\r\n");
    refuse_or_do("COPY l n", "EXISTS n", ":0\r\n", ":1\r\n");
    end();
}
#endif

int main(void)
{
    RUN_TEST(each_change_is_told_once_and_an_empty_list_is_gone);
    RUN_TEST(moves_are_told_of_both_lists);
    RUN_TEST(reads_count_as_hits_and_misses_and_writes_do_not);
    RUN_TEST(a_rotation_leaves_the_encoding);
    RUN_TEST(large_elements_go_through_every_command);
    RUN_TEST(debug_knows_lists);
#ifdef RLN_TEST
    RUN_TEST(short_memory_changes_nothing);
#endif
    return check_done();
}
