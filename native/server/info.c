/* INFO: which sections are asked for, those about the server itself, and the samples behind
 * its rates.  The other sections are info_sections.c; see info.h. */
#include "server/info.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/num.h"
#include "base/os.h"
#include "exec/engine.h"
#include "server/config.h"
#include "server/info_internal.h"

enum { TEXT_ROOM = 1024, LRU_CLOCK_MASK = 0xffffff };

/* ---- Rates ---------------------------------------------------------------------------- */

static void sample_rate(struct info_rate *rate, uint64_t counter, int64_t elapsed_us, unsigned at)
{
    uint64_t grown = counter > rate->last ? counter - rate->last : 0; /* RESETSTAT sets it to 0. */
    uint64_t sum = 0;
    rate->last = counter;
    rate->per_second[at] = (uint64_t)((double)grown * 1e6 / (double)elapsed_us);
    for (unsigned i = 0; i < INFO_SAMPLES; i++) {
        sum += rate->per_second[i];
    }
    atomic_store_explicit(&rate->mean, sum / INFO_SAMPLES, memory_order_relaxed);
}

uint64_t info_meter_peak(struct info_meter *meter, uint64_t memory)
{
    uint64_t peak = stat_read(&meter->peak_memory);
    while (memory > peak && !atomic_compare_exchange_weak(&meter->peak_memory, &peak, memory)) {}
    return memory > peak ? memory : peak;
}

void info_meter_sample(struct info_meter *meter, struct engine *engine)
{
    struct stats stats = { .commands = 0 };
    int64_t now_us = clock_monotonic_us(engine->clock);
    int64_t elapsed_us = now_us - meter->sampled_us;

    engine_stats(engine, &stats);
    (void)info_meter_peak(meter, engine_memory(engine));
    if (elapsed_us <= 0) {
        return;
    }
    bool first = meter->sampled_us == 0;
    meter->sampled_us = now_us;
    if (first) {
        meter->commands.last = stat_read(&stats.commands);
        meter->net_in.last = stat_read(&stats.net_in);
        meter->net_out.last = stat_read(&stats.net_out);
        return;
    }
    sample_rate(&meter->commands, stat_read(&stats.commands), elapsed_us, meter->next);
    sample_rate(&meter->net_in, stat_read(&stats.net_in), elapsed_us, meter->next);
    sample_rate(&meter->net_out, stat_read(&stats.net_out), elapsed_us, meter->next);
    meter->next = (meter->next + 1) % INFO_SAMPLES;
}

/* ---- The server itself ----------------------------------------------------------------- */

static void write_identity(const struct info_page *page)
{
    char os[TEXT_ROOM];
    os_describe(os, sizeof os);
    buf_printf(page->out,
               "# Server\r\n"
               "redis_version:%s\r\n"
               "redis_git_sha1:00000000\r\n"
               "redis_git_dirty:0\r\n"
               "redis_build_id:0\r\n"
               "redis_lite_native_version:%s\r\n"
               "redis_mode:standalone\r\n"
               "os:%s\r\n"
               "arch_bits:%zu\r\n"
               "monotonic_clock:POSIX clock_gettime\r\n"
               "multiplexing_api:%s\r\n"
               "atomicvar_api:c11-builtin\r\n",
               REDIS_COMPAT_VERSION, rln_version(), os, sizeof(void *) * 8, page->facts.poller);
#if defined(__GNUC__)
    buf_printf(page->out, "gcc_version:%d.%d.%d\r\n", __GNUC__, __GNUC_MINOR__,
               __GNUC_PATCHLEVEL__);
#endif
}

