/* DUMP and RESTORE: payloads byte for byte as redis-server 7.0 gives them, those of older
 * servers, what is refused, what is told, and how a key is that came so. */
#include "base/crc64.h"
#include "base/mem.h"
#include "store/value.h"
#include "values.h"

#include "told_fixture.h"

enum { PAYLOAD_ROOM = 512 };

/* A payload from its type and value, with a footer. */
static struct bytes seal(struct bytes body, unsigned version, char room[PAYLOAD_ROOM])
{
    size_t len = body.len;
    CHECK(len + 10 <= PAYLOAD_ROOM);
    memcpy(room, body.at, len);
    room[len++] = (char)version;
    room[len++] = (char)(version >> 8);
    uint64_t sum = crc64(0, (struct bytes){ room, len });
    for (unsigned i = 0; i < 8; i++) {
        room[len++] = (char)(sum >> (8 * i));
    }
    return (struct bytes){ room, len };
}

/* Restores a value of version 10 to the key "r". */
static struct bytes restore(struct bytes body)
{
    char room[PAYLOAD_ROOM];
    return RUN(&client, LIT("RESTORE"), LIT("r"), LIT("0"), seal(body, 10, room), LIT("REPLACE"));
}

/* DUMP of a key is this body, sealed. */
static void check_dump(struct bytes key, struct bytes body, unsigned version)
{
    char room[PAYLOAD_ROOM], head[32];
    struct bytes payload = seal(body, version, room), reply = RUN(&client, LIT("DUMP"), key);
    size_t len = (size_t)snprintf(head, sizeof head, "$%zu\r\n", payload.len);
    CHECK_BYTES(((struct bytes){ reply.at, len }), bytes_of(head));
    CHECK_BYTES(((struct bytes){ reply.at + len, reply.len - len - 2 }), payload);
}

static void payloads_are_those_of_redis(void)
{
    begin();
    RUN_LINE(&client, "MSET a hello i1 100 i2 1000 i3 100000 i4 10000000000 e ''");
    check_dump(LIT("a"), LIT("\0\5hello"), 10);
    check_dump(LIT("i1"), LIT("\0\300d"), 10);
    check_dump(LIT("i2"), LIT("\0\301\350\3"), 10);
    check_dump(LIT("i3"), LIT("\0\302\240\206\1\0"), 10);
    check_dump(LIT("i4"), LIT("\0\01310000000000"), 10);
    check_dump(LIT("e"), LIT("\0\0"), 10);
    RUN_LINE(&client, "APPEND ap 12");
    check_dump(LIT("ap"), LIT("\0\300\14"), 10);
    RUN_LINE(&client, "RPUSH l a b c");
    check_dump(LIT("l"), LIT("\22\1\2\20\20\0\0\0\3\0\201a\2\201b\2\201c\2\377"), 10);
    RUN_LINE(&client, "SADD s 1 2 3");
    check_dump(LIT("s"), LIT("\13\16\2\0\0\0\3\0\0\0\1\0\2\0\3\0"), 10);
    RUN_LINE(&client, "SADD t a");
    check_dump(LIT("t"), LIT("\2\1\1a"), 10);
    RUN_LINE(&client, "HSET h a 1 b 2");
    check_dump(LIT("h"), LIT("\20\21\21\0\0\0\4\0\201a\2\1\1\201b\2\2\1\377"), 10);
    RUN_LINE(&client, "ZADD z 1 a 2.5 b inf c");
    check_dump(LIT("z"), LIT("\21\34\34\0\0\0\6\0\201a\2\1\1\201b\2\2032.5\4\201c\2\203inf\4\377"),
               10);
    RUN_LINE(&client, "XADD x 1-1 f v");
    check_dump(LIT("x"),
               LIT("\23\1\20\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\35\35\0\0\0\12\0\1\1\0\1\1\1\201f\2"
                   "\0\1\2\1\0\1\0\1\201v\2\4\1\377\1\1\1\1\1\0\0\1\0"),
               10);
    CHECK_REPLY(RUN_LINE(&client, "DUMP missing"), "$-1\r\n");
    end();
}

