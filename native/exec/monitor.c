/* Lines for monitoring clients; see monitor.h. */
#include "exec/monitor.h"

#include "base/mem.h"
#include "exec/perform.h"
#include "exec/secrets.h"

struct line_letter {
    struct letter letter;
    size_t len;
    char text[];
};

void monitors_init(struct monitors *monitors)
{
    mutex_init(&monitors->mutex, RANK_PUBSUB);
}

void monitors_release(struct monitors *monitors)
{
    mutex_release(&monitors->mutex);
}

void monitor_begin(struct executor *executor, struct session *session)
{
    struct monitors *monitors = &executor->engine->monitors;
    struct mailbox *box = executor->mailbox;
    if ((session->flags & SESSION_MONITORS) != 0) {
        return;
    }
    session->flags |= SESSION_MONITORS;
    session->next_monitor = executor->monitors;
    executor->monitors = session;
    mutex_lock(&monitors->mutex);
    monitors->boxes[box->number] = box;
    monitors->counts[box->number]++;
    if (monitors->box_limit <= box->number) {
        monitors->box_limit = box->number + 1;
    }
    atomic_fetch_add_explicit(&monitors->count, 1, memory_order_relaxed);
    mutex_unlock(&monitors->mutex);
}

void monitor_end(struct executor *executor, struct session *session)
{
    struct monitors *monitors = &executor->engine->monitors;
    if ((session->flags & SESSION_MONITORS) == 0) {
        return;
    }
    struct session **link = &executor->monitors;
    while (*link != session) {
        link = &(*link)->next_monitor;
    }
    *link = session->next_monitor;
    session->flags &= ~(uint32_t)SESSION_MONITORS;
    mutex_lock(&monitors->mutex);
    if (--monitors->counts[executor->mailbox->number] == 0) {
        monitors->boxes[executor->mailbox->number] = NULL;
    }
    atomic_fetch_sub_explicit(&monitors->count, 1, memory_order_relaxed);
    mutex_unlock(&monitors->mutex);
}

/* ---- Lines ------------------------------------------------------------------------------- */

/* As Redis prints arguments, between quotes. */
static void append_quoted(struct buf *out, struct bytes text)
{
    static const char special[] = "\\\"\n\r\t\a\b", letters[] = "\\\"nrtab";
    buf_append(out, LIT(" \""));
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const char *found = c != '\0' ? strchr(special, c) : NULL;
        if (found != NULL) {
            buf_append_char(out, '\\');
            buf_append_char(out, letters[found - special]);
        } else if (c >= ' ' && c <= '~') {
            buf_append_char(out, c);
        } else {
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
        }
    }
    buf_append_char(out, '"');
}

static void write_line(const struct task *task, struct buf *line)
{
    struct buf peer = { 0 }, ours = { 0 };
    int64_t now_us = clock_wall_us(task->executor->engine->clock);
    const struct session_carrier *carrier = task->session->carrier;
    if (carrier->monitored_as != NULL) {
        buf_append(&peer, bytes_of(carrier->monitored_as));
    } else {
        carrier->addresses(task->session, &peer, &ours);
    }
    buf_printf(line, "+%lld.%06lld [%u ", (long long)(now_us / 1000000),
               (long long)(now_us % 1000000), task->session->db);
    buf_append(line, buf_bytes(&peer));
    buf_append_char(line, ']');
    for (uint32_t i = 0; i < task->argc; i++) {
        append_quoted(line, secrets_has(task->argv, i) ? SECRET_TEXT : task->argv[i]);
    }
    buf_append(line, LIT("\r\n"));
    buf_release(&peer);
    buf_release(&ours);
}

static void open_line(struct letter *letter, struct executor *executor)
{
    struct line_letter *line = (struct line_letter *)letter;
    struct bytes text = { line->text, line->len };
    for (struct session *at = executor->monitors; at != NULL; at = at->next_monitor) {
        at->carrier->push(at, text);
    }
    mem_free(line);
}

static void discard_line(struct letter *letter)
{
    mem_free(letter);
}

/* False when it was lost. */
static bool send_to(struct mailbox *box, struct bytes text)
{
    size_t size = sizeof(struct line_letter) + text.len;
    struct line_letter *letter = mem_try_alloc(size);
    if (letter == NULL) {
        return false;
    }
    letter->letter = (struct letter){ .size = size, .open = open_line, .discard = discard_line };
    letter->len = text.len;
    memcpy(letter->text, text.at, text.len);
    return mailbox_send(box, &letter->letter);
}

static void send_line(struct monitors *monitors, struct bytes text)
{
    mutex_lock(&monitors->mutex);
    for (unsigned i = 0; i < monitors->box_limit; i++) {
        if (monitors->boxes[i] != NULL && !send_to(monitors->boxes[i], text)) {
            atomic_store_explicit(&monitors->lost[i], true, memory_order_release);
            mailbox_lose(monitors->boxes[i]);
        }
    }
    mutex_unlock(&monitors->mutex);
}

void monitors_tell_lost(struct executor *executor)
{
    _Atomic bool *lost = &executor->engine->monitors.lost[executor->mailbox->number];
    if (atomic_exchange_explicit(lost, false, memory_order_acq_rel)) {
        for (struct session *at = executor->monitors; at != NULL; at = at->next_monitor) {
            at->carrier->overrun(at);
        }
    }
}

void monitor_tell(const struct task *task)
{
    if ((task->command->flags & (CMD_ADMIN | CMD_SKIP_MONITOR)) == 0) {
        monitor_tell_now(task);
    }
}

void monitor_tell_now(const struct task *task)
{
    struct buf line = { 0 };
    size_t room = 64;
    for (uint32_t i = 0; i < task->argc; i++) {
        room += 4 * task->argv[i].len + 3;
    }
    if (!buf_reserve(&line, room)) {
        return;
    }
    write_line(task, &line);
    send_line(&task->executor->engine->monitors, buf_bytes(&line));
    buf_release(&line);
}
