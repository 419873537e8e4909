/* Strings one after the other in one string, in the forms in which Redis has kept small values:
 *
 *   a listpack   (store/listpack.h)
 *   a ziplist    total bytes, 4 | offset of the last entry, 4 | entries, 2 | entries ... | 255
 *   a zipmap     pairs, 1 | (name value) ... | 255
 *
 * A listing was checked to the last byte when it is opened; what is read of it afterwards is
 * there. */
#ifndef RDB_LISTING_H
#define RDB_LISTING_H

#include "rdb/reader.h"
#include "store/listpack.h"

struct store_thread;

enum rdb_listing_kind { RDB_IN_LISTPACK, RDB_IN_ZIPLIST, RDB_IN_ZIPMAP };

struct rdb_listing {
    enum rdb_listing_kind kind;
    struct bytes bytes; /* borrowed */
    uint64_t count;     /* strings */
    uint64_t taken;     /* by rdb_listing_next() */
    size_t at;          /* of the next one */
};

/* False when the bytes are not of that kind. */
MUST_CHECK bool rdb_listing_open(struct rdb_listing *listing, enum rdb_listing_kind kind,
                                 struct bytes bytes);
/* The next string, as long as there are some: borrowed, or written to the room. */
struct bytes rdb_listing_next(struct rdb_listing *listing, char digits[NUM_INT_ROOM]);

/* Whether every 'step'-th string of a listing that is not read yet is another one; '*reader' is
 * told when memory is short. */
MUST_CHECK bool rdb_listing_is_unique(struct rdb_reader *reader, const struct store_thread *thread,
                                      const struct rdb_listing *listing, unsigned step);

#endif