static void hashes_with_ends_are_written_as_redis_7_4_does(void)
{
    begin();
    RUN_LINE(&client, "HSET h a 1");
    RUN_LINE(&client, "HPEXPIREAT h 1700000001000 FIELDS 1 a");
    check_dump(LIT("h"), LIT("\30\350\153\345\317\213\1\0\0\1\1\1a\300\1"), 12);
    char room[PAYLOAD_ROOM];
    /* And what it writes of a compact one. */
    struct bytes compact = seal(LIT("\31\350\153\345\317\213\1\0\0\35\35\0\0\0\6\0\201a\2\1\1"
                                    "\364\350\153\345\317\213\1\0\0\11\201b\2\2\1\0\1\377"),
                                12, room);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("r"), LIT("0"), compact), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPEXPIRETIME r FIELDS 2 a b"),
                "*2\r\n:1700000001000\r\n:-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HMGET r a b"), "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    run_advance_ms(&server, 1001);
    CHECK_REPLY(RUN_LINE(&client, "HMGET r a b"), "*2\r\n$-1\r\n$1\r\n2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DUMP h"), "$-1\r\n"); /* Nothing is left of it. */
    end();
}

/* ---- Older forms ------------------------------------------------------------------------------- */

/* "a", "bc", 5, -1, 1000, 100000, 10000000, 10000000000 as a ziplist, in a string. */
#define ZIPLIST                                                                                    \
    "\0600\0\0\0%\0\0\0\10\0\0\1a\3\2bc\4\366\2\376\377\3\300\350\3\4\360\240\206\1\5\320\200"     \
    "\226\230\0\6\340\0\344\13T\2\0\0\0\377"

