/* Keys as commands for another server; see migration.h. */
#include "repl/migration.h"

#include "base/mem.h"
#include "base/num.h"
#include "rdb/payload.h"

enum { FRAME = 64 /* bytes around arguments */ };

/* ---- Life ------------------------------------------------------------------------------------ */

static struct bytes copy_text(char **at, struct bytes text)
{
    struct bytes copy = { *at, text.len };
    if (text.len > 0) {
        memcpy(*at, text.at, text.len);
        *at += text.len;
    }
    return copy;
}

struct migration *migration_copy(const struct migration *asked)
{
    size_t size = sizeof *asked + asked->key_count * sizeof asked->keys[0] + asked->host.len +
                  asked->port.len + asked->user.len + asked->password.len;
    for (uint32_t i = 0; i < asked->key_count; i++) {
        size += asked->keys[i].name.len;
    }
    struct migration *migration = mem_try_alloc(size);
    if (migration == NULL) {
        return NULL;
    }
    *migration = *asked;
    migration->keys = (struct migrating_key *)(migration + 1);
    char *at = (char *)(migration->keys + asked->key_count);
    migration->host = copy_text(&at, asked->host);
    migration->port = copy_text(&at, asked->port);
    migration->user = copy_text(&at, asked->user);
    migration->password = copy_text(&at, asked->password);
    for (uint32_t i = 0; i < asked->key_count; i++) {
        migration->keys[i] = (struct migrating_key){ .name = copy_text(&at, asked->keys[i].name) };
    }
    return migration;
}

void migration_release(struct migration *migration)
{
    buf_release(&migration->out);
    buf_release(&migration->error);
}

