/* What DUMP gives and RESTORE takes:
 *
 *   type, 1 | value | version, 2 | checksum of all before it, 8      (little endian) */
#ifndef RDB_PAYLOAD_H
#define RDB_PAYLOAD_H

#include "rdb/value.h"

/* Appends the payload of a value to the writer's output, which is empty. */
void rdb_payload_write(struct rdb_writer *writer, const struct store_thread *thread,
                       const struct entry *entry);

/* Ends a payload of anything else: the version and the checksum of what was written. */
void rdb_payload_seal(struct rdb_writer *writer, enum rdb_version version);
/* What stands before that in a payload that rdb_payload_check() accepted; borrowed. */
struct bytes rdb_payload_content(struct bytes payload);

/* Whether the payload is of a version that is known and, unless 'skip_checksum', whole. */
MUST_CHECK bool rdb_payload_check(struct bytes payload, bool skip_checksum);
/* Reads the value of a payload that rdb_payload_check() accepted; see rdb_value_read().  The
 * value may refer to the payload. */
MUST_CHECK enum err rdb_payload_read(struct bytes payload, struct store_thread *thread,
                                     struct rdb_value *value);

#endif
