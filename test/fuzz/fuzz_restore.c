/* RESTORE.  Whatever the bytes of a payload (its footer is made to fit): it is refused and
 * nothing is there, or the key holds a value that its type's commands can read and change, and
 * whose own payload gives the same value again.  The first byte picks the commands. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* A check that fails makes an input that fails. */
#define _exit(status) abort()

#include "base/crc64.h"
#include "base/mem.h"
#include "values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct run_server server;
static struct run_client client;

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Restores 'body' to a key; the reply is borrowed until the next command. */
static struct bytes restore(struct bytes key, struct bytes body)
{
    struct buf payload = { 0 };
    buf_append(&payload, body);
    buf_append(&payload, LIT("\14\0"));
    uint64_t sum = crc64(0, buf_bytes(&payload));
    for (unsigned i = 0; i < 8; i++) {
        buf_append_char(&payload, (char)(sum >> (8 * i)));
    }
    struct bytes reply =
        RUN(&client, LIT("RESTORE"), key, LIT("0"), buf_bytes(&payload), LIT("REPLACE"));
    buf_release(&payload);
    return reply;
}

/* A copy of "a" by its payload; false when nothing is left of it (fields that have ended). */
static bool copy_to(struct bytes key)
{
    struct buf payload = { 0 };
    struct bytes reply = RUN(&client, LIT("DUMP"), LIT("a"));
    if (reply.at[1] == '-') {
        return false;
    }
    buf_append(&payload, values_next(&reply));
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), key, LIT("0"), buf_bytes(&payload), LIT("REPLACE")),
                "+OK\r\n");
    buf_release(&payload);
    return true;
}

static void change(uint8_t what)
{
    static const char *const commands[] = {
        "LPUSH a x",
        "RPUSH a 12",
        "LPOP a 2",
        "LSET a 0 y",
        "LINSERT a AFTER y z",
        "LREM a 0 x",
        "LTRIM a 1 -2",
        "SADD a 5 m",
        "SREM a 1 2 a",
        "SPOP a",
        "HSET a f v 1 2",
        "HDEL a f g",
        "HINCRBY a n 3",
        "ZADD a 3 m -1 1",
        "ZREM a a b",
        "ZPOPMAX a",
        "ZINCRBY a 2 m",
        "ZREMRANGEBYRANK a 0 1",
        "XADD a * f v g w",
        "XDEL a 1-1 0-1",
        "XTRIM a MAXLEN 3",
        "XACK a g 1-1",
        "XGROUP DESTROY a g",
        "APPEND a xyz",
        "XREADGROUP GROUP g c COUNT 2 STREAMS a >",
        "XAUTOCLAIM a g c 0 0",
        "XCLAIM a g d 0 1-1",
        "XGROUP DELCONSUMER a g c",
        "SORT a ALPHA STORE a",
        "PFADD a x y z",
        "SETRANGE a 3 abc",
        "HEXPIRE a 100 FIELDS 1 f",
    };
    enum { COMMANDS = sizeof commands / sizeof commands[0] };
    for (unsigned i = 0; i < COMMANDS; i++) {
        RUN_LINE(&client, commands[(i * 7 + what) % COMMANDS]);
    }
}

static void look(void)
{
    static const char *const commands[] = {
        "GET a",
        "LRANGE a 0 -1",
        "LLEN a",
        "LINDEX a -1",
        "SMEMBERS a",
        "SRANDMEMBER a 5",
        "HGETALL a",
        "HRANDFIELD a 3",
        "ZRANGE a 0 -1 WITHSCORES",
        "ZRANGE a -inf inf BYSCORE REV",
        "ZRANK a m",
        "XRANGE a - +",
        "XREVRANGE a + -",
        "XINFO STREAM a FULL",
        "XINFO GROUPS a",
        "XPENDING a g - + 10",
        "PFCOUNT a",
        "MEMORY USAGE a",
        "OBJECT ENCODING a",
        "DEBUG OBJECT a",
    };
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        RUN_LINE(&client, commands[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (server.engine.keyspace == NULL) {
        setenv("RLN_TEST_SEED", "1", 0);
        run_server_init(&server);
        run_client_init(&client, &server);
    }
    if (size < 1) {
        return 0;
    }
    struct bytes reply = restore(LIT("a"), (struct bytes){ (const char *)data + 1, size - 1 });
    if (reply.at[0] == '-') {
        CHECK_BYTES(reply, LIT("-ERR Bad data format\r\n"));
        CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":0\r\n");
        return 0;
    }
    look();
    (void)keyspace_expire_due(&server.executor.thread, 1000 * 1000);
    /* Once for the encoding that is right by now, and once more. */
    if (copy_to(LIT("b"))) {
        values_expect_equal(&client, LIT("a"), LIT("b"));
        RUN_LINE(&client, "RENAME b a");
        require(copy_to(LIT("b")));
        values_expect_same(&client, LIT("a"), LIT("b"));
    }
    change(data[0]);
    look();
    if (copy_to(LIT("b"))) {
        values_expect_equal(&client, LIT("a"), LIT("b"));
    }
    RUN_LINE(&client, "FLUSHALL");
    while (keyspace_background(&server.executor.thread, 1000)) {}
    return 0;
}