static void info_server(const struct info_page *page)
{
    struct engine *engine = page->engine;
    struct config *config = page->source->config;
    char executable[TEXT_ROOM] = "";
    int64_t uptime = (clock_monotonic_us(engine->clock) - engine->started_us) / 1000000;

    (void)os_executable(executable, sizeof executable);
    write_identity(page);
    buf_printf(page->out,
               "process_id:%ld\r\n"
               "process_supervised:no\r\n"
               "run_id:%s\r\n"
               "tcp_port:%d\r\n"
               "server_time_usec:%" PRId64 "\r\n"
               "uptime_in_seconds:%" PRId64 "\r\n"
               "uptime_in_days:%" PRId64 "\r\n"
               "hz:%" PRId64 "\r\n"
               "configured_hz:%" PRId64 "\r\n"
               "lru_clock:%" PRId64 "\r\n"
               "executable:%s\r\n"
               "config_file:",
               (long)getpid(), engine->run_id, page->facts.port, page->now_us, uptime,
               uptime / 86400, (int64_t)config->live.hz, (int64_t)config->live.hz,
               page->now_us / 1000000 & LRU_CLOCK_MASK, executable);
    config_file(config, page->out);
    buf_printf(page->out,
               "\r\n"
               "io_threads_active:0\r\n"
               "io_model:%s\r\n"
               "workers:%u\r\n"
               "job_queue_depth:%zu\r\n"
               "job_queue_capacity:%zu\r\n"
               "jobs_handed_over:%" PRIu64 "\r\n",
               page->facts.io_model, page->facts.workers, page->facts.job_queue_depth,
               page->facts.job_queue_capacity, page->facts.jobs);
    if (page->facts.shutdown_in_ms >= 0) {
        buf_printf(page->out, "shutdown_in_milliseconds:%" PRId64 "\r\n",
                   page->facts.shutdown_in_ms);
    }
}

static void info_clients(const struct info_page *page)
{
    buf_printf(page->out,
               "# Clients\r\n"
               "connected_clients:%" PRId64 "\r\n"
               "cluster_connections:0\r\n"
               "maxclients:%" PRId64 "\r\n"
               "client_recent_max_input_buffer:%zu\r\n"
               "client_recent_max_output_buffer:%zu\r\n"
               "blocked_clients:%u\r\n"
               "tracking_clients:%u\r\n"
               "clients_in_timeout_table:0\r\n",
               (int64_t)page->engine->session_count,
               config_number(page->source->config, "maxclients"), page->facts.largest_query_buffer,
               page->facts.largest_output_buffer, page->engine->blocking.sessions,
               page->engine->tracking.clients);
}

/* A number of bytes, and the same for people. */
static void write_bytes(const struct info_page *page, const char *name, uint64_t bytes)
{
    char human[32];
    size_t len = num_format_human(human, sizeof human, bytes);
    buf_printf(page->out, "%s:%" PRIu64 "\r\n%s_human:%.*s\r\n", name, bytes, name, (int)len,
               human);
}

static void write_ratio(const struct info_page *page, const char *name, uint64_t part,
                        uint64_t whole)
{
    buf_printf(page->out, "%s_ratio:%.2f\r\n%s_bytes:%" PRId64 "\r\n", name,
               whole == 0 ? 0.0 : (double)part / (double)whole, name,
               (int64_t)part - (int64_t)whole);
}

static void write_used_memory(const struct info_page *page, uint64_t used, uint64_t resident)
{
    uint64_t peak = info_meter_peak(page->source->meter, used);
    uint64_t startup = page->facts.startup_memory;
    uint64_t dataset = used > startup ? used - startup : 0;

    buf_append(page->out, LIT("# Memory\r\n"));
    write_bytes(page, "used_memory", used);
    write_bytes(page, "used_memory_rss", resident);
    write_bytes(page, "used_memory_peak", peak);
    buf_printf(page->out,
               "used_memory_peak_perc:%.2f%%\r\n"
               "used_memory_overhead:%" PRIu64 "\r\n"
               "used_memory_startup:%" PRIu64 "\r\n"
               "used_memory_dataset:%" PRIu64 "\r\n"
               "used_memory_dataset_perc:%.2f%%\r\n",
               peak == 0 ? 0.0 : (double)used * 100 / (double)peak, used - dataset, startup,
               dataset, used == 0 ? 0.0 : (double)dataset * 100 / (double)used);
}

/* A thread has one interpreter for both: its memory counts as that of scripts. */
static void write_script_memory(const struct info_page *page)
{
    struct script_usage usage = engine_script_usage(page->engine);

    write_bytes(page, "used_memory_lua", usage.machines);
    buf_printf(page->out,
               "used_memory_vm_eval:%" PRIu64 "\r\n"
               "used_memory_scripts_eval:%" PRIu64 "\r\n"
               "number_of_cached_scripts:%" PRIu64 "\r\n"
               "number_of_functions:%" PRIu64 "\r\n"
               "number_of_libraries:%" PRIu64 "\r\n"
               "used_memory_vm_functions:0\r\n",
               usage.machines, usage.scripts, usage.script_count, usage.function_count,
               usage.library_count);
    write_bytes(page, "used_memory_vm_total", usage.machines);
    buf_printf(page->out, "used_memory_functions:%" PRIu64 "\r\n", usage.libraries);
    write_bytes(page, "used_memory_scripts", usage.scripts + usage.libraries);
}

