/* LZF, the compression of strings in RDB files (liblzf's format, from its description):
 *
 *   000lllll                        l + 1 bytes follow as they are
 *   lllooooo oooooooo               l + 2 bytes (l of 1 to 6) as they stand o + 1 before here
 *   111ooooo llllllll oooooooo      l + 9 bytes, likewise */
#ifndef BASE_LZF_H
#define BASE_LZF_H

#include "base/bytes.h"
#include "base/err.h"

/* No run of output is longer than this for its bytes of input: 264 for 3. */
enum { LZF_RATIO_MAX = 88 };

/* Writes at most 'room' bytes; returns their number, or 0 when it takes more. */
MUST_CHECK size_t lzf_compress(struct bytes in, char *out, size_t room);

/* Writes just 'len' bytes; false when the input is not such, whatever it is. */
MUST_CHECK bool lzf_decompress(struct bytes in, char *out, size_t len);

#endif
