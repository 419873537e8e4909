/* Text to numbers and back (see num.h).  The integer routines are on the path of every
 * INCR and of every length in the protocol; the floating-point ones leave rounding to
 * the C library, as Redis does. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

/* Reads digits without sign, leading zero or space into '*value'. */
static bool parse_digits(const char *at, size_t len, uint64_t *value)
{
    enum { SAFE_DIGITS = 19 }; /* so many nines fit 64 bits */
    if (len == 0 || len > SAFE_DIGITS + 1) {
        return false;
    }
    uint64_t sum = (unsigned char)(at[0] - '0');
    if (sum == 0) {
        *value = 0;
        return len == 1;
    }
    if (sum > 9) {
        return false;
    }
    size_t safe = len < SAFE_DIGITS ? len : SAFE_DIGITS;
    for (size_t i = 1; i < safe; i++) {
        unsigned digit = (unsigned char)(at[i] - '0');
        if (digit > 9) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    if (len > SAFE_DIGITS) {
        unsigned digit = (unsigned char)(at[SAFE_DIGITS] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool num_parse_u64(struct bytes text, uint64_t *value)
{
    return parse_digits(text.at, text.len, value);
}

bool num_parse_i64(struct bytes text, int64_t *value)
{
    uint64_t magnitude;
    if (text.len > 0 && text.at[0] == '-') {
        if (!parse_digits(text.at + 1, text.len - 1, &magnitude) || magnitude == 0 ||
            magnitude > (uint64_t)INT64_MAX + 1) {
            return false;
        }
        *value = (int64_t)(UINT64_C(0) - magnitude);
        return true;
    }
    if (!parse_digits(text.at, text.len, &magnitude) || magnitude > INT64_MAX) {
        return false;
    }
    *value = (int64_t)magnitude;
    return true;
}

/* What strtod() and strtold() do not tell by their result: whether the text was read
 * to its end and held a number that can be kept. */
static bool read_whole(const char *copy, const char *end, size_t len, bool lost)
{
    return !isspace((unsigned char)copy[0]) && end == copy + len && errno != EINVAL && !lost;
}

static bool parse_double_copy(const char *copy, size_t len, double *value)
{
    char *end;
    errno = 0;
    double read = strtod(copy, &end);
    bool lost = errno == ERANGE && (isinf(read) || fpclassify(read) == FP_ZERO);
    if (!read_whole(copy, end, len, lost) || isnan(read)) {
        return false;
    }
    *value = read;
    return true;
}

/* Eight digits at once; false when one of them is none.  Little-endian: the first digit is in
 * the lowest byte. */
static inline bool parse_eight(const char *at, uint64_t *value)
{
    uint64_t text;
    memcpy(&text, at, sizeof text);
    const uint64_t upper = UINT64_C(0xf0f0f0f0f0f0f0f0);
    if (((text & upper) | ((text + UINT64_C(0x0606060606060606)) & upper) >> 4) !=
        UINT64_C(0x3333333333333333)) {
        return false;
    }
    text &= ~upper;
    text = text * 10 + (text >> 8); /* pairs, in every second byte */
    const uint64_t pairs = UINT64_C(0x000000ff000000ff);
    *value = ((text & pairs) * UINT64_C(0x000f424000000064) +
              (text >> 16 & pairs) * UINT64_C(0x0000271000000001)) >>
             32;
    return true;
}

/* Plain whole numbers of up to 15 digits, which are a double without rounding. */
static bool parse_whole_double(struct bytes text, double *value)
{
    enum { EXACT_DIGITS = 15, EIGHT = 8 };
    bool negative = text.len > 0 && text.at[0] == '-';
    size_t at = negative, digits = text.len - at;
    uint64_t whole = 0;
    if (digits == 0 || digits > EXACT_DIGITS) {
        return false;
    }
    if (digits >= EIGHT && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        if (!parse_eight(text.at + at, &whole)) {
            return false;
        }
        at += EIGHT;
    }
    for (; at < text.len; at++) {
        unsigned digit = (unsigned char)(text.at[at] - '0');
        if (digit > 9) {
            return false;
        }
        whole = whole * 10 + digit;
    }
    *value = negative ? -(double)whole : (double)whole;
    return true;
}

bool num_parse_double(struct bytes text, double *value)
{
    char small[256];
    if (parse_whole_double(text, value)) {
        return true;
    }
    if (text.len == 0) {
        return false;
    }
    /* Borrowed bytes have no NUL behind them, which strtod() needs. */
    char *copy = text.len < sizeof(small) ? small : mem_try_alloc(text.len + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    bool good = parse_double_copy(copy, text.len, value);
    if (copy != small) {
        mem_free(copy);
    }
    return good;
}

bool num_parse_long_double(struct bytes text, long double *value)
{
    char copy[NUM_FLOAT_ROOM];
    char *end;
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    errno = 0;
    long double read = strtold(copy, &end);
    bool lost = errno == ERANGE && (isinf(read) || fpclassify(read) == FP_ZERO);
    if (!read_whole(copy, end, text.len, lost) || isnan(read)) {
        return false;
    }
    *value = read;
    return true;
}

/* What a unit multiplies by, or 0 when there is no such unit. */
static uint64_t memory_unit(struct bytes unit)
{
    static const struct {
        struct bytes name;
        uint64_t factor;
    } units[] = {
        { { "", 0 }, 1 },
        { { "b", 1 }, 1 },
        { { "k", 1 }, 1000 },
        { { "kb", 2 }, 1024 },
        { { "m", 1 }, 1000 * 1000 },
        { { "mb", 2 }, 1024 * 1024 },
        { { "g", 1 }, 1000 * 1000 * 1000 },
        { { "gb", 2 }, 1024 * 1024 * 1024 },
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (bytes_equal_nocase(unit, units[i].name)) {
            return units[i].factor;
        }
    }
    return 0;
}

bool num_parse_memory(struct bytes text, uint64_t *bytes)
{
    uint64_t count = 0;
    size_t digits = 0;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9') {
        unsigned digit = (unsigned)(text.at[digits++] - '0');
        if (count > (UINT64_MAX - digit) / 10) {
            return false;
        }
        count = count * 10 + digit;
    }
    uint64_t factor = memory_unit((struct bytes){ text.at + digits, text.len - digits });
    if (digits == 0 || factor == 0 || count > UINT64_MAX / factor) {
        return false;
    }
    *bytes = count * factor;
    return true;
}

static unsigned count_digits(uint64_t value)
{
    unsigned digits = 1;
    while (value >= 10000) {
        value /= 10000;
        digits += 4;
    }
    return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

size_t num_format_u64(char *out, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    size_t len = count_digits(value);
    char *end = out + len;
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(end - 2, pairs + value * 2, 2);
    } else {
        end[-1] = (char)('0' + value);
    }
    return len;
}

size_t num_format_i64(char *out, int64_t value)
{
    if (value >= 0) {
        return num_format_u64(out, (uint64_t)value);
    }
    *out = '-';
    return 1 + num_format_u64(out + 1, UINT64_C(0) - (uint64_t)value);
}

/* Puts a constant into 'out' with its NUL; 0 when it does not fit. */
static size_t put_word(char *out, size_t room, const char *word)
{
    size_t len = strlen(word);
    if (len >= room) {
        return 0;
    }
    memcpy(out, word, len + 1);
    return len;
}

/* The length that snprintf() reports, or 0 when the text did not fit. */
static size_t printed(int len, size_t room)
{
    return len > 0 && (size_t)len < room ? (size_t)len : 0;
}

size_t num_format_double(char *out, size_t room, double value)
{
    if (isnan(value)) {
        return put_word(out, room, "nan");
    }
    if (isinf(value)) {
        return put_word(out, room, value > 0 ? "inf" : "-inf");
    }
    /* Quickly, if it is a whole number that seventeen digits hold; but not -0. */
    if (value > -1e17 && value < 1e17 && room > NUM_INT_ROOM && (double)(int64_t)value == value &&
        (value != 0 || !signbit(value))) {
        size_t len = num_format_i64(out, (int64_t)value);
        out[len] = '\0';
        return len;
    }
    return printed(snprintf(out, room, "%.17g", value), room);
}

size_t num_format_long_double(char *out, size_t room, long double value)
{
    if (isnan(value)) {
        return put_word(out, room, "nan");
    }
    if (isinf(value)) {
        return put_word(out, room, value > 0 ? "inf" : "-inf");
    }
    size_t len = printed(snprintf(out, room, "%.17Lf", value), room);
    if (len == 0) {
        return 0;
    }
    while (out[len - 1] == '0') {
        len--; /* There is always a point before the seventeen digits to stop at. */
    }
    if (out[len - 1] == '.') {
        len--;
    }
    if (len == 2 && out[0] == '-' && out[1] == '0') {
        out[0] = '0';
        len = 1;
    }
    out[len] = '\0';
    return len;
}

size_t num_format_human(char *out, size_t room, uint64_t bytes)
{
    static const char units[] = "KMGTP";
    if (bytes < 1024) {
        return printed(snprintf(out, room, "%lluB", (unsigned long long)bytes), room);
    }
    double scaled = (double)bytes / 1024;
    size_t unit = 0;
    while (unit + 1 < sizeof(units) - 1 && bytes >> (10 * (unit + 2)) != 0) {
        scaled /= 1024;
        unit++;
    }
    return printed(snprintf(out, room, "%.2f%c", scaled, units[unit]), room);
}
