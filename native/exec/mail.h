/* Mail from any thread to the thread that owns sessions: published messages, invalidations,
 * lines of MONITOR.  Sending never waits, for the sender may hold keys: the box holds what the
 * owner has not read yet, which it does at every turn, before it reads from its clients.
 *
 * A box is bounded.  From mailbox-limit bytes on it counts as full: commands that write or
 * publish are put off, as by CLIENT PAUSE WRITE, until its owner has read (see pause.h).  Those
 * that can't be put off (of in-process clients, many messages of one transaction, keys that
 * expire) may fill it to twice the limit.  A letter beyond that is lost, and whoever it was for
 * is told so: subscribers and monitors are closed as by client-output-buffer-limit, clients that
 * track are told that all keys have changed. */
#ifndef EXEC_MAIL_H
#define EXEC_MAIL_H

#include <stdatomic.h>

#include "base/thread.h"

struct executor;

/* What every kind of letter begins with. */
struct letter {
    struct letter *next;
    size_t size; /* in memory, all that belongs to it */
    /* On the owner's thread, in a batch.  Frees the letter. */
    void (*open)(struct letter *letter, struct executor *executor);
    /* Unread: it was lost, or at the end. */
    void (*discard)(struct letter *letter);
};

/* Boxes are numbered from 0, one to a worker. */
enum { MAILBOXES_MAX = 1024, MAILBOX_LOSES_AT = 2 /* times the limit */ };

/* What all boxes of a server share. */
struct mail_bounds {
    _Atomic uint64_t limit;      /* mailbox-limit: bytes in one box; 0: none */
    _Atomic uint64_t lost;       /* letters */
    _Atomic uint64_t times_full; /* a box became full */
    _Atomic uint32_t *full;      /* how many are; a part of the engine's count of hold-ups */
};

struct mailbox {
    unsigned number;
    struct mail_bounds *bounds;
    struct mutex mutex; /* RANK_QUEUE; guards the list and its size */
    struct letter *first, *last;
    size_t bytes; /* of letters not opened yet */
    bool full;
    _Atomic bool has_mail;
    _Atomic bool lost;        /* a letter was */
    void (*wake)(void *user); /* the owner, when the box is empty no more; any thread */
    void *user;
};

/* Empty.  'bounds' are those of all boxes together and stay; 'wake' is called on the sender's
 * thread, with 'user', when the box is empty no more. */
void mailbox_init(struct mailbox *box, unsigned number, struct mail_bounds *bounds,
                  void (*wake)(void *user), void *user);
/* Discards what is inside. */
void mailbox_release(struct mailbox *box);

/* The letter is the box's now.  False when there was no room and it is lost: the caller notes
 * for whom it was, and then calls mailbox_lose(). */
MUST_CHECK bool mailbox_send(struct mailbox *box, struct letter *letter);
/* A letter was lost, or could not even be written; the owner is to look for whom. */
void mailbox_lose(struct mailbox *box);

/* Opens all letters that are there; the owner, in a batch. */
void mailbox_read(struct mailbox *box, struct executor *executor);
static inline bool mailbox_has_mail(const struct mailbox *box)
{
    return atomic_load_explicit(&box->has_mail, memory_order_acquire);
}

#endif