void migration_fail(struct migration *migration, struct bytes error)
{
    migration->error.len = 0;
    buf_append(&migration->error, error);
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* There is room. */
static void append_argument(struct buf *out, struct bytes argument)
{
    buf_printf(out, "$%zu\r\n", argument.len);
    buf_append(out, argument);
    buf_append(out, LIT("\r\n"));
}

static MUST_CHECK bool append_command(struct buf *out, const struct bytes *argv, uint32_t argc)
{
    size_t size = FRAME;
    for (uint32_t i = 0; i < argc; i++) {
        size += argv[i].len + FRAME;
    }
    if (!buf_reserve(out, size)) {
        return false;
    }
    buf_printf(out, "*%u\r\n", (unsigned)argc);
    for (uint32_t i = 0; i < argc; i++) {
        append_argument(out, argv[i]);
    }
    return true;
}

/* The milliseconds for which the key has still to live, 0: for ever; false when that is over. */
static bool find_rest(const struct entry *entry, int64_t now_ms, int64_t *rest)
{
    int64_t end = entry_expires_at(entry);
    *rest = end == KEYSPACE_NO_EXPIRY ? 0 : end - now_ms;
    return end == KEYSPACE_NO_EXPIRY || *rest > 0;
}

bool migration_pack(struct migration *migration, uint32_t at, const struct store_thread *thread,
                    const struct entry *entry, bool compress)
{
    struct migrating_key *key = &migration->keys[at];
    int64_t rest;
    if (entry == NULL || !rdb_value_is_there(thread, entry) ||
        !find_rest(entry, thread->now_ms, &rest)) {
        return true;
    }
    struct rdb_writer writer = { .version = RDB_VERSION_7_0, .compress = compress };
    rdb_payload_write(&writer, thread, entry);
    char digits[NUM_INT_ROOM];
    struct bytes argv[] = { LIT("RESTORE"),
                            key->name,
                            { digits, num_format_i64(digits, rest) },
                            buf_bytes(&writer.out),
                            LIT("REPLACE") };
    bool fine =
        writer.err == OK && append_command(&migration->out, argv, migration->replace ? 5 : 4);
    buf_release(&writer.out);
    key->packed = fine;
    return fine;
}

/* ---- With the target ------------------------------------------------------------------------- */

/* The first error of the target is the one that is told. */
static void note_refusal(struct migration *migration, struct bytes line)
{
    if (migration->error.len == 0) {
        buf_printf(&migration->error, "ERR Target instance replied with error: %.*s",
                   (int)line.len - 1, line.at + 1);
    }
}

/* Reads a status or an error: false when neither comes. */
static MUST_CHECK bool read_reply(struct migration *migration, struct target *target,
                                  const struct target_wait *wait, bool *accepted)
{
    struct bytes line;
    if (!target_read_line(target, &line, wait) || line.len == 0 ||
        (line.at[0] != '+' && line.at[0] != '-')) {
        if (migration->error.len == 0) {
            migration_fail(migration, MIGRATION_NOT_READ);
        }
        return false;
    }
    *accepted = line.at[0] == '+';
    if (!*accepted) {
        note_refusal(migration, line);
    }
    return true;
}

/* Sends bytes; false with the error. */
static MUST_CHECK bool send_bytes(struct migration *migration, struct target *target,
                                  struct bytes bytes, const struct target_wait *wait)
{
    if (!target_send(target, bytes, wait)) {
        migration_fail(migration, MIGRATION_NOT_WRITTEN);
        return false;
    }
    return true;
}

/* A command and its reply. */
static MUST_CHECK bool ask(struct migration *migration, struct target *target,
                           const struct bytes *argv, uint32_t argc, const struct target_wait *wait)
{
    struct buf out = { 0 };
    bool accepted = false;
    bool fine = append_command(&out, argv, argc);
    if (!fine) {
        migration_fail(migration, LIT("ERR out of memory"));
    }
    fine = fine && send_bytes(migration, target, buf_bytes(&out), wait) &&
           read_reply(migration, target, wait, &accepted);
    buf_release(&out);
    return fine && accepted;
}

static MUST_CHECK bool log_in(struct migration *migration, struct target *target,
                              const struct target_wait *wait)
{
    struct bytes with_user[] = { LIT("AUTH"), migration->user, migration->password };
    struct bytes alone[] = { LIT("AUTH"), migration->password };
    return migration->has_user ? ask(migration, target, with_user, 3, wait)
                               : ask(migration, target, alone, 2, wait);
}

static MUST_CHECK bool select_db(struct migration *migration, struct target *target,
                                 const struct target_wait *wait)
{
    char digits[NUM_INT_ROOM];
    struct bytes argv[] = { LIT("SELECT"), { digits, num_format_i64(digits, migration->db) } };
    return ask(migration, target, argv, 2, wait);
}

bool migration_open(struct migration *migration, struct target *target,
                    const struct target_wait *wait)
{
    bool connected = target->fd >= 0;
    enum target_outcome outcome =
        connected ? TARGET_CONNECTED
                  : target_connect(target, migration->host, migration->port, wait);
    if (outcome != TARGET_CONNECTED) {
        /* Redis notices a refusal when it writes. */
        migration_fail(migration,
                       outcome == TARGET_REFUSED ? MIGRATION_NOT_WRITTEN : MIGRATION_NO_CONNECTION);
        return false;
    }
    bool fine = connected || !migration->authenticates || log_in(migration, target, wait);
    if (fine && (!connected || target->db != migration->db)) {
        fine = select_db(migration, target, wait);
    }
    target->db = migration->db;
    if (!fine) {
        target_close(target);
    }
    return fine;
}

void migration_send(struct migration *migration, struct target *target,
                    const struct target_wait *wait)
{
    bool fine = send_bytes(migration, target, buf_bytes(&migration->out), wait);
    for (uint32_t i = 0; i < migration->key_count && fine; i++) {
        struct migrating_key *key = &migration->keys[i];
        fine = !key->packed || read_reply(migration, target, wait, &key->moved);
    }
    if (!fine) {
        target_close(target);
    }
}
