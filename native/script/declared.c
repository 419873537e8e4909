/* Proves that a script touches only its KEYS; see declared.h.  The text is cut into tokens once and
 * then gone through twice: what binds names, and how they are used. */
#include "script/declared.h"

#include "base/mem.h"
#include "exec/inner.h"
#include "script/lexer.h"

enum {
    TOKENS_MAX = 8192,
    NAMES_MAX = 128,
    LIST_MAX = 64, /* names of one declaration, arguments of one call */
    BLOCKS_MAX = 32,
    KEYS_COUNTED_MAX = 1000,
    ENDS = 8, /* tokens TOKEN_END behind the last one: so far it may be looked ahead */
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

/* ---- Tokens --------------------------------------------------------------------------------- */

static bool is_text(const struct token *token, enum token_kind kind, const char *text)
{
    return token->kind == kind && bytes_equal(token->text, bytes_of(text));
}

static bool is_name(const struct token *token, const char *text)
{
    return is_text(token, TOKEN_NAME, text);
}

static bool is_sign(const struct token *token, const char *text)
{
    return is_text(token, TOKEN_SIGN, text);
}

static bool is_opening(const struct token *token)
{
    return is_sign(token, "(") || is_sign(token, "[") || is_sign(token, "{");
}

static bool is_closing(const struct token *token)
{
    return is_sign(token, ")") || is_sign(token, "]") || is_sign(token, "}");
}

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

static bool is_list(const struct token *token)
{
    return is_name(token, "KEYS") || is_name(token, "ARGV");
}

static bool is_iterator(const struct token *token)
{
    return is_name(token, "ipairs") || is_name(token, "pairs");
}

/* A whole number above 0, of few digits. */
static bool read_count(const struct token *token, uint32_t *count)
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

/* A field, or a method: the name behind a point or a colon. */
static bool is_field(const struct reading *reading, uint32_t at)
{
    return at > 0 &&
           (is_sign(&reading->tokens[at - 1], ".") || is_sign(&reading->tokens[at - 1], ":"));
}

/* Something that has a value ends here, so that a name behind it begins a statement. */
static bool ends_operand(const struct token *token)
{
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING ||
           token->kind == TOKEN_LONG_STRING || is_closing(token) ||
           (token->kind == TOKEN_NAME && !is_keyword(token));
}

/* What comes behind an expression that is whole: nothing that would make it a part of another. */
static bool ends_expression(const struct token *token)
{
    return token->kind == TOKEN_END || is_sign(token, ";") ||
           (token->kind == TOKEN_NAME && !is_name(token, "and") && !is_name(token, "or"));
}

/* Cuts the text; false when it is too long, or memory short. */
static bool read_tokens(struct reading *reading, struct bytes text)
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
        if (reading->count + ENDS > room) {
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
    for (uint32_t i = 1; i < ENDS; i++) {
        reading->tokens[reading->count + i] = token;
    }
    return true;
}

/* ---- Expressions of keys ---------------------------------------------------------------------- */

/* The place behind "KEYS[...]" (or ARGV's) at 'at', with an index that calls nothing; 0: it is
 * not that. */
static uint32_t skip_element(const struct reading *reading, uint32_t at, const char *list)
{
    static const char *const signs[] = { "#", "+", "-", "*", "/", "%" };
    const struct token *tokens = reading->tokens;
    if (!is_name(&tokens[at], list) || !is_sign(&tokens[at + 1], "[")) {
        return 0;
    }
    uint32_t first = at + 2;
    for (at = first; !is_sign(&tokens[at], "]"); at++) {
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

static unsigned bindings_of(struct reading *reading, struct bytes text)
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

/* "redis.call" at 'at', as a whole expression. */
static bool is_call_function(const struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    return at + 2 < reading->count &&
           (is_name(&tokens[at], "redis") || is_name(&tokens[at], "server")) &&
           is_sign(&tokens[at + 1], ".") &&
           (is_name(&tokens[at + 2], "call") || is_name(&tokens[at + 2], "pcall")) &&
           ends_expression(&tokens[at + 3]);
}

/* Behind "local" at '*at', which moves to the last name. */
static bool bind_locals(struct reading *reading, uint32_t *at)
{
    const struct token *tokens = reading->tokens;
    uint32_t first = *at + 1, count = 1, value = 0;
    while (first + 2 * count < reading->count && is_sign(&tokens[first + 2 * count - 1], ",")) {
        count++;
    }
    uint32_t last = first + 2 * (count - 1);
    for (uint32_t i = first; i <= last; i += 2) {
        if (tokens[i].kind != TOKEN_NAME || is_keyword(&tokens[i]) || i >= reading->count) {
            return false;
        }
    }
    *at = last;
    value = is_sign(&tokens[last + 1], "=") ? last + 2 : 0;
    if (count == 1 && value != 0 && is_call_function(reading, value)) {
        return bind(reading, tokens[first].text, BOUND_TO_CALL);
    }
    for (uint32_t i = first; i <= last; i += 2) {
        uint32_t end = value != 0 ? skip_element(reading, value, "KEYS") : 0;
        bool more = end != 0 && is_sign(&tokens[end], ",");
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
        !is_sign(&tokens[at + 2], "=") || !read_count(&tokens[at + 3], &number) ||
        !is_sign(&tokens[at + 4], ",") || !is_sign(&tokens[at + 5], "#") ||
        !is_list(&tokens[at + 6])) {
        return false;
    }
    at += 7;
    if (is_sign(&tokens[at], ",") && read_count(&tokens[at + 1], &number)) {
        at += 2;
    }
    return is_name(&tokens[at], "do");
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
    if (at + 3 < reading->count && is_sign(&tokens[in], ",")) {
        value = in + 1;
        in += 2;
    }
    if (in + 5 >= reading->count || !is_name(&tokens[in], "in") || !is_iterator(&tokens[in + 1]) ||
        !is_sign(&tokens[in + 2], "(") || !is_list(&tokens[in + 3]) ||
        !is_sign(&tokens[in + 4], ")") || !is_name(&tokens[in + 5], "do")) {
        return false;
    }
    return bind(reading, tokens[at + 1].text, BOUND_OTHERWISE) &&
           (value == 0 || bind(reading, tokens[value].text,
                               is_name(&tokens[in + 3], "KEYS") ? BOUND_TO_KEY : BOUND_OTHERWISE));
}

/* Keywords that begin and end blocks.  False for more blocks than there is room for. */
static bool follow_blocks(struct reading *reading, const struct token *token)
{
    if (is_name(token, "if") || is_name(token, "do")) {
        bool loop = reading->loop_begins && is_name(token, "do");
        if (reading->block_count == BLOCKS_MAX || (reading->loop_begins && !loop)) {
            return false;
        }
        reading->blocks[reading->block_count++] = loop;
        reading->loops += loop;
        reading->loop_begins = false;
    } else if (is_name(token, "end")) {
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
    if (is_sign(token, "=")) {
        return bind_targets(reading);
    }
    if (token->kind == TOKEN_NAME && !is_keyword(token)) {
        if (at > 0 && ends_operand(&reading->tokens[at - 1])) {
            reading->pending_count = 0;
        }
        if (is_field(reading, at)) {
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

static bool bind_names(struct reading *reading)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct token *token = &reading->tokens[i];
        bool field = is_field(reading, i);
        if (token->kind == TOKEN_NAME && !field &&
            (is_forbidden(token->text) || !follow_blocks(reading, token))) {
            return false;
        }
        if (is_closing(token) && depth-- == 0) {
            return false;
        }
        if (depth == 0 && !follow_targets(reading, i)) {
            return false;
        }
        depth += is_opening(token);
        if (!field && is_name(token, "for") && !bind_loop(reading, i)) {
            return false;
        }
        if (!field && is_name(token, "local") && !bind_locals(reading, &i)) {
            return false;
        }
    }
    return depth == 0;
}

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
        bool last = depth == 0 && is_closing(token);
        if (last || (depth == 0 && is_sign(token, ","))) {
            if (arguments->count == LIST_MAX || at == first) {
                return false;
            }
            arguments->at[arguments->count++] = (struct argument){ first, at };
            first = at + 1;
        }
        if (last) {
            return true;
        }
        depth += is_opening(token);
        depth -= is_closing(token);
    }
    return false;
}

static bool is_key(struct reading *reading, struct argument argument)
{
    const struct token *token = &reading->tokens[argument.first];
    if (argument.end - argument.first == 1) {
        return token->kind == TOKEN_NAME && bindings_of(reading, token->text) == BOUND_TO_KEY;
    }
    return skip_element(reading, argument.first, "KEYS") == argument.end;
}

static bool is_all_keys(const struct reading *reading, struct argument argument)
{
    const struct token *tokens = &reading->tokens[argument.first];
    return argument.end - argument.first == 4 && is_name(&tokens[0], "unpack") &&
           is_sign(&tokens[1], "(") && is_name(&tokens[2], "KEYS") && is_sign(&tokens[3], ")");
}

/* One value, not none and not several. */
static bool is_one_value(const struct reading *reading, struct argument argument)
{
    const struct token *token = &reading->tokens[argument.first];
    if (argument.end - argument.first == 1) {
        return token->kind != TOKEN_SIGN;
    }
    return skip_element(reading, argument.first, "KEYS") == argument.end ||
           skip_element(reading, argument.first, "ARGV") == argument.end;
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
            !read_count(&reading->tokens[arguments->at[at].first], &count) ||
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
    if (!is_sign(&reading->tokens[at], "(") || !read_arguments(reading, at, &arguments) ||
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
    if (is_sign(&tokens[at + 1], "[") || (at > 0 && is_sign(&tokens[at - 1], "#"))) {
        return true;
    }
    if (at < 3 || !is_sign(&tokens[at - 1], "(")) {
        return false;
    }
    bool ends = is_sign(&tokens[at + 1], ")");
    return (is_name(&tokens[at - 2], "unpack") && !is_field(reading, at - 2) &&
            (ends || is_sign(&tokens[at + 1], ","))) ||
           (ends && is_iterator(&tokens[at - 2]) && is_name(&tokens[at - 3], "in"));
}

/* "redis" at 'at': a function of it is called, or named as a local's value. */
static bool check_api(struct reading *reading, uint32_t at)
{
    const struct token *tokens = reading->tokens;
    if (at + 2 >= reading->count || !is_sign(&tokens[at + 1], ".") ||
        tokens[at + 2].kind != TOKEN_NAME) {
        return false;
    }
    if (!is_name(&tokens[at + 2], "call") && !is_name(&tokens[at + 2], "pcall")) {
        return true; /* None of the others touches a key, whoever calls it. */
    }
    bool named = at >= 3 && is_sign(&tokens[at - 1], "=") && is_name(&tokens[at - 3], "local") &&
                 bindings_of(reading, tokens[at - 2].text) == BOUND_TO_CALL &&
                 is_call_function(reading, at);
    return named || check_call(reading, at + 3);
}

static bool check_uses(struct reading *reading)
{
    const struct token *tokens = reading->tokens;
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct token *token = &tokens[i];
        if (token->kind != TOKEN_NAME || is_field(reading, i)) {
            continue;
        }
        unsigned bindings = bindings_of(reading, token->text);
        bool fine = true;
        if (is_name(token, "redis") || is_name(token, "server")) {
            fine = bindings == 0 && check_api(reading, i);
        } else if (is_list(token)) {
            fine = bindings == 0 && check_list(reading, i);
        } else if (is_iterator(token) || is_name(token, "unpack")) {
            fine = bindings == 0;
        } else if ((bindings & BOUND_TO_CALL) != 0) {
            bool declared = i > 0 && is_name(&tokens[i - 1], "local");
            fine = bindings == BOUND_TO_CALL && (declared || check_call(reading, i + 1));
        }
        if (!fine) {
            return false;
        }
    }
    return true;
}

enum key_needs declared_needs(const struct registry *registry, struct bytes text)
{
    enum key_needs needs = NEEDS_EVERYTHING;
    struct reading *reading = mem_try_alloc(sizeof *reading);
    if (reading == NULL) {
        return needs;
    }
    memset(reading, 0, sizeof *reading);
    reading->registry = registry;
    if (read_tokens(reading, text) && bind_names(reading) && check_uses(reading)) {
        needs = reading->writes ? NEEDS_KEYS_TO_WRITE : NEEDS_KEYS_TO_READ;
    }
    mem_free(reading->tokens);
    mem_free(reading);
    return needs;
}