static void values_of_older_servers_are_read(void)
{
    begin();
    static const char list[] = "*8\r\n$1\r\na\r\n$2\r\nbc\r\n$1\r\n5\r\n$2\r\n-1\r\n$4\r\n1000\r\n"
                               "$6\r\n100000\r\n$8\r\n10000000\r\n$11\r\n10000000000\r\n";
    CHECK_REPLY(restore(LIT("\12" ZIPLIST)), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LRANGE r 0 -1"), list);
    CHECK_REPLY(RUN_LINE(&client, "OBJECT ENCODING r"), "$8\r\nlistpack\r\n");
    CHECK_REPLY(restore(LIT("\16\1" ZIPLIST)), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LRANGE r 0 -1"), list);
    CHECK_REPLY(restore(LIT("\16\2" ZIPLIST ZIPLIST)), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LLEN r"), ":16\r\n");
    CHECK_REPLY(restore(LIT("\1\3\1a\300\5\2bc")), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LRANGE r 0 -1"), "*3\r\n$1\r\na\r\n$1\r\n5\r\n$2\r\nbc\r\n");
    CHECK_REPLY(restore(LIT("\15" ZIPLIST)), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HGETALL r"), list);
    CHECK_REPLY(RUN_LINE(&client, "OBJECT ENCODING r"), "$8\r\nlistpack\r\n");
    CHECK_REPLY(restore(LIT("\11\21\2\1a\1\0x\2bc\3\2yes\0\0\377")), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HGETALL r"),
                "*4\r\n$1\r\na\r\n$1\r\nx\r\n$2\r\nbc\r\n$3\r\nyes\r\n");
    /* "a" 1, "b" 2.5 */
    CHECK_REPLY(restore(LIT("\14\30\30\0\0\0\22\0\0\0\4\0\0\1a\3\362\2\1b\3\0032.5\377")),
                "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "ZRANGE r 0 -1 WITHSCORES"),
                "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n");
    CHECK_REPLY(restore(LIT("\3\4\1a\3001\1b\0032.5\1c\376\1d\377")), "-ERR Bad data format\r\n");
    CHECK_REPLY(restore(LIT("\3\4\1a\0011\1b\0032.5\1c\376\1d\377")), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "ZRANGE r 0 -1 WITHSCORES"),
                "*8\r\n$1\r\nd\r\n$4\r\n-inf\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n"
                "$1\r\nc\r\n$3\r\ninf\r\n");
    end();
}

static void streams_of_other_versions_are_read(void)
{
    begin();
#define BLOCK                                                                                      \
    "\1\20\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\35\35\0\0\0\12\0\1\1\0\1\1\1\201f\2\0\1\2\1\0\1\0\1"    \
    "\201v\2\4\1\377\1\1\1"
#define PENDING "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\150\345\317\213\1\0\0\3"
#define OWNED   "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1"
    CHECK_REPLY(restore(LIT("\17" BLOCK "\1\1g\1\1" PENDING "\1\1c\0\150\345\317\213\1\0\0" OWNED)),
                "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XRANGE r - +"),
                "*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XPENDING r g - + 10"),
                "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:0\r\n:3\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XINFO GROUPS r"),
                "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:1\r\n$7\r\npending\r\n"
                ":1\r\n$17\r\nlast-delivered-id\r\n$3\r\n1-1\r\n$12\r\nentries-read\r\n:1\r\n"
                "$3\r\nlag\r\n:0\r\n");
    char room[PAYLOAD_ROOM];
    struct bytes newer =
        seal(LIT("\25" BLOCK "\1\1\0\0\1\1\1g\1\1\1" PENDING
                 "\1\1c\0\150\345\317\213\1\0\0\377\377\377\377\377\377\377\377" OWNED),
             11, room);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("n"), LIT("0"), newer), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "XINFO CONSUMERS n g"),
                "*1\r\n*8\r\n$4\r\nname\r\n$1\r\nc\r\n$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:0\r\n"
                "$8\r\ninactive\r\n:-1\r\n");
    /* An entry that is pending and nobody's, or that of two. */
    CHECK_REPLY(restore(LIT("\17" BLOCK "\1\1g\1\1" PENDING "\1\1c\0\150\345\317\213\1\0\0\0")),
                "-ERR Bad data format\r\n");
    CHECK_REPLY(restore(LIT("\17" BLOCK "\1\1g\1\1" PENDING "\2\1c\0\150\345\317\213\1\0\0" OWNED
                            "\1d\0\150\345\317\213\1\0\0" OWNED)),
                "-ERR Bad data format\r\n");
    end();
}

/* ---- Refusals ---------------------------------------------------------------------------------- */

static void what_is_no_value_is_refused(void)
{
    static const char bad[] = "-ERR Bad data format\r\n";
    begin();
    CHECK_REPLY(restore(LIT("")), bad);
    CHECK_REPLY(restore(LIT("\7\0")), bad); /* a module's */
    CHECK_REPLY(restore(LIT("\377")), bad);
    CHECK_REPLY(restore(LIT("\1\0")), bad); /* empty ones */
    CHECK_REPLY(restore(LIT("\2\0")), bad);
    CHECK_REPLY(restore(LIT("\4\0")), bad);
    CHECK_REPLY(restore(LIT("\5\0")), bad);
    CHECK_REPLY(restore(LIT("\22\0")), bad);
    CHECK_REPLY(restore(LIT("\22\1\2\7\7\0\0\0\0\0\377")), bad);
    CHECK_REPLY(restore(LIT("\20\7\7\0\0\0\0\0\377")), bad);
    CHECK_REPLY(restore(LIT("\21\7\7\0\0\0\0\0\377")), bad);
    CHECK_REPLY(restore(LIT("\13\10\2\0\0\0\0\0\0\0")), bad);
    CHECK_REPLY(restore(LIT("\2\2\1a\1a")), bad); /* twins */
    CHECK_REPLY(restore(LIT("\4\2\1a\1x\1a\1y")), bad);
    CHECK_REPLY(restore(LIT("\20\21\21\0\0\0\4\0\201a\2\1\1\201a\2\2\1\377")), bad);
    CHECK_REPLY(restore(LIT("\21\21\21\0\0\0\4\0\201a\2\1\1\201a\2\2\1\377")), bad);
    CHECK_REPLY(restore(LIT("\13\14\2\0\0\0\2\0\0\0\1\0\1\0")), bad);
    CHECK_REPLY(restore(LIT("\13\14\2\0\0\0\2\0\0\0\2\0\1\0")), bad); /* not in order */
    CHECK_REPLY(restore(LIT("\21\21\21\0\0\0\4\0\201a\2\2\1\201b\2\1\1\377")), bad);
    CHECK_REPLY(restore(LIT("\21\21\21\0\0\0\4\0\201a\2\1\1\201b\2\201x\2\377")), bad);
    CHECK_REPLY(restore(LIT("\5\1\1a\0\0\0\0\0\0\370\177")), bad);            /* not a number */
    CHECK_REPLY(restore(LIT("\20\16\16\0\0\0\3\0\201a\2\1\1\2\1\377")), bad); /* half a pair */
    CHECK_REPLY(restore(LIT("\22\1\3\1a")), bad);                             /* no container */
    CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":0\r\n");
    end();
}

