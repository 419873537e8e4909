/* Lua 5.1 to 5.3; see source.h. */
#include "script/source.h"

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

/* Whether the digits, letters and points of 'text' all belong to one numeral. */
static bool is_numeral(struct bytes text)
{
    char small[NUMBER_ROOM * 4];
    struct buf large = { 0 };
    char *copy = small;
    char *end;
    if (text.len >= sizeof small) {
        if (!buf_reserve(&large, text.len + 1) || large.at == NULL) {
            return false;
        }
        copy = large.at;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    (void)strtod(copy, &end);
    bool whole = end == copy + text.len;
    buf_release(&large);
    return whole;
}

/* Makes the message that the compiler of 5.1 would make of a token. */
static enum source_result refuse(const struct token *token, const char *why, size_t shown,
                                 struct bytes chunk, struct buf *out)
{
    out->len = 0;
    buf_printf(out, "%.*s:%u: %s near '%.*s'", (int)chunk.len, chunk.at, token->line, why,
               (int)(token->text.len < shown ? token->text.len : shown), token->text.at);
    return SOURCE_BROKEN;
}

static enum source_result check_number(const struct token *token, struct bytes chunk,
                                       struct buf *out)
{
    if (!is_numeral(token->text)) {
        return refuse(token, "malformed number", SHOWN, chunk, out);
    }
    return append(out, token->text) ? SOURCE_FINE : SOURCE_NO_MEMORY;
}

/* Operators that came after 5.1. */
static enum source_result check_sign(const struct lexer *lexer, const struct token *token,
                                     struct bytes chunk, struct buf *out)
{
    char sign = token->text.at[0];
    bool alone = token->text.len == 1;
    bool twice =
        alone && lexer->rest.len > 0 && lexer->rest.at[0] == sign && strchr("/<>:", sign) != NULL;
    if (twice || (alone && (sign == '&' || sign == '|' || sign == '~'))) {
        return refuse(token, "unexpected symbol", SHOWN, chunk, out);
    }
    return append(out, token->text) ? SOURCE_FINE : SOURCE_NO_MEMORY;
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
            result = check_number(&token, chunk, out);
        } else if (token.kind == TOKEN_SIGN) {
            result = check_sign(&lexer, &token, chunk, out);
        } else if (token.kind == TOKEN_STRING) {
            result = rewrite_string(token.text, out);
        } else if (!append(out, token.text)) {
            result = SOURCE_NO_MEMORY;
        }
    }
    return result;
}
