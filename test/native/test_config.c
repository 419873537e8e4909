/* The configuration: what each kind of directive takes, all-or-nothing sets, the copies that
 * threads read, and the file that CONFIG REWRITE leaves. */
#include "run.h"

#include "base/mem.h"
#include "net/net.h"
#include "server/config.h"

static struct config config;

static void expect_text(const char *name, const char *expected)
{
    struct buf text = { 0 };
    CHECK(config_text(&config, name, &text));
    CHECK_BYTES(buf_bytes(&text), bytes_of(expected));
    buf_release(&text);
}

static void expect_raw(const char *name, const char *expected)
{
    struct buf text = { 0 };
    config_string(&config, name, &text);
    CHECK_BYTES(buf_bytes(&text), bytes_of(expected));
    buf_release(&text);
}

static void start_with(const char *name, const char *value)
{
    struct rln_error error;
    bool fine = config_set_initial(&config, name, value, &error);
    if (!fine) {
        printf("%s\n", error.text);
    }
    CHECK(fine);
}

static void start_refuses(const char *name, const char *value, const char *text)
{
    struct rln_error error;
    CHECK(!config_set_initial(&config, name, value, &error));
    CHECK_BYTES(bytes_of(error.code), LIT("BAD_DIRECTIVE"));
    CHECK_BYTES(bytes_of(error.text), bytes_of(text));
}

/* CONFIG SET of up to two pairs; 'expected' is the error line, "" for success. */
static void set_gives(const char *name, const char *value, const char *name2, const char *value2,
                      const char *expected)
{
    struct bytes pairs[4] = { bytes_of(name), bytes_of(value) };
    uint32_t count = 2;
    struct buf error = { 0 };
    if (name2 != NULL) {
        pairs[2] = bytes_of(name2);
        pairs[3] = bytes_of(value2);
        count = 4;
    }
    CHECK_INT(config_set_many(&config, pairs, count, &error), expected[0] == '\0');
    CHECK_BYTES(buf_bytes(&error), bytes_of(expected));
    buf_release(&error);
}

static void every_default_is_one_that_its_row_takes(void)
{
    size_t count;
    const struct rln_directive *rows = rln_directives(&count);
    config_init(&config);
    CHECK(count > 100);
    for (size_t i = 0; i < count; i++) {
        struct rln_error error;
        const char *fallback = rows[i].fallback[0] == '\0' ? "\"\"" : rows[i].fallback;
        struct buf quoted = { 0 };
        if (rows[i].kind == RLN_DIRECTIVE_STRING && strchr(fallback, ' ') != NULL) {
            buf_printf(&quoted, "\"%s\"", fallback);
        } else {
            buf_printf(&quoted, "%s", fallback);
        }
        buf_append_char(&quoted, '\0');
        CHECK(config_set_initial(&config, rows[i].name, quoted.at, &error));
        CHECK(rows[i].summary != NULL && rows[i].summary[0] != '\0');
        CHECK((rows[i].kind == RLN_DIRECTIVE_ENUM) == (rows[i].choices != NULL));
        buf_release(&quoted);
    }
    config_release(&config);
}

static void directives_of_the_start_are_read_as_redis_conf_writes_them(void)
{
    config_init(&config);
    start_with("port", "7777");
    start_with("maxmemory", "2mb");
    start_with("MAXMEMORY-policy", "ALLKEYS-LRU");
    start_with("requirepass", "\"a b\\\"c\"");
    start_with("bind", "127.0.0.1   -::1");
    start_with("slave-priority", "100");
    start_with("unixsocketperm", "0700");
    start_with("client-output-buffer-limit", "pubsub 1mb 2mb 60");
    start_with("client-output-buffer-limit", "normal 1gb 0 0");
    CHECK_INT(config_number(&config, "port"), 7777);
    CHECK_INT(config_number(&config, "maxmemory"), 2 << 20);
    CHECK_BYTES(bytes_of(config_choice(&config, "maxmemory-policy")), LIT("allkeys-lru"));
    CHECK_INT(config_number(&config, "unixsocketperm"), 0700);
    expect_raw("requirepass", "a b\"c");
    expect_text("requirepass", "\"a b\\\"c\"");
    expect_text("bind", "127.0.0.1 -::1");
    expect_text("maxmemory", "2mb");
    expect_text("unixsocket", "\"\"");
    expect_text("client-output-buffer-limit",
                "normal 1gb 0 0 replica 256mb 64mb 60 pubsub 1mb 2mb 60");
    config_release(&config);
}

