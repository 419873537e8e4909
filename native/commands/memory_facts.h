/* What MEMORY STATS and DOCTOR know. */
#ifndef COMMANDS_MEMORY_FACTS_H
#define COMMANDS_MEMORY_FACTS_H

#include "exec/call.h"

struct memory_facts {
    uint64_t used, peak, startup; /* engine_memory(): now, at most, at the start */
    uint64_t resident, active;    /* of the process; of pages and blocks behind 'used' */
    uint64_t clients;             /* their buffers */
    uint64_t client_count;
    uint64_t tables;    /* of all databases */
    uint64_t overhead;  /* all but keys and values */
    uint64_t keys;      /* of all databases */
    uint32_t databases; /* that have keys */
};

/* In the exclusive section, for it looks at all clients. */
void memory_facts_read(struct call *call, struct memory_facts *facts);
/* A database's part of the tables, by its number of keys. */
uint64_t memory_table_share(struct call *call, uint32_t db, const struct memory_facts *facts);
/* "db.0" */
size_t memory_database_name(char *out, size_t room, uint32_t db);
/* A report in words. */
void memory_diagnose(const struct memory_facts *facts, struct buf *out);

#endif
