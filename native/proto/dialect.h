/* How a client speaks, found from each command's first byte and line ending. */
#ifndef PROTO_DIALECT_H
#define PROTO_DIALECT_H

enum dialect {
    DIALECT_RESP,  /* arrays of bulks, or an inline command ending in CRLF: RESP replies */
    DIALECT_PLAIN, /* a line ending in a bare LF: "OK\n", "<value>\n", "(nil)\n" */
};

#endif
