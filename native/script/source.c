/* Lua 5.1 to 5.3; see source.h. */
#include "script/source.h"

#include <stdio.h>
#include <stdlib.h>

#include "script/lexer.h"

enum { NUMBER_ROOM = 64, SHOWN = 80 };

/* Room for what one token may become. */
static bool append(struct buf *out, struct bytes text)
{
    if (!buf_reserve(out, text.len + NUMBER_ROOM)) {
        return false;
    }
    buf_append(out, text);
    return true;
}

static bool all_digits(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return true;
}

/* Whether a number stands alone between brackets: then it is only an index. */
static bool is_index(const struct lexer *lexer, const struct buf *out)
{
    return out->len > 0 && out->at[out->len - 1] == '[' && lexer->rest.len > 0 &&
           lexer->rest.at[0] == ']';
}

/* The value of the digits, letters and points of 'text', all of which must belong to it. */
static bool read_number(struct bytes text, double *value)
{
    char small[NUMBER_ROOM * 4];
    struct buf large = { 0 };
    char *copy = small;
    char *end;
    if (text.len >= sizeof small) {
        if (!buf_reserve(&large, text.len + 1)) {
            return false;
        }
        copy = large.at;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, &end);
    bool whole = end == copy + text.len;
    buf_release(&large);
    return whole;
}

static enum source_result rewrite_number(const struct lexer *lexer, const struct token *token,
                                         struct bytes chunk, struct buf *out)
{
    struct bytes text = token->text;
    bool digits = all_digits(text);
    double value;
    if (digits) {
        bool index = is_index(lexer, out);
        if (!append(out, text)) {
            return SOURCE_NO_MEMORY;
        }
        buf_append(out, index ? LIT("") : LIT(".0"));
        return SOURCE_FINE;
    }
    if (!read_number(text, &value)) {
        out->len = 0;
        buf_printf(out, "%.*s:%u: malformed number near '%.*s'", (int)chunk.len, chunk.at,
                   token->line, (int)(text.len < SHOWN ? text.len : SHOWN), text.at);
        return SOURCE_BROKEN;
    }
    if (text.len > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X')) {
        char decimal[NUMBER_ROOM];
        int len = snprintf(decimal, sizeof decimal, "%.17g", value);
        text = (struct bytes){ decimal, (size_t)len };
        if (!append(out, text)) {
            return SOURCE_NO_MEMORY;
        }
        buf_append(out, all_digits(text) ? LIT(".0") : LIT(""));
        return SOURCE_FINE;
    }
    return append(out, text) ? SOURCE_FINE : SOURCE_NO_MEMORY;
}

static bool is_known_escape(char c)
{
    return (c >= '0' && c <= '9') || (c != '\0' && strchr("abfnrtv\\\"'\n\r", c) != NULL);
}

static enum source_result rewrite_string(struct bytes text, struct buf *out)
{
    if (!buf_reserve(out, text.len + 1)) {
        return SOURCE_NO_MEMORY;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' && i + 1 < text.len) {
            if (is_known_escape(text.at[i + 1])) {
                buf_append_char(out, '\\');
            }
            i++;
        }
        buf_append_char(out, text.at[i]);
    }
    return SOURCE_FINE;
}

enum source_result source_rewrite(struct bytes source, struct bytes chunk, struct buf *out)
{
    struct lexer lexer;
    enum source_result result = SOURCE_FINE;
    lexer_init(&lexer, source);
    while (result == SOURCE_FINE) {
        struct token token = lexer_next(&lexer);
        if (token.kind == TOKEN_END) {
            break;
        }
        if (token.kind == TOKEN_NUMBER) {
            result = rewrite_number(&lexer, &token, chunk, out);
        } else if (token.kind == TOKEN_STRING) {
            result = rewrite_string(token.text, out);
        } else if (!append(out, token.text)) {
            result = SOURCE_NO_MEMORY;
        }
    }
    return result;
}
