/* The patterns of SORT's BY and GET: "#" is the element itself, "weight_*" the string under the
 * key that the element makes of it, "object_*->price" a field of the hash there. */
#ifndef COMMANDS_SORT_PATTERN_H
#define COMMANDS_SORT_PATTERN_H

#include "base/buf.h"
#include "commands/lookup.h"
#include "store/listpack.h"

struct sort_pattern {
    bool is_element; /* # */
    bool has_star;   /* else it means no key at all */
    bool has_field;
    struct bytes before, behind; /* the key, around the element */
    struct bytes field;
};

/* Borrows the text. */
struct sort_pattern sort_pattern_read(struct bytes text);
/* Whether the pattern leads to keys that the command does not name. */
bool sort_pattern_leads_away(struct bytes text);

/* What a pattern has given. */
struct sort_found {
    bool found;
    struct bytes text; /* borrowed from the key's value, or in 'digits' */
    char digits[LISTPACK_TEXT_ROOM];
};

/* Looks up what the pattern means for an element; patterns with a star only in the exclusive
 * section.  'key' is scratch.  ERR_OUT_OF_MEMORY. */
MUST_CHECK enum err sort_pattern_find(struct call *call, const struct sort_pattern *pattern,
                                      struct bytes element, struct buf *key,
                                      struct sort_found *found) REQUIRES(*call->keys);

#endif
