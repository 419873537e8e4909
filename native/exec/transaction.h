/* MULTI, EXEC, DISCARD, WATCH: the queue of a session and its watched keys. */
#ifndef EXEC_TRANSACTION_H
#define EXEC_TRANSACTION_H

#include "exec/call.h"

/* True between MULTI and EXEC or DISCARD. */
bool transaction_open(const struct session *session);
/* Queued commands, or -1 outside MULTI; CLIENT LIST's multi. */
int64_t transaction_length(const struct session *session);
uint32_t transaction_watched(const struct session *session);
size_t transaction_memory(const struct session *session);
/* True when a watched key has changed; CLIENT LIST's flag d. */
bool transaction_dirty(const struct session *session);

/* What the queue holds: writes, or commands that are refused when memory is short. */
bool transaction_writes(const struct session *session);
bool transaction_needs_memory(const struct session *session);
bool transaction_is_exec(const struct command *command);

/* Copies a checked command into the queue; replies QUEUED. */
void transaction_queue(struct session *session, const struct request *request, struct reply *reply);
/* A command was refused while queuing: EXEC will abort. */
void transaction_fail(struct session *session);

/* The commands' own work; errors as handlers return them. */
MUST_CHECK enum err transaction_begin(struct session *session);
MUST_CHECK enum err transaction_watch(struct call *call) REQUIRES(*call->keys);
void transaction_unwatch(struct session *session, struct executor *executor);
/* Drops queue and watches. */
void transaction_discard(struct session *session, struct executor *executor);

/* EXEC: locks the union of the queued commands' keys (or takes the exclusive section), checks
 * the watches, runs, replies.  Called by the executor instead of a handler. */
void transaction_execute(struct executor *executor, struct session *session, struct reply *reply);

#endif
