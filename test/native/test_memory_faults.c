/* Memory is short at every place where a write asks for it: the answer is the error and nothing
 * has changed; of a command on several elements those before the shortage may have, and then
 * just these are told.  Or the command was done whole.  Nothing is lost (under
 * AddressSanitizer). */
#include "data_set.h"
#include "effect_log.h"
#include "store/value.h"

/* Data that the writes below meet; "''" stands for an empty word. */
static const char *const data[] = {
    "SET s hello",
    "SET number 41",
    "SETRANGE long 5000 x",
    "RPUSH l a b c 1 2 3",
    "HSET h a 1 b 2 c three",
    "HSET hl a 1 b 2 c three d 4 e 5",
    "HSET he a 1 b 2 c 3",
    "HPEXPIRE he 100000 FIELDS 2 a b",
    "SADD si 1 2 3",
    "SADD sl a b c 1",
    "SADD st a b c d e f g h",
    "ZADD zl 1 a 2 b 3 c",
    "ZADD zs 1 a 2 b 3 c 4 d 5 e 6 f",
    "GEOADD geo 13.361389 38.115556 palermo 15.087269 37.502669 catania",
    "PFADD p a b c",
    "XADD x 1-1 a 1 b 2",
    "XADD x 1-2 a 1 b 2",
    "XADD x 1-3 c 1",
    "XGROUP CREATE x g 0",
    "XREADGROUP GROUP g c COUNT 2 STREAMS x >",
    "SET ending v PX 100000",
};

static const char *const writes[] = {
    "SET new value",
    "SET s a-value-that-is-longer-than-the-one-before-it",
    "SET s v PX 1000",
    "SET s other GET",
    "SETNX new v",
    "GETSET s other",
    "GETEX s PX 1000",
    "MSET s 1 new 2 newer 3 l 4",
    "MSETNX new 1 newer 2",
    "APPEND s more",
    "APPEND new more",
    "SETRANGE s 8000 x",
    "SETRANGE new 10 x",
    "SETBIT s 9000 1",
    "BITFIELD s SET u8 9000 1 INCRBY i16 0 5",
    "BITOP XOR new s number",
    "BITOP NOT s s",
    "INCR number",
    "INCR new",
    "INCRBYFLOAT number 1.5",
    "EXPIRE s 100",
    "EXPIRE l 100",
    "PERSIST ending",
    "RENAME s new",
    "RENAME h s",
    "RENAMENX h new",
    "COPY h new",
    "COPY hl new",
    "COPY he new",
    "COPY l s REPLACE",
    "COPY st new",
    "COPY zs new",
    "COPY x new",
    "MOVE s 1",
    "LPUSH l x y z",
    "RPUSH new x y z long-enough-that-it-takes-a-node-of-its-own",
    "RPUSHX l x y",
    "LINSERT l BEFORE b x",
    "LSET l 1 a-value-that-is-longer-than-the-one-before-it",
    "LMOVE l new LEFT RIGHT",
    "LMOVE l l LEFT RIGHT",
    "RPOPLPUSH l new",
    "LPOP l 2",
    "LREM l 0 a",
    "LTRIM l 1 2",
    "LMPOP 2 new l LEFT COUNT 2",
    "HSET h a 5",
    "HSET h a 5 b 6 d 7",
    "HSET h a 1 b 2 e 3 f 4 g 5 h 6 i 7",
    "HSET hl a 5 f 6 g 7 b 8",
    "HSET new a 1 b 2 c 3 d 4 e 5 f 6",
    "HSETNX h d 1",
    "HSETNX new d 1",
    "HINCRBY h a 100000",
    "HINCRBYFLOAT h new 1.5",
    "HDEL hl a b",
    "HEXPIRE h 100 FIELDS 2 a b",
    "HEXPIRE hl 100 FIELDS 3 a b c",
    "HPERSIST he FIELDS 2 a b",
    "HGETDEL he FIELDS 2 a b",
    "HGETEX he PX 5000 FIELDS 3 a b c",
    "HSETEX he PX 5000 FIELDS 3 a 1 b 2 d 3",
    "HSETEX new EX 5 FIELDS 2 a 1 b 2",
    "SADD si 4 5",
    "SADD si a b",
    "SADD sl d 5 e",
    "SADD st i j k",
    "SADD new a b c d e",
    "SADD new 1 2 3",
    "SMOVE sl st b",
    "SMOVE sl new b",
    "SPOP st 3",
    "SPOP sl",
    "SREM st a b",
    "SINTERSTORE new sl st",
    "SUNIONSTORE s sl st si",
    "SDIFFSTORE sl st sl",
    "ZADD zl 4 d 5 e",
    "ZADD zl 9 a 8 b 7 c",
    "ZADD zs 9 a 8 g 7 h 6 i",
    "ZADD new 1 a 2 b 3 c 4 d 5 e",
    "ZINCRBY zs 5 a",
    "ZINCRBY new 5 a",
    "ZREM zs a b",
    "ZPOPMIN zs 2",
    "ZREMRANGEBYRANK zs 0 2",
    "ZUNIONSTORE new 2 zl zs",
    "ZINTERSTORE zl 2 zl zs",
    "ZDIFFSTORE s 2 zs zl",
    "ZRANGESTORE new zs 0 -1",
    "GEOADD geo 1 1 a 2 2 b",
    "GEOSEARCHSTORE new geo FROMMEMBER palermo BYRADIUS 500 KM",
    "PFADD p d e f",
    "PFADD new d e f",
    "PFMERGE new p",
    "PFCOUNT p",
    "XADD x 2-1 a 1 b 2",
    "XADD x MAXLEN 1 2-1 a 1",
    "XADD new * a 1",
    "XDEL x 1-1 1-2",
    "XTRIM x MAXLEN 1",
    "XSETID x 5-5",
    "XGROUP CREATE x other 0",
    "XGROUP CREATE new other $ MKSTREAM",
    "XGROUP CREATECONSUMER x g d",
    "XGROUP DELCONSUMER x g c",
    "XGROUP SETID x g 0",
    "XREADGROUP GROUP g d STREAMS x >",
    "XREADGROUP GROUP g c STREAMS x 0",
    "XACK x g 1-1",
    "XCLAIM x g d 0 1-1 1-2",
    "XCLAIM x g d 0 1-3 FORCE",
    "XAUTOCLAIM x g d 0 0",
    "XDELEX x IDS 2 1-1 1-2",
    "XACKDEL x g IDS 1 1-1",
};

