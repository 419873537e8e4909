/* Lines.  Two properties: a sequence of commands, and the error that ends it, is the same
 * however the network cuts it; and arguments that were quoted, in whichever of the ways that
 * can hold them, come back as they were. */
#include "stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether 'word' means itself without quotes, at the start of a line too. */
static bool is_bare(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        if (c == ' ' || (c >= '\t' && c <= '\r') || c == '"' || c == '\'') {
            return false;
        }
    }
    return word.len > 0 && word.at[0] != '*';
}

/* Writes 'word' between double quotes, each byte as it is or escaped. */
static void write_double_quoted(struct choices *choices, struct bytes word, struct buf *line)
{
    buf_append_char(line, '"');
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        uint8_t style = choose(choices) % 4;
        if (style == 0 || c == '\n' || (c == '\r' && style == 1)) {
            buf_printf(line, style == 2 ? "\\x%02X" : "\\x%02x", (unsigned)(unsigned char)c);
        } else if (c == '"' || c == '\\') {
            buf_append_char(line, '\\');
            buf_append_char(line, c);
        } else {
            buf_append_char(line, c);
        }
    }
    buf_append_char(line, '"');
}

/* Whether single quotes can hold 'word': a line can't go on behind a LF, and nothing but
 * a quote can be escaped, not even the backslash before one. */
static bool fits_single_quotes(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        bool before_quote = i + 1 == word.len || word.at[i + 1] == '\'';
        if (word.at[i] == '\n' || (word.at[i] == '\\' && before_quote)) {
            return false;
        }
    }
    return true;
}

static void write_single_quoted(struct bytes word, struct buf *line)
{
    buf_append_char(line, '\'');
    for (size_t i = 0; i < word.len; i++) {
        buf_append(line, word.at[i] == '\'' ? LIT("\\") : LIT(""));
        buf_append_char(line, word.at[i]);
    }
    buf_append_char(line, '\'');
}

static void write_word(struct choices *choices, struct bytes word, struct buf *line)
{
    uint8_t style = choose(choices) % 3;
    if (style == 0 && is_bare(word)) {
        buf_append(line, word);
    } else if (style == 1 && fits_single_quotes(word)) {
        write_single_quoted(word, line);
    } else {
        write_double_quoted(choices, word, line);
    }
}

/* Writes one line that the choices describe; its words are slices of them. */
static void write_line(struct choices *choices, struct buf *in, struct buf *expected)
{
    enum { ARGUMENTS = 20 };
    struct bytes argv[ARGUMENTS];
    uint32_t argc = choose(choices) % (uint32_t)ARGUMENTS;
    enum dialect dialect = choose(choices) % 2 == 0 ? DIALECT_RESP : DIALECT_PLAIN;

    for (uint32_t i = 0; i < argc; i++) {
        size_t len = choose(choices) % 24;
        argv[i] =
            (struct bytes){ (const char *)choices->at, len < choices->left ? len : choices->left };
        if (i > 0 || choose(choices) % 8 == 0) {
            buf_append(in, choose(choices) % 8 == 0 ? LIT("\t  ") : LIT(" "));
        }
        write_word(choices, argv[i], in);
    }
    buf_append(in, dialect == DIALECT_RESP ? LIT("\r\n") : LIT("\n"));
    record_command(expected, argv, argc, dialect);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_input(data, size, write_line);
    return 0;
}
