/* MEMORY: what keys take, and the figures and reports about the whole. */
#include "base/num.h"
#include "client_fixture.h"

/* The integer that a command replies. */
static int64_t number_of(const char *line)
{
    struct bytes reply = RUN_LINE(&client, line);
    int64_t number = -1;
    CHECK(reply.len > 3 && reply.at[0] == ':');
    CHECK(num_parse_i64((struct bytes){ reply.at + 1, reply.len - 3 }, &number));
    return number;
}

static void the_usage_of_a_key_grows_with_its_value(void)
{
    static const char *const lines[][2] = {
        { "APPEND k 0123456789012345678901234567890123456789", "MEMORY USAGE k" },
        { "RPUSH list 0123456789012345678901234567890123456789 x", "MEMORY USAGE list SAMPLES 0" },
    };
    begin();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int64_t before = 0, first = 0;
        for (int n = 0; n < 500; n++) {
            RUN_LINE(&client, lines[i][0]);
            int64_t bytes = number_of(lines[i][1]);
            CHECK(bytes >= before && bytes > 0);
            first = first == 0 ? bytes : first;
            before = bytes;
        }
        CHECK(before > first + 500 * 40 * 9 / 10);
    }
    CHECK_REPLY(RUN_LINE(&client, "MEMORY USAGE nope"), "$-1\r\n");
    end();
}

static void every_type_takes_something(void)
{
    static const char *const lines[] = { "SET k v",       "RPUSH k v",   "SADD k v",
                                         "ZADD k 1 v",    "HSET k f v",  "XADD k * f v",
                                         "PFADD k a b c", "SETBIT k 7 1" };
    begin();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        RUN_LINE(&client, lines[i]);
        CHECK(number_of("MEMORY USAGE k") > 0);
        RUN_LINE(&client, "DEL k");
    }
    end();
}

static void figures_and_reports_come_without_a_server_around(void)
{
    begin();
    RUN_LINE(&client, "SET k v");
    CHECK(bytes_match_glob(LIT("\\*56\r\n$14\r\npeak.allocated*db.0*keys.count\r\n:1\r\n*"),
                           RUN_LINE(&client, "MEMORY STATS"), false));
    CHECK(RUN_LINE(&client, "MEMORY DOCTOR").at[0] == '$');
    CHECK(RUN_LINE(&client, "MEMORY MALLOC-STATS").at[0] == '$');
    CHECK_REPLY(RUN_LINE(&client, "MEMORY PURGE"), "+OK\r\n");
    end();
}

int main(void)
{
    RUN_TEST(the_usage_of_a_key_grows_with_its_value);
    RUN_TEST(every_type_takes_something);
    RUN_TEST(figures_and_reports_come_without_a_server_around);
    return check_done();
}
