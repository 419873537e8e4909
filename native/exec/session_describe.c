/* CLIENT LIST's line of a session. */
#include "exec/acl_user.h"
#include "exec/command.h"
#include "exec/pubsub.h"
#include "exec/session.h"
#include "exec/tracking.h"
#include "exec/transaction.h"

enum { FLAGS_ROOM = 20 };

/* One letter each, in Redis's order; "N" when there is none. */
static void describe_flags(const struct session *session, char *out)
{
    char *at = out;
    if ((session->flags & SESSION_MONITORS) != 0) {
        *at++ = 'O';
    }
    if ((session->flags & SESSION_SUBSCRIBED) != 0) {
        *at++ = 'P';
    }
    if (transaction_open(session)) {
        *at++ = 'x';
    }
    if ((session->flags & SESSION_BLOCKED) != 0) {
        *at++ = 'b';
    }
    if ((session->flags & SESSION_TRACKS) != 0) {
        *at++ = 't';
    }
    if ((session->flags & SESSION_REDIRECT_BROKEN) != 0) {
        *at++ = 'R';
    }
    if ((session->flags & SESSION_TRACKS_PREFIXES) != 0) {
        *at++ = 'B';
    }
    if (transaction_dirty(session)) {
        *at++ = 'd';
    }
    if ((session->flags & SESSION_CLOSE_AFTER_REPLY) != 0) {
        *at++ = 'c';
    }
    if ((session->flags & SESSION_CLOSE_NOW) != 0 ||
        (session_checks(session) & SESSION_KILLED) != 0) {
        *at++ = 'A';
    }
    if (session->carrier->kind == 'U') {
        *at++ = 'U';
    }
    if ((session->flags & SESSION_NO_EVICT) != 0) {
        *at++ = 'e';
    }
    if ((session->flags & SESSION_NO_TOUCH) != 0) {
        *at++ = 'T';
    }
    if (at == out) {
        *at++ = 'N';
    }
    *at = '\0';
}

static void append_field(struct buf *out, struct bytes name, const struct buf *value)
{
    buf_append(out, name);
    if (value != NULL) {
        buf_append(out, buf_bytes(value));
    }
}

size_t session_memory(const struct session *session)
{
    size_t query, query_free, output, pieces, total;
    session->carrier->buffers(session, &query, &query_free, &output, &pieces, &total);
    return total + transaction_memory(session) + pubsub_memory(session) + tracking_memory(session);
}

static void append_buffers(const struct session *session, struct buf *out)
{
    size_t query, query_free, output, pieces, total;
    session->carrier->buffers(session, &query, &query_free, &output, &pieces, &total);
    size_t queue = transaction_memory(session);
    /* Workers share their argument and reply buffers among all connections: none is a
     * client's own. */
    buf_printf(out, " qbuf=%zu qbuf-free=%zu argv-mem=0 multi-mem=%zu rbs=0 rbp=0", query,
               query_free, queue);
    buf_printf(out, " obl=%zu oll=%zu omem=%zu tot-mem=%zu events=%s", output, pieces, output,
               session_memory(session), output > 0 ? "rw" : "r");
}

void session_describe(const struct session *session, int64_t now_ms, struct buf *out)
{
    const struct session_details *details = session->details;
    const struct command *command = session->last_command;
    struct buf peer = { 0 }, ours = { 0 };
    char flags[FLAGS_ROOM];
    int64_t age = (now_ms - session->created_ms) / 1000;
    int64_t idle = (now_ms - session->active_ms) / 1000;

    describe_flags(session, flags);
    session->carrier->addresses(session, &peer, &ours);
    buf_printf(out, "id=%llu", (unsigned long long)session->id);
    append_field(out, LIT(" addr="), &peer);
    append_field(out, LIT(" laddr="), &ours);
    buf_printf(out, " fd=%d", session->carrier->descriptor(session));
    append_field(out, LIT(" name="), details != NULL ? &details->name : NULL);
    buf_printf(out, " age=%lld idle=%lld flags=%s db=%u", (long long)(age > 0 ? age : 0),
               (long long)(idle > 0 ? idle : 0), flags, session->db);
    buf_printf(out, " sub=%u psub=%u ssub=%u multi=%lld", pubsub_count(session, TOPIC_CHANNEL),
               pubsub_count(session, TOPIC_PATTERN), pubsub_count(session, TOPIC_SHARD),
               (long long)transaction_length(session));
    append_buffers(session, out);
    buf_printf(out, " cmd=%s", command != NULL ? command->name : "NULL");
    buf_append(out, LIT(" user="));
    buf_append(out, acl_user_name(session->user));
    buf_printf(out, " redir=%lld resp=%u", (long long)tracking_redirection(session),
               session->protocol);
    append_field(out, LIT(" lib-name="), details != NULL ? &details->library_name : NULL);
    append_field(out, LIT(" lib-ver="), details != NULL ? &details->library_version : NULL);
    buf_release(&peer);
    buf_release(&ours);
}
