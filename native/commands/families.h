/* The command families: what each cmd_*.c offers to the composition root, which lists them
 * in server/families.c.  A family's rows stand at the end of its own file. */
#ifndef COMMANDS_FAMILIES_H
#define COMMANDS_FAMILIES_H

#include "exec/registry.h"

/* Constant, for ever. */
extern const struct command_family cmd_string_family;
extern const struct command_family cmd_substring_family;
extern const struct command_family cmd_counter_family;
extern const struct command_family cmd_lcs_family;
extern const struct command_family cmd_key_family;
extern const struct command_family cmd_object_family;
extern const struct command_family cmd_expire_family;
extern const struct command_family cmd_scan_family;
extern const struct command_family cmd_connection_family;
extern const struct command_family cmd_client_family;
extern const struct command_family cmd_server_family;
extern const struct command_family cmd_config_family;
extern const struct command_family cmd_command_family;
extern const struct command_family cmd_debug_family;
extern const struct command_family cmd_transaction_family;
extern const struct command_family cmd_slowlog_family;

#endif
