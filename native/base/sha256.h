/* SHA-256 (FIPS 180-4): passwords are kept and compared by their digests. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/bytes.h"

enum { SHA256_LEN = 32, SHA256_HEX_LEN = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t len;            /* bytes taken in so far */
    unsigned char block[64]; /* the part of them that fills no block yet */
};

/* Begins a digest, and takes in more bytes, which are borrowed for the call. */
void sha256_init(struct sha256 *sha);
void sha256_update(struct sha256 *sha, struct bytes bytes);
/* Writes the digest; 'sha' must be initialised again before its next use. */
void sha256_final(struct sha256 *sha, unsigned char digest[SHA256_LEN]);

/* The digest of 'bytes' as lower-case hex digits, not terminated. */
void sha256_hex(struct bytes bytes, char hex[SHA256_HEX_LEN]);

/* Compares two digests in a time that does not depend on where they differ. */
bool sha256_equal(const unsigned char a[SHA256_LEN], const unsigned char b[SHA256_LEN]);

#endif
