/* Commands on streams: what they log and tell, that the log makes the same streams again, and
 * no memory. */
#include "base/mem.h"
#include "store/value.h"
#include "told_fixture.h"

static void ids_come_from_the_clock_or_go_on(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "XADD s * a 1"), "$15\r\n1700000000000-0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XADD s * a 1"), "$15\r\n1700000000000-1\r\n");
    run_advance_ms(&server, 5);
    CHECK_REPLY(RUN_LINE(&client, "XADD s * a 1"), "$15\r\n1700000000005-0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XADD s 1800000000000-* a 1"), "$15\r\n1800000000000-0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XADD s * a 1"), "$15\r\n1800000000000-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XLEN s"), ":5\r\n");
    end();
}

static void what_depends_on_the_moment_is_logged_as_what_it_came_to(void)
{
    begin();
    CHECK_TOLD(&told, &client, "XADD s 1-1 a 1", "0 XADD s 1-1 a 1;", "0 s=xadd;");
    CHECK_TOLD(&told, &client, "XADD s 1-* a 1", "0 XADD s 1-2 a 1;", "0 s=xadd;");
    CHECK_TOLD(&told, &client, "XADD s * a 1", "0 XADD s 1700000000000-0 a 1;", "0 s=xadd;");
    CHECK_TOLD(&told, &client, "XADD t NOMKSTREAM * a 1", "", "");
    CHECK_TOLD(&told, &client, "XADD s MAXLEN 2 * a 1", "0 XADD s MAXLEN 2 1700000000000-1 a 1;",
               "0 s=xadd;0 s=xtrim;");
    CHECK_TOLD(&told, &client, "XADD s MAXLEN ~ 1 LIMIT 100 * a 1",
               "0 XADD s MAXLEN = 3 1700000000000-2 a 1;", "0 s=xadd;");
    CHECK_TOLD(&told, &client, "XADD s MINID ~ 1700000000000-1 * a 1",
               "0 XADD s MINID = 1-1 1700000000000-3 a 1;", "0 s=xadd;");
    CHECK_TOLD(&told, &client, "XTRIM s MAXLEN 9", "", "");
    CHECK_TOLD(&told, &client, "XTRIM s MAXLEN = 1", "0 XTRIM s MAXLEN = 1;", "0 s=xtrim;");
    CHECK_TOLD(&told, &client, "XTRIM s MINID ~ 9800000000000 LIMIT 50",
               "0 XTRIM s MINID = 18446744073709551615-18446744073709551615;", "0 s=xtrim;");
    CHECK_TOLD(&told, &client, "XDEL s 1-1", "", "");
    CHECK_TOLD(&told, &client, "XADD s 1900000000000-1 a 1", "0 XADD s 1900000000000-1 a 1;",
               "0 s=xadd;");
    CHECK_TOLD(&told, &client, "XDEL s 1900000000000-1", "0 XDEL s 1900000000000-1;", "0 s=xdel;");
    CHECK_TOLD(&told, &client, "XSETID s 2000000000000-0", "0 XSETID s 2000000000000-0;",
               "0 s=xsetid;");
    CHECK_TOLD(&told, &client, "XREAD STREAMS s 0", "", "");
    end();
}

