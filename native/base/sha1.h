/* SHA-1 (FIPS 180-4): scripts are named by their digests. */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/bytes.h"

enum { SHA1_HEX_LEN = 40 };

/* The digest of 'bytes' as lower-case hex digits, not terminated. */
void sha1_hex(struct bytes bytes, char hex[SHA1_HEX_LEN]);

#endif
