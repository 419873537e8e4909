/* Commands on keys, whatever they hold: their effects, events and the walks over them. */
#include "told_fixture.h"

static void each_command_tells_what_it_did(void)
{
    begin();
    RUN_LINE(&client, "MSET a 1 b 2 c 3");
    CHECK_TOLD(&told, &client, "DEL a missing b", "0 DEL a missing b;", "0 a=del;0 b=del;");
    CHECK_TOLD(&told, &client, "UNLINK a", "", "");
    CHECK_TOLD(&told, &client, "UNLINK c", "0 UNLINK c;", "0 c=del;");
    RUN_LINE(&client, "SET a 1");
    CHECK_TOLD(&told, &client, "RENAME a a", "", "");
    CHECK_TOLD(&told, &client, "RENAME a b", "0 RENAME a b;", "0 a=rename_from;0 b=rename_to;");
    CHECK_TOLD(&told, &client, "COPY b a", "0 COPY b a;", "0 a=copy_to;");
    CHECK_TOLD(&told, &client, "RENAMENX a b", "", "");
    CHECK_TOLD(&told, &client, "COPY a a DB 2", "0 COPY a a DB 2;", "2 a=copy_to;");
    CHECK_TOLD(&told, &client, "MOVE a 2", "", "");
    CHECK_TOLD(&told, &client, "MOVE a 1", "0 MOVE a 1;", "0 a=move_from;1 a=move_to;");
    CHECK_TOLD(&told, &client, "TOUCH b", "", "");
    end();
}

static void a_key_takes_its_end_along(void)
{
    begin();
    RUN_LINE(&client, "SET a 1 PXAT 1700000050000");
    CHECK_REPLY(RUN_LINE(&client, "RENAME a b"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COPY b c"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MOVE b 1"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRETIME c"), ":1700000050000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PEXPIRETIME b"), ":1700000050000\r\n");
    run_advance_ms(&server, 50000);
    CHECK_REPLY(RUN_LINE(&client, "EXISTS b"), ":0\r\n");
    end();
}

static void copies_are_apart(void)
{
    begin();
    RUN_LINE(&client, "SETRANGE long 49999 x");
    CHECK_REPLY(RUN_LINE(&client, "COPY long other"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SETRANGE other 49999 y"), ":50000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "APPEND other z"), ":50001\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETRANGE long -1 -1"), "$1\r\nx\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GETRANGE other -2 -1"), "$2\r\nyz\r\n");
    end();
}

static void a_database_that_is_none_is_refused(void)
{
    begin();
    RUN_LINE(&client, "SET a 1");
    CHECK_REPLY(RUN_LINE(&client, "MOVE a 0"),
                "-ERR source and destination objects are the same\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MOVE a 16"), "-ERR DB index is out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COPY a b DB 2147483648"),
                "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COPY a a DB 0 NOPE"), "-ERR syntax error\r\n");
    end();
}

/* The cursor of a SCAN reply, and into '*keys' how many keys came with it. */
static uint64_t scan_reply(struct bytes reply, uint64_t *keys)
{
    uint64_t cursor;
    CHECK(reply.len > 0 && reply.len < 4096);
    char text[4097];
    memcpy(text, reply.at, reply.len);
    text[reply.len] = '\0';
    CHECK_INT(sscanf(text, "*2\r\n$%*u\r\n%" SCNu64 "\r\n*%" SCNu64, &cursor, keys), 2);
    return cursor;
}

static void scan_visits_every_key_once_when_nothing_moves(void)
{
    enum { KEYS = 1000 };
    begin();
    char line[64];
    for (int i = 0; i < KEYS; i++) {
        snprintf(line, sizeof line, "SET key:%d %d", i, i);
        RUN_LINE(&client, line);
    }
    uint64_t cursor = 0, visited = 0, matched = 0, keys;
    do {
        snprintf(line, sizeof line, "SCAN %" PRIu64 " COUNT 20", cursor);
        cursor = scan_reply(RUN_LINE(&client, line), &keys);
        visited += keys;
    } while (cursor != 0);
    do {
        snprintf(line, sizeof line, "SCAN %" PRIu64 " MATCH key:*7 TYPE STRING", cursor);
        cursor = scan_reply(RUN_LINE(&client, line), &keys);
        matched += keys;
    } while (cursor != 0);
    CHECK_INT(visited, KEYS);
    CHECK_INT(matched, KEYS / 10);
    end();
}

static void object_tells_how_long_a_key_was_not_used(void)
{
    begin();
    RUN_LINE(&client, "SET k abc");
    run_advance_ms(&server, 7000);
    CHECK_REPLY(RUN_LINE(&client, "OBJECT IDLETIME k"), ":7\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXISTS k"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT IDLETIME k"), ":7\r\n");
    CHECK_REPLY(RUN_LINE(&client, "TOUCH k"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT IDLETIME k"), ":0\r\n");
    keyspace_set_lfu(server.engine.keyspace, true, 10, 1);
    RUN_LINE(&client, "SET fresh abc");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT FREQ fresh"), ":5\r\n");
    CHECK_INT(memcmp(RUN_LINE(&client, "OBJECT IDLETIME fresh").at, "-ERR An LFU", 11), 0);
    end();
}

int main(void)
{
    RUN_TEST(each_command_tells_what_it_did);
    RUN_TEST(a_key_takes_its_end_along);
    RUN_TEST(copies_are_apart);
    RUN_TEST(a_database_that_is_none_is_refused);
    RUN_TEST(scan_visits_every_key_once_when_nothing_moves);
    RUN_TEST(object_tells_how_long_a_key_was_not_used);
    return check_done();
}
