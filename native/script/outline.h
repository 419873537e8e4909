/* The text of a script, for declared.c to look at how names are used in it: its tokens, and what
 * binds names. */
#ifndef SCRIPT_OUTLINE_H
#define SCRIPT_OUTLINE_H

#include "exec/registry.h"
#include "script/lexer.h"

enum {
    NAMES_MAX = 128,
    LIST_MAX = 64, /* names of one declaration, arguments of one call */
    BLOCKS_MAX = 32,
    OUTLINE_ENDS = 8, /* tokens TOKEN_END behind the last one: so far it may be looked ahead */
};

/* What a name is bound to, somewhere in the text. */
enum binding { BOUND_TO_KEY = 1, BOUND_TO_CALL = 2, BOUND_OTHERWISE = 4 };

struct name {
    struct bytes text;
    unsigned bindings;
};

struct reading {
    const struct registry *registry;
    struct token *tokens; /* without spaces */
    uint32_t count;
    struct name names[NAMES_MAX];
    uint32_t name_count;
    struct bytes pending[LIST_MAX]; /* names that an assignment may follow */
    uint32_t pending_count;
    bool blocks[BLOCKS_MAX]; /* open ones; true: a loop */
    uint32_t block_count, loops;
    bool loop_begins; /* the next "do" is a loop's */
    bool writes;
};

/* Whether a token is this name, this sign, an opening bracket of any kind. */
static inline bool outline_is_name(const struct token *token, const char *text)
{
    return token->kind == TOKEN_NAME && bytes_equal(token->text, bytes_of(text));
}

static inline bool outline_is_sign(const struct token *token, const char *text)
{
    return token->kind == TOKEN_SIGN && bytes_equal(token->text, bytes_of(text));
}

static inline bool outline_is_opening(const struct token *token)
{
    return outline_is_sign(token, "(") || outline_is_sign(token, "[") ||
           outline_is_sign(token, "{");
}

static inline bool outline_is_closing(const struct token *token)
{
    return outline_is_sign(token, ")") || outline_is_sign(token, "]") ||
           outline_is_sign(token, "}");
}

/* KEYS or ARGV. */
static inline bool outline_is_list(const struct token *token)
{
    return outline_is_name(token, "KEYS") || outline_is_name(token, "ARGV");
}

/* ipairs or pairs. */
static inline bool outline_is_iterator(const struct token *token)
{
    return outline_is_name(token, "ipairs") || outline_is_name(token, "pairs");
}

/* A field, or a method: the name behind a point or a colon. */
static inline bool outline_is_field(const struct reading *reading, uint32_t at)
{
    return at > 0 && (outline_is_sign(&reading->tokens[at - 1], ".") ||
                      outline_is_sign(&reading->tokens[at - 1], ":"));
}

/* A whole number above 0, of few digits. */
bool outline_read_count(const struct token *token, uint32_t *count);

/* The place behind "KEYS[...]" (or ARGV's) at 'at', with an index that calls nothing; 0: it is
 * not that. */
uint32_t outline_skip_element(const struct reading *reading, uint32_t at, const char *list);

/* "redis.call" at 'at', as a whole expression. */
bool outline_is_call_function(const struct reading *reading, uint32_t at);

/* Everything that a name is bound to: enum binding, together. */
unsigned outline_bindings_of(struct reading *reading, struct bytes text);

/* Without tokens so far; NULL when memory is short.  NULL may be destroyed. */
struct reading *outline_create(const struct registry *registry);
void outline_destroy(struct reading *reading);

/* Cuts the text; false when it is too long, or memory short. */
MUST_CHECK bool outline_read_tokens(struct reading *reading, struct bytes text);

/* Notes what binds names, everywhere.  False for what a script must not have that is to be proven:
 * see declared.h. */
MUST_CHECK bool outline_bind_names(struct reading *reading);

#endif
