/* The argument "FIELDS number field ..." of the commands on fields with an end. */
#ifndef COMMANDS_HASH_FIELDS_H
#define COMMANDS_HASH_FIELDS_H

#include "commands/hash_commands.h"
#include "commands/lifetime.h"

struct hash_fields {
    uint32_t first, count; /* of argv */
};

/* Reads it where 'args' stand; each field is 'words' arguments, and nothing follows.
 * 'not_positive' is the error text for a number that is none. */
MUST_CHECK enum err hash_fields_read(struct call *call, uint32_t words, struct bytes not_positive,
                                     struct hash_fields *fields);

/* Reads when fields are to end: 'text' counts from 'base_ms' on.  Fields have narrower bounds
 * than keys, and an end may have passed. */
MUST_CHECK enum err hash_read_end(struct call *call, struct bytes text, int64_t base_ms,
                                  bool seconds, int64_t *at_ms);
/* The same of EX, PX, EXAT or PXAT. */
MUST_CHECK enum err hash_read_lifetime(struct call *call, const struct lifetime *lifetime,
                                       int64_t *at_ms);

/* Fields that a command has changed in one way, to be logged by one effect. */
struct hash_effect {
    struct bytes *argv; /* the fields stand from 'head' on */
    uint32_t head, count;
};

/* Room for 'fields' fields behind 'head' other arguments; false when memory is short. */
MUST_CHECK bool hash_effect_init(struct hash_effect *effect, uint32_t head, uint32_t fields);
void hash_effect_release(struct hash_effect *effect);
static inline void hash_effect_add(struct hash_effect *effect, struct bytes field)
{
    effect->argv[effect->head + effect->count++] = field;
}

/* Log "HDEL key field ..." and "HPEXPIREAT key time FIELDS number field ..." (or HPERSIST). */
enum { HASH_EFFECT_DELETE = 2, HASH_EFFECT_EXPIRE = 5, HASH_EFFECT_PERSIST = 4 };
void hash_effect_delete(struct call *call, struct bytes key, struct hash_effect *effect);
void hash_effect_expire(struct call *call, struct bytes key, int64_t at_ms,
                        struct hash_effect *effect);
void hash_effect_persist(struct call *call, struct bytes key, struct hash_effect *effect);

#endif
