/* All commands by name, and what is derived from their rows. */
#ifndef EXEC_REGISTRY_H
#define EXEC_REGISTRY_H

#include "exec/command.h"

/* A family's rows: what each cmd_*.c offers. */
struct command_family {
    const struct command *rows;
    uint32_t count;
};

struct registry;

/* NULL when memory is short, or when two rows have one name or a subcommand no container.
 * The rows are copied, what they point to is borrowed for ever. */
struct registry *registry_create(const struct command_family *const *families, uint32_t count);
void registry_destroy(struct registry *registry);

/* The command that 'argv' names, with its subcommand resolved; NULL: unknown.  For a known
 * container with an unknown or missing subcommand '*container' is set and NULL returned. */
const struct command *registry_find(const struct registry *registry, const struct bytes *argv,
                                    uint32_t argc, const struct command **container);

/* By full name ("get", "config|get") in either case, or NULL. */
const struct command *registry_find_name(const struct registry *registry, struct bytes name);

/* Rows in registration order, containers and subcommands all together. */
uint32_t registry_count(const struct registry *registry);
const struct command *registry_at(const struct registry *registry, uint32_t index);
/* A dense number of a command, below registry_count(): where its statistics stand. */
uint32_t registry_index(const struct registry *registry, const struct command *command);
/* The container of a subcommand, or NULL. */
const struct command *registry_parent(const struct registry *registry,
                                      const struct command *command);

/* Flags with the derived ones, and the whole set of ACL categories. */
uint32_t registry_flags(const struct registry *registry, const struct command *command);
uint32_t registry_categories(const struct registry *registry, const struct command *command);

/* True when its keys are to be locked for writing: CMD_WRITE, CMD_LOCKS_TO_WRITE, or any key
 * RW, OW or RM. */
bool command_locks_for_writing(const struct command *command);

/* The keys among the arguments into 'found' (room for argc); -1: the arguments' form is
 * invalid for it (numkeys out of range ...).  Single-key commands are the fast path. */
int command_keys(const struct command *command, const struct bytes *argv, uint32_t argc,
                 struct found_key *found);

/* First, last, step of the old key range, as COMMAND INFO tells. */
void command_legacy_range(const struct command *command, int *first, int *last, int *step);

/* True when argc is one that 'arity' allows. */
static inline bool command_arity_fits(const struct command *command, uint32_t argc)
{
    return command->arity >= 0 ? argc == (uint32_t)command->arity
                               : argc >= (uint32_t)-command->arity;
}

#endif
