/* The load generator's requests, byte for byte. */
#include "bench/template.h"

#include "check.h"

static struct workload workload;
static struct key_walk walk;
static struct buf out;

#define WORDS(...)                                                                                 \
    .words = (const char *const[]){ __VA_ARGS__ },                                                 \
    .word_count = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

static void set_up(const struct rln_load_command *commands, size_t count,
                   const struct rln_load_size *sizes, size_t size_count)
{
    struct rln_load_error error;
    struct rln_load_options options = {
        .keys = RLN_LOAD_KEYS_SEQUENTIAL,
        .key_count = 100,
        .templates = commands,
        .template_count = count,
        .sizes = sizes,
        .size_count = size_count,
    };
    CHECK(workload_init(&workload, &options, 1, &error));
    key_walk_init(&walk, check_seed(), 0, 1);
}

static void tear_down(void)
{
    workload_release(&workload);
    buf_release(&out);
    out = (struct buf){ 0 };
}

static struct bytes write_one(size_t index)
{
    out.len = 0;
    CHECK(workload_write(&workload, index, &walk, &out));
    return buf_bytes(&out);
}

static void placeholders_are_filled(void)
{
    struct rln_load_command commands[] = {
        { WORDS("GET", "__key__"), .weight = 1 },
        { WORDS("INCR", "counter:__id__:x"), .weight = 1 },
        { WORDS("MGET", "__key__", "__next_key__", "__next_key__"), .weight = 1 },
        { WORDS("SADD", "__new_key__", "plain"), .weight = 1 },
        { WORDS("PING"), .weight = 1, .as_line = true },
    };
    set_up(commands, 5, NULL, 0);
    CHECK_BYTES(write_one(0), LIT("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n"));
    CHECK_BYTES(write_one(0), LIT("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000001\r\n"));
    CHECK_BYTES(write_one(1), LIT("*2\r\n$4\r\nINCR\r\n$22\r\ncounter:000000000002:x\r\n"));
    CHECK_BYTES(write_one(2), LIT("*4\r\n$4\r\nMGET\r\n$16\r\nkey:000000000003\r\n"
                                  "$16\r\nkey:000000000004\r\n$16\r\nkey:000000000005\r\n"));
    CHECK_BYTES(write_one(3),
                LIT("*3\r\n$4\r\nSADD\r\n$16\r\nkey:000000000100\r\n$5\r\nplain\r\n"));
    CHECK_BYTES(write_one(4), LIT("PING\r\n"));
    tear_down();
}

static void values_have_the_sizes_that_were_asked_for(void)
{
    static const struct rln_load_size sizes[] = { { 0, 0, 1 }, { 10, 20, 2 } };
    struct rln_load_command command = { WORDS("SET", "__key__", "__value__"), .weight = 1 };
    int empty = 0;
    set_up(&command, 1, sizes, 2);
    for (int i = 0; i < 3000; i++) {
        struct bytes request = write_one(0);
        const char *value =
            request.at + sizeof "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n" - 1;
        int len = atoi(value + 1);
        CHECK(workload_has_size(&workload, len));
        empty += len == 0;
        const char *end = strchr(value, '\n') + 1;
        CHECK_INT(request.at + request.len - end, len + 2);
        CHECK(memcmp(end + len, "\r\n", 2) == 0);
    }
    CHECK(empty > 800 && empty < 1200);
    CHECK(!workload_has_size(&workload, 9) && !workload_has_size(&workload, 21));
    tear_down();
}

static void commands_are_chosen_by_weight(void)
{
    struct rln_load_command commands[] = {
        { WORDS("SET", "__key__", "__value__"), .weight = 1 },
        { WORDS("GET", "__key__"), .weight = 10 },
    };
    int sets = 0;
    set_up(commands, 2, NULL, 0);
    for (int i = 0; i < 11000; i++) {
        sets += workload_choose(&workload, &walk.dice) == 0;
    }
    CHECK(sets > 800 && sets < 1200);
    tear_down();
}

static void nonsense_is_refused(void)
{
    struct rln_load_error error;
    struct rln_load_command command = { WORDS("PING"), .weight = 0 };
    struct rln_load_options options = { .key_count = 1,
                                        .templates = &command,
                                        .template_count = 1 };
    CHECK(!workload_init(&workload, &options, 1, &error));
    workload_release(&workload);
    static const struct rln_load_size size = { 5, 4, 1 };
    command.weight = 1;
    options.sizes = &size;
    options.size_count = 1;
    CHECK(!workload_init(&workload, &options, 1, &error));
    workload_release(&workload);
    options.size_count = 0;
    options.key_count = 0;
    CHECK(!workload_init(&workload, &options, 1, &error));
    workload_release(&workload);
}

int main(void)
{
    RUN_TEST(placeholders_are_filled);
    RUN_TEST(values_have_the_sizes_that_were_asked_for);
    RUN_TEST(commands_are_chosen_by_weight);
    RUN_TEST(nonsense_is_refused);
    return check_done();
}
