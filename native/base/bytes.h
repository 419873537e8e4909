/* Borrowed spans of bytes: the string type of the core. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const char *at;
    size_t len;
};

#define LIT(text) ((struct bytes){ ("" text), sizeof(text) - 1 })

/* The bytes of a terminated string, borrowed. */
static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){ text, strlen(text) };
}

/* The same length and the same bytes. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Copies without a call, for bytes that are few: two pieces that may overlap copy any length
 * between one and two of their size. */
static inline void bytes_copy_few(char *to, struct bytes from)
{
    if (from.len >= 16) {
        for (size_t i = 0; i + 16 < from.len; i += 16) {
            memcpy(to + i, from.at + i, 16);
        }
        memcpy(to + from.len - 16, from.at + from.len - 16, 16);
    } else if (from.len >= 8) {
        memcpy(to, from.at, 8);
        memcpy(to + from.len - 8, from.at + from.len - 8, 8);
    } else if (from.len >= 4) {
        memcpy(to, from.at, 4);
        memcpy(to + from.len - 4, from.at + from.len - 4, 4);
    } else if (from.len > 0) {
        to[0] = from.at[0];
        to[from.len / 2] = from.at[from.len / 2];
        to[from.len - 1] = from.at[from.len - 1];
    }
}

/* ASCII letters of either case are the same letter. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

/* As memcmp() orders them, the shorter first when one starts the other. */
int bytes_compare(struct bytes a, struct bytes b);

/* The name at a place of a list that is in the order of its names, borrowed. */
typedef struct bytes bytes_name_at(const void *list, uint32_t place);

/* The first place of 'count' whose name is not below 'name', 'count' when there is none;
 * '*found': it has that very name. */
static inline uint32_t bytes_search(const void *list, uint32_t count, bytes_name_at *name_at,
                                    struct bytes name, bool *found)
{
    uint32_t low = 0, high = count;
    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(name_at(list, middle), name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Redis's glob: * ? [a-z] [^a] and backslash escapes.  Linear stack, and the work is
 * bounded as Redis bounds it. */
bool bytes_match_glob(struct bytes pattern, struct bytes text, bool nocase);

#endif
