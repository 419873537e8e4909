/* Where the values of directives go: threads read copies of the hot ones without the
 * configuration's mutex; see config.h. */
#include "server/config_publish.h"

#include "exec/engine.h"
#include "net/net.h"
#include "server/config_value.h"
#include "store/eviction.h"
#include "store/value.h"

/* ---- Values by name ------------------------------------------------------------------ */

const struct config_value *config_value_of(const struct config *config, const char *name)
{
    int row = config_row(bytes_of(name));
    return row < 0 ? NULL : &config->values[row];
}

int64_t config_number_of(const struct config *config, const char *name)
{
    const struct config_value *value = config_value_of(config, name);
    return value == NULL ? 0 : value->number;
}

bool config_choice_is(const struct config *config, const char *name, const char *choice)
{
    return strcmp(config_value_of(config, name)->text, choice) == 0;
}

static uint64_t count_of(const struct config *config, const char *name)
{
    return (uint64_t)config_number_of(config, name);
}

/* ---- Writing through ----------------------------------------------------------------- */

static void publish_to_values(const struct config *config, struct value_limits *limits)
{
    limits->list_max_listpack_size = config_number_of(config, "list-max-listpack-size");
    limits->hash_max_listpack_entries = count_of(config, "hash-max-listpack-entries");
    limits->hash_max_listpack_value = count_of(config, "hash-max-listpack-value");
    limits->set_max_intset_entries = count_of(config, "set-max-intset-entries");
    limits->set_max_listpack_entries = count_of(config, "set-max-listpack-entries");
    limits->set_max_listpack_value = count_of(config, "set-max-listpack-value");
    limits->zset_max_listpack_entries = count_of(config, "zset-max-listpack-entries");
    limits->zset_max_listpack_value = count_of(config, "zset-max-listpack-value");
    limits->stream_node_max_bytes = count_of(config, "stream-node-max-bytes");
    limits->stream_node_max_entries = count_of(config, "stream-node-max-entries");
    limits->hll_sparse_max_bytes = count_of(config, "hll-sparse-max-bytes");
}

static void publish_eviction(const struct config *config, struct engine_settings *settings)
{
    static const struct {
        const char *name;
        enum eviction_policy policy;
    } policies[] = {
        { "allkeys-lru", EVICT_ALL_LRU },       { "allkeys-lfu", EVICT_ALL_LFU },
        { "allkeys-random", EVICT_ALL_RANDOM }, { "volatile-lru", EVICT_VOLATILE_LRU },
        { "volatile-lfu", EVICT_VOLATILE_LFU }, { "volatile-random", EVICT_VOLATILE_RANDOM },
        { "volatile-ttl", EVICT_VOLATILE_TTL },
    };
    enum { UNHURRIED = 10, UNLIMITED = 100, STEP_US = 50 };
    enum eviction_policy policy = EVICT_NOTHING;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (config_choice_is(config, "maxmemory-policy", policies[i].name)) {
            policy = policies[i].policy;
        }
    }
    settings->maxmemory_policy = (uint8_t)policy;
    settings->maxmemory_denies = policy == EVICT_NOTHING;
    settings->maxmemory_samples = (unsigned)config_number_of(config, "maxmemory-samples");
    settings->lazy_eviction = config_number_of(config, "lazyfree-lazy-eviction") != 0;
    /* Up to 10 it is 50 us a step, from there each step is 15% more, and 100 is no limit. */
    int64_t tenacity = config_number_of(config, "maxmemory-eviction-tenacity");
    double us = (double)STEP_US * (double)(tenacity < UNHURRIED ? tenacity : UNHURRIED);
    for (int64_t i = UNHURRIED; i < tenacity; i++) {
        us *= 1.15;
    }
    settings->eviction_us = tenacity >= UNLIMITED ? INT64_MAX : (int64_t)us;
}

