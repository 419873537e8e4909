/* Conditions on a string; see compare.h. */
#include "commands/compare.h"

#include "base/xxh3.h"

void compare_digest(struct bytes value, char *out)
{
    uint64_t digest = xxh3_64(value);
    for (int i = COMPARE_DIGEST_LEN - 1; i >= 0; i--) {
        out[i] = "0123456789abcdef"[digest & 15];
        digest >>= 4;
    }
}

bool compare_read(struct args *args, struct string_condition *condition)
{
    static const struct {
        const char *word;
        enum comparison comparison;
    } words[] = {
        { "IFEQ", COMPARE_EQUAL },
        { "IFNE", COMPARE_DIFFERENT },
        { "IFDEQ", COMPARE_DIGEST_EQUAL },
        { "IFDNE", COMPARE_DIGEST_DIFFERENT },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (args_option_with(args, bytes_of(words[i].word), 1)) {
            if (condition->comparison != COMPARE_NOTHING) {
                args_unknown(args);
            }
            condition->comparison = words[i].comparison;
            condition->operand = args_next(args);
            return true;
        }
    }
    return false;
}

bool compare_check(struct call *call, const struct string_condition *condition)
{
    bool digest = condition->comparison == COMPARE_DIGEST_EQUAL ||
                  condition->comparison == COMPARE_DIGEST_DIFFERENT;
    if (digest && condition->operand.len != COMPARE_DIGEST_LEN) {
        reply_error(call->reply, LIT("ERR digest must be exactly 16 hexadecimal characters"));
        return false;
    }
    return true;
}

bool compare_holds(const struct string_condition *condition, const struct entry *entry)
{
    char digest[COMPARE_DIGEST_LEN];
    bool equal = false;
    switch (condition->comparison) {
    case COMPARE_NOTHING:
        return true;
    case COMPARE_EQUAL:
    case COMPARE_DIFFERENT:
        equal = entry != NULL && bytes_equal(entry_string(entry), condition->operand);
        return equal == (condition->comparison == COMPARE_EQUAL);
    case COMPARE_DIGEST_EQUAL:
    case COMPARE_DIGEST_DIFFERENT:
        if (entry != NULL) {
            compare_digest(entry_string(entry), digest);
            equal = bytes_equal_nocase((struct bytes){ digest, sizeof digest }, condition->operand);
        }
        return equal == (condition->comparison == COMPARE_DIGEST_EQUAL);
    }
    return true;
}
