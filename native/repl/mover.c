/* The thread that moves keys; see mover.h. */
#include "repl/mover.h"

#include "base/mem.h"
#include "exec/inner.h"
#include "exec/perform.h"

enum {
    TARGETS = 8,           /* connections that are kept */
    KEPT_MS = 10 * 1000,   /* since they were used */
    LOOK_US = 1000 * 1000, /* between two looks for those that are too old */
};

/* A connection that is kept, and for whom: nobody uses one of another login. */
struct kept {
    struct target target;
    struct buf login;
    int64_t used_ms; /* monotonic */
};

struct mover {
    struct attachment attachment; /* first */
    struct engine *engine;
    _Atomic uint64_t tickets;
    _Atomic bool stopping;
    struct mutex mutex; /* RANK_QUEUE; guards what follows */
    struct condition changed;
    struct migration *first, *last;
    bool started;
    pthread_t thread;
    /* The thread's own. */
    struct executor executor;
    struct inner own; /* as whose client keys are deleted */
    const struct command *unlink;
    struct kept kept[TARGETS];
};

/* ---- Connections ----------------------------------------------------------------------------- */

static int64_t now_ms(const struct mover *mover)
{
    return clock_monotonic_us(mover->engine->clock) / 1000;
}

/* Everything that a connection depends on, each part with its length in front. */
static void write_login(const struct migration *migration, struct buf *out)
{
    const struct bytes parts[] = { migration->host, migration->port, migration->user,
                                   migration->password };
    buf_printf(out, "%d %d", migration->authenticates, migration->has_user);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        buf_printf(out, " %zu ", parts[i].len);
        buf_append(out, parts[i]);
    }
}

static void drop(struct kept *kept)
{
    target_close(&kept->target);
    buf_release(&kept->login);
    *kept = (struct kept){ .target = kept->target };
}

/* Closes those that have not been used for a while, or all of them. */
static void drop_old(struct mover *mover, bool all)
{
    for (int i = 0; i < TARGETS; i++) {
        struct kept *kept = &mover->kept[i];
        if (all || (kept->target.fd >= 0 && now_ms(mover) - kept->used_ms > KEPT_MS)) {
            drop(kept);
        }
    }
}

static void count_targets(struct mover *mover)
{
    uint32_t count = 0;
    for (int i = 0; i < TARGETS; i++) {
        count += mover->kept[i].target.fd >= 0;
    }
    atomic_store_explicit(&mover->engine->kept_targets, count, memory_order_relaxed);
}

/* The connection of this login that is kept, or a closed one in place of the least used. */
static struct target *find_target(struct mover *mover, const struct migration *migration)
{
    struct buf login = { 0 };
    struct kept *found = &mover->kept[0];
    write_login(migration, &login);
    for (int i = 0; i < TARGETS; i++) {
        struct kept *kept = &mover->kept[i];
        if (kept->target.fd >= 0 && bytes_equal(buf_bytes(&kept->login), buf_bytes(&login))) {
            found = kept;
            break;
        }
        if (kept->used_ms < found->used_ms) {
            found = kept;
        }
    }
    if (!bytes_equal(buf_bytes(&found->login), buf_bytes(&login)) ||
        !target_is_idle(&found->target)) {
        drop(found);
    }
    buf_release(&found->login);
    found->login = login;
    found->used_ms = now_ms(mover);
    return &found->target;
}

/* ---- One migration --------------------------------------------------------------------------- */

/* Waits for scripts that have been running for long: they have an end. */
static void begin_exclusive(struct executor *executor) UNCHECKED_LOCKING
{
    executor_enter(executor);
    for (unsigned turn = 0; !executor_begin_exclusive(executor); turn++) {
        executor_leave(executor);
        thread_pause(turn);
        executor_enter(executor);
    }
}

static void end_exclusive(struct executor *executor) UNCHECKED_LOCKING
{
    executor_end_exclusive(executor);
    executor_leave(executor);
}

