/* Warnings at the start: what was asked for and this machine will not give.  Each is a log
 * line and an RLN_EVENT_WARNING with a stable code. */
#ifndef SERVER_WARNINGS_H
#define SERVER_WARNINGS_H

struct rln_server;

/*  BACKLOG_LIMIT      tcp-backlog is cut by the system's own limit
 *  OPEN_FILES_LIMIT   fewer files can be opened than maxclients needs */
void warnings_tell(struct rln_server *server);

#endif
