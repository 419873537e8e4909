/* Letters and boxes; see mail.h. */
#include "exec/mail.h"

#include <stddef.h>

#include "exec/engine.h"
#include "exec/executor.h"

void mailbox_init(struct mailbox *box, unsigned number, struct mail_bounds *bounds,
                  void (*wake)(void *user), void *user)
{
    *box = (struct mailbox){ .number = number, .bounds = bounds, .wake = wake, .user = user };
    mutex_init(&box->mutex, RANK_QUEUE);
}

static struct letter *take_all(struct mailbox *box)
{
    mutex_lock(&box->mutex);
    struct letter *letters = box->first;
    box->first = box->last = NULL;
    atomic_store_explicit(&box->has_mail, false, memory_order_relaxed);
    mutex_unlock(&box->mutex);
    return letters;
}

/* So many bytes were opened, or discarded. */
static void make_room(struct mailbox *box, size_t bytes)
{
    uint64_t limit = atomic_load_explicit(&box->bounds->limit, memory_order_relaxed);
    mutex_lock(&box->mutex);
    box->bytes -= bytes;
    if (box->full && (limit == 0 || box->bytes <= limit)) {
        box->full = false;
        atomic_fetch_sub_explicit(box->bounds->full, 1, memory_order_relaxed);
    }
    mutex_unlock(&box->mutex);
}

void mailbox_release(struct mailbox *box)
{
    size_t bytes = 0;
    struct letter *next;
    for (struct letter *letter = take_all(box); letter != NULL; letter = next) {
        next = letter->next;
        bytes += letter->size;
        letter->discard(letter);
    }
    make_room(box, bytes);
    mutex_release(&box->mutex);
}

/* Under the mutex; the first letter always fits. */
static bool fits(const struct mailbox *box, const struct letter *letter, uint64_t limit)
{
    return limit == 0 || box->bytes == 0 || box->bytes + letter->size <= MAILBOX_LOSES_AT * limit;
}

static void add(struct mailbox *box, struct letter *letter, uint64_t limit)
{
    letter->next = NULL;
    if (box->first == NULL) {
        box->first = letter;
    } else {
        box->last->next = letter;
    }
    box->last = letter;
    box->bytes += letter->size;
    atomic_store_explicit(&box->has_mail, true, memory_order_release);
    if (limit != 0 && box->bytes > limit && !box->full) {
        box->full = true;
        atomic_fetch_add_explicit(box->bounds->full, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&box->bounds->times_full, 1, memory_order_relaxed);
    }
}

bool mailbox_send(struct mailbox *box, struct letter *letter)
{
    uint64_t limit = atomic_load_explicit(&box->bounds->limit, memory_order_relaxed);
    mutex_lock(&box->mutex);
    bool was_empty = box->first == NULL;
    bool taken = fits(box, letter, limit);
    if (taken) {
        add(box, letter, limit);
    }
    mutex_unlock(&box->mutex);
    if (!taken) {
        letter->discard(letter);
    } else if (was_empty) {
        box->wake(box->user);
    }
    return taken;
}

void mailbox_lose(struct mailbox *box)
{
    atomic_fetch_add_explicit(&box->bounds->lost, 1, memory_order_relaxed);
    if (!atomic_exchange_explicit(&box->lost, true, memory_order_acq_rel)) {
        atomic_store_explicit(&box->has_mail, true, memory_order_release);
        box->wake(box->user);
    }
}

void mailbox_read(struct mailbox *box, struct executor *executor)
{
    size_t bytes = 0;
    struct letter *next;
    for (struct letter *letter = take_all(box); letter != NULL; letter = next) {
        next = letter->next;
        bytes += letter->size;
        letter->open(letter, executor);
    }
    if (bytes > 0) {
        make_room(box, bytes);
    }
    if (atomic_exchange_explicit(&box->lost, false, memory_order_acq_rel)) {
        pubsub_tell_lost(executor);
        monitors_tell_lost(executor);
        tracking_tell_lost(executor);
    }
}
