/* The checksum at the end of RDB files and of DUMP's payloads: the Jones polynomial
 * (0xad93d23594c935a9), bits reflected, beginning at 0, nothing inverted at the end. */
#ifndef BASE_CRC64_H
#define BASE_CRC64_H

#include "base/bytes.h"

/* Goes on from 'crc', the checksum of what came before (0: nothing did). */
uint64_t crc64(uint64_t crc, struct bytes bytes);

#endif
