/* Libraries of functions: FUNCTION LOAD and FCALL.  What there are, all threads share
 * (struct scripting, under its lock); each machine runs their texts when it first needs one
 * after a change, and has its own functions of them.  So what a library keeps in local variables
 * between calls is a thread's own. */
#ifndef SCRIPT_FUNCTIONS_H
#define SCRIPT_FUNCTIONS_H

#include "script/machine.h"
#include "script/scripts.h"

struct function {
    char *name;
    char *description;    /* or NULL */
    uint32_t flags;       /* enum script_flags */
    enum key_needs needs; /* see declared.h */
};

struct library {
    _Atomic uint32_t references;
    struct library *next; /* of the list, in the order of loading */
    char *name;
    struct buf code, text; /* as it was sent, and rewritten behind the first line */
    struct function *functions;
    uint32_t count, room;
};

enum functions_collision { COLLISION_FAILS, COLLISION_REPLACES, COLLISION_FLUSHES };

/* Reads the first line of 'code' and runs the rest to see which functions it registers.  NULL
 * with the message in 'error'. */
struct library *library_create(struct machine *machine, struct bytes code, struct buf *error);
void library_unref(struct library *library);

/* Adds the library to a list; false with the message when it collides with one there. */
MUST_CHECK bool library_list_add(struct library_list *list, struct library *library,
                                 struct buf *error);
void library_list_release(struct library_list *list);

/* Makes the libraries of 'list', which is empty then, the server's, next to those that there are
 * or in their place; false with the message, and nothing has changed. */
MUST_CHECK bool functions_join(struct scripting *scripting, struct library_list *list,
                               enum functions_collision collision, struct buf *error);

/* False when there is no such library. */
bool functions_delete(struct scripting *scripting, struct bytes name);
void functions_flush(struct scripting *scripting);

/* Bytes of all libraries; under the lock of 'scripting'. */
size_t functions_memory(const struct scripting *scripting);

/* True when there is such a function; then its flags, and what it needs. */
bool functions_find(struct scripting *scripting, struct bytes name, uint32_t *flags,
                    enum key_needs *needs);

/* Has the machine know all functions as they are now; false when memory is short. */
MUST_CHECK bool functions_prepare(struct machine *machine);

/* Pushes the machine's function of a name. */
void functions_push(lua_State *lua, const char *name);

/* The tables of globals for functions: made at 'globals', those of scripts; leaves the read-only
 * one, the true one, and the one that is there while a library is loaded. */
void functions_open(lua_State *lua, int globals);

/* redis.register_function; library.c. */
int library_register(lua_State *lua);

#endif
