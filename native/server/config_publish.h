/* How config.c brings the copies of its values up to date, and the values by name; all under the
 * configuration's mutex. */
#ifndef SERVER_CONFIG_PUBLISH_H
#define SERVER_CONFIG_PUBLISH_H

#include "server/config.h"

/* The value of a directive, borrowed; NULL for an unknown name. */
const struct config_value *config_value_of(const struct config *config, const char *name);
/* INTEGER and MEMORY: the number; BOOL: 0 or 1; ENUM: the index in the row's choices. */
int64_t config_number_of(const struct config *config, const char *name);
/* ENUM: whether it is this one.  The name must be in the table. */
bool config_choice_is(const struct config *config, const char *name, const char *choice);

/* Brings every copy of a value up to date: the engine's, the network's, the server's own. */
void config_publish(struct config *config);
/* requirepass is a rule for the user "default", and not the only one: given when it is set. */
void config_publish_password(const struct config *config);

#endif
