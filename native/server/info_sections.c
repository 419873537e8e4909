/* INFO's sections about what the server has done and holds: counters, lists, and the features
 * that it does not have, whose fields tell so.  See info.h. */
#include <inttypes.h>
#include <sys/resource.h>

#include "base/num.h"
#include "base/os.h"
#include "exec/engine.h"
#include "server/config.h"
#include "server/info_internal.h"
#include "store/eviction.h"

void info_persistence(const struct info_page *page)
{
    uint64_t changes = stat_read(&page->stats.dirty);
    buf_printf(page->out,
               "# Persistence\r\n"
               "loading:0\r\n"
               "async_loading:0\r\n"
               "current_cow_peak:0\r\n"
               "current_cow_size:0\r\n"
               "current_cow_size_age:0\r\n"
               "current_fork_perc:0.00\r\n"
               "current_save_keys_processed:0\r\n"
               "current_save_keys_total:0\r\n"
               "rdb_changes_since_last_save:%" PRIu64 "\r\n"
               "rdb_bgsave_in_progress:0\r\n"
               "rdb_last_save_time:%" PRId64 "\r\n"
               "rdb_last_bgsave_status:ok\r\n"
               "rdb_last_bgsave_time_sec:-1\r\n"
               "rdb_current_bgsave_time_sec:-1\r\n"
               "rdb_saves:0\r\n"
               "rdb_last_cow_size:0\r\n"
               "rdb_last_load_keys_expired:0\r\n"
               "rdb_last_load_keys_loaded:0\r\n",
               changes, (int64_t)page->engine->last_save_s);
    buf_printf(page->out, "aof_enabled:0\r\n"
                          "aof_rewrite_in_progress:0\r\n"
                          "aof_rewrite_scheduled:0\r\n"
                          "aof_last_rewrite_time_sec:-1\r\n"
                          "aof_current_rewrite_time_sec:-1\r\n"
                          "aof_last_bgrewrite_status:ok\r\n"
                          "aof_rewrites:0\r\n"
                          "aof_rewrites_consecutive_failures:0\r\n"
                          "aof_last_write_status:ok\r\n"
                          "aof_last_cow_size:0\r\n"
                          "module_fork_in_progress:0\r\n"
                          "module_fork_last_cow_size:0\r\n");
}

static double kilobytes(const struct info_rate *rate)
{
    return (double)stat_read(&rate->mean) / 1024;
}

static void write_traffic(const struct info_page *page)
{
    const struct stats *stats = &page->stats;
    const struct info_meter *meter = page->source->meter;
    buf_printf(page->out,
               "# Stats\r\n"
               "total_connections_received:%" PRIu64 "\r\n"
               "total_commands_processed:%" PRIu64 "\r\n"
               "instantaneous_ops_per_sec:%" PRIu64 "\r\n"
               "total_net_input_bytes:%" PRIu64 "\r\n"
               "total_net_output_bytes:%" PRIu64 "\r\n"
               "total_net_repl_input_bytes:0\r\n"
               "total_net_repl_output_bytes:0\r\n"
               "instantaneous_input_kbps:%.2f\r\n"
               "instantaneous_output_kbps:%.2f\r\n"
               "instantaneous_input_repl_kbps:0.00\r\n"
               "instantaneous_output_repl_kbps:0.00\r\n"
               "rejected_connections:%" PRIu64 "\r\n"
               "sync_full:0\r\n"
               "sync_partial_ok:0\r\n"
               "sync_partial_err:0\r\n",
               page->facts.accepted, stat_read(&stats->commands), stat_read(&meter->commands.mean),
               stat_read(&stats->net_in), stat_read(&stats->net_out), kilobytes(&meter->net_in),
               kilobytes(&meter->net_out), page->facts.refused);
}

