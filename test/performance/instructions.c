/* Runs commands as a worker does between read and write, without sockets, for
 * scripts/instructions.js to count the instructions of:
 *
 *     instructions GET|SET|INCR|MSET <pipeline> <commands>
 *     instructions in-process-get 1 <commands>
 *
 * Bytes go through reader_next(), executor_prepare(), executor_prefetch() and
 * executor_run(), in batches of <pipeline> commands.  What is counted happens inside of
 * measured(); everything that it touches is made before.  Prints the number of commands. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "proto/reader.h"
#include "rln.h"
#include "server/families.h"

enum { KEYS = 10000, WARM_UP = 2000, PIPELINE_MAX = 64, INPUTS = 512, MSET_KEYS = 10 };

struct bench {
    struct engine engine;
    struct executor executor;
    struct session session;
    struct clock clock;
    struct log log;
    struct reply reply;
    struct argument_list arguments;
    struct reader *reader;
    struct buf inputs[INPUTS]; /* a batch each, as it comes off the wire */
    unsigned pipeline;
    struct rln_server *server; /* of in-process-get alone */
    struct rln_client *client;
    char keys[INPUTS][17];
    uint64_t errors;
};

static void write_nothing(void *user, enum log_level level, struct bytes line)
{
    (void)user;
    (void)level;
    (void)line;
}

static void fail(const char *what)
{
    fprintf(stderr, "instructions: %s\n", what);
    exit(1);
}

/* ---- what is counted ------------------------------------------------------------------ */

