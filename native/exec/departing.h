/* Keys that are on their way to another server (MIGRATE).  From the moment at which they are noted
 * until their server has them, and they are deleted here, nobody may change them, or the change
 * would be lost: commands that would are put off, as by CLIENT PAUSE (pause.h), and no thread
 * waits.  They may be read, and all other keys are free.
 *
 * What is noted changes in the exclusive section only, so that whoever is in a batch may look. */
#ifndef EXEC_DEPARTING_H
#define EXEC_DEPARTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct command;
struct executor;
struct session;

/* In the engine. */
struct departing {
    const uint64_t *hashes; /* of the keys, as keyspace_hash() gives them; ascending */
    uint32_t count;         /* 0: none, and then it is no part of engine->holdups */
};

/* Whether any keys are noted. */
static inline bool departing_any(const struct departing *departing)
{
    return __builtin_expect(departing->count != 0, 0);
}

/* Notes keys by their hashes, which are sorted in place and stay the caller's, who has the
 * exclusive section and sees to it that no others are noted. */
void departing_begin(struct executor *executor, uint64_t *hashes, uint32_t count);
/* Forgets them, and lets blocked clients whose commands would have changed them try again; in the
 * exclusive section. */
void departing_end(struct executor *executor);

/* Whether a command of the session has to wait, since it may change such a key.  In a batch or in
 * the exclusive section, without keys: the executor's scratch is used. */
bool departing_holds(struct executor *executor, const struct session *session,
                     const struct command *command, const struct bytes *argv, uint32_t argc);

#endif
