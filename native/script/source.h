/* Rewrites a Lua 5.1 text for Lua 5.3, where the two read the same text differently:
 *
 *   escapes      "\." becomes ".": 5.1 takes an unknown escape for the character itself; \x, \z
 *                and \u are such unknown ones
 *
 * Lines stay where they are, so that messages tell the right ones.  Operators that 5.3 has in
 * addition (//, &, |, ~, <<, >>, ::) are refused in the words of 5.1, and so are numerals that run
 * into a name.  (That numbers are those of 5.1 is native/lua's doing.)  What stays: a function
 * declared with "..." has no local "arg". */
#ifndef SCRIPT_SOURCE_H
#define SCRIPT_SOURCE_H

#include "base/buf.h"

enum source_result { SOURCE_FINE, SOURCE_BROKEN, SOURCE_NO_MEMORY };

/* Appends the rewritten 'source' to 'out'.  SOURCE_BROKEN: 'out' has the message instead, in the
 * words of 5.1, for a chunk that is called 'chunk'. */
enum source_result source_rewrite(struct bytes source, struct bytes chunk, struct buf *out);

#endif