/* Notes the keys; 'hashes' has room for them, and is kept until they are forgotten. */
static void begin_departure(struct mover *mover, const struct migration *migration,
                            uint64_t *hashes) UNCHECKED_LOCKING
{
    struct executor *executor = &mover->executor;
    begin_exclusive(executor);
    for (uint32_t i = 0; i < migration->key_count; i++) {
        hashes[i] =
            keyspace_hash(executor->thread.keyspace, migration->source_db, migration->keys[i].name);
    }
    departing_begin(executor, hashes, migration->key_count);
    end_exclusive(executor);
}

/* Packs the keys that are there, each under its own lock: they stay as they are in between. */
static bool pack(struct mover *mover, struct migration *migration)
{
    struct executor *executor = &mover->executor;
    struct keyspace *ks = executor->thread.keyspace;
    bool compress = mover->engine->settings.compress_strings, fine = true;
    for (uint32_t i = 0; i < migration->key_count && fine; i++) {
        struct locked_key key = { .name = migration->keys[i].name, .db = migration->source_db };
        executor_enter(executor);
        key.hash = keyspace_hash(ks, key.db, key.name);
        keylock_acquire(&executor->lock, key.db, &key, 1, KEYLOCK_READ);
        const struct entry *entry = keyspace_peek(ks, &executor->lock, key.name);
        fine = migration_pack(migration, i, &executor->thread, entry, compress);
        keylock_release(&executor->lock);
        keyspace_reap(&executor->thread, &executor->lock);
        executor_leave(executor);
    }
    return fine;
}

/* Deletes what the target has; in the exclusive section. */
static void delete_moved(struct mover *mover, const struct migration *migration)
    REQUIRES(mover->executor.lock)
{
    struct executor *executor = &mover->executor;
    struct reply ignored = { 0 };
    executor->lock.db = mover->own.client.db = migration->source_db;
    for (uint32_t i = 0; i < migration->key_count && !migration->copy; i++) {
        if (migration->keys[i].moved) {
            struct bytes argv[] = { LIT("UNLINK"), migration->keys[i].name };
            struct task task = { executor, &mover->own.client, mover->unlink, argv, 2, &ignored };
            (void)perform(&task);
            reply_clear(&ignored);
        }
    }
    reply_release(&ignored);
}

static void finish(struct mover *mover, const struct migration *migration) UNCHECKED_LOCKING
{
    struct executor *executor = &mover->executor;
    bool any = migration_has_keys(migration);
    begin_exclusive(executor);
    delete_moved(mover, migration);
    departing_end(executor);
    blocking_answer(executor, migration->ticket, buf_bytes(&migration->error),
                    any ? LIT("OK") : LIT("NOKEY"));
    end_exclusive(executor);
}

