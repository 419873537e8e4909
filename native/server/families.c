/* All command families; see families.h.  A new family is declared in commands/families.h and
 * listed here. */
#include "server/families.h"

#include "commands/families.h"
#include "repl/families.h"
#include "script/families.h"

static const struct command_family *const families[] = {
    &cmd_string_family,        &cmd_substring_family,
    &cmd_counter_family,       &cmd_lcs_family,
    &cmd_key_family,           &cmd_object_family,
    &cmd_expire_family,        &cmd_scan_family,
    &cmd_hash_family,          &cmd_hash_walk_family,
    &cmd_hash_expire_family,   &cmd_hash_get_set_family,
    &cmd_set_family,           &cmd_set_random_family,
    &cmd_set_algebra_family,   &cmd_list_family,
    &cmd_list_edit_family,     &cmd_list_move_family,
    &cmd_list_blocking_family, &cmd_zset_blocking_family,
    &cmd_wait_family,          &cmd_pubsub_family,
    &cmd_stream_family,        &cmd_stream_range_family,
    &cmd_stream_read_family,   &cmd_stream_group_family,
    &cmd_stream_claim_family,  &cmd_stream_pending_family,
    &cmd_stream_info_family,   &cmd_stream_delete_family,
    &cmd_connection_family,    &cmd_client_family,
    &cmd_server_family,        &cmd_config_family,
    &cmd_command_family,       &cmd_debug_family,
    &cmd_slowlog_family,       &cmd_transaction_family,
    &cmd_bitmap_family,        &cmd_bitop_family,
    &cmd_bitfield_family,      &cmd_hyperloglog_family,
    &cmd_zset_family,          &cmd_zset_range_family,
    &cmd_zset_pop_family,      &cmd_zset_algebra_family,
    &cmd_zset_scan_family,     &cmd_geo_family,
    &cmd_geo_search_family,    &cmd_eval_family,
    &cmd_script_family,        &cmd_cluster_family,
    &cmd_module_family,        &cmd_replication_family,
    &cmd_latency_family,       &cmd_memory_family,
    &cmd_increx_family,        &cmd_string_conditional_family,
    &cmd_throttle_family,      &cmd_acl_family,
    &cmd_fcall_family,         &cmd_function_family,
    &cmd_dump_family,          &cmd_sort_family,
    &cmd_migrate_family,       &cmd_string_many_family,
};

const struct command_family *const *command_families(uint32_t *count)
{
    *count = sizeof families / sizeof families[0];
    return families;
}
