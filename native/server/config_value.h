/* One directive's value: reading each kind's text, checking it, and writing it back.
 * Private to config.c and config_rewrite.c. */
#ifndef SERVER_CONFIG_VALUE_H
#define SERVER_CONFIG_VALUE_H

#include "base/buf.h"
#include "rln.h"
#include "server/config.h"

struct config_value {
    char *text; /* as CONFIG GET replies it, terminated; owned */
    size_t len;
    int64_t number; /* INTEGER and MEMORY; BOOL: 0 or 1; ENUM: index of the choice */
};

enum { CONFIG_ERROR_ROOM = 256 };

/* The text, borrowed until the value changes. */
static inline struct bytes config_value_bytes(const struct config_value *value)
{
    return (struct bytes){ value->text, value->len };
}

/* The row of 'name' (or alias) in either case, or -1. */
int config_row(struct bytes name);
/* The directive "user": lines as they were given, one a user, which CONFIG GET and SET do not
 * know. */
bool config_is_users(const struct rln_directive *row);
/* The constant name or alias that 'name' is. */
const char *config_row_name(const struct rln_directive *row, struct bytes name);

/* Reads 'raw', without quotes, for 'row'.  'old' is the value so far (NULL: none), to which
 * classes of client-output-buffer-limit are added.  False with a reason in 'error', which
 * has CONFIG_ERROR_ROOM bytes; else the caller owns '*value'. */
bool config_value_parse(const struct rln_directive *row, const struct config_value *old,
                        struct bytes raw, struct config_value *value, char *error);
void config_value_release(struct config_value *value);

/* The words of a LIST, borrowed from 'text'. */
bool config_next_word(struct bytes *text, struct bytes *word);

/* The value as a redis.conf line would have it. */
void config_value_append(const struct rln_directive *row, const struct config_value *value,
                         struct buf *out);

/* One class of client-output-buffer-limit out of its canonical text. */
struct output_limit {
    uint64_t hard, soft; /* bytes; 0: no limit */
    int64_t soft_seconds;
};
enum output_class { OUTPUT_NORMAL, OUTPUT_REPLICA, OUTPUT_PUBSUB, OUTPUT_CLASSES };
void config_output_limits(const struct config_value *value, struct output_limit *limits);
/* One class as a redis.conf line has it. */
void config_append_output_limit(enum output_class class, const struct output_limit *limit,
                                struct buf *out);

#endif
