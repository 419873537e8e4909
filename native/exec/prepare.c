/* Before a command runs: which one it is, its key's hash, and its memory on the way.  All
 * commands of a step, of one pipeline and of different clients, pass here before the first
 * of them executes. */
#include <math.h>

#include "base/mem.h"
#include "base/num.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/perform.h"
#include "exec/registry_internal.h"

enum { KEYS_FIRST_ROOM = 16, KEYS_PREPARED_OF_ONE = 64 };

/* ---- Which command, and the hashes of its keys ------------------------------------------ */

/* Notes a key of the round: its stripe first. */
static inline void note_hash(struct executor *executor, uint64_t hash)
{
    struct executor_ahead *ahead = executor->ahead;
    keyspace_prefetch_stripe(executor->thread.keyspace, hash);
    if (__builtin_expect(ahead->count < sizeof ahead->hashes / sizeof ahead->hashes[0], 1)) {
        ahead->hashes[ahead->count++] = hash;
    }
}

/* Of a command with several keys, hashes them all while the round has room: their memory can
 * then be on its way together with that of other commands. */
static void prepare_keys(struct executor *executor, uint32_t db, struct request *request)
{
    const struct command *command = request->command;
    if (request->argc > KEYS_PREPARED_OF_ONE ||
        executor->prepared_count > EXECUTOR_PREPARED_KEYS - KEYS_PREPARED_OF_ONE ||
        !command_arity_fits(command, request->argc)) {
        return;
    }
    struct found_key found[KEYS_PREPARED_OF_ONE];
    int count = command_keys(command, request->argv, request->argc, found);
    if (count <= 0) {
        return;
    }
    struct locked_key *keys = executor->prepared + executor->prepared_count;
    for (int i = 0; i < count; i++) {
        keys[i].name = request->argv[found[i].at];
        keys[i].db = db;
        keys[i].hash = keyspace_hash(executor->thread.keyspace, db, keys[i].name);
        note_hash(executor, keys[i].hash);
    }
    request->first_key = executor->prepared_count;
    request->key_count = (uint32_t)count;
    executor->prepared_count += (uint32_t)count;
}

void executor_prepare(struct executor *executor, const struct session *session,
                      const struct bytes *argv, uint32_t argc, enum dialect dialect,
                      struct request *request)
{
    const struct command *command = registry_find_fast(executor->engine->registry, argv, argc);
    request->argv = argv;
    request->argc = argc;
    request->dialect = (uint8_t)dialect;
    request->command = command;
    request->has_key = false;
    request->key_count = 0;
    request->era = executor->era;
    if (command != NULL && command->derived.plan == PLAN_ONE_KEY &&
        argc > command->derived.key_at) {
        request->key.name = argv[command->derived.key_at];
        request->key.db = session->db;
        request->key.hash =
            keyspace_hash(executor->thread.keyspace, session->db, request->key.name);
        request->has_key = true;
        note_hash(executor, request->key.hash);
        executor->ahead->members |= command->member_at != 0;
    } else if (command != NULL &&
               (command->derived.plan == PLAN_KEYS || command->derived.plan == PLAN_DECLARED)) {
        prepare_keys(executor, session->db, request);
    }
    request->hash_end = executor->ahead->count;
}

/* ---- Memory on its way ------------------------------------------------------------------- */

static void fetch_buckets(struct executor *executor, uint32_t until)
{
    struct executor_ahead *ahead = executor->ahead;
    until = until < ahead->count ? until : ahead->count;
    if (ahead->buckets < until) {
        keyspace_prefetch_buckets(executor->thread.keyspace, ahead->hashes + ahead->buckets,
                                  until - ahead->buckets);
        ahead->buckets = until;
    }
}

static void fetch_entries(struct executor *executor, uint32_t until)
{
    struct executor_ahead *ahead = executor->ahead;
    until = until < ahead->count ? until : ahead->count;
    keyspace_prefetch_entries(executor->thread.keyspace, ahead->hashes + ahead->entries,
                              until - ahead->entries, ahead->entry_lines);
    ahead->entries = until;
}

