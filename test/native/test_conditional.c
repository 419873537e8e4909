/* What came after Redis 7.2 for strings: conditions, MSETEX, INCREX and CL.THROTTLE. */
#include "base/xxh3.h"
#include "told_fixture.h"

static void set_looks_at_the_old_value(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "SET k new IFEQ old"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$-1\r\n");
    CHECK_TOLD(&told, &client, "SET k one IFNE old", "0 SET k one;", "0 k=set;");
    CHECK_REPLY(RUN_LINE(&client, "SET k two IFEQ other"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k two IFEQ other GET"), "$3\r\none\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k two IFEQ one GET"), "$3\r\none\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k three IFNE two"), "$-1\r\n");
    CHECK_TOLD(&told, &client, "SET k three IFEQ two PXAT 1700000009000",
               "0 SET k three PXAT 1700000009000;", "0 k=set;0 k=expire;");
    CHECK_REPLY(RUN_LINE(&client, "SET k x IFEQ three NX"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k x IFEQ three IFNE two"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k x IFEQ"), "-ERR syntax error\r\n");
    RUN_LINE(&client, "RPUSH list a");
    CHECK_REPLY(RUN_LINE(&client, "SET list x IFEQ a"),
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    end();
}

static void digests_stand_for_values(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "DIGEST k"), "$-1\r\n");
    RUN(&client, LIT("SET"), LIT("k"), LIT("Hello world"));
    CHECK_REPLY(RUN_LINE(&client, "DIGEST k"), "$16\r\nb6acb9d84a38ff74\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k test IFDEQ b6acb9d84a38ff75"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k test IFDEQ B6ACB9D84A38FF74"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k x IFDNE 9ec9f7918d7dfc40"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFDNE 9ec9f7918d7dfc40"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFDEQ 9ec9"),
                "-ERR digest must be exactly 16 hexadecimal characters\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFDEQ 9ec9f7918d7dfc40"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k x IFDNE 9ec9f7918d7dfc40"), "+OK\r\n");
    RUN_LINE(&client, "RPUSH list a");
    CHECK_REPLY(RUN_LINE(&client, "DIGEST list"),
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    end();
}

/* Lengths at both sides of each of the digest's ways; made with the reference implementation. */
static void every_length_has_its_digest(void)
{
    static const struct {
        size_t len;
        uint64_t digest;
    } known[] = {
        { 0, 0x2d06800538d394c2 },    { 1, 0xc44bdff4074eecdb },    { 2, 0x9093381c8763d62e },
        { 3, 0xc3489259e968ad9e },    { 4, 0xd3d60c1519014e89 },    { 8, 0xb88dee77f6bf6980 },
        { 9, 0x03688dcad730d826 },    { 16, 0x9da23836adf2be1e },   { 17, 0xf34c3c9cf5a112d1 },
        { 32, 0x99cb9ad0f1a11fbe },   { 33, 0xc077b45492d29cde },   { 64, 0x6efb76ff16f37561 },
        { 65, 0x2640848e9137156b },   { 96, 0x764d2d5db92942df },   { 97, 0x077acb7e5f4fd940 },
        { 128, 0x65f3c2c00fa93185 },  { 129, 0x28065c6ec25f5b25 },  { 200, 0x7c64f3b17285e96a },
        { 240, 0x4917a75c0ef8eed7 },  { 241, 0x541b19226f0052e8 },  { 256, 0xf2331523b74cf0a4 },
        { 1024, 0xba464919c6bb3ccd }, { 1025, 0x2aa0034e7827ee42 }, { 2048, 0x956f98bea3210c05 },
        { 2049, 0xe26adc81a9c9e336 }, { 4999, 0x81ff0396961bebec },
    };
    static char text[5000];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        CHECK(xxh3_64((struct bytes){ text, known[i].len }) == known[i].digest);
    }
}

static void keys_are_deleted_by_value(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "DELIFEQ k v"), ":0\r\n");
    RUN_LINE(&client, "SET k v");
    CHECK_REPLY(RUN_LINE(&client, "DELIFEQ k w"), ":0\r\n");
    CHECK_TOLD(&told, &client, "DELIFEQ k v", "0 DEL k;", "0 k=del;");
    RUN_LINE(&client, "SET k v");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFEQ w"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFNE v"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k NOPE v"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFEQ v IFEQ v"), "-ERR syntax error\r\n");
    CHECK_TOLD(&told, &client, "DELEX k IFNE w", "0 DEL k;", "0 k=del;");
    RUN_LINE(&client, "RPUSH k a");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k IFEQ a"),
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DELEX k"), ":0\r\n");
    end();
}

