/* The commands about connections and the server: HELLO, AUTH, SELECT, CLIENT, COMMAND, CONFIG,
 * DEBUG, FLUSHALL and their neighbours, without sockets. */
#include "run.h"

#include "rln.h"

static struct run_server server;
static struct run_client client, other;

/* A carrier as a socket would have it, to be listed and killed. */
static void tell_addresses(const struct session *session, struct buf *peer, struct buf *ours)
{
    buf_printf(peer, "127.0.0.1:%u", 1000 + (unsigned)session->db);
    buf_printf(ours, "127.0.0.1:6379");
}

static int tell_descriptor(const struct session *session)
{
    (void)session;
    return 7;
}

static int kills;

static void note_kill(struct session *session)
{
    (void)session;
    kills++;
}

static const struct session_carrier carrier = {
    .addresses = tell_addresses,
    .descriptor = tell_descriptor,
    .buffers = session_no_buffers,
    .kill = note_kill,
    .kind = 'N',
};

static void open_clients(void)
{
    run_client_init(&client, &server);
    memset(&other, 0, sizeof other);
    other.server = &server;
    session_init(&other.session, &server.engine, &carrier, server.now_us / 1000);
    kills = 0;
}

static void close_clients(void)
{
    run_client_release(&client);
    run_client_release(&other);
}

static void hello_chooses_the_protocol(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HELLO x"),
                "-ERR Protocol version is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HELLO 3 AUTH a"),
                "-ERR Syntax error in HELLO option 'AUTH'\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HELLO 3 AUTH nobody x"),
                "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    CHECK_INT(client.session.protocol, 2);
    struct bytes reply = RUN_LINE(&client, "HELLO 3 SETNAME me");
    static const char start[] = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n";
    CHECK(reply.len > sizeof start && memcmp(reply.at, start, sizeof start - 1) == 0);
    CHECK_INT(client.session.protocol, 3);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT GETNAME"), "$2\r\nme\r\n");
    CHECK_REPLY(RUN_LINE(&client, "RESET"), "+RESET\r\n");
    CHECK_INT(client.session.protocol, 2);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT GETNAME"), "$-1\r\n");
    close_clients();
}

static void a_password_keeps_everybody_out_who_has_not_given_it(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&other, "AUTH x"),
                "-ERR AUTH <password> called without any password configured for the default "
                "user. Are you sure your configuration is correct?\r\n");
    acl_set_password(&server.engine, LIT("secret"));
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "$-1\r\n"); /* It was let in before. */
    CHECK_REPLY(RUN_LINE(&other, "RESET"), "+RESET\r\n");
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "-NOAUTH Authentication required.\r\n");
    struct bytes reply = RUN_LINE(&other, "HELLO 3");
    CHECK(reply.len > 13 && memcmp(reply.at, "-NOAUTH HELLO", 13) == 0);
    CHECK_REPLY(RUN_LINE(&other, "AUTH a b c"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&other, "AUTH someone secret"),
                "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    CHECK_REPLY(RUN_LINE(&other, "AUTH default secret"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&other, "RESET"), "+RESET\r\n");
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "-NOAUTH Authentication required.\r\n");
    acl_set_password(&server.engine, LIT(""));
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "$-1\r\n");
    close_clients();
}

static void select_and_quit_check_what_they_get(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "SELECT -1"), "-ERR DB index is out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT 16"), "-ERR DB index is out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT one"),
                "-ERR value is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT 99999999999"),
                "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT 15"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "PING a b"),
                "-ERR wrong number of arguments for 'ping' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "ECHO a"), "$1\r\na\r\n");
    CHECK_REPLY(RUN_LINE(&other, "QUIT now please"), "+OK\r\n");
    CHECK((other.session.flags & SESSION_CLOSE_AFTER_REPLY) != 0);
    CHECK_INT(other.session.close_reason, RLN_CLOSE_QUIT);
    close_clients();
}

static void names_of_clients_are_kept_printable(void)
{
    open_clients();
    CHECK_REPLY(RUN(&client, LIT("CLIENT"), LIT("SETNAME"), LIT("a b")),
                "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
    CHECK_REPLY(RUN(&client, LIT("CLIENT"), LIT("SETINFO"), LIT("lib-ver"), LIT("1\n2")),
                "-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT SETINFO lib-color red"),
                "-ERR Unrecognized option 'lib-color'\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT SETINFO LIB-NAME redis-lib"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT SETNAME worker-1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT GETNAME"), "$8\r\nworker-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT SETNAME ''"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT GETNAME"), "$-1\r\n");
    close_clients();
}

