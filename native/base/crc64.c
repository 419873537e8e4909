/* CRC-64 of Jones, eight bytes a step by eight tables (Kounavis and Berry, 2005); see crc64.h.
 *
 * The table of a byte is linear: an entry is the sum (XOR) of those of its bits.  So the eight
 * entries with one bit write a table down whole, and the compiler works it out. */
#include "base/crc64.h"

#define BITS_1(v, a)                (v), (v) ^ (a)
#define BITS_2(v, a, b)             BITS_1(v, a), BITS_1((v) ^ (b), a)
#define BITS_3(v, a, b, c)          BITS_2(v, a, b), BITS_2((v) ^ (c), a, b)
#define BITS_4(v, a, b, c, d)       BITS_3(v, a, b, c), BITS_3((v) ^ (d), a, b, c)
#define BITS_5(v, a, b, c, d, e)    BITS_4(v, a, b, c, d), BITS_4((v) ^ (e), a, b, c, d)
#define BITS_6(v, a, b, c, d, e, f) BITS_5(v, a, b, c, d, e), BITS_5((v) ^ (f), a, b, c, d, e)
#define BITS_7(v, a, b, c, d, e, f, g)                                                             \
    BITS_6(v, a, b, c, d, e, f), BITS_6((v) ^ (g), a, b, c, d, e, f)
#define TABLE(a, b, c, d, e, f, g, h)                                                              \
    { BITS_7(UINT64_C(0), a, b, c, d, e, f, g), BITS_7(h, a, b, c, d, e, f, g) }

/* The n-th is of a byte with n bytes behind it. */
static const uint64_t tables[8][256] = {
    TABLE(UINT64_C(0x7ad870c830358979), UINT64_C(0xf5b0e190606b12f2), UINT64_C(0xc038e5739841b68f),
          UINT64_C(0xab28ecb46814fe75), UINT64_C(0x7d08ff3b88be6f81), UINT64_C(0xfa11fe77117cdf02),
          UINT64_C(0xdf7adabd7a6e2d6f), UINT64_C(0x95ac9329ac4bc9b5)),
    TABLE(UINT64_C(0x89e99ffd73bddf69), UINT64_C(0x388a19a9bfec2db9), UINT64_C(0x711433537fd85b72),
          UINT64_C(0xe22866a6ffb0b6e4), UINT64_C(0xef09eb1ea7f6fea3), UINT64_C(0xf54af06e177a6e2d),
          UINT64_C(0xc1ccc68f76634f31), UINT64_C(0xa8c0ab4db4510d09)),
    TABLE(UINT64_C(0xf4125129ce4038be), UINT64_C(0xc37d8400c417e217), UINT64_C(0xada22e52d0b85745),
          UINT64_C(0x701d7af6f9e73de1), UINT64_C(0xe03af5edf3ce7bc2), UINT64_C(0xeb2ccd88bf0b64ef),
          UINT64_C(0xfd00bd4226815ab5), UINT64_C(0xd1585cd715952601)),
    TABLE(UINT64_C(0x8ce168638c796306), UINT64_C(0x329bf69440655567), UINT64_C(0x6537ed2880caaace),
          UINT64_C(0xca6fda510195559c), UINT64_C(0xbf8692f15bbd3853), UINT64_C(0x545403b1efede3cd),
          UINT64_C(0xa8a80763dfdbc79a), UINT64_C(0x7a092894e7201c5f)),
    TABLE(UINT64_C(0x3504e58b9ba6dd1e), UINT64_C(0x6a09cb17374dba3c), UINT64_C(0xd413962e6e9b7478),
          UINT64_C(0x837e0a0f85a17b9b), UINT64_C(0x2da5324c53d5645d), UINT64_C(0x5b4a6498a7aac8ba),
          UINT64_C(0xb694c9314f559174), UINT64_C(0x4670b431c63cb183)),
    TABLE(UINT64_C(0xe39d1389931b9354), UINT64_C(0xec6301407ea0b5c3), UINT64_C(0xf39f24d3a5d6f8ed),
          UINT64_C(0xcc676ff4133a62b1), UINT64_C(0xb397f9bb7ee35609), UINT64_C(0x4c76d525a5513f79),
          UINT64_C(0x98edaa4b4aa27ef2), UINT64_C(0x1a8272c5cdd36e8f)),
    TABLE(UINT64_C(0x62a95de6e302eff2), UINT64_C(0xc552bbcdc605dfe4), UINT64_C(0xa1fc51c8d49c2ca3),
          UINT64_C(0x68a185c2f1afca2d), UINT64_C(0xd1430b85e35f945a), UINT64_C(0x89df31589e28bbdf),
          UINT64_C(0x38e744e264c6e4d5), UINT64_C(0x71ce89c4c98dc9aa)),
    TABLE(UINT64_C(0x381d0015c96f4444), UINT64_C(0x703a002b92de8888), UINT64_C(0xe074005725bd1110),
          UINT64_C(0xebb126fd13edb14b), UINT64_C(0xfc3b6ba97f4cf1fd), UINT64_C(0xd32ff101a60e7091),
          UINT64_C(0x8d06c450148b7249), UINT64_C(0x3154aef3718177f9)),
};

static uint64_t load_little_endian(const unsigned char *at)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

uint64_t crc64(uint64_t crc, struct bytes bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    size_t left = bytes.len;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = crc ^ load_little_endian(at);
        crc = tables[7][word & 0xff] ^ tables[6][word >> 8 & 0xff] ^ tables[5][word >> 16 & 0xff] ^
              tables[4][word >> 24 & 0xff] ^ tables[3][word >> 32 & 0xff] ^
              tables[2][word >> 40 & 0xff] ^ tables[1][word >> 48 & 0xff] ^ tables[0][word >> 56];
    }
    for (; left > 0; left--, at++) {
        crc = tables[0][(crc ^ *at) & 0xff] ^ crc >> 8;
    }
    return crc;
}
