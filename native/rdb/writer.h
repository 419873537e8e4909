/* Writes the elements that RDB's values are made of: lengths, strings, numbers.  The first
 * failure sticks: nothing is written after it, and who began looks at 'err' in the end. */
#ifndef RDB_WRITER_H
#define RDB_WRITER_H

#include "base/buf.h"
#include "rdb/format.h"

/* Zero-initialised but for 'version' and 'compress' is a writer of nothing yet. */
struct rdb_writer {
    struct buf out;           /* what was written; the owner takes or releases it */
    enum rdb_version version; /* who reads it knows no later one */
    bool compress;            /* strings that become shorter by it */
    enum err err;             /* ERR_OUT_OF_MEMORY */
};

/* A byte; a length in the fewest bytes that the format has for it. */
void rdb_write_byte(struct rdb_writer *writer, unsigned byte);
void rdb_write_len(struct rdb_writer *writer, uint64_t len);
/* A string in its shortest form: as an integer, compressed, or as it is. */
void rdb_write_string(struct rdb_writer *writer, struct bytes text);
/* The string that is an integer's digits. */
void rdb_write_integer(struct rdb_writer *writer, int64_t value);
/* Eight bytes, little endian. */
void rdb_write_double(struct rdb_writer *writer, double value);
void rdb_write_ms(struct rdb_writer *writer, int64_t ms);
/* Bytes as they are. */
void rdb_write_bytes(struct rdb_writer *writer, struct bytes bytes);

#endif