static void footers_are_checked(void)
{
    static const char wrong[] = "-ERR DUMP payload version or checksum are wrong\r\n";
    char room[PAYLOAD_ROOM];
    begin();
    struct bytes body = LIT("\0\5hello");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), LIT("")), wrong);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), LIT("123456789")), wrong);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), seal(body, 13, room)), wrong);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), seal(body, 80, room)), wrong);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), seal(body, 0x100, room)), wrong);
    for (unsigned version = 1; version <= 12; version++) {
        CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), seal(body, version, room),
                        LIT("REPLACE")),
                    "+OK\r\n");
    }
    struct bytes payload = seal(body, 10, room);
    for (size_t bit = 0; bit < 8 * payload.len; bit++) {
        room[bit / 8] = (char)(room[bit / 8] ^ 1 << bit % 8);
        CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("n"), LIT("0"), payload), wrong);
        room[bit / 8] = (char)(room[bit / 8] ^ 1 << bit % 8);
    }
    end();
}

static void a_key_that_is_there_stays_unless_it_is_to_be_replaced(void)
{
    char room[PAYLOAD_ROOM];
    struct bytes good = seal(LIT("\0\5hello"), 10, room);
    begin();
    RUN_LINE(&client, "RPUSH k a");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("x"), LIT("y")),
                "-BUSYKEY Target key name already exists.\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("x"), good, LIT("REPLACE")),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("-1"), good, LIT("REPLACE")),
                "-ERR Invalid TTL value, must be >= 0\r\n");
    char broken[PAYLOAD_ROOM];
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), seal(LIT("\22\1"), 10, broken),
                    LIT("REPLACE")),
                "-ERR Bad data format\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LRANGE k 0 -1"), "*1\r\n$1\r\na\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), good, LIT("replace")), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$5\r\nhello\r\n");
    end();
}

/* ---- Lives, and what is told --------------------------------------------------------------------- */

#define RESTORE_TOLD(effects_text, events_text, ...)                                               \
    do {                                                                                           \
        told.effects.len = told.events.len = 0;                                                    \
        CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), __VA_ARGS__), "+OK\r\n");               \
        told_check(__FILE__, __LINE__, &told, "RESTORE", (effects_text), (events_text));           \
    } while (0)

