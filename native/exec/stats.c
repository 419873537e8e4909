/* The statistics of all executing threads, added up; see stats.h and engine.h. */
#include "exec/stats.h"

#include "base/os.h"
#include "exec/engine.h"
#include "exec/executor.h"

static void add_stats(struct stats *sum, const struct stats *part)
{
#define X(name) stat_add(&sum->name, stat_read(&part->name));
    STATS_LIST(X)
#undef X
}

static void add_command(struct command_stats *sum, const struct command_stats *part)
{
    stat_add(&sum->ticks, stat_read(&part->ticks));
    stat_add(&sum->rejected, stat_read(&part->rejected));
    stat_add(&sum->failed, stat_read(&part->failed));
}

static void add_latency(uint64_t *sum, const struct command_latency *part)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        sum[i] += stat_read(&part->buckets[i]);
    }
}

/* Keeps what a leaving executor has counted; most of its memory was never touched and is not
 * now. */
static void keep_latency(struct command_latency *past, const struct command_latency *part)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        uint64_t count = stat_read(&part->buckets[i]);
        if (count > 0) {
            stat_add(&past->buckets[i], count);
        }
    }
}

/* Adds the counts of 'part' to 'sum', which only the caller writes. */
static void add_errors(struct error_stats *sum, const struct error_stats *part)
{
    uint32_t kinds = atomic_load_explicit(&part->used, memory_order_acquire);
    for (uint32_t i = 0; i < kinds; i++) {
        struct bytes word = bytes_of(part->kinds[i].word);
        uint32_t used = atomic_load_explicit(&sum->used, memory_order_relaxed), at = 0;
        while (at < used && !bytes_equal(bytes_of(sum->kinds[at].word), word)) {
            at++;
        }
        if (at == ERROR_KINDS) {
            at = 0;
        } else if (at == used) {
            memcpy(sum->kinds[at].word, part->kinds[i].word, ERROR_KIND_LEN);
            atomic_store_explicit(&sum->used, used + 1, memory_order_release);
        }
        stat_add(&sum->kinds[at].count, stat_read(&part->kinds[i].count));
    }
}

void engine_retire_executor(struct engine *engine, struct executor *executor)
{
    mutex_lock(&engine->sessions_lock);
    struct executor **link = &engine->executors;
    while (*link != executor) {
        link = &(*link)->next;
    }
    *link = executor->next;
    add_stats(&engine->past, &executor->stats);
    add_errors(&engine->past_errors, &executor->errors);
    for (uint32_t i = 0; i < registry_count(engine->registry); i++) {
        add_command(&engine->past_commands[i], &executor->commands[i]);
        keep_latency(&engine->past_latency[i], &executor->latency[i]);
    }
    mutex_unlock(&engine->sessions_lock);
}

void engine_stats(struct engine *engine, struct stats *sum)
{
    *sum = (struct stats){ 0 };
    mutex_lock(&engine->sessions_lock);
    add_stats(sum, &engine->past);
    for (const struct executor *executor = engine->executors; executor != NULL;
         executor = executor->next) {
        add_stats(sum, &executor->stats);
    }
    mutex_unlock(&engine->sessions_lock);
}

void engine_command_stats(struct engine *engine, uint32_t index, struct command_totals *totals)
{
    struct command_stats sum = { 0 };
    uint64_t buckets[LATENCY_BUCKETS], calls = 0;
    engine_command_latency(engine, index, buckets);
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        calls += buckets[i];
    }
    mutex_lock(&engine->sessions_lock);
    add_command(&sum, &engine->past_commands[index]);
    for (const struct executor *executor = engine->executors; executor != NULL;
         executor = executor->next) {
        add_command(&sum, &executor->commands[index]);
    }
    mutex_unlock(&engine->sessions_lock);
    *totals = (struct command_totals){ calls, stat_read(&sum.ticks), stat_read(&sum.rejected),
                                       stat_read(&sum.failed) };
}

void engine_command_latency(struct engine *engine, uint32_t index, uint64_t *buckets)
{
    memset(buckets, 0, LATENCY_BUCKETS * sizeof buckets[0]);
    mutex_lock(&engine->sessions_lock);
    add_latency(buckets, &engine->past_latency[index]);
    for (const struct executor *executor = engine->executors; executor != NULL;
         executor = executor->next) {
        add_latency(buckets, &executor->latency[index]);
    }
    mutex_unlock(&engine->sessions_lock);
}

enum { LATENCY_PAGE = 4096 };

/* Fresh memory of the kernel: pages that are never touched take none. */
static size_t latency_size(const struct engine *engine)
{
    size_t size = registry_count(engine->registry) * sizeof(struct command_latency);
    return (size / LATENCY_PAGE + 1) * LATENCY_PAGE;
}

struct command_latency *engine_latency_create(const struct engine *engine)
{
    return os_map(LATENCY_PAGE, latency_size(engine));
}

void engine_latency_destroy(const struct engine *engine, struct command_latency *latency)
{
    if (latency != NULL) {
        os_unmap(latency, latency_size(engine));
    }
}

void engine_error_stats(struct engine *engine,
                        void (*each)(void *user, struct bytes word, uint64_t count), void *user)
{
    struct error_stats sum = { 0 };
    mutex_lock(&engine->sessions_lock);
    add_errors(&sum, &engine->past_errors);
    for (const struct executor *executor = engine->executors; executor != NULL;
         executor = executor->next) {
        add_errors(&sum, &executor->errors);
    }
    mutex_unlock(&engine->sessions_lock);
    for (uint32_t i = 0; i < sum.used; i++) {
        uint64_t count = stat_read(&sum.kinds[i].count);
        if (count > 0) {
            each(user, bytes_of(sum.kinds[i].word), count);
        }
    }
}

static void clear_stats(struct stats *stats)
{
#define X(name) atomic_store_explicit(&stats->name, 0, memory_order_relaxed);
    STATS_LIST(X)
#undef X
}

static void clear_commands(struct command_stats *commands, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        atomic_store_explicit(&commands[i].ticks, 0, memory_order_relaxed);
        atomic_store_explicit(&commands[i].rejected, 0, memory_order_relaxed);
        atomic_store_explicit(&commands[i].failed, 0, memory_order_relaxed);
    }
}

static void clear_latency(struct command_latency *latency, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
            if (stat_read(&latency[i].buckets[bucket]) != 0) {
                atomic_store_explicit(&latency[i].buckets[bucket], 0, memory_order_relaxed);
            }
        }
    }
}

/* The words stay, for their order is nobody's business. */
static void clear_errors(struct error_stats *errors)
{
    for (uint32_t i = 0; i < ERROR_KINDS; i++) {
        atomic_store_explicit(&errors->kinds[i].count, 0, memory_order_relaxed);
    }
}

void engine_reset_stats(struct engine *engine)
{
    uint32_t commands = registry_count(engine->registry);
    keyspace_reset_stats(engine->keyspace);
    mutex_lock(&engine->sessions_lock);
    clear_stats(&engine->past);
    clear_errors(&engine->past_errors);
    clear_commands(engine->past_commands, commands);
    clear_latency(engine->past_latency, commands);
    for (struct executor *executor = engine->executors; executor != NULL;
         executor = executor->next) {
        clear_stats(&executor->stats);
        clear_errors(&executor->errors);
        clear_commands(executor->commands, commands);
        clear_latency(executor->latency, commands);
    }
    mutex_unlock(&engine->sessions_lock);
}
