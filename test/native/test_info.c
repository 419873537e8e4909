/* INFO: which sections come, what their fields tell, and the rates behind them. */
#include "run.h"

#include "server/config.h"
#include "server/info.h"

static struct run_server server;
static struct run_client client;
static struct config config;
static struct info_meter meter;

static void tell_facts(void *user, struct info_facts *facts)
{
    (void)user;
    facts->port = 6379;
    facts->io_model = "events";
    facts->poller = "epoll";
    facts->workers = 2;
    facts->job_queue_depth = 3;
    facts->job_queue_capacity = 2048;
    facts->accepted = 5;
    facts->shutdown_in_ms = -1;
}

static const struct info_source source = {
    .engine = &server.engine,
    .config = &config,
    .meter = &meter,
    .facts = tell_facts,
};

/* The page of up to two sections, terminated; the caller releases it. */
static struct buf page(const char *one, const char *two)
{
    struct bytes names[2];
    uint32_t count = 0;
    struct buf out = { 0 };
    if (one != NULL) {
        names[count++] = bytes_of(one);
    }
    if (two != NULL) {
        names[count++] = bytes_of(two);
    }
    executor_enter(&server.executor);
    info_write(&source, &server.executor, names, count, &out);
    executor_leave(&server.executor);
    buf_append_char(&out, '\0');
    return out;
}

static void expect_headings(const char *one, const char *two, const char *expected)
{
    struct buf text = page(one, two);
    struct buf headings = { 0 };
    for (const char *at = strstr(text.at, "# "); at != NULL; at = strstr(at + 1, "# ")) {
        buf_append(&headings, (struct bytes){ at + 2, strcspn(at + 2, "\r") });
        buf_append_char(&headings, ' ');
    }
    CHECK_BYTES(buf_bytes(&headings), bytes_of(expected));
    buf_release(&headings);
    buf_release(&text);
}

static void expect_line(const char *section, const char *line)
{
    struct buf text = page(section, NULL);
    if (strstr(text.at, line) == NULL) {
        printf("no \"%s\" in:\n%s\n", line, text.at);
    }
    CHECK(strstr(text.at, line) != NULL);
    buf_release(&text);
}

static void sections_come_once_and_in_order(void)
{
    static const char usual[] = "Server Clients Memory Persistence Stats Replication CPU Modules "
                                "Errorstats Cluster Keyspace ";
    static const char every[] = "Server Clients Memory Persistence Stats Replication CPU Modules "
                                "Commandstats Errorstats Latencystats Cluster Keyspace ";
    expect_headings(NULL, NULL, usual);
    expect_headings("default", NULL, usual);
    expect_headings("ALL", NULL, every);
    expect_headings("everything", "server", every);
    expect_headings("keyspace", "CPU", "CPU Keyspace ");
    expect_headings("server", "server", "Server ");
    expect_headings("default", "commandstats",
                    "Server Clients Memory Persistence Stats Replication CPU Modules "
                    "Commandstats Errorstats Cluster Keyspace ");
    expect_headings("nothing", NULL, "");
}

static void fields_tell_what_happened(void)
{
    CHECK_REPLY(RUN_LINE(&client, "SET k v PX 50000"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SELECT 3"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "SET k v"), "+OK\r\n");
    CHECK_REPLY(RUN_LINE(&client, "GET"), "-ERR wrong number of arguments for 'get' command\r\n");
    CHECK_REPLY(RUN_LINE(&client, "INCR k"), "-ERR value is not an integer or out of range\r\n");
    expect_line("server", "\r\nredis_version:" REDIS_COMPAT_VERSION "\r\n");
    expect_line("server", "\r\njob_queue_depth:3\r\njob_queue_capacity:2048\r\n");
    expect_line("server", "\r\nio_model:events\r\nworkers:2\r\n");
    expect_line("clients", "\r\nmaxclients:10000\r\n");
    expect_line("memory", "\r\nmaxmemory_policy:noeviction\r\n");
    expect_line("stats", "\r\ntotal_connections_received:5\r\ntotal_commands_processed:4\r\n");
    expect_line("stats", "\r\ntotal_error_replies:2\r\n");
    expect_line("commandstats", "\r\ncmdstat_set:calls=2,usec=");
    expect_line("commandstats", "rejected_calls=1,failed_calls=0\r\n");
    expect_line("commandstats", "rejected_calls=0,failed_calls=1\r\n");
    expect_line("errorstats", "\r\nerrorstat_ERR:count=2\r\n");
    expect_line("keyspace", "# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=");
    expect_line("keyspace", "\r\ndb3:keys=1,expires=0,avg_ttl=0\r\n");
}

static void rates_are_the_mean_of_the_samples(void)
{
    struct info_meter own = { .sampled_us = 0 };
    info_meter_sample(&own, &server.engine);
    for (int i = 0; i < INFO_SAMPLES; i++) {
        run_advance_ms(&server, 100);
        for (int j = 0; j < 5; j++) {
            (void)RUN_LINE(&client, "PING");
        }
        info_meter_sample(&own, &server.engine);
    }
    CHECK_INT(own.commands.mean, 50);
    for (int i = 0; i < INFO_SAMPLES; i++) {
        run_advance_ms(&server, 100);
        info_meter_sample(&own, &server.engine);
    }
    CHECK_INT(own.commands.mean, 0);
    CHECK(own.peak_memory > 0);
}

int main(void)
{
    run_server_init(&server);
    run_client_init(&client, &server);
    config_init(&config);
    RUN_TEST(sections_come_once_and_in_order);
    RUN_TEST(fields_tell_what_happened);
    RUN_TEST(rates_are_the_mean_of_the_samples);
    config_release(&config);
    run_client_release(&client);
    run_server_release(&server);
    return check_done();
}
