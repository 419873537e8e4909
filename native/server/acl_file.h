/* The users of a configuration: a file of them (aclfile), or directives "user". */
#ifndef SERVER_ACL_FILE_H
#define SERVER_ACL_FILE_H

#include "base/buf.h"
#include "base/err.h"

struct session;
struct rln_error;
struct rln_server;

/* At the start: the users of the configuration.  False with BAD_USERS in '*error'. */
MUST_CHECK bool acl_file_start(struct rln_server *server, struct rln_error *error);

/* ACL LOAD, in the exclusive section, and ACL SAVE.  False with the error line. */
MUST_CHECK bool acl_file_load(struct rln_server *server, const struct session *own,
                              struct buf *error);
MUST_CHECK bool acl_file_save(struct rln_server *server, struct buf *error);

#endif