static void replies_can_be_switched_off(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY SKIP"), "");
    CHECK_REPLY(RUN_LINE(&client, "PING"), "");
    CHECK_REPLY(RUN_LINE(&client, "PING"), "+PONG\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY OFF"), "");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY SKIP"), "");
    CHECK_REPLY(RUN_LINE(&client, "PING"), "");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY ON"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT REPLY MAYBE"), "-ERR syntax error\r\n");
    close_clients();
}

static void kill_finds_clients_by_every_filter(void)
{
    open_clients();
    char line[64];
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL 9.9.9.9:1"), "-ERR No such client\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL ID 0"),
                "-ERR client-id should be greater than 0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL USER nobody"), "-ERR No such user 'nobody'\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL TYPE odd"), "-ERR Unknown client type 'odd'\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL TYPE pubsub"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL ADDR 127.0.0.1:1"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL LADDR 127.0.0.1:6379 ADDR 127.0.0.1:1"), ":0\r\n");
    CHECK_INT(kills, 0);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL 127.0.0.1:1000"), "+OK\r\n");
    snprintf(line, sizeof line, "CLIENT KILL ID %llu USER default TYPE normal",
             (unsigned long long)other.session.id);
    CHECK_REPLY(RUN_LINE(&client, line), ":1\r\n");
    CHECK_INT(kills, 2);
    CHECK((session_checks(&other.session) & SESSION_KILLED) != 0);
    CHECK_INT(other.session.close_reason, RLN_CLOSE_KILLED);
    close_clients();
}

static void a_client_kills_itself_only_when_it_says_so(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&other, "CLIENT KILL TYPE normal"), ":0\r\n");
    CHECK_INT(other.session.flags & SESSION_CLOSE_AFTER_REPLY, 0);
    CHECK_REPLY(RUN_LINE(&other, "CLIENT KILL TYPE normal SKIPME no"), ":1\r\n");
    CHECK((other.session.flags & SESSION_CLOSE_AFTER_REPLY) != 0);
    CHECK_INT(kills, 0);
    close_clients();
}

static void the_list_tells_of_connections_and_not_of_in_process_clients(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "CLIENT LIST TYPE replica"), "$0\r\n\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT LIST TYPE"), "-ERR syntax error\r\n");
    struct bytes reply = RUN_LINE(&client, "CLIENT LIST");
    CHECK(memmem(reply.at, reply.len, "addr=127.0.0.1:1000", 19) != NULL);
    unsigned lines = 0;
    for (size_t i = 0; i < reply.len; i++) {
        lines += i > 0 && reply.at[i] == '\n' && reply.at[i - 1] != '\r';
    }
    CHECK_INT(lines, 1);
    close_clients();
}

static void a_pause_holds_clients_back(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "CLIENT PAUSE x"),
                "-ERR timeout is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT PAUSE -1"), "-ERR timeout is negative\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT PAUSE 1 SOME"),
                "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT PAUSE 100 WRITE"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "$-1\r\n");
    CHECK_REPLY(RUN_LINE(&other, "SET k v"), "");
    CHECK((other.session.flags & SESSION_POSTPONED) != 0);
    other.session.flags &= ~(uint32_t)SESSION_POSTPONED;
    run_advance_ms(&server, 101);
    CHECK_REPLY(RUN_LINE(&other, "SET k v"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT UNPAUSE"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FLUSHALL"), "+OK\r\n");
    close_clients();
}

static void databases_are_flushed_and_swapped_whole(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "SET a 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SWAPDB 0 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET a"), "$1\r\n1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SWAPDB x 1"), "-ERR invalid first DB index\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SWAPDB 1 x"), "-ERR invalid second DB index\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SWAPDB 1 16"), "-ERR DB index is out of range\r\n");
    CHECK_REPLY(RUN_LINE(&other, "WATCH a"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "FLUSHDB"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FLUSHALL SOON"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FLUSHDB ASYNC"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET b 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FLUSHALL"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DBSIZE"), ":0\r\n");
    close_clients();
}

static void a_flush_breaks_a_watch(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "SET a 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "WATCH a"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "MULTI"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "PING"), "+QUEUED\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FLUSHALL"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "EXEC"), "*-1\r\n");
    close_clients();
}

