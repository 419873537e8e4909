/* The options of SET and GETEX that say how long a key lives. */
#ifndef COMMANDS_LIFETIME_H
#define COMMANDS_LIFETIME_H

#include "exec/call.h"

enum lifetime_kind {
    LIFETIME_EX,
    LIFETIME_PX,
    LIFETIME_EXAT,
    LIFETIME_PXAT,
    LIFETIME_KEEP,
    LIFETIME_PERSIST,
    LIFETIME_NONE, /* no option was given */
};

struct lifetime {
    enum lifetime_kind kind;
    struct bytes text; /* of the number, for those that have one */
};

/* Whether its kind is one with a time: EX, PX, EXAT or PXAT. */
static inline bool lifetime_has_time(const struct lifetime *lifetime)
{
    return lifetime->kind <= LIFETIME_PXAT;
}

/* Reads the option 'word' if it is the next argument; false when it is not.  The same option
 * may come again, the last one counts; another option of lifetime is a syntax error. */
bool lifetime_read(struct args *args, enum lifetime_kind kind, struct bytes word,
                   struct lifetime *lifetime);

/* The same with any of EX, PX, EXAT and PXAT. */
bool lifetime_read_time(struct args *args, struct lifetime *lifetime);

/* The Unix time in milliseconds that a lifetime with a time means.
 *
 * ERR_NOT_INT
 *     Its text is no integer.
 * ERR_EXPIRE
 *     It is not positive, or too large. */
MUST_CHECK enum err lifetime_end(const struct call *call, const struct lifetime *lifetime,
                                 int64_t *at_ms);

#endif
