/* RESP commands.  Two properties: a sequence of commands, and the error that ends it, is the
 * same however the network cuts it; and commands that were written come back as they were. */
#include "stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes one command that the choices describe; its arguments are slices of them. */
static void write_command(struct choices *choices, struct buf *in, struct buf *expected)
{
    static const uint16_t sizes[] = { 0, 1, 3, 9, 10, 16, 99, 100, 999, 1000, 1001, 2500 };
    static char filler[2600];
    enum { ARGUMENTS = 40 };
    struct bytes argv[ARGUMENTS];
    uint8_t shape = choose(choices);
    uint32_t argc = shape < 200 ? shape % 4u + 1 : shape % (uint32_t)ARGUMENTS + 1;

    buf_printf(in, "*%u\r\n", argc);
    for (uint32_t i = 0; i < argc; i++) {
        size_t len = sizes[choose(choices) % (sizeof(sizes) / sizeof(sizes[0]))];
        argv[i] = len <= choices->left ? (struct bytes){ (const char *)choices->at, len }
                                       : (struct bytes){ filler, len };
        buf_printf(in, "$%zu\r\n", len);
        buf_append(in, argv[i]);
        buf_append(in, LIT("\r\n"));
    }
    record_command(expected, argv, argc, DIALECT_RESP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_input(data, size, write_command);
    return 0;
}
