/* Proves that a script touches only its KEYS; see declared.h.  The text is cut into tokens once and
 * then gone through twice: what binds names (outline.c), and how they are used. */
#include "script/declared.h"

#include "exec/inner.h"
#include "script/outline.h"

enum { KEYS_COUNTED_MAX = 1000 };

/* ---- Calls ------------------------------------------------------------------------------------ */

/* The tokens of one argument. */
struct argument {
    uint32_t first, end;
};

struct arguments {
    struct argument at[LIST_MAX];
    uint32_t count;
};

/* The arguments behind the parenthesis at 'at'.  Commas within them stand in brackets. */
static bool read_arguments(const struct reading *reading, uint32_t at, struct arguments *arguments)
{
    uint32_t depth = 0;
    arguments->count = 0;
    for (uint32_t first = ++at; at < reading->count; at++) {
        const struct token *token = &reading->tokens[at];
        bool last = depth == 0 && outline_is_closing(token);
        if (last || (depth == 0 && outline_is_sign(token, ","))) {
            if (arguments->count == LIST_MAX || at == first) {
                return false;
            }
            arguments->at[arguments->count++] = (struct argument){ first, at };
            first = at + 1;
        }
        if (last) {
            return true;
        }
        depth += outline_is_opening(token);
        depth -= outline_is_closing(token);
    }
    return false;
}

static bool is_key(struct reading *reading, struct argument argument)
{
    const struct token *token = &reading->tokens[argument.first];
    if (argument.end - argument.first == 1) {
        return token->kind == TOKEN_NAME &&
               outline_bindings_of(reading, token->text) == BOUND_TO_KEY;
    }
    return outline_skip_element(reading, argument.first, "KEYS") == argument.end;
}

static bool is_all_keys(const struct reading *reading, struct argument argument)
{
    const struct token *tokens = &reading->tokens[argument.first];
    return argument.end - argument.first == 4 && outline_is_name(&tokens[0], "unpack") &&
           outline_is_sign(&tokens[1], "(") && outline_is_name(&tokens[2], "KEYS") &&
           outline_is_sign(&tokens[3], ")");
}

/* One value, not none and not several. */
static bool is_one_value(const struct reading *reading, struct argument argument)
{
    const struct token *token = &reading->tokens[argument.first];
    if (argument.end - argument.first == 1) {
        return token->kind != TOKEN_SIGN;
    }
    return outline_skip_element(reading, argument.first, "KEYS") == argument.end ||
           outline_skip_element(reading, argument.first, "ARGV") == argument.end;
}

/* A literal without escapes. */
static bool read_literal(const struct reading *reading, struct argument argument,
                         struct bytes *text)
{
    const struct token *token = &reading->tokens[argument.first];
    if (argument.end - argument.first != 1 || token->kind != TOKEN_STRING ||
        memchr(token->text.at, '\\', token->text.len) != NULL || token->text.len <= 2) {
        return false;
    }
    *text = (struct bytes){ token->text.at + 1, token->text.len - 2 };
    return true;
}

/* The keys from 'first' to 'last' in steps are key expressions. */
static bool are_keys(struct reading *reading, const struct arguments *arguments, int64_t first,
                     int64_t last, int64_t step)
{
    if (first <= 0 || last < first || last >= arguments->count) {
        return false;
    }
    for (int64_t i = first; i <= last; i += step > 0 ? step : 1) {
        if (!is_key(reading, arguments->at[i])) {
            return false;
        }
    }
    return true;
}

/* The keys that one specification tells of. */
static bool fits(struct reading *reading, const struct arguments *arguments,
                 const struct key_spec *spec)
{
    int64_t first = spec->index, last = first + spec->last;
    struct argument end = arguments->at[arguments->count - 1];
    if (spec->begin != KEYS_BEGIN_INDEX || spec->limit != 0 ||
        (spec->flags & KEY_INCOMPLETE) != 0) {
        return false;
    }
    if (spec->find == KEYS_FIND_COUNTED) {
        uint32_t count;
        int64_t at = first + spec->count_index;
        if (at <= 0 || at >= arguments->count ||
            arguments->at[at].end - arguments->at[at].first != 1 ||
            !outline_read_count(&reading->tokens[arguments->at[at].first], &count) ||
            count > KEYS_COUNTED_MAX) {
            return false;
        }
        first += spec->first_key;
        return are_keys(reading, arguments, first, first + (int64_t)(count - 1) * spec->step,
                        spec->step);
    }
    if (spec->find != KEYS_FIND_RANGE) {
        return false;
    }
    if (spec->last >= 0) {
        return are_keys(reading, arguments, first, last, spec->step);
    }
    /* To the end, wherever that is. */
    last = (int64_t)arguments->count + spec->last;
    if (spec->last == -1 && spec->step == 1 && is_all_keys(reading, end)) {
        return last == first || are_keys(reading, arguments, first, last - 1, 1);
    }
    return is_one_value(reading, end) && are_keys(reading, arguments, first, last, spec->step);
}

