/* latency.c and the histograms of stats.c: what was slow, and how long commands took. */
#include "exec/latency.h"

#include "client_fixture.h"

static void begin_watching(void)
{
    begin();
    server.engine.latency.threshold_ms = 10;
}

static void note(enum latency_event event, int64_t ms)
{
    latency_note(&server.engine.latency, event, &server.clock, ms * 1000);
}

static void the_worst_of_a_second_is_kept(void)
{
    begin_watching();
    note(LATENCY_COMMAND, 9);
    CHECK_REPLY(RUN_LINE(&client, "LATENCY LATEST"), "*0\r\n");
    note(LATENCY_COMMAND, 20);
    note(LATENCY_COMMAND, 15);
    run_advance_ms(&server, 2000);
    note(LATENCY_COMMAND, 11);
    CHECK_REPLY(RUN_LINE(&client, "LATENCY HISTORY command"),
                "*2\r\n*2\r\n:1700000000\r\n:20\r\n*2\r\n:1700000002\r\n:11\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LATENCY LATEST"),
                "*1\r\n*4\r\n$7\r\ncommand\r\n:1700000002\r\n:11\r\n:20\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LATENCY RESET command command"), ":1\r\n");
    CHECK_REPLY(RUN_LINE(&client, "LATENCY HISTORY command"), "*0\r\n");
    end();
}

static void the_oldest_samples_give_way(void)
{
    struct latency_series series;
    begin_watching();
    for (int i = 0; i < LATENCY_SAMPLES + 10; i++) {
        note(LATENCY_EXPIRE_CYCLE, 10 + i);
        run_advance_ms(&server, 1000);
    }
    latency_read(&server.engine.latency, LATENCY_EXPIRE_CYCLE, &series);
    CHECK_INT(series.count, LATENCY_SAMPLES);
    CHECK_INT(series.samples[0].ms, 20);
    CHECK_INT(series.samples[LATENCY_SAMPLES - 1].ms, 10 + LATENCY_SAMPLES + 9);
    CHECK_INT(series.max_ms, 10 + LATENCY_SAMPLES + 9);
    struct bytes graph = RUN_LINE(&client, "LATENCY GRAPH expire-cycle");
    CHECK(graph.at[0] == '$');
    CHECK(bytes_match_glob(LIT("*expire-cycle - high 179 ms, low 100 ms*"), graph, false));
    end();
}

static void no_threshold_notes_nothing(void)
{
    begin_watching();
    server.engine.latency.threshold_ms = 0;
    note(LATENCY_COMMAND, 10000);
    CHECK_REPLY(RUN_LINE(&client, "LATENCY RESET"), ":0\r\n");
    end();
}

/* Buckets follow each other without a gap, and a time is in the one that begins at or before it. */
static void every_time_has_its_bucket(void)
{
    unsigned previous = 0;
    CHECK_INT(latency_bucket(0), 0);
    CHECK(latency_bucket(INT64_MAX) < LATENCY_BUCKETS);
    for (uint64_t ticks = 1; ticks < UINT64_C(1) << 23; ticks += 1 + ticks / 64) {
        unsigned bucket = latency_bucket(ticks);
        CHECK(bucket >= previous);
        CHECK(latency_bucket_begin(bucket) <= (double)(ticks | 1));
        CHECK(latency_bucket_begin(bucket + 1) > (double)ticks);
        previous = bucket;
    }
}

static void calls_of_all_threads_are_added_up(void)
{
    static struct executor other;
    struct command_totals totals;
    begin_watching();
    uint32_t ping = registry_find_name(server.engine.registry, LIT("ping"))->derived.index;
    RUN_LINE(&client, "PING");
    CHECK(executor_init(&other, &server.engine));
    struct bytes argv[] = { LIT("PING") };
    for (int i = 0; i < 3; i++) {
        reply_clear(&client.reply);
        executor_call(&other, &client.session, argv, 1, &client.reply);
    }
    engine_command_stats(&server.engine, ping, &totals);
    CHECK_INT(totals.calls, 4);
    executor_release(&other);
    engine_command_stats(&server.engine, ping, &totals);
    CHECK_INT(totals.calls, 4);
    struct bytes told = RUN_LINE(&client, "LATENCY HISTOGRAM ping");
    CHECK(bytes_match_glob(LIT("\\*2*ping*calls*:4*histogram_usec*:4\r\n"), told, false));
    RUN_LINE(&client, "CONFIG RESETSTAT");
    CHECK_REPLY(RUN_LINE(&client, "LATENCY HISTOGRAM ping"), "*0\r\n");
    end();
}

int main(void)
{
    RUN_TEST(the_worst_of_a_second_is_kept);
    RUN_TEST(the_oldest_samples_give_way);
    RUN_TEST(no_threshold_notes_nothing);
    RUN_TEST(every_time_has_its_bucket);
    RUN_TEST(calls_of_all_threads_are_added_up);
    return check_done();
}
