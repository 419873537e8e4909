/* The configuration of one server: a value for every row of the directive table
 * (config_table.c), behind a mutex, and copies of the hot ones where threads read them
 * without it: engine->settings for what executors need, struct net_settings for the
 * network layer, struct config_live for the server's own threads.
 *
 * config.c reads, checks and sets values; config_publish.c brings the copies up to date;
 * config_value.c knows each kind's text; config_rewrite.c writes them back into a redis.conf. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/thread.h"
#include "rln.h"

struct engine;
struct net_settings;

/* Directives that the server's own threads read at any time; a reader may see an old value
 * for a moment. */
struct config_live {
    _Atomic int64_t hz;
    _Atomic int64_t shutdown_timeout; /* seconds */
    _Atomic bool guarded;             /* protected-mode is on: without a password, clients of
                                         other machines are turned away */
};

/* What the owner of the configuration adds.  Members may be NULL.  They are called on the
 * thread that sets, which holds no lock of the configuration. */
struct config_hooks {
    /* Before 'value' is set at run time: false, with a sentence in error->text, refuses it. */
    bool (*accept)(void *user, const char *name, struct bytes value, struct rln_error *error);
    /* After a change at run time, once for each directive that has another value now. */
    void (*changed)(void *user, const char *name, struct bytes value);
    void *user;
};

struct config_value;

struct config {
    struct mutex mutex;          /* RANK_CONFIG: the values' texts and 'file' */
    struct config_value *values; /* one for each row of rln_directives() */
    char *file;                  /* the redis.conf of the start, absolute, or NULL */
    struct config_live live;
    struct config_hooks hooks; /* set before the threads start */
    struct engine *engine;     /* borrowed; NULL until config_attach() */
    struct net_settings *net;  /* the same; NULL is fine too */
};

/* Every directive at its default. */
void config_init(struct config *config);
void config_release(struct config *config);

/* From now on hot values are written through to engine->settings, log level, keyspace and
 * '*net' (may be NULL); those of this moment at once.  Borrowed until config_detach(). */
void config_attach(struct config *config, struct engine *engine, struct net_settings *net);
void config_detach(struct config *config);

/* Before the start: sets a directive from the text that follows its name in a redis.conf
 * line.  Aliases are fine.  False with BAD_DIRECTIVE in '*error'. */
MUST_CHECK bool config_set_initial(struct config *config, const char *name, const char *value,
                                   struct rln_error *error);

/* The redis.conf that the server was started with, for CONFIG REWRITE and INFO. */
void config_set_file(struct config *config, const char *path);
/* Its path, appended to 'out'; nothing when there is none. */
void config_file(struct config *config, struct buf *out);

/* CONFIG SET of 'count' bytes, names and values in turns: all or none.  False with the whole
 * error line, without '-', in 'error'. */
MUST_CHECK bool config_set_many(struct config *config, const struct bytes *pairs, uint32_t count,
                                struct buf *error);

/* CONFIG GET: every directive (and alias) whose name matches one of the globs, with its
 * value as Redis replies it; both borrowed for the call. */
void config_get(struct config *config, const struct bytes *patterns, uint32_t count,
                void (*each)(void *user, struct bytes name, struct bytes value), void *user);

/* CONFIG REWRITE: brings the file of config_set_file() up to date, keeping its comments and
 * order.  False with the whole error line, without '-', in 'error'. */
MUST_CHECK bool config_rewrite(struct config *config, struct buf *error);

/* The value as a redis.conf line would have it, appended to 'out' (several lines' worth of
 * client-output-buffer-limit follow each other); false for an unknown name. */
bool config_text(struct config *config, const char *name, struct buf *out);

/* ---- Reading, by name; the name must be in the table -------------------------------- */

/* INTEGER and MEMORY: the number; BOOL: 0 or 1; ENUM: the index in the row's choices. */
int64_t config_number(struct config *config, const char *name);
/* ENUM: the choice, constant. */
const char *config_choice(struct config *config, const char *name);
/* STRING and LIST: the raw text, without quotes, appended to 'out'. */
void config_string(struct config *config, const char *name, struct buf *out);
/* LIST: each word, borrowed for the call. */
void config_words(struct config *config, const char *name,
                  void (*each)(void *user, struct bytes word), void *user);

#endif
