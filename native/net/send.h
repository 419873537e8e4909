/* What a connection could not send at once, and its limits; what others sent to it. */
#ifndef NET_SEND_H
#define NET_SEND_H

#include "base/bytes.h"

struct conn;
struct worker;

/* Marks a connection to be closed: its socket failed, or memory is short. */
void send_failed(struct worker *worker, struct conn *conn, const char *why);

/* Sends what an earlier step left behind. */
void send_outbox(struct worker *worker, struct conn *conn);

/* Marks a connection to be closed when more is unsent than its class may have. */
void send_check_limit(struct worker *worker, struct conn *conn);

/* Adds bytes behind everything that is unsent; send_pushed() sends them. */
void send_push(struct worker *worker, struct conn *conn, struct bytes bytes);
void send_pushed(struct worker *worker);
/* Bytes for it were lost: send_pushed() closes it, as one over its limit. */
void send_overrun(struct worker *worker, struct conn *conn);

#endif
