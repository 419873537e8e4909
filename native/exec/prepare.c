/* Before a command runs: which one it is, its key's hash, and its memory on the way.  All
 * commands of a step, of one pipeline and of different clients, pass here before the first
 * of them executes. */
#include "base/mem.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/perform.h"
#include "exec/registry_internal.h"

/* Lookups in flight together; more would push each other out of the cache. */
enum { PREFETCH_WINDOW = 16, KEYS_FIRST_ROOM = 16, KEYS_PREPARED_OF_ONE = 64 };

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
    } else if (command != NULL && command->derived.plan == PLAN_KEYS) {
        prepare_keys(executor, session->db, request);
    }
}

/* Lookups that are in flight together. */
struct window {
    const struct keyspace *ks;
    uint32_t count;
    uint64_t hashes[PREFETCH_WINDOW];
};

static void window_close(struct window *window)
{
    for (uint32_t i = 0; i < window->count; i++) {
        keyspace_prefetch_bucket(window->ks, window->hashes[i]);
    }
    for (uint32_t i = 0; i < window->count; i++) {
        keyspace_prefetch_entry(window->ks, window->hashes[i]);
    }
    window->count = 0;
}

static inline void window_add(struct window *window, uint64_t hash)
{
    keyspace_prefetch_stripe(window->ks, hash);
    window->hashes[window->count++] = hash;
    if (window->count == PREFETCH_WINDOW) {
        window_close(window);
    }
}

static const struct bytes *member_of(const struct request *request)
{
    return request->has_key && request->command->member_at != 0 &&
                   request->argc > request->command->member_at
               ? &request->argv[request->command->member_at]
               : NULL;
}

/* Commands one after the other on members of the same value: their memory in flight together.
 * A single one would wait for it here as long as in its handler. */
static void prefetch_members(struct executor *executor, const struct request *requests,
                             uint32_t count)
{
    for (uint32_t start = 0; start < count;) {
        const struct request *first = &requests[start];
        struct bytes members[PREFETCH_WINDOW];
        uint32_t run = 0;
        for (; start < count && run < PREFETCH_WINDOW; start++) {
            const struct request *next = &requests[start];
            const struct bytes *member = member_of(next);
            if (member == NULL || next->key.hash != first->key.hash) {
                break;
            }
            members[run++] = *member;
        }
        if (run > 1 && first->era == executor->era) {
            keyspace_prefetch_members(&executor->thread, &first->key, members, run);
        }
        start += run == 0;
    }
}

void executor_prefetch(struct executor *executor, const struct request *requests, uint32_t count)
{
    struct window window = { .ks = executor->thread.keyspace };
    /* One key alone would be waited for here as long as in its handler. */
    for (uint32_t next = 0; (count > 1 || requests[0].key_count > 1) && next < count; next++) {
        const struct request *request = &requests[next];
        if (request->has_key) {
            window_add(&window, request->key.hash);
        }
        for (uint32_t i = 0; i < request->key_count; i++) {
            window_add(&window, executor->prepared[request->first_key + i].hash);
        }
    }
    window_close(&window);
    prefetch_members(executor, requests, count);
    executor->tick = ticks_now(); /* Commands are timed from here on. */
}

void executor_hash_keys(struct executor *executor, struct locked_key *keys, uint32_t count)
{
    struct window window = { .ks = executor->thread.keyspace };
    for (uint32_t i = 0; i < count; i++) {
        keys[i].hash = keyspace_hash(window.ks, keys[i].db, keys[i].name);
        window_add(&window, keys[i].hash);
    }
    window_close(&window);
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
