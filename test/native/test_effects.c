/* What writes tell of themselves is enough: the effects of any commands, done again in an empty
 * store, make the same data set, and so does a store that lets nothing expire by itself. */
#include <stdio.h>

#include "at_random.h"
#include "data_set.h"
#include "effect_log.h"
#include "exec/transaction.h"
#include "store/value.h"
#include "waiting_client.h"

enum { CLIENTS = 5, STEPS = 2500, DATABASES = 4, STRING_MAX = 100000 };

/* One thread has no races: under ThreadSanitizer, which makes it slow, a few rounds do, and not
 * every command needs to be among them. */
#ifdef __SANITIZE_THREAD__
enum { ROUNDS = 10, ALL_COMMANDS = false };
#else
enum { ROUNDS = 60, ALL_COMMANDS = true };
#endif

struct round {
    struct run_server server;
    struct effect_log log;
    struct at_random dice;
    struct waiting_client clients[CLIENTS];
};

static struct round round_;
static struct run_server again;

/* Sums over all rounds, by registry_index(). */
static struct at_random_command *sums;

static uint64_t below(uint64_t bound)
{
    return at_random_below(&round_.dice.words, bound);
}

static void open_server(struct run_server *server)
{
    run_server_init(server);
    atomic_store(&server->engine.settings.max_bulk_len, STRING_MAX);
}

/* Small values in the encodings of large ones, which those who do the effects again need not
 * have.  (What PFADD stores is the same only with the same hll-sparse-max-bytes.) */
static void make_encodings_large(struct run_server *server)
{
    struct value_limits *limits = run_limits(server);
    atomic_store(&limits->list_max_listpack_size, 3);
    atomic_store(&limits->hash_max_listpack_entries, 3);
    atomic_store(&limits->set_max_intset_entries, 3);
    atomic_store(&limits->set_max_listpack_entries, 4);
    atomic_store(&limits->zset_max_listpack_entries, 4);
    atomic_store(&limits->stream_node_max_entries, 3);
}

/* ---- One step -------------------------------------------------------------------------------- */

static void pass_time(struct run_server *server)
{
    static const int64_t steps[] = { 1, 1, 20, 300, 3000 };
    run_advance_ms(server, steps[below(sizeof steps / sizeof *steps)]);
    for (int i = 0; i < CLIENTS; i++) {
        struct session *session = &round_.clients[i].client.session;
        int64_t deadline = blocking_deadline(session);
        if (waiting_waits(&round_.clients[i]) && deadline != 0 &&
            deadline * 1000 <= server->now_us) {
            blocking_time_out(&server->engine.blocking, session);
        }
    }
    server->executor.thread.now_ms = server->now_us / 1000;
    if (below(2) == 0) {
        (void)keyspace_expire_due(&server->executor.thread, 1000);
    }
    (void)keyspace_background(&server->executor.thread, 1000);
}

/* A client that waits, or has been served: true when it can have another command. */
static bool is_free(struct waiting_client *client)
{
    struct session *session = &client->client.session;
    if (waiting_waits(client) && below(3) == 0) {
        blocking_fail(&round_.server.engine.blocking, session, LIT("UNBLOCKED"));
    }
    if (waiting_waits(client)) {
        return false;
    }
    if (blocking_holds(session)) {
        at_random_learn(&round_.dice, waiting_take(client));
    }
    return true;
}

static bool is_error(struct bytes reply)
{
    return reply.len > 0 && reply.at[0] == '-';
}

static void run_one(struct run_client *client)
{
    struct at_random *dice = &round_.dice;
    uint64_t told = round_.log.count;
    struct at_random_command *command = at_random_next(dice, round_.server.now_us / 1000);
    if (check_traces()) {
        check_tell("-", dice->argv, dice->argc);
    }
    struct bytes reply = run_command(client, dice->argv, dice->argc);
    command->ran++;
    command->succeeded += !is_error(reply);
    command->effects += round_.log.count - told;
    at_random_learn(dice, reply);
}

static void step(void)
{
    struct waiting_client *waiting = &round_.clients[below(CLIENTS)];
    struct run_client *client = &waiting->client;
    if (below(8) == 0) {
        pass_time(&round_.server);
    }
    if (!is_free(waiting)) {
        return;
    }
    bool open = transaction_open(&client->session);
    char line[64];
    switch (below(open ? 6 : 60)) {
    case 0:
        RUN_LINE(client, open ? "EXEC" : "MULTI");
        break;
    case 1:
        snprintf(line, sizeof line, "SELECT %d", (int)below(DATABASES));
        RUN_LINE(client, below(3) == 0 ? line : "SELECT 0");
        break;
    case 2:
        RUN_LINE(client, "WATCH s:1 l:1");
        break;
    default:
        run_one(client);
        break;
    }
}

