/* The conditions IFEQ, IFNE, IFDEQ and IFDNE, by which SET, DELEX and DELIFEQ look at the string
 * that is there. */
#ifndef COMMANDS_COMPARE_H
#define COMMANDS_COMPARE_H

#include "exec/call.h"

enum comparison {
    COMPARE_NOTHING, /* no condition was given */
    COMPARE_EQUAL,
    COMPARE_DIFFERENT,
    COMPARE_DIGEST_EQUAL, /* with base/xxh3.h, in hexadecimal digits */
    COMPARE_DIGEST_DIFFERENT,
};

struct string_condition {
    enum comparison comparison;
    struct bytes operand;
};

/* Digits of a digest. */
enum { COMPARE_DIGEST_LEN = 16 };
void compare_digest(struct bytes value, char *out);

/* Reads a condition if it is the next argument; false when it is not.  A second one is a syntax
 * error. */
bool compare_read(struct args *args, struct string_condition *condition);
/* False, after the error was replied, when the operand can't be a digest. */
MUST_CHECK bool compare_check(struct call *call, const struct string_condition *condition);
/* Whether a condition holds for the string of 'entry'; a missing key (NULL) differs from
 * everything. */
bool compare_holds(const struct string_condition *condition, const struct entry *entry);

#endif
