/* A session's transaction, as transaction.c (queue, WATCH) and exec.c (EXEC) see it. */
#ifndef EXEC_TRANSACTION_INTERNAL_H
#define EXEC_TRANSACTION_INTERNAL_H

#include "exec/call.h"
#include "exec/transaction.h"

/* A command in the queue: one allocation with its arguments and their bytes. */
struct queued {
    const struct command *command;
    size_t size; /* of the allocation */
    uint32_t argc;
    struct bytes argv[];
};

/* A watched key.  'watcher' comes first: the keyspace knows only that. */
struct watch {
    struct watcher watcher;
    struct transaction *transaction;
    struct watch *next;
    uint32_t db;  /* as the client numbers it */
    bool existed; /* there was a live value at WATCH */
    char key[];
};

struct transaction {
    struct queued **queue;
    uint32_t count, room;
    uint32_t arguments; /* of all queued commands: as many keys at most */
    uint32_t flags;     /* of all queued commands, together */
    uint32_t watch_count;
    struct watch *watches;
    size_t memory;      /* of queue and watches */
    _Atomic bool dirty; /* a watched key has changed; set by other threads */
    bool open;          /* between MULTI and EXEC or DISCARD */
    bool failed;        /* a command was refused: EXEC aborts */
    bool everything;    /* a queued command needs the exclusive section */
    bool writes;        /* a queued command locks its keys for writing */
};

#endif
