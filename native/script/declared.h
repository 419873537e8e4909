/* Which scripts can touch no other keys than those that they are called with, by KEYS: proven from
 * the text, before it runs.  Such a script needs the stripes of its keys only; any other runs in
 * the exclusive section.  In doubt a script is one of the others: nothing here guesses.
 *
 * What is proven:
 *
 *   - Commands are called by redis.call, redis.pcall (or server's), or a local that is bound to one
 *     of these and to nothing else, with the command as a literal.  Its row tells where the keys
 *     are among the arguments, and there stand key expressions: KEYS[...]; a name that is bound,
 *     wherever it is, by "local name = KEYS[...]" or as the value of a loop over KEYS, and never
 *     assigned; at the end of a command that takes any number of keys, unpack(KEYS).
 *   - KEYS, ARGV, redis and the functions that see KEYS are what they were: there is no way to
 *     another table of globals, to metatables or to code that is not in the text.
 *   - It ends: there are no functions and no loops but those over KEYS or ARGV, one within none
 *     other, and no names of functions that match patterns.  So nobody has to wait long for a
 *     stripe, and no such script needs to be killed.  (Who finds such a function without its name,
 *     as a string's field whose name is put together, is found out: see run.c.) */
#ifndef SCRIPT_DECLARED_H
#define SCRIPT_DECLARED_H

#include "exec/command.h"
#include "exec/registry.h"

/* What a script needs, of a text as source.h has rewritten it.  NEEDS_EVERYTHING also when memory
 * is short. */
enum key_needs declared_needs(const struct registry *registry, struct bytes text);

/* What a function needs that a library of this text registers; its two parameters are what KEYS and
 * ARGV are to a script.  Nothing is proven of libraries that do anything but register functions, and
 * define local ones that are registered; nor of functions that use one of these. */
enum key_needs declared_function_needs(const struct registry *registry, struct bytes text,
                                       struct bytes function);

/* The same of tokens that have been read. */
struct reading;
enum key_needs declared_prove(struct reading *reading);

#endif
