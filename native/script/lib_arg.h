/* Arguments of the libraries' functions, read as Lua 5.1 read them and refused in its words:
 * numbers with a fraction are cut where an integer is wanted, and any userdata is "userdata". */
#ifndef SCRIPT_LIB_ARG_H
#define SCRIPT_LIB_ARG_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/bytes.h"

/* A C function of Lua 5.1 can have no more values than these on its stack.  What has no other
 * limit in Redis ends there, so it ends there for us too. */
enum { LIB_STACK_MAX = 8000 };

/* Argument 'arg', which must be a string or a number; borrowed while it is on the stack. */
struct bytes lib_arg_string(lua_State *lua, int arg);

/* Argument 'arg', which must be a number or a string that reads as one. */
double lib_arg_number(lua_State *lua, int arg);

/* The same, without its fraction. */
int64_t lib_arg_integer(lua_State *lua, int arg);

/* The same, or 'otherwise' when there is no such argument or it is nil. */
int64_t lib_arg_optional_integer(lua_State *lua, int arg, int64_t otherwise);

/* A number without its fraction; INT64_MIN for what does not fit, as x86-64 converts. */
int64_t lib_integer_of(double number);

#endif