/* The call whose arguments begin behind the parenthesis at 'at'. */
static bool check_call(struct reading *reading, uint32_t at)
{
    struct arguments arguments;
    struct bytes words[2];
    const struct command *container;
    if (!outline_is_sign(&reading->tokens[at], "(") || !read_arguments(reading, at, &arguments) ||
        !read_literal(reading, arguments.at[0], &words[0])) {
        return false;
    }
    bool two = arguments.count > 1 && read_literal(reading, arguments.at[1], &words[1]);
    const struct command *command =
        registry_find(reading->registry, words, two ? 2 : 1, &container);
    if (command == NULL || !inner_may_hold_keys(command)) {
        return false;
    }
    for (uint32_t i = 0; i < COMMAND_KEY_SPECS && command->keys[i].begin != KEYS_NONE; i++) {
        if ((command->keys[i].flags & KEY_NOT_KEY) == 0 &&
            !fits(reading, &arguments, &command->keys[i])) {
            return false;
        }
    }
    reading->writes = reading->writes || command->derived.writes;
    return true;
}

/* ---- How names are used ----------------------------------------------------------------------- */

/* KEYS or ARGV at 'at' is only looked at. */
static bool check_list(const struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    if (outline_is_sign(&tokens[at + 1], "[") ||
        (at > 0 && outline_is_sign(&tokens[at - 1], "#"))) {
        return true;
    }
    if (at < 3 || !outline_is_sign(&tokens[at - 1], "(")) {
        return false;
    }
    bool ends = outline_is_sign(&tokens[at + 1], ")");
    return (outline_is_name(&tokens[at - 2], "unpack") && !outline_is_field(reading, at - 2) &&
            (ends || outline_is_sign(&tokens[at + 1], ","))) ||
           (ends && outline_is_iterator(&tokens[at - 2]) && outline_is_name(&tokens[at - 3], "in"));
}

/* "redis" at 'at': a function of it is called, or named as a local's value. */
static bool check_api(struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    if (at + 2 >= reading->count || !outline_is_sign(&tokens[at + 1], ".") ||
        tokens[at + 2].kind != TOKEN_NAME) {
        return false;
    }
    if (!outline_is_name(&tokens[at + 2], "call") && !outline_is_name(&tokens[at + 2], "pcall")) {
        return true; /* None of the others touches a key, whoever calls it. */
    }
    bool named = at >= 3 && outline_is_sign(&tokens[at - 1], "=") &&
                 outline_is_name(&tokens[at - 3], "local") &&
                 outline_bindings_of(reading, tokens[at - 2].text) == BOUND_TO_CALL &&
                 outline_is_call_function(reading, at);
    return named || check_call(reading, at + 3);
}

static bool check_uses(struct reading *reading)
{
    const struct token *tokens = reading->tokens;
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct token *token = &tokens[i];
        if (token->kind != TOKEN_NAME || outline_is_field(reading, i)) {
            continue;
        }
        unsigned bindings = outline_bindings_of(reading, token->text);
        bool fine = true;
        if (outline_is_name(token, "redis") || outline_is_name(token, "server")) {
            fine = bindings == 0 && check_api(reading, i);
        } else if (outline_is_list(token)) {
            fine = bindings == 0 && check_list(reading, i);
        } else if (outline_is_iterator(token) || outline_is_name(token, "unpack")) {
            fine = bindings == 0;
        } else if ((bindings & BOUND_TO_CALL) != 0) {
            bool declared = i > 0 && outline_is_name(&tokens[i - 1], "local");
            fine = bindings == BOUND_TO_CALL && (declared || check_call(reading, i + 1));
        }
        if (!fine) {
            return false;
        }
    }
    return true;
}

enum key_needs declared_prove(struct reading *reading)
{
    if (!outline_bind_names(reading) || !check_uses(reading)) {
        return NEEDS_EVERYTHING;
    }
    return reading->writes ? NEEDS_KEYS_TO_WRITE : NEEDS_KEYS_TO_READ;
}

enum key_needs declared_needs(const struct registry *registry, struct bytes text)
{
    enum key_needs needs = NEEDS_EVERYTHING;
    struct reading *reading = outline_create(registry);
    if (reading != NULL && outline_read_tokens(reading, text)) {
        needs = declared_prove(reading);
    }
    outline_destroy(reading);
    return needs;
}
