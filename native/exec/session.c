/* A client's state; see session.h. */
#include "exec/session.h"

#include "base/mem.h"
#include "exec/acl_user.h"
#include "exec/engine.h"
#include "exec/transaction.h"

/* ---- Carriers of clients without a socket -------------------------------------------- */

void session_fixed_addresses(const struct session *session, struct buf *peer, struct buf *ours)
{
    buf_append(peer, bytes_of(session->carrier->address));
    buf_append(ours, bytes_of(session->carrier->address));
}

int session_no_descriptor(const struct session *session)
{
    (void)session;
    return -1;
}

void session_no_buffers(const struct session *session, size_t *query, size_t *query_free,
                        size_t *output, size_t *output_pieces, size_t *total)
{
    *query = *query_free = *output = *output_pieces = 0;
    *total = session->carrier->size;
}

void session_stay(struct session *session)
{
    (void)session;
}

static void mark_killed(struct session *session)
{
    session_set_check(session, SESSION_KILLED, true);
}

static const struct session_carrier internal_carrier = {
    .addresses = session_fixed_addresses,
    .descriptor = session_no_descriptor,
    .buffers = session_no_buffers,
    .kill = mark_killed,
    .address = "",
    .size = sizeof(struct session),
    .kind = 'N',
    .internal = true,
};

/* ---- Life ---------------------------------------------------------------------------- */

/* A client is the user "default" at first, and authenticated if that needs no password.  One of
 * the same process may do everything until it authenticates as somebody else. */
static uint32_t begin_as_default(struct session *session, struct engine *engine)
{
    bool internal = session->carrier->internal;
    bool known =
        internal || !atomic_load_explicit(&engine->settings.password_needed, memory_order_relaxed);
    session->user = engine->acl.standard;
    session_set_check(session, SESSION_CHECK_LOGIN, !known);
    session_set_check(session, SESSION_CHECK_USER, !internal && !session->user->unrestricted);
    return (internal ? SESSION_INTERNAL : 0) | (known ? SESSION_AUTHENTICATED : 0);
}

void session_init(struct session *session, struct engine *engine,
                  const struct session_carrier *carrier, int64_t now_ms)
{
    *session = (struct session){
        .carrier = carrier != NULL ? carrier : &internal_carrier,
        .id = atomic_fetch_add_explicit(&engine->next_session_id, 1, memory_order_relaxed) + 1,
        .created_ms = now_ms,
        .active_ms = now_ms,
        .protocol = 2,
    };
    session->flags = begin_as_default(session, engine);
    if (!session->carrier->internal) {
        atomic_fetch_add_explicit(&engine->session_count, 1, memory_order_relaxed);
    }
    mutex_lock(&engine->sessions_lock);
    session->next = engine->sessions;
    if (session->next != NULL) {
        session->next->previous = session;
    }
    engine->sessions = session;
    mutex_unlock(&engine->sessions_lock);
}

static void drop_details(struct session *session)
{
    if (session->details != NULL) {
        buf_release(&session->details->name);
        buf_release(&session->details->library_name);
        buf_release(&session->details->library_version);
        mem_free(session->details);
        session->details = NULL;
    }
}

void session_release(struct session *session, struct engine *engine, struct executor *executor)
{
    mutex_lock(&engine->sessions_lock);
    if (session->previous != NULL) {
        session->previous->next = session->next;
    } else {
        engine->sessions = session->next;
    }
    if (session->next != NULL) {
        session->next->previous = session->previous;
    }
    mutex_unlock(&engine->sessions_lock);
    if (!session->carrier->internal) {
        atomic_fetch_sub_explicit(&engine->session_count, 1, memory_order_relaxed);
    }
    blocking_forget(&engine->blocking, session);
    pubsub_leave(&engine->pubsub, session);
    tracking_leave(engine, session);
    monitor_end(executor, session);
    transaction_discard(session, executor);
    drop_details(session);
    session->next = session->previous = NULL;
}

void session_reset(struct session *session, struct engine *engine, struct executor *executor)
{
    enum { KEPT = SESSION_CLOSE_AFTER_REPLY | SESSION_CLOSE_NOW };
    transaction_discard(session, executor);
    pubsub_leave(&engine->pubsub, session);
    tracking_end(engine, session);
    monitor_end(executor, session);
    if (session->details != NULL) {
        /* The library's name and version stay: they say what the client is. */
        buf_release(&session->details->name);
        session->details->name = (struct buf){ 0 };
    }
    session->flags = (session->flags & KEPT) | begin_as_default(session, engine);
    session->db = 0;
    session->protocol = 2;
}

void session_kill(struct session *session)
{
    if (!session->carrier->internal) {
        session_set_check(session, SESSION_KILLED, true);
    }
    session->carrier->kill(session);
}

struct session_details *session_details(struct session *session)
{
    if (session->details == NULL) {
        session->details = mem_zalloc(sizeof *session->details);
    }
    return session->details;
}