static void reading_for_a_group_is_logged_as_claims(void)
{
    begin();
    RUN_LINE(&client, "XADD s 1-1 a 1");
    RUN_LINE(&client, "XADD s 1-2 a 2");
    RUN_LINE(&client, "XADD s 1-3 a 3");
    CHECK_TOLD(&told, &client, "XGROUP CREATE s g 0", "0 XGROUP CREATE s g 0;",
               "0 s=xgroup-create;");
    CHECK_TOLD(&told, &client, "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
               "0 XCLAIM s g c 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1;"
               "0 XGROUP SETID s g 1-1 ENTRIESREAD 1;",
               "0 s=xgroup-createconsumer;");
    CHECK_TOLD(&told, &client, "XREADGROUP GROUP g c NOACK COUNT 1 STREAMS s >",
               "0 XGROUP SETID s g 1-2 ENTRIESREAD 2;", "");
    CHECK_TOLD(&told, &client, "XREADGROUP GROUP g d STREAMS s 0", "0 XGROUP CREATECONSUMER s g d;",
               "0 s=xgroup-createconsumer;");
    CHECK_TOLD(&told, &client, "XREADGROUP GROUP g c STREAMS s 0",
               "0 XCLAIM s g c 0 1-1 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-2;", "");
    CHECK_TOLD(&told, &client, "XCLAIM s g e 0 1-1 1-2 RETRYCOUNT 9 TIME 5",
               "0 XCLAIM s g e 0 1-1 TIME 5 RETRYCOUNT 9 FORCE JUSTID LASTID 1-2;",
               "0 s=xgroup-createconsumer;");
    CHECK_TOLD(&told, &client, "XCLAIM s g e 0 9-9 LASTID 1-3",
               "0 XGROUP SETID s g 1-3 ENTRIESREAD 2;", "");
    CHECK_TOLD(&told, &client, "XAUTOCLAIM s g c 0 0 JUSTID",
               "0 XCLAIM s g c 0 1-1 TIME 1700000000000 RETRYCOUNT 9 FORCE JUSTID LASTID 1-3;", "");
    CHECK_TOLD(&told, &client, "XACK s g 1-1 1-2", "0 XACK s g 1-1 1-2;", "");
    CHECK_TOLD(&told, &client, "XACK s g 1-1", "", "");
    CHECK_TOLD(&told, &client, "XGROUP DELCONSUMER s g d", "0 XGROUP DELCONSUMER s g d;",
               "0 s=xgroup-delconsumer;");
    CHECK_TOLD(&told, &client, "XGROUP DELCONSUMER s g d", "", "");
    CHECK_TOLD(&told, &client, "XGROUP DESTROY s g", "0 XGROUP DESTROY s g;",
               "0 s=xgroup-destroy;");
    CHECK_TOLD(&told, &client, "XGROUP CREATE t g $ MKSTREAM", "0 XGROUP CREATE t g $ MKSTREAM;",
               "0 t=xgroup-create;");
    end();
}

static void groups_do_not_disturb_who_watches(void)
{
    begin();
    RUN_LINE(&client, "XADD s 1-1 a 1");
    RUN_LINE(&client, "WATCH s");
    RUN_LINE(&client, "XGROUP CREATE s g 0");
    RUN_LINE(&client, "XREADGROUP GROUP g c STREAMS s >");
    RUN_LINE(&client, "XACK s g 1-1");
    RUN_LINE(&client, "MULTI");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*0\r\n");
    RUN_LINE(&client, "WATCH s");
    RUN_LINE(&client, "XADD s 1-2 a 1");
    RUN_LINE(&client, "MULTI");
    CHECK_REPLY(RUN_LINE(&client, "EXEC"), "*-1\r\n");
    end();
}

static void lookups_of_reading_commands_are_counted(void)
{
    begin();
    struct stats sum;
    RUN_LINE(&client, "XADD s 1-1 a 1");
    RUN_LINE(&client, "XLEN s");
    RUN_LINE(&client, "XRANGE missing - +");
    RUN_LINE(&client, "XREAD STREAMS s missing 0 0");
    RUN_LINE(&client, "XINFO STREAM s");
    engine_stats(&server.engine, &sum);
    CHECK_INT(stat_read(&sum.keyspace_hits), 3);
    CHECK_INT(stat_read(&sum.keyspace_misses), 2);
    end();
}

/* ---- What redis-server 7.0 has not, or has otherwise ----------------------------------------- */

