/* What all executing threads share; see engine.h. */
#include "exec/engine.h"

#include <stddef.h>

#include "base/mem.h"
#include "base/random.h"
#include "exec/executor.h"
#include "exec/slowlog.h"

enum {
    RUN_ID_LEN = 40,
    DEFAULT_SLOWLOG_LEN = 128,
    DEFAULT_SLOWLOG_US = 10000,
    DEFAULT_TRACKED_KEYS = 1000000,
    DEFAULT_MAILBOX = 16 * 1024 * 1024,
    DEFAULT_BUSY_MS = 5000,
};
#define DEFAULT_MAX_BULK_LEN (512u * 1024 * 1024)
#define DEFAULT_LUA_LIMIT    (UINT64_C(1024) * 1024 * 1024)

/* Every thread of an engine's keyspace is an executor's. */
static struct executor *executor_of(struct store_thread *thread)
{
    _Static_assert(offsetof(struct executor, thread) == 0, "it comes first");
    return (struct executor *)(void *)thread;
}

/* A key has gone by itself: what replicas and the append-only file are told is its deletion. */
static void tell_gone(struct engine *engine, struct store_thread *thread, uint32_t db,
                      struct bytes key, struct bytes event, bool lazily)
{
    if (tracking_any(&engine->tracking)) {
        tracking_key_changed(engine, executor_of(thread), NULL, key);
    }
    if (blocking_any(&engine->blocking)) {
        blocking_note(&engine->blocking, db, key);
    }
    if (engine->changes.effect != NULL) {
        struct bytes argv[] = { lazily ? LIT("UNLINK") : LIT("DEL"), key };
        engine->changes.effect(engine->changes.user, db, argv, 2);
    }
    notify_event(engine, db, key, event);
    if (engine->changes.event != NULL) {
        engine->changes.event(engine->changes.user, db, key, event);
    }
}

static void tell_expired(void *user, struct store_thread *thread, uint32_t db, struct bytes key)
{
    struct engine *engine = user;
    tell_gone(engine, thread, db, key, LIT("expired"),
              atomic_load_explicit(&engine->settings.lazy_expire, memory_order_relaxed));
}

static void tell_evicted(void *user, struct store_thread *thread, uint32_t db, struct bytes key)
{
    struct engine *engine = user;
    tell_gone(engine, thread, db, key, LIT("evicted"),
              atomic_load_explicit(&engine->settings.lazy_eviction, memory_order_relaxed));
}

/* A field of a hash has ended. */
static void tell_field_expired(void *user, uint32_t db, struct bytes key, struct bytes field)
{
    struct engine *engine = user;
    if (tracking_any(&engine->tracking)) {
        tracking_key_changed(engine, NULL, NULL, key);
    }
    if (engine->changes.effect != NULL) {
        struct bytes argv[] = { LIT("HDEL"), key, field };
        engine->changes.effect(engine->changes.user, db, argv, 3);
    }
    notify_event(engine, db, key, LIT("hexpired"));
    if (engine->changes.event != NULL) {
        engine->changes.event(engine->changes.user, db, key, LIT("hexpired"));
    }
}

/* It was the last one: the HDEL that was told removes the key wherever it is done again. */
static void tell_fields_gone(void *user, uint32_t db, struct bytes key)
{
    struct engine *engine = user;
    notify_event(engine, db, key, LIT("del"));
    if (engine->changes.event != NULL) {
        engine->changes.event(engine->changes.user, db, key, LIT("del"));
    }
}

static void tell_created(void *user, uint32_t db, struct bytes key)
{
    notify_event(user, db, key, LIT("new"));
}

static void set_defaults(struct engine_settings *settings)
{
    atomic_init(&settings->slowlog_log_slower_than, DEFAULT_SLOWLOG_US);
    atomic_init(&settings->slowlog_max_len, DEFAULT_SLOWLOG_LEN);
    atomic_init(&settings->max_bulk_len, DEFAULT_MAX_BULK_LEN);
    atomic_init(&settings->busy_reply_threshold, DEFAULT_BUSY_MS);
    atomic_init(&settings->lua_memory_limit, DEFAULT_LUA_LIMIT);
    atomic_init(&settings->lua_reply_limit, DEFAULT_LUA_LIMIT);
    atomic_init(&settings->maxmemory_denies, true);
    atomic_init(&settings->latency_tracking, true);
    atomic_init(&settings->tracking_max_keys, DEFAULT_TRACKED_KEYS);
    atomic_init(&settings->compress_strings, true);
}

