/* The serialised form of values: what is written is read as the same, in every version; what
 * is cut or flipped is refused or a sound value; nothing leaks, and short memory is told. */
#include "base/mem.h"
#include "rdb/value.h"
#include "values.h"

#include "client_fixture.h"

/* One thread has no races: ThreadSanitizer gets a sample. */
#ifdef __SANITIZE_THREAD__
enum { SLOWER = 10 };
#else
enum { SLOWER = 1 };
#endif

static uint64_t dice;

static const struct bytes KEY = { "key", 3 }, COPY = { "copy", 4 };

static void begin_with_dice(void)
{
    begin();
    dice = check_seed() + (uint64_t)check_state.tests;
}

/* The value of KEY as bytes, which the caller releases. */
static struct buf write_value(enum rdb_version version, bool compress,
                              enum rdb_type *type) UNCHECKED_LOCKING
{
    struct executor *executor = &server.executor;
    struct rdb_writer writer = { .version = version, .compress = compress };
    executor_enter(executor);
    CHECK(executor_begin_exclusive(executor));
    executor->lock.db = 0;
    struct entry *entry = keyspace_peek(server.engine.keyspace, &executor->lock, KEY);
    CHECK(entry != NULL);
    *type = rdb_value_type(&executor->thread, entry, version);
    CHECK(rdb_value_version(*type) <= version || *type == RDB_HASH_ENDS);
    rdb_value_write(&writer, &executor->thread, entry, *type);
    CHECK_INT(writer.err, OK);
    executor_end_exclusive(executor);
    executor_leave(executor);
    return writer.out;
}

/* Reads bytes as a value, and puts it to COPY if that succeeds. */
static enum err read_value(struct bytes bytes, enum rdb_type type, size_t *read) UNCHECKED_LOCKING
{
    struct executor *executor = &server.executor;
    struct rdb_reader reader = { .in = bytes };
    struct rdb_value value;
    executor_enter(executor);
    CHECK(executor_begin_exclusive(executor));
    executor->lock.db = 0;
    rdb_value_read(&reader, &executor->thread, type, &value);
    enum err err = reader.err;
    if (err == OK) {
        err = rdb_value_store(server.engine.keyspace, &executor->lock, COPY, &value,
                              KEYSPACE_NO_EXPIRY, false);
        rdb_value_release(&executor->thread, &value);
    } else {
        CHECK(value.pointer == NULL);
    }
    *read = reader.at;
    executor_end_exclusive(executor);
    executor_leave(executor);
    return err;
}

static void forget(void)
{
    RUN(&client, LIT("FLUSHALL"));
}

static void what_is_written_is_read_as_the_same(void)
{
    begin_with_dice();
    for (int round = 0; round < 400 / SLOWER; round++) {
        values_make(&client, &dice, KEY);
        for (enum rdb_version version = RDB_VERSION_7_0; version <= RDB_VERSION_NEWEST; version++) {
            enum rdb_type type;
            size_t read;
            struct buf bytes = write_value(version, check_random_below(&dice, 2) == 0, &type);
            CHECK_INT(read_value(buf_bytes(&bytes), type, &read), OK);
            CHECK_INT(read, bytes.len);
            values_expect_same(&client, KEY, COPY);
            buf_release(&bytes);
        }
        forget();
    }
    end();
}

static void what_is_cut_is_refused(void)
{
    begin_with_dice();
    for (int round = 0; round < 60 / SLOWER; round++) {
        values_make(&client, &dice, KEY);
        enum rdb_type type;
        size_t read;
        struct buf bytes = write_value(RDB_VERSION_NEWEST, true, &type);
        size_t step = 1 + bytes.len / 500;
        for (size_t len = 0; len < bytes.len; len += step) {
            /* In a block of its own, so that reading beyond it is noticed. */
            char *cut = mem_alloc(len);
            memcpy(cut, bytes.at, len);
            CHECK_INT(read_value((struct bytes){ cut, len }, type, &read), ERR_BAD_DATA);
            mem_free(cut);
        }
        buf_release(&bytes);
        forget();
    }
    end();
}

/* What was read after all is written and read as the same, but for fields that have ended. */
static void check_copy(void)
{
    enum rdb_type type;
    size_t read;
    (void)keyspace_expire_due(&server.executor.thread, 1000 * 1000);
    RUN(&client, LIT("DEL"), KEY);
    if (bytes_equal(RUN(&client, LIT("EXISTS"), COPY), LIT(":0\r\n"))) {
        return;
    }
    /* Once for the encoding that is right by now, and once more. */
    for (int again = 0; again < 2; again++) {
        RUN(&client, LIT("RENAME"), COPY, KEY);
        struct buf bytes = write_value(RDB_VERSION_NEWEST, false, &type);
        CHECK_INT(read_value(buf_bytes(&bytes), type, &read), OK);
        CHECK_INT(read, bytes.len);
        (again ? values_expect_same : values_expect_equal)(&client, KEY, COPY);
        buf_release(&bytes);
    }
}

