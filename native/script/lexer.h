/* Cuts a Lua 5.1 text into tokens, as Redis's Lua cuts it.  source.c rewrites them for the
 * Lua that we have, outline.c looks for the keys that they name. */
#ifndef SCRIPT_LEXER_H
#define SCRIPT_LEXER_H

#include "base/bytes.h"

enum token_kind {
    TOKEN_END,
    TOKEN_SPACE, /* comments too */
    TOKEN_NAME,  /* keywords too */
    TOKEN_NUMBER,
    TOKEN_STRING,      /* between quotes */
    TOKEN_LONG_STRING, /* between brackets */
    TOKEN_SIGN,        /* an operator of one to three characters, or any other byte */
};

struct token {
    enum token_kind kind;
    struct bytes text; /* of the source, borrowed */
    uint32_t line;     /* on which it begins, from 1 */
};

struct lexer {
    struct bytes rest;
    uint32_t line;
};

/* At the beginning of a source, which stays borrowed. */
void lexer_init(struct lexer *lexer, struct bytes source);

/* The next token; all of them together are the source, byte by byte.  Whether one is complete
 * (strings, brackets) is for the compiler to find. */
struct token lexer_next(struct lexer *lexer);

#endif
