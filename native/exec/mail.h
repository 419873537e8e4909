/* Mail from any thread to the thread that owns sessions: published messages, invalidations,
 * lines of MONITOR.  Sending never waits and never fails: the box holds what the owner has not
 * read yet, which it does at every turn, before it reads from its clients. */
#ifndef EXEC_MAIL_H
#define EXEC_MAIL_H

#include <stdatomic.h>

#include "base/thread.h"

struct executor;

/* What every kind of letter begins with. */
struct letter {
    struct letter *next;
    /* On the owner's thread, in a batch.  Frees the letter. */
    void (*open)(struct letter *letter, struct executor *executor);
    /* Unread, at the end. */
    void (*discard)(struct letter *letter);
};

/* Boxes are numbered from 0, one to a worker. */
enum { MAILBOXES_MAX = 1024 };

struct mailbox {
    unsigned number;
    struct mutex mutex; /* RANK_QUEUE; guards the list */
    struct letter *first, *last;
    _Atomic bool has_mail;
    void (*wake)(void *user); /* the owner, when the box is empty no more; any thread */
    void *user;
};

void mailbox_init(struct mailbox *box, unsigned number, void (*wake)(void *user), void *user);
/* Discards what is inside. */
void mailbox_release(struct mailbox *box);

/* The letter is the box's now. */
void mailbox_send(struct mailbox *box, struct letter *letter);

/* Opens all letters that are there; the owner, in a batch. */
void mailbox_read(struct mailbox *box, struct executor *executor);
static inline bool mailbox_has_mail(const struct mailbox *box)
{
    return atomic_load_explicit(&box->has_mail, memory_order_acquire);
}

#endif
