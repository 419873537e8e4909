/* Random commands of several threads on the same keys at once: what they tell of themselves, in
 * the order in which it was told, makes the same data set again.  So the order of the log is the
 * order of every key, transactions are whole, and who was served while waiting was served in
 * between.  ThreadSanitizer looks on. */
#include <pthread.h>
#include <stdio.h>

#include "at_random.h"
#include "base/thread.h"
#include "data_set.h"
#include "effect_log.h"
#include "exec/transaction.h"
#include "waiting_client.h"

enum { THREADS = 4, ROUNDS = 6, STEPS = 1500, STRING_MAX = 100000 };

static struct run_server server, again;
static struct effect_log effects;

struct player {
    pthread_t thread;
    uint64_t seed;
    struct at_random dice;
    struct waiting_client waiting;
    struct executor *executor;
};

/* Runs a command on the player's own executor. */
static void run(struct player *player, const struct bytes *argv, uint32_t argc)
{
    struct run_client *client = &player->waiting.client;
    reply_clear(&client->reply);
    executor_call(player->executor, &client->session, argv, argc, &client->reply);
    at_random_learn(&player->dice, run_flatten(client));
}

static void run_words(struct player *player, const char *first, const char *second)
{
    struct bytes argv[] = { bytes_of(first), bytes_of(second) };
    run(player, argv, second[0] == '\0' ? 1 : 2);
}

/* As a worker does it: looks at the session in a batch.  False while it waits. */
static bool is_free(struct player *player)
{
    struct session *session = &player->waiting.client.session;
    executor_enter(player->executor);
    if (waiting_waits(&player->waiting) && at_random_below(&player->dice.words, 4) == 0) {
        blocking_fail(&server.engine.blocking, session, LIT("UNBLOCKED"));
    }
    bool waits = waiting_waits(&player->waiting);
    if (!waits && blocking_holds(session)) {
        (void)waiting_take(&player->waiting);
    }
    executor_leave(player->executor);
    return !waits;
}

static void step(struct player *player)
{
    struct at_random *dice = &player->dice;
    bool open = transaction_open(&player->waiting.client.session);
    switch (at_random_below(&dice->words, open ? 6 : 40)) {
    case 0:
        run_words(player, open ? "EXEC" : "MULTI", "");
        break;
    case 1:
        run_words(player, "SELECT", at_random_below(&dice->words, 2) == 0 ? "0" : "1");
        break;
    case 2:
        run_words(player, "WATCH", "s:1");
        break;
    default:
        (void)at_random_next(dice, RUN_START_MS);
        run(player, dice->argv, dice->argc);
        break;
    }
}

static void *play(void *argument)
{
    struct player *player = argument;
    player->executor = mem_try_aligned(CACHE_LINE, sizeof *player->executor);
    CHECK(player->executor != NULL && executor_init(player->executor, &server.engine));
    at_random_init(&player->dice, &server.engine, player->seed);
    waiting_init(&player->waiting, &server);
    for (int i = 0; i < STEPS; i++) {
        if (is_free(player)) {
            step(player);
        }
    }
    struct run_client *client = &player->waiting.client;
    executor_enter(player->executor);
    session_release(&client->session, &server.engine, player->executor);
    executor_leave(player->executor);
    executor_release(player->executor);
    reply_release(&client->reply);
    buf_release(&client->flat);
    at_random_release(&player->dice);
    mem_free(player->executor);
    return NULL;
}

static void open_server(struct run_server *opened)
{
    run_server_init(opened);
    atomic_store(&opened->engine.settings.max_bulk_len, STRING_MAX);
}

static void compare(void)
{
    open_server(&again);
    effect_log_check(&effects, &server, &again);
    run_server_release(&again);
}

static void the_log_has_the_order_of_every_key(void)
{
    static struct player players[THREADS];
    uint64_t seed = check_seed();
    for (int round = 0; round < ROUNDS; round++) {
        open_server(&server);
        effect_log_init(&effects, &server);
        memset(players, 0, sizeof players);
        for (int i = 0; i < THREADS; i++) {
            players[i].seed = check_random(&seed);
            CHECK_INT(thread_start(&players[i].thread, "player", play, &players[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(players[i].thread, NULL);
        }
        CHECK_INT(server.engine.blocking.sessions, 0);
        CHECK_INT(server.engine.blocking.key_count, 0);
        CHECK(effects.count > THREADS * STEPS / 10);
        compare();
        effect_log_release(&effects);
        run_server_release(&server);
    }
}

int main(void)
{
    RUN_TEST(the_log_has_the_order_of_every_key);
    return check_done();
}
