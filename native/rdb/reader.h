/* Reads the elements that RDB's values are made of, from bytes that nobody vouches for.  The
 * first failure sticks: what is read after it is zero or empty, and who began looks at 'err' in
 * the end.  Nothing is allocated for more than the bytes that are there can mean. */
#ifndef RDB_READER_H
#define RDB_READER_H

#include "base/buf.h"
#include "base/num.h"
#include "rdb/format.h"

struct rdb_reader {
    struct bytes in; /* borrowed */
    size_t at;
    enum err err; /* ERR_BAD_DATA, ERR_OUT_OF_MEMORY */
};

/* A string that was read: borrowed from the input, or kept here.  One of these serves many
 * strings one after the other; zero-initialised is none. */
struct rdb_text {
    struct bytes bytes;
    struct buf own;
    char digits[NUM_INT_ROOM];
};

/* Frees what the text owns, if anything. */
static inline void rdb_text_release(struct rdb_text *text)
{
    buf_release(&text->own);
}

/* Notes an error; the first one stays, and whatever is read after it is 0 or empty. */
static inline void rdb_fail(struct rdb_reader *reader, enum err err)
{
    if (reader->err == OK) {
        reader->err = err;
    }
}

/* Fails with ERR_BAD_DATA unless 'sound'; returns whether nothing has failed yet. */
static inline bool rdb_require(struct rdb_reader *reader, bool sound)
{
    if (!sound) {
        rdb_fail(reader, ERR_BAD_DATA);
    }
    return reader->err == OK;
}

/* Bytes that have not been read. */
static inline size_t rdb_left(const struct rdb_reader *reader)
{
    return reader->in.len - reader->at;
}

/* The parts of the format; each fails with ERR_BAD_DATA when the bytes end or are not of its
 * form. */
unsigned rdb_read_byte(struct rdb_reader *reader);
uint64_t rdb_read_len(struct rdb_reader *reader);
/* A length that tells how many things follow, each of 'least' bytes or more. */
uint64_t rdb_read_count(struct rdb_reader *reader, size_t least);
void rdb_read_string(struct rdb_reader *reader, struct rdb_text *text);
double rdb_read_double(struct rdb_reader *reader);
int64_t rdb_read_ms(struct rdb_reader *reader);
/* So many bytes as they are, borrowed from the input. */
struct bytes rdb_read_bytes(struct rdb_reader *reader, size_t len);

#endif
