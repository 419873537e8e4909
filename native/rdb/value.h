/* The serialised form of a value: what stands behind the type (and, in a file, the key).  A
 * file, DUMP's payload and whatever else keeps values go through here.
 *
 * Writing needs the key held for reading.  Reading makes a value that no key holds, from any
 * form that Redis 7.4 and older wrote and that has a type of ours, and looks at every byte of
 * it: what comes out is as sound as what commands make, with the encodings that the limits of
 * value.h ask for. */
#ifndef RDB_VALUE_H
#define RDB_VALUE_H

#include "rdb/reader.h"
#include "rdb/writer.h"
#include "store/keyspace.h"
#include "store/value.h"

/* A value that was read. */
struct rdb_value {
    enum value_type type;
    enum encoding encoding; /* of a structure */
    void *pointer;          /* the structure, which is the holder's; NULL for a string */
    struct rdb_text string; /* or its text, good as long as the reader's input */
};

/* The form that a value has in a version; the same while the key is held. */
enum rdb_type rdb_value_type(const struct store_thread *thread, const struct entry *entry,
                             enum rdb_version version);
/* The lowest version whose readers know a form. */
enum rdb_version rdb_value_version(enum rdb_type type);
/* Fields that have ended are left out; false when a hash has no other ones, and then there is
 * nothing to be written. */
bool rdb_value_is_there(const struct store_thread *thread, const struct entry *entry);

/* Writes the value in the form that rdb_value_type() gave.  '*writer' tells of a failure. */
void rdb_value_write(struct rdb_writer *writer, const struct store_thread *thread,
                     const struct entry *entry, enum rdb_type type);

/* Reads a value in a form, which may be none at all.  On failure, which '*reader' tells, there
 * is no value.
 *
 * ERR_BAD_DATA
 *     It is not one, or it is empty.
 * ERR_OUT_OF_MEMORY */
void rdb_value_read(struct rdb_reader *reader, struct store_thread *thread, unsigned type,
                    struct rdb_value *value);
void rdb_value_release(struct store_thread *thread, struct rdb_value *value);

/* Makes it the value of a key that is held for writing, whatever the key held, with an expiry
 * or KEYSPACE_NO_EXPIRY.  ERR_OUT_OF_MEMORY: nothing has changed.  Then as well as now the value
 * is to be released. */
MUST_CHECK enum err rdb_value_store(struct keyspace *ks, struct keylock *lock, struct bytes key,
                                    struct rdb_value *value, int64_t expires_at_ms, bool lazily)
    REQUIRES(*lock);

#endif
