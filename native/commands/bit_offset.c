/* Bit offsets; see bit_offset.h. */
#include "commands/bit_offset.h"

#include "base/num.h"

enum err bit_offset_read(struct call *call, struct bytes text, unsigned width, uint64_t *offset)
{
    int64_t value;
    bool counts = width > 0 && text.len > 0 && text.at[0] == '#';
    if (counts) {
        text = (struct bytes){ text.at + 1, text.len - 1 };
    }
    uint64_t max = call->engine->settings.max_bulk_len;
    if (!num_parse_i64(text, &value) ||
        (counts && __builtin_mul_overflow(value, (int64_t)width, &value)) || value < 0 ||
        (uint64_t)value / 8 >= max) {
        reply_error(call->reply, LIT("ERR bit offset is not an integer or out of range"));
        return ERR_REPLIED;
    }
    *offset = (uint64_t)value;
    return OK;
}
