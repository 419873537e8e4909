/* What handlers report: the mutation gate; see call.h and changes.h. */
#include "exec/call.h"

#include "exec/perform.h"

void changes_tell(struct executor *executor, uint32_t db, const struct bytes *argv, uint32_t argc)
{
    const struct change_sink *sink = &executor->engine->changes;
    if (executor->frame == FRAME_WANTED) {
        struct bytes multi = LIT("MULTI");
        executor->frame = FRAME_OPEN;
        sink->effect(sink->user, db, &multi, 1);
    }
    sink->effect(sink->user, db, argv, argc);
}

bool changes_begin_frame(struct executor *executor)
{
    if (executor->frame != FRAME_NONE) {
        return false;
    }
    executor->frame = FRAME_WANTED;
    return true;
}

void changes_end_frame(struct executor *executor, uint32_t db)
{
    const struct change_sink *sink = &executor->engine->changes;
    if (executor->frame == FRAME_OPEN) {
        struct bytes exec = LIT("EXEC");
        sink->effect(sink->user, db, &exec, 1);
    }
    executor->frame = FRAME_NONE;
}

static void tell_event(struct call *call, uint32_t db, struct bytes key, const char *event)
{
    const struct change_sink *sink = &call->engine->changes;
    call->effects.changed++;
    if (blocking_any(&call->engine->blocking)) {
        blocking_note(&call->engine->blocking, db, key);
    }
    if (tracking_any(&call->engine->tracking)) {
        tracking_key_changed(call->engine, call->executor, call->session, key);
    }
    if (event != NULL && notify_any(call->engine)) {
        notify_event(call->engine, db, key, bytes_of(event));
    }
    if (__builtin_expect(sink->event != NULL, 0) && event != NULL) {
        sink->event(sink->user, db, key, bytes_of(event));
    }
}

void call_tell_changed(struct call *call, struct bytes key, const char *event)
{
    keyspace_touch(call->keyspace, call->keys, key);
    tell_event(call, call->session->db, key, event);
}

void call_changed_in(struct call *call, uint32_t db, struct bytes key, const char *event)
{
    keyspace_touch_in(call->keyspace, call->keys, db, key);
    tell_event(call, db, key, event);
}

void call_changed_all(struct call *call, uint32_t db)
{
    keyspace_touch_all(call->keyspace, call->keys, db);
    call->effects.changed++;
    if (blocking_any(&call->engine->blocking)) {
        blocking_note_all(&call->engine->blocking, db);
    }
    if (tracking_any(&call->engine->tracking)) {
        tracking_all_changed(call->engine, call->session);
    }
}

void call_propagate_as(struct call *call, const struct bytes *argv, uint32_t argc)
{
    call->effects.replaced = true;
    if (call->engine->changes.effect != NULL) {
        changes_tell(call->executor, call->session->db, argv, argc);
    }
}

void call_propagate_nothing(struct call *call)
{
    call->effects.suppressed = true;
}
