/* All command families; see families.h.  A new family is declared in commands/families.h and
 * listed here. */
#include "server/families.h"

#include "commands/families.h"

static const struct command_family *const families[] = {
    &cmd_string_family,     &cmd_substring_family, &cmd_counter_family, &cmd_lcs_family,
    &cmd_key_family,        &cmd_object_family,    &cmd_expire_family,  &cmd_scan_family,
    &cmd_connection_family, &cmd_client_family,    &cmd_server_family,  &cmd_config_family,
    &cmd_command_family,    &cmd_debug_family,     &cmd_slowlog_family, &cmd_transaction_family,
};

const struct command_family *const *command_families(uint32_t *count)
{
    *count = sizeof families / sizeof families[0];
    return families;
}
