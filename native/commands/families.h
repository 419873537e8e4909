/* The command families: what each cmd_*.c offers to the composition root, which lists them
 * in server/families.c.  A family's rows stand at the end of its own file. */
#ifndef COMMANDS_FAMILIES_H
#define COMMANDS_FAMILIES_H

#include "exec/registry.h"

/* Constant, for ever. */
extern const struct command_family cmd_string_family;
extern const struct command_family cmd_string_many_family;
extern const struct command_family cmd_substring_family;
extern const struct command_family cmd_counter_family;
extern const struct command_family cmd_lcs_family;
extern const struct command_family cmd_string_conditional_family;
extern const struct command_family cmd_increx_family;
extern const struct command_family cmd_throttle_family;
extern const struct command_family cmd_key_family;
extern const struct command_family cmd_object_family;
extern const struct command_family cmd_dump_family;
extern const struct command_family cmd_sort_family;
extern const struct command_family cmd_expire_family;
extern const struct command_family cmd_scan_family;
extern const struct command_family cmd_hash_family;
extern const struct command_family cmd_hash_walk_family;
extern const struct command_family cmd_hash_expire_family;
extern const struct command_family cmd_hash_get_set_family;
extern const struct command_family cmd_set_family;
extern const struct command_family cmd_set_random_family;
extern const struct command_family cmd_set_algebra_family;
extern const struct command_family cmd_list_family;
extern const struct command_family cmd_list_edit_family;
extern const struct command_family cmd_list_move_family;
extern const struct command_family cmd_list_blocking_family;
extern const struct command_family cmd_zset_blocking_family;
extern const struct command_family cmd_wait_family;
extern const struct command_family cmd_pubsub_family;
extern const struct command_family cmd_stream_family;
extern const struct command_family cmd_stream_delete_family;
extern const struct command_family cmd_stream_range_family;
extern const struct command_family cmd_stream_read_family;
extern const struct command_family cmd_stream_group_family;
extern const struct command_family cmd_stream_claim_family;
extern const struct command_family cmd_stream_pending_family;
extern const struct command_family cmd_stream_info_family;
extern const struct command_family cmd_connection_family;
extern const struct command_family cmd_client_family;
extern const struct command_family cmd_server_family;
extern const struct command_family cmd_config_family;
extern const struct command_family cmd_cluster_family;
extern const struct command_family cmd_acl_family;
extern const struct command_family cmd_latency_family;
extern const struct command_family cmd_memory_family;
extern const struct command_family cmd_module_family;
extern const struct command_family cmd_replication_family;
extern const struct command_family cmd_command_family;
extern const struct command_family cmd_debug_family;
extern const struct command_family cmd_transaction_family;
extern const struct command_family cmd_slowlog_family;
extern const struct command_family cmd_bitmap_family;
extern const struct command_family cmd_bitop_family;
extern const struct command_family cmd_bitfield_family;
extern const struct command_family cmd_hyperloglog_family;
extern const struct command_family cmd_zset_family;
extern const struct command_family cmd_zset_range_family;
extern const struct command_family cmd_zset_pop_family;
extern const struct command_family cmd_zset_algebra_family;
extern const struct command_family cmd_zset_scan_family;
extern const struct command_family cmd_geo_family;
extern const struct command_family cmd_geo_search_family;

#endif
