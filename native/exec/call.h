/* One running command: everything a handler gets. */
#ifndef EXEC_CALL_H
#define EXEC_CALL_H

#include "exec/args.h"
#include "exec/changes.h"
#include "exec/engine.h"
#include "exec/executor.h"
#include "exec/session.h"
#include "proto/reply.h"
#include "store/keyspace.h"

struct call {
    struct keyspace *keyspace;
    struct keylock *keys; /* holds the row's keys */
    struct store_thread *thread;
    struct engine *engine;
    struct executor *executor;
    struct session *session;
    const struct command *command;
    struct reply *reply;
    struct args args; /* stands behind the name (and the subcommand's) */
    struct effects effects;
    int64_t now_ms; /* Unix time; the same for a whole transaction */
};

/* Reports that 'key' of the session's database has changed: marks watchers, counts, tells
 * the key event ('event' as a literal: "set", "expire" ...; NULL for none), and has the
 * command propagated.  Once per changed key. */
static inline void call_changed(struct call *call, struct bytes key, const char *event)
    REQUIRES(*call->keys);
void call_changed_in(struct call *call, uint32_t db, struct bytes key, const char *event)
    REQUIRES(*call->keys);
/* The same for everything in a database (UINT32_MAX: all), in the exclusive section, before
 * it goes. */
void call_changed_all(struct call *call, uint32_t db) REQUIRES(*call->keys);

/* The effect to be logged instead of the command itself; several calls give several. */
void call_propagate_as(struct call *call, const struct bytes *argv, uint32_t argc);
void call_propagate_nothing(struct call *call);

/* Whether anybody wants to know which keys change: then call_changed() has more to do than
 * to count.  One look for all of them, since every write comes by here. */
static inline bool call_is_observed(const struct call *call)
{
    const struct engine *engine = call->engine;
    return __builtin_expect(keyspace_is_watched(call->thread) || blocking_any(&engine->blocking) ||
                                notify_any(engine) || tracking_any(&engine->tracking) ||
                                engine->changes.event != NULL,
                            0);
}

/* What call_changed() leaves. */
void call_tell_changed(struct call *call, struct bytes key, const char *event)
    REQUIRES(*call->keys);

static inline void call_changed(struct call *call, struct bytes key, const char *event)
{
    if (call_is_observed(call)) {
        call_tell_changed(call, key, event);
    } else {
        call->effects.changed++;
    }
}

/* The argument at 'index' of the whole command, 0 is its name. */
static inline struct bytes call_argument(const struct call *call, uint32_t index)
{
    return call->args.argv[index];
}

#endif