static void write_keys(const struct info_page *page)
{
    buf_printf(page->out,
               "expired_keys:%" PRIu64 "\r\n"
               "expired_stale_perc:0.00\r\n"
               "expired_time_cap_reached_count:0\r\n"
               "expire_cycle_cpu_milliseconds:0\r\n"
               "evicted_keys:%" PRIu64 "\r\n"
               "evicted_clients:%" PRIu64 "\r\n"
               "total_eviction_exceeded_time:0\r\n"
               "current_eviction_exceeded_time:0\r\n"
               "keyspace_hits:%" PRIu64 "\r\n"
               "keyspace_misses:%" PRIu64 "\r\n"
               "pubsub_channels:%u\r\n"
               "pubsub_patterns:%u\r\n"
               "pubsubshard_channels:%u\r\n"
               "latest_fork_usec:0\r\n"
               "total_forks:0\r\n"
               "migrate_cached_sockets:%u\r\n"
               "slave_expires_tracked_keys:0\r\n",
               keyspace_expired(page->engine->keyspace), keyspace_evicted(page->engine->keyspace),
               stat_read(&page->stats.evicted_clients), stat_read(&page->stats.keyspace_hits),
               stat_read(&page->stats.keyspace_misses),
               pubsub_topics(&page->engine->pubsub, TOPIC_CHANNEL),
               pubsub_topics(&page->engine->pubsub, TOPIC_PATTERN),
               pubsub_topics(&page->engine->pubsub, TOPIC_SHARD),
               atomic_load_explicit(&page->engine->kept_targets, memory_order_relaxed));
    const struct tracking *tracking = &page->engine->tracking;
    buf_printf(page->out,
               "active_defrag_hits:0\r\n"
               "active_defrag_misses:0\r\n"
               "active_defrag_key_hits:0\r\n"
               "active_defrag_key_misses:0\r\n"
               "total_active_defrag_time:0\r\n"
               "current_active_defrag_time:0\r\n"
               "tracking_total_keys:%" PRIu64 "\r\n"
               "tracking_total_items:%" PRIu64 "\r\n"
               "tracking_total_prefixes:%u\r\n",
               stat_read(&tracking->keys), stat_read(&tracking->items), tracking->prefixes);
}

void info_stats(const struct info_page *page)
{
    const struct stats *stats = &page->stats;
    write_traffic(page);
    write_keys(page);
    buf_printf(page->out,
               "unexpected_error_replies:%" PRIu64 "\r\n"
               "total_error_replies:%" PRIu64 "\r\n"
               "dump_payload_sanitizations:0\r\n"
               "total_reads_processed:%" PRIu64 "\r\n"
               "total_writes_processed:%" PRIu64 "\r\n"
               "io_threaded_reads_processed:0\r\n"
               "io_threaded_writes_processed:0\r\n"
               "reply_buffer_shrinks:0\r\n"
               "reply_buffer_expands:0\r\n",
               stat_read(&stats->unexpected_errors), stat_read(&stats->error_replies),
               stat_read(&stats->reads), stat_read(&stats->writes));
    buf_printf(page->out,
               "acl_access_denied_auth:%" PRIu64 "\r\n"
               "acl_access_denied_cmd:%" PRIu64 "\r\n"
               "acl_access_denied_key:%" PRIu64 "\r\n"
               "acl_access_denied_channel:%" PRIu64 "\r\n"
               "client_query_buffer_limit_disconnections:%" PRIu64 "\r\n"
               "client_output_buffer_limit_disconnections:%" PRIu64 "\r\n"
               "client_errors:%" PRIu64 "\r\n"
               "protocol_errors:%" PRIu64 "\r\n"
               "accept_pauses:%" PRIu64 "\r\n"
               "mailboxes_full:%" PRIu64 "\r\n"
               "mailbox_letters_lost:%" PRIu64 "\r\n"
               "worker_steps:%" PRIu64 "\r\n",
               stat_read(&stats->acl_denied_auth), stat_read(&stats->acl_denied_command),
               stat_read(&stats->acl_denied_key), stat_read(&stats->acl_denied_channel),
               stat_read(&stats->query_buffer_limit), stat_read(&stats->output_buffer_limit),
               page->facts.client_errors, stat_read(&stats->protocol_errors),
               page->facts.accept_pauses, stat_read(&page->engine->mail.times_full),
               stat_read(&page->engine->mail.lost), stat_read(&stats->steps));
}

