/* A value in a bag: DUMP's payload; see payload.h. */
#include "rdb/payload.h"

#include "base/crc64.h"

enum { VERSION_LEN = 2, CHECKSUM_LEN = 8, FOOTER_LEN = VERSION_LEN + CHECKSUM_LEN };

static uint64_t little_endian(const char *at, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value |= (uint64_t)(unsigned char)at[i] << (8 * i);
    }
    return value;
}

void rdb_payload_write(struct rdb_writer *writer, const struct store_thread *thread,
                       const struct entry *entry)
{
    enum rdb_type type = rdb_value_type(thread, entry, writer->version);
    enum rdb_version version = rdb_value_version(type);
    if (version < writer->version) {
        version = writer->version;
    }
    rdb_write_byte(writer, (unsigned)type);
    rdb_value_write(writer, thread, entry, type);
    rdb_payload_seal(writer, version);
}

void rdb_payload_seal(struct rdb_writer *writer, enum rdb_version version)
{
    rdb_write_byte(writer, (unsigned)version & 0xff);
    rdb_write_byte(writer, (unsigned)version >> 8);
    rdb_write_ms(writer, (int64_t)crc64(0, buf_bytes(&writer->out)));
}

struct bytes rdb_payload_content(struct bytes payload)
{
    return (struct bytes){ payload.at, payload.len - FOOTER_LEN };
}

bool rdb_payload_check(struct bytes payload, bool skip_checksum)
{
    if (payload.len < FOOTER_LEN) {
        return false;
    }
    const char *footer = payload.at + payload.len - FOOTER_LEN;
    struct bytes checked = { payload.at, payload.len - CHECKSUM_LEN };
    return little_endian(footer, VERSION_LEN) <= RDB_VERSION_NEWEST &&
           (skip_checksum ||
            little_endian(footer + VERSION_LEN, CHECKSUM_LEN) == crc64(0, checked));
}

enum err rdb_payload_read(struct bytes payload, struct store_thread *thread,
                          struct rdb_value *value)
{
    struct rdb_reader reader = { .in = rdb_payload_content(payload) };
    unsigned type = rdb_read_byte(&reader);
    rdb_value_read(&reader, thread, type, value);
    return reader.err;
}