static void a_bad_start_says_what_was_expected(void)
{
    config_init(&config);
    start_refuses("prot", "1", "Unknown directive 'prot'.");
    start_refuses("port", "70000",
                  "Directive 'port' can't be '70000': argument must be between 0 and 65535 "
                  "inclusive.");
    start_refuses("port", "1 2", "Directive 'port' takes one value, got '1 2'.");
    start_refuses("port", "", "Directive 'port' takes one value, got ''.");
    start_refuses("bind", "", "Directive 'bind' takes one or more words, got ''.");
    start_refuses("requirepass", "\"open",
                  "Directive 'requirepass' takes one value, got '\"open'.");
    start_refuses("appendonly", "yes",
                  "Directive 'appendonly' can't be 'yes': this server has no such feature; only "
                  "the default 'no' is accepted.");
    start_refuses("io-model", "threads",
                  "Directive 'io-model' can't be 'threads': argument(s) must be one of the "
                  "following: events, blocking.");
    start_refuses("unixsocketperm", "9",
                  "Directive 'unixsocketperm' can't be '9': argument couldn't be parsed as an "
                  "octal number.");
    config_release(&config);
}

#define FAILED(name, reason)                                                                       \
    "ERR CONFIG SET failed (possibly related to argument '" name "') - " reason

static void a_set_is_all_or_nothing(void)
{
    config_init(&config);
    set_gives("timeout", "5", "hz", "x",
              FAILED("hz", "argument couldn't be parsed into an integer"));
    CHECK_INT(config_number(&config, "timeout"), 0);
    set_gives("timeout", "5", "nope", "1",
              "ERR Unknown option or number of arguments for CONFIG SET - 'nope'");
    set_gives("timeout", "5", "Timeout", "6", FAILED("timeout", "duplicate parameter"));
    set_gives("timeout", "5", "port", "1", FAILED("port", "can't set immutable config"));
    set_gives("dir", "/", NULL, NULL, FAILED("dir", "can't set protected config"));
    set_gives(
        "slowlog-max-len", "-1", NULL, NULL,
        FAILED("slowlog-max-len", "argument must be between 0 and 9223372036854775807 inclusive"));
    set_gives("slave-priority", "x", NULL, NULL,
              FAILED("slave-priority", "argument couldn't be parsed into an integer"));
    set_gives(
        "appendonly", "yes", NULL, NULL,
        FAILED("appendonly", "this server has no such feature; only the default 'no' is accepted"));
    set_gives("timeout", "5", "hz", "999", "");
    CHECK_INT(config_number(&config, "timeout"), 5);
    CHECK_INT(config_number(&config, "hz"), 500);
    config_release(&config);
}

struct hooked {
    int accepted, changed;
};

static bool accept_but_maxclients(void *user, const char *name, struct bytes value,
                                  struct rln_error *error)
{
    (void)value;
    ((struct hooked *)user)->accepted++;
    snprintf(error->text, sizeof error->text, "too many");
    return strcmp(name, "maxclients") != 0;
}

static void note_change(void *user, const char *name, struct bytes value)
{
    CHECK_BYTES(bytes_of(name), LIT("timeout"));
    CHECK_BYTES(value, LIT("9"));
    ((struct hooked *)user)->changed++;
}