static void ends_are_told_as_moments(void)
{
    char room[PAYLOAD_ROOM];
    struct bytes good = seal(LIT("\2\1\1a"), 10, room);
    begin();
    told_release(&told, &server);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("1500"), good), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":1500\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("1700000009000"), good, LIT("ABSTTL"),
                    LIT("REPLACE")),
                "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":9000\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), good, LIT("REPLACE")), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":-1\r\n");
    told_listen(&told, &server);
    struct buf effect = { 0 };
    buf_printf(&effect, "0 RESTORE k 1700000000700 ");
    buf_append(&effect, good);
    buf_printf(&effect, " REPLACE IDLETIME 3 ABSTTL;");
    told.effects.len = told.events.len = 0;
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("700"), good, LIT("REPLACE"),
                    LIT("IDLETIME"), LIT("3")),
                "+OK\r\n");
    CHECK_BYTES(buf_bytes(&told.effects), buf_bytes(&effect));
    CHECK_BYTES(buf_bytes(&told.events), LIT("0 k=restore;"));
    CHECK_REPLY(RUN_LINE(&client, "OBJECT IDLETIME k"), ":3\r\n");
    buf_release(&effect);
    /* What is over already takes the key away, and is nothing where there is none. */
    RESTORE_TOLD("0 DEL k;", "0 k=del;", LIT("5"), good, LIT("REPLACE"), LIT("ABSTTL"));
    CHECK_REPLY(RUN_LINE(&client, "EXISTS k"), ":0\r\n");
    RESTORE_TOLD("", "", LIT("5"), good, LIT("ABSTTL"));
    RESTORE_TOLD("", "", LIT("9223372036854775807"), good);
    CHECK_REPLY(RUN_LINE(&client, "EXISTS k"), ":0\r\n");
    end();
}

static void options_are_checked(void)
{
    char room[PAYLOAD_ROOM];
    struct bytes good = seal(LIT("\0\5hello"), 10, room);
    static const struct {
        const char *first, *second, *third, *reply;
    } cases[] = {
        { "NOPE", NULL, NULL, "-ERR syntax error\r\n" },
        { "IDLETIME", NULL, NULL, "-ERR syntax error\r\n" },
        { "FREQ", NULL, NULL, "-ERR syntax error\r\n" },
        { "IDLETIME", "x", NULL, "-ERR value is not an integer or out of range\r\n" },
        { "IDLETIME", "-1", NULL, "-ERR Invalid IDLETIME value, must be >= 0\r\n" },
        { "FREQ", "x", NULL, "-ERR value is not an integer or out of range\r\n" },
        { "FREQ", "-1", NULL, "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n" },
        { "FREQ", "256", NULL, "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n" },
        { "FREQ", "1", "IDLETIME", "-ERR syntax error\r\n" },
        { "IDLETIME", "-1", "NOPE", "-ERR Invalid IDLETIME value, must be >= 0\r\n" },
        { "FREQ", "255", NULL, "+OK\r\n" },
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes argv[8] = { LIT("RESTORE"), LIT("k"), LIT("0"), good };
        size_t argc = 4;
        const char *more[] = { cases[i].first, cases[i].second, cases[i].third };
        for (size_t j = 0; j < 3 && more[j] != NULL; j++) {
            argv[argc++] = bytes_of(more[j]);
        }
        CHECK_REPLY(run_command(&client, argv, argc), cases[i].reply);
    }
    end();
}

static void frequencies_are_kept_where_the_policy_counts_them(void)
{
    char room[PAYLOAD_ROOM];
    struct bytes good = seal(LIT("\0\5hello"), 10, room);
    begin();
    keyspace_set_lfu(server.engine.keyspace, true, 10, 1);
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), good, LIT("FREQ"), LIT("77")),
                "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT FREQ k"), ":77\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), good, LIT("IDLETIME"), LIT("9"),
                    LIT("REPLACE")),
                "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT FREQ k"), ":5\r\n");
    end();
}

