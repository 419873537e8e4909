/* The outline of a script: its tokens, and what binds names; see outline.h. */
#include "base/mem.h"
#include "script/outline.h"

enum { TOKENS_MAX = 8192 };

/* ---- Tokens --------------------------------------------------------------------------------- */

static bool is_one_of(struct bytes text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(text, bytes_of(words[i]))) {
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(text, words) is_one_of((text), (words), sizeof(words) / sizeof(words)[0])

static bool is_keyword(const struct token *token)
{
    static const char *const keywords[] = { "and",   "break", "do",     "else", "elseif", "end",
                                            "false", "for",   "if",     "in",   "local",  "nil",
                                            "not",   "or",    "return", "then", "true",   "until" };
    return token->kind == TOKEN_NAME && IS_ONE_OF(token->text, keywords);
}

/* Ways to code that is not in the text, to tables behind tables, and to run without end. */
static bool is_forbidden(struct bytes name)
{
    static const char *const forbidden[] = {
        "collectgarbage", "coroutine", "debug",        "dofile",   "function",   "getfenv",
        "getmetatable",   "goto",      "load",         "loadfile", "loadstring", "module",
        "newproxy",       "package",   "pcall",        "rawget",   "rawset",     "repeat",
        "require",        "setfenv",   "setmetatable", "while",    "xpcall",
    };
    /* "_G", "_ENV", "_VERSION", "__anything". */
    bool reserved = name.len > 1 && name.at[0] == '_' &&
                    (name.at[1] == '_' || (name.at[1] >= 'A' && name.at[1] <= 'Z'));
    return reserved || IS_ONE_OF(name, forbidden);
}

/* Matching a pattern may take as good as for ever. */
static bool is_matcher(struct bytes name)
{
    static const char *const matchers[] = { "find", "gfind", "gmatch", "gsub", "match" };
    return IS_ONE_OF(name, matchers);
}

bool outline_read_count(const struct token *token, uint32_t *count)
{
    enum { DIGITS_MAX = 6 };
    *count = 0;
    if (token->kind != TOKEN_NUMBER || token->text.len > DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < token->text.len; i++) {
        if (token->text.at[i] < '0' || token->text.at[i] > '9') {
            return false;
        }
        *count = *count * 10 + (uint32_t)(token->text.at[i] - '0');
    }
    return *count > 0;
}

/* Something that has a value ends here, so that a name behind it begins a statement. */
static bool ends_operand(const struct token *token)
{
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING ||
           token->kind == TOKEN_LONG_STRING || outline_is_closing(token) ||
           (token->kind == TOKEN_NAME && !is_keyword(token));
}

/* What comes behind an expression that is whole: nothing that would make it a part of another. */
static bool ends_expression(const struct token *token)
{
    return token->kind == TOKEN_END || outline_is_sign(token, ";") ||
           (token->kind == TOKEN_NAME && !outline_is_name(token, "and") &&
            !outline_is_name(token, "or"));
}

struct reading *outline_create(const struct registry *registry)
{
    struct reading *reading = mem_try_alloc(sizeof *reading);
    if (reading != NULL) {
        memset(reading, 0, sizeof *reading);
        reading->registry = registry;
    }
    return reading;
}

void outline_destroy(struct reading *reading)
{
    if (reading != NULL) {
        mem_free(reading->tokens);
        mem_free(reading);
    }
}

bool outline_read_tokens(struct reading *reading, struct bytes text)
{
    struct lexer lexer;
    struct token token;
    uint32_t room = 0;
    lexer_init(&lexer, text);
    do {
        token = lexer_next(&lexer);
        if (token.kind == TOKEN_SPACE) {
            continue;
        }
        if (reading->count + OUTLINE_ENDS > room) {
            room = room > 0 ? room * 2 : 64;
            struct token *tokens =
                room <= TOKENS_MAX ? mem_try_realloc(reading->tokens, room * sizeof token) : NULL;
            if (tokens == NULL) {
                return false;
            }
            reading->tokens = tokens;
        }
        reading->tokens[reading->count++] = token;
    } while (token.kind != TOKEN_END);
    reading->count--;
    for (uint32_t i = 1; i < OUTLINE_ENDS; i++) {
        reading->tokens[reading->count + i] = token;
    }
    return true;
}

/* ---- Expressions of keys ---------------------------------------------------------------------- */

uint32_t outline_skip_element(const struct reading *reading, uint32_t at, const char *list)
{
    static const char *const signs[] = { "#", "+", "-", "*", "/", "%" };
    const struct token *tokens = reading->tokens;
    if (!outline_is_name(&tokens[at], list) || !outline_is_sign(&tokens[at + 1], "[")) {
        return 0;
    }
    uint32_t first = at + 2;
    for (at = first; !outline_is_sign(&tokens[at], "]"); at++) {
        bool simple = tokens[at].kind == TOKEN_NAME || tokens[at].kind == TOKEN_NUMBER ||
                      (tokens[at].kind == TOKEN_SIGN && IS_ONE_OF(tokens[at].text, signs));
        if (!simple) {
            return 0;
        }
    }
    return at > first ? at + 1 : 0;
}

static struct name *find_name(struct reading *reading, struct bytes text)
{
    for (uint32_t i = 0; i < reading->name_count; i++) {
        if (bytes_equal(reading->names[i].text, text)) {
            return &reading->names[i];
        }
    }
    return NULL;
}

unsigned outline_bindings_of(struct reading *reading, struct bytes text)
{
    const struct name *name = find_name(reading, text);
    return name != NULL ? name->bindings : 0;
}

/* ---- What binds names ------------------------------------------------------------------------- */

static bool bind(struct reading *reading, struct bytes text, enum binding binding)
{
    struct name *name = find_name(reading, text);
    if (name == NULL) {
        if (reading->name_count == NAMES_MAX) {
            return false;
        }
        name = &reading->names[reading->name_count++];
        *name = (struct name){ .text = text };
    }
    name->bindings |= binding;
    return true;
}

bool outline_is_call_function(const struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    return at + 2 < reading->count &&
           (outline_is_name(&tokens[at], "redis") || outline_is_name(&tokens[at], "server")) &&
           outline_is_sign(&tokens[at + 1], ".") &&
           (outline_is_name(&tokens[at + 2], "call") ||
            outline_is_name(&tokens[at + 2], "pcall")) &&
           ends_expression(&tokens[at + 3]);
}

/* Behind "local" at '*at', which moves to the last name. */
static bool bind_locals(struct reading *reading, uint32_t *at)
{
    const struct token *tokens = reading->tokens;
    uint32_t first = *at + 1, count = 1, value = 0;
    while (first + 2 * count < reading->count &&
           outline_is_sign(&tokens[first + 2 * count - 1], ",")) {
        count++;
    }
    uint32_t last = first + 2 * (count - 1);
    for (uint32_t i = first; i <= last; i += 2) {
        if (tokens[i].kind != TOKEN_NAME || is_keyword(&tokens[i]) || i >= reading->count) {
            return false;
        }
    }
    *at = last;
    value = outline_is_sign(&tokens[last + 1], "=") ? last + 2 : 0;
    if (count == 1 && value != 0 && outline_is_call_function(reading, value)) {
        return bind(reading, tokens[first].text, BOUND_TO_CALL);
    }
    for (uint32_t i = first; i <= last; i += 2) {
        uint32_t end = value != 0 ? outline_skip_element(reading, value, "KEYS") : 0;
        bool more = end != 0 && outline_is_sign(&tokens[end], ",");
        bool is_key = more || (end != 0 && ends_expression(&tokens[end]));
        if (!bind(reading, tokens[i].text, is_key ? BOUND_TO_KEY : BOUND_OTHERWISE)) {
            return false;
        }
        value = more ? end + 1 : 0;
    }
    return true;
}

/* "for i = 1, #KEYS do", with or without a step. */
static bool is_counting_loop(const struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    uint32_t number;
    if (at + 7 >= reading->count || tokens[at + 1].kind != TOKEN_NAME ||
        !outline_is_sign(&tokens[at + 2], "=") || !outline_read_count(&tokens[at + 3], &number) ||
        !outline_is_sign(&tokens[at + 4], ",") || !outline_is_sign(&tokens[at + 5], "#") ||
        !outline_is_list(&tokens[at + 6])) {
        return false;
    }
    at += 7;
    if (outline_is_sign(&tokens[at], ",") && outline_read_count(&tokens[at + 1], &number)) {
        at += 2;
    }
    return outline_is_name(&tokens[at], "do");
}

/* At "for": loops over KEYS or ARGV only, and none in another. */
static bool bind_loop(struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    if (reading->loops > 0 || reading->loop_begins) {
        return false;
    }
    reading->loop_begins = true;
    if (is_counting_loop(reading, at)) {
        return bind(reading, tokens[at + 1].text, BOUND_OTHERWISE);
    }
    uint32_t value = 0, in = at + 2;
    if (at + 3 < reading->count && outline_is_sign(&tokens[in], ",")) {
        value = in + 1;
        in += 2;
    }
    if (in + 5 >= reading->count || !outline_is_name(&tokens[in], "in") ||
        !outline_is_iterator(&tokens[in + 1]) || !outline_is_sign(&tokens[in + 2], "(") ||
        !outline_is_list(&tokens[in + 3]) || !outline_is_sign(&tokens[in + 4], ")") ||
        !outline_is_name(&tokens[in + 5], "do")) {
        return false;
    }
    return bind(reading, tokens[at + 1].text, BOUND_OTHERWISE) &&
           (value == 0 ||
            bind(reading, tokens[value].text,
                 outline_is_name(&tokens[in + 3], "KEYS") ? BOUND_TO_KEY : BOUND_OTHERWISE));
}

/* Keywords that begin and end blocks.  False for more blocks than there is room for. */
static bool follow_blocks(struct reading *reading, const struct token *token)
{
    if (outline_is_name(token, "if") || outline_is_name(token, "do")) {
        bool loop = reading->loop_begins && outline_is_name(token, "do");
        if (reading->block_count == BLOCKS_MAX || (reading->loop_begins && !loop)) {
            return false;
        }
        reading->blocks[reading->block_count++] = loop;
        reading->loops += loop;
        reading->loop_begins = false;
    } else if (outline_is_name(token, "end")) {
        if (reading->block_count == 0) {
            return false;
        }
        reading->loops -= reading->blocks[--reading->block_count];
    }
    return true;
}

/* All that stands to the left of a "=". */
static bool bind_targets(struct reading *reading)
{
    for (uint32_t i = 0; i < reading->pending_count; i++) {
        if (bytes_equal(reading->pending[i], LIT("KEYS")) ||
            bytes_equal(reading->pending[i], LIT("ARGV")) ||
            !bind(reading, reading->pending[i], BOUND_OTHERWISE)) {
            return false;
        }
    }
    reading->pending_count = 0;
    return true;
}

/* Follows the targets that an assignment may come to have, outside of brackets, where alone
 * statements are, for there are no functions. */
static bool follow_targets(struct reading *reading, uint32_t at)
{
    static const char *const within[] = { ",", ".", ":", "(", ")", "[", "]", "{", "}" };
    const struct token *token = &reading->tokens[at];
    if (outline_is_sign(token, "=")) {
        return bind_targets(reading);
    }
    if (token->kind == TOKEN_NAME && !is_keyword(token)) {
        if (at > 0 && ends_operand(&reading->tokens[at - 1])) {
            reading->pending_count = 0;
        }
        if (outline_is_field(reading, at)) {
            return true;
        }
        if (reading->pending_count == LIST_MAX) {
            return false;
        }
        reading->pending[reading->pending_count++] = token->text;
    } else if (token->kind == TOKEN_NAME || token->kind == TOKEN_NUMBER ||
               (token->kind == TOKEN_SIGN && !IS_ONE_OF(token->text, within))) {
        reading->pending_count = 0;
    }
    return true;
}

bool outline_bind_names(struct reading *reading)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct token *token = &reading->tokens[i];
        bool field = outline_is_field(reading, i);
        if (token->kind == TOKEN_NAME &&
            (field ? is_matcher(token->text)
                   : is_forbidden(token->text) || !follow_blocks(reading, token))) {
            return false;
        }
        if (outline_is_closing(token) && depth-- == 0) {
            return false;
        }
        if (depth == 0 && !follow_targets(reading, i)) {
            return false;
        }
        depth += outline_is_opening(token);
        if (!field && outline_is_name(token, "for") && !bind_loop(reading, i)) {
            return false;
        }
        if (!field && outline_is_name(token, "local") && !bind_locals(reading, &i)) {
            return false;
        }
    }
    return depth == 0;
}