void executor_prefetch_more(struct executor *executor, uint32_t hash_end)
{
    struct executor_ahead *ahead = executor->ahead;
    if (ahead->count == 1) {
        ahead->entries = 1; /* One key alone would be waited for here as long as in its handler. */
        return;
    }
    do {
        /* Buckets stay as far ahead of the entries as those of the execution. */
        fetch_buckets(executor, ahead->entries + 2 * EXECUTOR_AHEAD);
        fetch_entries(executor, ahead->entries + EXECUTOR_AHEAD);
    } while (ahead->entries < ahead->count && ahead->entries < hash_end + EXECUTOR_AHEAD);
    executor->tick = ticks_now(); /* What was waited for is not the next command's. */
}

/* The argument at a place that may be counted from the end, or NULL. */
static const struct bytes *argument_at(const struct request *request, int at)
{
    uint32_t index = at < 0 ? request->argc - (uint32_t)-at : (uint32_t)at;
    return index < request->argc ? &request->argv[index] : NULL;
}

/* The member that a command will look up; false when there is none. */
static bool member_of(const struct request *request, struct member_ahead *member)
{
    const struct command *command = request->command;
    const struct bytes *name = request->has_key && command->member_at != 0
                                   ? argument_at(request, command->member_at)
                                   : NULL;
    if (name == NULL) {
        return false;
    }
    *member = (struct member_ahead){ *name, command->score_at != 0, NAN };
    if (command->score_at != 0 && command->score_at != command->member_at) {
        const struct bytes *score = argument_at(request, command->score_at);
        if (score == NULL || !num_parse_double(*score, &member->score)) {
            member->score = NAN;
        }
    }
    return true;
}

/* Commands one after the other on members of the same value: their memory in flight together.
 * A single one would wait for it here as long as in its handler. */
void executor_prefetch_members(struct executor *executor, const struct request *requests,
                               uint32_t count)
{
    if (!executor->ahead->members) {
        return;
    }
    for (uint32_t start = 0; start < count;) {
        const struct request *first = &requests[start];
        struct member_ahead members[MEMBERS_AHEAD_MAX];
        uint32_t run = 0;
        for (; start < count && run < MEMBERS_AHEAD_MAX; start++) {
            const struct request *next = &requests[start];
            if (!member_of(next, &members[run]) || next->key.hash != first->key.hash) {
                break;
            }
            run++;
        }
        if (run > 1 && first->era == executor->era) {
            keyspace_prefetch_members(&executor->thread, &first->key, members, run);
        }
        start += run == 0;
    }
}

/* ---- Scratch for keys that were not prepared --------------------------------------------- */

void executor_hash_keys(struct executor *executor, struct locked_key *keys, uint32_t count)
{
    const struct keyspace *ks = executor->thread.keyspace;
    for (uint32_t from = 0; from < count; from += EXECUTOR_AHEAD) {
        uint64_t hashes[EXECUTOR_AHEAD];
        uint32_t some = count - from < EXECUTOR_AHEAD ? count - from : EXECUTOR_AHEAD;
        for (uint32_t i = 0; i < some; i++) {
            struct locked_key *key = &keys[from + i];
            hashes[i] = key->hash = keyspace_hash(ks, key->db, key->name);
            keyspace_prefetch_stripe(ks, key->hash);
        }
        keyspace_prefetch_buckets(ks, hashes, some);
        keyspace_prefetch_entries(ks, hashes, some, ENTRY_LINES_MIN);
    }
}

bool executor_reserve_keys(struct executor *executor, uint32_t count)
{
    if (count <= executor->key_room) {
        return true;
    }
    uint32_t room = executor->key_room > 0 ? executor->key_room : KEYS_FIRST_ROOM;
    while (room < count) {
        room = room > UINT32_MAX / 2 ? count : room * 2;
    }
    struct locked_key *keys = mem_try_realloc(executor->keys, room * sizeof *keys);
    if (keys != NULL) {
        executor->keys = keys;
    }
    struct found_key *found = mem_try_realloc(executor->found, room * sizeof *found);
    if (found != NULL) {
        executor->found = found;
    }
    if (keys == NULL || found == NULL) {
        return false;
    }
    executor->key_room = room;
    return true;
}
