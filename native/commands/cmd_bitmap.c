/* Strings as arrays of bits: SETBIT, GETBIT, BITCOUNT, BITPOS.  BITOP is in cmd_bitop.c, integers
 * of any width in cmd_bitfield.c. */
#include "base/bits.h"
#include "base/num.h"
#include "commands/bit_offset.h"
#include "commands/families.h"
#include "commands/lookup.h"

static enum err setbit(struct call *call) REQUIRES(*call->keys)
{
    struct bytes key = call_argument(call, 1), text = call_argument(call, 3);
    uint64_t offset;
    enum err err = bit_offset_read(call, call_argument(call, 2), 0, &offset);
    if (err != OK) {
        return err;
    }
    if (text.len != 1 || (text.at[0] != '0' && text.at[0] != '1')) {
        reply_error(call->reply, LIT("ERR bit is not an integer or out of range"));
        return ERR_REPLIED;
    }
    struct entry *entry;
    err = keyspace_find(call->keyspace, call->keys, key, VALUE_STRING, &entry);
    if (err != OK) {
        return err;
    }
    size_t len = entry != NULL ? entry_string(entry).len : 0, needed = (size_t)(offset / 8) + 1;
    char *at;
    err = keyspace_resize_string(call->keyspace, call->keys, key, needed > len ? needed : len, &at);
    if (err != OK) {
        return err;
    }
    unsigned bit = text.at[0] == '1';
    unsigned before = (unsigned)bits_read((struct bytes){ at, needed }, offset, 1);
    bits_write(at, offset, 1, bit);
    if (needed > len || bit != before) {
        call_changed(call, key, "setbit");
    }
    reply_integer(call->reply, before);
    return OK;
}

static enum err getbit(struct call *call) REQUIRES(*call->keys)
{
    struct entry *entry;
    uint64_t offset;
    enum err err = bit_offset_read(call, call_argument(call, 2), 0, &offset);
    if (err == OK) {
        err = lookup_string(call, call_argument(call, 1), &entry);
    }
    if (err == OK) {
        struct bytes value = entry != NULL ? entry_string(entry) : LIT("");
        reply_integer(call->reply, (int64_t)bits_read(value, offset, 1));
    }
    return err;
}

/* A range as BITCOUNT and BITPOS are given it, in bytes or in bits, from the end if negative. */
struct range {
    int64_t start, end;
    bool start_given, end_given, in_bits;
};

static MUST_CHECK enum err read_unit(struct bytes word, struct range *range)
{
    range->in_bits = bytes_equal_nocase(word, LIT("BIT"));
    return range->in_bits || bytes_equal_nocase(word, LIT("BYTE")) ? OK : ERR_SYNTAX;
}

/* Reads what stands from argument 'at' on.  Of several bad arguments the first one is told, but
 * BITPOS ('unit_first') looks at the unit before the end. */
static MUST_CHECK enum err read_range(struct call *call, uint32_t at, bool unit_first,
                                      struct range *range)
{
    uint32_t given = call->args.argc - at;
    *range = (struct range){ .end = -1, .start_given = given > 0, .end_given = given > 1 };
    if (given > 3) {
        return ERR_SYNTAX;
    }
    if (given > 0 && !num_parse_i64(call_argument(call, at), &range->start)) {
        return ERR_NOT_INT;
    }
    enum err unit = given == 3 ? read_unit(call_argument(call, at + 2), range) : OK;
    if (unit != OK && unit_first) {
        return unit;
    }
    if (given > 1 && !num_parse_i64(call_argument(call, at + 1), &range->end)) {
        return ERR_NOT_INT;
    }
    return unit;
}

/* The bits of a string of 'len' bytes that are within a range; false when there are none. */
static bool clip_range(const struct range *range, size_t len, uint64_t *from, uint64_t *to)
{
    int64_t unit = range->in_bits ? 1 : 8;
    int64_t whole = (int64_t)len * 8 / unit;
    int64_t start = range->start < 0 ? range->start + whole : range->start;
    int64_t end = range->end < 0 ? range->end + whole : range->end;
    start = start < 0 ? 0 : start;
    end = end < 0 ? 0 : end;
    if (end >= whole) {
        end = whole - 1;
    }
    if (start > end) {
        return false;
    }
    *from = (uint64_t)(start * unit);
    *to = (uint64_t)(end * unit + unit - 1);
    return true;
}

