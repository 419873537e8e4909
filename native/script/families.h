/* The command families of scripts; as commands/families.h, for the composition root. */
#ifndef SCRIPT_FAMILIES_H
#define SCRIPT_FAMILIES_H

#include "exec/registry.h"

/* Constant, for ever. */
extern const struct command_family cmd_eval_family;
extern const struct command_family cmd_fcall_family;
extern const struct command_family cmd_function_family;
extern const struct command_family cmd_script_family;

#endif
