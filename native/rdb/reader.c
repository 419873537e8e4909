/* Reading the elements of RDB; see reader.h. */
#include "rdb/reader.h"

#include "base/lzf.h"

struct bytes rdb_read_bytes(struct rdb_reader *reader, size_t len)
{
    if (!rdb_require(reader, len <= rdb_left(reader))) {
        return (struct bytes){ "", 0 };
    }
    struct bytes bytes = { reader->in.at + reader->at, len };
    reader->at += len;
    return bytes;
}

unsigned rdb_read_byte(struct rdb_reader *reader)
{
    struct bytes byte = rdb_read_bytes(reader, 1);
    return byte.len > 0 ? (unsigned char)byte.at[0] : 0;
}

static uint64_t read_big_endian(struct rdb_reader *reader, unsigned count)
{
    struct bytes bytes = rdb_read_bytes(reader, count);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | (unsigned char)bytes.at[i];
    }
    return value;
}

static uint64_t read_little_endian(struct rdb_reader *reader, unsigned count)
{
    struct bytes bytes = rdb_read_bytes(reader, count);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value |= (uint64_t)(unsigned char)bytes.at[i] << (8 * i);
    }
    return value;
}

int64_t rdb_read_ms(struct rdb_reader *reader)
{
    return (int64_t)read_little_endian(reader, 8);
}

double rdb_read_double(struct rdb_reader *reader)
{
    uint64_t bits = read_little_endian(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A length, or the kind of an encoded string. */
static uint64_t read_len(struct rdb_reader *reader, bool *is_encoding)
{
    unsigned first = rdb_read_byte(reader);
    *is_encoding = first >> 6 == RDB_LENGTH_ENCODED;
    if (*is_encoding || first >> 6 == RDB_LENGTH_6) {
        return first & 0x3f;
    }
    if (first >> 6 == RDB_LENGTH_14) {
        return (uint64_t)(first & 0x3f) << 8 | rdb_read_byte(reader);
    }
    rdb_require(reader, first == RDB_LENGTH_32 || first == RDB_LENGTH_64);
    return read_big_endian(reader, first == RDB_LENGTH_32 ? 4 : 8);
}

uint64_t rdb_read_len(struct rdb_reader *reader)
{
    bool is_encoding;
    uint64_t len = read_len(reader, &is_encoding);
    return rdb_require(reader, !is_encoding) ? len : 0;
}

uint64_t rdb_read_count(struct rdb_reader *reader, size_t least)
{
    uint64_t count = rdb_read_len(reader);
    return rdb_require(reader, count <= rdb_left(reader) / least) ? count : 0;
}

static struct bytes read_integer(struct rdb_reader *reader, unsigned size,
                                 char digits[NUM_INT_ROOM])
{
    unsigned unused = (64 - 8 * size) & 63;
    int64_t value = (int64_t)(read_little_endian(reader, size) << unused) >> unused;
    return (struct bytes){ digits, num_format_i64(digits, value) };
}

static struct bytes read_compressed(struct rdb_reader *reader, struct buf *room)
{
    uint64_t len = rdb_read_len(reader), full = rdb_read_len(reader);
    struct bytes compressed = rdb_read_bytes(reader, len);
    if (!rdb_require(reader, full > 0 && full / LZF_RATIO_MAX <= compressed.len)) {
        return (struct bytes){ "", 0 };
    }
    room->len = 0;
    if (!buf_reserve(room, full)) {
        rdb_fail(reader, ERR_OUT_OF_MEMORY);
        return (struct bytes){ "", 0 };
    }
    rdb_require(reader, lzf_decompress(compressed, room->at, full));
    return (struct bytes){ room->at, full };
}

void rdb_read_string(struct rdb_reader *reader, struct rdb_text *text)
{
    bool is_encoding;
    uint64_t len = read_len(reader, &is_encoding);
    if (!is_encoding) {
        text->bytes = rdb_read_bytes(reader, len);
    } else if (len <= RDB_STRING_INT32) {
        text->bytes = read_integer(reader, 1u << len, text->digits);
    } else {
        rdb_require(reader, len == RDB_STRING_LZF);
        text->bytes = read_compressed(reader, &text->own);
    }
    if (reader->err != OK) {
        text->bytes = (struct bytes){ "", 0 };
    }
}
