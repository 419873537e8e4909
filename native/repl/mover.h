/* The thread that moves keys to other servers for clients that wait for it (MIGRATE): one migration
 * after the other, in the order of arrival.  It is started by the first one, and keeps connections
 * that it has made for a while.
 *
 * It connects before it touches anything.  Then it notes the keys as departing (exec/departing.h),
 * packs one after the other under its own lock, sends them, and in one exclusive section deletes
 * those that the target has, forgets the note and answers the client.  A client that leaves
 * meanwhile changes nothing of that. */
#ifndef REPL_MOVER_H
#define REPL_MOVER_H

#include "exec/engine.h"
#include "repl/migration.h"

struct mover;

/* The engine's mover, whose thread runs; NULL when memory is short.  Any thread. */
struct mover *mover_of(struct engine *engine);

/* A number for a client that is about to wait; never 0. */
uint64_t mover_ticket(struct mover *mover);

/* Adds a migration with such a ticket, which is the mover's from now on. */
void mover_adopt(struct mover *mover, struct migration *migration);

#endif
