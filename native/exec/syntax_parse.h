/* A row's syntax as a tree; syntax_parse.c reads it, syntax.c makes answers of it. */
#ifndef EXEC_SYNTAX_PARSE_H
#define EXEC_SYNTAX_PARSE_H

#include "base/bytes.h"

enum syntax_type {
    SYNTAX_STRING,
    SYNTAX_INTEGER,
    SYNTAX_DOUBLE,
    SYNTAX_KEY,
    SYNTAX_PATTERN,
    SYNTAX_UNIX_TIME,
    SYNTAX_PURE_TOKEN,
    SYNTAX_ONEOF,
    SYNTAX_BLOCK,
    SYNTAX_TYPES,
};

enum { SYNTAX_NODES = 160, SYNTAX_NONE = 0 };

/* An argument.  Node 0 is the command itself, a block of all its arguments. */
struct syntax_node {
    struct bytes name;  /* empty for groups and tokens that have none of their own */
    struct bytes token; /* what stands before it, or empty */
    struct bytes since; /* the version that brought it, when younger than the command; or empty */
    uint8_t type;       /* enum syntax_type */
    bool optional, multiple, multiple_token;
    uint16_t first, next; /* child and sibling, SYNTAX_NONE: none */
    uint16_t children;
};

struct syntax_tree {
    struct syntax_node nodes[SYNTAX_NODES];
    uint16_t count;
};

/* False when 'text' can't be read.  The tree borrows it. */
bool syntax_parse(struct syntax_tree *tree, const char *text);

#endif
