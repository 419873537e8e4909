/* What LATENCY tells in pictures and words. */
#ifndef COMMANDS_LATENCY_REPORT_H
#define COMMANDS_LATENCY_REPORT_H

#include "exec/engine.h"

/* A picture of the newest samples of a series as latency_read() gives it, with at least one. */
void latency_draw(struct bytes name, const struct latency_series *series, int64_t now_s,
                  struct buf *out);
/* A report on all events. */
void latency_diagnose(struct engine *engine, struct buf *out);

#endif