static void command_tells_keys_and_names(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "COMMAND GETKEYS MSET a 1 b 2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND GETKEYS nosuch a b"),
                "-ERR Invalid command specified\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND GETKEYS PING a"),
                "-ERR The command has no key arguments\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND GETKEYS SET a"),
                "-ERR Invalid number of arguments specified for command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND GETKEYSANDFLAGS MSET a 1"),
                "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND LIST FILTERBY PATTERN pin*"), "*1\r\n$4\r\nping\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND LIST FILTERBY MODULE m"), "*0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND LIST FILTERBY COLOR red"), "-ERR syntax error\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND INFO nosuch"), "*1\r\n$-1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND INFO time"),
                "*1\r\n*10\r\n$4\r\ntime\r\n:1\r\n*3\r\n+loading\r\n+stale\r\n+fast\r\n:0\r\n:0\r\n"
                ":0\r\n*1\r\n+@fast\r\n*1\r\n$23\r\nnondeterministic_output\r\n*0\r\n*0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND DOCS nosuch"), "*0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "COMMAND NONSENSE"),
                "-ERR unknown subcommand 'NONSENSE'. Try COMMAND HELP.\r\n");
    close_clients();
}

static void time_is_the_clocks(void)
{
    open_clients();
    CHECK_INT(server.now_us % 1000, 0);
    char expected[64];
    snprintf(expected, sizeof expected, "*2\r\n$10\r\n%lld\r\n",
             (long long)(server.now_us / 1000000));
    struct bytes reply = RUN_LINE(&client, "TIME");
    CHECK(reply.len > strlen(expected) && memcmp(reply.at, expected, strlen(expected)) == 0);
    close_clients();
}

static void debug_is_for_those_who_may(void)
{
    static const char refused[] =
        "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
        "you can run it from a local connection, otherwise you need to set this option in the "
        "configuration file, and then restart the server.\r\n";
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SLEEP 0"), refused);
    server.engine.settings.debug_command = ACCESS_LOCAL;
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SLEEP 0"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "DEBUG SLEEP 0"), "+OK\r\n");
    server.engine.settings.debug_command = ACCESS_YES;
    CHECK_REPLY(RUN(&client, LIT("DEBUG"), LIT("ERROR"), LIT("OOPS it broke")),
                "-OOPS it broke\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG STRINGMATCH-LEN a*c abbc"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG OBJECT nokey"), "-ERR no such key\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG POPULATE 3 p 2"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET p:2"), "$2\r\nva\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG PROTOCOL map"),
                "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SEGFAULT"),
                "-ERR unknown subcommand or wrong number of arguments for 'SEGFAULT'. Try DEBUG "
                "HELP.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "DEBUG SET-ACTIVE-EXPIRE 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "FLUSHALL"), "+OK\r\n");
    server.engine.settings.debug_command = ACCESS_NO;
    close_clients();
}

static void tracking_is_off_and_its_arguments_are_checked(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "CLIENT TRACKING OFF"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT TRACKING ON"),
                "-ERR CLIENT TRACKING isn't allowed for DENY BLOCKING client\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT TRACKING ON BCAST PREFIX a PREFIX b PREFIX ab"),
                "-ERR Prefix 'a' overlaps with another provided prefix 'ab'. Prefixes for a "
                "single client must not overlap.\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT TRACKING ON REDIRECT 99999"),
                "-ERR The client ID you want redirect to does not exist\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT GETREDIR"), ":-1\r\n");
    CHECK_REPLY(
        RUN_LINE(&client, "CLIENT TRACKINGINFO"),
        "*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n"
        "*0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT UNBLOCK 5 NEVER"),
                "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT UNBLOCK 5"), ":0\r\n");
    close_clients();
}

/* Of a key that was last used 100 seconds ago, after a command: 0, or 100 still. */
static void check_idle_after(const char *line, int seconds)
{
    char expected[32];
    snprintf(expected, sizeof expected, ":%d\r\n", seconds);
    CHECK_REPLY(RUN_LINE(&other, "MSET k v counter 1"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "HSET h f v"), ":1\r\n");
    run_advance_ms(&server, 100000);
    struct bytes reply = RUN_LINE(&client, line);
    CHECK(reply.at[0] != '-');
    const char *key = strstr(line, " h") != NULL        ? "OBJECT IDLETIME h"
                      : strstr(line, "counter") != NULL ? "OBJECT IDLETIME counter"
                                                        : "OBJECT IDLETIME k";
    CHECK_REPLY(RUN_LINE(&other, key), expected);
    CHECK_REPLY(RUN_LINE(&client, key), expected);
    CHECK_REPLY(RUN_LINE(&other, "FLUSHALL"), "+OK\r\n");
}

