/* SipHash-1-3 (Aumasson and Bernstein, 2012): short keys fast, and no flooding by
 * anyone who does not know the key. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

struct hash_key {
    uint64_t k0, k1;
};

/* 'tweak' makes independent hashes of the same bytes: the keyspace passes the database. */
uint64_t hash_bytes(const struct hash_key *key, struct bytes bytes, uint64_t tweak);

/* Of the bytes with ASCII letters folded to lower case; for command and option names. */
uint64_t hash_bytes_nocase(const struct hash_key *key, struct bytes bytes);

#endif
