/* The texts of err.h's list, looked up by number. */
#include "base/err.h"

const char *err_text(enum err err)
{
    static const char *const texts[ERR_COUNT] = {
        [OK] = "OK",
        [ERR_REPLIED] = "ERR already replied",
#define X(name, text) [name] = (text),
        ERR_LIST(X)
#undef X
    };
    return (unsigned)err < ERR_COUNT ? texts[err] : texts[ERR_INTERNAL];
}
