/* Rewrites a Lua 5.1 text for Lua 5.3, where the two read the same text differently:
 *
 *   numbers      1 becomes 1.0: 5.1 has no integers, and 5.3's wrap around at 2^63, raise at
 *                "% 0" and print all their digits; a bare index t[1] stays, it is only looked up
 *   hexadecimal  0xff becomes 255.0, for the same reason
 *   escapes      "\." becomes ".": 5.1 takes an unknown escape for the character itself; \x, \z
 *                and \u are such unknown ones
 *
 * Lines stay where they are, so that messages tell the right ones.  What 5.3 has in addition (//,
 * &, |, ~, <<, >>, goto) is left to it: a script of 5.1 has none of it.  A function declared with
 * "..." has no local "arg". */
#ifndef SCRIPT_SOURCE_H
#define SCRIPT_SOURCE_H

#include "base/buf.h"

enum source_result { SOURCE_FINE, SOURCE_BROKEN, SOURCE_NO_MEMORY };

/* Appends the rewritten 'source' to 'out'.  SOURCE_BROKEN: 'out' has the message instead, in the
 * words of 5.1, for a chunk that is called 'chunk'. */
enum source_result source_rewrite(struct bytes source, struct bytes chunk, struct buf *out);

#endif
