/* Tokens of Lua 5.1; see lexer.h. */
#include "script/lexer.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The byte at 'at', or a NUL behind the end. */
static char peek(struct bytes text, size_t at)
{
    return at < text.len ? text.at[at] : '\0';
}

void lexer_init(struct lexer *lexer, struct bytes source)
{
    *lexer = (struct lexer){ source, 1 };
}

/* The signs '=' between the brackets of a long string that begins at 'at', or -1. */
static int64_t long_bracket(struct bytes text, size_t at)
{
    size_t signs = 0;
    if (peek(text, at) != '[') {
        return -1;
    }
    while (peek(text, at + 1 + signs) == '=') {
        signs++;
    }
    return peek(text, at + 1 + signs) == '[' ? (int64_t)signs : -1;
}

/* The end of a long string or comment whose opening bracket stands at 'at'. */
static size_t skip_long(struct bytes text, size_t at, size_t signs)
{
    for (at += 2 + signs; at < text.len; at++) {
        if (text.at[at] != ']') {
            continue;
        }
        size_t found = 0;
        while (peek(text, at + 1 + found) == '=') {
            found++;
        }
        if (found == signs && peek(text, at + 1 + found) == ']') {
            return at + 2 + signs;
        }
    }
    return text.len;
}

static size_t skip_comment(struct bytes text, size_t at)
{
    int64_t signs = long_bracket(text, at + 2);
    if (signs >= 0) {
        return skip_long(text, at + 2, (size_t)signs);
    }
    while (at < text.len && text.at[at] != '\n' && text.at[at] != '\r') {
        at++;
    }
    return at;
}

static size_t skip_space(struct bytes text)
{
    size_t at = 0;
    while (at < text.len) {
        if (is_space(text.at[at])) {
            at++;
        } else if (text.at[at] == '-' && peek(text, at + 1) == '-') {
            at = skip_comment(text, at);
        } else {
            break;
        }
    }
    return at;
}

static size_t skip_string(struct bytes text)
{
    char quote = text.at[0];
    size_t at = 1;
    while (at < text.len && text.at[at] != quote && text.at[at] != '\n' && text.at[at] != '\r') {
        if (text.at[at] == '\\' && at + 1 < text.len) {
            /* An escaped line end of two bytes is one. */
            bool two = text.at[at + 1] == '\r' && peek(text, at + 2) == '\n';
            at += two ? 2 : 1;
        }
        at++;
    }
    return at < text.len && text.at[at] == quote ? at + 1 : at;
}

/* Digits and points, an exponent with its sign, and whatever letters follow. */
static size_t skip_number(struct bytes text)
{
    size_t at = 0;
    while (is_digit(peek(text, at)) || peek(text, at) == '.') {
        at++;
    }
    if (peek(text, at) == 'e' || peek(text, at) == 'E') {
        at++;
        if (peek(text, at) == '+' || peek(text, at) == '-') {
            at++;
        }
    }
    while (is_letter(peek(text, at)) || is_digit(peek(text, at))) {
        at++;
    }
    return at;
}

static size_t skip_sign(struct bytes text)
{
    static const char *const signs[] = { "...", "..", "==", "~=", "<=", ">=" };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t len = strlen(signs[i]);
        if (text.len >= len && memcmp(text.at, signs[i], len) == 0) {
            return len;
        }
    }
    return 1;
}

static size_t measure(struct bytes text, enum token_kind *kind)
{
    char first = text.at[0];
    if (is_space(first) || (first == '-' && peek(text, 1) == '-')) {
        *kind = TOKEN_SPACE;
        return skip_space(text);
    }
    if (is_letter(first)) {
        size_t len = 1;
        while (is_letter(peek(text, len)) || is_digit(peek(text, len))) {
            len++;
        }
        *kind = TOKEN_NAME;
        return len;
    }
    if (is_digit(first) || (first == '.' && is_digit(peek(text, 1)))) {
        *kind = TOKEN_NUMBER;
        return skip_number(text);
    }
    if (first == '"' || first == '\'') {
        *kind = TOKEN_STRING;
        return skip_string(text);
    }
    int64_t signs = long_bracket(text, 0);
    if (signs >= 0) {
        *kind = TOKEN_LONG_STRING;
        return skip_long(text, 0, (size_t)signs);
    }
    *kind = TOKEN_SIGN;
    return skip_sign(text);
}

/* Lines that end within 'text'; a CR and a LF, in either order, are one end. */
static uint32_t count_lines(struct bytes text)
{
    uint32_t lines = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\n' || c == '\r') {
            char next = peek(text, i + 1);
            i += next != c && (next == '\n' || next == '\r');
            lines++;
        }
    }
    return lines;
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token = { TOKEN_END, { lexer->rest.at, 0 }, lexer->line };
    if (lexer->rest.len == 0) {
        return token;
    }
    token.text.len = measure(lexer->rest, &token.kind);
    lexer->rest.at += token.text.len;
    lexer->rest.len -= token.text.len;
    if (token.kind != TOKEN_NAME && token.kind != TOKEN_NUMBER) {
        lexer->line += count_lines(token.text);
    }
    return token;
}
