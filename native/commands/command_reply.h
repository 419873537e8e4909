/* What COMMAND tells of one command; its subcommands are cmd_command.c. */
#ifndef COMMANDS_COMMAND_REPLY_H
#define COMMANDS_COMMAND_REPLY_H

#include "exec/registry.h"
#include "proto/reply.h"

/* COMMAND INFO's entry, with those of its subcommands. */
void command_reply_info(const struct registry *registry, const struct command *command,
                        struct reply *reply);
/* COMMAND DOCS' pair of name and documentation. */
void command_reply_docs(const struct registry *registry, const struct command *command,
                        struct reply *reply);

/* Of a key's use, as a set of Redis's words. */
void command_reply_key_flags(uint32_t flags, struct reply *reply);

/* The names of all ACL categories, without '@'. */
void command_reply_categories(struct reply *reply);

#endif