static void entries_are_deleted_with_regard_to_groups(void)
{
    begin();
    for (int i = 0; i < 4; i++) {
        run_advance_ms(&server, i == 0 ? 0 : 1);
        RUN_LINE(&client, "XADD s * a 1");
    }
    RUN_LINE(&client, "XADD t 1-1 a 1");
    RUN_LINE(&client, "XGROUP CREATE s g 0");
    RUN_LINE(&client, "XGROUP CREATE s h 0");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX missing IDS 2 1-1 1-2"), "*2\r\n:-1\r\n:-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX t IDS 2 1-1 1-2 keepref"), "*2\r\n:1\r\n:-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s ACKED IDS 1 1700000000000"), "*1\r\n:2\r\n");
    RUN_LINE(&client, "XREADGROUP GROUP g c STREAMS s >");
    CHECK_REPLY(RUN_LINE(&client, "XACKDEL s nope IDS 1 1700000000000"), "*1\r\n:-1\r\n");
    CHECK_TOLD(&told, &client, "XACKDEL s g ACKED IDS 1 1700000000000",
               "0 XACKDEL s g ACKED IDS 1 1700000000000;", "");
    CHECK_REPLY(RUN_LINE(&client, "XLEN s"), ":4\r\n");
    RUN_LINE(&client, "XREADGROUP GROUP h c STREAMS s >");
    CHECK_TOLD(&told, &client, "XACKDEL s h ACKED IDS 1 1700000000000",
               "0 XACKDEL s h ACKED IDS 1 1700000000000;", "0 s=xdel;");
    CHECK_REPLY(RUN_LINE(&client, "XACKDEL s g IDS 2 1700000000001 1700000000001"),
                "*2\r\n:1\r\n:-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XACKDEL s h IDS 1 1700000000001"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s DELREF IDS 1 1700000000002"), "*1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XPENDING s g - + 9 d"), "*0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XACK s g 1700000000002"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XACK s h 1700000000002"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XLEN s"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s IDS 0 1-1"),
                "-ERR Number of IDs must be a positive integer\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s IDS 3 1-1 2-2"),
                "-ERR The `numids` parameter must match the number of arguments\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s IDS 1 1-1 2-2"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s ACKED DELREF IDS 1 1-1"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XDELEX s IDS 1 x"),
                "-ERR Invalid stream ID specified as stream command argument\r\n");
    end();
}

static void consumers_come_to_be_by_asking(void)
{
    begin();
    RUN_LINE(&client, "XGROUP CREATE s g $ MKSTREAM");
    RUN_LINE(&client, "XREADGROUP GROUP g c STREAMS s >");
    run_advance_ms(&server, 7);
    CHECK_REPLY(RUN_LINE(&client, "XINFO CONSUMERS s g"),
                "*1\r\n*8\r\n$4\r\nname\r\n$1\r\nc\r\n$7\r\npending\r\n:0\r\n"
                "$4\r\nidle\r\n:7\r\n$8\r\ninactive\r\n:-1\r\n");
    RUN_LINE(&client, "XADD s 1-1 a 1");
    RUN_LINE(&client, "XREADGROUP GROUP g c STREAMS s >");
    run_advance_ms(&server, 2);
    RUN_LINE(&client, "XREADGROUP GROUP g c STREAMS s >");
    run_advance_ms(&server, 1);
    CHECK_REPLY(RUN_LINE(&client, "XINFO CONSUMERS s g"),
                "*1\r\n*8\r\n$4\r\nname\r\n$1\r\nc\r\n$7\r\npending\r\n:1\r\n"
                "$4\r\nidle\r\n:1\r\n$8\r\ninactive\r\n:3\r\n");
    struct bytes full = RUN_LINE(&client, "XINFO STREAM s FULL");
    const char tail[] =
        "$9\r\npel-count\r\n:1\r\n$7\r\npending\r\n*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n"
        ":1700000000007\r\n:1\r\n$9\r\nconsumers\r\n*1\r\n*10\r\n$4\r\nname\r\n$1\r\nc\r\n"
        "$9\r\nseen-time\r\n:1700000000009\r\n$11\r\nactive-time\r\n:1700000000007\r\n"
        "$9\r\npel-count\r\n:1\r\n$7\r\npending\r\n*1\r\n*3\r\n$3\r\n1-1\r\n"
        ":1700000000007\r\n:1\r\n";
    size_t len = sizeof tail - 1;
    CHECK(full.len > len);
    CHECK_BYTES(((struct bytes){ full.at + full.len - len, len }), ((struct bytes){ tail, len }));
    end();
}

static void ids_do_not_go_back(void)
{
    begin();
    RUN_LINE(&client, "XADD s 5-18446744073709551615 a 1");
    CHECK_REPLY(RUN_LINE(&client, "XADD s 5-* a 1"),
                "-ERR The ID specified in XADD is equal or smaller than the target stream top "
                "item\r\n");
    RUN_LINE(&client, "XSETID s 9-9 ENTRIESADDED 5 MAXDELETEDID 8-0");
    CHECK_REPLY(RUN_LINE(&client, "XSETID s 7-0"),
                "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id\r\n");
    end();
}