/* One batch, as step.c runs it. */
static void run_batch(struct bench *bench, struct bytes in)
{
    static const struct reader_limits limits = {
        .max_bulk_len = 512 * 1024 * 1024,
        .max_arguments = 1024 * 1024,
        .max_inline = 64 * 1024,
        .authenticated = true,
    };
    struct parsed_command parsed[PIPELINE_MAX];
    struct request requests[PIPELINE_MAX];
    struct read_result result;
    uint32_t count = 0;
    executor_enter(&bench->executor);
    executor_begin_round(&bench->executor);
    bench->arguments.count = 0;
    while (in.len > 0 && count < PIPELINE_MAX &&
           reader_next(&bench->reader, &limits, in, &bench->arguments, &parsed[count], &result) ==
               READ_COMMAND) {
        in.at += result.used;
        in.len -= result.used;
        count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        executor_prepare(&bench->executor, &bench->session, bench->arguments.at + parsed[i].first,
                         parsed[i].count, parsed[i].dialect, &requests[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        executor_prefetch(&bench->executor, &requests[i]);
        executor_run(&bench->executor, &bench->session, &requests[i], &bench->reply);
    }
    executor_leave(&bench->executor);
    if (count != bench->pipeline || bench->reply.out.len == 0 || bench->reply.out.at[0] == '-') {
        bench->errors++;
    }
    reply_clear(&bench->reply);
}

static void run_in_process(struct bench *bench, uint64_t number)
{
    struct rln_bytes argv[] = { { "GET", 3 }, { bench->keys[number % INPUTS], 16 } };
    struct rln_bytes reply = rln_client_call(bench->client, argv, 2);
    bench->errors += reply.len == 0 || reply.at[0] != '$';
}

/* Named for valgrind's --toggle-collect. */
__attribute__((noinline)) void measured(struct bench *bench, uint64_t commands);
__attribute__((noinline)) void measured(struct bench *bench, uint64_t commands)
{
    for (uint64_t i = 0; i < commands; i += bench->pipeline) {
        if (bench->client != NULL) {
            run_in_process(bench, i);
        } else {
            run_batch(bench, buf_bytes(&bench->inputs[i / bench->pipeline % INPUTS]));
        }
    }
}

/* ---- what is made before ---------------------------------------------------------------- */

static void add_command(struct buf *input, const char *name, unsigned number)
{
    const char *value = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";
    if (strcmp(name, "GET") == 0) {
        buf_printf(input, "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012u\r\n", number % KEYS);
    } else if (strcmp(name, "SET") == 0) {
        buf_printf(input, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012u\r\n$32\r\n%s\r\n", number % KEYS,
                   value);
    } else if (strcmp(name, "INCR") == 0) {
        buf_printf(input, "*2\r\n$4\r\nINCR\r\n$20\r\ncounter:%012u\r\n", number % KEYS);
    } else if (strcmp(name, "MSET") == 0) {
        buf_printf(input, "*%d\r\n$4\r\nMSET\r\n", 1 + 2 * MSET_KEYS);
        for (unsigned i = 0; i < MSET_KEYS; i++) {
            buf_printf(input, "$16\r\nkey:%012u\r\n$32\r\n%s\r\n", (number + i * 997) % KEYS,
                       value);
        }
    } else {
        fail("the command is GET, SET, INCR, MSET or in-process-get");
    }
}

static void open_engine(struct bench *bench)
{
    uint32_t count;
    const struct command_family *const *families = command_families(&count);
    clock_init_system(&bench->clock);
    bench->log.write = write_nothing;
    atomic_init(&bench->log.level, LOG_NOTHING);
    struct engine_options options = {
        .clock = &bench->clock,
        .log = &bench->log,
        .families = families,
        .family_count = count,
        .databases = 16,
        .seed = 42,
    };
    if (!engine_init(&bench->engine, &options) ||
        !executor_init(&bench->executor, &bench->engine)) {
        fail("out of memory");
    }
    /* Under valgrind everything is slow, and none of it is to be noted. */
    atomic_store(&bench->engine.settings.slowlog_log_slower_than, -1);
    session_init(&bench->session, &bench->engine, NULL, clock_wall_ms(&bench->clock));
}

/* Keys and counters are there, so that no command creates one. */
static void load_keys(struct bench *bench)
{
    struct buf input = { 0 };
    unsigned wanted = bench->pipeline;
    bench->pipeline = 1;
    for (unsigned i = 0; i < KEYS; i++) {
        input.len = 0;
        add_command(&input, "SET", i);
        run_batch(bench, buf_bytes(&input));
        input.len = 0;
        add_command(&input, "INCR", i);
        run_batch(bench, buf_bytes(&input));
    }
    bench->pipeline = wanted;
    buf_release(&input);
}

static void open_server(struct bench *bench)
{
    struct rln_options options = { .random_seed = 42 };
    struct rln_error error;
    bench->server = rln_server_create(&options);
    if (bench->server == NULL ||
        rln_server_configure(bench->server, "slowlog-log-slower-than", "-1", &error) != 0 ||
        (bench->client = rln_client_create(bench->server)) == NULL) {
        fail("cannot create a server");
    }
    for (unsigned i = 0; i < KEYS; i++) {
        char key[32];
        int len = snprintf(key, sizeof key, "key:%012u", i);
        struct rln_bytes argv[] = { { "SET", 3 },
                                    { key, (size_t)len },
                                    { "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv", 32 } };
        rln_client_call(bench->client, argv, 3);
    }
    for (unsigned i = 0; i < INPUTS; i++) {
        snprintf(bench->keys[i], sizeof bench->keys[i], "key:%012u", i * 7919 % KEYS);
    }
}

static void make_inputs(struct bench *bench, const char *name)
{
    unsigned number = 0;
    for (unsigned i = 0; i < INPUTS; i++) {
        for (unsigned n = 0; n < bench->pipeline; n++) {
            add_command(&bench->inputs[i], name, number);
            number += 7919; /* a prime: neighbours in a batch are not neighbours in the store */
        }
    }
}

static void release(struct bench *bench)
{
    rln_client_destroy(bench->client);
    rln_server_destroy(bench->server);
    if (bench->engine.registry != NULL) {
        executor_enter(&bench->executor);
        session_release(&bench->session, &bench->engine, &bench->executor);
        executor_leave(&bench->executor);
        executor_release(&bench->executor);
        engine_release(&bench->engine);
    }
    for (unsigned i = 0; i < INPUTS; i++) {
        buf_release(&bench->inputs[i]);
    }
    argument_list_release(&bench->arguments);
    reply_release(&bench->reply);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    unsigned long commands = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    bench.pipeline = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    if (commands == 0 || bench.pipeline == 0 || bench.pipeline > PIPELINE_MAX ||
        commands % bench.pipeline != 0) {
        fail("usage: instructions <command> <pipeline> <commands>, a multiple of the pipeline");
    }
    if (strcmp(argv[1], "in-process-get") == 0) {
        open_server(&bench);
    } else {
        open_engine(&bench);
        load_keys(&bench);
        make_inputs(&bench, argv[1]);
    }
    uint64_t warm_up = WARM_UP / bench.pipeline * bench.pipeline;
    for (uint64_t i = 0; i < warm_up; i += bench.pipeline) {
        if (bench.client != NULL) {
            run_in_process(&bench, i);
        } else {
            run_batch(&bench, buf_bytes(&bench.inputs[i / bench.pipeline % INPUTS]));
        }
    }
    measured(&bench, commands);
    if (bench.errors > 0) {
        fail("a command was answered with an error");
    }
    printf("%lu\n", commands);
    release(&bench);
    return 0;
}
