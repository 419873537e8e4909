/* The command families of what goes to other servers; as commands/families.h, for the composition
 * root. */
#ifndef REPL_FAMILIES_H
#define REPL_FAMILIES_H

#include "exec/registry.h"

/* Constant, for ever. */
extern const struct command_family cmd_migrate_family;

#endif
