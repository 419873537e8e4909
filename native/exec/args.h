/* A command's arguments, read in order: the first error sticks, and args_end() tells it.
 * The values read after an error are zero or empty and must not be used before args_end(). */
#ifndef EXEC_ARGS_H
#define EXEC_ARGS_H

#include "base/bytes.h"
#include "base/err.h"

struct args {
    const struct bytes *argv;
    uint32_t argc, next;
    enum err err;
};

/* Notes an error; the first one stays. */
static inline void args_fail(struct args *args, enum err err)
{
    if (args->err == OK) {
        args->err = err;
    }
}

/* How many arguments have not been taken. */
static inline uint32_t args_left(const struct args *args)
{
    return args->argc - args->next;
}

/* The next argument; ERR_SYNTAX when there is none. */
struct bytes args_next(struct args *args);
/* The next one as an integer; 'fault' when it is not one (mostly ERR_NOT_INT). */
int64_t args_int(struct args *args);
int64_t args_int_or(struct args *args, enum err fault);
/* An integer within min..max, else 'fault'. */
int64_t args_int_in(struct args *args, int64_t min, int64_t max, enum err fault);
double args_double(struct args *args);
long double args_long_double(struct args *args);

/* Whether the next argument begins with a letter, as every option does: a quick no. */
static inline bool args_word_is_next(const struct args *args)
{
    return args->next < args->argc && args->argv[args->next].len > 0 &&
           (unsigned char)((args->argv[args->next].at[0] | 0x20) - 'a') < 26;
}

/* True, and the argument is passed, when the next one is 'word' in either case. */
bool args_option(struct args *args, struct bytes word);
/* The same, and at least 'values' arguments follow it. */
bool args_option_with(struct args *args, struct bytes word, uint32_t values);
/* "[ASYNC | SYNC]", which stands last: ASYNC makes '*lazily' true, SYNC false, neither leaves it.
 * What args_end() gives. */
MUST_CHECK enum err args_end_lazily(struct args *args, bool *lazily);
/* Marks an unknown option: ERR_SYNTAX. */
static inline void args_unknown(struct args *args)
{
    args_fail(args, ERR_SYNTAX);
}

/* The first error met, or ERR_SYNTAX when arguments are left over. */
MUST_CHECK enum err args_end(struct args *args);

#endif
