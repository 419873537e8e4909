/* Several threads on the same keys: sums that multi-key locks must conserve, while one
 * thread flushes and swaps in the exclusive section, one expires and frees, and everybody
 * prefetches tables that others are replacing.  ThreadSanitizer is the better half of it. */
#include "base/mem.h"
#include "check.h"
#include "store/keyspace.h"

enum { WORKERS = 3, ACCOUNTS = 64, START = 1000, ROUNDS = 4000, FILLERS = 3000, BITS = 3 };

struct shared {
    struct keyspace *ks;
    struct clock clock;
    _Atomic bool stop;
    _Atomic int64_t hooked;
    uint64_t seed;
};

struct worker {
    struct shared *shared;
    struct store_thread thread;
    struct keylock lock;
    uint64_t dice;
    pthread_t handle;
};

static void count_expired(void *user, struct store_thread *thread, uint32_t db, struct bytes key)
{
    struct shared *shared = user;
    (void)thread;
    CHECK(db < 4 && key.len > 0);
    atomic_fetch_add(&shared->hooked, 1);
}

static void open_worker(struct worker *worker, struct shared *shared, unsigned number)
{
    worker->shared = shared;
    worker->dice = shared->seed + number;
    CHECK(keyspace_join(shared->ks, &worker->thread));
    keylock_init(&worker->lock, &worker->thread);
}

static void close_worker(struct worker *worker)
{
    keylock_release_memory(&worker->lock);
    keyspace_quit(worker->shared->ks, &worker->thread);
}

static struct locked_key key_in(const struct worker *worker, uint32_t db, const char *name)
{
    struct bytes bytes = bytes_of(name);
    return (struct locked_key){ bytes, keyspace_hash(worker->shared->ks, db, bytes), db };
}

static void account_name(char *out, size_t room, uint64_t number)
{
    snprintf(out, room, "account:%u", (unsigned)number);
}

static int64_t balance(struct worker *worker, struct bytes key) REQUIRES(worker->lock)
{
    struct entry *entry;
    CHECK_INT(keyspace_find(worker->shared->ks, &worker->lock, key, VALUE_STRING, &entry), OK);
    CHECK(entry != NULL);
    int64_t number = 0;
    struct bytes text = entry_string(entry);
    memcpy(&number, text.at, sizeof(number));
    return number;
}

static void set_balance(struct worker *worker, struct bytes key, int64_t amount)
    REQUIRES(worker->lock)
{
    char text[64] = { 0 };
    /* Of changing lengths, so that entries move now and then. */
    size_t len = sizeof(amount) + check_random_below(&worker->dice, 40);
    memcpy(text, &amount, sizeof(amount));
    CHECK_INT(keyspace_set_string(worker->shared->ks, &worker->lock, key,
                                  (struct bytes){ text, len }, EXPIRY_REPLACE, KEYSPACE_NO_EXPIRY),
              OK);
    keyspace_touch(worker->shared->ks, &worker->lock, key);
}

static void transfer(struct worker *worker)
{
    char names[2][32];
    struct locked_key keys[2];
    keyspace_enter(&worker->thread);
    for (int i = 0; i < 2; i++) {
        account_name(names[i], sizeof(names[i]), check_random_below(&worker->dice, ACCOUNTS));
        keys[i] = key_in(worker, 0, names[i]);
    }
    keylock_acquire(&worker->lock, 0, keys, 2, KEYLOCK_WRITE);
    int64_t amount = (int64_t)check_random_below(&worker->dice, 50);
    set_balance(worker, keys[0].name, balance(worker, keys[0].name) - amount);
    set_balance(worker, keys[1].name, balance(worker, keys[1].name) + amount);
    keylock_release(&worker->lock);
    keyspace_leave(&worker->thread);
}

static void check_sum(struct worker *worker)
{
    char names[ACCOUNTS][32];
    struct locked_key keys[ACCOUNTS];
    int64_t sum = 0;
    keyspace_enter(&worker->thread);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        account_name(names[i], sizeof(names[i]), i);
        keys[i] = key_in(worker, 0, names[i]);
    }
    keylock_acquire(&worker->lock, 0, keys, ACCOUNTS, KEYLOCK_READ);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        sum += balance(worker, keys[i].name);
    }
    keylock_release(&worker->lock);
    keyspace_leave(&worker->thread);
    CHECK_INT(sum, ACCOUNTS * START);
}

/* Makes and removes other keys, in all databases, so that tables grow and shrink. */
static void churn(struct worker *worker)
{
    struct keyspace *ks = worker->shared->ks;
    struct locked_key keys[16];
    char names[16][32];
    uint32_t db = (uint32_t)check_random_below(&worker->dice, 4);
    keyspace_enter(&worker->thread);
    worker->thread.now_ms = clock_wall_ms(&worker->shared->clock);
    worker->thread.access_now = (uint32_t)worker->thread.now_ms & 0xffffff;
    for (int i = 0; i < 16; i++) {
        snprintf(names[i], sizeof(names[i]), "filler:%u",
                 (unsigned)check_random_below(&worker->dice, FILLERS));
        keys[i] = key_in(worker, db, names[i]);
        keyspace_prefetch_stripe(ks, keys[i].hash);
    }
    for (int i = 0; i < 16; i++) {
        keyspace_prefetch_buckets(ks, &keys[i].hash, 1);
    }
    for (int i = 0; i < 16; i++) {
        keyspace_prefetch_entries(ks, &keys[i].hash, 1, ENTRY_LINES_MAX);
    }
    uint64_t action = check_random_below(&worker->dice, 3);
    for (int i = 0; i < 16; i++) {
        struct entry *entry;
        keylock_acquire(&worker->lock, db, &keys[i], 1, action == 0 ? KEYLOCK_READ : KEYLOCK_WRITE);
        if (action == 0) {
            CHECK_INT(keyspace_find(ks, &worker->lock, keys[i].name, VALUE_ANY, &entry), OK);
        } else if (action == 1) {
            int64_t expires = check_random_below(&worker->dice, 2) == 0 ? KEYSPACE_NO_EXPIRY
                                                                        : worker->thread.now_ms + 1;
            CHECK_INT(keyspace_set_string(ks, &worker->lock, keys[i].name, LIT("some value"),
                                          EXPIRY_REPLACE, expires),
                      OK);
        } else {
            keyspace_delete(ks, &worker->lock, keys[i].name, true);
        }
        keylock_release(&worker->lock);
        keyspace_reap(&worker->thread, &worker->lock);
    }
    keyspace_leave(&worker->thread);
}