/* ---- The log makes the same again ---------------------------------------------------------- */

static struct run_server again;
static struct run_client reader;

/* Runs what the last command has told; its words hold neither spaces nor semicolons. */
static void run_again(void)
{
    buf_append_char(&told.effects, '\0');
    for (char *at = told.effects.at; *at != '\0';) {
        char *end = strchr(at, ';');
        *end = '\0';
        struct bytes reply = run_line(&reader, strchr(at, ' ') + 1); /* behind the database */
        CHECK(reply.len > 0 && reply.at[0] != '-');
        at = end + 1;
    }
    told.effects.len = 0;
}

/* What is the same in both, whenever it was done. */
static void check_same(const char *line)
{
    struct buf mine = { 0 };
    buf_append(&mine, RUN_LINE(&client, line));
    check_bytes(__FILE__, __LINE__, line, RUN_LINE(&reader, line), buf_bytes(&mine));
    buf_release(&mine);
}

static void random_step(struct random *dice, struct buf *line)
{
    unsigned a = (unsigned)random_below(dice, 40), b = (unsigned)random_below(dice, 3);
    unsigned kind = (unsigned)random_below(dice, 26);
    const char *key = random_below(dice, 2) == 0 ? "s" : "t";
    const char *group = random_below(dice, 2) == 0 ? "g" : "h";
    static const char *const consumers[] = { "c", "d", "e" };
    const char *consumer = consumers[b];
    line->len = 0;
    switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        buf_printf(line, "XADD %s * f%u %u", key, b, a);
        break;
    case 5:
        buf_printf(line, "XADD %s MAXLEN ~ %u LIMIT %u * f %u", key, a, a, b);
        break;
    case 6:
        buf_printf(line, "XTRIM %s MINID ~ 17000000%05u-%u", key, a, b);
        break;
    case 7:
        buf_printf(line, "XDEL %s 17000000%05u-%u 17000000%05u-0", key, a, b, a + 1);
        break;
    case 8:
        buf_printf(line, "XGROUP CREATE %s %s %s MKSTREAM", key, group, b == 0 ? "$" : "0");
        break;
    case 9:
        buf_printf(line, a == 0 ? "XGROUP DESTROY %s %s" : "XGROUP DELCONSUMER %s %s %s", key,
                   group, consumer);
        break;
    case 10:
    case 11:
    case 12:
    case 13:
        buf_printf(line, "XREADGROUP GROUP %s %s COUNT %u STREAMS %s >", group, consumer, b + 1,
                   key);
        break;
    case 14:
        buf_printf(line, "XREADGROUP GROUP %s %s NOACK COUNT 2 STREAMS %s >", group, consumer, key);
        break;
    case 15:
        buf_printf(line, "XREADGROUP GROUP %s %s COUNT 2 STREAMS %s 0", group, consumer, key);
        break;
    case 16:
        buf_printf(line, "XACK %s %s 17000000%05u-%u", key, group, a, b);
        break;
    case 17:
        buf_printf(line, "XCLAIM %s %s %s 0 17000000%05u-%u FORCE", key, group, consumer, a, b);
        break;
    case 18:
        buf_printf(line, "XCLAIM %s %s %s %u 17000000%05u-%u JUSTID LASTID 17000000%05u", key,
                   group, consumer, b, a, b, a);
        break;
    case 19:
    case 20:
        buf_printf(line, "XAUTOCLAIM %s %s %s %u 0 COUNT 3", key, group, consumer, b);
        break;
    case 21:
        buf_printf(line, "XGROUP SETID %s %s 17000000%05u", key, group, a);
        break;
    case 22:
        buf_printf(line, "XADD %s MAXLEN %u * f %u", key, a, b);
        break;
    case 23:
        buf_printf(line, "XDELEX %s %s IDS 1 17000000%05u-%u", key, b == 0 ? "DELREF" : "ACKED", a,
                   b);
        break;
    case 24:
        buf_printf(line, "XACKDEL %s %s %s IDS 1 17000000%05u-%u", key, group,
                   b == 0 ? "DELREF" : "ACKED", a, b);
        break;
    default:
        buf_printf(line, "XGROUP CREATECONSUMER %s %s %s", key, group, consumer);
        break;
    }
    buf_append_char(line, '\0');
}

