/* Keyspace notifications: events of keys as messages of two channels, one named by the key and
 * one by the event; notify-keyspace-events says which are sent. */
#ifndef EXEC_NOTIFY_H
#define EXEC_NOTIFY_H

#include "base/buf.h"
#include "base/bytes.h"

struct engine;

enum notify_class {
    NOTIFY_KEYSPACE = 1 << 0, /* K: to __keyspace@<db>__:<key> */
    NOTIFY_KEYEVENT = 1 << 1, /* E: to __keyevent@<db>__:<event> */
    NOTIFY_GENERIC = 1 << 2,  /* g */
    NOTIFY_STRING = 1 << 3,   /* $ */
    NOTIFY_LIST = 1 << 4,     /* l */
    NOTIFY_SET = 1 << 5,      /* s */
    NOTIFY_HASH = 1 << 6,     /* h */
    NOTIFY_ZSET = 1 << 7,     /* z */
    NOTIFY_EXPIRED = 1 << 8,  /* x */
    NOTIFY_EVICTED = 1 << 9,  /* e */
    NOTIFY_STREAM = 1 << 10,  /* t */
    NOTIFY_MODULE = 1 << 11,  /* d */
    NOTIFY_MISS = 1 << 12,    /* m: not in A */
    NOTIFY_NEW = 1 << 13,     /* n: not in A */
};

/* Reads "KEA" and the like; false for a letter that is none. */
bool notify_parse(struct bytes text, uint32_t *classes);
/* The letters in Redis's order. */
void notify_format(uint32_t classes, struct buf *out);

/* Tells an event of a key, which is held.  Of the name follows the class. */
void notify_event(struct engine *engine, uint32_t db, struct bytes key, struct bytes event);

#endif
