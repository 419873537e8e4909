/* The small language of a row's 'syntax', from which COMMAND DOCS' arguments come, the arity
 * is checked, and the CLI takes its hints.
 *
 *   name:type          a required argument; types: key string integer double pattern
 *                      unix-time pure-token oneof block (int, time, token for short)
 *   [ ... ]            optional          ...      (after an item) one or more times
 *   TOKEN name:type    an argument behind a token       TOKEN alone: a pure token
 *   name=TOKEN         a pure token with a name of its own; "" is the empty string
 *   <a | b | c>        one of            name=< ... >   with a name
 *   ( ... )            a block           name=( ... )   with a name
 *   name:type@7.0.0    younger than the command; behind a token or a group, too
 */
#ifndef EXEC_SYNTAX_H
#define EXEC_SYNTAX_H

#include "base/buf.h"
#include "proto/reply.h"
#include "exec/command.h"

/* Replies COMMAND DOCS' "arguments" value.  False when the syntax can't be read (a defect of
 * the row; test_command_table checks all). */
bool syntax_reply(const struct command *command, struct reply *reply);
/* The arity that the syntax implies, as Redis counts it; 0 when it can't be read. */
int syntax_arity(const struct command *command);

#endif
