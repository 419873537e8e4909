/* Letters and boxes; see mail.h. */
#include "exec/mail.h"

#include <stddef.h>

void mailbox_init(struct mailbox *box, unsigned number, void (*wake)(void *user), void *user)
{
    *box = (struct mailbox){ .number = number, .wake = wake, .user = user };
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

void mailbox_release(struct mailbox *box)
{
    struct letter *next;
    for (struct letter *letter = take_all(box); letter != NULL; letter = next) {
        next = letter->next;
        letter->discard(letter);
    }
    mutex_release(&box->mutex);
}

void mailbox_send(struct mailbox *box, struct letter *letter)
{
    letter->next = NULL;
    mutex_lock(&box->mutex);
    bool was_empty = box->first == NULL;
    if (was_empty) {
        box->first = letter;
    } else {
        box->last->next = letter;
    }
    box->last = letter;
    atomic_store_explicit(&box->has_mail, true, memory_order_release);
    mutex_unlock(&box->mutex);
    if (was_empty) {
        box->wake(box->user);
    }
}

void mailbox_read(struct mailbox *box, struct executor *executor)
{
    struct letter *next;
    for (struct letter *letter = take_all(box); letter != NULL; letter = next) {
        next = letter->next;
        letter->open(letter, executor);
    }
}