static void what_is_flipped_is_refused_or_sound(void)
{
    begin_with_dice();
    int sound = 0, refused = 0;
    for (int round = 0; round < 80 / SLOWER; round++) {
        values_make(&client, &dice, KEY);
        enum rdb_type type;
        struct buf bytes = write_value(RDB_VERSION_NEWEST, round % 4 == 0, &type);
        for (int flip = 0; flip < 150; flip++) {
            size_t read,
                at = check_random_below(&dice, flip % 2 == 0 || bytes.len < 40 ? bytes.len : 40);
            char before = bytes.at[at];
            bytes.at[at] = (char)(before ^ 1 << check_random_below(&dice, 8));
            enum err err = read_value(buf_bytes(&bytes), type, &read);
            bytes.at[at] = before;
            CHECK(err == OK || err == ERR_BAD_DATA);
            sound += err == OK;
            refused += err != OK;
            if (err == OK) {
                check_copy();
            }
            RUN(&client, LIT("DEL"), KEY, COPY);
        }
        buf_release(&bytes);
        forget();
    }
    printf("    %d sound, %d refused\n", sound, refused);
    CHECK(sound > 0 && refused > 0);
    end();
}

static void noise_is_refused_or_sound(void)
{
    begin_with_dice();
    for (int round = 0; round < 20000 / SLOWER; round++) {
        char noise[64];
        size_t read, len = check_random_below(&dice, sizeof noise);
        for (size_t i = 0; i < len; i++) {
            noise[i] = (char)(check_random(&dice) & (check_random_below(&dice, 2) ? 0xff : 0x13));
        }
        enum rdb_type type = (enum rdb_type)check_random_below(&dice, 30);
        enum err err = read_value((struct bytes){ noise, len }, type, &read);
        CHECK(err == OK || err == ERR_BAD_DATA);
        if (err == OK) {
            check_copy();
        }
        forget();
    }
    end();
}

static void short_memory_is_told_and_nothing_is_lost(void)
{
    begin_with_dice();
    for (int round = 0; round < 60 / SLOWER; round++) {
        values_make(&client, &dice, KEY);
        enum rdb_type type;
        size_t read;
        struct buf bytes = write_value(RDB_VERSION_7_2, true, &type);
        enum err err = ERR_OUT_OF_MEMORY;
        size_t before = keyspace_memory(server.engine.keyspace);
        for (long n = 1; err != OK; n += 1 + n / 10) {
            mem_fail_after(n);
            err = read_value(buf_bytes(&bytes), type, &read);
            mem_fail_after(0);
            /* A table that stays large, or a list that stays long, is no failure. */
            CHECK(err == OK || err == ERR_OUT_OF_MEMORY);
            if (err != OK) {
                CHECK_REPLY(RUN(&client, LIT("EXISTS"), COPY), ":0\r\n");
            }
        }
        RUN(&client, LIT("DEL"), COPY);
        while (keyspace_background(&server.executor.thread, 1000000)) {}
        CHECK(keyspace_memory(server.engine.keyspace) <= before + 4096);
        buf_release(&bytes);
        forget();
    }
    end();
}

static void nothing_is_allocated_for_what_cannot_be(void)
{
    /* Lengths of billions with nothing behind them. */
    const struct bytes claims[] = {
        LIT("\x81\x00\x00\x00\x7f\xff\xff\xff\xff"),
        LIT("\x80\xff\xff\xff\xff"),
        LIT("\x80\x7f\xff\xff\xff\x01"),
        LIT("\xc3\x05\x80\x7f\xff\xff\xff\x00"
            "abcd"),
        LIT("\x81\xff\xff\xff\xff\xff\xff\xff\xff"
            "abcdefgh"),
    };
    begin_with_dice();
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        for (unsigned type = 0; type < 300; type++) {
            size_t read;
            CHECK_INT(read_value(claims[i], (enum rdb_type)type, &read), ERR_BAD_DATA);
        }
    }
    end();
}

static void ended_fields_are_not_written(void)
{
    begin_with_dice();
    enum rdb_type type;
    size_t read;
    RUN_LINE(&client, "HSET key a 1 b 2 c 3");
    RUN_LINE(&client, "HPEXPIRE key 100 FIELDS 1 a");
    RUN_LINE(&client, "HPEXPIRE key 1000 FIELDS 1 b");
    run_advance_ms(&server, 500);
    struct buf bytes = write_value(RDB_VERSION_7_0, true, &type);
    CHECK_INT(type, RDB_HASH_ENDS);
    CHECK_INT(read_value(buf_bytes(&bytes), type, &read), OK);
    CHECK_REPLY(RUN_LINE(&client, "HLEN copy"), ":2\r\n");
    CHECK_REPLY(RUN_LINE(&client, "HPTTL copy FIELDS 3 a b c"), "*3\r\n:-2\r\n:500\r\n:-1\r\n");
    buf_release(&bytes);
    run_advance_ms(&server, 600);
    bytes = write_value(RDB_VERSION_7_0, true, &type);
    CHECK_INT(type, RDB_HASH);
    CHECK_INT(read_value(buf_bytes(&bytes), type, &read), OK);
    CHECK_REPLY(RUN_LINE(&client, "HGETALL copy"), "*2\r\n$1\r\nc\r\n$1\r\n3\r\n");
    CHECK_REPLY(RUN_LINE(&client, "OBJECT ENCODING copy"), "$8\r\nlistpack\r\n");
    buf_release(&bytes);
    end();
}

int main(void)
{
    RUN_TEST(what_is_written_is_read_as_the_same);
    RUN_TEST(what_is_cut_is_refused);
    RUN_TEST(what_is_flipped_is_refused_or_sound);
    RUN_TEST(noise_is_refused_or_sound);
    RUN_TEST(short_memory_is_told_and_nothing_is_lost);
    RUN_TEST(nothing_is_allocated_for_what_cannot_be);
    RUN_TEST(ended_fields_are_not_written);
    return check_done();
}
