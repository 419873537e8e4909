/* The 64-bit digest of XXH3, seed 0: what DIGEST tells. */
#ifndef BASE_XXH3_H
#define BASE_XXH3_H

#include <stdint.h>

#include "base/bytes.h"

/* The digest of any number of bytes, which are borrowed for the call. */
uint64_t xxh3_64(struct bytes bytes);

#endif
