/* FUNCTION RESTORE.  Whatever the bytes of a payload (its footer is made to fit): it is refused and
 * the libraries are what they were, or they are those of the payload, whose own payload gives the
 * same libraries again.  The first byte picks the policy. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* A check that fails makes an input that fails. */
#define _exit(status) abort()

#include "base/crc64.h"
#include "base/mem.h"
#include "run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct run_server server;
static struct run_client client;

static void keep(struct buf *buf, struct bytes reply)
{
    buf->len = 0;
    buf_append(buf, reply);
}

/* The bytes of a bulk reply. */
static struct bytes bulk(struct bytes reply)
{
    const char *end = memchr(reply.at, '\n', reply.len);
    CHECK(reply.at[0] == '$' && end != NULL);
    size_t head = (size_t)(end + 1 - reply.at);
    return (struct bytes){ end + 1, reply.len - head - 2 };
}

static struct bytes list(void)
{
    return RUN_LINE(&client, "FUNCTION LIST WITHCODE");
}

static struct bytes restore(struct bytes payload, const char *policy)
{
    return RUN(&client, LIT("FUNCTION"), LIT("RESTORE"), payload, bytes_of(policy));
}

static void seal(struct buf *payload, struct bytes body)
{
    buf_append(payload, body);
    buf_append(payload, LIT("\12\0"));
    uint64_t sum = crc64(0, buf_bytes(payload));
    for (unsigned i = 0; i < 8; i++) {
        buf_append_char(payload, (char)(sum >> (8 * i)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const policies[] = { "FLUSH", "APPEND", "REPLACE" };
    if (size == 0) {
        return 0;
    }
    if (client.server == NULL) {
        run_server_init(&server);
        run_client_init(&client, &server);
        atomic_store(&server.engine.settings.lua_memory_limit, 16 << 20);
    }
    struct buf payload = { 0 }, before = { 0 }, after = { 0 };
    CHECK_REPLY(RUN_LINE(&client, "FUNCTION FLUSH"), "+OK\r\n");
    CHECK_REPLY(RUN(&client, LIT("FUNCTION"), LIT("LOAD"),
                    LIT("#!lua name=old\nredis.register_function('f', function() return 1 end)")),
                "$3\r\nold\r\n");
    keep(&before, list());
    seal(&payload, (struct bytes){ (const char *)data + 1, size - 1 });
    struct bytes reply = restore(buf_bytes(&payload), policies[data[0] % 3]);
    bool taken = reply.at[0] == '+';
    keep(&after, list());
    if (!taken) {
        CHECK_BYTES(buf_bytes(&after), buf_bytes(&before));
    } else {
        payload.len = 0;
        buf_append(&payload, bulk(RUN_LINE(&client, "FUNCTION DUMP")));
        CHECK_REPLY(restore(buf_bytes(&payload), "FLUSH"), "+OK\r\n");
        CHECK_BYTES(list(), buf_bytes(&after));
    }
    buf_release(&payload);
    buf_release(&before);
    buf_release(&after);
    return 0;
}