static void the_owner_may_refuse_and_hears_of_changes(void)
{
    struct hooked hooked = { 0, 0 };
    config_init(&config);
    config.hooks = (struct config_hooks){ accept_but_maxclients, note_change, &hooked };
    set_gives("timeout", "9", "maxclients", "5", FAILED("maxclients", "too many"));
    CHECK_INT(config_number(&config, "timeout"), 0);
    CHECK_INT(hooked.changed, 0);
    set_gives("timeout", "9", "hz", "10", "");
    CHECK_INT(hooked.changed, 1);
    CHECK_INT(hooked.accepted, 3);
    config_release(&config);
}

static void hot_values_are_written_through(void)
{
    static struct run_server server;
    static struct net_settings net;
    run_server_init(&server);
    config_init(&config);
    start_with("maxclients", "77");
    config_attach(&config, &server.engine, &net);
    CHECK_INT(net.maxclients, 77);
    CHECK_INT(net.query_buffer_limit, 1 << 30);
    CHECK(config.live.guarded);
    set_gives("requirepass", "secret", "maxmemory", "1mb", "");
    CHECK(server.engine.settings.password_needed);
    CHECK(!server.engine.acl.open);
    CHECK_INT(server.engine.settings.maxmemory, 1 << 20);
    set_gives("client-output-buffer-limit", "normal 1kb 512 3", "lazyfree-lazy-user-flush", "yes",
              "");
    CHECK_INT(net.output_hard_limit, 1024);
    CHECK_INT(net.output_soft_limit, 512);
    CHECK_INT(net.output_soft_seconds, 3);
    CHECK(server.engine.settings.lazy_user_flush);
    CHECK(acl_authenticate(&server.engine.acl, LIT("default"), LIT("secret")) != NULL);
    CHECK(acl_authenticate(&server.engine.acl, LIT("default"), LIT("secre")) == NULL);
    CHECK(acl_authenticate(&server.engine.acl, LIT("default"), LIT("")) == NULL);
    CHECK(acl_authenticate(&server.engine.acl, LIT("other"), LIT("secret")) == NULL);
    set_gives("acllog-max-len", "7", "acl-pubsub-default", "allchannels", "");
    CHECK_INT(server.engine.acl.log_max_len, 7);
    CHECK(server.engine.acl.all_channels);
    config_detach(&config);
    config_release(&config);
    run_server_release(&server);
}

static void list_one(void *user, struct bytes name, struct bytes value)
{
    struct buf *text = user;
    buf_printf(text, "%.*s=%.*s;", (int)name.len, name.at, (int)value.len, value.at);
}

static void expect_get(struct bytes one, struct bytes two, const char *expected)
{
    struct bytes patterns[] = { one, two };
    struct buf text = { 0 };
    config_get(&config, patterns, two.len > 0 ? 2 : 1, list_one, &text);
    CHECK_BYTES(buf_bytes(&text), bytes_of(expected));
    buf_release(&text);
}

static void a_get_takes_globs_and_aliases_and_tells_each_once(void)
{
    config_init(&config);
    expect_get(LIT("HZ"), LIT("h?"), "HZ=10;");
    expect_get(LIT("nothing"), LIT(""), "");
    expect_get(LIT("slave-prio*"), LIT("replica-priority"),
               "replica-priority=100;slave-priority=100;");
    expect_get(LIT("client-output-buffer-limit"), LIT(""),
               "client-output-buffer-limit=normal 0 0 0 slave 268435456 67108864 60 pubsub "
               "33554432 8388608 60;");
    config_release(&config);
}