/* Removes what is due. */
static void expire_all(struct run_server *server)
{
    while (keyspace_expire_due(&server->executor.thread, 1000000) == 0) {}
}

/* ---- The second store -------------------------------------------------------------------------- */

/* Compares it with the first one.  'in_time': its clock is the first one's.  Otherwise it stands
 * at the beginning, so that nothing ends by itself, and the moments of deliveries are not the
 * same. */
static void compare_data(bool in_time)
{
    if (in_time) {
        again.now_us = round_.server.now_us;
        expire_all(&again);
    }
    data_set_compare(&round_.server, &again, in_time);
}

static void do_again(bool in_time)
{
    size_t from = 0;
    open_server(&again);
    effect_log_replay(&round_.log, &from, &again, in_time);
    compare_data(in_time);
    run_server_release(&again);
}

/* To find the command that is to blame: compares after each one. */
static void follow(size_t *from)
{
    if (*from == 0) {
        open_server(&again);
    }
    effect_log_replay(&round_.log, from, &again, true);
    expire_all(&round_.server);
    compare_data(true);
}

/* ---- One round ------------------------------------------------------------------------------- */

static void make_data(uint64_t seed, bool large)
{
    open_server(&round_.server);
    effect_log_init(&round_.log, &round_.server);
    at_random_init(&round_.dice, &round_.server.engine, seed);
    if (large) {
        make_encodings_large(&round_.server);
        /* A range by name of members with different scores depends on the encoding. */
        at_random_leave_out(&round_.dice, "zremrangebylex");
        at_random_leave_out(&round_.dice, "zrangestore");
    }
    for (int i = 0; i < CLIENTS; i++) {
        waiting_init(&round_.clients[i], &round_.server);
    }
    size_t from = 0;
    for (int i = 0; i < STEPS; i++) {
        step();
        if (getenv("RLN_TEST_FOLLOW") != NULL) {
            follow(&from);
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        run_client_release(&round_.clients[i].client);
    }
    /* Those who let nothing expire by themselves are to be told of all that has ended. */
    expire_all(&round_.server);
    round_.server.engine.changes = (struct change_sink){ 0 };
}

static void forget_data(void)
{
    at_random_release(&round_.dice);
    effect_log_release(&round_.log);
    run_server_release(&round_.server);
}

static void count_commands(void)
{
    for (uint32_t i = 0; i < round_.dice.count; i++) {
        const struct at_random_command *one = &round_.dice.commands[i];
        struct at_random_command *sum = &sums[registry_index(round_.dice.registry, one->row)];
        sum->ran += one->ran;
        sum->succeeded += one->succeeded;
        sum->effects += one->effects;
    }
}

static void effects_make_the_same_data_set(void)
{
    uint64_t seed = check_seed();
    for (int i = 0; i < ROUNDS; i++) {
        make_data(check_random(&seed), i % 2 == 0);
        count_commands();
        do_again(true);
        do_again(false);
        forget_data();
    }
}

/* ---- What was reached ---------------------------------------------------------------------- */

static void every_write_was_among_them(void)
{
    open_server(&again);
    const struct registry *registry = again.engine.registry;
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        const struct command *row = registry_at(registry, i);
        const struct at_random_command *sum = &sums[registry_index(registry, row)];
        if (check_traces()) {
            fprintf(stderr,
                    "%-20s ran %6" PRIu64 ", without an error %6" PRIu64 ", effects %6" PRIu64 "\n",
                    row->name, sum->ran, sum->succeeded, sum->effects);
        }
        if (row->handler == NULL || (row->flags & CMD_WRITE) == 0 || at_random_skips(row)) {
            continue;
        }
        if (sum->effects == 0) {
            fprintf(stderr, "%s: ran %" PRIu64 " times, %" PRIu64 " without an error, no effect\n",
                    row->name, sum->ran, sum->succeeded);
            check_fail(__FILE__, __LINE__, "every write has had an effect");
        }
    }
    run_server_release(&again);
}

int main(void)
{
    enum { COMMANDS = 1000 };
    sums = mem_zalloc(COMMANDS * sizeof *sums);
    RUN_TEST(effects_make_the_same_data_set);
    if (ALL_COMMANDS) {
        RUN_TEST(every_write_was_among_them);
    }
    mem_free(sums);
    return check_done();
}
