/* Numbers to and from text, exactly as Redis reads and writes them. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/bytes.h"

enum { NUM_INT_ROOM = 21, NUM_FLOAT_ROOM = 5 * 1024 };

/* Strict: an optional '-', no leading zero or plus sign or space, within int64. */
bool num_parse_i64(struct bytes text, int64_t *value);
bool num_parse_u64(struct bytes text, uint64_t *value);

/* As strtod()/strtold() read the whole text, without leading space, and no NaN. */
bool num_parse_double(struct bytes text, double *value);
bool num_parse_long_double(struct bytes text, long double *value);

/* "100", "64kb", "1gb" (1024-based; k m g are 1000-based), as redis.conf reads it. */
bool num_parse_memory(struct bytes text, uint64_t *bytes);

/* Writes decimal digits, returns their count (at most NUM_INT_ROOM - 1).  No NUL. */
size_t num_format_i64(char *out, int64_t value);
size_t num_format_u64(char *out, uint64_t value);

/* As Redis 7.0 replies a double: "%.17g", inf, -inf, nan.  Returns the length. */
size_t num_format_double(char *out, size_t room, double value);

/* As INCRBYFLOAT stores it: 17 fractional digits, trailing zeros trimmed, "%.17Lf". */
size_t num_format_long_double(char *out, size_t room, long double value);

/* "1.50M" style, as INFO's *_human fields. */
size_t num_format_human(char *out, size_t room, uint64_t bytes);

#endif
