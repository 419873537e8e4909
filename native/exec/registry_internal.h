/* What the registry's files and executor_prepare() share: derive.c fills in what follows from
 * a row, registry.c finds rows by name, and the fast way to a row is inlined.
 *
 * Names of at most eight letters, which are nearly all that clients send, are found through
 * one 64-bit word: the letters folded to lower case by setting a bit, which for letters is
 * exact.  Everything else (longer names, subcommands) goes by a hash of the full name. */
#ifndef EXEC_REGISTRY_INTERNAL_H
#define EXEC_REGISTRY_INTERNAL_H

#include "base/hash.h"
#include "exec/registry.h"

struct word_slot {
    uint64_t word; /* 0: empty */
    const struct command *command;
};

struct registry {
    struct word_slot *words; /* open addressing, at most a quarter full */
    unsigned word_shift;     /* 64 - log2 of the slots */
    uint32_t word_mask;
    struct command *rows;
    uint32_t count;
    uint32_t *names; /* 1 + index of a row by the hash of its full name; 0: empty */
    uint32_t name_mask;
    struct hash_key key; /* names are no secret: a constant */
};

/* The first 'len' (1..8) bytes as a word, zeros above. */
static inline uint64_t registry_load_word(const char *at, size_t len)
{
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + len - 4, 4); /* May overlap: the same bytes in the same places. */
        return low | (uint64_t)high << (8 * (len - 4));
    }
    const unsigned char *bytes = (const unsigned char *)at;
    return bytes[0] | (uint64_t)bytes[len / 2] << (8 * (len / 2)) |
           (uint64_t)bytes[len - 1] << (8 * (len - 1));
}

/* The first 'len' letters (1 to 8) of a word in lower case. */
static inline uint64_t registry_fold_word(uint64_t word, size_t len)
{
    return word | 0x2020202020202020u >> (64 - 8 * len);
}

/* Where the search for a folded word begins. */
static inline uint32_t registry_word_place(const struct registry *registry, uint64_t word)
{
    return (uint32_t)((word * 0x9e3779b97f4a7c15u) >> registry->word_shift);
}

/* The row of a name of 1 to 8 bytes when it is one of letters only, or NULL. */
static inline const struct command *registry_find_word(const struct registry *registry,
                                                       struct bytes name)
{
    uint64_t word = registry_fold_word(registry_load_word(name.at, name.len), name.len);
    uint32_t place = registry_word_place(registry, word);
    for (;; place = (place + 1) & registry->word_mask) {
        const struct word_slot *slot = &registry->words[place];
        if (__builtin_expect(slot->word == word, 1)) {
            return slot->command;
        }
        if (slot->word == 0) {
            return NULL;
        }
    }
}

/* registry_find() without the container. */
const struct command *registry_find_slow(const struct registry *registry, const struct bytes *argv,
                                         uint32_t argc);
static inline const struct command *registry_find_fast(const struct registry *registry,
                                                       const struct bytes *argv, uint32_t argc)
{
    if (__builtin_expect(argv[0].len - 1 < sizeof(uint64_t), 1)) {
        const struct command *command = registry_find_word(registry, argv[0]);
        if (__builtin_expect(command != NULL && !command->derived.container, 1)) {
            return command;
        }
    }
    return registry_find_slow(registry, argv, argc);
}

/* Fills the flags (CMD_MOVABLE_KEYS) and 'derived' of a registry's copy of a row, but for
 * its place among the others ('index', 'parent', 'container'). */
void derive_command(struct command *command);

#endif