static void limits_of_now_decide_about_encodings(void)
{
    begin();
    struct value_limits *limits = run_limits(&server);
    struct buf payloads[4] = { { 0 } };
    static const char *const makes[] = { "RPUSH l a b c", "SADD s a b c", "HSET h a 1 b 2 c 3",
                                         "ZADD z 1 a 2 b 3 c" };
    static const char *const larger[] = { "quicklist", "hashtable", "hashtable", "skiplist" };
    static const char *const keys[] = { "l", "s", "h", "z" };
    for (int i = 0; i < 4; i++) {
        RUN_LINE(&client, makes[i]);
        struct bytes reply = RUN(&client, LIT("DUMP"), bytes_of(keys[i]));
        buf_append(&payloads[i], values_next(&reply));
    }
    limits->list_max_listpack_size = 2;
    limits->set_max_listpack_entries = limits->hash_max_listpack_entries = 2;
    limits->zset_max_listpack_entries = 2;
    for (int small = 0; small < 2; small++) {
        for (int i = 0; i < 4; i++) {
            struct bytes key = bytes_of(keys[i]);
            RUN(&client, LIT("RESTORE"), key, LIT("0"), buf_bytes(&payloads[i]), LIT("REPLACE"));
            struct bytes reply = RUN(&client, LIT("OBJECT"), LIT("ENCODING"), key);
            CHECK_BYTES(values_next(&reply), small ? LIT("listpack") : bytes_of(larger[i]));
            if (!small) {
                buf_release(&payloads[i]);
                reply = RUN(&client, LIT("DUMP"), key); /* In the larger form. */
                buf_append(&payloads[i], values_next(&reply));
            }
        }
        limits->list_max_listpack_size = -2;
        limits->set_max_listpack_entries = limits->hash_max_listpack_entries = 3;
        limits->zset_max_listpack_entries = 3;
    }
    for (int i = 0; i < 4; i++) {
        buf_release(&payloads[i]);
    }
    end();
}

static void compression_is_a_setting(void)
{
    begin();
    RUN_LINE(&client, "SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    check_dump(LIT("k"), LIT("\0\303\5\43\0a\340\31\0"), 10);
    server.engine.settings.compress_strings = false;
    check_dump(LIT("k"), LIT("\0\43aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 10);
    end();
}

static void short_memory_changes_nothing(void)
{
    uint64_t dice = check_seed();
    begin();
    for (int round = 0; round < 40; round++) {
        RUN_LINE(&client, "SET k before");
        values_make(&client, &dice, LIT("v"));
        struct buf payload = { 0 };
        struct bytes reply = RUN(&client, LIT("DUMP"), LIT("v"));
        buf_append(&payload, values_next(&reply));
        bool done = false;
        for (long n = 1; !done; n += 1 + n / 8) {
            mem_fail_after(n);
            reply = RUN(&client, LIT("RESTORE"), LIT("k"), LIT("5000"), buf_bytes(&payload),
                        LIT("REPLACE"));
            mem_fail_after(0);
            done = bytes_equal(reply, LIT("+OK\r\n"));
            if (!done) {
                CHECK_REPLY(reply, "-ERR out of memory\r\n");
                CHECK_REPLY(RUN_LINE(&client, "GET k"), "$6\r\nbefore\r\n");
            }
        }
        CHECK_REPLY(RUN_LINE(&client, "PTTL k"), ":5000\r\n");
        values_expect_equal(&client, LIT("v"), LIT("k")); /* It may have stayed large. */
        buf_release(&payload);
        RUN_LINE(&client, "FLUSHALL");
    }
    end();
}

int main(void)
{
    RUN_TEST(payloads_are_those_of_redis);
    RUN_TEST(hashes_with_ends_are_written_as_redis_7_4_does);
    RUN_TEST(values_of_older_servers_are_read);
    RUN_TEST(streams_of_other_versions_are_read);
    RUN_TEST(what_is_no_value_is_refused);
    RUN_TEST(footers_are_checked);
    RUN_TEST(a_key_that_is_there_stays_unless_it_is_to_be_replaced);
    RUN_TEST(ends_are_told_as_moments);
    RUN_TEST(options_are_checked);
    RUN_TEST(frequencies_are_kept_where_the_policy_counts_them);
    RUN_TEST(limits_of_now_decide_about_encodings);
    RUN_TEST(compression_is_a_setting);
    RUN_TEST(short_memory_changes_nothing);
    return check_done();
}
