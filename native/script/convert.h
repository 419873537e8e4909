/* Values on their way between commands and Lua. */
#ifndef SCRIPT_CONVERT_H
#define SCRIPT_CONVERT_H

#include <math.h>

#include "proto/reply.h"
#include "script/vm.h"

struct machine;

/* Pushes what a command has replied; true when that is an error: then it is a table with a field
 * "err" and the mark that it has been counted already. */
bool convert_from_reply(lua_State *lua, const struct reply *from);

/* Writes the value on the top of the stack to 'reply' and pops it; 'protocol' is the one that the
 * script has chosen for its commands: with 3, booleans stay what they are.
 *
 * ERR_SCRIPT_REPLY
 *     It is too large; 'reply' is as it was. */
MUST_CHECK enum err convert_to_reply(struct machine *machine, uint8_t protocol,
                                     struct reply *reply);

/* Whether all of a number's digits are those of an integer of 64 bits. */
static inline bool convert_is_exact(lua_Number number)
{
    const lua_Number exact = 9007199254740992.0; /* 2^53 */
    return number > -exact && number < exact && number == floor(number) &&
           !(number == 0 && signbit(number));
}

/* Pushes 'number' as a command's argument: all its digits. */
void convert_push_argument(lua_State *lua, lua_Number number);

#endif
