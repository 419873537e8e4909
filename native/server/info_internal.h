/* What the files of INFO share: the state of one answer, and the sections of info_sections.c. */
#ifndef SERVER_INFO_INTERNAL_H
#define SERVER_INFO_INTERNAL_H

#include "exec/stats.h"
#include "server/info.h"

/* One INFO on its way. */
struct info_page {
    const struct info_source *source;
    struct engine *engine;
    struct info_facts facts;
    struct stats stats; /* sums of this moment */
    int64_t now_us;     /* Unix time */
    struct buf *out;
};

/* INFO's sections, a function each, with the header line. */
void info_persistence(const struct info_page *page);
void info_stats(const struct info_page *page);
void info_replication(const struct info_page *page);
void info_cpu(const struct info_page *page);
void info_modules(const struct info_page *page);
void info_commandstats(const struct info_page *page);
void info_errorstats(const struct info_page *page);
void info_latencystats(const struct info_page *page);
void info_cluster(const struct info_page *page);
void info_keyspace(const struct info_page *page);

#endif
