/* Who may do what: the users of a server and the log of what was refused to them.
 *
 * A session points to its user.  What a user may do changes in the exclusive section only, so
 * that threads in a batch read it without a lock.  Whether a session must be held against it at
 * all stands in the session (SESSION_CHECK_USER), which the executor looks at anyway: where a
 * user may do everything, permission costs nothing.  Passwords and the table are under the mutex,
 * for AUTH and CONFIG SET requirepass need no exclusive section. */
#ifndef EXEC_ACL_H
#define EXEC_ACL_H

#include "base/buf.h"
#include "base/thread.h"
#include "exec/command.h"

struct acl_user;
struct call;
struct engine;
struct executor;
struct registry;
struct session;

/* Why something is refused; the later, the more was allowed. */
enum acl_denial {
    ACL_ALLOWED,
    ACL_DENIED_COMMAND,
    ACL_DENIED_KEY,
    ACL_DENIED_CHANNEL,
    ACL_DENIED_AUTH, /* a wrong password; of the log */
};
enum acl_context { ACL_TOP_LEVEL, ACL_IN_MULTI, ACL_IN_SCRIPT };

struct acl_verdict {
    enum acl_denial denial;
    uint32_t at; /* the argument that is the key or channel; else 0 */
};

/* What is refused to whom; acl_log.c. */
struct acl_entry {
    struct acl_entry *next;
    uint64_t count, id;
    enum acl_denial reason;
    enum acl_context context;
    struct buf object, user, client;
    int64_t created_ms, updated_ms;
};

struct acl {
    const struct registry *registry;
    struct mutex mutex;      /* RANK_ACL */
    struct acl_user **users; /* by name */
    uint32_t count;
    struct acl_user *standard; /* "default", which is always there */
    struct acl_user *nobody;   /* that of sessions whose user was deleted: may do nothing */
    struct acl_entry *entries; /* the newest first */
    uint64_t entry_count, next_entry_id;
    _Atomic uint64_t log_max_len; /* acllog-max-len */
    _Atomic bool all_channels;    /* acl-pubsub-default: new users hear all channels */
    _Atomic bool open;            /* "default" takes any password: protected-mode is of use */
};

/* The registry may be NULL, to be released only. */
void acl_init(struct acl *acl, const struct registry *registry);
void acl_release(struct acl *acl);

/* ---- Users ------------------------------------------------------------------------------------ */

/* NULL when there is none.  Borrowed while the caller is in a batch. */
const struct acl_user *acl_find(struct acl *acl, struct bytes name);
/* The user when the password is right and the user is on, or NULL. */
const struct acl_user *acl_authenticate(struct acl *acl, struct bytes name, struct bytes password);
/* The session is this user's from now on; the session's own thread, in a batch. */
void acl_assume(struct session *session, const struct acl_user *user);

/* Each user in the order of names, with the mutex held. */
void acl_each(struct acl *acl, void (*each)(void *user, const struct acl_user *of), void *user);
/* The lines of a file of users: "user default on ...\n". */
void acl_describe(struct acl *acl, struct buf *out);

/* Changes; in the exclusive section.  'own' is the session whose command it is, which is closed
 * behind its reply if it must be; or NULL. */

/* SETUSER: all rules or none; false with the error line. */
MUST_CHECK bool acl_set(struct engine *engine, const struct session *own, struct bytes name,
                        const struct bytes *rules, uint32_t count, struct buf *error);
/* False when there is none.  Its sessions are closed. */
bool acl_delete(struct engine *engine, const struct session *own, struct bytes name);
/* Puts these users, which are the table's then, in the place of all that there are; "default" is
 * as at first unless it is among them. */
void acl_replace(struct engine *engine, const struct session *own, struct acl_user **users,
                 uint32_t count);
/* Lines as acl_describe() gives them in the place of all users that there are; false with all
 * faults in 'errors' and nothing changed.  'file' is how they name the text. */
MUST_CHECK bool acl_load(struct engine *engine, const struct session *own, struct bytes text,
                         const char *file, struct buf *errors);

/* requirepass: the one password of "default", or none when empty.  Any thread. */
void acl_set_password(struct engine *engine, struct bytes password);

/* ---- Permission ------------------------------------------------------------------------------- */

/* In a batch. */
struct acl_verdict acl_check(const struct acl_user *user, const struct command *command,
                             const struct bytes *argv, uint32_t argc);
/* Whether the user may also read every key, with the same permissions that allow the command:
 * SORT with patterns. */
bool acl_reads_all_keys(const struct acl_user *user, const struct command *command,
                        const struct bytes *argv, uint32_t argc);
/* Whether it may hear a channel, or a pattern of channels (literally one of its own). */
bool acl_hears(const struct acl_user *user, struct bytes channel, bool is_pattern);

/* ---- The log ---------------------------------------------------------------------------------- */

/* Counts and remembers a refusal to a session.  'object' is the command, key or channel. */
void acl_log_add(struct executor *executor, const struct session *session, enum acl_denial reason,
                 enum acl_context context, struct bytes user, struct bytes object);
void acl_log_reset(struct acl *acl);
/* At most 'count' entries, newest first, with the mutex held; returns how many. */
uint64_t acl_log_each(struct acl *acl, uint64_t count,
                      void (*each)(void *user, const struct acl_entry *entry), void *user);

/* Whether the session's user may not run a command, and why; then that is logged. */
enum acl_denial acl_refuses(struct executor *executor, const struct session *session,
                            const struct command *command, const struct bytes *argv, uint32_t argc,
                            enum acl_context context);
/* What the client is told then, outside of scripts; OK: nothing is refused. */
enum err acl_error(enum acl_denial denial);

#endif