static void info_memory(const struct info_page *page)
{
    uint64_t used = engine_memory(page->engine);
    uint64_t resident = os_resident_bytes();
    uint64_t allocated = os_allocator_used();

    write_used_memory(page, used, resident);
    buf_printf(page->out,
               "allocator_allocated:%" PRIu64 "\r\n"
               "allocator_active:%" PRIu64 "\r\n"
               "allocator_resident:%" PRIu64 "\r\n",
               allocated, allocated, resident);
    write_bytes(page, "total_system_memory", os_physical_bytes());
    write_script_memory(page);
    write_bytes(page, "maxmemory", page->engine->settings.maxmemory);
    buf_printf(page->out, "maxmemory_policy:%s\r\n",
               config_choice(page->source->config, "maxmemory-policy"));
    write_ratio(page, "allocator_frag", allocated, allocated);
    write_ratio(page, "allocator_rss", resident, allocated);
    write_ratio(page, "rss_overhead", resident, resident);
    write_ratio(page, "mem_fragmentation", resident, used);
    buf_printf(page->out,
               "mem_not_counted_for_evict:0\r\n"
               "mem_replication_backlog:0\r\n"
               "mem_total_replication_buffers:0\r\n"
               "mem_clients_slaves:0\r\n"
               "mem_clients_normal:%" PRIu64 "\r\n"
               "mem_cluster_links:0\r\n"
               "mem_aof_buffer:0\r\n"
               "mem_allocator:slab\r\n"
               "active_defrag_running:0\r\n"
               "lazyfree_pending_objects:%zu\r\n"
               "lazyfreed_objects:0\r\n",
               page->facts.client_memory, keyspace_pending_frees(page->engine->keyspace));
}

/* ---- Which sections --------------------------------------------------------------------- */

enum section_sets { IN_DEFAULT = 1, IN_ALL = 2 };

static const struct section {
    const char *name;
    unsigned sets;
    void (*write)(const struct info_page *page);
} all_sections[] = {
    { "server", IN_DEFAULT | IN_ALL, info_server },
    { "clients", IN_DEFAULT | IN_ALL, info_clients },
    { "memory", IN_DEFAULT | IN_ALL, info_memory },
    { "persistence", IN_DEFAULT | IN_ALL, info_persistence },
    { "stats", IN_DEFAULT | IN_ALL, info_stats },
    { "replication", IN_DEFAULT | IN_ALL, info_replication },
    { "cpu", IN_DEFAULT | IN_ALL, info_cpu },
    { "modules", IN_DEFAULT | IN_ALL, info_modules },
    { "commandstats", IN_ALL, info_commandstats },
    { "errorstats", IN_DEFAULT | IN_ALL, info_errorstats },
    { "latencystats", IN_ALL, info_latencystats },
    { "cluster", IN_DEFAULT | IN_ALL, info_cluster },
    { "keyspace", IN_DEFAULT | IN_ALL, info_keyspace },
};

static bool is_wanted(const struct section *section, const struct bytes *names, uint32_t count)
{
    if (count == 0) {
        return (section->sets & IN_DEFAULT) != 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal_nocase(names[i], bytes_of(section->name)) ||
            (bytes_equal_nocase(names[i], LIT("default")) && (section->sets & IN_DEFAULT) != 0) ||
            bytes_equal_nocase(names[i], LIT("all")) ||
            bytes_equal_nocase(names[i], LIT("everything"))) {
            return true;
        }
    }
    return false;
}

void info_write(const struct info_source *source, struct executor *executor,
                const struct bytes *sections, uint32_t count, struct buf *out)
{
    struct info_page page = { .source = source, .engine = source->engine, .out = out };
    bool first = true;

    (void)executor;
    source->facts(source->server, &page.facts);
    engine_stats(page.engine, &page.stats);
    page.now_us = clock_wall_us(page.engine->clock);
    for (size_t i = 0; i < sizeof all_sections / sizeof all_sections[0]; i++) {
        if (is_wanted(&all_sections[i], sections, count)) {
            if (!first) {
                buf_append(out, LIT("\r\n"));
            }
            first = false;
            all_sections[i].write(&page);
        }
    }
}
