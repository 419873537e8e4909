/* Writing the elements of RDB; see writer.h. */
#include "rdb/writer.h"

#include "base/lzf.h"
#include "base/num.h"

enum {
    INTEGER_TEXT_MAX = 11, /* digits and sign of 32 bits */
    COMPRESS_MIN = 21,     /* shorter strings are hardly ever worth it */
    COMPRESS_GAIN = 4,     /* bytes that it has to save */
};

void rdb_write_bytes(struct rdb_writer *writer, struct bytes bytes)
{
    if (writer->err != OK) {
        return;
    }
    if (!buf_reserve(&writer->out, bytes.len)) {
        writer->err = ERR_OUT_OF_MEMORY;
        return;
    }
    buf_append(&writer->out, bytes);
}

void rdb_write_byte(struct rdb_writer *writer, unsigned byte)
{
    char c = (char)byte;
    rdb_write_bytes(writer, (struct bytes){ &c, 1 });
}

/* 'first', and the lowest 'count' bytes of 'value' behind it, the highest of them first. */
static void write_big_endian(struct rdb_writer *writer, unsigned first, uint64_t value,
                             unsigned count)
{
    char bytes[9];
    bytes[0] = (char)first;
    for (unsigned i = 1; i <= count; i++) {
        bytes[i] = (char)(value >> (8 * (count - i)));
    }
    rdb_write_bytes(writer, (struct bytes){ bytes, count + 1 });
}

static void write_little_endian(struct rdb_writer *writer, uint64_t value, unsigned count)
{
    char bytes[8];
    for (unsigned i = 0; i < count; i++) {
        bytes[i] = (char)(value >> (8 * i));
    }
    rdb_write_bytes(writer, (struct bytes){ bytes, count });
}

void rdb_write_len(struct rdb_writer *writer, uint64_t len)
{
    if (len < 1 << 6) {
        rdb_write_byte(writer, RDB_LENGTH_6 << 6 | (unsigned)len);
    } else if (len < 1 << 14) {
        write_big_endian(writer, RDB_LENGTH_14 << 6 | (unsigned)(len >> 8), len, 1);
    } else if (len <= UINT32_MAX) {
        write_big_endian(writer, RDB_LENGTH_32, len, 4);
    } else {
        write_big_endian(writer, RDB_LENGTH_64, len, 8);
    }
}

void rdb_write_ms(struct rdb_writer *writer, int64_t ms)
{
    write_little_endian(writer, (uint64_t)ms, 8);
}

void rdb_write_double(struct rdb_writer *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    write_little_endian(writer, bits, 8);
}

static void write_encoding(struct rdb_writer *writer, enum rdb_string_encoding encoding)
{
    rdb_write_byte(writer, RDB_LENGTH_ENCODED << 6 | (unsigned)encoding);
}

static void write_plain(struct rdb_writer *writer, struct bytes text)
{
    rdb_write_len(writer, text.len);
    rdb_write_bytes(writer, text);
}

void rdb_write_integer(struct rdb_writer *writer, int64_t value)
{
    char digits[NUM_INT_ROOM];
    if (value >= INT8_MIN && value <= INT8_MAX) {
        write_encoding(writer, RDB_STRING_INT8);
        write_little_endian(writer, (uint64_t)value, 1);
    } else if (value >= INT16_MIN && value <= INT16_MAX) {
        write_encoding(writer, RDB_STRING_INT16);
        write_little_endian(writer, (uint64_t)value, 2);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        write_encoding(writer, RDB_STRING_INT32);
        write_little_endian(writer, (uint64_t)value, 4);
    } else {
        write_plain(writer, (struct bytes){ digits, num_format_i64(digits, value) });
    }
}

/* Writes the string compressed; false when that saves nothing. */
static bool write_compressed(struct rdb_writer *writer, struct bytes text)
{
    struct buf compressed = { 0 };
    size_t len = 0;
    if (buf_reserve(&compressed, text.len - COMPRESS_GAIN)) {
        len = lzf_compress(text, compressed.at, text.len - COMPRESS_GAIN);
    }
    if (len > 0) {
        write_encoding(writer, RDB_STRING_LZF);
        rdb_write_len(writer, len);
        rdb_write_len(writer, text.len);
        rdb_write_bytes(writer, (struct bytes){ compressed.at, len });
    }
    buf_release(&compressed);
    return len > 0;
}

void rdb_write_string(struct rdb_writer *writer, struct bytes text)
{
    int64_t integer;
    if (text.len <= INTEGER_TEXT_MAX && num_parse_i64(text, &integer) && integer >= INT32_MIN &&
        integer <= INT32_MAX) {
        rdb_write_integer(writer, integer);
    } else if (!writer->compress || text.len < COMPRESS_MIN || !write_compressed(writer, text)) {
        write_plain(writer, text);
    }
}
