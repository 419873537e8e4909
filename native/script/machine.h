/* The interpreter of one executing thread: made when the thread runs its first script, with
 * everything that it has compiled.  Nothing of it is seen by another thread; what scripts there
 * are, all threads learn from struct scripting. */
#ifndef SCRIPT_MACHINE_H
#define SCRIPT_MACHINE_H

#include "base/sha1.h"
#include "base/slab.h"
#include "exec/inner.h"
#include "lua/extra.h"
#include "script/vm.h"

struct library;
struct script;
struct scripting;

/* A script on its way: what EVAL, or FCALL, hands to the machine. */
struct run {
    const char *name; /* the digest, or the function's: for messages */
    const struct call *call;
    const struct bytes *keys, *args;
    uint32_t key_count, arg_count;
    struct reply *reply;
    bool is_function; /* keys and arguments are arguments, not globals */
    enum err err;     /* OK, or why the reply could not be written: nothing is */
};

/* A table around the value that is being written as a reply; see convert_value.c. */
struct nest {
    int kind;
    int below;        /* the stack's height when it ends */
    lua_Integer next; /* of an array: the next element */
};

/* What was compiled of a script; 'script' NULL: a free slot. */
struct compiled {
    struct script *script;
    int place; /* in the registry, for machine_run() */
    enum key_needs needs;
};

/* What is known of a script that is about to run, from before its keys were locked. */
struct script_ahead {
    const char *text; /* the command's argument that it was made of, by its place; or NULL */
    const struct compiled *compiled; /* or NULL */
    char digest[SHA1_HEX_LEN];
};

/* What stands on the stack of a machine at rest. */
enum {
    MACHINE_HANDLER = 1,          /* fault_handler */
    MACHINE_GLOBALS = 2,          /* of scripts, the true table */
    MACHINE_FUNCTION_GLOBALS = 3, /* of functions: read-only, true, and those of loading */
    MACHINE_AT_REST = 5,
};

/* So many arguments of a command that are numbers are written here, and not as strings of Lua. */
enum { MACHINE_NUMBERS = 8, MACHINE_DIGITS = 24 };

struct machine {
    struct attachment attachment; /* first */
    struct executor *executor;
    struct scripting *scripting;
    lua_State *lua;         /* or NULL, until it is needed */
    struct slab_pool *pool; /* of Lua's small blocks, while there is a state */
    struct slab_heap *heap;
    uint64_t era;           /* of the scripts that it knows: scripting->era */
    struct lua_extra extra; /* with the bytes that Lua has, and may have in this run */
    size_t published;       /* of these, as INFO tells them */
    struct inner inner;
    struct reply reply; /* of the command that a script has called */
    struct bytes *argv; /* and its arguments */
    uint32_t argv_room;
    char digits[MACHINE_NUMBERS][MACHINE_DIGITS]; /* of those that are whole numbers */
    struct library *loading;                      /* registers functions; or NULL */
    bool knowing;                                 /* libraries are run to know their functions */
    uint64_t functions_era; /* 1 + scripting->functions_era of those it knows; 0: none */
    struct nest *nests;     /* of the value that is being written */
    uint32_t nest_room;
    uint64_t reply_limit;      /* bytes of a reply, of this run */
    struct run *run;           /* the running script, or NULL */
    uint64_t began;            /* ticks: when it did */
    uint64_t look_at;          /* ticks: when it is looked at the next time */
    uint64_t look_ticks;       /* between two looks */
    struct machine *next_slow; /* of struct scripting's list, while it is slow */
    bool slow;                 /* it has been running for long; see slow.h */
    bool killed;               /* it is to end, whatever it catches */
    const char *end;           /* and why */
    uint64_t dice;             /* of math.random */
    struct compiled *compiled; /* by digest: open addressing */
    uint32_t compiled_count, compiled_room;
    struct script_ahead ahead;
};

static inline struct machine *machine_of(lua_State *lua)
{
    return *(struct machine **)lua_getextraspace(lua);
}

/* The machine of an executor, ready for scripts as they are now; NULL when memory is short. */
struct machine *machine_open(struct executor *executor);

/* The script of a digest, if the machine has compiled it; borrowed until it compiles another. */
const struct compiled *machine_find(struct machine *machine, const char *digest);

/* Compiles a script and keeps it; NULL with the message in 'error' when it can't be. */
const struct compiled *machine_compile(struct machine *machine, struct script *script,
                                       struct buf *error);

/* Runs what was compiled, between inner_begin() and inner_end(), and writes the script's reply,
 * or its error. */
void machine_run(struct machine *machine, int place, struct run *run);

/* After anything that took memory of Lua: what INFO tells. */
void machine_publish_memory(struct machine *machine);

/* Begins math.random's sequence anew. */
void machine_seed_dice(struct machine *machine, uint32_t seed);

#endif