static void msetex_sets_all_or_none(void)
{
    begin();
    CHECK_TOLD(&told, &client, "MSETEX 2 a 1 b 2 PX 5000",
               "0 SET a 1 PXAT 1700000005000;0 SET b 2 PXAT 1700000005000;",
               "0 a=set;0 a=expire;0 b=set;0 b=expire;");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 2 b 3 c 4 NX"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 2 b 3 c 4 XX"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MGET a b c"), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 2 a 3 b 4 XX KEEPTTL"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL a"), ":5000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 1 a 5"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL a"), ":-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 0 a 5"),
                "-ERR invalid numkeys value or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 2 a 5"), "-ERR wrong number of key-value pairs\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 1 a 5 NX XX"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "MSETEX 1 a 5 EX 0"),
                "-ERR invalid expire time in 'msetex' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND GETKEYS MSETEX 2 a 1 b 2 NX"),
                "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    end();
}

static void increx_keeps_within_bounds(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "INCREX n"), "*2\r\n:1\r\n:1\r\n");
    CHECK_TOLD(&told, &client, "INCREX n BYINT 5 EX 10", "0 SET n 6 PXAT 1700000010000;",
               "0 n=incrby;0 n=expire;");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n BYINT 5 UBOUND 10"), "*2\r\n:6\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n BYINT 5 UBOUND 10 SATURATE"), "*2\r\n:10\r\n:4\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL n"), ":10000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n EX 99 ENX"), "*2\r\n:11\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL n"), ":10000\r\n");
    CHECK_TOLD(&told, &client, "INCREX n BYINT -20 LBOUND 0 SATURATE PERSIST", "0 SET n 0;",
               "0 n=incrby;0 n=persist;");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n ENX"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n BYINT 9223372036854775807"),
                "*2\r\n:9223372036854775807\r\n:9223372036854775807\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n"), "*2\r\n:9223372036854775807\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX missing LBOUND 5"), "*2\r\n:0\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "EXISTS missing"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX f BYFLOAT 1.5 UBOUND 2"),
                "*2\r\n$3\r\n1.5\r\n$3\r\n1.5\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX f BYFLOAT 1.5 UBOUND 2 SATURATE"),
                "*2\r\n$1\r\n2\r\n$3\r\n0.5\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n UBOUND 1.5"),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n LBOUND 2 UBOUND 1"),
                "-ERR LBOUND can't be greater than UBOUND\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCREX n BYINT 1 BYFLOAT 1"), "-ERR syntax error\r\n");
    end();
}

static void a_rate_is_limited(void)
{
    begin();
    /* Two at once, one more each second. */
    CHECK_TOLD(&told, &client, "CL.THROTTLE k 1 60 60",
               "0 SET k 1700000001000000000 PXAT 1700000001000;", "0 k=set;0 k=expire;");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE k 1 60 60"),
                "*5\r\n:0\r\n:2\r\n:0\r\n:-1\r\n:2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE k 1 60 60"), "*5\r\n:1\r\n:2\r\n:0\r\n:1\r\n:2\r\n");
    run_advance_ms(&server, 500);
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE k 1 60 60"), "*5\r\n:1\r\n:2\r\n:0\r\n:1\r\n:2\r\n");
    run_advance_ms(&server, 500);
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE k 1 60 60 0"),
                "*5\r\n:0\r\n:2\r\n:1\r\n:-1\r\n:1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE k 1 60 60"),
                "*5\r\n:0\r\n:2\r\n:0\r\n:-1\r\n:2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE k 1 60 60 3"),
                "*5\r\n:1\r\n:2\r\n:0\r\n:-1\r\n:2\r\n");
    run_advance_ms(&server, 10000);
    CHECK_REPLY(RUN_LINE(&client, "EXISTS k"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE user 15 30 60 1"),
                "*5\r\n:0\r\n:16\r\n:15\r\n:-1\r\n:2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE user 15 0 60"),
                "-ERR value is out of range, must be positive\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE user 9223372036854775806 1 60"),
                "-ERR value is out of range\r\n");
    RUN_LINE(&client, "SET text x");
    CHECK_REPLY(RUN_LINE(&client, "CL.THROTTLE text 1 60 60"),
                "-ERR value is not an integer or out of range\r\n");
    end();
}

int main(void)
{
    RUN_TEST(set_looks_at_the_old_value);
    RUN_TEST(digests_stand_for_values);
    RUN_TEST(every_length_has_its_digest);
    RUN_TEST(keys_are_deleted_by_value);
    RUN_TEST(msetex_sets_all_or_none);
    RUN_TEST(increx_keeps_within_bounds);
    RUN_TEST(a_rate_is_limited);
    return check_done();
}