static void a_rewrite_keeps_comments_and_order(void)
{
    static const char before[] = "# first\nport 6379\n\n  TIMEOUT 3\nunknown-thing 1\n"
                                 "client-output-buffer-limit normal 1 2 3\n"
                                 "client-output-buffer-limit pubsub 1 2 3\ntimeout 4\n# last\n";
    static const char after[] = "# first\nport 6379\n\ntimeout 9\nunknown-thing 1\n"
                                "client-output-buffer-limit normal 0 0 0\n"
                                "client-output-buffer-limit replica 256mb 64mb 60\n"
                                "client-output-buffer-limit pubsub 32mb 8mb 60\n# last\n"
                                "# Generated by CONFIG REWRITE\nmaxmemory 3gb\n";
    char path[] = "/tmp/rln-config-XXXXXX";
    char text[1024];
    struct buf error = { 0 };

    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, before, sizeof before - 1) == (ssize_t)sizeof before - 1);
    close(fd);
    config_init(&config);
    CHECK(!config_rewrite(&config, &error));
    CHECK_BYTES(buf_bytes(&error), LIT("ERR The server is running without a config file"));
    config_set_file(&config, path);
    set_gives("timeout", "9", "maxmemory", "3gb", "");
    for (int round = 0; round < 2; round++) { /* The second finds all in place. */
        CHECK(config_rewrite(&config, &error));
        FILE *file = fopen(path, "r");
        CHECK(file != NULL);
        size_t len = fread(text, 1, sizeof text, file);
        fclose(file);
        CHECK_BYTES(((struct bytes){ text, len }), bytes_of(after));
    }
    unlink(path);
    config_set_file(&config, "/nonexistent-folder/redis.conf");
    error.len = 0;
    CHECK(!config_rewrite(&config, &error));
    CHECK_BYTES(buf_bytes(&error), LIT("ERR Rewriting config file: No such file or directory"));
    buf_release(&error);
    config_release(&config);
}

/* What a file of one line becomes. */
static void expect_rewritten(const char *path, const char *before, const char *after)
{
    char text[1024];
    struct buf error = { 0 };
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs(before, file);
    fclose(file);
    CHECK(config_rewrite(&config, &error));
    file = fopen(path, "r");
    CHECK(file != NULL);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    CHECK_BYTES(((struct bytes){ text, len }), bytes_of(after));
    buf_release(&error);
}

static void a_rewrite_tells_the_users_of_now(void)
{
    static struct run_server server;
    static struct net_settings net;
    char path[] = "/tmp/rln-config-XXXXXX";
    struct buf error = { 0 };
    struct bytes rules[] = { LIT("on"), LIT("+get") };

    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    run_server_init(&server);
    config_init(&config);
    config_attach(&config, &server.engine, &net);
    config_set_file(&config, path);
    /* "default" alone, with or without requirepass, needs no line. */
    expect_rewritten(path, "port 6379\n", "port 6379\n");
    set_gives("requirepass", "x", "timeout", "0", "");
    expect_rewritten(path, "port 6379\n",
                     "port 6379\n# Generated by CONFIG REWRITE\nrequirepass x\n");
    set_gives("requirepass", "", "timeout", "0", "");
    CHECK(acl_set(&server.engine, NULL, LIT("amy"), rules, 2, &error));
    expect_rewritten(path, "user old on\nport 6379\nuser older on\n",
                     "user amy on resetchannels -@all +get\n"
                     "user default on nopass ~* &* +@all\nport 6379\n");
    expect_rewritten(path, "port 6379\n",
                     "port 6379\n# Generated by CONFIG REWRITE\n"
                     "user amy on resetchannels -@all +get\n"
                     "user default on nopass ~* &* +@all\n");
    unlink(path);
    buf_release(&error);
    config_detach(&config);
    config_release(&config);
    run_server_release(&server);
}

int main(void)
{
    RUN_TEST(every_default_is_one_that_its_row_takes);
    RUN_TEST(directives_of_the_start_are_read_as_redis_conf_writes_them);
    RUN_TEST(a_bad_start_says_what_was_expected);
    RUN_TEST(a_set_is_all_or_nothing);
    RUN_TEST(the_owner_may_refuse_and_hears_of_changes);
    RUN_TEST(hot_values_are_written_through);
    RUN_TEST(a_get_takes_globs_and_aliases_and_tells_each_once);
    RUN_TEST(a_rewrite_keeps_comments_and_order);
    RUN_TEST(a_rewrite_tells_the_users_of_now);
    return check_done();
}