static void no_touch_keeps_a_clients_reads_from_counting_as_use(void)
{
    open_clients();
    check_idle_after("GET k", 0);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT NO-TOUCH ON"), "+OK\r\n");
    check_idle_after("GET k", 100);
    check_idle_after("STRLEN k", 100);
    check_idle_after("MGET k counter", 100);
    check_idle_after("HGETALL h", 100);
    check_idle_after("HSET h g w", 100);
    check_idle_after("COPY k other", 100); /* In the exclusive section. */
    check_idle_after("PING", 100);
    check_idle_after("TOUCH k", 0);
    check_idle_after("TOUCH h", 0);
    check_idle_after("SET k w", 0); /* A value of its own. */
    check_idle_after("SET k a-value-that-is-longer-than-the-one-before", 0);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT NO-TOUCH OFF"), "+OK\r\n");
    check_idle_after("GET k", 0);
    close_clients();
}

static void no_touch_keeps_the_counter_of_uses(void)
{
    open_clients();
    keyspace_set_lfu(server.engine.keyspace, true, 0, 1);
    CHECK_REPLY(RUN_LINE(&other, "SET k v"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "OBJECT FREQ k"), ":5\r\n");
    CHECK_REPLY(RUN_LINE(&other, "GET k"), "$1\r\nv\r\n");
    CHECK_REPLY(RUN_LINE(&other, "OBJECT FREQ k"), ":6\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT NO-TOUCH ON"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET k"), "$1\r\nv\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k w"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&other, "OBJECT FREQ k"), ":6\r\n");
    CHECK_REPLY(RUN_LINE(&client, "TOUCH k"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&other, "OBJECT FREQ k"), ":7\r\n");
    CHECK_REPLY(RUN_LINE(&other, "FLUSHALL"), "+OK\r\n");
    keyspace_set_lfu(server.engine.keyspace, false, 10, 1);
    close_clients();
}

static void kill_finds_clients_by_their_age(void)
{
    open_clients();
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL MAXAGE x"),
                "-ERR maxage is not an integer or out of range\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL MAXAGE 0"),
                "-ERR maxage should be greater than 0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL MAXAGE 10"), ":0\r\n");
    run_advance_ms(&server, 9999);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL MAXAGE 10"), ":0\r\n");
    run_advance_ms(&server, 1);
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL MAXAGE 11"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL TYPE pubsub MAXAGE 10"), ":0\r\n");
    CHECK_REPLY(RUN_LINE(&client, "CLIENT KILL TYPE normal MAXAGE 10"), ":1\r\n");
    CHECK_INT(kills, 1);
    close_clients();
}

int main(void)
{
    run_server_init(&server);
    RUN_TEST(hello_chooses_the_protocol);
    RUN_TEST(a_password_keeps_everybody_out_who_has_not_given_it);
    RUN_TEST(select_and_quit_check_what_they_get);
    RUN_TEST(names_of_clients_are_kept_printable);
    RUN_TEST(replies_can_be_switched_off);
    RUN_TEST(kill_finds_clients_by_every_filter);
    RUN_TEST(a_client_kills_itself_only_when_it_says_so);
    RUN_TEST(the_list_tells_of_connections_and_not_of_in_process_clients);
    RUN_TEST(a_pause_holds_clients_back);
    RUN_TEST(databases_are_flushed_and_swapped_whole);
    RUN_TEST(a_flush_breaks_a_watch);
    RUN_TEST(command_tells_keys_and_names);
    RUN_TEST(time_is_the_clocks);
    RUN_TEST(debug_is_for_those_who_may);
    RUN_TEST(tracking_is_off_and_its_arguments_are_checked);
    RUN_TEST(no_touch_keeps_a_clients_reads_from_counting_as_use);
    RUN_TEST(no_touch_keeps_the_counter_of_uses);
    RUN_TEST(kill_finds_clients_by_their_age);
    run_server_release(&server);
    return check_done();
}
