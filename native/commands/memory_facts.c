/* Facts about memory, and what they mean; see memory_facts.h. */
#include "commands/memory_facts.h"

#include <stdio.h>

#include "base/os.h"

static void add_clients(struct engine *engine, struct memory_facts *facts)
{
    mutex_lock(&engine->sessions_lock);
    for (const struct session *at = engine->sessions; at != NULL; at = at->next) {
        size_t query, query_free, output, pieces, total = 0;
        at->carrier->buffers(at, &query, &query_free, &output, &pieces, &total);
        facts->clients += total;
        facts->client_count++;
    }
    mutex_unlock(&engine->sessions_lock);
}

void memory_facts_read(struct call *call, struct memory_facts *facts)
{
    struct engine *engine = call->engine;
    size_t slabs_used, slabs_held;
    *facts =
        (struct memory_facts){ .used = engine_memory(engine), .resident = os_resident_bytes() };
    facts->peak = facts->used;
    if (engine->services.memory_marks != NULL) {
        engine->services.memory_marks(engine->services.server, &facts->peak, &facts->startup);
    }
    keyspace_slab_memory(call->keyspace, &slabs_used, &slabs_held);
    facts->active = facts->used + (slabs_held > slabs_used ? slabs_held - slabs_used : 0);
    facts->tables = keyspace_table_memory(call->keyspace);
    facts->overhead = facts->startup + facts->tables;
    for (uint32_t db = 0; db < keyspace_databases(call->keyspace); db++) {
        int64_t keys = keyspace_size(call->keyspace, db);
        facts->keys += (uint64_t)keys;
        facts->databases += keys > 0;
        facts->overhead += keyspace_expiry_memory(call->keyspace, db);
    }
    add_clients(engine, facts);
}

uint64_t memory_table_share(struct call *call, uint32_t db, const struct memory_facts *facts)
{
    double share = (double)keyspace_size(call->keyspace, db) / (double)(facts->keys + 1);
    return (uint64_t)((double)facts->tables * share);
}

size_t memory_database_name(char *out, size_t room, uint32_t db)
{
    int len = snprintf(out, room, "db.%u", db);
    return len < 0 ? 0 : (size_t)len;
}

void memory_diagnose(const struct memory_facts *facts, struct buf *out)
{
    enum { TOO_LITTLE = 5 * 1024 * 1024, CLIENT_MUCH = 200 * 1024, WASTE_MUCH = 10 * 1024 * 1024 };
    static const double peak_much = 1.5, fragmentation_much = 1.4;
    uint64_t waste = facts->active > facts->used ? facts->active - facts->used : 0;
    size_t before = out->len;
    if (facts->used < TOO_LITTLE) {
        buf_append(out, LIT("There is too little data to say anything about the use of memory.\n"));
        return;
    }
    if ((double)facts->peak > (double)facts->used * peak_much) {
        buf_append(out, LIT("- Peak: much more memory was used before than now. What is not in use "
                            "is kept for later, so the process stays larger than its data; MEMORY "
                            "PURGE gives back what it can.\n"));
    }
    if (waste > WASTE_MUCH && (double)facts->active > (double)facts->used * fragmentation_much) {
        buf_append(out, LIT("- Fragmentation: pages are held by few live keys each, as after a "
                            "large part of the data was deleted. New keys of like sizes fill "
                            "them again.\n"));
    }
    if (facts->client_count > 0 && facts->clients / facts->client_count > CLIENT_MUCH) {
        buf_append(out, LIT("- Clients: their buffers take more than 200 kB each on average, as of "
                            "clients that read slowly or send large commands. CLIENT LIST tells "
                            "which ones; client-output-buffer-limit closes them.\n"));
    }
    if (out->len == before) {
        buf_append(out, LIT("Nothing about the use of memory is out of the ordinary.\n"));
    }
}
