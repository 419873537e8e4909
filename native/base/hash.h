/* Keyed hashes: short names fast, and no flooding by anyone who does not know the key.
 *
 * Where the processor has instructions for AES (x86-64), a name is absorbed as Pelican MAC
 * (Daemen and Rijmen, 2005) does it, four rounds of AES for 16 bytes; elsewhere by SipHash-1-3
 * (Aumasson and Bernstein, 2012), at three to four times the price.  A hash is of this process
 * alone: nothing that leaves it depends on one. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

struct hash_key {
    uint64_t k0, k1;
};

/* 'tweak' makes independent hashes of the same bytes: the keyspace passes the database. */
uint64_t hash_bytes(const struct hash_key *key, struct bytes bytes, uint64_t tweak);

/* The hash that hash_bytes() is where there are no instructions for AES. */
uint64_t hash_bytes_portable(const struct hash_key *key, struct bytes bytes, uint64_t tweak);

/* Whether hash_bytes() is the one over AES on this processor. */
bool hash_uses_aes(void);

/* hash_bytes_portable() of the bytes with ASCII letters folded to lower case; for command and option names. */
uint64_t hash_bytes_nocase(const struct hash_key *key, struct bytes bytes);

#endif
