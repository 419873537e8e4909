/* See secrets.h. */
#include "exec/secrets.h"

/* Whether the argument at 'at' is the one 'back' places behind 'word', which may stand from 'from'
 * on. */
static bool follows(const struct bytes *argv, uint32_t at, uint32_t back, uint32_t from,
                    struct bytes word)
{
    return at >= from + back && bytes_equal_nocase(argv[at - back], word);
}

/* MIGRATE's options stand before its keys. */
static bool is_behind_keys(const struct bytes *argv, uint32_t at, uint32_t from)
{
    for (uint32_t i = from; i < at; i++) {
        if (bytes_equal_nocase(argv[i], LIT("keys")) && !follows(argv, i, 1, from, LIT("auth"))) {
            return true;
        }
    }
    return false;
}

bool secrets_has(const struct bytes *argv, uint32_t at)
{
    enum { HELLO_OPTIONS = 2, MIGRATE_OPTIONS = 6 };
    if (bytes_equal_nocase(argv[0], LIT("auth"))) {
        return at > 0;
    }
    if (bytes_equal_nocase(argv[0], LIT("hello"))) {
        return follows(argv, at, 1, HELLO_OPTIONS, LIT("auth")) ||
               follows(argv, at, 2, HELLO_OPTIONS, LIT("auth"));
    }
    return bytes_equal_nocase(argv[0], LIT("migrate")) &&
           (follows(argv, at, 1, MIGRATE_OPTIONS, LIT("auth")) ||
            follows(argv, at, 1, MIGRATE_OPTIONS, LIT("auth2")) ||
            follows(argv, at, 2, MIGRATE_OPTIONS, LIT("auth2"))) &&
           !is_behind_keys(argv, at, MIGRATE_OPTIONS);
}
