/* Before a command runs: which one it is, its key's hash, and its memory on the way.  All
 * commands of a step, of one pipeline and of different clients, pass here before the first
 * of them executes. */
#include "base/mem.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/perform.h"
#include "exec/registry_internal.h"

/* Lookups in flight together; more would push each other out of the cache. */
enum { PREFETCH_WINDOW = 16, KEYS_FIRST_ROOM = 16 };

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
    request->era = executor->era;
    if (command != NULL && command->derived.plan == PLAN_ONE_KEY &&
        argc > command->derived.key_at) {
        request->key.name = argv[command->derived.key_at];
        request->key.db = session->db;
        request->key.hash =
            keyspace_hash(executor->thread.keyspace, session->db, request->key.name);
        request->has_key = true;
    }
}

void executor_prefetch(struct executor *executor, const struct request *requests, uint32_t count)
{
    const struct keyspace *ks = executor->thread.keyspace;
    uint64_t hashes[PREFETCH_WINDOW];
    for (uint32_t next = 0; count > 1 && next < count;) {
        uint32_t filled = 0;
        for (; next < count && filled < PREFETCH_WINDOW; next++) {
            if (requests[next].has_key) {
                hashes[filled] = requests[next].key.hash;
                keyspace_prefetch_stripe(ks, hashes[filled++]);
            }
        }
        for (uint32_t i = 0; i < filled; i++) {
            keyspace_prefetch_bucket(ks, hashes[i]);
        }
        for (uint32_t i = 0; i < filled; i++) {
            keyspace_prefetch_entry(ks, hashes[i]);
        }
    }
    executor->tick = ticks_now(); /* Commands are timed from here on. */
}

void executor_hash_keys(struct executor *executor, struct locked_key *keys, uint32_t count)
{
    const struct keyspace *ks = executor->thread.keyspace;
    for (uint32_t start = 0; start < count; start += PREFETCH_WINDOW) {
        uint32_t end = count - start > PREFETCH_WINDOW ? start + PREFETCH_WINDOW : count;
        for (uint32_t i = start; i < end; i++) {
            keys[i].hash = keyspace_hash(ks, keys[i].db, keys[i].name);
            keyspace_prefetch_stripe(ks, keys[i].hash);
        }
        for (uint32_t i = start; i < end; i++) {
            keyspace_prefetch_bucket(ks, keys[i].hash);
        }
        for (uint32_t i = start; i < end; i++) {
            keyspace_prefetch_entry(ks, keys[i].hash);
        }
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
