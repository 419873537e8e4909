/* DEBUG: digests of data, and what else tests look at. */
#include <stdio.h>

#include "run.h"
#include "store/value.h"

static struct run_server server, other;
static struct run_client client, twin;

static void begin(void)
{
    run_server_init(&server);
    run_server_init(&other);
    server.engine.settings.debug_command = ACCESS_YES;
    other.engine.settings.debug_command = ACCESS_YES;
    run_client_init(&client, &server);
    run_client_init(&twin, &other);
}

static void end(void)
{
    run_client_release(&client);
    run_client_release(&twin);
    run_server_release(&server);
    run_server_release(&other);
}

enum { DIGEST_REPLY = 43 };

static void keep_digest(struct run_client *of, char *out)
{
    struct bytes reply = RUN_LINE(of, "DEBUG DIGEST");
    CHECK_INT(reply.len, DIGEST_REPLY);
    memcpy(out, reply.at, DIGEST_REPLY);
}

static bool same_data(void)
{
    char ours[DIGEST_REPLY], theirs[DIGEST_REPLY];
    keep_digest(&client, ours);
    keep_digest(&twin, theirs);
    return memcmp(ours, theirs, DIGEST_REPLY) == 0;
}

static void nothing_has_the_digest_of_zeros(void)
{
    begin();
    CHECK_REPLY(RUN_LINE(&client, "DEBUG DIGEST"), "+0000000000000000000000000000000000000000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG DIGEST-VALUE nope"),
                "*1\r\n+0000000000000000000000000000000000000000\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG DIGEST-VALUE"), "*0\r\n");
    end();
}

static void the_order_of_keys_does_not_matter(void)
{
    enum { KEYS = 3000 };
    char name[32];
    begin();
    for (int i = 0; i < KEYS; i++) {
        int len = snprintf(name, sizeof name, "key:%d", i);
        RUN(&client, LIT("SET"), ((struct bytes){ name, (size_t)len }), LIT("v"));
        len = snprintf(name, sizeof name, "key:%d", KEYS - 1 - i);
        RUN(&twin, LIT("SET"), ((struct bytes){ name, (size_t)len }), LIT("v"));
    }
    CHECK(same_data());
    RUN_LINE(&twin, "SET key:7 w");
    CHECK(!same_data());
    RUN_LINE(&twin, "SET key:7 v");
    CHECK(same_data());
    RUN_LINE(&twin, "PEXPIRE key:7 100000");
    CHECK(!same_data());
    RUN_LINE(&client, "PEXPIRE key:7 200000");
    CHECK(same_data());
    RUN_LINE(&client, "MOVE key:8 1");
    CHECK(!same_data());
    end();
}

/* Each pair of lines makes the same value, in another order or another encoding. */
static void the_way_to_a_value_does_not_matter(void)
{
    static const char *const ways[][2] = {
        { "RPUSH k a b 3", "LPUSH k 3 b a" },   { "SADD k a b 3", "SADD k 3 b a" },
        { "HSET k a 1 b 2", "HSET k b 2 a 1" }, { "ZADD k 1 a 2 b", "ZADD k 2 b 1 a" },
        { "XADD k 1-1 f v", "XADD k 1-1 f v" }, { "SET k 12", "APPEND k 12" },
    };
    static const char *const others[] = { "RPUSH k a 3 b",  "SADD k a b",     "HSET k a 2 b 1",
                                          "ZADD k 1 a 3 b", "XADD k 1-2 f v", "SET k 13" };
    begin();
    atomic_store(&run_limits(&other)->set_max_listpack_entries, 0);
    atomic_store(&run_limits(&other)->hash_max_listpack_entries, 0);
    atomic_store(&run_limits(&other)->zset_max_listpack_entries, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        RUN_LINE(&client, "DEL k");
        RUN_LINE(&twin, "DEL k");
        RUN_LINE(&client, ways[i][0]);
        RUN_LINE(&twin, ways[i][1]);
        CHECK(same_data());
        RUN_LINE(&twin, "DEL k");
        RUN_LINE(&twin, others[i]);
        CHECK(!same_data());
    }
    end();
}

static void the_replication_id_can_change(void)
{
    char before[sizeof server.engine.replication_id];
    begin();
    memcpy(before, server.engine.replication_id, sizeof before);
    CHECK_REPLY(RUN_LINE(&client, "DEBUG CHANGE-REPL-ID"), "+OK\r\n");
    CHECK(memcmp(before, server.engine.replication_id, sizeof before) != 0);
    end();
}

static void strings_are_measured(void)
{
    begin();
    RUN_LINE(&client, "SET key value");
    RUN_LINE(&client, "RPUSH list a");
    CHECK(bytes_match_glob(LIT("+key_sds_len:3,*val_sds_len:5,*"),
                           RUN_LINE(&client, "DEBUG SDSLEN key"), false));
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SDSLEN list"), "-ERR Not an sds encoded string.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SDSLEN nope"), "-ERR no such key\r\n");
    CHECK(bytes_match_glob(LIT("+bits:64 *"), RUN_LINE(&client, "DEBUG STRUCTSIZE"), false));
    end();
}

static void payloads_with_a_wrong_checksum_are_taken_when_told_so(void)
{
    static const char payload[] = "\x00\x05hello\x0a\x00"
                                  "checksum";
    struct bytes wrong = { payload, sizeof payload - 1 };
    static const char *const bad = "-ERR DUMP payload version or checksum are wrong\r\n";
    begin();
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), wrong), bad);
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1"), "+OK\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("k"), LIT("0"), wrong), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$5\r\nhello\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("l"), LIT("0"),
                    LIT("\x01\x05\x0a\x00"
                        "checksum")),
                "-ERR Bad data format\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SET-SKIP-CHECKSUM-VALIDATION no"), "+OK\r\n");
    CHECK_REPLY(RUN(&client, LIT("RESTORE"), LIT("l"), LIT("0"), wrong), bad);
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SET-SKIP-CHECKSUM-VALIDATION"),
                "-ERR unknown subcommand or wrong number of arguments for "
                "'SET-SKIP-CHECKSUM-VALIDATION'. Try DEBUG HELP.\r\n");
    end();
}

int main(void)
{
    RUN_TEST(nothing_has_the_digest_of_zeros);
    RUN_TEST(the_order_of_keys_does_not_matter);
    RUN_TEST(the_way_to_a_value_does_not_matter);
    RUN_TEST(the_replication_id_can_change);
    RUN_TEST(strings_are_measured);
    RUN_TEST(payloads_with_a_wrong_checksum_are_taken_when_told_so);
    return check_done();
}
