/* The list of all command families: the one place where the server says which there are. */
#ifndef SERVER_FAMILIES_H
#define SERVER_FAMILIES_H

#include "exec/registry.h"

/* For engine_options; '*count' is their number.  Constant, for ever. */
const struct command_family *const *command_families(uint32_t *count);

#endif
