/* Messages of errors: from Lua 5.3's words into those of 5.1, and from errors into what the
 * client of a script is told. */
#ifndef SCRIPT_FAULT_H
#define SCRIPT_FAULT_H

#include "base/err.h"
#include "script/vm.h"

/* Replaces the message on the top of the stack, when it is a string, by the words of 5.1. */
void fault_reword(lua_State *lua);

/* Pushes { err = "..." }.  A text that begins with '-' has its own code in the first word,
 * any other gets "ERR ". */
void fault_push(lua_State *lua, struct bytes text);

/* Pushes the table of a command that was refused: it says that the error has been counted. */
void fault_push_refusal(lua_State *lua, enum err err);

/* Raises fault_push() of a text. */
int fault_raise(lua_State *lua, const char *text);

/* The message handler of scripts: makes an error table of any error and notes where it was
 * raised. */
int fault_handler(lua_State *lua);

#endif
