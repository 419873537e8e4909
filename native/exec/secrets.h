/* Arguments that nobody else is shown: passwords, and the names that go with them. */
#ifndef EXEC_SECRETS_H
#define EXEC_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* What stands in their place. */
#define SECRET_TEXT LIT("(redacted)")

/* Whether the argument at 'at' of a whole command is one. */
bool secrets_has(const struct bytes *argv, uint32_t at);

#endif
