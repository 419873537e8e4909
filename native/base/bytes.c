/* Comparing and matching spans of bytes (see bytes.h).  Allocates nothing. */
#include "base/bytes.h"

static unsigned char lower(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.at, b.at, common);
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* Whether 'c' lies between two ends of a class, in either order.  Redis compares signed
 * characters here, folded after the ends are put in order. */
static bool in_range(char low, char high, char c, bool nocase)
{
    int start = (signed char)low;
    int end = (signed char)high;
    int at = (signed char)c;
    if (start > end) {
        int swap = start;
        start = end;
        end = swap;
    }
    if (nocase) {
        start = (signed char)lower((char)start);
        end = (signed char)lower((char)end);
        at = (signed char)lower(c);
    }
    return at >= start && at <= end;
}

/* Matches 'c' against the class that begins after the '[' at 'pattern[*next - 1]', and
 * moves '*next' behind it.  A class without its ']' reaches to the pattern's end. */
static bool match_class(struct bytes pattern, size_t *next, char c, bool nocase)
{
    size_t i = *next;
    bool negated = i < pattern.len && pattern.at[i] == '^';
    bool found = false;
    if (negated) {
        i++;
    }
    while (i < pattern.len && pattern.at[i] != ']') {
        if (pattern.at[i] == '\\' && i + 1 < pattern.len) {
            /* An escaped member keeps its case even when the rest ignores it. */
            found |= pattern.at[i + 1] == c;
            i += 2;
        } else if (i + 2 < pattern.len && pattern.at[i + 1] == '-') {
            found |= in_range(pattern.at[i], pattern.at[i + 2], c, nocase);
            i += 3;
        } else {
            found |= nocase ? lower(pattern.at[i]) == lower(c) : pattern.at[i] == c;
            i++;
        }
    }
    *next = i < pattern.len ? i + 1 : i;
    return found != negated;
}

/* Matches one character of the text against the pattern's element at '*next', which is
 * not a star, and moves '*next' behind the element. */
static bool match_one(struct bytes pattern, size_t *next, char c, bool nocase)
{
    char element = pattern.at[(*next)++];
    if (element == '?') {
        return true;
    }
    if (element == '[') {
        return match_class(pattern, next, c, nocase);
    }
    if (element == '\\' && *next < pattern.len) {
        element = pattern.at[(*next)++];
    }
    return nocase ? lower(element) == lower(c) : element == c;
}

bool bytes_match_glob(struct bytes pattern, struct bytes text, bool nocase)
{
    if (text.len == 0) {
        return pattern.len == 0; /* As in Redis, a star does not match an empty key. */
    }
    size_t at = 0;
    size_t next = 0;
    bool starred = false;
    size_t after_star = 0; /* in the pattern, behind the last star met */
    size_t star_text = 0;  /* in the text, where what follows that star is tried */
    while (at < text.len) {
        if (next < pattern.len && pattern.at[next] == '*') {
            while (next < pattern.len && pattern.at[next] == '*') {
                next++;
            }
            if (next == pattern.len) {
                return true;
            }
            starred = true;
            after_star = next;
            star_text = at;
        } else if (next < pattern.len && match_one(pattern, &next, text.at[at], nocase)) {
            at++;
        } else if (starred) {
            /* Only the last star ever needs to take more: what the earlier ones matched
             * is the shortest that works, so longer matches of theirs cannot help. */
            next = after_star;
            at = ++star_text;
        } else {
            return false;
        }
    }
    while (next < pattern.len && pattern.at[next] == '*') {
        next++;
    }
    return next == pattern.len;
}