static struct run_server server, again;
static struct run_client client;
static struct effect_log effects;

static void open_server(struct run_server *opened, bool large)
{
    run_server_init(opened);
    if (large) {
        struct value_limits *limits = run_limits(opened);
        atomic_store(&limits->list_max_listpack_size, 3);
        atomic_store(&limits->hash_max_listpack_entries, 4);
        atomic_store(&limits->set_max_intset_entries, 3);
        atomic_store(&limits->set_max_listpack_entries, 5);
        atomic_store(&limits->zset_max_listpack_entries, 4);
        atomic_store(&limits->stream_node_max_entries, 2);
    }
}

/* The data and nothing else, with a new client: a server is emptied and used again, for making
 * one costs more than what is done in it. */
static void fill(struct run_server *filled)
{
    run_client_init(&client, filled);
    RUN_LINE(&client, "FLUSHALL SYNC");
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        struct bytes reply = RUN_LINE(&client, data[i]);
        CHECK(reply.at[0] != '-');
    }
}

/* What was told, done again with all the memory there is, comes to what there is now. */
static void check_told(void)
{
    struct run_client kept = client;
    fill(&again);
    effect_log_check(&effects, &server, &again);
    run_client_release(&client);
    client = kept;
}

/* Runs a write whose n-th request for memory fails; true when it went without that one. */
static bool runs_without(const char *line, long n)
{
    fill(&server);
    effect_log_init(&effects, &server);
    mem_fail_after(n);
    struct bytes reply = RUN_LINE(&client, line);
    bool all_given = mem_fail_after(0) > 0;
    bool refused = reply.len == 0 || reply.at[0] == '-';
    if (check_traces()) {
        fprintf(stderr, "%ld: %s: %.*s\n", n, line, (int)reply.len, reply.at);
    }
    if (refused) {
        CHECK_REPLY(reply, "-ERR out of memory\r\n");
        check_told();
    }
    server.engine.changes = (struct change_sink){ 0 };
    effect_log_release(&effects);
    run_client_release(&client);
    return all_given;
}

static void what_was_done_is_told_and_nothing_else(bool large)
{
    enum { MOST = 200 };
    open_server(&server, large);
    open_server(&again, large);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        long n = 1;
        while (!runs_without(writes[i], n)) {
            CHECK(++n < MOST);
        }
    }
    run_server_release(&server);
    run_server_release(&again);
}

int main(void)
{
    RUN_TEST_WITH(what_was_done_is_told_and_nothing_else, false);
    RUN_TEST_WITH(what_was_done_is_told_and_nothing_else, true);
    return check_done();
}
