/* What one MIGRATE is about: keys as RESTORE commands for another server, and which of them it has
 * then.  Whoever has the keys packs and deletes them: the command itself where it can't wait
 * (cmd_migrate.c), else the mover's thread (mover.h). */
#ifndef REPL_MIGRATION_H
#define REPL_MIGRATION_H

#include "base/buf.h"
#include "repl/target.h"
#include "store/keyspace.h"

/* The texts of all failures but the target's own errors, as Redis has them. */
#define MIGRATION_NO_CONNECTION LIT("IOERR error or timeout connecting to the client")
#define MIGRATION_NOT_WRITTEN   LIT("IOERR error or timeout writing to target instance")
#define MIGRATION_NOT_READ      LIT("IOERR error or timeout reading to target instance")

struct migrating_key {
    struct bytes name;
    bool packed; /* it was there, and its command is in 'out' */
    bool moved;  /* the target has it */
};

struct migration {
    struct migration *next; /* the mover's queue */
    uint64_t ticket;        /* the client's who waits for it (blocking.h) */
    uint32_t source_db;
    struct bytes host, port;
    struct bytes user, password;
    bool authenticates, has_user;
    bool copy, replace;
    int64_t db, timeout_ms;
    uint32_t key_count;
    struct migrating_key *keys;
    struct buf out;   /* the packed keys' commands, in their order */
    struct buf error; /* the reply, if it has failed, without '-' */
};

/* A copy of everything that was asked for, in one allocation; NULL when memory is short. */
struct migration *migration_copy(const struct migration *asked);
/* Gives back what was packed and said; the rest is the owner's. */
void migration_release(struct migration *migration);

/* Packs a key with its value; 'entry' is NULL when it is not there.  False when memory is short. */
MUST_CHECK bool migration_pack(struct migration *migration, uint32_t at,
                               const struct store_thread *thread, const struct entry *entry,
                               bool compress);

/* Whether anything was packed. */
static inline bool migration_has_keys(const struct migration *migration)
{
    return migration->out.len > 0;
}

/* Makes a target ready: connects and logs in, if it is not connected yet, and selects the database.
 * False with the error, and then it is closed. */
MUST_CHECK bool migration_open(struct migration *migration, struct target *target,
                               const struct target_wait *wait);
/* Sends the packed keys and notes which the target has taken, whatever the error is; closes it when
 * it is of no use any more. */
void migration_send(struct migration *migration, struct target *target,
                    const struct target_wait *wait);

/* Sets the error. */
void migration_fail(struct migration *migration, struct bytes error);

#endif