static void move(struct mover *mover, struct migration *migration)
{
    const struct target_wait wait = { mover->engine->clock, &mover->stopping,
                                      migration->timeout_ms };
    struct target *target = find_target(mover, migration);
    uint64_t *hashes = NULL;
    if (migration_open(migration, target, &wait)) {
        hashes = mem_try_alloc(migration->key_count * sizeof *hashes);
        if (hashes != NULL) {
            begin_departure(mover, migration, hashes);
        }
        if (hashes == NULL || !pack(mover, migration)) {
            migration_fail(migration, LIT("ERR out of memory"));
        } else if (migration_has_keys(migration)) {
            migration_send(migration, target, &wait);
        }
    }
    finish(mover, migration);
    mem_free(hashes);
    count_targets(mover);
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void destroy_migration(struct migration *migration)
{
    migration_release(migration);
    mem_free(migration);
}

/* The next migration, or NULL after a while. */
static struct migration *take(struct mover *mover)
{
    mutex_lock(&mover->mutex);
    if (mover->first == NULL && !mover->stopping) {
        (void)condition_wait_for(&mover->changed, &mover->mutex, LOOK_US);
    }
    struct migration *migration = mover->first;
    if (migration != NULL) {
        mover->first = migration->next;
    }
    mutex_unlock(&mover->mutex);
    return migration;
}

/* There is no answering anybody without it. */
static bool join(struct mover *mover)
{
    for (unsigned turn = 0; !mover->stopping; turn++) {
        if (executor_init(&mover->executor, mover->engine)) {
            inner_init(&mover->own, &mover->executor);
            return true;
        }
        thread_pause(turn);
    }
    return false;
}

static void *run(void *argument)
{
    struct mover *mover = argument;
    if (!join(mover)) {
        return NULL;
    }
    while (!mover->stopping) {
        struct migration *migration = take(mover);
        if (migration != NULL) {
            move(mover, migration);
            destroy_migration(migration);
        }
        drop_old(mover, false);
        count_targets(mover);
    }
    drop_old(mover, true);
    count_targets(mover);
    executor_release(&mover->executor);
    return NULL;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void stop(struct attachment *attachment)
{
    struct mover *mover = (struct mover *)attachment;
    mutex_lock(&mover->mutex);
    bool started = mover->started;
    mover->started = false;
    mover->stopping = true;
    condition_broadcast(&mover->changed);
    mutex_unlock(&mover->mutex);
    if (started) {
        pthread_join(mover->thread, NULL);
    }
}

static void destroy(struct attachment *attachment)
{
    struct mover *mover = (struct mover *)attachment;
    stop(attachment);
    while (mover->first != NULL) {
        struct migration *next = mover->first->next;
        destroy_migration(mover->first);
        mover->first = next;
    }
    condition_release(&mover->changed);
    mutex_release(&mover->mutex);
    mem_free(mover);
}

static struct mover *create(struct engine *engine)
{
    struct mover *mover = mem_try_aligned(CACHE_LINE, sizeof *mover);
    if (mover == NULL) {
        return NULL;
    }
    memset(mover, 0, sizeof *mover);
    mover->attachment = (struct attachment){ .destroy = destroy, .stop = stop };
    mover->engine = engine;
    mover->unlink = registry_find_name(engine->registry, LIT("unlink"));
    mutex_init(&mover->mutex, RANK_QUEUE);
    condition_init(&mover->changed);
    for (int i = 0; i < TARGETS; i++) {
        target_init(&mover->kept[i].target);
    }
    return mover;
}

/* Starts the thread if it does not run; false when there can be none. */
static bool ensure_running(struct mover *mover)
{
    mutex_lock(&mover->mutex);
    if (!mover->started && !mover->stopping) {
        mover->started = thread_start(&mover->thread, "rln-mover", run, mover) == 0;
    }
    bool runs = mover->started;
    mutex_unlock(&mover->mutex);
    return runs;
}

struct mover *mover_of(struct engine *engine)
{
    struct attachment *there = atomic_load_explicit(&engine->moving, memory_order_acquire);
    if (there == NULL) {
        struct mover *made = create(engine);
        if (made == NULL) {
            return NULL;
        }
        if (atomic_compare_exchange_strong_explicit(&engine->moving, &there, &made->attachment,
                                                    memory_order_acq_rel, memory_order_acquire)) {
            there = &made->attachment;
        } else {
            destroy(&made->attachment); /* Another thread was first. */
        }
    }
    struct mover *mover = (struct mover *)there;
    return ensure_running(mover) ? mover : NULL;
}

uint64_t mover_ticket(struct mover *mover)
{
    return atomic_fetch_add_explicit(&mover->tickets, 1, memory_order_relaxed) + 1;
}

void mover_adopt(struct mover *mover, struct migration *migration)
{
    migration->next = NULL;
    mutex_lock(&mover->mutex);
    if (mover->first == NULL) {
        mover->first = migration;
    } else {
        mover->last->next = migration;
    }
    mover->last = migration;
    condition_signal(&mover->changed);
    mutex_unlock(&mover->mutex);
}