static void effects_make_the_same_streams_again(void)
{
    enum { STEPS = 8000 };
    struct random dice;
    struct buf line = { 0 };
    random_init(&dice, check_seed());
    begin();
    run_server_init(&again);
    run_client_init(&reader, &again);
    run_limits(&server)->stream_node_max_entries = 5;
    run_limits(&again)->stream_node_max_entries = 3;
    for (int step = 0; step < STEPS; step++) {
        if (random_below(&dice, 30) == 0) {
            run_advance_ms(&server, 1);
            run_advance_ms(&again, 1);
        }
        random_step(&dice, &line);
        RUN_LINE(&client, line.at);
        run_again();
    }
    static const char *const checks[] = {
        "XRANGE s - +",          "XRANGE t - +",          "XPENDING s g",
        "XPENDING s h",          "XPENDING t g",          "XPENDING t h",
        "XINFO GROUPS s",        "XINFO GROUPS t",        "XPENDING s g - + 1000",
        "XPENDING s h - + 1000", "XPENDING t g - + 1000", "XPENDING t h - + 1000",
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        check_same(checks[i]);
    }
    buf_release(&line);
    run_client_release(&reader);
    run_server_release(&again);
    end();
}

/* ---- No memory ------------------------------------------------------------------------------ */

/* Lets the n-th request for memory fail, for every n, until the command works. */
static void run_short_of_memory(const char *line, const char *unchanged, const char *value)
{
    for (long n = 1;; n++) {
        mem_fail_after(n);
        struct bytes reply = RUN_LINE(&client, line);
        mem_fail_after(0);
        if (!bytes_equal(reply, LIT("-ERR out of memory\r\n"))) {
            CHECK(n < 100);
            return;
        }
        CHECK_REPLY(RUN_LINE(&client, unchanged), value);
    }
}

static void without_memory_nothing_has_changed(void)
{
    begin();
    run_limits(&server)->stream_node_max_entries = 1;
    run_short_of_memory("XADD s 1-1 a 1", "EXISTS s", ":0\r\n");
    run_short_of_memory("XADD s 1-2 a 2", "XLEN s", ":1\r\n");
    run_short_of_memory("XGROUP CREATE t g 0 MKSTREAM", "EXISTS t", ":0\r\n");
    run_short_of_memory("XGROUP CREATE s g 0", "XINFO GROUPS s", "*0\r\n");
    run_short_of_memory("XGROUP CREATECONSUMER s g c", "XGROUP DELCONSUMER s g c", ":0\r\n");
    run_short_of_memory("XREADGROUP GROUP g c COUNT 1 STREAMS s >", "XLEN s", ":2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XPENDING s g - + 9 c"),
                "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:0\r\n:1\r\n");
    run_short_of_memory("XCLAIM s g d 0 1-1 1-2 FORCE JUSTID", "XLEN s", ":2\r\n");
    RUN_LINE(&client, "XCLAIM s g d 0 1-1 1-2 FORCE JUSTID");
    run_short_of_memory("XAUTOCLAIM s g e 0 0 JUSTID", "XLEN s", ":2\r\n");
    RUN_LINE(&client, "XAUTOCLAIM s g e 0 0 JUSTID");
    CHECK_REPLY(RUN_LINE(&client, "XACK s g 1-1 1-2"), ":2\r\n");
    run_short_of_memory("COPY s u", "EXISTS u", ":0\r\n");
    end();
}

int main(void)
{
    RUN_TEST(ids_come_from_the_clock_or_go_on);
    RUN_TEST(what_depends_on_the_moment_is_logged_as_what_it_came_to);
    RUN_TEST(reading_for_a_group_is_logged_as_claims);
    RUN_TEST(groups_do_not_disturb_who_watches);
    RUN_TEST(lookups_of_reading_commands_are_counted);
    RUN_TEST(entries_are_deleted_with_regard_to_groups);
    RUN_TEST(consumers_come_to_be_by_asking);
    RUN_TEST(ids_do_not_go_back);
    RUN_TEST(effects_make_the_same_streams_again);
    RUN_TEST(without_memory_nothing_has_changed);
    return check_done();
}