static void publish_to_engine(const struct config *config)
{
    struct engine_settings *settings = &config->engine->settings;

    settings->slowlog_log_slower_than = config_number_of(config, "slowlog-log-slower-than");
    settings->slowlog_max_len = (uint64_t)config_number_of(config, "slowlog-max-len");
    settings->max_bulk_len = (uint64_t)config_number_of(config, "proto-max-bulk-len");
    settings->maxmemory = (uint64_t)config_number_of(config, "maxmemory");
    publish_eviction(config, settings);
    settings->busy_reply_threshold = config_number_of(config, "busy-reply-threshold");
    settings->lua_memory_limit = count_of(config, "lua-memory-limit");
    settings->lua_reply_limit = count_of(config, "lua-reply-limit");
    settings->latency_tracking = config_number_of(config, "latency-tracking") != 0;
    config->engine->latency.threshold_ms = config_number_of(config, "latency-monitor-threshold");
    config->engine->acl.log_max_len = count_of(config, "acllog-max-len");
    config->engine->acl.all_channels =
        config_choice_is(config, "acl-pubsub-default", "allchannels");
    settings->compress_strings = config_number_of(config, "rdbcompression") != 0;
    settings->lazy_expire = config_number_of(config, "lazyfree-lazy-expire") != 0;
    settings->lazy_server_del = config_number_of(config, "lazyfree-lazy-server-del") != 0;
    settings->lazy_user_del = config_number_of(config, "lazyfree-lazy-user-del") != 0;
    settings->lazy_user_flush = config_number_of(config, "lazyfree-lazy-user-flush") != 0;
    settings->debug_command = config_choice_is(config, "enable-debug-command", "yes") ? ACCESS_YES
                              : config_choice_is(config, "enable-debug-command", "local")
                                  ? ACCESS_LOCAL
                                  : ACCESS_NO;
    settings->tracking_max_keys = count_of(config, "tracking-table-max-keys");
    config->engine->mail.limit = count_of(config, "mailbox-limit");
    uint32_t classes;
    (void)notify_parse(config_value_bytes(config_value_of(config, "notify-keyspace-events")),
                       &classes);
    settings->notify_classes = classes;
    keyspace_tell_created(config->engine->keyspace, (classes & NOTIFY_NEW) != 0);
    if (config->engine->log != NULL) {
        config->engine->log->level = (int)config_number_of(config, "loglevel");
    }
    bool lfu = config_choice_is(config, "maxmemory-policy", "allkeys-lfu") ||
               config_choice_is(config, "maxmemory-policy", "volatile-lfu");
    keyspace_set_lfu(config->engine->keyspace, lfu,
                     (unsigned)config_number_of(config, "lfu-log-factor"),
                     (unsigned)config_number_of(config, "lfu-decay-time"));
    publish_to_values(config, keyspace_limits(config->engine->keyspace));
}

/* Redis allows no less than 128 kB, so that one can still talk to the server. */
static uint64_t client_memory_limit(const struct config *config)
{
    enum { LEAST = 128 * 1024 };
    int64_t asked = config_number_of(config, "maxmemory-clients");
    uint64_t limit = (uint64_t)asked;
    if (asked < 0) {
        limit = (uint64_t)((double)count_of(config, "maxmemory") * (double)-asked / 100);
    }
    return limit > 0 && limit < LEAST ? LEAST : limit;
}

static void publish_to_net(const struct config *config)
{
    struct net_settings *net = config->net;
    struct output_limit limits[OUTPUT_CLASSES];

    net->maxclients = (uint64_t)config_number_of(config, "maxclients");
    net->timeout = config_number_of(config, "timeout");
    net->tcp_keepalive = config_number_of(config, "tcp-keepalive");
    net->max_bulk_len = (uint64_t)config_number_of(config, "proto-max-bulk-len");
    net->max_arguments = (uint64_t)config_number_of(config, "proto-max-multibulk-len");
    net->max_inline = (uint64_t)config_number_of(config, "proto-inline-max-size");
    net->query_buffer_limit = (uint64_t)config_number_of(config, "client-query-buffer-limit");
    net->client_memory_limit = client_memory_limit(config);
    net->reply_pause = (uint64_t)config_number_of(config, "client-reply-pause");
    config_output_limits(config_value_of(config, "client-output-buffer-limit"), limits);
    net->output_hard_limit = limits[OUTPUT_NORMAL].hard;
    net->output_soft_limit = limits[OUTPUT_NORMAL].soft;
    net->output_soft_seconds = limits[OUTPUT_NORMAL].soft_seconds;
    net->pubsub_hard_limit = limits[OUTPUT_PUBSUB].hard;
    net->pubsub_soft_limit = limits[OUTPUT_PUBSUB].soft;
    net->pubsub_soft_seconds = limits[OUTPUT_PUBSUB].soft_seconds;
}

void config_publish_password(const struct config *config)
{
    if (config->engine != NULL) {
        acl_set_password(config->engine,
                         config_value_bytes(config_value_of(config, "requirepass")));
    }
}

void config_publish(struct config *config)
{
    config->live.hz = config_number_of(config, "hz");
    config->live.shutdown_timeout = config_number_of(config, "shutdown-timeout");
    config->live.guarded = config_number_of(config, "protected-mode") != 0;
    if (config->engine != NULL) {
        publish_to_engine(config);
    }
    if (config->net != NULL) {
        publish_to_net(config);
    }
}
