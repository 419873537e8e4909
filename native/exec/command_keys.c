/* The keys among a command's arguments, as its key specifications or its own function find
 * them. */
#include "base/num.h"
#include "exec/registry.h"

/* The argument behind 'word', searched from the specification's start; 0: not there. */
static uint32_t after_keyword(const struct key_spec *spec, const struct bytes *argv, uint32_t argc)
{
    struct bytes word = bytes_of(spec->keyword);
    int64_t at = spec->index > 0 ? spec->index : (int64_t)argc + spec->index;
    int64_t step = spec->index > 0 ? 1 : -1;
    for (; at > 0 && at < (int64_t)argc; at += step) {
        if (bytes_equal_nocase(argv[at], word)) {
            return (uint32_t)at + 1;
        }
    }
    return 0;
}

/* Where the keys of one specification begin and end; false when the arguments don't fit it. */
static bool find_range(const struct key_spec *spec, const struct bytes *argv, uint32_t argc,
                       int64_t *first, int64_t *last)
{
    if (spec->begin == KEYS_BEGIN_INDEX) {
        *first = spec->index;
    } else if (spec->begin == KEYS_BEGIN_KEYWORD) {
        *first = after_keyword(spec, argv, argc);
    } else {
        return false;
    }
    if (*first <= 0) {
        return false;
    }
    if (spec->find == KEYS_FIND_RANGE) {
        int64_t rest = (int64_t)argc - *first;
        *last = spec->last >= 0   ? *first + spec->last
                : spec->limit > 0 ? *first + rest / spec->limit + spec->last
                                  : (int64_t)argc + spec->last;
    } else if (spec->find == KEYS_FIND_COUNTED) {
        int64_t count_at = *first + spec->count_index, count;
        if (count_at >= (int64_t)argc || !num_parse_i64(argv[count_at], &count) || count < 1 ||
            count > (int64_t)argc) {
            return false;
        }
        *first += spec->first_key;
        *last = *first + (count - 1) * spec->step;
    } else {
        return false;
    }
    if (spec->find == KEYS_FIND_RANGE && spec->last < 0 && *last < *first) {
        return true; /* "To the end", and the end is there already: PFMERGE with one key. */
    }
    return *last < (int64_t)argc && *last >= *first && *first < (int64_t)argc;
}

/* All specifications; -1 when one does not fit. */
static int keys_by_specs(const struct command *command, const struct bytes *argv, uint32_t argc,
                         struct found_key *found)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < COMMAND_KEY_SPECS && command->keys[i].begin != KEYS_NONE; i++) {
        const struct key_spec *spec = &command->keys[i];
        int64_t first, last;
        if ((spec->flags & KEY_NOT_KEY) != 0) {
            continue;
        }
        if (!find_range(spec, argv, argc, &first, &last)) {
            return -1;
        }
        for (int64_t at = first; at <= last; at += spec->step > 0 ? spec->step : 1) {
            if (count == argc) {
                return -1;
            }
            found[count++] = (struct found_key){ (uint32_t)at, spec->flags };
        }
    }
    return (int)count;
}

int command_keys(const struct command *command, const struct bytes *argv, uint32_t argc,
                 struct found_key *found)
{
    bool unsure = false, any = command->keys[0].begin != KEYS_NONE;
    for (uint32_t i = 0; i < COMMAND_KEY_SPECS && command->keys[i].begin != KEYS_NONE; i++) {
        enum { UNSURE = KEY_VARIABLE_FLAGS | KEY_INCOMPLETE };
        unsure = unsure || (command->keys[i].flags & UNSURE) != 0;
    }
    if (any && (!unsure || command->find_keys == NULL)) {
        int count = keys_by_specs(command, argv, argc, found);
        if (count >= 0 || command->find_keys == NULL) {
            return count;
        }
    }
    return command->find_keys != NULL ? command->find_keys(argv, argc, found) : 0;
}