void info_replication(const struct info_page *page)
{
    buf_printf(page->out,
               "# Replication\r\n"
               "role:master\r\n"
               "connected_slaves:0\r\n"
               "master_failover_state:no-failover\r\n"
               "master_replid:%s\r\n"
               "master_replid2:0000000000000000000000000000000000000000\r\n"
               "master_repl_offset:0\r\n"
               "second_repl_offset:-1\r\n"
               "repl_backlog_active:0\r\n"
               "repl_backlog_size:1048576\r\n"
               "repl_backlog_first_byte_offset:0\r\n"
               "repl_backlog_histlen:0\r\n",
               page->engine->replication_id);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void info_cpu(const struct info_page *page)
{
    struct rusage own = { 0 }, children = { 0 };
    (void)getrusage(RUSAGE_SELF, &own);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    buf_printf(page->out,
               "# CPU\r\n"
               "used_cpu_sys:%.6f\r\n"
               "used_cpu_user:%.6f\r\n"
               "used_cpu_sys_children:%.6f\r\n"
               "used_cpu_user_children:%.6f\r\n",
               seconds(own.ru_stime), seconds(own.ru_utime), seconds(children.ru_stime),
               seconds(children.ru_utime));
    int64_t system_us, user_us;
    if (os_thread_times(&system_us, &user_us)) {
        /* There is no main thread: of the one that answers. */
        buf_printf(page->out,
                   "used_cpu_sys_main_thread:%.6f\r\n"
                   "used_cpu_user_main_thread:%.6f\r\n",
                   (double)system_us / 1e6, (double)user_us / 1e6);
    }
}

void info_modules(const struct info_page *page)
{
    buf_append(page->out, LIT("# Modules\r\n"));
}

void info_commandstats(const struct info_page *page)
{
    const struct registry *registry = page->engine->registry;
    buf_append(page->out, LIT("# Commandstats\r\n"));
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        struct command_totals totals;
        engine_command_stats(page->engine, i, &totals);
        if (totals.calls == 0 && totals.rejected == 0 && totals.failed == 0) {
            continue;
        }
        int64_t us = ticks_to_us(&page->engine->ticks, totals.ticks);
        buf_printf(page->out,
                   "cmdstat_%s:calls=%" PRIu64 ",usec=%" PRId64 ",usec_per_call=%.2f,"
                   "rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64 "\r\n",
                   registry_at(registry, i)->name, totals.calls, us,
                   totals.calls == 0 ? 0.0 : (double)us / (double)totals.calls, totals.rejected,
                   totals.failed);
    }
}

static void write_error_kind(void *user, struct bytes word, uint64_t count)
{
    struct buf *out = user;
    if (count > 0) {
        buf_printf(out, "errorstat_%.*s:count=%" PRIu64 "\r\n", (int)word.len, word.at, count);
    }
}

void info_errorstats(const struct info_page *page)
{
    buf_append(page->out, LIT("# Errorstats\r\n"));
    engine_error_stats(page->engine, write_error_kind, page->out);
}

/* One command's line on its way. */
struct percentiles {
    const struct info_page *page;
    uint64_t buckets[LATENCY_BUCKETS], calls;
    bool first;
};

/* Microseconds within which 'percent' of the calls ended, between the ends of their bucket as
 * if it were evenly filled. */
static double percentile(const struct percentiles *of, double percent)
{
    double wanted = percent / 100 * (double)of->calls, seen = 0;
    unsigned last = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        double here = (double)of->buckets[i];
        if (here > 0 && seen + here >= wanted) {
            double begin = latency_bucket_begin(i), end = latency_bucket_begin(i + 1);
            double part = (wanted - seen) / here;
            return (begin + (end - begin) * part) / of->page->engine->ticks.per_us;
        }
        seen += here;
        last = here > 0 ? i : last;
    }
    return latency_bucket_begin(last + 1) / of->page->engine->ticks.per_us;
}

static void write_percentile(void *user, struct bytes word)
{
    struct percentiles *of = user;
    double percent;
    if (num_parse_double(word, &percent)) {
        buf_printf(of->page->out, "%sp%.*s=%.3f", of->first ? "" : ",", (int)word.len, word.at,
                   percentile(of, percent));
        of->first = false;
    }
}

void info_latencystats(const struct info_page *page)
{
    const struct registry *registry = page->engine->registry;
    buf_append(page->out, LIT("# Latencystats\r\n"));
    for (uint32_t i = 0; i < registry_count(registry); i++) {
        struct percentiles of = { .page = page, .first = true };
        if (!page->engine->settings.latency_tracking) {
            break;
        }
        engine_command_latency(page->engine, i, of.buckets);
        for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
            of.calls += of.buckets[bucket];
        }
        if (of.calls > 0) {
            buf_printf(page->out, "latency_percentiles_usec_%s:", registry_at(registry, i)->name);
            config_words(page->source->config, "latency-tracking-info-percentiles",
                         write_percentile, &of);
            buf_append(page->out, LIT("\r\n"));
        }
    }
}

void info_cluster(const struct info_page *page)
{
    buf_append(page->out, LIT("# Cluster\r\ncluster_enabled:0\r\n"));
}

void info_keyspace(const struct info_page *page)
{
    struct keyspace *keyspace = page->engine->keyspace;
    buf_append(page->out, LIT("# Keyspace\r\n"));
    for (uint32_t db = 0; db < keyspace_databases(keyspace); db++) {
        int64_t keys = keyspace_size(keyspace, db);
        int64_t expires = keyspace_expires(keyspace, db);
        if (keys > 0 || expires > 0) {
            buf_printf(page->out,
                       "db%" PRIu32 ":keys=%" PRId64 ",expires=%" PRId64 ",avg_ttl=%" PRId64 "\r\n",
                       db, keys, expires, keyspace_average_ttl(keyspace, db));
        }
    }
}