/* Ones within from..to. */
static uint64_t count_range(struct bytes value, uint64_t from, uint64_t to)
{
    size_t first = (size_t)(from / 8), last = (size_t)(to / 8);
    uint64_t count = bits_count((struct bytes){ value.at + first, last - first + 1 });
    count -= bits_count((struct bytes){
        (const char[]){ (char)((unsigned char)value.at[first] & ~(0xffu >> from % 8)) }, 1 });
    return count -
           bits_count((struct bytes){
               (const char[]){ (char)((unsigned char)value.at[last] & (0x7fu >> to % 8)) }, 1 });
}

static enum err bitcount(struct call *call) REQUIRES(*call->keys)
{
    struct range range;
    struct entry *entry;
    if (call->args.argc == 3) {
        return ERR_SYNTAX;
    }
    enum err err = read_range(call, 2, false, &range);
    if (err == OK) {
        err = lookup_string(call, call_argument(call, 1), &entry);
    }
    if (err != OK) {
        return err;
    }
    struct bytes value = entry != NULL ? entry_string(entry) : LIT("");
    uint64_t from, to;
    bool crossed = range.start < 0 && range.end < 0 && range.start > range.end;
    bool any = !crossed && clip_range(&range, value.len, &from, &to);
    reply_integer(call->reply, any ? (int64_t)count_range(value, from, to) : 0);
    return OK;
}

static enum err bitpos(struct call *call) REQUIRES(*call->keys)
{
    int64_t bit;
    struct range range;
    struct entry *entry;
    if (!num_parse_i64(call_argument(call, 2), &bit)) {
        return ERR_NOT_INT;
    }
    if (bit != 0 && bit != 1) {
        reply_error(call->reply, LIT("ERR The bit argument must be 1 or 0."));
        return ERR_REPLIED;
    }
    enum err err = read_range(call, 3, true, &range);
    if (err == OK) {
        err = lookup_string(call, call_argument(call, 1), &entry);
    }
    if (err != OK) {
        return err;
    }
    if (entry == NULL) {
        reply_integer(call->reply, bit != 0 ? -1 : 0);
        return OK;
    }
    struct bytes value = entry_string(entry);
    uint64_t from, to;
    int64_t found = -1;
    if (clip_range(&range, value.len, &from, &to)) {
        found = bits_find(value, bit != 0, from, to);
        /* After an end that nobody has named there are zeros. */
        if (found < 0 && bit == 0 && !range.end_given) {
            found = (int64_t)to + 1;
        }
    }
    reply_integer(call->reply, found);
    return OK;
}

static const struct command_history unit_history[] = {
    { "7.0.0", "`BYTE` and `BIT` can be given." },
    { NULL, NULL },
};

/* A row is a paragraph. */
/* clang-format off */
static const struct command rows[] = {
    {
        .name = "setbit", .handler = setbit, .arity = 4, .group = GROUP_BITMAP,
        .flags = CMD_WRITE | CMD_DENYOOM,
        .keys = { KEY_AT(1, KEY_RW | KEY_ACCESS | KEY_UPDATE) },
        .since = "2.2.0", .complexity = "O(1)",
        .summary = "Sets or clears one bit of a string, creating or extending it with zeros.",
        .syntax = "key:key offset:int value:int",
    },
    {
        .name = "getbit", .handler = getbit, .arity = 3, .group = GROUP_BITMAP,
        .flags = CMD_READONLY | CMD_FAST,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.2.0", .complexity = "O(1)",
        .summary = "Returns one bit of a string.",
        .syntax = "key:key offset:int",
    },
    {
        .name = "bitcount", .handler = bitcount, .arity = -2, .group = GROUP_BITMAP,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.6.0", .complexity = "O(N)",
        .summary = "Counts the bits that are set in a string.",
        .syntax = "key:key [range=(start:int end:int [unit=<BYTE | BIT>@7.0.0])]",
        .history = unit_history,
    },
    {
        .name = "bitpos", .handler = bitpos, .arity = -3, .group = GROUP_BITMAP,
        .flags = CMD_READONLY,
        .keys = { KEY_AT(1, KEY_RO | KEY_ACCESS) },
        .since = "2.8.7", .complexity = "O(N)",
        .summary = "Returns the place of the first bit that is set, or clear.",
        .syntax = "key:key bit:int [range=(start:int [end-unit-block=(end:int "
                  "[unit=<BYTE | BIT>@7.0.0])])]",
        .history = unit_history,
    },
};
/* clang-format on */

const struct command_family cmd_bitmap_family = { rows, sizeof rows / sizeof rows[0] };