static bool ignore(void *user, struct entry *entry)
{
    *(size_t *)user += entry_key(entry).len;
    return true;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    size_t bytes = 0;
    uint64_t cursor = 0;
    for (int round = 0; round < ROUNDS; round++) {
        transfer(worker);
        if (round % 8 == 0) {
            churn(worker);
        }
        if (round % 64 == 0) {
            check_sum(worker);
            keyspace_enter(&worker->thread);
            cursor = keyspace_scan(&worker->thread, 1, cursor, 100, ignore, &bytes);
            keyspace_random(&worker->thread, 2, ignore, &bytes);
            keyspace_leave(&worker->thread);
        }
    }
    close_worker(worker);
    return NULL;
}

static void note(struct watcher *watcher)
{
    (void)watcher; /* It only marks. */
}

/* Flushes and swaps databases 1 to 3, and watches a key. */
static void *rule(void *arg)
{
    struct worker *worker = arg;
    struct keyspace *ks = worker->shared->ks;
    while (!atomic_load(&worker->shared->stop)) {
        struct watcher watcher = { .touched = note };
        struct locked_key key;
        keyspace_enter(&worker->thread);
        key = key_in(worker, 0, "account:1");
        keylock_acquire(&worker->lock, 0, &key, 1, KEYLOCK_READ);
        keyspace_watch(ks, &worker->lock, key.name, &watcher);
        keylock_release(&worker->lock);
        keyspace_leave(&worker->thread);

        uint64_t action = check_random_below(&worker->dice, 4);
        uint32_t db = 1 + (uint32_t)check_random_below(&worker->dice, 3);
        keyspace_begin_exclusive(&worker->thread, &worker->lock);
        if (action < 2) {
            keyspace_touch_all(ks, &worker->lock, db);
            keyspace_flush(ks, &worker->lock, db, action == 0);
            CHECK_INT(keyspace_size(ks, db), 0);
        } else {
            keyspace_swap(ks, &worker->lock, db, 1 + db % 3);
        }
        keyspace_end_exclusive(&worker->thread, &worker->lock);

        keyspace_enter(&worker->thread);
        keyspace_unwatch(&worker->thread, &watcher);
        keyspace_leave(&worker->thread);
        usleep(500);
    }
    close_worker(worker);
    return NULL;
}

static void *tidy(void *arg)
{
    struct worker *worker = arg;
    while (!atomic_load(&worker->shared->stop)) {
        (void)keyspace_expire_due(&worker->thread, 200);
        (void)keyspace_background(&worker->thread, 200);
        CHECK(keyspace_memory(worker->shared->ks) > 0);
        usleep(200);
    }
    close_worker(worker);
    return NULL;
}

static void open_accounts(struct worker *worker)
{
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char name[32];
        account_name(name, sizeof(name), i);
        keyspace_enter(&worker->thread);
        struct locked_key key = key_in(worker, 0, name);
        keylock_acquire(&worker->lock, 0, &key, 1, KEYLOCK_WRITE);
        set_balance(worker, key.name, START);
        keylock_release(&worker->lock);
        keyspace_leave(&worker->thread);
    }
}

static void sums_are_conserved_whatever_others_do(void)
{
    struct shared shared = { .seed = check_seed() };
    clock_init_system(&shared.clock);
    struct keyspace_options options = {
        .databases = 4,
        .stripe_bits = BITS,
        .hash_key = { 5, 6 },
        .clock = &shared.clock,
        .hooks = { .expired = count_expired, .user = &shared },
    };
    shared.ks = keyspace_create(&options);
    CHECK(shared.ks != NULL);
    struct worker *workers = mem_try_aligned(64, (WORKERS + 3) * sizeof(*workers));
    CHECK(workers != NULL);
    for (unsigned i = 0; i < WORKERS + 3; i++) {
        open_worker(&workers[i], &shared, i);
    }
    struct worker *mine = &workers[WORKERS + 2];
    open_accounts(mine);
    for (unsigned i = 0; i < WORKERS; i++) {
        CHECK_INT(thread_start(&workers[i].handle, "worker", work, &workers[i]), 0);
    }
    CHECK_INT(thread_start(&workers[WORKERS].handle, "ruler", rule, &workers[WORKERS]), 0);
    CHECK_INT(thread_start(&workers[WORKERS + 1].handle, "tidier", tidy, &workers[WORKERS + 1]), 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].handle, NULL);
    }
    atomic_store(&shared.stop, true);
    pthread_join(workers[WORKERS].handle, NULL);
    pthread_join(workers[WORKERS + 1].handle, NULL);
    check_sum(mine);
    CHECK_INT(keyspace_size(shared.ks, 0) >= ACCOUNTS, 1);
    CHECK_INT(keyspace_expired(shared.ks), atomic_load(&shared.hooked));
    close_worker(mine);
    keyspace_destroy(shared.ks);
    mem_free(workers);
}

int main(void)
{
    RUN_TEST(sums_are_conserved_whatever_others_do);
    return check_done();
}