/* A run's id: hex digits from the same dice as everything else, so that a seed gives it. */
static void make_run_id(struct random *dice, char *out)
{
    for (size_t i = 0; i < RUN_ID_LEN; i++) {
        out[i] = "0123456789abcdef"[random_below(dice, 16)];
    }
    out[RUN_ID_LEN] = '\0';
}

bool engine_init(struct engine *engine, const struct engine_options *options)
{
    struct random dice;
    uint64_t seed = options->seed;
    if (seed == 0) {
        random_system(&seed, sizeof seed);
    }
    random_init(&dice, seed);
    *engine = (struct engine){ .clock = options->clock, .log = options->log };
    struct keyspace_options store = {
        .databases = options->databases,
        .hash_key = { random_next(&dice), random_next(&dice) },
        .clock = options->clock,
        .hooks = { .expired = tell_expired,
                   .evicted = tell_evicted,
                   .created = tell_created,
                   .field_expired = tell_field_expired,
                   .fields_gone = tell_fields_gone,
                   .user = engine },
    };
    if (options->seed == 0) {
        random_system(&store.hash_key, sizeof store.hash_key); /* 64 bits are too few for it. */
    }
    engine->seed = random_next(&dice);
    make_run_id(&dice, engine->run_id);
    make_run_id(&dice, engine->replication_id);
    set_defaults(&engine->settings);
    atomic_init(&engine->mail.limit, DEFAULT_MAILBOX);
    engine->mail.full = &engine->holdups;
    ticks_init(&engine->ticks);
    engine->started_us = clock_monotonic_us(options->clock);
    engine->last_save_s = clock_wall_us(options->clock) / 1000000;
    mutex_init(&engine->sessions_lock, RANK_SESSIONS);
    engine->registry = registry_create(options->families, options->family_count);
    if (engine->registry != NULL) {
        size_t size = (registry_count(engine->registry) + 1) * sizeof(struct command_stats);
        engine->past_commands = mem_try_alloc(size);
        if (engine->past_commands != NULL) {
            memset(engine->past_commands, 0, size);
        }
    }
    engine->past_latency = engine->registry == NULL ? NULL : engine_latency_create(engine);
    latency_init(&engine->latency);
    engine->keyspace = keyspace_create(&store);
    monitors_init(&engine->monitors);
    bool blocking = blocking_init(&engine->blocking, &store.hash_key);
    bool pubsub = pubsub_init(&engine->pubsub, &store.hash_key);
    bool tracking = tracking_init(&engine->tracking, &store.hash_key);
    acl_init(&engine->acl, engine->registry);
    engine->slowlog = slowlog_create();
    if (engine->registry == NULL || engine->past_commands == NULL || engine->past_latency == NULL ||
        engine->keyspace == NULL || engine->slowlog == NULL || !blocking || !pubsub || !tracking) {
        engine_release(engine);
        return false;
    }
    return true;
}

void engine_change_replication_id(struct engine *engine, struct random *dice)
{
    make_run_id(dice, engine->replication_id);
}

void engine_stop(struct engine *engine)
{
    struct attachment *moving = atomic_load_explicit(&engine->moving, memory_order_acquire);
    if (moving != NULL) {
        moving->stop(moving);
    }
}

static void destroy_attachment(_Atomic(struct attachment *) *attachment)
{
    struct attachment *there = atomic_exchange_explicit(attachment, NULL, memory_order_acq_rel);
    if (there != NULL) {
        there->destroy(there);
    }
}

void engine_release(struct engine *engine)
{
    destroy_attachment(&engine->moving);
    destroy_attachment(&engine->scripting);
    keyspace_destroy(engine->keyspace);
    slowlog_destroy(engine->slowlog);
    engine_latency_destroy(engine, engine->past_latency);
    latency_release(&engine->latency);
    registry_destroy(engine->registry);
    mem_free(engine->past_commands);
    mutex_release(&engine->sessions_lock);
    blocking_release(&engine->blocking);
    pubsub_release(&engine->pubsub);
    acl_release(&engine->acl);
    tracking_release(&engine->tracking);
    monitors_release(&engine->monitors);
    engine->keyspace = NULL;
    engine->slowlog = NULL;
    engine->registry = NULL;
    engine->past_commands = NULL;
    engine->past_latency = NULL;
}

struct script_usage engine_script_usage(const struct engine *engine)
{
    struct attachment *scripting = atomic_load_explicit(&engine->scripting, memory_order_acquire);
    struct script_usage usage = { 0 };
    if (scripting != NULL) {
        scripting->usage(scripting, &usage);
    }
    return usage;
}

size_t engine_memory(const struct engine *engine)
{
    return sizeof *engine + keyspace_memory(engine->keyspace) +
           atomic_load_explicit(&engine->tracking.memory, memory_order_relaxed);
}
