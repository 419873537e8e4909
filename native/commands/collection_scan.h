/* What the scans of collections (HSCAN, SSCAN ...) share: cursor, options and reply. */
#ifndef COMMANDS_COLLECTION_SCAN_H
#define COMMANDS_COLLECTION_SCAN_H

#include "exec/call.h"

/* Reads a cursor as strtoul() does, since clients may rely on that: an empty one is 0, a sign
 * is fine, a space before it is not.  ERR_CURSOR. */
MUST_CHECK enum err scan_read_cursor(struct bytes text, uint64_t *cursor);

struct collection_scan {
    uint64_t cursor, count;
    struct bytes pattern;
    bool by_pattern;
    bool no_values;        /* NOVALUES, of HSCAN */
    struct reply elements; /* those found: they are written aside, for the cursor precedes them */
    size_t found;
};

/* Reads the key, the cursor and the options, and points '*entry' at the collection; at NULL
 * when there is none, and then the reply is written already. */
MUST_CHECK enum err collection_scan_begin(struct call *call, enum value_type type,
                                          struct collection_scan *scan, struct entry **entry)
    REQUIRES(*call->keys);

/* Whether the pattern allows an element. */
static inline bool collection_scan_wants(const struct collection_scan *scan, struct bytes text)
{
    return !scan->by_pattern || bytes_match_glob(scan->pattern, text, false);
}

/* Writes an element, or a part of one. */
static inline void collection_scan_put(struct collection_scan *scan, struct bytes text)
{
    reply_bytes(&scan->elements, text);
    scan->found++;
}

/* Replies the next cursor and the elements, which are released. */
MUST_CHECK enum err collection_scan_end(struct call *call, struct collection_scan *scan,
                                        uint64_t next);

#endif
